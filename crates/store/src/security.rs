//! Lists of rights (DACL) of files and keys: read, compared, set, and as text.
//!
//! The text is SDDL (MS-DTYP 2.5.1), which `icacls` and PowerShell know.

#[cfg(windows)]
mod system;

#[cfg(windows)]
pub(crate) use system::{Owner, Security, error, usual};

/// The longest text: an `ACL` has at most 64 KiB.
const LONGEST: usize = 1 << 18;

/// Whether `text` may be the list of rights of an archive: nothing but a list, in the letters of SDDL.
pub(crate) fn is_plain(text: &str) -> bool {
    text.len() <= LONGEST
        && text.starts_with("D:")
        && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
        // An owner, a group or an audit would begin so.
        && !["O:", "G:", "S:"].iter().any(|part| outside(text).contains(part))
}

/// `text` without what is between its brackets.
fn outside(text: &str) -> String {
    let mut depth = 0_usize;
    let mut kept = String::new();
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            c if depth == 0 => kept.push(c),
            _ => (),
        }
    }
    kept
}

/// `text` with the user `to` in the place of `from`, both SIDs; other SIDs stay.
pub(crate) fn adopted(text: &str, from: &str, to: &str) -> String {
    if from.is_empty() {
        return text.to_owned();
    }
    let mut all = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(from) {
        let (before, found) = rest.split_at(at);
        let after = &found[from.len()..];
        let whole = !after.starts_with(|c: char| c.is_ascii_digit() || c == '-')
            && !before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '-');
        all += before;
        all += if whole { to } else { from };
        rest = after;
    }
    all + rest
}

/// The list `text` without the entries that were handed down to it (`ID` among an entry's flags).
#[cfg_attr(
    not(any(windows, test)),
    expect(dead_code, reason = "only Windows hands down")
)]
pub(crate) fn own_part(text: &str) -> String {
    let mut all = String::new();
    let mut rest = text;
    while let Some((before, entry)) = rest.split_once('(') {
        all += before;
        let (mut depth, mut end) = (1_usize, entry.len());
        for (at, c) in entry.char_indices() {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => (),
            }
            if depth == 0 {
                end = at;
                break;
            }
        }
        let (entry, after) = entry.split_at(end);
        let flags = entry.split(';').nth(1).unwrap_or_default().as_bytes();
        if !flags.chunks(2).any(|flag| flag == b"ID") {
            all += &format!("({entry})");
        }
        rest = after.strip_prefix(')').unwrap_or(after);
    }
    all + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_list_alone_is_plain() {
        assert!(is_plain(
            "D:PAI(A;OICI;FA;;;SY)(A;;0x1200a9;;;S-1-5-21-1-2-3)"
        ));
        assert!(is_plain("D:"));
        for text in [
            "",
            "O:BAD:(A;;FA;;;SY)",
            "D:(A;;FA;;;SY)S:(AU;;FA;;;SY)",
            "D:(A;;FA;;;SY)\0",
            "D:O:BA",
        ] {
            assert!(!is_plain(text), "{text}");
        }
    }

    #[test]
    fn what_was_handed_down_is_left_out() {
        let text = "D:AI(A;;FA;;;BA)(A;OICIID;FA;;;SY)(XA;ID;FA;;;WD;(@User.x==(1)))(A;OI;FR;;;WD)";
        assert_eq!(own_part(text), "D:AI(A;;FA;;;BA)(A;OI;FR;;;WD)");
        assert_eq!(own_part("D:P(A;;FA;;;BA)"), "D:P(A;;FA;;;BA)");
        assert_eq!(own_part("D:"), "D:");
    }

    #[test]
    fn the_user_is_exchanged_and_nobody_else() {
        let text = "D:(A;;FA;;;S-1-5-21-7)(A;;FA;;;S-1-5-21-71)(A;;FA;;;S-1-5-21-7-1)";
        let expected = "D:(A;;FA;;;S-1-9)(A;;FA;;;S-1-5-21-71)(A;;FA;;;S-1-5-21-7-1)";
        assert_eq!(adopted(text, "S-1-5-21-7", "S-1-9"), expected);
        assert_eq!(adopted(text, "", "S-1-9"), text);
    }

    proptest! {
        #[test]
        fn odd_texts_do_no_harm(text in "\\PC{0,40}", from in "[S1-]{0,3}") {
            let _ = (is_plain(&text), own_part(&text));
            prop_assert_eq!(adopted(&text, &from, &from), text);
        }
    }
}
