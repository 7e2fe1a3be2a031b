//! Patterns of directory listings, as `FsRtlIsNameInExpression` matches them
//! (its documentation): `*` and `?`, and the DOS forms `<` (`*` up to the last
//! dot), `>` (`?` that may match nothing at a dot or the end) and `"` (a dot,
//! or the end).

const STAR: u16 = b'*' as u16;
const QUESTION: u16 = b'?' as u16;
const DOS_STAR: u16 = b'<' as u16;
const DOS_QUESTION: u16 = b'>' as u16;
const DOS_DOT: u16 = b'"' as u16;
const DOT: u16 = b'.' as u16;

/// Whether `pattern` has no special unit, so that it matches one name only.
#[must_use]
pub fn is_plain(pattern: &[u16]) -> bool {
    !pattern
        .iter()
        .any(|u| [STAR, QUESTION, DOS_STAR, DOS_QUESTION, DOS_DOT].contains(u))
}

/// Whether `name` matches `pattern`; units compare equal when `fold` gives the
/// same for both. At most (units of the name) times (units of the pattern)
/// steps.
#[must_use]
pub fn matches(pattern: &[u16], name: &[u16], fold: impl Fn(u16) -> u16 + Copy) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if step(pattern, name, &mut p, &mut n, &mut retry, fold) {
            if p == pattern.len() && n == name.len() {
                return true;
            }
            continue;
        }
        match retry.as_mut() {
            Some((star, from)) if *from < name.len() => {
                *from += 1;
                (p, n) = (*star + 1, *from);
                if p == pattern.len() && n == name.len() {
                    return true;
                }
            }
            _ => return false,
        }
    }
}

/// Matches one unit of the pattern at `p` against the name at `n`, and moves
/// both on; `false` when it does not match or the pattern is at its end.
fn step(
    pattern: &[u16],
    name: &[u16],
    p: &mut usize,
    n: &mut usize,
    retry: &mut Option<(usize, usize)>,
    fold: impl Fn(u16) -> u16,
) -> bool {
    let Some(&unit) = pattern.get(*p) else {
        return false;
    };
    let here = name.get(*n).copied();
    match (unit, here) {
        (STAR, _) => *retry = Some((*p, *n)),
        (DOS_STAR, _) => return dos_star(pattern, name, p, n, retry),
        (QUESTION, Some(_)) => *n += 1,
        (DOS_QUESTION, Some(unit)) if unit != DOT => *n += 1,
        (DOS_QUESTION | DOS_DOT, None) | (DOS_QUESTION, Some(_)) => {}
        (DOS_DOT, Some(DOT)) => *n += 1,
        (unit, Some(other)) if fold(unit) == fold(other) => *n += 1,
        _ => return false,
    }
    *p += 1;
    true
}

/// `<` takes all up to the last dot of the name, or to its end when what
/// follows it in the pattern matches there.
fn dos_star(
    pattern: &[u16],
    name: &[u16],
    p: &mut usize,
    n: &mut usize,
    retry: &mut Option<(usize, usize)>,
) -> bool {
    let rest = name.get(*n..).unwrap_or(&[]);
    let last_dot = rest.iter().rposition(|&unit| unit == DOT);
    let dot_follows = matches!(pattern.get(*p + 1), Some(&(DOT | DOS_DOT)));
    match (last_dot, dot_follows) {
        (Some(at), true) => {
            *n += at;
            *p += 1;
        }
        _ => {
            *retry = Some((*p, *n));
            *p += 1;
        }
    }
    true
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

    fn m(pattern: &str, name: &str) -> bool {
        matches(&w(pattern), &w(name), crate::units::fold)
    }

    #[test]
    fn plain_and_wild() {
        for (pattern, name) in [
            ("*", ""),
            ("*", "a"),
            ("a", "A"),
            ("?", "x"),
            ("a*c", "abbc"),
            ("*.txt", "a.b.TXT"),
            ("a*b*c", "aXbYbZc"),
            ("<.txt", "a.b.txt"),
            ("<\"", "readme"),
            ("<", "a.b"),
            ("a>>>", "ab"),
            (">>>\"txt", "ab.txt"),
            ("**", "abc"),
        ] {
            assert!(m(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("", "a"),
            ("a", ""),
            ("?", ""),
            ("a*c", "ab"),
            ("*.txt", "a.txt.b"),
            ("<.txt", "a.txt.b"),
            ("a>", "abc"),
            ("ab", "a"),
        ] {
            assert!(!m(pattern, name), "{pattern} {name}");
        }
    }

    proptest! {
        #[test]
        fn garbage_ends(pattern in "[a*?<>\".]{0,20}", name in "[ab.]{0,20}") {
            let _ = m(&pattern, &name);
        }

        #[test]
        fn a_name_matches_itself_and_the_star(name in "[a-z.]{1,20}") {
            prop_assert!(m(&name, &name));
            prop_assert!(m("*", &name));
        }
    }
}
