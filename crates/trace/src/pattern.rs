//! What a person writes to choose names: a text that is somewhere in them, or, with a
//! `*` or `?` in it, a pattern of the whole name. Upper and lower case are the same.

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    is_whole: bool,
}

impl Pattern {
    /// The pattern of this text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self {
            text: text.to_lowercase(),
            is_whole: text.contains(['*', '?']),
        }
    }

    /// Whether it has the name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        if name.is_ascii() && self.text.is_ascii() {
            let (pattern, name) = (self.text.as_bytes(), name.as_bytes());
            return if self.is_whole {
                matches(pattern, name, |byte| byte.to_ascii_lowercase())
            } else {
                contains(name, pattern)
            };
        }
        let name = name.to_lowercase();
        if !self.is_whole {
            return name.contains(&self.text);
        }
        let pattern: Vec<u32> = self.text.chars().map(u32::from).collect();
        let name: Vec<u32> = name.chars().map(u32::from).collect();
        matches(&pattern, &name, |unit| unit)
    }
}

/// Whether `part`, in lower case, is in `name`.
fn contains(name: &[u8], part: &[u8]) -> bool {
    let Some((first, rest)) = part.split_first() else {
        return true;
    };
    let (low, high) = (*first, first.to_ascii_uppercase());
    let last = name.len().saturating_sub(rest.len());
    let begins = name.iter().take(last).enumerate();
    begins
        .filter(|(_, byte)| **byte == low || **byte == high)
        .any(|(at, _)| name[at + 1..at + part.len()].eq_ignore_ascii_case(rest))
}

/// Whether the pattern has the whole name: `*` is any units, `?` is one.
fn matches<T: Copy + PartialEq + From<u8>>(
    pattern: &[T],
    name: &[T],
    fold: impl Fn(T) -> T,
) -> bool {
    let (star, any) = (T::from(b'*'), T::from(b'?'));
    let (mut at, mut of) = (0, 0);
    let mut again = None;
    while at < name.len() {
        match pattern.get(of) {
            Some(&unit) if unit == star => {
                again = Some((of + 1, at));
                of += 1;
            }
            Some(&unit) if unit == any || unit == fold(name[at]) => {
                at += 1;
                of += 1;
            }
            _ => match again {
                Some((behind, from)) => {
                    again = Some((behind, from + 1));
                    (of, at) = (behind, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[of..].iter().all(|&unit| unit == star)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_and_patterns() {
        for (pattern, name, has) in [
            ("App", r"\BaseNamedObjects\myapp", true),
            ("app*", r"\x\app", false),
            ("*app*", r"\x\APPLE", true),
            ("a?p", "ABP", true),
            ("a?p", "ap", false),
            ("", "x", true),
            ("*", "", true),
            ("ä", "XÄX", true),
            ("*ä?", "xÄx", true),
            ("abc", "ab", false),
            ("*\\a*b", r"\a\ab\aab", true),
        ] {
            assert_eq!(Pattern::new(pattern).has(name), has, "{pattern} {name}");
        }
    }

    proptest! {
        #[test]
        fn both_ways_agree(text in "[aB*?]{0,8}", name in "[Ab]{0,12}") {
            let unicode = format!("ä{name}");
            let pattern = Pattern::new(&text);
            let wide = Pattern { text: format!("ä{}", pattern.text), ..pattern.clone() };
            if pattern.is_whole {
                prop_assert_eq!(pattern.has(&name), wide.has(&unicode));
            } else {
                prop_assert_eq!(pattern.has(&name), name.to_lowercase().contains(&text.to_lowercase()));
            }
        }
    }
}
