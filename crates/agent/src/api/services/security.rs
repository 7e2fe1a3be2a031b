//! The service API of a client: who may do what with a service.

use super::call::{Result, boolean, call, changed, given, unexpected};
use core::ffi::c_void;
use pinion_nt::calls::RtlMakeSelfRelativeSD;
use pinion_wire::services::{ServiceReply, ServiceRequest};
use windows_sys::Win32::Foundation::{
    ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_ADDRESS, ERROR_INVALID_SECURITY_DESCR,
    ERROR_NOT_ENOUGH_MEMORY,
};

use crate::api::heap::Block;

/// Longest descriptor that is given to the controller, which allows no longer one.
const LONGEST: u32 = 8192;

/// As `QueryServiceObjectSecurity`.
pub(super) unsafe extern "system" fn query(
    service: *mut c_void,
    information: u32,
    descriptor: *mut c_void,
    size: u32,
    needed: *mut u32,
) -> i32 {
    let answer = || -> Result<()> {
        let service = given(service)?;
        if needed.is_null() {
            return Err(ERROR_INVALID_ADDRESS);
        }
        let request = ServiceRequest::Security {
            service,
            information,
        };
        call(request, |reply| {
            let ServiceReply::Security(bytes) = reply else {
                return unexpected();
            };
            let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            // SAFETY: the program's own variable.
            unsafe { needed.write_unaligned(length) };
            if size < length || descriptor.is_null() {
                return Err(ERROR_INSUFFICIENT_BUFFER);
            }
            // SAFETY: the program's own buffer, large enough as it says.
            unsafe {
                core::ptr::copy_nonoverlapping(bytes.as_ptr(), descriptor.cast(), bytes.len());
            }
            Ok(())
        })
    };
    boolean(answer())
}

/// As `SetServiceObjectSecurity`.
pub(super) unsafe extern "system" fn set(
    service: *mut c_void,
    information: u32,
    descriptor: *mut c_void,
) -> i32 {
    let answer = || -> Result<()> {
        let service = given(service)?;
        if descriptor.is_null() {
            return Err(ERROR_INVALID_ADDRESS);
        }
        let mut block = Block::new(LONGEST as usize).ok_or(ERROR_NOT_ENOUGH_MEMORY)?;
        let room = block.bytes();
        let mut length = LONGEST;
        // SAFETY: the program's own descriptor, which it may have made of pointers; the
        // room has the length told.
        let status =
            unsafe { RtlMakeSelfRelativeSD(descriptor, room.as_mut_ptr().cast(), &raw mut length) };
        let given = room.get(..length as usize).filter(|_| status >= 0);
        let request = ServiceRequest::SetSecurity {
            service,
            information,
            descriptor: given.ok_or(ERROR_INVALID_SECURITY_DESCR)?,
        };
        call(request, changed)
    };
    boolean(answer())
}
