//! A VM's policy as people write it: a small TOML file of rules (docs/POLICY.md).
//!
//! [`Policy::parse`] reads and checks one, and tells all that is wrong with it by
//! line and column; [`Policy::compiled`] is what members read; [`explain`] tells
//! what becomes of a name. Pure: no file, no system call. What a compiled rule means
//! is [`pinion_policy::rules`]'.
#![forbid(unsafe_code)]

mod able;
mod conflict;
mod cover;
pub mod explain;
mod name;
mod read;
pub mod write;

pub use able::{Direction, Peer, Verdict};
pub use read::{Fault, Policy, Rule};

/// The longest policy in bytes.
pub const LONGEST: usize = 64 * 1024;

/// Upcases a unit much as NT compares names: the letters whose upper case is one
/// unit. The rules of a running VM go by the system's own table.
#[must_use]
pub fn fold(unit: u16) -> u16 {
    let upper = char::from_u32(unit.into()).map(char::to_uppercase);
    match upper {
        Some(mut upper) if upper.len() == 1 => upper
            .next()
            .and_then(|upper| u16::try_from(u32::from(upper)).ok())
            .unwrap_or(unit),
        _ => unit,
    }
}
