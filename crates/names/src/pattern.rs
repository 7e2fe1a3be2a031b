//! Patterns of directory listings, which the file systems match: `*` and `?`,
//! and the DOS forms `<`, `>` and `"` (`FsRtlIsNameInExpression`).

const STAR: u16 = b'*' as u16;
const QUESTION: u16 = b'?' as u16;
const DOS_STAR: u16 = b'<' as u16;
const DOS_QUESTION: u16 = b'>' as u16;
const DOS_DOT: u16 = b'"' as u16;

/// Whether `pattern` has no special unit, so that it matches one name only.
#[must_use]
pub fn is_plain(pattern: &[u16]) -> bool {
    !pattern
        .iter()
        .any(|u| [STAR, QUESTION, DOS_STAR, DOS_QUESTION, DOS_DOT].contains(u))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::is_plain;
    use std::vec::Vec;

    #[test]
    fn plain_and_wild() {
        for (pattern, plain) in [
            ("", true),
            ("a.txt", true),
            ("*", false),
            ("a?", false),
            ("<.txt", false),
            (">>", false),
            ("a\"", false),
        ] {
            let units: Vec<u16> = pattern.encode_utf16().collect();
            assert_eq!(is_plain(&units), plain, "{pattern}");
        }
    }
}
