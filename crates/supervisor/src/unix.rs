//! Wine starts a program of Unix for a file that is no image of Windows (dlls/ntdll/unix/process.c of
//! 8.0 and 10.0, `fork_and_exec`): it would run outside of the VM's job, and no suspension holds it. So
//! on Wine the supervisor finds the file that a command line means itself, has Wine judge it as an
//! image, and names it to `CreateProcess`. Services are what a member can name this way.

use std::fs::{File, OpenOptions};
use std::os::windows::ffi::{OsStrExt, OsStringExt};
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::path::PathBuf;
use std::ptr::null_mut;

use windows_sys::Win32::Storage::FileSystem::{FILE_SHARE_READ, SearchPathW};
use windows_sys::Win32::System::Memory::{CreateFileMappingW, PAGE_EXECUTE_READ, SEC_IMAGE};

use crate::error::{Error, Result};
use crate::quote::programs;
use crate::system::{own, wide};

/// The image that a command line means. While this value lives nobody writes to it, moves it or puts
/// another in its place.
pub(crate) struct Image {
    /// Its path, ended by a zero.
    pub(crate) path: Vec<u16>,
    /// The command line, with the program in quotes, ended by a zero.
    pub(crate) line: Vec<u16>,
    _file: File,
    _section: OwnedHandle,
}

impl Image {
    /// The image that `line` means, looked for as `CreateProcess` does.
    ///
    /// # Errors
    /// There is no such file, or it is no image.
    pub(crate) fn of(line: &str) -> Result<Self> {
        let (path, file, line) = programs(line)
            .find_map(|(name, rest)| {
                let path = search(name)?;
                let options = OpenOptions::new()
                    .read(true)
                    .share_mode(FILE_SHARE_READ)
                    .open(&path);
                Some((path, options.ok()?, format!("\"{name}\"{rest}")))
            })
            .ok_or_else(|| Error::ProgramNotFound {
                program: line.into(),
            })?;
        let section = section(&file).map_err(|_| Error::CannotRun {
            program: path.display().to_string(),
            why: "it is no Windows program; give the path of a 64-bit .exe".into(),
        })?;
        Ok(Self {
            path: path.as_os_str().encode_wide().chain([0]).collect(),
            line: wide(&line),
            _file: file,
            _section: section,
        })
    }
}

/// The path of the file `name`, with or without `.exe`; a folder counts.
fn search(name: &str) -> Option<PathBuf> {
    let (name, extension) = (wide(name), wide(".exe"));
    let find = |extension: *const u16| {
        let mut path = vec![0_u16; 32_768];
        // SAFETY: texts that end in zeros, a buffer of the size told, and no wish for the file's part.
        let length = unsafe {
            let (size, path) = (path.len() as u32, path.as_mut_ptr());
            SearchPathW(
                std::ptr::null(),
                name.as_ptr(),
                extension,
                size,
                path,
                null_mut(),
            )
        };
        let path = path
            .get(..length as usize)
            .filter(|path| !path.is_empty())?;
        Some(PathBuf::from(std::ffi::OsString::from_wide(path)))
    };
    find(extension.as_ptr()).or_else(|| find(std::ptr::null()))
}

/// The file as an image of Windows, by Wine's own judgement.
fn section(file: &File) -> Result<OwnedHandle> {
    // SAFETY: a live handle; no name, no attributes; the section has the file's size.
    unsafe {
        let (file, protection) = (file.as_raw_handle(), PAGE_EXECUTE_READ | SEC_IMAGE);
        own(
            CreateFileMappingW(file, std::ptr::null(), protection, 0, 0, std::ptr::null()),
            "map an image",
        )
    }
}
