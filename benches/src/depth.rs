//! The depth of the stack of layers: the same work in a VM over ten snapshots
//! and in one over one.

use crate::report::Report;
use crate::turns::{Side, Work, compare, once};
use crate::{files, keys, vm};
use anyhow::Result;
use pinion_harness::Wine;

const WORK: &[Work<'_>] = &[
    (
        "10 layers against 1: open and close a file, unchanged",
        &["file", "2000", "C:\\pinion-bench\\files\\same\\f0"],
    ),
    (
        "10 layers against 1: open and close a file of the lowest layer",
        &["file", "2000", "C:\\pinion-bench\\files\\low\\f0"],
    ),
    (
        "10 layers against 1: open and close 1,000 files once, unchanged",
        &["each", "1000", "C:\\pinion-bench\\files\\same"],
    ),
    (
        "10 layers against 1: open and close 1,000 files of the lowest layer once",
        &["each", "1000", "C:\\pinion-bench\\files\\low"],
    ),
    (
        "10 layers against 1: list 1,000 entries, unchanged",
        &["list", "10", "C:\\pinion-bench\\files\\same", "1000"],
    ),
    (
        "10 layers against 1: list 1,000 entries of the lowest layer",
        &["list", "10", "C:\\pinion-bench\\files\\low", "1000"],
    ),
    (
        "10 layers against 1: open and close a key, unchanged",
        &["key", "2000", "Software\\pinion-bench\\same\\k0"],
    ),
    (
        "10 layers against 1: open and close a key of the lowest layer",
        &["key", "2000", "Software\\pinion-bench\\low\\k0"],
    ),
    (
        "10 layers against 1: enumerate 100 subkeys, unchanged",
        &["key-list", "20", "Software\\pinion-bench\\same", "100"],
    ),
    (
        "10 layers against 1: enumerate 100 subkeys of the lowest layer",
        &["key-list", "20", "Software\\pinion-bench\\low", "100"],
    ),
];

/// Adds the rows.
pub fn run(wine: &Wine, report: &mut Report, _crowd: usize) -> Result<()> {
    let done = measure(wine, report);
    once(wine, Side::Host, &["keys-remove", "1", keys::KEYS])?;
    done
}

fn measure(wine: &Wine, report: &mut Report) -> Result<()> {
    files::lay(wine, "same", 1000)?;
    let same = format!("{}\\same", keys::KEYS);
    once(wine, Side::Host, &["keys-fill", "100", &same])?;
    for depth in 1..=10 {
        add_layer(wine, depth)?;
    }
    vm::hold(wine, "bench-1", Some("bench-layer-1"))?;
    vm::hold(wine, "bench-10", Some("bench-layer-10"))?;
    compare(
        wine,
        report,
        Side::Vm("bench-10"),
        Side::Vm("bench-1"),
        WORK,
    )
}

/// Makes the snapshot of that depth over the one before: each layer has files
/// and keys of its own in a place of its own; the lowest has those that are asked.
fn add_layer(wine: &Wine, depth: usize) -> Result<()> {
    let (name, below) = (format!("bench-on-{depth}"), depth - 1);
    let from = format!("bench-layer-{below}");
    vm::hold(wine, &name, (depth > 1).then_some(from.as_str()))?;
    let (place, files, keys) = match depth {
        1 => ("low".into(), "1000", "100"),
        _ => (format!("layer-{depth}"), "10", "10"),
    };
    let side = Side::Vm(&name);
    let folder = format!("C:\\pinion-bench\\files\\{place}");
    once(wine, side, &["fill", files, &folder])?;
    let key = format!("{}\\{place}", keys::KEYS);
    once(wine, side, &["keys-fill", keys, &key])?;
    wine.pinion(&["stop", &name])?.success()?;
    let snapshot = format!("bench-layer-{depth}");
    wine.pinion(&["snapshot", &name, &snapshot])?.success()?;
    Ok(())
}
