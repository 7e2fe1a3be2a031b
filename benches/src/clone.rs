//! The clone of a VM, as the command line makes it.

use crate::report::Report;
use crate::turns::{Side, once};
use crate::vm;
use anyhow::Result;
use pinion_harness::Wine;
use std::time::Instant;

const RUNS: usize = 7;
/// How many files the two VMs have.
const SIZES: [&str; 2] = ["10000", "10"];

/// Adds the rows: the clones of a VM with 10,000 files and of one with 10; and
/// what such a clone takes more than a command that does nothing.
pub fn run(wine: &Wine, report: &mut Report, _crowd: usize) -> Result<()> {
    let names = SIZES.map(|size| format!("bench-of-{size}"));
    let mut first = Vec::new();
    for (name, size) in names.iter().zip(SIZES) {
        vm::hold(wine, name, None)?;
        let fill = ["fill", size, "C:\\pinion-bench\\files\\many"];
        once(wine, Side::Vm(name), &fill)?;
        wine.pinion(&["stop", name])?.success()?;
        // Turns what the VM has into a layer; the later ones find it so.
        first.push(clone(wine, name, "first")?);
    }
    let [of_many, of_few] = first[..] else {
        unreachable!("a VM of each size")
    };
    let name = "first clone of 10,000 files against one of 10";
    report.add(name, "ms", &[of_many], &[of_few]);
    let (mut many, mut few, mut nothing) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..RUNS {
        let to = turn.to_string();
        many.push(clone(wine, &names[0], &to)?);
        few.push(clone(wine, &names[1], &to)?);
        nothing.push(milliseconds(wine, &["version"])?);
    }
    report.add("clone of 10,000 files against one of 10", "ms", &many, &few);
    report.add(
        "clone of 10,000 files against a command that does nothing",
        "ms",
        &many,
        &nothing,
    );
    Ok(())
}

fn clone(wine: &Wine, from: &str, to: &str) -> Result<f64> {
    let to = format!("{from}-{to}");
    let nothing = ["create", "--from", from, "--name", &to, "--", "cmd.exe"];
    milliseconds(wine, &nothing)
}

fn milliseconds(wine: &Wine, command: &[&str]) -> Result<f64> {
    let start = Instant::now();
    wine.pinion(command)?.success()?;
    Ok(start.elapsed().as_secs_f64() * 1000.0)
}
