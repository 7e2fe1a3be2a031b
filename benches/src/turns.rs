//! Work of `workload.exe` on two sides in turns, so that both have the same
//! machine.

use crate::report::Report;
use anyhow::{Context, Result};
use pinion_harness::wine::windows_path;
use pinion_harness::{Output, Wine};

/// Turns of each work.
const RUNS: usize = 7;

/// Where work is done.
#[derive(Debug, Clone, Copy)]
pub enum Side<'n> {
    /// Outside of any VM.
    Host,
    /// In a VM that runs.
    Vm(&'n str),
}

/// One kind of work: the name shown, and what `workload.exe` is told.
pub type Work<'w> = (&'w str, &'w [&'w str]);

/// Does `work` on `side` once.
pub fn once(wine: &Wine, side: Side<'_>, work: &[&str]) -> Result<Output> {
    let program = windows_path(&wine.program("workload.exe"));
    let output = match side {
        Side::Host => wine.run(&program, work)?,
        Side::Vm(name) => {
            let mut arguments = vec!["exec", name, "--", &program];
            arguments.extend(work);
            wine.pinion(&arguments)?
        }
    };
    let told = || format!("{side:?}: {}", work.join(" "));
    output.success().with_context(told)
}

/// Adds a row for each of `works`, done on `side` (shown as inside) and on
/// `against`. Each goes first in every other turn.
pub fn compare(
    wine: &Wine,
    report: &mut Report,
    side: Side<'_>,
    against: Side<'_>,
    works: &[Work<'_>],
) -> Result<()> {
    for (name, work) in works {
        let (mut inside, mut outside) = (Vec::new(), Vec::new());
        for turn in 0..RUNS {
            let mut sides = [(side, &mut inside), (against, &mut outside)];
            sides.rotate_left(turn % 2);
            for (side, figures) in sides {
                figures.push(microseconds(&once(wine, side, work)?)?);
            }
        }
        report.add(name, "µs", &inside, &outside);
    }
    Ok(())
}

fn microseconds(output: &Output) -> Result<f64> {
    output.json()?["us"]
        .as_f64()
        .context("workload.exe said no figure")
}
