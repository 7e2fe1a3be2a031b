//! Find, check, patch and restore system-call stubs and exports.
//!
//! [`stub`] knows the shape of a stub and is pure; [`export`] finds an export
//! in a mapped module and [`import`] the place of an import, both pure over the module's bytes; [`jump`] encodes the
//! jump that replaces code, [`hot`] one behind which the code goes on, and [`detour`] one that moves what it replaces.
//! Writing memory is the caller's affair: this crate
//! calls nothing and keeps no state.
#![no_std]

pub mod detour;
pub mod export;
pub mod hot;
pub mod import;
pub mod jump;
pub mod stub;
