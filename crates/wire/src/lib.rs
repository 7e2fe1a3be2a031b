//! The only layout that the agent and the supervisor share.
//!
//! [`base`] is a line of the file of bases, [`rights`] how lists of rights are
//! compared, [`page`] what every member of a VM reads, [`rules`] the VM's policy in
//! it, [`tally`] what members count in, [`boot`] what one process is started with,
//! [`message`] what it asks the supervisor, [`trace`] what it records of its decisions. Nothing here calls the system. Whatever
//! comes from a member is hostile input: readers check every length and never trust
//! a count.
#![no_std]
#![forbid(unsafe_code)]

pub mod base;
pub mod boot;
pub mod message;
pub mod page;
pub mod rights;
pub mod rules;
pub mod services;
pub mod tally;
pub mod text;
pub mod trace;

/// The version of everything in this crate. Agent and supervisor refuse each
/// other when it differs.
pub const VERSION: u32 = 7;
