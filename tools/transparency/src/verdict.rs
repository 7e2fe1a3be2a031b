//! Whether a test fails inside that passes outside. Pure.
//!
//! A test may fail by chance, on either side: a line counts against the VM when
//! it failed in two runs inside (in the only one, if there was one), and in none
//! outside.

use crate::known::Known;
use crate::outcome::{Figures, Outcome};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The line that stands for a unit that ended without a summary.
pub const NO_SUMMARY: &str = "no summary";

/// What is said of a test in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing fails inside that passes outside.
    Ok,
    /// Something does.
    Regressed,
    /// What does is on the list of what is known, or outside there is nothing to
    /// compare with.
    Skipped,
}

impl Verdict {
    /// More is worse.
    #[must_use]
    pub fn badness(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Skipped => 1,
            Self::Regressed => 2,
        }
    }
}

/// One test's row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// `module:unit`.
    pub test: String,
    /// Version of Wine.
    pub wine: String,
    /// How many copies ran inside at the same time.
    pub copies: usize,
    /// Figures of the first run outside that ended.
    pub outside: Option<Figures>,
    /// Figures of the first run inside that ended.
    pub inside: Option<Figures>,
    /// The verdict.
    pub result: Verdict,
    /// Which lines, or what is known of them; empty when all is well.
    pub reason: String,
    /// Places on the list of what is known that fail no longer.
    #[serde(skip)]
    pub stale: Vec<String>,
}

/// The lines that fail inside and never outside, the end of a unit without a
/// summary among them.
#[must_use]
pub fn new_lines(outside: &[Outcome], inside: &[Outcome]) -> BTreeSet<String> {
    let passes: Vec<_> = outside.iter().map(failures).collect();
    let mut times = BTreeMap::<String, usize>::new();
    for line in inside.iter().flat_map(failures) {
        *times.entry(line).or_default() += 1;
    }
    times
        .into_iter()
        .filter(|(line, times)| {
            *times >= inside.len().min(2) && !passes.iter().any(|failed| failed.contains(line))
        })
        .map(|(line, _)| line)
        .collect()
}

fn failures(outcome: &Outcome) -> BTreeSet<String> {
    let mut failing = outcome.failing.clone();
    if outcome.figures.is_none() {
        failing.insert(NO_SUMMARY.into());
    }
    failing
}

/// Judges all runs of `test` on `wine`.
#[must_use]
pub fn judge(
    test: &str,
    wine: &str,
    (outside, inside): (&[Outcome], &[Outcome]),
    known: &Known,
) -> Row {
    let figures = |runs: &[Outcome]| runs.iter().find_map(|run| run.figures);
    let failed = inside.iter().flat_map(failures).collect();
    let (result, reason) = match decide(test, wine, &new_lines(outside, inside), known) {
        // What came before its end was compared.
        (Verdict::Ok, _) if figures(outside).is_none() => {
            (Verdict::Skipped, "has no end outside either".to_owned())
        }
        decided => decided,
    };
    Row {
        test: test.into(),
        wine: wine.into(),
        copies: 1,
        outside: figures(outside),
        inside: figures(inside),
        result,
        reason,
        stale: known.stale(test, wine, &failed),
    }
}

fn decide(test: &str, wine: &str, new: &BTreeSet<String>, known: &Known) -> (Verdict, String) {
    let excused = |line: &&String| known.reason(test, wine, line).is_some();
    let (known_lines, bad): (Vec<_>, Vec<_>) = new.iter().partition(excused);
    if !bad.is_empty() {
        let bad: Vec<&str> = bad.into_iter().map(String::as_str).collect();
        return (Verdict::Regressed, bad.join(" "));
    }
    let reasons: BTreeSet<&str> = known_lines
        .into_iter()
        .filter_map(|line| known.reason(test, wine, line))
        .collect();
    if reasons.is_empty() {
        (Verdict::Ok, String::new())
    } else {
        let reasons: Vec<_> = reasons.into_iter().collect();
        (Verdict::Skipped, reasons.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Result;

    fn run(failing: &[&str]) -> Outcome {
        let figures = Figures {
            executed: 9,
            todo: 0,
            failures: 0,
            skipped: 0,
        };
        Outcome {
            figures: Some(figures),
            failing: failing.iter().map(|line| (*line).into()).collect(),
        }
    }

    fn verdict(outside: &[Outcome], inside: &[Outcome]) -> Result<(Verdict, String)> {
        let known = Known::parse(
            "[[known]]\ntest = \"m:u\"\nreason = \"why\"\nlines = { \"8.0\" = [\"u.c:7\"] }",
        )?;
        let row = judge("m:u", "8.0", (outside, inside), &known);
        Ok((row.result, row.reason))
    }

    #[test]
    fn what_fails_on_both_sides_is_no_matter() -> Result<()> {
        let both = [run(&["u.c:1"])];
        assert_eq!(verdict(&both, &both)?, (Verdict::Ok, String::new()));
        Ok(())
    }

    #[test]
    fn what_fails_inside_only_is_a_regression() -> Result<()> {
        let found = verdict(&[run(&[])], &[run(&["u.c:1"]), run(&["u.c:1", "u.c:2"])])?;
        assert_eq!(found, (Verdict::Regressed, "u.c:1".into()));
        Ok(())
    }

    #[test]
    fn what_failed_once_of_three_is_chance() -> Result<()> {
        let inside = [run(&["u.c:1"]), run(&[]), run(&[])];
        assert_eq!(verdict(&[run(&[])], &inside)?.0, Verdict::Ok);
        Ok(())
    }

    #[test]
    fn what_is_known_is_skipped_with_its_reason() -> Result<()> {
        let found = verdict(&[run(&[])], &[run(&["u.c:7"])])?;
        assert_eq!(found, (Verdict::Skipped, "why".into()));
        let found = verdict(&[run(&[])], &[run(&["u.c:7", "u.c:8"])])?;
        assert_eq!(found, (Verdict::Regressed, "u.c:8".into()));
        Ok(())
    }

    #[test]
    fn a_unit_that_dies_inside_is_a_regression() -> Result<()> {
        let dead = Outcome::default();
        let found = verdict(&[run(&[])], std::slice::from_ref(&dead))?;
        assert_eq!(found, (Verdict::Regressed, NO_SUMMARY.into()));
        Ok(())
    }

    #[test]
    fn of_a_unit_without_an_end_outside_the_lines_are_judged() -> Result<()> {
        let dead = Outcome::default();
        let found = verdict(std::slice::from_ref(&dead), std::slice::from_ref(&dead))?;
        assert_eq!(found.0, Verdict::Skipped);
        let found = verdict(std::slice::from_ref(&dead), &[run(&["u.c:1"])])?;
        assert_eq!(found, (Verdict::Regressed, "u.c:1".into()));
        Ok(())
    }
}
