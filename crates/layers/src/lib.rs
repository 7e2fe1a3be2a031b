//! Copy-on-write over a stack of trees of named nodes.
//!
//! A VM's files and keys are each such a stack: layer 0 is the writable upper,
//! then come read-only snapshots, and the last layer is the host. This crate
//! knows only names and depths; what a node is, how it is found and how it is
//! made are told to it through [`Tree`] and [`Upper`]. No Windows, no memory of
//! its own, no `unsafe`.
//!
//! A layer says two things of a name, independently of each other:
//! - an **entry**: the layer has a node of its own there;
//! - a **whiteout**: nothing of the layers below shows there.
//!
//! An entry is seen whatever whiteout stands beside it; a directory with a
//! whiteout beside it is one whose lower namesakes are cut off (what the OCI
//! image specification calls opaque). So hiding is always one step that comes
//! first and does nothing by itself while the entry stands, and no crash leaves
//! anything half hidden. An entry that is no directory hides whatever the
//! layers below have at or under its name.
#![no_std]
#![forbid(unsafe_code)]

mod change;
mod lookup;
mod merge;

pub use change::{Upper, hide, make_parents};
pub use lookup::{Kind, Lookup, Sources, Tree, lookup, lookup_at, shown_below, sources};
pub use merge::{Rank, merge};
