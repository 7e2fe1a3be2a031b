//! Paths as the layers keep them, `C\a\b`: how they are made of what follows a
//! drive, and their parts.

use crate::TooLong;
use crate::units::{SEPARATOR, equals, join};

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

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn w(s: &str) -> Vec<u16> {
        s.encode_utf16().collect()
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
    fn prefixes() {
        let path = w("C\\a\\b");
        assert_eq!(depth(&path), 3);
        assert_eq!(prefix(&path, 0), w(""));
        assert_eq!(prefix(&path, 1), w("C"));
        assert_eq!(prefix(&path, 2), w("C\\a"));
        assert_eq!(prefix(&path, 3), path);
    }

    proptest! {
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
    }
}
