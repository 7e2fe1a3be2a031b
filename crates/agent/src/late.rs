//! What must wait until the heap and the loader are up, done in the first hook
//! that finds them so: the guard's handler, the agent's unwind data, the
//! loader's notifications.

use crate::{api, guard, modules, state, user};
use core::ffi::c_void;
use core::sync::atomic::{AtomicU8, Ordering};
use pinion_nt::UNICODE_STRING;
use pinion_nt::calls::LdrRegisterDllNotification;

const WAITING: u8 = 0;
const RUNNING: u8 = 1;
const DONE: u8 = 2;

static STAGE: AtomicU8 = AtomicU8::new(WAITING);

/// Does the late work once the process is ready for it.
#[inline]
pub(crate) fn ensure() {
    if STAGE.load(Ordering::Relaxed) != DONE {
        attempt();
    }
}

#[cold]
fn attempt() {
    let ready = modules::loader_is_up();
    let order = Ordering::Relaxed;
    if !ready
        || STAGE
            .compare_exchange(WAITING, RUNNING, order, order)
            .is_err()
    {
        return;
    }
    guard::arm();
    modules::add_unwind_data(state::boot().agent_base);
    // SAFETY: the callback is a static function of the documented type
    // (LdrDllNotification, winternl documentation).
    unsafe {
        let mut cookie = core::ptr::null_mut();
        LdrRegisterDllNotification(
            0,
            notified as *const c_void,
            core::ptr::null_mut(),
            &raw mut cookie,
        );
    }
    modules::each(loaded);
    STAGE.store(DONE, Ordering::Relaxed);
}

/// `LDR_DLL_NOTIFICATION_DATA`, the same for loaded and unloaded.
#[repr(C)]
struct Notification {
    flags: u32,
    full_name: *const UNICODE_STRING,
    base_name: *const UNICODE_STRING,
    base: *mut c_void,
    size: u32,
}

/// Called by the loader for each DLL before its TLS callbacks and DllMain.
unsafe extern "system" fn notified(reason: u32, data: *const Notification, _context: *mut c_void) {
    const LOADED: u32 = 1;
    if reason != LOADED {
        return;
    }
    // SAFETY: the loader passes valid data for the time of the call.
    let (data, name) = unsafe { (&*data, &*(*data).base_name) };
    // SAFETY: the loader's string is valid for the time of the call.
    let name = unsafe { core::slice::from_raw_parts(name.Buffer, name.Length as usize / 2) };
    loaded(name, data.base as u64, data.size as usize);
}

/// Called for each DLL before its own code runs: `name` is its base name,
/// `base` and `size` where it is mapped.
fn loaded(name: &[u16], base: u64, size: usize) {
    // What takes the place of exports answers by itself, for members only.
    if !state::watches() {
        api::loaded(name, base, size);
    }
    user::loaded(name, base, size);
}
