//! What one run of a test unit said: its figures and the lines that failed.
//! Pure; the words are those of Wine's `include/wine/test.h`.

use serde::Serialize;
use std::collections::BTreeSet;

/// The figures of the summary line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// Tests executed.
    pub executed: u32,
    /// Of these marked as not working on Wine yet.
    pub todo: u32,
    /// Of these that failed.
    pub failures: u32,
    /// Tests skipped.
    pub skipped: u32,
}

/// One run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// None when the unit ended without a summary line: it died, or ran out of
    /// time.
    pub figures: Option<Figures>,
    /// `file.c:line` of every check that failed, and of every place where checks
    /// were left out. One that works though it is marked as not working on Wine
    /// is none.
    pub failing: BTreeSet<String>,
}

impl Outcome {
    /// What `output` of unit `unit` tells. Output of the unit's children may be
    /// among it, and be torn.
    #[must_use]
    pub fn read(unit: &str, output: &str) -> Self {
        let mut outcome = Self::default();
        for line in output.lines() {
            if let Some(place) = failing(line) {
                outcome.failing.insert(place);
            } else if let Some(figures) = summary(unit, line) {
                outcome.figures = Some(figures);
            }
        }
        outcome
    }
}

/// The place that a line tells to have failed or been skipped, such as `file.c:12`.
fn failing(line: &str) -> Option<String> {
    const WORDS: [&str; 2] = [": Test failed", ": Tests skipped"];
    let end = WORDS.iter().find_map(|words| line.find(words))?;
    let (file, number) = line[..end].rsplit_once(':')?;
    let file = file.rsplit([':', ' ']).next()?;
    let is_place =
        file.ends_with(".c") && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    is_place.then(|| format!("{file}:{number}"))
}

/// The figures of the summary line of `unit` itself, which begins with the
/// process id.
fn summary(unit: &str, line: &str) -> Option<Figures> {
    let (before, after) = line.split_once(" tests executed (")?;
    let (name, executed) = before.rsplit_once(": ")?;
    if name.rsplit(':').next() != Some(unit) {
        return None;
    }
    let number = |words: &str| {
        let before = after[..after.find(words)?].trim_end();
        let digits = before.rsplit(|c: char| !c.is_ascii_digit()).next()?;
        digits.parse().ok()
    };
    Some(Figures {
        executed: executed.parse().ok()?,
        todo: number("marked as todo")?,
        failures: number("failure")?,
        skipped: number("skipped")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OUTPUT: &str = "01a8:directory.c:226: Test failed: wrong status c0000034\r
directory.c:226: Test failed: again\r
directory.c:90: Tests skipped: no\r
info.c:7: Test succeeded inside todo block: fine\r
0110:file: 21 tests executed (0 marked as todo, 0 as flaky, 6 failures), 0 skipped.\r
01a8:directory: 3943 tests executed (5 marked as todo, 0 as flaky, 1 failure), 12 skipped.\r
";

    #[test]
    fn the_summary_and_the_failing_lines_are_read() {
        let outcome = Outcome::read("directory", OUTPUT);
        let figures = Figures {
            executed: 3943,
            todo: 5,
            failures: 1,
            skipped: 12,
        };
        assert_eq!(outcome.figures, Some(figures));
        let failing: Vec<_> = outcome.failing.iter().map(String::as_str).collect();
        assert_eq!(failing, ["directory.c:226", "directory.c:90"]);
    }

    #[test]
    fn a_child_s_summary_is_not_the_unit_s() {
        assert_eq!(Outcome::read("port", OUTPUT).figures, None);
    }

    proptest! {
        #[test]
        fn any_output_is_read(unit in ".{0,8}", output in ".{0,200}") {
            let _ = Outcome::read(&unit, &output);
        }
    }
}
