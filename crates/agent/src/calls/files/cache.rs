//! What this process remembers of paths, so that a file that only the host has
//! costs no questions to the layers.
//!
//! A fact holds for one count of the VM's changes (`Tally::changes`), which
//! every member raises when it has given the upper a name. A member that writes
//! nonsense there, or finds two paths of one hash, deceives its own VM only:
//! facts are used for reading and never let a change through.

use crate::state;
use core::sync::atomic::{AtomicU64, Ordering};
use pinion_names::units::{SEPARATOR, fold};

/// How many facts are kept; a later one takes an earlier one's place.
const FACTS: usize = 1024;

static TABLE: [AtomicU64; FACTS] = [const { AtomicU64::new(0) }; FACTS];

/// What can be known of a path.
#[derive(Clone, Copy)]
pub(crate) enum Fact {
    /// No layer above the host says anything at or below it.
    HostOnly = 1,
    /// On the host it is a directory that does not hold the store. Says nothing of
    /// its subdirectories, which may lead elsewhere.
    Outside = 2,
    /// Programs list names in it that the host has, so a handle that can only
    /// list had better be the host's. A matter of speed: either handle shows the
    /// same.
    ListedOnHost = 3,
    /// The upper has it. Nobody tells when it goes, so whoever goes by this
    /// asks again when there is nothing.
    InUpper = 4,
}

/// The VM's changes so far, to be asked before the layers are.
pub(crate) fn changes() -> u64 {
    state::tally().changes.load(Ordering::Acquire)
}

/// Tells all members that the upper has a new name.
pub(crate) fn changed() {
    state::tally().changes.fetch_add(1, Ordering::Release);
}

/// Whether `fact` is known of `path` itself.
pub(crate) fn knows(fact: Fact, path: &[u16]) -> bool {
    is_kept(whole(fact, path), changes())
}

/// Whether `fact` is known of `path` or of a path above it.
pub(crate) fn knows_above(fact: Fact, path: &[u16]) -> bool {
    let now = changes();
    let mut hash = begin(fact);
    for &unit in path {
        if unit == SEPARATOR && is_kept(hash, now) {
            return true;
        }
        hash = step(hash, unit);
    }
    is_kept(hash, now)
}

/// Keeps `fact` of `path`, which was found when the changes were `then`.
pub(crate) fn keep(fact: Fact, path: &[u16], then: u64) {
    let hash = path
        .iter()
        .fold(begin(fact), |hash, &unit| step(hash, unit));
    slot(hash).store(sealed(hash, then), Ordering::Relaxed);
}

/// Takes back what [`keep`] kept; whether it was still known.
pub(crate) fn drop(fact: Fact, path: &[u16]) -> bool {
    let known = knows(fact, path);
    if known {
        slot(whole(fact, path)).store(0, Ordering::Relaxed);
    }
    known
}

fn is_kept(hash: u64, now: u64) -> bool {
    slot(hash).load(Ordering::Relaxed) == sealed(hash, now)
}

fn slot(hash: u64) -> &'static AtomicU64 {
    &TABLE[(hash >> 54) as usize % FACTS]
}

/// A hash and a count in one word, never 0.
fn sealed(hash: u64, changes: u64) -> u64 {
    (hash ^ changes.wrapping_mul(0x9e37_79b9_7f4a_7c15)) | 1
}

fn whole(fact: Fact, path: &[u16]) -> u64 {
    path.iter()
        .fold(begin(fact), |hash, &unit| step(hash, unit))
}

/// FNV-1a's start, the fact mixed in.
fn begin(fact: Fact) -> u64 {
    step(0xcbf2_9ce4_8422_2325, fact as u16)
}

fn step(hash: u64, unit: u16) -> u64 {
    (hash ^ u64::from(fold(unit))).wrapping_mul(0x0100_0000_01b3)
}
