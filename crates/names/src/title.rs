//! Titles of windows that carry the VM's mark.
//!
//! On the user's desktop the mark goes before a title, so that the user sees whose
//! a window is; the program that gave the title is told it without.

/// The marked title in `out`; `None` where there is no room for it. An empty title
/// stays empty: a window without one shows none.
#[must_use]
pub fn mark<'o, U: Copy + PartialEq>(mark: &[U], title: &[U], out: &'o mut [U]) -> Option<&'o [U]> {
    let mark = if title.is_empty() || title.starts_with(mark) {
        &[]
    } else {
        mark
    };
    let length = mark.len() + title.len();
    let place = out.get_mut(..length)?;
    let (head, tail) = place.split_at_mut(mark.len());
    head.copy_from_slice(mark);
    tail.copy_from_slice(title);
    Some(place)
}

/// The title without the mark, if it has one.
#[must_use]
pub fn unmark<'t, U: PartialEq>(mark: &[U], title: &'t [U]) -> &'t [U] {
    title.strip_prefix(mark).unwrap_or(title)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn units(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn a_title_is_marked_once() {
        let (sign, mut out) = (units("[web] "), [0; 32]);
        let once = mark(&sign, &units("Notes"), &mut out).unwrap().to_vec();
        assert_eq!(once, units("[web] Notes"));
        assert_eq!(mark(&sign, &once, &mut out), Some(&*once));
        assert_eq!(mark(&sign, &[], &mut out), Some(&[][..]));
        assert_eq!(mark(&sign, &units(&"x".repeat(27)), &mut out), None);
    }

    proptest! {
        #[test]
        fn what_was_marked_is_told_as_it_was_given(
            sign in "[a-z]{0,6}",
            title in ".{1,40}",
        ) {
            let (sign, title) = (units(&sign), units(&title));
            prop_assume!(!title.starts_with(&sign) || sign.is_empty());
            let mut out = [0; 128];
            let marked = mark(&sign, &title, &mut out).unwrap();
            prop_assert_eq!(unmark(&sign, marked), &title);
        }
    }
}
