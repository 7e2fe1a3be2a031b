//! The names of VMs: the one place that says what a name may be.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::id::VmId;

/// The longest name, in characters.
const LONGEST: usize = 63;

/// A checked name of a VM: `[a-z0-9][a-z0-9_.-]{0,62}`, no trailing dot, no device name of Windows
/// (`con`, `nul`, `com1`, also with an extension). Upper-case ASCII letters are folded when parsed,
/// as the name is also the name of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VmName(String);

/// The rule that a name breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing given.
    #[error("it is empty")]
    Empty,
    /// More than 63 characters.
    #[error("it is longer than 63 characters")]
    TooLong,
    /// The first character is not a letter or digit.
    #[error("it must begin with a letter or digit")]
    BadStart,
    /// A character that names may not hold.
    #[error("only the letters a to z, digits, '_', '.' and '-' are allowed")]
    BadCharacter,
    /// Windows drops a trailing dot from a folder's name.
    #[error("it must not end with a dot")]
    TrailingDot,
    /// A reserved device name.
    #[error("Windows keeps that name for a device")]
    Device,
}

impl VmName {
    /// The name, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Checks and folds a name.
    ///
    /// # Errors
    /// The first rule broken.
    pub fn check(text: &str) -> Result<Self, NameError> {
        let folded = text.to_ascii_lowercase();
        let first = folded.chars().next().ok_or(NameError::Empty)?;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        if !folded
            .chars()
            .all(|c| plain(c) || matches!(c, '_' | '.' | '-'))
        {
            return Err(NameError::BadCharacter);
        }
        if !plain(first) {
            return Err(NameError::BadStart);
        }
        if folded.len() > LONGEST {
            return Err(NameError::TooLong);
        }
        if folded.ends_with('.') {
            return Err(NameError::TrailingDot);
        }
        if is_device(&folded) {
            return Err(NameError::Device);
        }
        Ok(Self(folded))
    }
}

/// A made-up name like `calm-otter`, or `calm-otter-2` when that is not free.
pub(crate) fn made_up(id: VmId, is_free: impl Fn(&VmName) -> bool) -> VmName {
    let pick = |words: &[&'static str], bits: u64| words[(bits % words.len() as u64) as usize];
    let base = format!(
        "{}-{}",
        pick(&MOODS, id.get()),
        pick(&BIRDS, id.get() >> 32)
    );
    // Small numbers for a few VMs; from then on one of the id's, so that not all that are taken are tried.
    let small = 2..6;
    let large = (0..).map(|n| 10_000 + ((id.get() >> 8) + n) % 1_000_000);
    let numbered = small
        .chain(large)
        .map(|n: u64| VmName(format!("{base}-{n}")));
    std::iter::once(VmName(base.clone()))
        .chain(numbered)
        .find(is_free)
        .unwrap_or(VmName(base))
}

const MOODS: [&str; 16] = [
    "bold", "brisk", "calm", "clever", "eager", "fair", "gentle", "happy", "keen", "light",
    "merry", "neat", "quick", "quiet", "swift", "wise",
];
const BIRDS: [&str; 16] = [
    "crane", "dove", "falcon", "finch", "heron", "jay", "kite", "lark", "martin", "owl", "plover",
    "raven", "robin", "swallow", "tern", "wren",
];

/// Whether Windows takes a file of this name, extension or not, for a DOS device.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name);
    match stem {
        "con" | "prn" | "aux" | "nul" => true,
        _ => match stem
            .strip_prefix("com")
            .or_else(|| stem.strip_prefix("lpt"))
        {
            Some(number) => number.len() == 1 && number.as_bytes()[0].is_ascii_digit(),
            None => false,
        },
    }
}

impl FromStr for VmName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::check(text).map_err(|why| Error::BadName {
            name: text.into(),
            why,
        })
    }
}

impl TryFrom<String> for VmName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::check(&text)
    }
}

impl From<VmName> for String {
    fn from(name: VmName) -> Self {
        name.0
    }
}

impl fmt::Display for VmName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn good_names_pass_and_fold() {
        for name in [
            "web",
            "a",
            "0",
            "web-1.old_2",
            "console",
            "com10",
            "company",
            &"x".repeat(63),
        ] {
            assert_eq!(VmName::check(name).unwrap().as_str(), name);
        }
        assert_eq!(VmName::check("WeB").unwrap().as_str(), "web");
    }

    #[test]
    fn each_rule_is_told() {
        let cases = [
            ("", NameError::Empty),
            (".web", NameError::BadStart),
            ("-web", NameError::BadStart),
            ("we b", NameError::BadCharacter),
            ("web\\x", NameError::BadCharacter),
            ("wéb", NameError::BadCharacter),
            ("web.", NameError::TrailingDot),
            ("NUL", NameError::Device),
            ("com1.txt", NameError::Device),
            ("lpt9", NameError::Device),
        ];
        for (name, why) in cases {
            assert_eq!(VmName::check(name), Err(why), "{name}");
        }
        assert_eq!(VmName::check(&"x".repeat(64)), Err(NameError::TooLong));
    }

    #[test]
    fn made_up_names_are_names_and_free() {
        let id = VmId::from_u64(0x77_0000_0042);
        let first = made_up(id, |_| true);
        assert_eq!(VmName::check(first.as_str()), Ok(first.clone()));
        let second = made_up(id, |name| *name != first);
        assert_eq!(second.as_str(), format!("{first}-2"));
    }

    proptest! {
        #[test]
        fn a_checked_name_is_a_plain_file_name(text in "\\PC{0,80}") {
            if let Ok(name) = VmName::check(&text) {
                prop_assert!(!name.as_str().contains(['/', '\\', ':', '\0', ' ']));
                prop_assert!(!name.as_str().starts_with('.'));
                prop_assert_eq!(VmName::check(name.as_str()), Ok(name.clone()));
            }
        }

        #[test]
        fn the_form_is_accepted(text in "[a-z0-9][a-z0-9_-]{6,62}") {
            prop_assert!(VmName::check(&text).is_ok());
        }
    }
}
