//! NT declarations and thin wrappers.
//!
//! Types come from windows-sys where it has them; what it lacks is declared in
//! [`calls`] and [`types`], each with its source. What differs on Wine is in
//! [`wine`] alone. Nothing here decides anything.
#![no_std]

#[cfg(windows)]
pub mod calls;
pub mod status;
pub mod types;
#[cfg(windows)]
pub mod wine;

pub use types::*;
