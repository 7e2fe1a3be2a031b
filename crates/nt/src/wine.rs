//! The one place that knows what differs on Wine.

use crate::calls::LdrGetProcedureAddress;
use core::ffi::{CStr, c_char, c_void};

/// The export of ntdll that only Wine has.
pub const VERSION_EXPORT: &[u8] = b"wine_get_version";

/// The first Wine whose server may be asked for the table of all handles. That
/// of Wine 8 runs past the end of a process's table that is empty, and ends with
/// a fault, and the prefix with it: a program that is started from Unix has none
/// for a moment. Seen on Wine 8.0 by a core file, inside and outside of VMs; in
/// the source (server/handle.c, `enum_handles`) it is mended in 10.0. What lies
/// between was not looked at.
pub const LISTS_HANDLES_SINCE: u32 = 10;

/// The first Wine whose server heeds the disposition of `NtCreateNamedPipeFile`:
/// that of Wine 8 has no field for it (server/named_pipe.c of 8.0 and 10.0). What
/// lies between was not looked at.
pub const HEEDS_PIPE_DISPOSITION_SINCE: u32 = 10;

/// The DLL whose `CreateNamedPipeW` leaves `FILE_FLAG_FIRST_PIPE_INSTANCE` out of
/// what it asks for (dlls/kernelbase/sync.c of 8.0 and 10.0); Windows' asks for
/// the disposition `FILE_CREATE`.
pub const FORGETS_FIRST_INSTANCE: &[u8] = b"kernelbase.dll";

/// Below which key of the user's and of the machine's Wine keeps secrets, in
/// their own form: stored credentials (dlls/advapi32/cred.c) and private keys
/// (dlls/rsaenh, dlls/dssenh).
pub const SECRETS_PARENT: &str = r"\Software\Wine";
/// The names of those keys of the user's.
pub const USER_SECRETS: &[&str] = &["Credential Manager", "Crypto"];
/// The names of those of the machine's.
pub const MACHINE_SECRETS: &[&str] = &["Crypto"];

/// The major number of a version such as `8.0`.
#[must_use]
pub fn major(version: &[u8]) -> Option<u32> {
    let digits = version.split(|byte| !byte.is_ascii_digit()).next()?;
    core::str::from_utf8(digits).ok()?.parse().ok()
}

/// The export of ntdll by which DLLs of Wine's own speak to the server. It is a
/// system call on Wine 8 only; on Wine 10 it is a function, which user32 does not
/// call (observed).
pub const SERVER_CALL: &[u8] = b"wine_server_call";

/// Exports of ntdll that the agent refuses whole and that are system calls on
/// Wine 8, plain code of more than 32 bytes on Wine 10 (observed): their shape
/// is not looked at, since nobody calls them as they were.
pub const PLAIN_CODE: &[&[u8]] = &[b"__wine_unix_spawnvp"];

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

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn the_major_number_is_read_up_to_the_dot() {
        assert_eq!(major(b"8.0\0Linux"), Some(8));
        assert_eq!(major(b"10.0-rc1"), Some(10));
        assert_eq!(major(b"11"), Some(11));
        for none in [&b""[..], b".5", b"x8", b"99999999999"] {
            assert_eq!(major(none), None);
        }
    }
}
