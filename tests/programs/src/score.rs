//! The scoreboard that the web service and its workers share: a named section of
//! counters, as servers of many processes have one.

use crate::{last_error, wide};
use std::sync::atomic::AtomicU32;
use windows_sys::Win32::Foundation::INVALID_HANDLE_VALUE;
use windows_sys::Win32::System::Memory::{
    CreateFileMappingW, FILE_MAP_ALL_ACCESS, MapViewOfFile, OpenFileMappingW, PAGE_READWRITE,
};

/// The section's name.
const NAME: &str = "Global\\pinion-web-scoreboard";
/// The control pipe's name.
pub const PIPE: &str = r"\\.\pipe\pinion-web-control";
/// Most workers.
pub const WORKERS: usize = 4;

/// What lies in the section.
#[repr(C)]
#[derive(Default)]
pub struct Board {
    /// Workers of an older generation end after their next request.
    pub generation: AtomicU32,
    /// Workers that were started.
    pub started: AtomicU32,
    /// For each place, who works there and how many requests it has answered.
    pub places: [Place; WORKERS],
}

/// A worker's place.
#[repr(C)]
#[derive(Default)]
pub struct Place {
    /// The worker's process id.
    pub pid: AtomicU32,
    /// The requests that were answered there, by whoever worked there.
    pub answered: AtomicU32,
}

/// Makes the section, or opens it; the Win32 error when that fails.
pub fn board(make: bool) -> Result<&'static Board, u32> {
    let name = wide(NAME);
    // SAFETY: the name ends in a zero; a section of the system's memory.
    let section = unsafe {
        if make {
            let size = size_of::<Board>() as u32;
            let none = std::ptr::null();
            CreateFileMappingW(
                INVALID_HANDLE_VALUE,
                none,
                PAGE_READWRITE,
                0,
                size,
                name.as_ptr(),
            )
        } else {
            OpenFileMappingW(FILE_MAP_ALL_ACCESS, 0, name.as_ptr())
        }
    };
    if section.is_null() {
        return Err(last_error());
    }
    // SAFETY: the section has the board's size; it is mapped until the process ends.
    let view = unsafe { MapViewOfFile(section, FILE_MAP_ALL_ACCESS, 0, 0, size_of::<Board>()) };
    // SAFETY: a mapping is aligned to a page; its words are zero at first and only
    // changed atomically.
    unsafe { view.Value.cast::<Board>().as_ref() }.ok_or_else(last_error)
}
