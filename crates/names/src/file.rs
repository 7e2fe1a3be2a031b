//! Names of files: every absolute way to name one, and the paths they mean.
//!
//! All ways lead to a [`Target`]: a path on a drive, a volume as a whole, or
//! another device. A path on a drive is written as the layers keep it: the
//! drive's letter and the names below it, as `C\a\b`.

mod path;
mod place;

pub use path::{depth, is_ill_formed, is_short, may_be_short, normalise, prefix, split_last};
pub use place::{WHITEOUT, host, is_of_ntfs, is_reserved, layer, on_own_drive, undo, whiteout};

use crate::pipe::{dos_device, unroot};
use crate::units::{SEPARATOR, equals, first_part, fold};

/// What an absolute name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'n> {
    /// The drive `letter` (upper case) and what follows its colon, beginning
    /// with a backslash.
    Drive(u16, &'n [u16]),
    /// A path of the Unix file system, beginning with a separator: Wine's own
    /// way to name files.
    Unix(&'n [u16]),
    /// The volume of the drive `letter` itself, not a file on it.
    Volume(u16),
    /// Another device: what follows `\Device` or the DOS device directory.
    Device(&'n [u16]),
    /// No name of a file or device.
    Other,
}

/// Tells what the absolute `name` means. `computer` is the host's own name;
/// `volume` gives the drive letter of a device such as `HarddiskVolume3` or
/// `Volume{…}`.
#[must_use]
pub fn classify<'n>(
    name: &'n [u16],
    computer: &[u16],
    volume: impl Fn(&[u16]) -> Option<u16>,
) -> Target<'n> {
    let name = unroot(name);
    if let Some((first, rest)) = first_part(name)
        && equals(first, "Device")
    {
        return of_device(rest, computer, volume);
    }
    let Some(mut dos) = dos_device(name) else {
        return Target::Other;
    };
    while let Some((first, rest)) = first_part(dos) {
        if !equals(first, "Global") {
            break;
        }
        dos = rest;
    }
    of_dos(dos, computer, volume)
}

/// The letter and what follows the colon of a name of the form that programs
/// give nearly always, `\??\C:\a\b`, all of whose parts are as simple: the path
/// is the letter (upper case) and what follows, needs no more looking at, and has
/// no tail. `None` for any other name, also for some that mean no more.
#[must_use]
pub fn plain(name: &[u16]) -> Option<(u16, &[u16])> {
    const COLON: u16 = b':' as u16;
    const TILDE: u16 = b'~' as u16;
    const DOT: u16 = b'.' as u16;
    const DOLLAR: u16 = b'$' as u16;
    const QUESTION: u16 = b'?' as u16;
    let &[
        SEPARATOR,
        QUESTION,
        QUESTION,
        SEPARATOR,
        letter,
        COLON,
        ref below @ ..,
    ] = name
    else {
        return None;
    };
    let (&first, rest) = below.split_first()?;
    if first != SEPARATOR || !is_letter(letter) {
        return None;
    }
    let mut before = first;
    for &unit in rest {
        let special = match unit {
            COLON | TILDE => true,
            SEPARATOR | DOT | DOLLAR => before == SEPARATOR,
            _ => false,
        };
        if special {
            return None;
        }
        before = unit;
    }
    (before != SEPARATOR || rest.is_empty()).then_some((fold(letter), below))
}

fn of_device<'n>(
    path: &'n [u16],
    computer: &[u16],
    volume: impl Fn(&[u16]) -> Option<u16>,
) -> Target<'n> {
    let Some((first, rest)) = first_part(path) else {
        return Target::Other;
    };
    if equals(first, "Mup") || equals(first, "LanmanRedirector") {
        return share(rest, computer).unwrap_or(Target::Device(path));
    }
    match volume(first) {
        Some(letter) => on_drive(letter, rest),
        None => Target::Device(path),
    }
}

fn of_dos<'n>(
    path: &'n [u16],
    computer: &[u16],
    volume: impl Fn(&[u16]) -> Option<u16>,
) -> Target<'n> {
    let Some((first, rest)) = first_part(path) else {
        return Target::Other;
    };
    if let &[letter, colon] = first
        && colon == u16::from(b':')
        && is_letter(letter)
    {
        return on_drive(fold(letter), rest);
    }
    if equals(first, "unix") && !rest.is_empty() {
        return Target::Unix(rest);
    }
    if equals(first, "UNC") {
        return share(rest, computer).unwrap_or(Target::Device(path));
    }
    match volume(first) {
        Some(letter) => on_drive(letter, rest),
        None => Target::Device(path),
    }
}

fn on_drive(letter: u16, rest: &[u16]) -> Target<'_> {
    if rest.is_empty() {
        Target::Volume(letter)
    } else {
        Target::Drive(letter, rest)
    }
}

/// `\server\c$\path`, the administrative share of a local drive.
fn share<'n>(path: &'n [u16], computer: &[u16]) -> Option<Target<'n>> {
    const ROOT: &[u16] = &[SEPARATOR];
    let (server, rest) = first_part(path)?;
    let (share, rest) = first_part(rest)?;
    let &[letter, dollar] = share else {
        return None;
    };
    let local = crate::pipe::is_local(server, computer);
    let is_share = dollar == u16::from(b'$') && is_letter(letter);
    (local && is_share).then_some(Target::Drive(
        fold(letter),
        if rest.is_empty() { ROOT } else { rest },
    ))
}

fn is_letter(unit: u16) -> bool {
    (u16::from(b'A')..=u16::from(b'Z')).contains(&fold(unit))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::string::String;
    use std::vec::Vec;

    fn w(s: &str) -> Vec<u16> {
        s.encode_utf16().collect()
    }

    fn volume(name: &[u16]) -> Option<u16> {
        equals(name, "HarddiskVolume3").then_some(u16::from(b'C'))
    }

    fn path(name: &str) -> Option<String> {
        let name = w(name);
        let mut out = std::vec![0; 40_000];
        let (length, _) = match classify(&name, &w("HOST"), volume) {
            Target::Drive(letter, rest) => normalise(letter, rest, false, &mut out),
            Target::Unix(rest) => normalise(u16::from(b'Z'), rest, true, &mut out),
            _ => return None,
        }
        .expect("fits");
        Some(String::from_utf16(&out[..length]).expect("UTF-16"))
    }

    #[test]
    fn every_way_to_name_a_file() {
        for name in [
            "\\??\\C:\\a\\b",
            "\\??\\c:\\a\\b",
            "\\DosDevices\\C:\\a\\b",
            "\\GLOBAL??\\C:\\a\\b",
            "\\??\\Global\\C:\\a\\b",
            "\\??\\GLOBALROOT\\??\\C:\\a\\b",
            "\\??\\GLOBALROOT\\Device\\HarddiskVolume3\\a\\b",
            "\\Device\\HarddiskVolume3\\a\\b",
            "\\??\\UNC\\localhost\\c$\\a\\b",
            "\\??\\UNC\\127.0.0.1\\C$\\a\\b",
            "\\??\\UNC\\host\\C$\\a\\b",
            "\\Device\\Mup\\localhost\\c$\\a\\b",
            "\\??\\C:\\a\\.\\x\\..\\b",
            "\\??\\C:\\..\\..\\a\\b\\",
            "\\??\\C:\\a\\\\b",
        ] {
            assert_eq!(path(name).as_deref(), Some("C\\a\\b"), "{name}");
        }
        assert_eq!(path("\\??\\unix\\a/b").as_deref(), Some("Z\\a\\b"));
        assert_eq!(path("\\??\\unix/a/b").as_deref(), None);
        assert_eq!(path("\\??\\C:\\").as_deref(), Some("C"));
    }

    #[test]
    fn plain_names() {
        for (name, rest) in [
            ("\\??\\c:\\a.b\\c d", Some("\\a.b\\c d")),
            ("\\??\\C:\\", Some("\\")),
            ("\\??\\C:", None),
            ("\\??\\C:a", None),
            ("\\??\\1:\\a", None),
            ("\\??\\C:\\a\\", None),
            ("\\??\\C:\\a\\\\b", None),
            ("\\??\\C:\\a\\..", None),
            ("\\??\\C:\\a:b", None),
            ("\\??\\C:\\PROGRA~1", None),
            ("\\??\\C:\\.wh.a", None),
            ("\\??\\C:\\$Mft", None),
            ("\\DosDevices\\C:\\a", None),
        ] {
            let found = plain(&w(name)).map(|(letter, rest)| {
                assert_eq!(letter, 67);
                String::from_utf16(rest).expect("UTF-16")
            });
            assert_eq!(found.as_deref(), rest, "{name}");
        }
    }

    #[test]
    fn other_names_are_no_paths() {
        let kind = |name: &str| match classify(&w(name), &w("HOST"), volume) {
            Target::Volume(letter) => std::format!("volume {letter}"),
            Target::Device(path) => String::from_utf16(path).expect("UTF-16"),
            Target::Other => "other".into(),
            target => std::format!("{target:?}"),
        };
        assert_eq!(kind("\\??\\C:"), "volume 67");
        assert_eq!(kind("\\Device\\HarddiskVolume3"), "volume 67");
        assert_eq!(kind("\\Device\\HarddiskVolume4\\x"), "\\HarddiskVolume4\\x");
        assert_eq!(kind("\\??\\PhysicalDrive0"), "\\PhysicalDrive0");
        assert_eq!(kind("\\??\\UNC\\far\\c$\\x"), "\\UNC\\far\\c$\\x");
        assert_eq!(kind("\\Device\\Afd\\Endpoint"), "\\Afd\\Endpoint");
        assert_eq!(kind("\\Windows"), "other");
    }

    proptest! {
        #[test]
        fn plain_names_need_no_more_looking_at(units in proptest::collection::vec(
            prop_oneof![Just(46_u16), Just(92), Just(58), Just(126), Just(36), 97_u16..100, any::<u16>()], 0..24)) {
            let name: Vec<u16> = w("\\??\\c:\\").into_iter().chain(units).collect();
            if let Some((letter, rest)) = plain(&name) {
                prop_assert_eq!(crate::pipe::classify(&name, &[]), None);
                prop_assert_eq!(classify(&name, &[], volume), Target::Drive(letter, rest));
                prop_assert!(!is_ill_formed(rest));
                let mut out = [0; 64];
                let (length, trailing) = normalise(letter, rest, false, &mut out).expect("fits");
                let path: Vec<u16> = std::iter::once(letter).chain(rest.iter().copied()).collect();
                let root = path.len() == 2;
                prop_assert_eq!(&out[..length], if root { &path[..1] } else { &path[..] });
                prop_assert!(!trailing && !may_be_short(&path) && !is_reserved(&path) && !is_of_ntfs(&path));
            }
        }

        #[test]
        fn garbage_never_panics(name in proptest::collection::vec(any::<u16>(), 0..100)) {
            let _ = classify(&name, &[], volume);
        }
    }
}
