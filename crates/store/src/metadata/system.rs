//! What Windows has of these. Streams are files of their own, `path:name`; the list of them and the short
//! name are asked for by `NtQueryInformationFile`, the owner is of the security descriptor.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::AsRawHandle;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use pinion_nt::{NTSTATUS, status};
use windows_sys::Wdk::Storage::FileSystem::{NtQueryInformationFile, NtSetInformationFile};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;
use windows_sys::Win32::System::LibraryLoader::GetModuleHandleW;

use super::{Extra, Extras, Stream, streams};
use crate::security::{Owner, error};

/// See the module.
pub(crate) struct System;

/// `FileAlternateNameInformation`, `FileStreamInformation`, `FileShortNameInformation` (wdm.h).
const ALTERNATE_NAME: i32 = 21;
const STREAMS: i32 = 22;
const SHORT_NAME: i32 = 40;
/// The longest list of streams, in bytes: more than NTFS has room for in a file's record.
const LONGEST: usize = 16 << 20;

/// `FILE_READ_ATTRIBUTES`, `DELETE` (winnt.h).
const READ_ATTRIBUTES: u32 = 0x80;
const DELETE: u32 = 0x1_0000;

impl Extras for System {
    fn streams(&self, path: &Path) -> io::Result<Vec<Stream>> {
        if is_wine() {
            return Ok(Vec::new());
        }
        let file = open(path, READ_ATTRIBUTES)?;
        let mut buffer = vec![0; 1024];
        let told = loop {
            match query(&file, STREAMS, &mut buffer) {
                Ok(length) => break length,
                Err(
                    status::STATUS_BUFFER_OVERFLOW
                    | status::STATUS_BUFFER_TOO_SMALL
                    | status::STATUS_INFO_LENGTH_MISMATCH,
                ) if buffer.len() < LONGEST => {
                    buffer.resize(buffer.len() * 4, 0);
                }
                Err(status) if is_without(status) => return Ok(Vec::new()),
                Err(status) => return Err(error(status)),
            }
        };
        let all = streams::parse(buffer.get(..told).unwrap_or_default());
        all.ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "a stream's name is no Unicode")
        })
    }

    fn read(&self, path: &Path, stream: &str) -> io::Result<Box<dyn Read>> {
        Ok(Box::new(File::open(of(path, stream))?))
    }

    fn write(&self, path: &Path, stream: &str, bytes: &mut dyn Read) -> io::Result<()> {
        let at = of(path, stream);
        let file = File::options().write(true).create_new(true).open(at);
        let mut file = file.map_err(|e| match e.kind() {
            // Wine takes the colon for a bad character (observed on Wine 8 and Wine 10).
            io::ErrorKind::InvalidFilename => io::Error::new(
                io::ErrorKind::Unsupported,
                format!("the file system has no alternate streams, and the file has '{stream}'"),
            ),
            _ => e,
        })?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            match bytes.read(&mut buffer) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => (),
                // Told by whoever reads them.
                Ok(0) | Err(_) => return Ok(()),
                Ok(count) => file.write_all(buffer.get(..count).unwrap_or_default())?,
            }
        }
    }

    fn extra(&self, path: &Path) -> io::Result<Extra> {
        static USER: OnceLock<String> = OnceLock::new();
        if is_wine() {
            return Ok(Extra::default());
        }
        let owner = Owner::of_file(path)?.and_then(|owner| owner.text());
        let user = USER.get_or_init(|| format!("O:{}", crate::archive::user().unwrap_or_default()));
        Ok(Extra {
            owner: owner.filter(|owner| owner != user),
            short: short_name(path)?,
        })
    }

    fn give(&self, path: &Path, extra: &Extra) -> io::Result<()> {
        if let Some(owner) = extra.owner.as_deref().and_then(Owner::parse) {
            owner.give_file(path)?;
        }
        if let Some(short) = &extra.short {
            let mut name = vec![0; 4];
            name.extend(short.encode_utf16().flat_map(u16::to_le_bytes));
            let length = (name.len() - 4) as u32;
            name[..4].copy_from_slice(&length.to_le_bytes());
            if let Ok(file) = open(path, DELETE) {
                // Without the privilege to restore files it keeps the short name that the file system chose.
                let _ = set(&file, SHORT_NAME, &name);
            }
        }
        Ok(())
    }
}

/// Wine has neither streams, nor owners and short names that can be set (observed on Wine 8 and Wine 10): no
/// file is asked there.
fn is_wine() -> bool {
    static WINE: OnceLock<bool> = OnceLock::new();
    *WINE.get_or_init(|| {
        let name: Vec<u16> = "ntdll.dll".encode_utf16().chain([0]).collect();
        // SAFETY: the name ends in a zero; ntdll is in every process, and its loader has run.
        unsafe { pinion_nt::wine::version(GetModuleHandleW(name.as_ptr())) }.is_some()
    })
}

/// The short name, where the file system keeps one that is not the name itself.
fn short_name(path: &Path) -> io::Result<Option<String>> {
    let file = open(path, READ_ATTRIBUTES)?;
    let mut buffer = vec![0; 4 + 2 * 16];
    let Ok(length) = query(&file, ALTERNATE_NAME, &mut buffer) else {
        return Ok(None);
    };
    let units = buffer.get(4..length).unwrap_or_default().chunks_exact(2);
    let units: Vec<u16> = units
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    let name = String::from_utf16(&units).ok();
    let name = name.filter(|name| super::short_fault(name).is_none());
    Ok(name.filter(|name| path.file_name() != Some(name.as_ref())))
}

/// The path of a stream.
fn of(path: &Path, stream: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(":");
    path.push(stream);
    path.into()
}

/// Whether the answer says that the file system has no such thing: FAT; Wine, which knows no such class.
fn is_without(status: NTSTATUS) -> bool {
    matches!(
        status,
        status::STATUS_INVALID_PARAMETER
            | status::STATUS_INVALID_DEVICE_REQUEST
            | status::STATUS_NOT_SUPPORTED
            | status::STATUS_NOT_IMPLEMENTED
            | status::STATUS_INVALID_INFO_CLASS
    )
}

/// How many bytes the class `class` has of the file.
fn query(file: &File, class: i32, buffer: &mut [u8]) -> Result<usize, NTSTATUS> {
    let mut io = IO_STATUS_BLOCK::default();
    // SAFETY: the buffer has the length told; the block is a local.
    let status = unsafe {
        NtQueryInformationFile(
            file.as_raw_handle(),
            &raw mut io,
            buffer.as_mut_ptr().cast(),
            buffer.len() as u32,
            class,
        )
    };
    if status == 0 {
        Ok(io.Information)
    } else {
        Err(status)
    }
}

fn set(file: &File, class: i32, bytes: &[u8]) -> Result<(), NTSTATUS> {
    let mut io = IO_STATUS_BLOCK::default();
    // SAFETY: the bytes have the length told; the block is a local.
    let status = unsafe {
        NtSetInformationFile(
            file.as_raw_handle(),
            &raw mut io,
            bytes.as_ptr().cast(),
            bytes.len() as u32,
            class,
        )
    };
    if status == 0 { Ok(()) } else { Err(status) }
}

fn open(path: &Path, access: u32) -> io::Result<File> {
    const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;
    const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;
    File::options()
        .access_mode(access)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT)
        .open(path)
}
