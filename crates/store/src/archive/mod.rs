//! A VM in one file: `tar.zst`, made by `export`, taken in by `import`. docs/ARCHIVE.md describes the form.
//!
//! Owns the form and its checks. What is read from an archive is hostile input: every name, size and
//! count is checked before it is used, all of it is staged under a reserved name, and a VM appears by one
//! rename when the whole archive has proved sound.

mod export;
mod frames;
mod import;
mod keys;
mod manifest;
mod member;
mod nodes;
mod pack;
mod read;
#[cfg(windows)]
mod registry;
mod unpack;
mod write;

// On the build machine: they leave no keys in a registry, and make names that Windows does not.
#[cfg(all(test, not(windows)))]
mod tests;

pub use export::export;
pub(crate) use export::sweep;
#[cfg(windows)]
pub(crate) use export::user;
pub use import::{Import, import};
pub use member::plain_fault as name_fault;
pub(crate) use pack::{Links, gather};
#[cfg(windows)]
pub(crate) use registry::each_key;
pub(crate) use unpack::Place;

use std::path::Path;

use crate::error::Error;

/// The format of archives that this Pinion writes; it reads this and those before.
pub const FORMAT: u32 = 2;
/// The format from which on archives have links and streams of files.
const SECOND: u32 = 2;

/// The first member: what the archive is.
const MANIFEST: &str = "pinion.json";
/// The last member: the checksum of every other.
const SUMS: &str = "SHA256SUMS";

/// How far the work is: bytes done, and of how many.
pub type Progress<'p> = &'p mut dyn FnMut(u64, u64);

/// The archive at `path` is not taken in, because of `why`.
fn refused(path: &Path, why: impl Into<String>) -> Error {
    Error::BadArchive {
        path: path.to_path_buf(),
        why: why.into(),
    }
}

/// A failure of a temporary file.
fn temporary(why: std::io::Error) -> Error {
    Error::io("write", &std::env::temp_dir(), why)
}
