//! The service API of a client: who may do what with a service. In a VM every
//! member may do everything with every service, and that is what is told.

use super::call::{Result, boolean, given};
use super::client;
use core::ffi::c_void;
use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_ADDRESS,
};

/// `SECURITY_DESCRIPTOR_RELATIVE` (winnt.h) with nothing after it.
#[repr(C)]
struct Descriptor {
    revision: u8,
    zero: u8,
    control: u16,
    owner: u32,
    group: u32,
    sacl: u32,
    dacl: u32,
}

/// `DACL_SECURITY_INFORMATION`, `SE_DACL_PRESENT`, `SE_SELF_RELATIVE` (winnt.h).
const DACL: u32 = 4;
const DACL_PRESENT: u16 = 0x4;
const SELF_RELATIVE: u16 = 0x8000;

/// As `QueryServiceObjectSecurity`: no owner and no group, and an access list
/// that is none, which means that everyone has every right (winnt.h; Microsoft,
/// "Null DACLs and empty DACLs").
pub(super) unsafe extern "system" fn query(
    service: *mut c_void,
    information: u32,
    descriptor: *mut c_void,
    size: u32,
    needed: *mut u32,
) -> i32 {
    const SIZE: u32 = size_of::<Descriptor>() as u32;
    let answer = || -> Result<()> {
        let service = given(service)?;
        if needed.is_null() {
            return Err(ERROR_INVALID_ADDRESS);
        }
        match client::ask(service) {
            // One that may not ask for the status is a service's handle still.
            Ok(_) | Err(ERROR_ACCESS_DENIED) => {}
            Err(error) => return Err(error),
        }
        // SAFETY: the program's own variable.
        unsafe { needed.write_unaligned(SIZE) };
        if size < SIZE || descriptor.is_null() {
            return Err(ERROR_INSUFFICIENT_BUFFER);
        }
        let present = if information & DACL == 0 {
            0
        } else {
            DACL_PRESENT
        };
        let none = Descriptor {
            revision: 1,
            zero: 0,
            control: SELF_RELATIVE | present,
            owner: 0,
            group: 0,
            sacl: 0,
            dacl: 0,
        };
        // SAFETY: the program's own buffer, large enough as it says.
        unsafe { descriptor.cast::<Descriptor>().write_unaligned(none) };
        Ok(())
    };
    boolean(answer())
}
