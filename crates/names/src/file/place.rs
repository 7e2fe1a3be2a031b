//! Where the layers keep a path, and which paths are none of theirs.

use super::is_letter;
use super::path::split_last;
use crate::TooLong;
use crate::units::{SEPARATOR, below, equals, first_part, fold, join};

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
    fn whiteouts_and_the_hosts_names() {
        let path = w("C\\a\\b");
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
    }
}
