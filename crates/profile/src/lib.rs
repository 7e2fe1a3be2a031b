//! A profile of a server as people write it: a small TOML file (docs/CLI.md) that
//! says what `pinion run --profile` starts, publishes, allows and waits for.
//!
//! [`Profile::parse`] reads and checks one, and tells all that is wrong with it by
//! line and column; [`known`] are those that come with Pinion. Pure: no file, no
//! system call.
#![forbid(unsafe_code)]

mod known;
mod read;

pub use known::{Known, find, known};
pub use pinion_policy_file::Fault;
pub use read::{Health, Port, Profile};

/// The longest profile in bytes.
pub const LONGEST: usize = 64 * 1024;
