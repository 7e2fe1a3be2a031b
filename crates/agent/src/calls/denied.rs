//! Calls that act on the machine, its user or all programs at once: refused as
//! NT refuses them to a user without the privilege, whatever the host's user
//! may do.

use crate::{guard, state, trace};
use core::ffi::c_void;
use pinion_nt::NTSTATUS;
use pinion_nt::status::{STATUS_ACCESS_DENIED, STATUS_PRIVILEGE_NOT_HELD, STATUS_SUCCESS};
use pinion_wire::tally::Tally;
use pinion_wire::trace::Verdict;

/// `STATUS_DEBUGGER_INACTIVE` (ntstatus.h): no kernel debugger is attached.
const STATUS_DEBUGGER_INACTIVE: NTSTATUS = 0xC000_0354_u32 as i32;

fn refused(status: NTSTATUS) -> NTSTATUS {
    Tally::count(&state::tally().refused);
    trace::verdict(Verdict::Refused);
    status
}

/// `STATUS_PRIVILEGE_NOT_HELD`.
pub(crate) unsafe fn without_privilege() -> NTSTATUS {
    refused(STATUS_PRIVILEGE_NOT_HELD)
}

/// `STATUS_ACCESS_DENIED`.
pub(crate) unsafe fn access() -> NTSTATUS {
    refused(STATUS_ACCESS_DENIED)
}

/// The answer of `NtSystemDebugControl` where no debugger is attached.
pub(crate) unsafe fn no_debugger() -> NTSTATUS {
    refused(STATUS_DEBUGGER_INACTIVE)
}

/// As `NtRaiseHardError` where messages are switched off: nobody is shown
/// anything, and the caller goes on. The host's error port, which would show
/// the message on the user's desktop or stop the machine, is not asked.
pub(crate) unsafe fn hard_error(
    _status: NTSTATUS,
    _count: u32,
    _strings: u32,
    _parameters: *const c_void,
    option: u32,
    response: *mut u32,
) -> NTSTATUS {
    /// `OptionShutdownSystem`, `ResponseReturnToCaller` (phnt, ntexapi.h).
    const SHUT_DOWN: u32 = 6;
    const RETURN: u32 = 0;
    if option == SHUT_DOWN {
        return refused(STATUS_PRIVILEGE_NOT_HELD);
    }
    // SAFETY: the program's own pointer; a bad one is a return value.
    match unsafe { guard::write(response, RETURN) } {
        Ok(()) => refused(STATUS_SUCCESS),
        Err(status) => status,
    }
}
