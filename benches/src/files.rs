//! Files: by name, by handle, and directories of 10,000 entries.

use crate::report::Report;
use crate::turns::{Side, Work, compare, once};
use crate::vm;
use anyhow::Result;
use pinion_harness::Wine;
use std::fs;

const VM: &str = "bench-files";

const WORK: &[Work<'_>] = &[
    (
        "open and close a file, unchanged",
        &["file", "2000", "C:\\pinion-bench\\files\\same\\f0"],
    ),
    (
        "open and close a file, of the upper layer",
        &["file", "2000", "C:\\pinion-bench\\files\\half\\f0"],
    ),
    (
        "open and close 2,000 files once, unchanged",
        &["each", "2000", "C:\\pinion-bench\\files\\same"],
    ),
    (
        "open and close 2,000 files once, of the upper layer",
        &["each", "2000", "C:\\pinion-bench\\files\\half"],
    ),
    (
        "open a file that is not there",
        &["absent", "2000", "C:\\pinion-bench\\files\\few\\absent"],
    ),
    (
        "attributes of a file by name",
        &["attributes", "2000", "C:\\pinion-bench\\files\\same\\f0"],
    ),
    (
        "read 4 KiB of an open file",
        &["read", "20000", "C:\\pinion-bench\\files\\same\\f0"],
    ),
    (
        "write 4 KiB of an open file",
        &["write", "20000", "C:\\pinion-bench\\files\\half\\f0"],
    ),
    (
        "list 10,000 entries, none changed",
        &["list", "3", "C:\\pinion-bench\\files\\same", "10000"],
    ),
    (
        "list 10,000 entries, 5,000 changed",
        &["list", "3", "C:\\pinion-bench\\files\\half", "10000"],
    ),
];

/// Adds the rows.
pub fn run(wine: &Wine, report: &mut Report, _crowd: usize) -> Result<()> {
    lay(wine, "same", 10_000)?;
    lay(wine, "half", 10_000)?;
    lay(wine, "few", 10)?;
    vm::hold(wine, VM, None)?;
    let change = ["fill", "5000", "C:\\pinion-bench\\files\\half"];
    once(wine, Side::Vm(VM), &change)?;
    compare(wine, report, Side::Vm(VM), Side::Host, WORK)
}

/// Puts `count` files into the host's folder `C:\pinion-bench\files\<name>`, as
/// `workload fill` does.
pub fn lay(wine: &Wine, name: &str, count: u32) -> Result<()> {
    let folder = wine.drive_c().join("pinion-bench/files").join(name);
    fs::create_dir_all(&folder)?;
    for number in 0..count {
        fs::write(folder.join(format!("f{number}")), [b'x'; 4096])?;
    }
    Ok(())
}
