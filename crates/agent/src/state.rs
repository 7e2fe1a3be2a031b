//! What the agent knows of its VM and its process: written once by the entry,
//! before any other thread exists, and only read afterwards.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicPtr, Ordering};
use pinion_wire::boot::Boot;
use pinion_wire::page::Page;
use pinion_wire::tally::Tally;

/// A cell that the starter of the process fills through its memory.
#[repr(transparent)]
pub(crate) struct BootCell(UnsafeCell<Boot>);

// SAFETY: written before the first thread runs, read-only afterwards.
unsafe impl Sync for BootCell {}

/// The boot block, exported so that the starter finds it.
#[unsafe(no_mangle)]
pub(crate) static PINION_BOOT: BootCell = BootCell(UnsafeCell::new(Boot::EMPTY));

/// This build's version, exported so that a starter refuses another build.
#[unsafe(no_mangle)]
pub(crate) static PINION_VERSION: u32 = pinion_wire::VERSION;

static PAGE: AtomicPtr<Page> = AtomicPtr::new(core::ptr::null_mut());
static TALLY: AtomicPtr<Tally> = AtomicPtr::new(core::ptr::null_mut());

/// The boot block of this process.
pub(crate) fn boot() -> &'static Boot {
    // SAFETY: see `BootCell`; nothing writes it once the process runs.
    unsafe { &*PINION_BOOT.0.get() }
}

/// The VM's page.
pub(crate) fn page() -> &'static Page {
    // SAFETY: `set` stored the address of a view that is never unmapped, before
    // any hook was installed.
    unsafe { &*PAGE.load(Ordering::Relaxed) }
}

/// Whether nothing is confined, and what the program does is recorded only.
#[inline]
pub(crate) fn watches() -> bool {
    page().watch != 0
}

/// The VM's counters.
pub(crate) fn tally() -> &'static Tally {
    // SAFETY: as for `page`.
    unsafe { &*TALLY.load(Ordering::Relaxed) }
}

/// Stores the mapped views.
pub(crate) fn set(page: *mut Page, tally: *mut Tally) {
    PAGE.store(page, Ordering::Relaxed);
    TALLY.store(tally, Ordering::Relaxed);
}
