//! Copying files between a VM and the host: packed as a tar archive on one side, unpacked on the
//! other.
//!
//! [`place`] tells what the command line names, [`pack`] reads a tree of a VM or of the host,
//! [`unpack`] writes one. What is unpacked is hostile: a program in the VM may have named the files.

pub mod pack;
pub mod place;
pub mod unpack;

use std::sync::atomic::{AtomicU64, Ordering};

/// How many files and folders were copied so far, for who waits.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// One more.
    fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// So many so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
