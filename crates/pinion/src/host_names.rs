//! Whether the host has a name: asked as a program of the host, with the least access and
//! without connecting to anything.

use windows_sys::Win32::Foundation::{
    CloseHandle, ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND, GetLastError, HANDLE,
};
use windows_sys::Win32::System::Memory::{FILE_MAP_READ, OpenFileMappingW};
use windows_sys::Win32::System::Pipes::WaitNamedPipeW;
use windows_sys::Win32::System::Threading::{
    OpenEventW, OpenMutexW, OpenSemaphoreW, OpenWaitableTimerW, SYNCHRONIZATION_SYNCHRONIZE,
};

/// A name as Win32 has it, that a call of NT was given.
pub fn win32(call: &str, asked: &str) -> Option<String> {
    if is_pipe(call) {
        let rest = strip(asked, r"\??\pipe\").or_else(|| strip(asked, r"\Device\NamedPipe\"))?;
        return Some(format!(r"\\.\pipe\{rest}"));
    }
    if let Some(leaf) = strip(asked, r"\BaseNamedObjects\") {
        return Some(format!(r"Global\{leaf}"));
    }
    if let Some(rest) = strip(asked, r"\Sessions\") {
        return rest
            .split_once('\\')
            .and_then(|(_, rest)| strip(rest, r"BaseNamedObjects\"))
            .map(str::to_owned);
    }
    (!asked.starts_with('\\')).then(|| asked.to_owned())
}

fn strip<'t>(text: &'t str, begin: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(begin.len())?;
    head.eq_ignore_ascii_case(begin).then_some(rest)
}

fn is_pipe(call: &str) -> bool {
    matches!(call, "NtCreateFile" | "NtOpenFile" | "NtFsControlFile")
}

/// Whether the host has what the call was to open; none where that cannot be asked.
pub fn has(call: &str, asked: &str) -> Option<bool> {
    let name = win32(call, asked)?;
    let name: Vec<u16> = name.encode_utf16().chain([0]).collect();
    let name = name.as_ptr();
    const ACCESS: u32 = SYNCHRONIZATION_SYNCHRONIZE;
    let opened: HANDLE = match call {
        // SAFETY: the name ends with a zero and lives over the call.
        "NtOpenMutant" => unsafe { OpenMutexW(ACCESS, 0, name) },
        // SAFETY: the name ends with a zero and lives over the call.
        "NtOpenEvent" => unsafe { OpenEventW(ACCESS, 0, name) },
        // SAFETY: the name ends with a zero and lives over the call.
        "NtOpenSemaphore" => unsafe { OpenSemaphoreW(ACCESS, 0, name) },
        // SAFETY: the name ends with a zero and lives over the call.
        "NtOpenTimer" => unsafe { OpenWaitableTimerW(ACCESS, 0, name) },
        // SAFETY: the name ends with a zero and lives over the call.
        "NtOpenSection" => unsafe { OpenFileMappingW(FILE_MAP_READ, 0, name) },
        call if is_pipe(call) => {
            // SAFETY: the name ends with a zero and lives over the call.
            return Some(unsafe { WaitNamedPipeW(name, 1) } != 0 || is_there());
        }
        _ => return None,
    };
    if opened.is_null() {
        return Some(is_there());
    }
    // SAFETY: opened above and closed once.
    unsafe { CloseHandle(opened) };
    Some(true)
}

/// Whether the last call failed for another reason than that there is none.
fn is_there() -> bool {
    // SAFETY: takes nothing.
    let error = unsafe { GetLastError() };
    !matches!(error, ERROR_FILE_NOT_FOUND | ERROR_PATH_NOT_FOUND)
}
