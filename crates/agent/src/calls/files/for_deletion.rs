//! Handles of large files of lower layers that were opened to be deleted or
//! renamed: each is of the file where it lies, without the right to delete it,
//! since a copy would mostly be made for nothing. What such a handle is used for
//! decides: a deletion hides the name, a new name takes a copy first, by which
//! all later calls go.
//!
//! Known by the handle's number, in this process only. Nobody waits here.

use super::raw::{self, Owned};
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use pinion_nt::HANDLE;

/// How many such handles a process can have; who finds no room makes a copy.
const PLACES: usize = 32;

struct Place {
    handle: AtomicUsize,
    /// The access that the program has by it.
    access: AtomicU32,
    /// Whether the name is gone already, as it was asked to be when the handle is
    /// closed.
    goes: AtomicBool,
    /// The handle of the copy; 0 as long as there is none.
    own: AtomicUsize,
}

static TABLE: [Place; PLACES] = [const {
    Place {
        handle: AtomicUsize::new(0),
        access: AtomicU32::new(0),
        goes: AtomicBool::new(false),
        own: AtomicUsize::new(0),
    }
}; PLACES];
/// How many places are taken.
static TAKEN: AtomicUsize = AtomicUsize::new(0);

fn find(handle: HANDLE) -> Option<&'static Place> {
    if TAKEN.load(Ordering::Acquire) == 0 || handle.is_null() {
        return None;
    }
    TABLE
        .iter()
        .find(|place| place.handle.load(Ordering::Acquire) == handle as usize)
}

/// Takes note of `handle`, by which the program has `access`, and whose name
/// `goes` already; `false` when there is no room.
pub(crate) fn keep(handle: HANDLE, access: u32, goes: bool) -> bool {
    TAKEN.fetch_add(1, Ordering::AcqRel);
    let taken = TABLE.iter().find(|place| {
        let free = &place.handle;
        free.compare_exchange(0, handle as usize, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    });
    match taken {
        Some(place) => {
            place.goes.store(goes, Ordering::Release);
            place.access.store(access, Ordering::Release);
        }
        None => {
            TAKEN.fetch_sub(1, Ordering::AcqRel);
        }
    }
    taken.is_some()
}

/// The access that the program has by `handle`, which the kernel does not know
/// of; `None` for any other handle.
pub(crate) fn access(handle: HANDLE) -> Option<u32> {
    find(handle).map(|place| place.access.load(Ordering::Acquire))
}

/// Whether `handle` is such a one, and there is no copy yet and may be one.
pub(crate) fn has(handle: HANDLE) -> bool {
    find(handle).is_some_and(|place| {
        place.own.load(Ordering::Acquire) == 0 && !place.goes.load(Ordering::Acquire)
    })
}

/// Whether the name of `handle`'s file is gone already.
pub(crate) fn goes(handle: HANDLE) -> bool {
    find(handle).is_some_and(|place| place.goes.load(Ordering::Acquire))
}

/// The name of `handle`'s file goes no longer with it only because it was opened
/// so.
pub(crate) fn stays(handle: HANDLE) {
    if let Some(place) = find(handle) {
        place.goes.store(false, Ordering::Release);
    }
}

/// The handle by which calls on `handle` go: that of the copy, where there is
/// one.
pub(crate) fn standing(handle: HANDLE) -> HANDLE {
    match find(handle).map(|place| place.own.load(Ordering::Acquire)) {
        None | Some(0) => handle,
        Some(own) => own as HANDLE,
    }
}

/// Lets `own` stand for `handle` until that is closed.
pub(crate) fn stands(handle: HANDLE, own: Owned) {
    let Some(place) = find(handle) else {
        return;
    };
    let before = place.own.swap(own.0 as usize, Ordering::AcqRel);
    core::mem::forget(own);
    if before != 0 {
        drop(Owned(before as HANDLE));
    }
}

/// `handle` ends, or is another file from now on.
pub(crate) fn forget(handle: HANDLE) {
    let Some(place) = find(handle) else {
        return;
    };
    let own = place.own.swap(0, Ordering::AcqRel);
    if own != 0 {
        drop(Owned(own as HANDLE));
    }
    place.handle.store(0, Ordering::Release);
    TAKEN.fetch_sub(1, Ordering::AcqRel);
}

/// `copy` is from now on one more handle of what `handle` is of.
pub(crate) fn duplicated(handle: HANDLE, copy: HANDLE) {
    let Some(place) = find(handle) else {
        return;
    };
    let own = place.own.load(Ordering::Acquire);
    let (access, goes) = (&place.access, &place.goes);
    let kept = keep(
        copy,
        access.load(Ordering::Acquire),
        goes.load(Ordering::Acquire),
    );
    if !kept || own == 0 {
        return;
    }
    if let Ok(second) = raw::duplicate(own as HANDLE) {
        stands(copy, second);
    }
}
