//! The probes: for every channel of the catalogue the ways in which one program
//! tries to get at another's, and what is judged of what was seen.
//!
//! Pure: knows no system call and starts nothing. The programs that play server
//! and client are in `crates/players`; `pinion verify` puts them into two VMs
//! and onto the host, and asks this crate what the answers mean.
//!
//! | module | idea |
//! | --- | --- |
//! | [`probe`] | what is said of a probe; `table/` has them, a file for each family |
//! | [`kind`] | between whom a way is tried, and where it must not lead |
//! | [`exchange`] | what is said to a player, and its answer |
//! | [`verdict`] | from what was seen to a row of the table |
//! | [`report`] | the table, for people and machines |
#![forbid(unsafe_code)]

pub mod exchange;
pub mod kind;
pub mod probe;
pub mod report;
mod table;
pub mod verdict;

pub use exchange::{Answer, Ask, Facts, Place, Seen, Task};
pub use kind::{Kind, Pair};
pub use probe::{By, Probe, Way, find};
pub use report::{Report, Result, Row};
pub use table::all;
