//! Single calls and the start of a child, timed by `workload.exe` itself, in
//! turns inside and outside.

use crate::report::Report;
use crate::vm;
use anyhow::{Context, Result};
use pinion_harness::Wine;
use pinion_harness::wine::windows_path;

/// Turns of each benchmark.
const RUNS: usize = 7;

/// What `workload.exe` times, how often a turn does it, and the name shown.
const WORK: &[(&str, &str, &str)] = &[
    ("child", "20", "start to exit of a trivial child"),
    ("mutant", "2000", "create and close a named mutant"),
    ("file", "2000", "open and close an existing file"),
    ("key", "2000", "open and close a key"),
];

/// Adds a row for each kind of work.
pub fn run(wine: &Wine, report: &mut Report, _crowd: usize) -> Result<()> {
    vm::hold(wine, "bench-calls")?;
    let program = windows_path(&wine.program("workload.exe"));
    for (work, count, name) in WORK {
        let (mut inside, mut outside) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            let exec = ["exec", "bench-calls", "--", &program, work, count];
            inside.push(microseconds(wine.pinion(&exec)?)?);
            outside.push(microseconds(wine.run(&program, &[*work, *count])?)?);
        }
        report.add(name, "µs", &inside, &outside);
    }
    Ok(())
}

fn microseconds(output: pinion_harness::Output) -> Result<f64> {
    output.success()?.json()?["us"]
        .as_f64()
        .context("workload.exe said no figure")
}
