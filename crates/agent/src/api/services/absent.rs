//! The service API that the VM's controller does not serve yet. It fails with
//! `ERROR_CALL_NOT_IMPLEMENTED` and never reaches the host's controller.

use super::call::boolean;
use core::ffi::c_void;
use windows_sys::Win32::Foundation::ERROR_CALL_NOT_IMPLEMENTED;

/// As `SetServiceObjectSecurity`.
pub(super) unsafe extern "system" fn set_security(
    _service: *mut c_void,
    _information: u32,
    _descriptor: *mut c_void,
) -> i32 {
    boolean(Err(ERROR_CALL_NOT_IMPLEMENTED))
}

/// As `WaitServiceState`, which returns its error.
pub(super) unsafe extern "system" fn wait_state(
    _service: *mut c_void,
    _notify: u32,
    _timeout: u32,
    _cancel: *mut c_void,
) -> u32 {
    ERROR_CALL_NOT_IMPLEMENTED
}
