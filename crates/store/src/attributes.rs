//! Setting what a file is marked with.

use std::io;
use std::os::windows::ffi::OsStrExt;
use std::path::Path;

use windows_sys::Win32::Storage::FileSystem::SetFileAttributesW;

/// The attributes that can be set: read-only, hidden, system, archive, temporary, offline, not content
/// indexed (MS-FSCC 2.6).
const SETTABLE: u32 = 0x1 | 0x2 | 0x4 | 0x20 | 0x100 | 0x1000 | 0x2000;

/// Gives the file those of the attributes that can be set.
pub(crate) fn set(at: &Path, attributes: u32) -> io::Result<()> {
    let settable = attributes & SETTABLE;
    if settable == 0 {
        return Ok(());
    }
    let name: Vec<u16> = at.as_os_str().encode_wide().chain([0]).collect();
    // SAFETY: the name ends in a zero and lives over the call.
    if unsafe { SetFileAttributesW(name.as_ptr(), settable) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
