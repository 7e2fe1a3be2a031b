//! Put the agent into a suspended process before its first instruction.
//!
//! Used by the supervisor and by the agent itself (for children), so it is
//! `no_std` and calls ntdll only. [`image`] reads the agent and is pure;
//! [`place`] maps it into the process, writes what [`patches`] makes of it there,
//! and points `LdrInitializeThunk` at it.
//! It never resumes anything: whoever calls decides, and ends a process into
//! which the agent could not be placed.
#![no_std]

pub mod image;
#[cfg(windows)]
mod patches;
#[cfg(windows)]
pub mod place;
