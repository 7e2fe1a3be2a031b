//! Owns the pass list: the short list of places outside a machine that a confined process may touch, each with its reason.
//! Everything else is a leak. A line that never matched is reported, so that the list cannot outlive its reasons.

use serde::Deserialize;
use std::path::Path;

const ACCESSES: [&str; 7] = [
    "open", "create", "maximum", "write", "delete", "read", "any",
];

/// Whose accesses a line lets pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// A confined process that reaches out of its machine.
    #[default]
    Member,
    /// A process of the host that reaches into a machine.
    Host,
}

/// One line of the list.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Kind of object, exact.
    pub kind: String,
    /// Resolved name: exact, or with `*` (any characters) and `?` (one character). Case does not matter.
    pub name: String,
    /// `open`, `create`, `maximum`, `write`, `delete`, `read`, several of them with `|` between, or `any`.
    pub access: String,
    /// Why this is no leak.
    pub reason: String,
    /// File name of the program, same patterns; any if absent.
    #[serde(default)]
    pub process: Option<String>,
    /// Who does it.
    #[serde(default)]
    pub by: By,
    /// Only for Wines whose version begins with this; any if absent.
    #[serde(default)]
    pub wine: Option<String>,
}

/// Why a pass list cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PassError {
    /// It cannot be read.
    #[error("cannot read the pass list {path}: {source}; name the file with --pass")]
    Read {
        /// The file.
        path: String,
        /// The cause.
        source: std::io::Error,
    },
    /// It is no list of rules.
    #[error(
        "the pass list {path} is damaged: {source}; see the head of tools/audit/pass.toml for its form"
    )]
    Parse {
        /// The file.
        path: String,
        /// The cause.
        source: Box<toml::de::Error>,
    },
    /// A rule has an access that never happens, or no reason.
    #[error(
        "the pass list {path}: the line for {name} has {what}; every line needs a known access and a reason"
    )]
    Rule {
        /// The file.
        path: String,
        /// The name in the line.
        name: String,
        /// What is wrong with it.
        what: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    pass: Vec<Rule>,
}

/// The rules in force for one Wine.
#[derive(Debug, Clone, Default)]
pub struct PassList {
    rules: Vec<Rule>,
}

impl PassList {
    /// Reads the list and keeps the rules for `wine`, a version like `8.0` or `10.0`.
    ///
    /// # Errors
    /// The file cannot be read, is no list, or a rule is not complete.
    pub fn read(path: &Path, wine: &str) -> Result<Self, PassError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| PassError::Read {
            path: shown.clone(),
            source,
        })?;
        Self::parse(&text, &shown, wine)
    }

    /// The same from text; `path` is for messages only.
    ///
    /// # Errors
    /// The text is no list, or a rule is not complete.
    pub fn parse(text: &str, path: &str, wine: &str) -> Result<Self, PassError> {
        let path = path.to_string();
        let file: File = toml::from_str(text).map_err(|source| PassError::Parse {
            path: path.clone(),
            source: Box::new(source),
        })?;
        for rule in &file.pass {
            let known = rule
                .access
                .split('|')
                .all(|access| ACCESSES.contains(&access));
            let what = match (known, rule.reason.trim().is_empty()) {
                (false, _) => format!("the unknown access '{}'", rule.access),
                (_, true) => "no reason".to_string(),
                _ => continue,
            };
            return Err(PassError::Rule {
                path,
                name: rule.name.clone(),
                what,
            });
        }
        let of_this_wine = |rule: &Rule| {
            rule.wine
                .as_ref()
                .is_none_or(|version| wine.starts_with(version.as_str()))
        };
        Ok(PassList {
            rules: file.pass.into_iter().filter(of_this_wine).collect(),
        })
    }

    /// The first rule that lets an access pass, by its number. `process` is a program's file name.
    pub fn find(
        &self,
        by: By,
        kind: &str,
        name: &str,
        access: &str,
        process: &str,
    ) -> Option<usize> {
        self.rules.iter().position(|rule| {
            rule.by == by
                && rule.kind == kind
                && (rule.access == "any" || rule.access.split('|').any(|word| word == access))
                && rule
                    .process
                    .as_ref()
                    .is_none_or(|pattern| matches(pattern, process))
                && matches(&rule.name, name)
        })
    }

    /// All rules in force, in the order of their numbers.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }
}

/// Does `text` match `pattern`, in which `*` is any characters, backslashes included, and `?` is one? Case does not matter.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().flat_map(char::to_uppercase).collect();
    let text: Vec<char> = text.chars().flat_map(char::to_uppercase).collect();
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((star_p, star_t)) => {
                    star = Some((star_p, star_t + 1));
                    p = star_p + 1;
                    t = star_t + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIST: &str = r#"
        [[pass]]
        kind = "section"
        name = '\NLS\*'
        access = "open"
        reason = "r"
        [[pass]]
        kind = "pipe"
        name = '*'
        access = "any"
        reason = "r"
        process = "a*.exe"
        by = "host"
        wine = "8"
    "#;

    #[test]
    fn rules_match_by_all_that_they_say() {
        let list = PassList::parse(LIST, "x", "8.0").expect("a good list");
        assert_eq!(
            list.find(By::Member, "section", r"\NLS\NlsSection", "open", "x.exe"),
            Some(0)
        );
        assert_eq!(
            list.find(By::Member, "section", r"\NLS\NlsSection", "create", "x.exe"),
            None
        );
        assert_eq!(
            list.find(By::Member, "section", r"\NLSX", "open", "x.exe"),
            None
        );
        assert_eq!(
            list.find(By::Host, "pipe", "p", "create", "abc.exe"),
            Some(1)
        );
        assert_eq!(
            list.find(By::Member, "pipe", "p", "create", "abc.exe"),
            None
        );
        assert_eq!(
            PassList::parse(LIST, "x", "10.0")
                .expect("a good list")
                .rules()
                .len(),
            1
        );
    }

    #[test]
    fn rules_without_reason_or_with_unknown_words_are_refused() {
        for bad in [
            "[[pass]]\nkind='a'\nname='b'\naccess='open'\nreason=' '",
            "[[pass]]\nkind='a'\nname='b'\naccess='opn'\nreason='r'",
            "[[pass]]\nkind='a'\nname='b'\naccess='open'\nreason='r'\nproces='x'",
            "[[pass]]\nkind='a'",
        ] {
            assert!(PassList::parse(bad, "x", "8.0").is_err(), "{bad}");
        }
    }

    #[test]
    fn patterns() {
        assert!(matches(r"\a*c\?", r"\A\b\C\d"));
        assert!(!matches(r"\a*c", r"\abcd"));
        assert!(matches("*", ""));
    }

    proptest! {
        #[test]
        fn a_text_matches_itself_and_stars_around_its_middle(head in "[a-c\\\\]{0,6}", tail in "[a-c\\\\]{0,6}", more in "[a-c]{0,6}") {
            let text = format!("{head}{more}{tail}");
            let pattern = format!("{head}*{tail}");
            prop_assert!(matches(&text, &text));
            prop_assert!(matches(&pattern, &text));
        }
    }
}
