//! The service API of a client: the lock on the database, which advapi32 has. On Wine
//! its functions there do nothing (observed on Wine 8 and 10).

use super::call::{self, Result, boolean, call, done, given, pointer, unexpected};
use core::ffi::c_void;
use pinion_wire::services::{ServiceReply, ServiceRequest};
use windows_sys::Win32::Foundation::{
    ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_ADDRESS, ERROR_INVALID_SERVICE_LOCK,
};
use windows_sys::Win32::System::Services::QUERY_SERVICE_LOCK_STATUSW;

/// As `LockServiceDatabase`.
pub(super) unsafe extern "system" fn lock(manager: *mut c_void) -> *mut c_void {
    pointer(given(manager).and_then(|manager| call(ServiceRequest::Lock { manager }, call::handle)))
}

/// As `UnlockServiceDatabase`.
pub(super) unsafe extern "system" fn unlock(lock: *mut c_void) -> i32 {
    let unlock = || -> Result<()> {
        let handle = given(lock).map_err(|_| ERROR_INVALID_SERVICE_LOCK)?;
        call(ServiceRequest::Close { handle }, done)
    };
    boolean(unlock())
}

/// As `QueryServiceLockStatusW` and, as the owner is nobody in either form, as
/// `QueryServiceLockStatusA`. How long is not told.
pub(super) unsafe extern "system" fn status(
    manager: *mut c_void,
    buffer: *mut QUERY_SERVICE_LOCK_STATUSW,
    size: u32,
    needed: *mut u32,
) -> i32 {
    /// The structure and an empty string of either form.
    const SIZE: u32 = size_of::<QUERY_SERVICE_LOCK_STATUSW>() as u32 + 2;
    let query = || -> Result<()> {
        let manager = given(manager)?;
        if needed.is_null() {
            return Err(ERROR_INVALID_ADDRESS);
        }
        let request = ServiceRequest::LockStatus { manager };
        let locked = call(request, |reply| match reply {
            ServiceReply::Handle(locked) => Ok(locked),
            _ => unexpected(),
        })?;
        // SAFETY: the program's own variable.
        unsafe { needed.write_unaligned(SIZE) };
        if size < SIZE || buffer.is_null() {
            return Err(ERROR_INSUFFICIENT_BUFFER);
        }
        // SAFETY: the program's own buffer, large enough as it says.
        unsafe {
            let owner = buffer.add(1).cast::<u16>();
            owner.write_unaligned(0);
            buffer.write_unaligned(QUERY_SERVICE_LOCK_STATUSW {
                fIsLocked: locked,
                lpLockOwner: owner,
                dwLockDuration: 0,
            });
        }
        Ok(())
    };
    boolean(query())
}
