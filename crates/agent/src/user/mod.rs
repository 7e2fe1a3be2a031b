//! win32k's system calls: windows, and the window stations and desktops that
//! they are on.
//!
//! Their stubs are in win32u.dll, which a process maps when it needs them; they
//! are intercepted before any code of it or of who asked for it runs. A VM has a
//! window station of its own ([`station`]), so that the kernel itself keeps its
//! members' windows, hooks, input and clipboard from all others; a window or
//! thread that is named by its number is asked for by [`guarded`].

mod atoms;
mod desktop;
mod guarded;
mod owners;
mod screen;
mod settings;
mod station;
mod station_calls;
mod stations;
mod table;
mod titles;

use crate::hooks::{absent, allocate, checked, is_wine};
use crate::{entry, state};
use core::sync::atomic::{AtomicU64, Ordering};
use pinion_intercept::export::Module;
use pinion_intercept::{jump, stub};
use pinion_nt::status::STATUS_DLL_INIT_FAILED;
use pinion_nt::{PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE, PAGE_READWRITE};

/// One intercepted call.
struct Hook<'a> {
    /// win32u's export.
    name: &'a [u8],
    /// Where its kept stub is to be.
    kept: u64,
    /// What takes its place.
    entry: u64,
}

/// Whether a member may list the windows on this one.
pub(crate) fn may_list(window: u64) -> bool {
    may_name(window) || desktop::may_ask("NtUserBuildHwndList", 1, window, |_| 0)
}

/// Moves the members' windows of a list together, where the VM's are on the user's
/// desktop, and tells how many they are.
///
/// # Errors
/// The status of memory that is none.
pub(crate) fn keep_members(list: *mut u32, count: u32) -> Result<u32, i32> {
    if !desktop::is_shared() {
        return Ok(count);
    }
    desktop::keep_members(list, count)
}

/// Whether a member may name this window; none while win32u is not there.
pub(crate) fn may_name(window: u64) -> bool {
    KEPT.load(Ordering::Relaxed) != 0 && owners::may_name(window)
}

/// Whether this is Wine 8.0, as far as its win32u was seen.
pub(crate) fn is_wine_8() -> bool {
    owners::is_wine_8()
}

/// Runs `work` with the name of the VM's window station of this number, counted
/// from 0, if there are so many.
pub(crate) fn with_station<R>(number: u32, mut work: impl FnMut(&[u16]) -> R) -> Option<R> {
    let (mut at, mut result) = (0, None);
    stations::each(|name| {
        if at == number {
            result = Some(work(name));
        }
        at += 1;
    });
    result
}

/// Called for each DLL before its own code runs. What is only watched runs on where
/// its calls cannot be intercepted.
pub(crate) fn loaded(name: &[u16], base: u64, size: usize) {
    if pinion_names::units::equals(name, "win32u.dll")
        && install(base, size).is_none()
        && !state::watches()
    {
        entry::end(STATUS_DLL_INIT_FAILED);
    }
}

/// Replaces the stubs of win32u; `None` when one has a shape that is not known.
fn install(base: u64, size: usize) -> Option<()> {
    // SAFETY: the loader has mapped these bytes.
    let bytes = unsafe { core::slice::from_raw_parts(base as *const u8, size) };
    let module = Module::new(bytes)?;
    let all = || guarded::hooks().chain(table::hooks());
    let (kept, room) = (room(all().count() * stub::LENGTH)?, all().count());
    guarded::prepare()?;
    owners::prepare(|name| matches!(find(&module, bytes, name), Some(Some(_))))?;
    entry::protect(kept, room * stub::LENGTH, PAGE_READWRITE)?;
    let (mut low, mut high) = (u64::MAX, 0);
    for hook in all() {
        let code = match find(&module, bytes, hook.name)? {
            Some((rva, code)) => {
                low = low.min(base + u64::from(rva));
                high = high.max(base + u64::from(rva) + stub::LENGTH as u64);
                code
            }
            None => absent(),
        };
        // SAFETY: the region has room for every hook's stub.
        unsafe { core::ptr::copy_nonoverlapping(code.as_ptr(), hook.kept as *mut u8, code.len()) };
    }
    entry::protect(kept, room * stub::LENGTH, PAGE_EXECUTE_READ)?;
    entry::protect(low, (high - low) as usize, PAGE_EXECUTE_READWRITE)?;
    for hook in all() {
        if let Some((rva, _)) = find(&module, bytes, hook.name)? {
            let jump = jump::encode(hook.entry);
            let at = (base + u64::from(rva)) as *mut u8;
            // SAFETY: the pages were made writable, `find` found a stub longer
            // than the jump, and no code of this DLL or of who imports it has run.
            unsafe { core::ptr::copy_nonoverlapping(jump.as_ptr(), at, jump.len()) };
        }
    }
    entry::protect(low, (high - low) as usize, PAGE_EXECUTE_READ)
}

/// A stub's place and bytes; `Some(None)` when the module has no such call,
/// `None` when what it has is of an unknown shape. Wine exports what it does not
/// implement, too, by a body that raises an exception and makes no system call.
#[allow(clippy::option_option)]
fn find(
    module: &Module<'_>,
    bytes: &[u8],
    name: &[u8],
) -> Option<Option<(u32, [u8; stub::LENGTH])>> {
    let Some(rva) = module.find(name) else {
        return Some(None);
    };
    if is_wine() && !stub::begins(bytes.get(rva as usize..)?) {
        return Some(None);
    }
    checked(bytes, rva).map(|code| Some((rva, code)))
}

/// Where the kept stubs are, [`stub::LENGTH`] bytes each: those of [`guarded`],
/// then those of [`table`].
static KEPT: AtomicU64 = AtomicU64::new(0);

/// The place of a kept stub.
fn kept(index: usize) -> u64 {
    KEPT.load(Ordering::Relaxed) + (index * stub::LENGTH) as u64
}

/// Makes room for the kept stubs, once in a process: win32u may be unloaded and
/// come again.
fn room(size: usize) -> Option<u64> {
    if KEPT.load(Ordering::Relaxed) == 0 {
        KEPT.store(allocate(size)? as u64, Ordering::Relaxed);
    }
    Some(KEPT.load(Ordering::Relaxed))
}

/// The calling thread's last error (`LastErrorValue` of the x64 TEB).
fn last_error() -> u32 {
    let error;
    // SAFETY: gs:[0x68] is that field in every x64 thread.
    unsafe {
        core::arch::asm!("mov {:e}, gs:[0x68]", out(reg) error, options(nostack, readonly));
    }
    error
}

/// Sets the calling thread's last error.
fn set_last_error(error: u32) {
    // SAFETY: as for `last_error`.
    unsafe { core::arch::asm!("mov gs:[0x68], {:e}", in(reg) error, options(nostack)) };
}
