//! The service API of a client: waiting for a state of a service.

use super::call::{Result, call, given, unexpected};
use core::ffi::c_void;
use pinion_nt::calls::NtWaitForSingleObject;
use pinion_wire::services::{ServiceReply, ServiceRequest};
use windows_sys::Win32::Foundation::{ERROR_CANCELLED, ERROR_INVALID_PARAMETER, ERROR_TIMEOUT};

/// The longest that one request waits, in milliseconds: where there is an event that
/// breaks it off, it is looked at in between.
const PART: u32 = 2_000;
const PART_WITH_EVENT: u32 = 50;

/// What may be waited for: `SERVICE_NOTIFY_STOPPED` to `SERVICE_NOTIFY_PAUSED`.
const STATES: u32 = 0x7f;

/// As `WaitServiceState`, which returns its error.
pub(super) unsafe extern "system" fn state(
    service: *mut c_void,
    mask: u32,
    time: u32,
    cancel: *mut c_void,
) -> u32 {
    wait(service, mask, time, cancel).err().unwrap_or(0)
}

fn wait(service: *mut c_void, mask: u32, time: u32, cancel: *mut c_void) -> Result<()> {
    let service = given(service)?;
    if mask == 0 || mask & !STATES != 0 {
        return Err(ERROR_INVALID_PARAMETER);
    }
    let part = if cancel.is_null() {
        PART
    } else {
        PART_WITH_EVENT
    };
    let mut left = time;
    loop {
        let time = part.min(left);
        let request = ServiceRequest::WaitState {
            service,
            mask,
            time,
        };
        let now = call(request, |reply| match reply {
            ServiceReply::Status(now) => Ok(now),
            _ => unexpected(),
        })?;
        // The states are numbered as their bits are (winsvc.h).
        if (1..=7).contains(&now.state) && mask & (1 << (now.state - 1)) != 0 {
            return Ok(());
        }
        if is_set(cancel) {
            return Err(ERROR_CANCELLED);
        }
        // INFINITE does not grow less.
        if left != u32::MAX {
            left -= time;
        }
        if left == 0 {
            return Err(ERROR_TIMEOUT);
        }
    }
}

/// Whether the program's event, if there is one, is set. It is not waited for.
fn is_set(event: *mut c_void) -> bool {
    let now = 0_i64;
    // SAFETY: the program's own handle, and a local time.
    !event.is_null() && unsafe { NtWaitForSingleObject(event, 0, &raw const now) } == 0
}
