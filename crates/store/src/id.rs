//! Identities: 64 random bits, shown as 16 hexadecimal digits.

use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The identity of a VM. Unlike its name it is never used again: kernel names and the control pipe carry
/// it.
pub type VmId = Id<OfVm>;
/// The identity of a layer, which its folder and its registry key carry.
pub type LayerId = Id<OfLayer>;
/// The identity of a snapshot. Unlike its name it is never used again.
pub type SnapshotId = Id<OfSnapshot>;

/// Marks [`VmId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OfVm {}
/// Marks [`LayerId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OfLayer {}
/// Marks [`SnapshotId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OfSnapshot {}

/// An identity; `Of` says of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String", bound = "Of: Clone")]
pub struct Id<Of>(u64, PhantomData<Of>);

impl<Of> Id<Of> {
    /// A fresh random id, never zero.
    ///
    /// # Errors
    /// The system's random generator failed.
    pub fn random() -> std::io::Result<Self> {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
        Ok(Self::from_u64(u64::from_le_bytes(bytes).max(1)))
    }

    /// The id with this value.
    #[must_use]
    pub const fn from_u64(value: u64) -> Self {
        Self(value, PhantomData)
    }

    /// The id as a number.
    #[must_use]
    pub const fn get(&self) -> u64 {
        self.0
    }
}

impl<Of> fmt::Display for Id<Of> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl<Of> FromStr for Id<Of> {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hex = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let value = hex.then(|| u64::from_str_radix(text, 16).ok()).flatten();
        value
            .map(Self::from_u64)
            .ok_or("an id is 16 hexadecimal digits")
    }
}

impl<Of> TryFrom<String> for Id<Of> {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl<Of> From<Id<Of>> for String {
    fn from(id: Id<Of>) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn display_and_parse_agree(value: u64) {
            let id = VmId::from_u64(value);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }

        #[test]
        fn nothing_else_parses(text in "\\PC{0,20}") {
            if text.parse::<VmId>().is_ok() {
                prop_assert_eq!(text.len(), 16);
            }
        }
    }
}
