//! WNF states, trace sessions, power and the cache of compatibility data: one
//! of each for the whole machine. What the system tells may be read; nothing is
//! published, started or changed. `pinion_policy` decides.
//!
//! The declarations are phnt's. Wine 8 and 10 have `NtTraceControl`, which does
//! nothing, and `NtPowerInformation`; the others were never run.

use super::denied;
use crate::guard;
use crate::hooks::kept;
use core::ffi::c_void;
use pinion_nt::NTSTATUS;
use pinion_nt::status::STATUS_OBJECT_NAME_NOT_FOUND;
use pinion_policy::{control, state_name};

/// Runs `call` with the state name at `name`, read once, where it may be read;
/// otherwise the state is not there.
fn with_readable(name: *const u64, call: impl Fn(*const u64) -> NTSTATUS) -> NTSTATUS {
    // SAFETY: plain data; a bad pointer is a return value.
    match unsafe { guard::read(name) } {
        Ok(name) if state_name::may_be_read(name) => call(&raw const name),
        Ok(_) => STATUS_OBJECT_NAME_NOT_FOUND,
        Err(status) => status,
    }
}

/// As `NtQueryWnfStateData`, of the system's own states.
pub(crate) unsafe fn query_state(
    name: *const u64,
    kind: *const c_void,
    scope: *const c_void,
    stamp: *mut u32,
    buffer: *mut c_void,
    size: *mut u32,
) -> NTSTATUS {
    with_readable(name, |name| {
        // SAFETY: the program's arguments but for the name, which is a copy.
        unsafe { kept::NtQueryWnfStateData(name, kind, scope, stamp, buffer, size) }
    })
}

/// As `NtQueryWnfStateNameInformation`, of the system's own states.
pub(crate) unsafe fn query_state_name(
    name: *const u64,
    class: u32,
    scope: *const c_void,
    buffer: *mut c_void,
    size: u32,
) -> NTSTATUS {
    with_readable(name, |name| {
        // SAFETY: the program's arguments but for the name, which is a copy.
        unsafe { kept::NtQueryWnfStateNameInformation(name, class, scope, buffer, size) }
    })
}

/// As `NtSubscribeWnfStateChange`, to the system's own states.
pub(crate) unsafe fn subscribe(
    name: *const u64,
    stamp: u32,
    mask: u32,
    subscription: *mut u64,
) -> NTSTATUS {
    with_readable(name, |name| {
        // SAFETY: the program's arguments but for the name, which is a copy.
        unsafe { kept::NtSubscribeWnfStateChange(name, stamp, mask, subscription) }
    })
}

/// As `NtTraceControl`, for what makes the process a provider of events.
pub(crate) unsafe fn trace(
    code: u32,
    input: *const c_void,
    input_size: u32,
    output: *mut c_void,
    output_size: u32,
    returned: *mut u32,
) -> NTSTATUS {
    if !control::trace_passes(code) {
        // SAFETY: takes no argument.
        return unsafe { denied::access() };
    }
    // SAFETY: the program's own arguments.
    unsafe { kept::NtTraceControl(code, input, input_size, output, output_size, returned) }
}

/// As `NtPowerInformation`, for reading and for requests to stay awake.
pub(crate) unsafe fn power(
    level: u32,
    input: *const c_void,
    input_size: u32,
    output: *mut c_void,
    output_size: u32,
) -> NTSTATUS {
    if !control::power_passes(level, !input.is_null()) {
        // SAFETY: takes no argument.
        return unsafe { denied::without_privilege() };
    }
    // SAFETY: the program's own arguments.
    unsafe { kept::NtPowerInformation(level, input, input_size, output, output_size) }
}

/// As `NtApphelpCacheControl`, for looking up.
pub(crate) unsafe fn compatibility(class: u32, data: *mut c_void) -> NTSTATUS {
    if !control::compatibility_passes(class) {
        // SAFETY: takes no argument.
        return unsafe { denied::access() };
    }
    // SAFETY: the program's own arguments.
    unsafe { kept::NtApphelpCacheControl(class, data) }
}
