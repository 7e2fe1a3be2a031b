//! Where files were opened: layer and path by handle, so that listing a
//! directory, or asking of a host's file, asks no name of the kernel, which on
//! Wine costs a call to its server and a walk through the Unix path.
//!
//! Kept until something in the VM is renamed or the handle is closed.

use super::cache;
use crate::held::Held;
use core::sync::atomic::{AtomicUsize, Ordering};
use pinion_nt::HANDLE;

/// How many files are remembered, one for each value of a handle's low
/// bits.
const SLOTS: usize = 16;
/// The longest path that is remembered, in units.
const LONGEST: usize = 260;

struct Slot {
    handle: AtomicUsize,
    fact: Held<Fact>,
}

#[derive(Clone, Copy)]
struct Fact {
    renames: u64,
    layer: usize,
    length: usize,
    path: [u16; LONGEST],
}

static TABLE: [Slot; SLOTS] = [const {
    Slot {
        handle: AtomicUsize::new(0),
        fact: Held::new(Fact {
            renames: 0,
            layer: 0,
            length: 0,
            path: [0; LONGEST],
        }),
    }
}; SLOTS];

fn slot(handle: HANDLE) -> &'static Slot {
    &TABLE[(handle as usize >> 2) % SLOTS]
}

/// Remembers that `handle` was opened as `path` of `layer` when the VM's
/// renames were `then`; a path that is too long is forgotten.
pub(crate) fn keep(handle: HANDLE, layer: usize, path: &[u16], then: u64) {
    let slot = slot(handle);
    slot.handle.store(0, Ordering::Relaxed);
    slot.fact.with(|fact| {
        let Some(place) = fact.path.get_mut(..path.len()) else {
            return;
        };
        place.copy_from_slice(path);
        fact.length = path.len();
        fact.layer = layer;
        fact.renames = then;
        slot.handle.store(handle as usize, Ordering::Relaxed);
    });
}

/// Forgets `handle`, which is another file from now on, or none.
pub(crate) fn forget(handle: HANDLE) {
    let slot = slot(handle);
    if slot.handle.load(Ordering::Relaxed) == handle as usize {
        slot.handle.store(0, Ordering::Relaxed);
    }
}

/// The layer in which the file of `handle` was opened; `None` when that is not
/// remembered.
pub(crate) fn layer(handle: HANDLE) -> Option<usize> {
    with(handle, |layer, _| layer).ok()
}

/// Runs `work` with layer and path of `handle`; gives `work` back when they are
/// not remembered.
pub(crate) fn with<R, W: FnOnce(usize, &[u16]) -> R>(handle: HANDLE, work: W) -> Result<R, W> {
    let slot = slot(handle);
    if handle.is_null() || slot.handle.load(Ordering::Relaxed) != handle as usize {
        return Err(work);
    }
    let fact = slot.fact.with(|fact| {
        let same = slot.handle.load(Ordering::Relaxed) == handle as usize;
        (same && fact.renames == cache::renames()).then_some(*fact)
    });
    match fact.flatten() {
        Some(fact) => Ok(work(
            fact.layer,
            fact.path.get(..fact.length).unwrap_or(&[]),
        )),
        None => Err(work),
    }
}
