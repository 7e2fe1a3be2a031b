//! What is wrong with a file that a user has written, told by line and column.

use crate::failure::{Failure, Outcome, USAGE};
use pinion_policy_file::Fault;
use serde::Serialize;

/// One fault, for machines.
#[derive(Serialize)]
pub struct Told<'f> {
    line: usize,
    column: usize,
    why: &'f str,
}

/// All of them, for machines.
pub fn told(faults: &[Fault]) -> Vec<Told<'_>> {
    let told = faults.iter().map(|fault| Told {
        line: fault.line,
        column: fault.column,
        why: &fault.why,
    });
    told.collect()
}

/// The exit code of a file with these faults.
pub fn code(faults: &[Fault]) -> i32 {
    if faults.is_empty() { 0 } else { USAGE }
}

/// Tells people of all faults, a line each; without any, runs `sound`.
pub fn tell(file: &str, faults: &[Fault], sound: impl FnOnce() -> Outcome) -> Outcome {
    let Some((last, others)) = faults.split_last() else {
        return sound();
    };
    for fault in others {
        eprintln!("pinion: {file}:{fault}");
    }
    Err(Failure::new(USAGE, format!("{file}:{last}")))
}
