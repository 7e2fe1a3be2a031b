//! Handles of files that go when they are closed: whoever gives such a file
//! another name hides that, too, or what a lower layer has there would show once
//! the file is gone.
//!
//! Known by the handle's number, in this process only. Who finds no room takes
//! every handle for such a one from then on. Nobody waits here.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use pinion_nt::HANDLE;

/// How many such handles are told apart from all others.
const PLACES: usize = 64;

static TABLE: [AtomicUsize; PLACES] = [const { AtomicUsize::new(0) }; PLACES];
/// How many places are taken.
static TAKEN: AtomicUsize = AtomicUsize::new(0);
/// Whether one found no room.
static FULL: AtomicBool = AtomicBool::new(false);

fn find(handle: HANDLE) -> Option<&'static AtomicUsize> {
    if TAKEN.load(Ordering::Acquire) == 0 || handle.is_null() {
        return None;
    }
    TABLE
        .iter()
        .find(|place| place.load(Ordering::Acquire) == handle as usize)
}

/// The file of `handle` goes with it.
pub(super) fn keep(handle: HANDLE) {
    if find(handle).is_some() {
        return;
    }
    TAKEN.fetch_add(1, Ordering::AcqRel);
    let taken = TABLE.iter().any(|place| {
        place
            .compare_exchange(0, handle as usize, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    });
    if !taken {
        TAKEN.fetch_sub(1, Ordering::AcqRel);
        FULL.store(true, Ordering::Release);
    }
}

/// Whether the file of `handle` may go with it.
pub(super) fn has(handle: HANDLE) -> bool {
    FULL.load(Ordering::Acquire) || find(handle).is_some()
}

/// Whether it is known for certain that the file of `handle` may go with it.
pub(super) fn is_known(handle: HANDLE) -> bool {
    find(handle).is_some()
}

/// `handle` ends, or is another file from now on.
pub(super) fn forget(handle: HANDLE) {
    if let Some(place) = find(handle)
        && place
            .compare_exchange(handle as usize, 0, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    {
        TAKEN.fetch_sub(1, Ordering::AcqRel);
    }
}

/// `copy` is from now on one more handle of what `handle` is of.
pub(super) fn duplicated(handle: HANDLE, copy: HANDLE) {
    if find(handle).is_some() {
        keep(copy);
    }
}
