//! Where each directory handle of the process is in its listing.
//!
//! One place per handle that was listed, until the handle is closed. Two
//! threads that list by one handle wait for each other, as in NT.

use super::snapshot::Snapshot;
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use pinion_nt::calls::NtYieldExecution;
use pinion_nt::{HANDLE, NTSTATUS};

/// How many directories a process can list at once.
const PLACES: usize = 256;
/// How often a thread lets others run while it waits for a place; a place that
/// stays taken longer was left by a thread that was ended.
const PATIENCE: u32 = 1_000_000;

/// A handle's listing.
pub(crate) enum Listing {
    /// Not begun.
    New,
    /// The kernel lists.
    Kernel,
    /// The kernel lists the one name that the first call gave.
    KernelOne,
    /// In a snapshot.
    Merged(Merged),
}

/// A listing in a snapshot.
pub(crate) struct Merged {
    /// The entries.
    pub(crate) snapshot: Snapshot,
    /// The next one.
    pub(crate) next: usize,
    /// Whether an entry has matched yet.
    pub(crate) begun: bool,
}

impl Merged {
    /// A listing at its beginning.
    pub(crate) fn new(snapshot: Snapshot) -> Self {
        Self {
            snapshot,
            next: 0,
            begun: false,
        }
    }
}

struct Place {
    /// The handle, 0 for none.
    handle: AtomicUsize,
    /// 1 while a thread works with the listing.
    taken: AtomicU32,
    listing: UnsafeCell<Listing>,
}

// SAFETY: `listing` is only touched by the thread that set `taken`.
unsafe impl Sync for Place {}

static TABLE: [Place; PLACES] = [const {
    Place {
        handle: AtomicUsize::new(0),
        taken: AtomicU32::new(0),
        listing: UnsafeCell::new(Listing::New),
    }
}; PLACES];

/// How many places are used.
static USED: AtomicU32 = AtomicU32::new(0);
/// The places from here on were never used, so nobody looks there.
static UNUSED_FROM: AtomicUsize = AtomicUsize::new(0);

impl Place {
    fn take(&self) -> bool {
        for _ in 0..PATIENCE {
            if self.taken.swap(1, Ordering::Acquire) == 0 {
                return true;
            }
            // SAFETY: takes no argument and touches no memory.
            unsafe { NtYieldExecution() };
        }
        false
    }

    fn release(&self) {
        self.taken.store(0, Ordering::Release);
    }
}

fn find(handle: usize) -> Option<&'static Place> {
    TABLE
        .iter()
        .take(UNUSED_FROM.load(Ordering::Acquire))
        .find(|place| place.handle.load(Ordering::Relaxed) == handle)
}

fn claim(handle: usize) -> Option<&'static Place> {
    let free = |place: &Place| {
        place
            .handle
            .compare_exchange(0, handle, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    };
    let (index, place) = TABLE.iter().enumerate().find(|(_, place)| free(place))?;
    UNUSED_FROM.fetch_max(index + 1, Ordering::Release);
    USED.fetch_add(1, Ordering::Relaxed);
    Some(place)
}

/// Runs `work` with the listing of `handle`; `None` when no place is free.
pub(crate) fn with<R>(handle: HANDLE, work: impl FnOnce(&mut Listing) -> R) -> Option<R> {
    let key = handle as usize;
    if key == 0 {
        return None;
    }
    let place = find(key).or_else(|| claim(key))?;
    if !place.take() {
        return None;
    }
    // SAFETY: `take` made this thread the only one to touch it.
    let result = work(unsafe { &mut *place.listing.get() });
    place.release();
    Some(result)
}

/// As `NtClose`: the handle's listing ends with it.
pub(crate) unsafe fn close(handle: HANDLE) -> NTSTATUS {
    let key = handle as usize;
    if key != 0
        && USED.load(Ordering::Relaxed) != 0
        && let Some(place) = find(key)
        && place.take()
    {
        // SAFETY: `take` made this thread the only one to touch it.
        unsafe { *place.listing.get() = Listing::New };
        place.handle.store(0, Ordering::Release);
        USED.fetch_sub(1, Ordering::Relaxed);
        place.release();
    }
    // SAFETY: the program's own argument.
    unsafe { crate::hooks::kept::NtClose(handle) }
}
