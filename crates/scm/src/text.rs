//! Owns text as NT keeps it: UTF-16 code units, possibly ill-formed, compared
//! without regard to case. Knows nothing of services.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// A string of UTF-16 code units without a terminator.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Vec<u16>);

impl Text {
    /// The empty string.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The code units.
    pub fn units(&self) -> &[u16] {
        &self.0
    }

    /// Whether there is no code unit.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Length in code units.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The string with every code unit that has a one-to-one upper case form
    /// replaced by it, as NT folds names.
    pub fn folded(&self) -> Self {
        Self(self.0.iter().map(|&unit| upcase(unit)).collect())
    }

    /// Equality of names: without regard to case.
    pub fn same_name(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self
                .0
                .iter()
                .zip(&other.0)
                .all(|(&a, &b)| a == b || upcase(a) == upcase(b))
    }

    /// Whether a code unit equals the given ASCII character.
    pub fn contains(&self, ascii: u8) -> bool {
        self.0.contains(&u16::from(ascii))
    }

    /// The rest of the string after a first ASCII character, if it begins so.
    pub fn after_first(&self, ascii: u8) -> Option<Self> {
        match self.0.split_first() {
            Some((&first, rest)) if first == u16::from(ascii) => Some(Self(rest.into())),
            _ => None,
        }
    }
}

/// The upper case form of one code unit where it is a single code unit too.
fn upcase(unit: u16) -> u16 {
    let Some(c) = char::from_u32(u32::from(unit)) else {
        return unit;
    };
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(single), None) => u16::try_from(u32::from(single)).unwrap_or(unit),
        _ => unit,
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.encode_utf16().collect())
    }
}

impl From<&[u16]> for Text {
    fn from(units: &[u16]) -> Self {
        Self(units.into())
    }
}

impl From<Vec<u16>> for Text {
    fn from(units: Vec<u16>) -> Self {
        Self(units)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf16_lossy(&self.0))
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf16_lossy(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case() {
        assert!(Text::from("RpcSs").same_name(&Text::from("RPCSS")));
        assert!(Text::from("Äpfel").same_name(&Text::from("äPFEL")));
        assert!(!Text::from("RpcSs").same_name(&Text::from("RpcSs2")));
        // A sharp s has no single upper case unit and stays itself.
        assert!(!Text::from("ß").same_name(&Text::from("SS")));
    }

    #[test]
    fn folding_agrees_with_comparison() {
        let (a, b) = (Text::from("Ser vice.é"), Text::from("SER VICE.É"));
        assert_eq!(a.folded(), b.folded());
        let lone = Text::from(&[0xD800u16, 0x61][..]);
        assert_eq!(lone.folded(), Text::from(&[0xD800u16, 0x41][..]));
    }
}
