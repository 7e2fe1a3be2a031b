//! What must hold of the system before a VM may start on it, and what `pinion doctor` tells of it.
//!
//! Looks at this process's own ntdll, as the agent is placed by it, and at win32u's file.

use windows_sys::Win32::Foundation::{ERROR_FILE_NOT_FOUND, ERROR_MOD_NOT_FOUND, FreeLibrary};
use windows_sys::Win32::System::LibraryLoader::{
    LOAD_LIBRARY_AS_IMAGE_RESOURCE, LOAD_LIBRARY_SEARCH_SYSTEM32, LoadLibraryExW,
};

use pinion_channels::Module;
use pinion_nt::status;

use crate::agent::{self, Agent};
use crate::error::{Error, Result};
use crate::survey::{Survey, survey};
use crate::system::{self, last_error, nt_error, wide};

/// Set to `1`, it lets VMs start on a system with calls that the catalogue does not know.
pub const ALLOW: &str = "PINION_ALLOW_UNKNOWN_CALLS";

/// Wine's version; none on Windows.
#[must_use]
pub fn wine_version() -> Option<&'static str> {
    system::wine_version()
}

/// Whether the agent is there and fit.
///
/// # Errors
/// [`Error::Agent`].
pub fn check_agent() -> Result<()> {
    Agent::load().map(|_| ())
}

/// Whether unknown calls are let by.
#[must_use]
pub fn allows_unknown_calls() -> bool {
    std::env::var_os(ALLOW).is_some_and(|value| value == "1")
}

/// What ntdll and win32u export as system calls. A system without win32u (Windows 7 and 8) has that of
/// ntdll alone.
///
/// # Errors
/// A DLL cannot be read.
pub fn surveys() -> Result<Vec<Survey>> {
    let (_, ntdll) = agent::ntdll()?;
    look_through(&ntdll)
}

fn look_through(ntdll: &[u8]) -> Result<Vec<Survey>> {
    let unreadable = |module: Module| {
        nt_error(
            format!("read {}", module.file()),
            status::STATUS_INVALID_IMAGE_FORMAT,
        )
    };
    let mut all = vec![survey(Module::Ntdll, ntdll).ok_or_else(|| unreadable(Module::Ntdll))?];
    if let Some(win32u) = mapped(Module::Win32u)? {
        all.push(survey(Module::Win32u, &win32u).ok_or_else(|| unreadable(Module::Win32u))?);
    }
    Ok(all)
}

/// Keeps a VM from starting where a call may lead out of it.
///
/// # Errors
/// [`Error::UnknownCalls`]; that a DLL cannot be read.
pub(crate) fn refuse_unknown_calls(ntdll: &[u8]) -> Result<()> {
    let surveys = look_through(ntdll)?;
    let names: Vec<_> = surveys
        .iter()
        .flat_map(|survey| &survey.unknown)
        .filter(|unknown| unknown.suspicion.is_some())
        .map(|unknown| unknown.name.as_str())
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    if allows_unknown_calls() {
        tracing::warn!(?names, "system calls that are not known are let by");
        return Ok(());
    }
    Err(Error::UnknownCalls {
        names: names.join(", "),
    })
}

/// A copy of a DLL of the system as it would be mapped, without running any of it; none when the system
/// has no such file.
fn mapped(module: Module) -> Result<Option<Vec<u8>>> {
    let file = wide(module.file());
    let flags = LOAD_LIBRARY_AS_IMAGE_RESOURCE | LOAD_LIBRARY_SEARCH_SYSTEM32;
    // SAFETY: a zero-terminated name; nothing of the DLL runs.
    let handle = unsafe { LoadLibraryExW(file.as_ptr(), std::ptr::null_mut(), flags) };
    if handle.is_null() {
        let error = last_error(format!("read {}", module.file()));
        let code = match &error {
            Error::System { why, .. } => why.raw_os_error().unwrap_or(0).cast_unsigned(),
            _ => 0,
        };
        return match code {
            ERROR_FILE_NOT_FOUND | ERROR_MOD_NOT_FOUND => Ok(None),
            _ => Err(error),
        };
    }
    // The lowest bits of such a handle say how it was mapped.
    let copy = agent::copy_of(handle.addr() & !3);
    // SAFETY: the handle is this function's own.
    unsafe { FreeLibrary(handle) };
    copy.map(Some)
}
