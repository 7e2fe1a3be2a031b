//! A group of replicas (docs/GROUPS.md): disposable copies of one unmodified server
//! behind one address.
//!
//! | module | idea |
//! | --- | --- |
//! | [`config`] | the group's file: read, checked, all that is wrong with it told by line and column |
//! | [`life`] | the states of replicas, and what is to be done next: a function of state, event and time |
//! | [`normal`] | what of two answers is compared |
//! | [`vote`] | which answer is the majority's, and since when that is certain |
//! | [`allowed`] | which changes a replica may make |
//! | [`render`] | the same front as a configuration of HAProxy |
//! | [`shares`] | how evidence divides its room |
//!
//! Pure: no file, no clock, no socket. Who carries out what is decided here is the
//! group's process (`crates/pinion/src/group`), with the front of `crates/front`.
#![forbid(unsafe_code)]

pub mod allowed;
pub mod config;
pub mod life;
pub mod normal;
pub mod render;
pub mod shares;
pub mod vote;

pub use config::{Config, Fault};
