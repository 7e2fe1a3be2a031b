//! On Wine a file that is no image of Windows would be started as a program of
//! Unix: outside of the VM's job, and without the agent. Here it is no program.
//!
//! `NtCreateUserProcess` of Wine 8.0 and 10.0 (dlls/ntdll/unix/process.c) makes an
//! image section of the file, and forks and executes what this calls no image. So
//! the same section is made before.

use super::raw::{self, How, OPEN, Owned};
use crate::hooks::{self, kept};
use pinion_nt::status::success;
use pinion_nt::{HANDLE, NTSTATUS};

/// A file that is an image. While this value lives nobody writes to it.
pub(super) struct Image {
    _section: Option<Owned>,
}

/// Judges the file that a new process is to be made of, by the name that the
/// kernel gets. On Windows the kernel does.
pub(super) fn judge(name: &[u16]) -> Result<Image, NTSTATUS> {
    const GENERIC_READ: u32 = 0x8000_0000;
    /// `SECTION_MAP_EXECUTE | SECTION_MAP_READ | SECTION_QUERY` (winnt.h).
    const ACCESS: u32 = 0xd;
    /// `PAGE_EXECUTE_READ` (winnt.h).
    const PROTECTION: u32 = 0x20;
    /// `SEC_IMAGE` (winnt.h).
    const SEC_IMAGE: u32 = 0x100_0000;
    if !hooks::is_wine() {
        return Ok(Image { _section: None });
    }
    let how = How {
        access: GENERIC_READ,
        attributes: 0,
        disposition: OPEN,
        options: raw::NON_DIRECTORY_FILE,
    };
    let file = raw::open(name, how)?;
    let mut section: HANDLE = core::ptr::null_mut();
    // SAFETY: a live handle and a local; the section has no name.
    let status = unsafe {
        kept::NtCreateSection(
            &raw mut section,
            ACCESS,
            core::ptr::null(),
            core::ptr::null(),
            PROTECTION,
            SEC_IMAGE,
            file.0,
        )
    };
    if success(status) {
        return Ok(Image {
            _section: Some(Owned(section)),
        });
    }
    Err(status)
}
