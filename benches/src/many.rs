//! A crowd: many VMs with RPCSS and nginx at once.

use crate::memory::{kib, processes};
use crate::report::Report;
use crate::server;
use anyhow::Result;
use pinion_harness::Wine;

/// How many starts at either end are compared.
const ENDS: usize = 3;

/// Adds the start times of the last against the first, and the memory of each.
pub fn run(wine: &Wine, report: &mut Report, crowd: usize) -> Result<()> {
    server::lay(wine)?;
    let before = memory();
    let mut times = Vec::new();
    for index in 0..crowd {
        times.push(server::start_with_rpcss(
            wine,
            &format!("bench-crowd-{index}"),
        )?);
    }
    let used = memory() - before;
    let ends = ENDS.min(times.len());
    let (first, last) = (&times[..ends], &times[times.len() - ends..]);
    report.add(
        &format!("start of VM {crowd} of {crowd} against the first"),
        "ms",
        last,
        first,
    );
    report.add(
        &format!("memory of each of {crowd} VMs, against all of Wine before"),
        "MiB",
        &[used / crowd as f64],
        &[before],
    );
    Ok(())
}

/// The proportional memory of all Wine processes, in MiB.
fn memory() -> f64 {
    let wine = processes()
        .filter(|(_, command)| command.contains(".exe") || command.contains("wineserver"));
    wine.filter_map(|(pid, _)| kib(pid, &["Pss"]).ok())
        .sum::<f64>()
        / 1024.0
}
