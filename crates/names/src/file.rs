//! Names of files: every absolute way to name one, and the paths they mean.
//!
//! All ways lead to a [`Target`]: a path on a drive, a volume as a whole, or
//! another device. A path on a drive is written as the layers keep it: the
//! drive's letter and the names below it, as `C\a\b`.

use crate::TooLong;
use crate::pipe::{dos_device, unroot};
use crate::units::{SEPARATOR, below, equals, first_part, fold, join};

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

/// Writes the path of `below` (which begins with a separator) on the drive
/// `letter` as the layers keep it; gives its length and whether a trailing
/// backslash was cut. `.` and empty parts vanish; `..` takes the part before
/// it away and stops at the drive, so no name leads out. `/` separates when
/// `slashes` says so (Unix paths).
///
/// # Errors
/// [`TooLong`] when it does not fit `out`.
pub fn normalise(
    letter: u16,
    below: &[u16],
    slashes: bool,
    out: &mut [u16],
) -> Result<(usize, bool), TooLong> {
    let is_separator = |unit: u16| unit == SEPARATOR || slashes && unit == u16::from(b'/');
    let mut length = join(&[&[letter]], out)?;
    for part in below.split(|&unit| is_separator(unit)) {
        if part.is_empty() || equals(part, ".") {
            continue;
        }
        if equals(part, "..") {
            let kept = out.get(..length).unwrap_or(&[]);
            length = kept
                .iter()
                .rposition(|&unit| unit == SEPARATOR)
                .unwrap_or(1);
            continue;
        }
        let rest = out.get_mut(length..).ok_or(TooLong)?;
        length += join(&[&[SEPARATOR], part], rest)?;
    }
    let trailing = below.last().is_some_and(|&unit| is_separator(unit)) && length > 1;
    Ok((length, trailing))
}

/// Whether some part of `below` (which begins with a backslash) is `.`, `..` or
/// empty, which NT's file systems refuse (observed on Wine 8 and Wine 10 too):
/// Win32 takes them away before. A second backslash at the beginning and one at
/// the end are let pass, as they do.
#[must_use]
pub fn is_ill_formed(below: &[u16]) -> bool {
    let below = below.get(1..).unwrap_or(&[]);
    let below = match below.split_first() {
        Some((&SEPARATOR, rest)) => rest,
        _ => below,
    };
    let below = below.strip_suffix(&[SEPARATOR]).unwrap_or(below);
    !below.is_empty()
        && below
            .split(|&unit| unit == SEPARATOR)
            .any(|part| part.is_empty() || equals(part, ".") || equals(part, ".."))
}

/// The layer path that `path` has on the drive whose root it lies under, where
/// Wine shows the drives' own files a second time: `prefix` is the layer path
/// of Wine's folder, which holds `drive_c` and, with links to the drives'
/// roots, `dosdevices`. Gives the drive's letter and what follows its root.
#[must_use]
pub fn on_own_drive<'n>(prefix: &[u16], path: &'n [u16]) -> Option<(u16, &'n [u16])> {
    if prefix.is_empty() {
        return None;
    }
    let (first, rest) = first_part(below(path, prefix)?)?;
    if equals(first, "drive_c") {
        return Some((u16::from(b'C'), rest));
    }
    let (drive, rest) = first_part(rest).filter(|_| equals(first, "dosdevices"))?;
    match drive {
        &[letter, colon] if colon == u16::from(b':') && is_letter(letter) => {
            Some((fold(letter), rest))
        }
        _ => None,
    }
}

/// Whether some part of the layer path `path` can be a short name (8.3), which
/// every file system makes with a tilde.
#[must_use]
pub fn may_be_short(path: &[u16]) -> bool {
    path.contains(&u16::from(b'~'))
}

/// Whether `part` is of the shape of a short name: at most eight units, with a
/// tilde before the end, and at most three behind one dot.
#[must_use]
pub fn is_short(part: &[u16]) -> bool {
    const DOT: u16 = b'.' as u16;
    let dot = part.iter().position(|&unit| unit == DOT);
    let (base, extension) = part.split_at(dot.unwrap_or(part.len()));
    let extension = extension.get(1..).unwrap_or(&[]);
    may_be_short(base.split_last().map_or(&[], |(_, front)| front))
        && (1..=8).contains(&base.len())
        && extension.len() <= 3
        && !extension.contains(&DOT)
}

/// How many names the layer path `path` has, the drive's letter included.
#[must_use]
pub fn depth(path: &[u16]) -> usize {
    path.iter().filter(|&&unit| unit == SEPARATOR).count() + 1
}

/// The first `depth` names of the layer path `path`.
#[must_use]
pub fn prefix(path: &[u16], depth: usize) -> &[u16] {
    if depth == 0 {
        return &[];
    }
    let end = path
        .iter()
        .enumerate()
        .filter(|(_, unit)| **unit == SEPARATOR)
        .nth(depth - 1);
    path.get(..end.map_or(path.len(), |(at, _)| at))
        .unwrap_or(path)
}

/// Splits the layer path `path` into what stands before its last name, and
/// that name.
#[must_use]
pub fn split_last(path: &[u16]) -> (&[u16], &[u16]) {
    match path.iter().rposition(|&unit| unit == SEPARATOR) {
        None => (&[], path),
        Some(at) => (
            path.get(..at).unwrap_or(&[]),
            path.get(at + 1..).unwrap_or(&[]),
        ),
    }
}

/// What a whiteout's name begins with, as the OCI image specification has it.
/// No program's own name may begin so.
pub const WHITEOUT: &str = ".wh.";

/// Whether some part of the layer path `path` is a name that the layers keep
/// for themselves.
#[must_use]
pub fn is_reserved(path: &[u16]) -> bool {
    path.split(|&unit| unit == SEPARATOR)
        .any(|part| crate::units::starts(part, WHITEOUT).is_some())
}

/// Whether the layer path `path` names what NTFS itself keeps in a volume's root
/// directory (MS-FSCC 2.1.9 has the list), or the raw data of a directory's
/// index or of a volume's.
#[must_use]
pub fn is_of_ntfs(path: &[u16]) -> bool {
    const FILES: [&str; 12] = [
        "$Mft", "$MftMirr", "$LogFile", "$Volume", "$AttrDef", "$Bitmap", "$Boot", "$BadClus",
        "$Secure", "$UpCase", "$Extend", "$Quota",
    ];
    let Some((first, _)) = path.get(1..).and_then(first_part) else {
        return false;
    };
    let end = first.iter().position(|&unit| unit == u16::from(b':'));
    let name = first.get(..end.unwrap_or(first.len())).unwrap_or(&[]);
    end == Some(0) || FILES.iter().any(|file| equals(name, file))
}

/// Writes the whiteout's path of the layer path `path`.
///
/// # Errors
/// [`TooLong`] when it does not fit.
pub fn whiteout(path: &[u16], out: &mut [u16]) -> Result<usize, TooLong> {
    let mut mark = [0; 4];
    for (place, byte) in mark.iter_mut().zip(WHITEOUT.bytes()) {
        *place = u16::from(byte);
    }
    match split_last(path) {
        ([], name) => join(&[&mark, name], out),
        (directory, name) => join(&[directory, &[SEPARATOR], &mark, name], out),
    }
}

/// Writes the host's NT name of the layer path `path`: `C\a` is `\??\C:\a`.
///
/// # Errors
/// [`TooLong`] when it does not fit.
pub fn host(path: &[u16], out: &mut [u16]) -> Result<usize, TooLong> {
    const DOS: &[u16] = &[SEPARATOR, b'?' as u16, b'?' as u16, SEPARATOR];
    const COLON: &[u16] = &[b':' as u16];
    let (letter, rest) = path.split_at_checked(1).unwrap_or((path, &[]));
    let rest = if rest.is_empty() { &[SEPARATOR] } else { rest };
    join(&[DOS, letter, COLON, rest], out)
}

/// Writes the NT name of the layer path `path` in the layer at `root`.
///
/// # Errors
/// [`TooLong`] when it does not fit.
pub fn layer(root: &[u16], path: &[u16], out: &mut [u16]) -> Result<usize, TooLong> {
    join(&[root, &[SEPARATOR], path], out)
}

/// The layer path that `path` stands for when it lies in the layer whose own
/// directory is the layer path `root`: `C\vms\a\upper\C\x` is `C\x`. Empty for
/// the layer's root.
#[must_use]
pub fn undo<'n>(root: &[u16], path: &'n [u16]) -> Option<&'n [u16]> {
    let rest = below(path, root)?;
    Some(rest.get(1..).unwrap_or(&[]))
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

    #[test]
    fn ill_formed_names() {
        for name in [
            "\\", "\\a", "\\a\\b\\", "\\\\a", "\\\\a\\", "\\...", "\\a.\\.b",
        ] {
            assert!(!is_ill_formed(&w(name)), "{name}");
        }
        for name in [
            "\\.",
            "\\a\\..",
            "\\a\\.\\b",
            "\\a\\\\b",
            "\\a\\\\",
            "\\\\\\a",
        ] {
            assert!(is_ill_formed(&w(name)), "{name}");
        }
    }

    #[test]
    fn paths_of_wines_folder_are_on_their_drives() {
        let prefix = w("Z\\home\\me\\.wine");
        let on = |path: &str| {
            on_own_drive(&prefix, &w(path)).map(|(letter, rest)| {
                let letter = char::from_u32(u32::from(letter)).expect("a letter");
                std::format!("{letter}{}", String::from_utf16(rest).expect("UTF-16"))
            })
        };
        for (path, drive) in [
            ("Z\\home\\me\\.wine\\drive_c", Some("C")),
            ("Z\\HOME\\me\\.wine\\Drive_C\\a\\b", Some("C\\a\\b")),
            ("Z\\home\\me\\.wine\\dosdevices\\d:\\x", Some("D\\x")),
            ("Z\\home\\me\\.wine\\dosdevices", None),
            ("Z\\home\\me\\.wine\\dosdevices\\c::", None),
            ("Z\\home\\me\\.wine\\drive_cc", None),
            ("Z\\home\\me\\.wine2\\drive_c", None),
        ] {
            assert_eq!(on(path).as_deref(), drive, "{path}");
        }
        assert_eq!(on_own_drive(&[], &w("\\drive_c")), None);
    }

    #[test]
    fn what_ntfs_keeps_for_itself() {
        for path in [
            "C\\$MFT",
            "C\\$Mft::$DATA",
            "D\\$Extend\\$UsnJrnl:$J",
            "C\\:$I30:$INDEX_ALLOCATION",
        ] {
            assert!(is_of_ntfs(&w(path)), "{path}");
        }
        for path in [
            "C",
            "C\\$Recycle.Bin\\x",
            "C\\a\\$Mft",
            "C\\$MftX",
            "C\\a:b",
        ] {
            assert!(!is_of_ntfs(&w(path)), "{path}");
        }
    }

    #[test]
    fn short_names() {
        for name in ["PROGRA~1", "A~1.TXT", "LONG~F30", "X~1."] {
            assert!(is_short(&w(name)), "{name}");
        }
        for name in [
            "notes~",
            "longer~name",
            "a.b~1",
            "a~1.b.c",
            "a~1.html",
            "plain",
            "",
        ] {
            assert!(!is_short(&w(name)), "{name}");
        }
    }

    #[test]
    fn prefixes_and_whiteouts() {
        let path = w("C\\a\\b");
        assert_eq!(depth(&path), 3);
        assert_eq!(prefix(&path, 0), w(""));
        assert_eq!(prefix(&path, 1), w("C"));
        assert_eq!(prefix(&path, 2), w("C\\a"));
        assert_eq!(prefix(&path, 3), path);
        let mut out = [0; 32];
        let length = whiteout(&path, &mut out).expect("fits");
        assert_eq!(&out[..length], w("C\\a\\.wh.b"));
        assert!(is_reserved(&out[..length]));
        assert!(!is_reserved(&path));
        let length = host(&w("C"), &mut out).expect("fits");
        assert_eq!(&out[..length], w("\\??\\C:\\"));
    }

    proptest! {
        #[test]
        fn undoing_gives_the_path(path in "[A-Z](\\\\[a-z .]{1,8}){0,4}") {
            let (root, path) = (w("C\\vms\\a\\upper"), w(&path));
            let mut out = [0; 128];
            let length = layer(&root, &path, &mut out).expect("fits");
            prop_assert_eq!(undo(&root, &out[..length]), Some(&path[..]));
        }

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
        fn nothing_normalises_out_of_its_drive(units in proptest::collection::vec(
            prop_oneof![Just(46_u16), Just(92), Just(47), any::<u16>()], 0..60), slashes in any::<bool>()) {
            let mut out = [0; 128];
            let (length, _) = normalise(67, &units, slashes, &mut out).expect("fits");
            let path = &out[..length];
            prop_assert_eq!(path[0], 67);
            prop_assert!(path.len() == 1 || path[1] == SEPARATOR);
            for part in path.split(|&u| u == SEPARATOR) {
                prop_assert!(!part.is_empty() && !equals(part, "..") && !equals(part, "."));
            }
        }

        #[test]
        fn garbage_never_panics(name in proptest::collection::vec(any::<u16>(), 0..100)) {
            let _ = classify(&name, &[], volume);
        }
    }
}
