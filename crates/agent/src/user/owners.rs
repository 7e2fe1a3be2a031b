//! Whose a window or a thread is: a member's, by the kernel's word.
//!
//! What was found a member's is believed for a moment, so that a conversation
//! costs one question and not one a message. In that moment the number could
//! come to mean another's only if a member ended and the kernel used the number
//! again: Wine keeps 256 numbers from use first, and a window's carries a count.

use super::table::kernel;
use super::{guarded, kept, last_error, set_last_error};
use crate::calls::{membership, opening};
use crate::{hooks, time, trace};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use pinion_policy::user::{Named, is_special};
use pinion_wire::trace::Verdict;

/// How long an answer is believed: 50 ms in the 100 ns of the interrupt time.
const MOMENT: u32 = 500_000;
/// How many windows, and how many threads, are believed at a time.
const SLOTS: usize = 64;

/// Numbers of members' windows (upper half) and when that was found out.
static WINDOWS: [AtomicU64; SLOTS] = [const { AtomicU64::new(0) }; SLOTS];
/// The same of threads.
static THREADS: [AtomicU64; SLOTS] = [const { AtomicU64::new(0) }; SLOTS];

/// The same of windows of this process, asked for when calls are recorded.
static OWN: [AtomicU64; SLOTS] = [const { AtomicU64::new(0) }; SLOTS];

/// Whether this is Wine 8.0, whose win32u has no `NtUserQueryWindow`.
static WINE_8: AtomicBool = AtomicBool::new(false);

/// Whether this is Wine 8.0, as far as its win32u was seen.
pub(super) fn is_wine_8() -> bool {
    WINE_8.load(Ordering::Relaxed)
}

/// Settles how a window's owner is asked for; `None` when no way is known.
/// `is_call` tells whether win32u has a call.
pub(super) fn prepare(is_call: impl Fn(&[u8]) -> bool) -> Option<()> {
    if is_call(b"NtUserQueryWindow") {
        return Some(());
    }
    // The codes of `NtUserCallHwndParam` are others in each version.
    let version = hooks::wine_version()?;
    let known = version.starts_with(b"8.0\0") || version.starts_with(b"8.0.");
    WINE_8.store(known, Ordering::Relaxed);
    (known && is_call(b"NtUserCallHwndParam")).then_some(())
}

/// The low half of the interrupt time.
fn now() -> u32 {
    time::interrupt() as u32
}

/// A believed number, or the question for it.
fn believed(slots: &[AtomicU64; SLOTS], number: u32, ask: impl FnOnce() -> bool) -> bool {
    let Some(slot) = slots.get((number as usize >> 1) % SLOTS) else {
        return ask();
    };
    let found = slot.load(Ordering::Relaxed);
    if (found >> 32) as u32 == number && now().wrapping_sub(found as u32) < MOMENT {
        return true;
    }
    let passes = ask();
    if passes {
        slot.store(
            u64::from(number) << 32 | u64::from(now()),
            Ordering::Relaxed,
        );
    }
    passes
}

/// Whether a member may name this window. The thread's last error stays as it
/// was.
pub(super) fn may_name(window: u64) -> bool {
    if is_special(window) {
        return true;
    }
    // A number without its count would be believed of the next window, too.
    let whole = u32::try_from(window)
        .ok()
        .filter(|number| number >> 16 != 0);
    match whole {
        Some(number) => believed(&WINDOWS, number, || is_members(window)),
        None => is_members(window),
    }
}

/// Whether a member may name this thread.
pub(super) fn may_name_thread(thread: u64) -> bool {
    // The kernel takes 32 bits.
    let id = thread as u32;
    id == 0
        || u64::from(id) == membership::own_thread()
        || believed(&THREADS, id, || is_members_thread(id))
}

/// Whether a member may name this process.
pub(super) fn may_name_process(process: u64) -> bool {
    // The kernel takes 32 bits.
    let id = process as u32;
    id == 0 || u64::from(id) == membership::own_process() || is_member(id)
}

fn is_members(window: u64) -> bool {
    let error = last_error();
    let owner = owner(window);
    let passes = u64::from(owner) == membership::own_process()
        || (owner != 0 && is_member(owner))
        || (owner == 0 && is_desktops(window));
    set_last_error(error);
    passes
}

/// Records a call that names a window or thread of another process: not what a program does with
/// its own windows. A window's owner is asked for once in a moment.
#[cold]
pub(super) fn tell(call: &str, named: Named, number: u64, verdict: Verdict) {
    let owner = match named {
        Named::Window if is_special(number) => return,
        Named::Window => {
            let error = last_error();
            let is_own = || u64::from(owner(number)) == membership::own_process();
            let is_own = believed(&OWN, number as u32, is_own);
            let owner = if is_own { 0 } else { owner(number) };
            set_last_error(error);
            if is_own || owner == 0 {
                return;
            }
            owner
        }
        Named::Process if u64::from(number as u32) != membership::own_process() => number as u32,
        Named::Thread | Named::Owner | Named::WindowAt8 if verdict == Verdict::Absent => 0,
        _ => return,
    };
    trace::of_window(call, number, verdict, owner);
}

/// The process that owns the window; 0 when there is no such window, or it is a
/// desktop's that nobody owns.
fn owner(window: u64) -> u32 {
    /// `WindowProcess` (ntuser.h of Wine 10, phnt's).
    const PROCESS: u64 = 0;
    /// `NtUserCallHwndParam_GetWindowThread` (ntuser.h of Wine 8.0), which has no
    /// `NtUserQueryWindow`.
    const WINDOW_THREAD: u32 = 17;
    type Query = unsafe extern "system" fn(u64, u64) -> u64;
    type CallParam = unsafe extern "system" fn(u64, *mut u32, u32) -> u64;
    if !is_wine_8() {
        // SAFETY: the kept stub takes a window and a class.
        let query: Query =
            unsafe { core::mem::transmute(kept(const { guarded::index("NtUserQueryWindow") })) };
        // SAFETY: takes numbers.
        return unsafe { query(window, PROCESS) } as u32;
    }
    let at = kept(const { guarded::index("NtUserCallHwndParam") });
    // SAFETY: the kept stub takes a window, a parameter and a code.
    let call: CallParam = unsafe { core::mem::transmute(at) };
    let mut process = 0;
    // SAFETY: with this code the parameter is a place for the process's id.
    unsafe { call(window, &raw mut process, WINDOW_THREAD) };
    process
}

/// Whether the window is that of the caller's own desktop, which no member owns. On
/// Windows any desktop's is: the kernel keeps desktops apart.
pub(super) fn is_desktops(window: u64) -> bool {
    /// `GA_PARENT` (winuser.h).
    const PARENT: u32 = 1;
    if hooks::is_wine() {
        /// `NtUserCallNoParam_GetDesktopWindow` (ntuser.h of Wine 8.0 and 10.0).
        const DESKTOP_WINDOW: u32 = 1;
        // SAFETY: takes a number.
        return unsafe { kernel::NtUserCallNoParam(DESKTOP_WINDOW) } as u64 == window;
    }
    type Ancestor = unsafe extern "system" fn(u64, u32) -> u64;
    // SAFETY: the kept stub takes a window and a number.
    let ancestor: Ancestor =
        unsafe { core::mem::transmute(kept(const { guarded::index("NtUserGetAncestor") })) };
    // SAFETY: takes numbers.
    unsafe { ancestor(window, PARENT) == 0 }
}

/// Whether the process of this id is a member now.
fn is_member(process: u32) -> bool {
    membership::lists(u64::from(process))
}

/// Whether the thread of this id is of a member. One that does not exist is
/// nobody's.
fn is_members_thread(thread: u32) -> bool {
    opening::hold_thread(u64::from(thread)).is_some()
}
