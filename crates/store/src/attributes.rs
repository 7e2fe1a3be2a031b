//! Setting what a file is marked with: attributes and times.

use std::fs::File;
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::AsRawHandle;
use std::path::Path;

use windows_sys::Win32::Storage::FileSystem::{
    FILE_BASIC_INFO, FileBasicInfo, SetFileAttributesW, SetFileInformationByHandle,
};

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

/// Gives the file at `at`, itself and not what a link leads to, its times (made, read, written, changed; in
/// 100 ns since 1601, 0 leaves one as it is) and those of the attributes that can be set.
pub(crate) fn describe(at: &Path, times: [i64; 4], attributes: u32) -> io::Result<()> {
    const FILE_WRITE_ATTRIBUTES: u32 = 0x100;
    const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;
    const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;
    /// Wine 10 takes 0 for no attributes at all, NT for no change (observed).
    const NORMAL: u32 = 0x80;
    let file = File::options()
        .access_mode(FILE_WRITE_ATTRIBUTES)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT)
        .open(at)?;
    let [created, accessed, written, changed] = times;
    let settable = attributes & SETTABLE;
    let basic = FILE_BASIC_INFO {
        CreationTime: created,
        LastAccessTime: accessed,
        LastWriteTime: written,
        ChangeTime: changed,
        FileAttributes: if settable == 0 { NORMAL } else { settable },
    };
    // SAFETY: the structure is that of the class (winbase.h), and lives over the call.
    let set = unsafe {
        SetFileInformationByHandle(
            file.as_raw_handle(),
            FileBasicInfo,
            (&raw const basic).cast(),
            size_of::<FILE_BASIC_INFO>() as u32,
        )
    };
    if set == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
