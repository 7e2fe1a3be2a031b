//! Names as NT compares them, and those that layers keep for themselves.

use std::ffi::{OsStr, OsString};

/// What a whiteout's name begins with.
const WHITEOUT: &str = pinion_names::file::WHITEOUT;

/// The name with each unit in upper case, by which NT compares names.
#[must_use]
pub fn fold(name: &OsStr) -> Vec<u16> {
    fold_units(&units(name))
}

/// The same of units.
pub(crate) fn fold_units(name: &[u16]) -> Vec<u16> {
    name.iter().map(|&unit| upcase(unit)).collect()
}

/// The name's UTF-16 units.
#[cfg(windows)]
pub(crate) fn units(name: &OsStr) -> Vec<u16> {
    std::os::windows::ffi::OsStrExt::encode_wide(name).collect()
}

/// The name of these units.
#[cfg(windows)]
pub(crate) fn of_units(units: &[u16]) -> OsString {
    std::os::windows::ffi::OsStringExt::from_wide(units)
}

/// The unit in upper case, as NT compares names.
#[cfg(windows)]
pub(crate) fn upcase(unit: u16) -> u16 {
    // SAFETY: a pure function of ntdll.
    unsafe { pinion_nt::calls::RtlUpcaseUnicodeChar(unit) }
}

/// The name's UTF-16 units; what is no Unicode is replaced, as this is no system with layers.
#[cfg(not(windows))]
pub(crate) fn units(name: &OsStr) -> Vec<u16> {
    name.to_string_lossy().encode_utf16().collect()
}

/// The unit in upper case; about as NT does.
#[cfg(not(windows))]
pub(crate) fn upcase(unit: u16) -> u16 {
    let upper = char::from_u32(unit.into()).map(char::to_uppercase);
    match upper.map(|mut upper| (upper.next(), upper.next())) {
        Some((Some(only), None)) => u16::try_from(u32::from(only)).unwrap_or(unit),
        _ => unit,
    }
}

/// What a name in a layer's directory is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A node of that name.
    Node,
    /// The whiteout of this name.
    Whiteout(OsString),
    /// A copy that was not finished, or the file of bases: nothing.
    HalfMade,
}

/// What `name` means in a layer.
pub(super) fn meaning(name: &OsStr) -> Meaning {
    match without_mark(name) {
        None => Meaning::Node,
        Some(hidden) if hidden.is_empty() || without_mark(&hidden).is_some() => Meaning::HalfMade,
        Some(hidden) => Meaning::Whiteout(hidden),
    }
}

/// What follows the mark of whiteouts, in any case: that is how NT finds one.
fn without_mark(name: &OsStr) -> Option<OsString> {
    let bytes = name.as_encoded_bytes();
    let (mark, rest) = bytes.split_at_checked(WHITEOUT.len())?;
    if !mark.eq_ignore_ascii_case(WHITEOUT.as_bytes()) {
        return None;
    }
    // SAFETY: the bytes of an OsStr, split right after a non-empty string of ASCII.
    Some(unsafe { OsStr::from_encoded_bytes_unchecked(rest) }.to_os_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_layers() {
        let of = |name: &str| meaning(OsStr::new(name));
        assert_eq!(of("a"), Meaning::Node);
        assert_eq!(of(".wh"), Meaning::Node);
        assert_eq!(of(".wh.a"), Meaning::Whiteout("a".into()));
        assert_eq!(of(".WH.a"), Meaning::Whiteout("a".into()));
        assert_eq!(of(".wh..b"), Meaning::Whiteout(".b".into()));
        assert_eq!(of(".wh..wh.0012"), Meaning::HalfMade);
        assert_eq!(of(".wh."), Meaning::HalfMade);
    }

    #[test]
    fn names_are_compared_in_upper_case() {
        assert_eq!(fold(OsStr::new("Äa")), fold(OsStr::new("äA")));
        assert_ne!(fold(OsStr::new("a")), fold(OsStr::new("b")));
    }
}
