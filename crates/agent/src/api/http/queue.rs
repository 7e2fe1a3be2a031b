//! `HttpCreateRequestQueue`: the name of a queue is the VM's own, whether it is
//! made, opened, or made to be controlled.

use super::Export;
use super::decision::length;
use crate::state;
use crate::trace::Http;
use core::ffi::c_void;
use pinion_names::request_queue::{LONGEST, map};
use pinion_nt::HANDLE;
use pinion_wire::trace::{NO_RULE, Verdict};
use windows_sys::Win32::Foundation::ERROR_INVALID_PARAMETER;

/// As `HttpCreateRequestQueue` (http.h). `version` is an `HTTPAPI_VERSION`, two words
/// in one register.
pub(super) unsafe extern "system" fn create(
    version: u32,
    name: *const u16,
    security: *const c_void,
    flags: u32,
    queue: *mut HANDLE,
) -> u32 {
    type Create =
        unsafe extern "system" fn(u32, *const u16, *const c_void, u32, *mut HANDLE) -> u32;
    let export = Export::HttpCreateRequestQueue;
    let call = |name: *const u16| {
        // SAFETY: the export's own type, and the program's arguments but for the name.
        unsafe { export.original::<Create>()(version, name, security, flags, queue) }
    };
    // SAFETY: the program vouches for its text to the export.
    if name.is_null() || unsafe { name.read_unaligned() } == 0 {
        return call(name);
    }
    let (mut asked, mut real) = ([0; LONGEST], [0; LONGEST + 1]);
    // SAFETY: as above.
    let asked = unsafe { length(name) }.and_then(|length| asked.get_mut(..length));
    let Some(asked) = asked else {
        return ERROR_INVALID_PARAMETER;
    };
    for (at, unit) in asked.iter_mut().enumerate() {
        // SAFETY: before the zero that `length` found.
        *unit = unsafe { name.add(at).read_unaligned() };
    }
    let Ok(length) = map(state::page().id, asked, &mut real) else {
        return ERROR_INVALID_PARAMETER;
    };
    let error = call(real.as_ptr());
    let given = real.get(..length).unwrap_or(&[]);
    export.record(error, Http::new(asked, given, NO_RULE, Verdict::Private));
    error
}
