//! Whether one pattern has all the names that another has.

use std::collections::HashSet;

use crate::fold;

const STAR: u16 = b'*' as u16;
const QUESTION: u16 = b'?' as u16;

/// How many states are looked at before it is given up: then the answer is no. Only
/// patterns with many wildcards come so far.
const MOST: usize = 20_000;

/// Which places of a pattern may have been come to.
type Set = Vec<bool>;

/// Whether every name that `small` matches is matched by `large`. Right as long as
/// both are not made of wildcards mainly, where it may say no for yes.
pub(crate) fn covers(large: &[u16], small: &[u16]) -> bool {
    let large: Vec<u16> = large.iter().map(|&unit| fold(unit)).collect();
    let small: Vec<u16> = small.iter().map(|&unit| fold(unit)).collect();
    // One unit that is in neither stands for all of them.
    let other = (0..).find(|unit| {
        !large.contains(unit) && !small.contains(unit) && ![STAR, QUESTION].contains(unit)
    });
    let is_literal = |unit: &u16| ![STAR, QUESTION].contains(unit);
    let mut alphabet: Vec<u16> = large.iter().copied().filter(is_literal).collect();
    alphabet.extend(other);
    alphabet.sort_unstable();
    alphabet.dedup();

    let mut seen = HashSet::new();
    let mut todo = vec![(0, closed(&large, vec![0]))];
    while let Some((at, set)) = todo.pop() {
        if !seen.insert((at, set.clone())) {
            continue;
        }
        if seen.len() > MOST {
            return false;
        }
        let step = |unit: u16| stepped(&large, &set, unit);
        match small.get(at) {
            None if set.last() != Some(&true) => return false,
            None => {}
            Some(&STAR) => {
                todo.extend(alphabet.iter().map(|&unit| (at, step(unit))));
                todo.push((at + 1, set.clone()));
            }
            Some(&QUESTION) => todo.extend(alphabet.iter().map(|&unit| (at + 1, step(unit)))),
            Some(&unit) => todo.push((at + 1, step(unit))),
        }
    }
    true
}

/// The places come to from those of `set` by one unit.
fn stepped(pattern: &[u16], set: &Set, unit: u16) -> Set {
    let mut next = Vec::new();
    for (at, own) in pattern.iter().enumerate().filter(|(at, _)| set[*at]) {
        match *own {
            STAR => next.push(at),
            own if own == QUESTION || own == unit => next.push(at + 1),
            _ => {}
        }
    }
    closed(pattern, next)
}

/// The places `places` and those after stars, which may stand for nothing.
fn closed(pattern: &[u16], places: Vec<usize>) -> Set {
    let mut set = vec![false; pattern.len() + 1];
    for at in places {
        set[at] = true;
    }
    for (at, &unit) in pattern.iter().enumerate() {
        if set[at] && unit == STAR {
            set[at + 1] = true;
        }
    }
    set
}

#[cfg(test)]
mod tests {
    use super::covers;
    use crate::fold;
    use pinion_policy::rules::pattern::matches;
    use proptest::prelude::*;

    fn w(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    /// All names of up to five units of `a`, `b` and one that is in no pattern.
    fn names() -> Vec<Vec<u16>> {
        let mut all = vec![Vec::new()];
        let mut last = all.clone();
        for _ in 0..5 {
            let longer = last.iter().flat_map(|name| {
                w("abz")
                    .into_iter()
                    .map(move |unit| [&name[..], &[unit]].concat())
            });
            last = longer.collect();
            all.extend(last.iter().cloned());
        }
        all
    }

    #[test]
    fn patterns_as_people_write_them() {
        for (large, small, expected) in [
            ("*", "a", true),
            ("*", "", true),
            ("My*", "MYSERVER*", true),
            ("MyServer*", "My*", false),
            ("a*b", "a*x*b", true),
            ("a*x*b", "a*b", false),
            ("?*", "*?", true),
            ("?*", "*", false),
            ("a?", "ab", true),
            ("a?", "a*", false),
            ("Größe", "GRÖßE", true),
        ] {
            assert_eq!(covers(&w(large), &w(small)), expected, "{large} {small}");
        }
    }

    #[test]
    fn patterns_of_many_wildcards_end() {
        let large = format!("*a{}", "?".repeat(200));
        let small = format!("*{}b", "a".repeat(40));
        assert!(!covers(&w(&large), &w(&small)));
    }

    proptest! {
        #[test]
        fn all_names_of_the_one_are_names_of_the_other(large in "[aAb*?]{0,4}", small in "[abB*?]{0,4}") {
            let (large, small) = (w(&large), w(&small));
            let counted = names()
                .iter()
                .filter(|name| matches(&small, name, fold))
                .all(|name| matches(&large, name, fold));
            prop_assert_eq!(covers(&large, &small), counted);
        }
    }
}
