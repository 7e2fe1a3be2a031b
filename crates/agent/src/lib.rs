//! The agent: the DLL in every confined process.
//!
//! It is mapped by hand before the process's first instruction, imports ntdll
//! only, and intercepts system-call stubs. The way of a call: [`hooks`] enters,
//! a file of `calls/` decodes the arguments once, asks the pure crates, acts
//! through [`hooks::kept`], and returns the kernel's status. Nothing here
//! allocates on a hot path, panics across a hook, or takes a lock that another
//! process can hold. What cannot be confined does not run.
#![cfg_attr(windows, no_std)]
#![cfg(windows)]

mod api;
mod calls;
mod decode;
mod entry;
mod guard;
mod held;
mod hooks;
mod late;
mod memory;
mod modules;
mod region;
mod scratch;
mod state;
mod supervisor;
mod time;
mod trace;
mod user;

/// A panic is a bug in the agent: the process can no longer be confined, so it
/// ends.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    entry::end(pinion_nt::status::STATUS_UNSUCCESSFUL)
}

/// The language's personality routine, which frames of the core library name
/// though nothing unwinds here: passes every exception on
/// (`ExceptionContinueSearch`).
#[unsafe(no_mangle)]
extern "system" fn rust_eh_personality() -> i32 {
    const CONTINUE_SEARCH: i32 = 1;
    CONTINUE_SEARCH
}
