//! The one place that knows what differs on Wine.

use crate::calls::LdrGetProcedureAddress;
use core::ffi::{CStr, c_char, c_void};

/// The export of ntdll that only Wine has.
pub const VERSION_EXPORT: &[u8] = b"wine_get_version";

/// `STRING` (ntdef.h), the counted 8-bit string.
#[repr(C)]
struct AnsiString {
    length: u16,
    maximum_length: u16,
    buffer: *const u8,
}

/// Wine's version, such as `8.0` or `10.0`; `None` on Windows. `ntdll` is the
/// address at which ntdll is mapped. Observed: ntdll exports
/// `wine_get_version` on Wine 8 and Wine 10; Windows has no such export.
///
/// # Safety
/// `ntdll` must be the module handle of this process's ntdll, and its loader
/// must have been initialised.
pub unsafe fn version(ntdll: *mut c_void) -> Option<&'static str> {
    // Wine 8 and Wine 10 read the buffer up to a zero and not by its length
    // (observed), so the zero is there.
    let name = c"wine_get_version";
    let string = AnsiString {
        length: name.count_bytes() as u16,
        maximum_length: name.to_bytes_with_nul().len() as u16,
        buffer: name.as_ptr().cast(),
    };
    let mut address: *mut c_void = core::ptr::null_mut();
    // SAFETY: the caller vouches for the module; the string lives on the stack.
    let status =
        unsafe { LdrGetProcedureAddress(ntdll, (&raw const string).cast(), 0, &raw mut address) };
    if status < 0 || address.is_null() {
        return None;
    }
    // SAFETY: Wine declares `const char * CDECL wine_get_version(void)`.
    let get: extern "C" fn() -> *const c_char = unsafe { core::mem::transmute(address) };
    // SAFETY: Wine returns a static NUL-terminated ASCII string.
    unsafe { CStr::from_ptr(get()) }.to_str().ok()
}
