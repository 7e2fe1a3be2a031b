//! Comparing and joining UTF-16 names.

use crate::TooLong;

/// The backslash that separates the parts of an NT name.
pub const SEPARATOR: u16 = b'\\' as u16;

/// Folds one unit to upper case for the letters that NT's fixed names use
/// (ASCII). Names of Pinion's own places are ASCII, so this suffices to
/// recognise a prefix; whole names are compared by NT itself.
#[must_use]
pub const fn fold(unit: u16) -> u16 {
    if unit >= b'a' as u16 && unit <= b'z' as u16 {
        unit - 32
    } else {
        unit
    }
}

/// Whether `name` equals the ASCII string `ascii`, ignoring case.
#[must_use]
pub fn equals(name: &[u16], ascii: &str) -> bool {
    name.len() == ascii.len() && starts(name, ascii).is_some()
}

/// What follows the ASCII prefix `ascii` in `name`, ignoring case.
#[must_use]
pub fn starts<'n>(name: &'n [u16], ascii: &str) -> Option<&'n [u16]> {
    let (head, rest) = name.split_at_checked(ascii.len())?;
    head.iter()
        .zip(ascii.bytes())
        .all(|(&unit, byte)| fold(unit) == fold(u16::from(byte)))
        .then_some(rest)
}

/// What follows the directory `prefix` in `name`: empty, or beginning with a
/// backslash. `prefix` is compared ignoring ASCII case.
#[must_use]
pub fn below<'n>(name: &'n [u16], prefix: &[u16]) -> Option<&'n [u16]> {
    let (head, rest) = name.split_at_checked(prefix.len())?;
    let same = head.iter().zip(prefix).all(|(&a, &b)| fold(a) == fold(b));
    (same && (rest.is_empty() || rest.first() == Some(&SEPARATOR))).then_some(rest)
}

/// Splits the first part off a name that begins with a backslash:
/// `\a\b` gives `a` and `\b`.
#[must_use]
pub fn first_part(name: &[u16]) -> Option<(&[u16], &[u16])> {
    let (&separator, rest) = name.split_first()?;
    if separator != SEPARATOR {
        return None;
    }
    let end = rest.iter().position(|&unit| unit == SEPARATOR);
    Some(rest.split_at(end.unwrap_or(rest.len())))
}

/// Writes `parts` one after another into `out` and gives the length in units.
///
/// # Errors
/// [`TooLong`] when `out` or an NT string cannot hold the result.
pub fn join(parts: &[&[u16]], out: &mut [u16]) -> Result<usize, TooLong> {
    let mut length = 0_usize;
    for part in parts {
        let end = length.checked_add(part.len()).ok_or(TooLong)?;
        out.get_mut(length..end)
            .ok_or(TooLong)?
            .copy_from_slice(part);
        length = end;
    }
    if length > crate::LONGEST {
        return Err(TooLong);
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    fn w(s: &str) -> Vec<u16> {
        s.encode_utf16().collect()
    }

    #[test]
    fn prefixes_end_at_a_separator() {
        assert_eq!(below(&w("\\a\\b"), &w("\\A")), Some(&w("\\b")[..]));
        assert_eq!(below(&w("\\ab"), &w("\\a")), None);
        assert_eq!(below(&w("\\a"), &w("\\a")), Some(&[][..]));
    }

    #[test]
    fn first_parts() {
        assert_eq!(
            first_part(&w("\\a\\b\\c")),
            Some((&w("a")[..], &w("\\b\\c")[..]))
        );
        assert_eq!(first_part(&w("\\")), Some((&[][..], &[][..])));
        assert_eq!(first_part(&w("a")), None);
    }
}
