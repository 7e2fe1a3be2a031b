//! The first judge: Wine's own conformance tests, outside and inside.

use crate::known::Known;
use crate::outcome::Outcome;
use crate::report;
use crate::side::{Side, Where};
use crate::verdict::{Row, judge, new_lines};
use anyhow::{Context, Result, bail};
use std::path::Path;

/// How often a unit that seems to fail inside only is run again, on each side.
const AGAIN: usize = 2;

/// What to run.
pub struct Plan<'a> {
    /// The folder of the built tests: programs, `units` (lines of module and
    /// unit) and `version`.
    pub tests: &'a Path,
    /// Where copies of the prefix are made.
    pub cache: &'a Path,
    /// How many copies run inside at the same time.
    pub copies: usize,
    /// Only tests whose `module:unit` contains one of these; all when empty.
    pub only: &'a [String],
    /// Where what the runs print is kept, if anywhere.
    pub output: Option<&'a Path>,
    /// What is known to need more than this release gives.
    pub known: &'a Known,
}

/// Runs and judges each unit.
///
/// # Errors
/// When the tests are not there, none is chosen, or Wine cannot be run.
pub fn run(plan: &Plan<'_>) -> Result<Vec<Row>> {
    let read = |name: &str| {
        let path = plan.tests.join(name);
        std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let (units, version) = (read("units")?, read("version")?);
    let version = version.trim();
    let units: Vec<_> = units
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(module, unit)| plan.chooses(&format!("{module}:{unit}")))
        .collect();
    if units.is_empty() {
        bail!("no test's name contains {}", plan.only.join(" or "));
    }
    let mut sides = [
        Side::new(Where::Outside, plan.cache)?,
        Side::new(Where::Inside, plan.cache)?,
    ];
    for side in &mut sides {
        side.keep_output(plan.output);
    }
    for entry in std::fs::read_dir(plan.tests)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "exe") {
            sides.iter().try_for_each(|side| side.lay(&path))?;
        }
    }
    report::head(version);
    let mut rows = Vec::new();
    for (module, unit) in units {
        let row = one(plan, version, &sides, module, unit)?;
        report::show(&row);
        rows.push(row);
    }
    report::foot(&rows);
    Ok(rows)
}

impl Plan<'_> {
    fn chooses(&self, test: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| test.contains(part.as_str()))
    }
}

/// Runs one unit on both sides, at the same time, and again, one after the
/// other, where the two differ. Of several copies the worst is what is told.
fn one(
    plan: &Plan<'_>,
    version: &str,
    [outside, inside]: &[Side; 2],
    module: &str,
    unit: &str,
) -> Result<Row> {
    let (first, second) = std::thread::scope(|scope| {
        let first = scope.spawn(|| outside.run(module, unit, 1));
        let second = inside.run(module, unit, plan.copies);
        let first = first.join().unwrap_or_else(|_| bail!("the run outside"));
        (first, second)
    });
    let mut without: Vec<Outcome> = first?;
    let mut within: Vec<Vec<Outcome>> = second?.into_iter().map(|run| vec![run]).collect();
    for _ in 0..AGAIN {
        // One that twice has no end inside has none, and takes the longest.
        let hangs =
            |runs: &Vec<Outcome>| runs.len() > 1 && runs.iter().all(|run| run.figures.is_none());
        let well = |runs: &Vec<Outcome>| new_lines(&without, runs).is_empty();
        if within.iter().any(hangs) || within.iter().all(well) {
            break;
        }
        without.extend(outside.run(module, unit, 1)?);
        let again = inside.run(module, unit, plan.copies)?;
        for (runs, run) in within.iter_mut().zip(again) {
            runs.push(run);
        }
    }
    let test = format!("{module}:{unit}");
    let rows = within
        .iter()
        .map(|runs| judge(&test, version, (&without, runs), plan.known));
    let worst = rows.max_by_key(|row| row.result.badness());
    let row = worst.context("no copy was run")?;
    Ok(Row {
        copies: plan.copies,
        ..row
    })
}
