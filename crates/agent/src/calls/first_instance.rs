//! A named pipe that must not be there yet (`FILE_CREATE`, as a first instance
//! asks for), on a Wine whose server does not heed that.

use crate::guard;
use crate::hooks::{self, kept};
use pinion_nt::calls::NtClose;
use pinion_nt::status::{STATUS_ACCESS_DENIED, success};
use pinion_nt::{CURRENT_PROCESS, HANDLE, IO_STATUS_BLOCK, NTSTATUS, wine};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK_0;

/// `FILE_CREATE` (ntioapi.h).
pub(crate) const CREATE: u32 = 2;
const READ_ATTRIBUTES: u32 = 0x80;

/// Whether the server would make one more instance.
pub(crate) fn is_ignored(disposition: u32) -> bool {
    disposition == CREATE
        && hooks::is_wine()
        && hooks::wine_major().is_none_or(|major| major < wine::HEEDS_PIPE_DISPOSITION_SINCE)
}

/// Makes the pipe by `call`, which takes the access to ask for and writes the
/// handle to `handle`; refuses as NT does where there was one. NT tells first
/// that a pipe has no room for one more (Wine's own tests, which pass on
/// Windows), so the server is asked, and an instance that is not the first is
/// closed again: a client that comes in between, and finds no other, loses it.
pub(crate) fn create(handle: *mut HANDLE, access: u32, call: impl Fn(u32) -> NTSTATUS) -> NTSTATUS {
    let status = call(access | READ_ATTRIBUTES);
    // SAFETY: plain data; a bad pointer is a return value.
    let Ok(made) = (unsafe { guard::read(handle) }) else {
        return status;
    };
    if !success(status) {
        return status;
    }
    if instances(made) == Some(1) {
        return as_asked(made, handle, access);
    }
    // SAFETY: the handle was just made, and the program has not seen it.
    unsafe {
        NtClose(made);
        let _ = guard::write(handle, core::ptr::null_mut());
    }
    STATUS_ACCESS_DENIED
}

/// Gives the program the pipe's end `made` with the access that it asked for.
fn as_asked(made: HANDLE, handle: *mut HANDLE, access: u32) -> NTSTATUS {
    /// `GENERIC_READ`, `GENERIC_ALL`, `MAXIMUM_ALLOWED` (winnt.h): the right to
    /// ask is among what they mean.
    const WITH_RIGHT: u32 = 0x8000_0000 | 0x1000_0000 | 0x0200_0000 | READ_ATTRIBUTES;
    /// `DUPLICATE_CLOSE_SOURCE`, `DUPLICATE_SAME_ATTRIBUTES` (ntifs.h).
    const MOVED: u32 = 1 | 4;
    if access & WITH_RIGHT != 0 {
        return 0;
    }
    let mut own: HANDLE = core::ptr::null_mut();
    // SAFETY: a handle of this process, which the program has not seen, is
    // replaced by one in a local.
    let status = unsafe {
        let (process, own) = (CURRENT_PROCESS, &raw mut own);
        kept::NtDuplicateObject(process, made, process, own, access, 0, MOVED)
    };
    // SAFETY: the program's pointer, under guard.
    let written = unsafe { guard::write(handle, own) };
    written.err().unwrap_or(status)
}

/// How many instances the pipe of a server's end has.
fn instances(end: HANDLE) -> Option<u32> {
    /// `FilePipeLocalInformation`; `CurrentInstances` in its structure (wdm.h).
    const LOCAL: u32 = 24;
    const CURRENT: usize = 3;
    let (mut words, mut io) = ([0_u32; 10], block());
    // SAFETY: both are locals, of the given size.
    let status = unsafe {
        let size = size_of_val(&words) as u32;
        let words = words.as_mut_ptr().cast();
        kept::NtQueryInformationFile(end, &raw mut io, words, size, LOCAL)
    };
    success(status)
        .then(|| words.get(CURRENT).copied())
        .flatten()
}

fn block() -> IO_STATUS_BLOCK {
    IO_STATUS_BLOCK {
        Anonymous: IO_STATUS_BLOCK_0 { Status: 0 },
        Information: 0,
    }
}
