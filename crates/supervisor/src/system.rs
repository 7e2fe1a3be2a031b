//! Small help around Win32 calls: errors, strings, handles.

use std::ffi::CStr;
use std::io;
use std::os::windows::io::{FromRawHandle, OwnedHandle};

use pinion_nt::{HANDLE, NTSTATUS};
use windows_sys::Win32::System::LibraryLoader::{GetProcAddress, LoadLibraryW};

use crate::error::{Error, Result};

/// The thread's last error as ours.
pub(crate) fn last_error(what: impl Into<String>) -> Error {
    let why = io::Error::last_os_error();
    Error::system(what, why)
}

/// An NTSTATUS as ours.
pub(crate) fn nt_error(what: impl Into<String>, status: NTSTATUS) -> Error {
    let why = io::Error::other(format!("NTSTATUS {status:#010x}"));
    Error::System {
        what: what.into(),
        why,
    }
}

/// Whether a Win32 call succeeded.
pub(crate) fn check(done: i32, what: impl Into<String>) -> Result<()> {
    if done == 0 {
        Err(last_error(what))
    } else {
        Ok(())
    }
}

/// The text in UTF-16 with a final zero.
pub(crate) fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// Takes over a fresh handle; null and -1 are failures.
///
/// # Safety
/// `handle` is null, -1 or a handle that nobody else closes, and the last error is of the call that
/// gave it.
pub(crate) unsafe fn own(handle: HANDLE, what: impl Into<String>) -> Result<OwnedHandle> {
    if handle.is_null() || handle.addr() == usize::MAX {
        return Err(last_error(what));
    }
    // SAFETY: the caller vouches for it.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// A function of a system DLL, found at run time: a VM that has no use for the DLL shall not load it.
pub(crate) fn at_run_time(
    library: &str,
    name: &CStr,
) -> Option<unsafe extern "system" fn() -> isize> {
    let library = wide(library);
    // SAFETY: a zero-terminated name of a system DLL, which is never unloaded; a zero-terminated name.
    unsafe {
        let module = LoadLibraryW(library.as_ptr());
        if module.is_null() {
            return None;
        }
        GetProcAddress(module, name.as_ptr().cast())
    }
}

/// The host's NetBIOS name.
pub(crate) fn computer_name() -> Result<String> {
    use windows_sys::Win32::System::WindowsProgramming::GetComputerNameW;
    let mut buffer = [0_u16; 64];
    let mut length = buffer.len() as u32;
    // SAFETY: the buffer has the length told.
    let done = unsafe { GetComputerNameW(buffer.as_mut_ptr(), &raw mut length) };
    check(done, "ask for the computer's name")?;
    Ok(String::from_utf16_lossy(
        buffer.get(..length as usize).unwrap_or_default(),
    ))
}

/// Wine's version; none on Windows.
pub(crate) fn wine_version() -> Option<&'static str> {
    use windows_sys::Win32::System::LibraryLoader::GetModuleHandleW;
    let name = wide("ntdll.dll");
    // SAFETY: a zero-terminated name.
    let ntdll = unsafe { GetModuleHandleW(name.as_ptr()) };
    if ntdll.is_null() {
        return None;
    }
    // SAFETY: ntdll's module handle, in a process that runs.
    unsafe { pinion_nt::wine::version(ntdll) }
}

/// Whether this Windows is a Wine.
pub(crate) fn is_wine() -> bool {
    wine_version().is_some()
}
