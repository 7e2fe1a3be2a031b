//! What this process remembers of single layers, so that a deep stack costs no
//! more than a flat one.
//!
//! What a snapshot lacks or has it lacks or has for ever. Of the upper only one
//! thing is remembered: that a directory has no whiteouts in it, or some, for one
//! count of what the VM has hidden (`Tally::files_hidden`).

use super::cache::{BASIS, mix, step};
use crate::state;
use core::sync::atomic::{AtomicU64, Ordering};
use pinion_names::units::{SEPARATOR, fold};

/// How many facts are kept; a later one takes an earlier one's place.
const FACTS: usize = 4096;

static TABLE: [AtomicU64; FACTS] = [const { AtomicU64::new(0) }; FACTS];

/// What can be known of a path in one layer.
#[derive(Clone, Copy)]
pub(crate) enum Fact {
    /// A snapshot has no entry there, nor a whiteout for it, nor anything below;
    /// above it are directories without whiteouts beside them.
    Nothing = 1,
    /// A snapshot has a directory there.
    Directory = 2,
    /// No whiteout is in the directory.
    Bare = 3,
    /// The directory has whiteouts.
    Hides = 4,
}

/// The count for which facts of `layer` hold, to be asked before the layer is.
pub(crate) fn count(layer: usize) -> u64 {
    match layer {
        0 => state::tally().files_hidden.load(Ordering::Acquire),
        _ => 0,
    }
}

/// Tells all members that the upper hides one name more.
pub(crate) fn hidden() {
    state::tally().files_hidden.fetch_add(1, Ordering::Release);
}

/// Whether `fact` is known of `path` in `layer`.
pub(crate) fn knows(fact: Fact, layer: usize, path: &[u16]) -> bool {
    is_kept(fact, layer, hash(path), count(layer))
}

/// Whether `fact` is known of `path` or of a path above it.
pub(crate) fn knows_above(fact: Fact, layer: usize, path: &[u16]) -> bool {
    depth_of(fact, layer, path).is_some()
}

/// How many names the first path has, from the root to `path`, of which `fact` is
/// known.
pub(crate) fn depth_of(fact: Fact, layer: usize, path: &[u16]) -> Option<usize> {
    let (now, mut hash, mut depth) = (count(layer), BASIS, 1);
    for &unit in path {
        if unit == SEPARATOR {
            if is_kept(fact, layer, hash, now) {
                return Some(depth);
            }
            depth += 1;
        }
        hash = step(hash, fold(unit));
    }
    is_kept(fact, layer, hash, now).then_some(depth)
}

/// Keeps `fact` of `path` in `layer`, found when its count was `then`.
pub(crate) fn keep(fact: Fact, layer: usize, path: &[u16], then: u64) {
    let (slot, sealed) = place(fact, layer, hash(path), then);
    slot.store(sealed, Ordering::Relaxed);
}

fn hash(path: &[u16]) -> u64 {
    path.iter()
        .fold(BASIS, |hash, &unit| step(hash, fold(unit)))
}

fn is_kept(fact: Fact, layer: usize, hash: u64, now: u64) -> bool {
    let (slot, sealed) = place(fact, layer, hash, now);
    slot.load(Ordering::Relaxed) == sealed
}

/// The slot of a fact, and what it holds: never 0.
fn place(fact: Fact, layer: usize, hash: u64, count: u64) -> (&'static AtomicU64, u64) {
    let hash = mix(hash ^ (layer as u64) << 8 ^ fact as u64);
    (&TABLE[hash as usize % FACTS], mix(hash ^ count) | 1)
}
