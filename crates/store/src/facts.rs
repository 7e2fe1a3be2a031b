//! What the system tells of one file itself, beyond what a listing has: its names, its exact times.

use std::io;
use std::path::Path;

/// One file of a system: two names of it have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FileId {
    /// The serial number of its volume.
    volume: u64,
    /// Its number there.
    number: u128,
}

/// What is told of a file. Times are in 100 ns since 1601.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Its size in bytes.
    pub(crate) size: u64,
    /// When it was written last.
    pub(crate) written: u64,
    /// When it was read last, as far as the system keeps that.
    pub(crate) accessed: u64,
    /// When anything of it was changed last.
    pub(crate) changed: u64,
    /// Which file it is, when it has more names than one (hard links), and how many it has.
    pub(crate) names: Option<(FileId, u32)>,
}

impl Facts {
    /// Size, last write and change, as the agent keeps them in the file of bases.
    pub(crate) fn stamp(&self) -> [u64; 3] {
        [self.size, self.written, self.changed]
    }
}

/// What is told of the file at `path`.
///
/// # Errors
/// It is not there, or cannot be asked.
#[cfg(windows)]
pub(crate) fn of(path: &Path) -> io::Result<Facts> {
    use std::os::windows::fs::OpenOptionsExt;
    use windows_sys::Win32::Storage::FileSystem::{
        BY_HANDLE_FILE_INFORMATION, FILE_BASIC_INFO, FILE_ID_INFO, FileBasicInfo, FileIdInfo,
        GetFileInformationByHandle,
    };
    const FILE_READ_ATTRIBUTES: u32 = 0x80;
    const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;
    let file = std::fs::OpenOptions::new()
        .access_mode(FILE_READ_ATTRIBUTES)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS)
        .open(path)?;
    // SAFETY: the structure is that of the class (winbase.h).
    let basic: FILE_BASIC_INFO = unsafe { ask(&file, FileBasicInfo) }?;
    let mut plain = BY_HANDLE_FILE_INFORMATION::default();
    let handle = std::os::windows::io::AsRawHandle::as_raw_handle(&file);
    // SAFETY: the handle is open, the structure outlives the call.
    if unsafe { GetFileInformationByHandle(handle, &raw mut plain) } == 0 {
        return Err(io::Error::last_os_error());
    }
    let wide = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
    let names = match plain.nNumberOfLinks {
        0 | 1 => None,
        count => {
            // SAFETY: the structure is that of the class (winbase.h).
            let id = unsafe { ask::<FILE_ID_INFO>(&file, FileIdInfo) };
            // A system older than the class has the short number, which is enough there.
            let short = wide(plain.nFileIndexHigh, plain.nFileIndexLow);
            let id = id.map_or(
                FileId {
                    volume: plain.dwVolumeSerialNumber.into(),
                    number: short.into(),
                },
                |id| FileId {
                    volume: id.VolumeSerialNumber,
                    number: u128::from_le_bytes(id.FileId.Identifier),
                },
            );
            Some((id, count))
        }
    };
    Ok(Facts {
        size: wide(plain.nFileSizeHigh, plain.nFileSizeLow),
        written: basic.LastWriteTime.cast_unsigned(),
        accessed: basic.LastAccessTime.cast_unsigned(),
        changed: basic.ChangeTime.cast_unsigned(),
        names,
    })
}

/// What the system tells of an open file in the class `class`.
///
/// # Safety
/// `T` is the plain structure of the class.
#[cfg(windows)]
unsafe fn ask<T: Default>(
    file: &std::fs::File,
    class: windows_sys::Win32::Storage::FileSystem::FILE_INFO_BY_HANDLE_CLASS,
) -> io::Result<T> {
    use std::os::windows::io::AsRawHandle;
    use windows_sys::Win32::Storage::FileSystem::GetFileInformationByHandleEx;
    let mut told = T::default();
    let size = size_of::<T>() as u32;
    // SAFETY: the structure is of the class's layout and size, as the caller promises.
    let done = unsafe {
        GetFileInformationByHandleEx(file.as_raw_handle(), class, (&raw mut told).cast(), size)
    };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(told)
}

/// What is told of the file at `path`.
#[cfg(not(windows))]
pub(crate) fn of(path: &Path) -> io::Result<Facts> {
    use std::os::unix::fs::MetadataExt;
    let data = std::fs::symlink_metadata(path)?;
    /// Seconds from 1601 to 1970.
    const TO_UNIX: i64 = 11_644_473_600;
    let ticks =
        |seconds: i64, nanos: i64| ((seconds + TO_UNIX) * 10_000_000 + nanos / 100).cast_unsigned();
    let id = FileId {
        volume: data.dev(),
        number: data.ino().into(),
    };
    let several = data.nlink() > 1 && !data.is_dir();
    Ok(Facts {
        size: data.len(),
        written: ticks(data.mtime(), data.mtime_nsec()),
        accessed: ticks(data.atime(), data.atime_nsec()),
        changed: ticks(data.ctime(), data.ctime_nsec()),
        names: several.then(|| (id, u32::try_from(data.nlink()).unwrap_or(u32::MAX))),
    })
}

/// Whether both paths are names of one file.
pub(crate) fn are_one(first: &Path, second: &Path) -> bool {
    let id = |path| of(path).ok().and_then(|facts| facts.names);
    id(first).is_some_and(|(first, _)| id(second).is_some_and(|(second, _)| first == second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_file_are_known_from_those_of_others() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two, other, pair] =
            ["one", "two", "other", "pair"].map(|name| folder.path().join(name));
        std::fs::write(&one, "1").unwrap();
        assert_eq!(of(&one).unwrap().names, None);
        std::fs::hard_link(&one, &two).unwrap();
        std::fs::write(&other, "1").unwrap();
        assert!(are_one(&one, &two) && !are_one(&one, &other));
        std::fs::hard_link(&other, &pair).unwrap();
        assert!(!are_one(&one, &other) && !are_one(&one, &folder.path().join("none")));
        assert_eq!(of(&two).unwrap().names.map(|(_, count)| count), Some(2));
        assert_eq!(of(&two).unwrap().size, 1);
    }
}
