//! One call of the VM's service controller, and how its end reaches the
//! program: as the thread's last error.

use crate::api::heap::Block;
use crate::supervisor::Connection;
use crate::trace;
use core::ffi::c_void;
use pinion_nt::calls::RtlSetLastWin32Error;
use pinion_wire::message::{MESSAGE, Reply, Request};
use pinion_wire::services::{ServiceReply, ServiceRequest};
use pinion_wire::trace::{Peer, Verdict};
use windows_sys::Win32::Foundation::{
    ERROR_INVALID_DATA, ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY,
};
use windows_sys::Win32::System::Rpc::RPC_S_SERVER_UNAVAILABLE;

/// A result with a Win32 error code.
pub(super) type Result<T> = core::result::Result<T, u32>;

/// Room for one message with its length.
pub(super) const ROOM: usize = MESSAGE + 4;

/// Asks the controller and gives its answer, unless it is an error, to `take`.
/// No two calls share a connection at one time: a start that takes long holds up
/// no other thread.
pub(super) fn call<R>(
    request: ServiceRequest<'_>,
    take: impl FnOnce(ServiceReply<'_>) -> Result<R>,
) -> Result<R> {
    let mut block = Block::new(ROOM).ok_or(ERROR_NOT_ENOUGH_MEMORY)?;
    let ask = |connection: &Connection, block: &mut Block| {
        connection.send(&Request::Service(request.clone()), block.bytes())
    };
    let kept = Connection::kept().filter(|kept| ask(kept, &mut block).is_some());
    let connection = match kept {
        Some(kept) => kept,
        None => {
            let fresh = Connection::open().ok_or(RPC_S_SERVER_UNAVAILABLE as u32)?;
            ask(&fresh, &mut block).ok_or(ERROR_INVALID_PARAMETER)?;
            fresh
        }
    };
    let reply = connection.receive(block.bytes());
    if reply.is_some() {
        connection.keep();
    }
    if trace::is_on() {
        tell(&request, reply.as_ref());
    }
    match reply {
        Some(Reply::Service(ServiceReply::Error(error))) => Err(error),
        Some(Reply::Service(reply)) => take(reply),
        _ => Err(RPC_S_SERVER_UNAVAILABLE as u32),
    }
}

/// Records a request that names a service, or that starts, controls or deletes one.
#[cold]
fn tell(request: &ServiceRequest<'_>, reply: Option<&Reply<'_>>) {
    /// `NTSTATUS_FROM_WIN32` (ntstatus.h): an error of Win32 as a status.
    const OF_WIN32: u32 = 0xC007_0000;
    let (function, name) = match request {
        ServiceRequest::OpenService { name, .. } => ("OpenServiceW", Some(name)),
        ServiceRequest::Create { name, .. } => ("CreateServiceW", Some(name)),
        ServiceRequest::Start { .. } => ("StartServiceW", None),
        ServiceRequest::Control { .. } => ("ControlService", None),
        ServiceRequest::Delete { .. } => ("DeleteService", None),
        _ => return,
    };
    let status = match reply {
        Some(Reply::Service(ServiceReply::Error(error))) => OF_WIN32 | *error & 0xffff,
        Some(_) => 0,
        None => OF_WIN32 | RPC_S_SERVER_UNAVAILABLE as u32,
    };
    let mut units = [0; 128];
    let mut length = 0;
    if let Some(name) = name {
        for (place, unit) in units.iter_mut().zip(name.chunks_exact(2)) {
            if let [low, high] = unit {
                *place = u16::from_le_bytes([*low, *high]);
                length += 1;
            }
        }
    }
    let name = units.get(..length).unwrap_or(&[]);
    let (verdict, status) = (Verdict::Answered, status.cast_signed());
    trace::about(trace::call(function), status, verdict, Peer::None, name);
}

/// For an answer that says no more than that it was done.
pub(super) fn done(reply: ServiceReply<'_>) -> Result<()> {
    match reply {
        ServiceReply::Done => Ok(()),
        _ => unexpected(),
    }
}

/// For an answer that changes the service's key.
pub(super) fn changed(reply: ServiceReply<'_>) -> Result<()> {
    match reply {
        ServiceReply::Changed(change) => {
            super::keys::write(&change);
            Ok(())
        }
        _ => unexpected(),
    }
}

/// For an answer that is a handle.
pub(super) fn handle(reply: ServiceReply<'_>) -> Result<*mut c_void> {
    match reply {
        ServiceReply::Handle(value) => Ok(value as usize as *mut c_void),
        _ => unexpected(),
    }
}

/// For an answer of the wrong kind.
pub(super) fn unexpected<R>() -> Result<R> {
    Err(ERROR_INVALID_DATA)
}

/// A program's handle as the controller gave it.
pub(super) fn given(handle: *mut c_void) -> Result<u32> {
    match u32::try_from(handle as usize) {
        Ok(0) | Err(_) => Err(ERROR_INVALID_HANDLE),
        Ok(value) => Ok(value),
    }
}

/// Sets the thread's last error.
pub(super) fn set_last_error(error: u32) {
    // SAFETY: writes a field of the calling thread.
    unsafe { RtlSetLastWin32Error(error) };
}

/// A `BOOL` for the program, with the last error when it is `FALSE`.
pub(super) fn boolean(result: Result<()>) -> i32 {
    match result {
        Ok(()) => 1,
        Err(error) => {
            set_last_error(error);
            0
        }
    }
}

/// A handle for the program, with the last error when it is null.
pub(super) fn pointer(result: Result<*mut c_void>) -> *mut c_void {
    result.unwrap_or_else(|error| {
        set_last_error(error);
        core::ptr::null_mut()
    })
}
