//! DOS device names that a program defines (`DefineDosDevice`, `subst`): which may be, and where they lead.
//!
//! A name leads to a directory on a drive, and to nothing else: a device of the host is not to be had by
//! another name.

use crate::file::{Target, classify, is_ill_formed};
use crate::pipe::{dos_device, unroot};
use crate::units::{SEPARATOR, equals, first_part};

/// The directory in a VM's object directory that holds its own DOS device names.
pub const DIRECTORY: &str = "\\DosDevices";
/// The longest name, in units.
pub const LONGEST_NAME: usize = 64;
/// The longest target, in units.
pub const LONGEST_TARGET: usize = 2_000;

/// What follows the DOS device directory in the absolute `name`, `Global` left out.
fn below(name: &[u16]) -> Option<&[u16]> {
    let mut dos = dos_device(unroot(name))?;
    while let Some((_, rest)) = first_part(dos).filter(|(first, _)| equals(first, "Global")) {
        dos = rest;
    }
    Some(dos)
}

/// The DOS device that the absolute `name` is of, and of which it is the whole name: `X:` of `\??\X:`.
#[must_use]
pub fn device(name: &[u16]) -> Option<&[u16]> {
    let (first, rest) = first_part(below(name)?)?;
    (rest.is_empty() && !first.is_empty()).then_some(first)
}

/// Whether the absolute `name` is that of the directory of DOS devices.
#[must_use]
pub fn is_directory(name: &[u16]) -> bool {
    matches!(below(name), Some([] | [SEPARATOR]))
}

/// Whether a program may define the name: a drive's, or one of letters, digits and a few marks.
#[must_use]
pub fn may_be_defined(name: &[u16]) -> bool {
    let ascii = |unit: u16| u8::try_from(unit).unwrap_or(0);
    if let [letter, colon] = *name
        && colon == u16::from(b':')
    {
        return ascii(letter).is_ascii_alphabetic();
    }
    let plain = |unit: u16| {
        matches!(ascii(unit), b'-' | b'_' | b'$' | b'.') || ascii(unit).is_ascii_alphanumeric()
    };
    (1..=LONGEST_NAME).contains(&name.len()) && name.iter().all(|&unit| plain(unit))
}

/// The drive (upper case) to which the target of a definition leads, and the path on it without a trailing
/// backslash; `None` for a target that is no path on a drive.
#[must_use]
pub fn target(target: &[u16]) -> Option<(u16, &[u16])> {
    if target.len() > LONGEST_TARGET {
        return None;
    }
    let (letter, rest) = match classify(target, &[], |_| None) {
        Target::Drive(letter, rest) => (letter, rest),
        Target::Volume(letter) => (letter, &[][..]),
        _ => return None,
    };
    let rest = rest.strip_suffix(&[SEPARATOR]).unwrap_or(rest);
    let plain = !rest.contains(&u16::from(b':')) && !rest.contains(&0);
    (plain && (rest.is_empty() || !is_ill_formed(rest))).then_some((letter, rest))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::string::String;
    use std::vec::Vec;

    fn w(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn devices_and_their_directory_are_told() {
        for name in [
            r"\??\X:",
            r"\DosDevices\x:",
            r"\GLOBAL??\X:",
            r"\??\Global\X:",
            r"\??\GLOBALROOT\??\X:",
        ] {
            let name = w(name);
            assert!(device(&name).is_some_and(|name| equals(name, "X:")));
        }
        for name in [
            r"\??\X:\",
            r"\??\X:\a",
            r"\??",
            r"\??\",
            r"\Device\X:",
            "X:",
            "",
        ] {
            assert_eq!(device(&w(name)), None, "{name}");
        }
        for name in [
            r"\??",
            r"\??\",
            r"\DosDevices",
            r"\dosdevices\",
            r"\GLOBAL??",
            r"\??\Global",
        ] {
            assert!(is_directory(&w(name)), "{name}");
        }
        assert!(!is_directory(&w(r"\??\X:")) && !is_directory(&w(r"\Device")));
    }

    #[test]
    fn names_that_may_be_defined() {
        for name in ["X:", "a:", "my-device", "DEV_1.x", "$x"] {
            assert!(may_be_defined(&w(name)), "{name}");
        }
        let long = "x".repeat(LONGEST_NAME + 1);
        for name in ["", "1:", "XY:", ":", "a b", r"a\b", "a/b", "ä", &long] {
            assert!(!may_be_defined(&w(name)), "{name}");
        }
    }

    #[test]
    fn targets_are_paths_on_drives() {
        let of = |text: &str| {
            target(&w(text)).map(|(letter, rest)| (letter, String::from_utf16_lossy(rest)))
        };
        let c = u16::from(b'C');
        assert_eq!(of(r"\??\c:\dir\"), Some((c, r"\dir".into())));
        assert_eq!(of(r"\??\C:\"), Some((c, String::new())));
        assert_eq!(of(r"\??\C:"), Some((c, String::new())));
        for bad in [
            r"\Device\Null",
            r"\??\pipe\x",
            r"\??\unix\etc",
            r"\??\C:\a\..\b",
            r"\??\C:\a:b",
            "C:\\a",
            r"\??\GLOBALROOT\Device\HarddiskVolume1\x",
            "",
        ] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn garbage_never_panics(units in proptest::collection::vec(any::<u16>(), 0..80), dos in any::<bool>()) {
            let mut name = if dos { w(r"\??\") } else { Vec::new() };
            name.extend(units);
            let _ = (device(&name), is_directory(&name), may_be_defined(&name), target(&name));
        }
    }
}
