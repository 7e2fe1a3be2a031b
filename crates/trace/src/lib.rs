//! Events: what members of a VM decided at the boundary, as the supervisor keeps them.
//!
//! Pure: no file is opened here and no clock is read. Everything in an event was
//! written by a program in the VM, and so is whatever is made of it.
//!
//! | module | idea |
//! | --- | --- |
//! | [`event`] | an event, and what it is told from: a record of [`pinion_wire::trace`] |
//! | [`file`](mod@file) | the file of events (docs/TRACE.md) |
//! | [`calls`] | the calls by their numbers, and the channel of an event |
//! | [`filter`] | which events are wanted |
//! | [`summary`] | counts and times by channel and name |
#![forbid(unsafe_code)]

pub mod calls;
pub mod event;
pub mod file;
pub mod filter;
pub mod pattern;
pub mod summary;

pub use event::{Entry, Event, Peer, Verdict};
pub use filter::Filter;
