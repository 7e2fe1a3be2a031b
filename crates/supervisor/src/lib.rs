//! The supervisor: the process that keeps one VM.
//!
//! Owns the VM's job, its object directory, its log, its published ports and its service controller,
//! from the start of the VM to its end. There is one supervisor process per VM and no daemon; when it
//! dies, the job closes and the VM dies with it. The command line talks to it over one pipe
//! ([`control`]), programs inside over another (the request pipe). All that comes from inside the VM
//! is hostile input.

#[cfg(windows)]
pub mod client;
pub mod control;
mod error;

pub use error::{Error, Result};

/// Becomes the supervisor of the VM of this name: what the hidden verb `supervise NAME` calls, with the
/// store of the environment (`PINION_ROOT`). Tells its starter on standard output how the start went
/// ([`control::VERB`]), keeps the VM until its end and returns the process's exit code: 0, or that of
/// the error that kept the VM from starting.
#[cfg(windows)]
#[must_use]
pub fn run(name: &pinion_store::VmName) -> i32 {
    let _ = name;
    todo!()
}
