//! The user's screen, to a VM whose windows are on the user's desktop: measured and drawn to, and not read.
//!
//! Owns which device contexts of the process are of the whole screen. One is that of the desktop's window,
//! or of a window that is no member's, which the kernel tells ([`window_of`]); or it was opened by the
//! display's name, which is remembered here. A VM with a desktop of its own never comes here.

use super::table::kernel;
use super::{desktop, last_error, owners, set_last_error};
use core::ffi::c_void;
use core::sync::atomic::{AtomicU32, Ordering};
use pinion_nt::{HANDLE, UNICODE_STRING};
use pinion_policy::shared_desktop;

/// How many contexts that were opened by name a process has at a time.
const MOST: usize = 128;

/// Handles of GDI have 32 significant bits (Microsoft, "Interprocess communication" of 64-bit programs), and the
/// kernel looks at no others.
static OPENED: [AtomicU32; MOST] = [const { AtomicU32::new(0) }; MOST];

/// Whether a member may read from this device context. The thread's last error stays as it was.
pub(super) fn may_read(context: u64) -> bool {
    if !desktop::is_shared() || context as u32 == 0 {
        return true;
    }
    let error = last_error();
    // SAFETY: takes a number.
    let window = unsafe { kernel::NtUserWindowFromDC(context) } as u64;
    let passes = match window {
        // Of the memory, of a printer, or opened by name.
        0 => !OPENED
            .iter()
            .any(|slot| slot.load(Ordering::Acquire) == context as u32),
        window => owners::may_name(window) && !owners::is_desktops(window),
    };
    set_last_error(error);
    passes
}

/// As `NtUserWindowFromDC`: another's window is none.
pub(super) unsafe extern "system" fn window_of(context: u64) -> usize {
    // SAFETY: takes a number.
    let window = unsafe { kernel::NtUserWindowFromDC(context) };
    if !desktop::is_shared() || owners::may_name(window as u64) {
        return window;
    }
    0
}

/// As `NtGdiOpenDCW`. A context that cannot be remembered is not made.
pub(super) unsafe extern "system" fn open(
    device: *const UNICODE_STRING,
    mode: *const c_void,
    output: *const UNICODE_STRING,
    kind: u32,
    is_display: u32,
    spooler: HANDLE,
    driver: *const c_void,
    place: *mut c_void,
) -> usize {
    // SAFETY: the program's own arguments.
    let call = || unsafe {
        kernel::NtGdiOpenDCW(
            device, mode, output, kind, is_display, spooler, driver, place,
        )
    };
    if !desktop::is_shared() {
        return call();
    }
    /// In a place that waits for its context; no context has this number.
    const TAKEN: u32 = 1;
    let take = |slot: &&AtomicU32| {
        slot.compare_exchange(0, TAKEN, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    };
    let Some(slot) = OPENED.iter().find(take) else {
        set_last_error(shared_desktop::ERROR);
        return 0;
    };
    let context = call();
    slot.store(context as u32, Ordering::Release);
    context
}

/// As `NtGdiDeleteObjectApp`.
pub(super) unsafe extern "system" fn delete(object: u64) -> usize {
    let object = object as u32;
    // Before: the number may be another's as soon as it is free.
    let slot = (desktop::is_shared() && object != 0)
        .then(|| {
            OPENED
                .iter()
                .find(|slot| slot.load(Ordering::Acquire) == object)
        })
        .flatten();
    // SAFETY: takes a number.
    let deleted = unsafe { kernel::NtGdiDeleteObjectApp(object.into()) };
    if deleted != 0
        && let Some(slot) = slot
    {
        let _ = slot.compare_exchange(object, 0, Ordering::AcqRel, Ordering::Relaxed);
    }
    deleted
}
