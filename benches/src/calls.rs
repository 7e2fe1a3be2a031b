//! Single calls and the start of a child.

use crate::report::Report;
use crate::turns::{Side, Work, compare};
use crate::vm;
use anyhow::Result;
use pinion_harness::Wine;

const WORK: &[Work<'_>] = &[
    ("start to exit of a trivial child", &["child", "20"]),
    ("create and close a named mutant", &["mutant", "2000"]),
    (
        "open and close a file of Windows",
        &["file", "2000", "C:\\windows\\system32\\kernel32.dll"],
    ),
    ("open and close a process by its id", &["process", "2000"]),
    (
        "message to a window of another program and its answer",
        &["message", "5000"],
    ),
    ("list the processes", &["processes", "500"]),
];

/// Adds a row for each kind of work.
pub fn run(wine: &Wine, report: &mut Report, _crowd: usize) -> Result<()> {
    vm::hold(wine, "bench-calls", None)?;
    compare(wine, report, Side::Vm("bench-calls"), Side::Host, WORK)
}
