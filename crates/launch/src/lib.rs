//! Put the agent into a suspended process before its first instruction.
//!
//! Used by the supervisor and by the agent itself (for children), so it is
//! `no_std` and calls ntdll only. [`image`] reads the agent's file and is pure;
//! [`place`] writes it into the process and points `LdrInitializeThunk` at it.
//! It never resumes anything: whoever calls decides, and ends a process into
//! which the agent could not be placed.
#![no_std]

pub mod image;
#[cfg(windows)]
pub mod place;
