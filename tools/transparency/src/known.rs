//! The tests that need more than this release gives, each with the reason: the
//! committed list `known.toml`.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    #[serde(default, rename = "known")]
    entries: Vec<Entry>,
}

/// Why some lines of one test may fail inside.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// `module:unit`.
    test: String,
    /// What it needs, in words.
    reason: String,
    /// By version of Wine: `file.c:line` and `file.c:first-last`, or `*` for all
    /// of the test, its end included.
    lines: BTreeMap<String, Vec<String>>,
    /// Whether they fail by chance: that they do not is nothing to tell then.
    #[serde(default)]
    sometimes: bool,
}

impl Known {
    /// Reads the list.
    ///
    /// # Errors
    /// When it is not there, or is no such list.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the list {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("{} is no list", path.display()))
    }

    /// The list in `text`.
    ///
    /// # Errors
    /// When it is none, or an entry names no line.
    pub fn parse(text: &str) -> Result<Self> {
        let known: Self = toml::from_str(text)?;
        for entry in &known.entries {
            let places = entry.lines.values().flatten();
            if let Some(bad) = places.into_iter().find(|place| !is_place(place)) {
                bail!("{}: '{bad}' is none of *, file.c:1, file.c:1-2", entry.test);
            }
        }
        Ok(known)
    }

    /// The reasons for which `line` of `test` may fail on `wine`.
    pub fn reason(&self, test: &str, wine: &str, line: &str) -> Option<&str> {
        self.places(test, wine)
            .find(|(_, place)| covers(place, line))
            .map(|(entry, _)| &*entry.reason)
    }

    /// The places listed for `test` on `wine` none of which is in `failed`.
    pub fn stale(&self, test: &str, wine: &str, failed: &BTreeSet<String>) -> Vec<String> {
        self.places(test, wine)
            .filter(|(entry, place)| {
                !entry.sometimes && !failed.iter().any(|line| covers(place, line))
            })
            .map(|(_, place)| place.to_owned())
            .collect()
    }

    fn places<'a>(&'a self, test: &str, wine: &str) -> impl Iterator<Item = (&'a Entry, &'a str)> {
        let of_test = self.entries.iter().filter(move |entry| entry.test == test);
        let places = of_test.filter_map(move |entry| Some((entry, entry.lines.get(wine)?)));
        places
            .flat_map(|(entry, lines)| lines.iter().map(move |line| (entry, &**line)))
            .collect::<Vec<_>>()
            .into_iter()
    }
}

fn is_place(place: &str) -> bool {
    place == "*" || range(place).is_some()
}

fn range(place: &str) -> Option<(&str, u32, u32)> {
    let (file, lines) = place.rsplit_once(':')?;
    let (first, last) = lines.split_once('-').unwrap_or((lines, lines));
    Some((file, first.parse().ok()?, last.parse().ok()?))
}

fn covers(place: &str, line: &str) -> bool {
    if place == "*" {
        return true;
    }
    match (range(place), range(line)) {
        (Some((file, first, last)), Some((of, number, _))) => {
            file == of && (first..=last).contains(&number)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = r#"
[[known]]
test = "ntdll:virtual"
reason = "stubs are jumps"
lines = { "8.0" = ["virtual.c:10", "virtual.c:20-29"], "10.0" = ["*"] }
"#;

    #[test]
    fn a_line_is_excused_on_its_wine_only() -> Result<()> {
        let known = Known::parse(LIST)?;
        let reason = |wine, line| known.reason("ntdll:virtual", wine, line);
        assert_eq!(reason("8.0", "virtual.c:10"), Some("stubs are jumps"));
        assert_eq!(reason("8.0", "virtual.c:29"), Some("stubs are jumps"));
        assert_eq!(reason("8.0", "virtual.c:11"), None);
        assert_eq!(reason("8.0", "other.c:10"), None);
        assert_eq!(reason("9.0", "virtual.c:10"), None);
        assert_eq!(reason("10.0", "no summary"), Some("stubs are jumps"));
        assert_eq!(known.reason("ntdll:file", "8.0", "virtual.c:10"), None);
        Ok(())
    }

    #[test]
    fn what_fails_no_longer_is_stale() -> Result<()> {
        let known = Known::parse(LIST)?;
        let failed = BTreeSet::from(["virtual.c:25".to_owned()]);
        let stale = known.stale("ntdll:virtual", "8.0", &failed);
        assert_eq!(stale, ["virtual.c:10"]);
        assert_eq!(
            known.stale("ntdll:virtual", "10.0", &BTreeSet::new()),
            ["*"]
        );
        Ok(())
    }

    #[test]
    fn what_fails_by_chance_is_never_stale() -> Result<()> {
        let known = Known::parse(&LIST.replace("lines =", "sometimes = true\nlines ="))?;
        let stale = known.stale("ntdll:virtual", "8.0", &BTreeSet::new());
        assert!(stale.is_empty());
        assert!(
            known
                .reason("ntdll:virtual", "8.0", "virtual.c:10")
                .is_some()
        );
        Ok(())
    }

    #[test]
    fn a_place_that_is_none_is_refused() {
        assert!(Known::parse(&LIST.replace("virtual.c:10", "somewhere")).is_err());
        assert!(Known::parse("[[other]]").is_err());
    }

    #[test]
    fn the_project_s_own_list_is_one() -> Result<()> {
        Known::parse(include_str!("../known.toml")).map(drop)
    }
}
