//! Pictures of who talks to whom over what, made of events.
//!
//! Pure: events come in, text goes out. Every name in an event was chosen by a program in
//! a VM, and is escaped wherever it is written.
//!
//! | module | idea |
//! | --- | --- |
//! | [`gather`](crate::gather()) | events of VMs become a [`graph`] |
//! | [`layout`] | a place for everything |
//! | [`svg`], [`html`], [`dot`] | the picture |
#![forbid(unsafe_code)]

pub mod dot;
mod escape;
mod gather;
pub mod graph;
pub mod html;
pub mod layout;
pub mod svg;

pub use gather::{Gather, gather};
pub use graph::Graph;
