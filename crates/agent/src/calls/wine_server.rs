//! `wine_server_call`, by which Wine's DLLs speak to the server of all VMs
//! themselves: what user32 of Wine 8.0 asks so, instead of by win32u.
//!
//! A window must be a member's, as in win32u's own calls, and the window
//! stations listed are the VM's. What else a program asks by this call is not confined:
//! Wine's DLLs do, and a request has no more than a number for its kind.

use crate::hooks::kept;
use crate::{guard, user};
use core::ffi::c_void;
use pinion_nt::NTSTATUS;
use pinion_nt::status::{STATUS_INVALID_HANDLE, STATUS_NO_MORE_ENTRIES};

/// The requests of Wine 8.0 (the order of its server/protocol.def).
mod request {
    pub(super) const IS_WINDOW_HUNG: u32 = 120;
    pub(super) const GET_WINDOW_INFO: u32 = 138;
    pub(super) const GET_WINDOW_CHILDREN: u32 = 142;
    pub(super) const GET_WINDOW_PROPERTIES: u32 = 160;
    pub(super) const ENUM_WINSTATION: u32 = 166;
}

/// What begins every request: its kind, the sizes of what it sends and takes
/// (`request_header`, wine/server_protocol.h), and its first two fields.
#[repr(C)]
#[derive(Clone, Copy)]
struct Head {
    kind: u32,
    sent: u32,
    taken: u32,
    first: u32,
    second: u32,
}

/// As `wine_server_call`.
pub(crate) unsafe fn call(request: *mut c_void) -> NTSTATUS {
    // SAFETY: plain data; a bad pointer is a return value, and the call's affair.
    let head = unsafe { guard::read(request.cast::<Head>()) };
    if let Ok(head) = head
        && user::is_wine_8()
    {
        let window = match head.kind {
            request::ENUM_WINSTATION => return list_station(request, &head),
            request::GET_WINDOW_CHILDREN => return children(request, &head),
            request::IS_WINDOW_HUNG | request::GET_WINDOW_INFO | request::GET_WINDOW_PROPERTIES => {
                head.first
            }
            _ => 0,
        };
        if window != 0 && !user::may_name(u64::from(window)) {
            return STATUS_INVALID_HANDLE;
        }
    }
    // SAFETY: the program's own argument.
    unsafe { kept::wine_server_call(request) }
}

/// Where the place for what is answered is told, after the largest request and a
/// count (`__server_request_info`, wine/server.h of Wine 8.0).
const PLACE: usize = 72;

/// As `get_window_children`: of a member's window, and members' only.
fn children(request: *mut c_void, head: &Head) -> NTSTATUS {
    /// `reply_header` and how many there are.
    type Reply = [u32; 3];
    if head.second != 0 && !user::may_list(u64::from(head.second)) {
        return STATUS_INVALID_HANDLE;
    }
    // SAFETY: the program's own argument.
    let status = unsafe { kept::wine_server_call(request) };
    if status != 0 {
        return status;
    }
    // SAFETY: the program's memory, under guard.
    let told = unsafe {
        (|| {
            let [error, size, all] = guard::read(request.cast::<Reply>())?;
            let place = guard::read(request.wrapping_byte_add(PLACE).cast::<*mut u32>())?;
            // Who has no room for all asks anew.
            if all > head.taken / 4 {
                return Ok(());
            }
            let kept = user::keep_members(place, all)?;
            let size = if kept == all { size } else { kept * 4 };
            guard::write(request.cast::<Reply>(), [error, size, kept])
        })()
    };
    told.err().unwrap_or(status)
}

/// Answers with the name of the VM's window station of the asked number.
fn list_station(request: *mut c_void, head: &Head) -> NTSTATUS {
    /// `reply_header` and the number to go on with.
    type Reply = [u32; 3];
    let answer = user::with_station(head.first, |name| {
        let taken = size_of_val(name).min(head.taken as usize);
        let reply: Reply = [0, taken as u32, head.first + 1];
        // SAFETY: the program's memory, under guard.
        unsafe {
            let place = guard::read(request.wrapping_byte_add(PLACE).cast::<*mut c_void>())?;
            guard::copy(place, name.as_ptr().cast(), taken)?;
            guard::write(request.cast::<Reply>(), reply)
        }
    });
    match answer {
        Some(Ok(())) => 0,
        Some(Err(status)) => status,
        None => STATUS_NO_MORE_ENTRIES,
    }
}
