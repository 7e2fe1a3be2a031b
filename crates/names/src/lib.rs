//! NT names and paths: parse, map into a VM and back.
//!
//! Pure functions over UTF-16 units and caller-supplied buffers: no allocation,
//! no system call, no state. [`object`] maps names of the object manager,
//! [`pipe`] names of pipes and mailslots, [`file`] names of files;
//! [`share`] finds the paths that are the host's own;
//! [`pattern`] matches names in listings, [`change`] reads and writes records
//! of changes, [`boundary`] makes the name in a boundary descriptor the VM's;
//! [`url`] and [`request_queue`] do so with those of the HTTP Server API.
//! The rule of [`object`] is one line: an absolute name `N` means the VM's
//! directory followed by `N`, so mapping is injective, undoing is cutting, and
//! no name leads out.
#![no_std]
#![forbid(unsafe_code)]

pub mod atom;
pub mod boundary;
pub mod change;
pub mod dos;
pub mod file;
pub mod key;
pub mod object;
pub mod pattern;
pub mod pipe;
pub mod request_queue;
pub mod share;
pub mod socket;
pub mod station;
pub mod title;
pub mod units;
pub mod url;

/// A name cannot be mapped because the result does not fit an NT string (or
/// the caller's buffer).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong;

/// The most UTF-16 units that an NT string holds.
pub const LONGEST: usize = 32_767;
