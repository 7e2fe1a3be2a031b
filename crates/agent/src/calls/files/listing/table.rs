//! Where each directory handle of the process is in its listing.
//!
//! One place per file object that was listed, until its last handle in this
//! process is closed; a handle that another process made of it begins anew. Two
//! threads that list by one handle wait for each other, as in NT.

use super::snapshot::Snapshot;
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use pinion_nt::calls::NtYieldExecution;
use pinion_nt::{HANDLE, NTSTATUS};

/// How many directories a process can list at once.
const PLACES: usize = 256;
/// How many handles of one directory's file object can share its listing.
const HANDLES: usize = 4;
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
    /// Whether a call was answered yet: only the first can tell that no name
    /// matches.
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
    /// The handles of the file object, 0 for none.
    handles: [AtomicUsize; HANDLES],
    /// 1 while a thread works with the listing.
    taken: AtomicU32,
    listing: UnsafeCell<Listing>,
}

// SAFETY: `listing` is only touched by the thread that set `taken`.
unsafe impl Sync for Place {}

static TABLE: [Place; PLACES] = [const {
    Place {
        handles: [const { AtomicUsize::new(0) }; HANDLES],
        taken: AtomicU32::new(0),
        listing: UnsafeCell::new(Listing::New),
    }
}; PLACES];

/// How many places were ever used: those beyond are empty.
static USED: AtomicUsize = AtomicUsize::new(0);

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

fn find(handle: usize) -> Option<(&'static Place, &'static AtomicUsize)> {
    let used = TABLE.get(..USED.load(Ordering::Acquire))?;
    used.iter().find_map(|place| {
        let mut handles = place.handles.iter();
        let own = handles.find(|own| own.load(Ordering::Relaxed) == handle)?;
        Some((place, own))
    })
}

fn claim(handle: usize) -> Option<&'static Place> {
    let order = Ordering::AcqRel;
    let (index, place) = TABLE.iter().enumerate().find(|(_, place)| {
        let Some((first, others)) = place.handles.split_first() else {
            return false;
        };
        // A place that is not used gets a first handle before any other.
        let unused = others.iter().all(|own| own.load(Ordering::Acquire) == 0);
        unused
            && first
                .compare_exchange(0, handle, order, Ordering::Relaxed)
                .is_ok()
    })?;
    USED.fetch_max(index + 1, order);
    Some(place)
}

/// Takes note that `handle` is one of the place's; `false` when it is full.
fn put(place: &Place, handle: usize) -> bool {
    let order = Ordering::AcqRel;
    place.handles.iter().any(|own| {
        own.compare_exchange(0, handle, order, Ordering::Relaxed)
            .is_ok()
    })
}

/// `copy` is from now on one more handle of what `handle` is of, so that both
/// are at the same place of its listing.
pub(crate) fn duplicated(handle: HANDLE, copy: HANDLE) {
    if !copy.is_null()
        && let Some((place, _)) = find(handle as usize)
    {
        put(place, copy as usize);
    }
}

/// Runs `work` with the listing of `handle`; `None` when no place is free.
pub(crate) fn with<R>(handle: HANDLE, work: impl FnOnce(&mut Listing) -> R) -> Option<R> {
    let key = handle as usize;
    if key == 0 {
        return None;
    }
    let place = find(key).map(|(place, _)| place).or_else(|| claim(key))?;
    if !place.take() {
        return None;
    }
    // SAFETY: `take` made this thread the only one to touch it.
    let result = work(unsafe { &mut *place.listing.get() });
    place.release();
    Some(result)
}

/// As `NtClose`: a listing ends with its last handle.
pub(crate) unsafe fn close(handle: HANDLE) -> NTSTATUS {
    let key = handle as usize;
    if key != 0
        && let Some((place, own)) = find(key)
        && place.take()
    {
        let mut others = place.handles.iter();
        if others.all(|other| core::ptr::eq(other, own) || other.load(Ordering::Relaxed) == 0) {
            // SAFETY: `take` made this thread the only one to touch it.
            unsafe { *place.listing.get() = Listing::New };
        }
        own.store(0, Ordering::Release);
        place.release();
    }
    // SAFETY: the program's own argument.
    unsafe { crate::hooks::kept::NtClose(handle) }
}
