//! Registry keys: open, query, enumerate.

use crate::report::Report;
use crate::turns::{Side, Work, compare, once};
use crate::vm;
use anyhow::Result;
use pinion_harness::Wine;

const VM: &str = "bench-keys";
/// All keys of the benchmarks.
pub const KEYS: &str = "Software\\pinion-bench";

const WORK: &[Work<'_>] = &[
    (
        "open and close a key, unchanged",
        &["key", "2000", "Software\\pinion-bench\\same\\k0"],
    ),
    (
        "open and close a key, of the upper layer",
        &["key", "2000", "Software\\pinion-bench\\half\\k0"],
    ),
    (
        "open a key that is not there",
        &["key-absent", "2000", "Software\\pinion-bench\\same\\absent"],
    ),
    (
        "query a value and the figures of a key, unchanged",
        &["key-query", "2000", "Software\\pinion-bench\\same"],
    ),
    (
        "query a value and the figures of a key, 500 of 1,000 subkeys changed",
        &["key-query", "2000", "Software\\pinion-bench\\half"],
    ),
    (
        "enumerate 1,000 subkeys, none changed",
        &["key-list", "3", "Software\\pinion-bench\\same", "1000"],
    ),
    (
        "enumerate 1,000 subkeys, 500 changed",
        &["key-list", "3", "Software\\pinion-bench\\half", "1000"],
    ),
];

/// Adds the rows.
pub fn run(wine: &Wine, report: &mut Report, _crowd: usize) -> Result<()> {
    let done = measure(wine, report);
    once(wine, Side::Host, &["keys-remove", "1", KEYS])?;
    done
}

fn measure(wine: &Wine, report: &mut Report) -> Result<()> {
    for name in ["same", "half"] {
        let key = format!("{KEYS}\\{name}");
        once(wine, Side::Host, &["keys-fill", "1000", &key])?;
    }
    vm::hold(wine, VM, None)?;
    let half = format!("{KEYS}\\half");
    once(wine, Side::Vm(VM), &["keys-fill", "500", &half])?;
    compare(wine, report, Side::Vm(VM), Side::Host, WORK)
}
