//! Patterns of names in rules: `*` stands for any units, none too, `?` for one;
//! all else for itself, in any case. Backslashes are units like others.

const STAR: u16 = b'*' as u16;
const QUESTION: u16 = b'?' as u16;

/// Whether `pattern` has the whole of `name`. `fold` upcases a unit as NT compares
/// names. Takes at most as many steps as the lengths multiplied, and no memory.
#[must_use]
pub fn matches(pattern: &[u16], name: &[u16], fold: impl Fn(u16) -> u16) -> bool {
    let (mut at, mut from) = (0, 0);
    // Where the last star is, and how far it reaches in the name.
    let mut star: Option<(usize, usize)> = None;
    while let Some(&unit) = name.get(from) {
        match pattern.get(at) {
            Some(&STAR) => {
                star = Some((at, from));
                at += 1;
            }
            Some(&own) if own == QUESTION || own == unit || fold(own) == fold(unit) => {
                at += 1;
                from += 1;
            }
            _ => match star.as_mut() {
                Some((place, reach)) => {
                    *reach += 1;
                    (at, from) = (*place + 1, *reach);
                }
                None => return false,
            },
        }
    }
    let rest = pattern.get(at..).unwrap_or(&[]);
    rest.iter().all(|&unit| unit == STAR)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::{QUESTION, STAR, matches};
    use pinion_names::units::fold;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn w(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    /// What the pattern language means, said the slow way.
    fn meaning(pattern: &[u16], name: &[u16]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, None) => true,
            (None, Some(_)) => false,
            (Some((&STAR, rest)), None) => meaning(rest, name),
            (Some((&STAR, rest)), Some((_, shorter))) => {
                meaning(rest, name) || meaning(pattern, shorter)
            }
            (Some(_), None) => false,
            (Some((&own, rest)), Some((&unit, shorter))) => {
                (own == QUESTION || fold(own) == fold(unit)) && meaning(rest, shorter)
            }
        }
    }

    #[test]
    fn patterns_as_people_write_them() {
        for (pattern, name, expected) in [
            ("MyServer*", "myserver-1", true),
            ("MyServer*", "MyServer", true),
            ("MyServer*", "NotMyServer", false),
            ("*", "", true),
            ("*", "a\\b", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*.x", "a.x.y.X", true),
            ("a*b*c", "aXbXbc", true),
            ("a*b*c", "aXbXb", false),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(
                matches(&w(pattern), &w(name), fold),
                expected,
                "{pattern} {name}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_pattern_has_the_names_that_it_means(pattern in "[aAb*?]{0,8}", name in "[aAbB]{0,8}") {
            let (pattern, name) = (w(&pattern), w(&name));
            prop_assert_eq!(matches(&pattern, &name, fold), meaning(&pattern, &name));
        }

        #[test]
        fn garbage_never_panics(
            pattern in proptest::collection::vec(any::<u16>(), 0..40),
            name in proptest::collection::vec(any::<u16>(), 0..80),
        ) {
            let _ = matches(&pattern, &name, fold);
        }
    }
}
