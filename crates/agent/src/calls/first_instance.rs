//! A named pipe that must not be there yet (`FILE_CREATE`, as a first instance
//! asks for), on a Wine whose server does not heed that.

use crate::hooks::{self, kept};
use crate::{decode, guard, scratch, state};
use pinion_names::pipe;
use pinion_nt::calls::NtClose;
use pinion_nt::status::{STATUS_ACCESS_DENIED, STATUS_OBJECT_NAME_NOT_FOUND, success};
use pinion_nt::{
    HANDLE, IO_STATUS_BLOCK, NTSTATUS, OBJ_CASE_INSENSITIVE, OBJECT_ATTRIBUTES, object_attributes,
    unicode_string, wine,
};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK_0;

/// `FILE_CREATE` (ntioapi.h).
pub(crate) const CREATE: u32 = 2;
const READ_ATTRIBUTES: u32 = 0x80;
const SYNCHRONIZE: u32 = 0x0010_0000;

/// Whether the server would make one more instance.
pub(crate) fn is_ignored(disposition: u32) -> bool {
    disposition == CREATE
        && hooks::is_wine()
        && hooks::wine_major().is_none_or(|major| major < wine::HEEDS_PIPE_DISPOSITION_SINCE)
}

/// Makes the pipe by `call`, which takes the access to ask for and writes the
/// handle to `handle`; refuses as NT does where there is one. Asked before, so
/// that no client meets an instance that does not last, and after, so that of
/// two that are made at once not both are the first.
pub(crate) fn create(
    attributes: *const OBJECT_ATTRIBUTES,
    handle: *mut HANDLE,
    access: u32,
    call: impl Fn(u32) -> NTSTATUS,
) -> NTSTATUS {
    if exists(attributes) {
        return STATUS_ACCESS_DENIED;
    }
    let status = call(access | READ_ATTRIBUTES);
    // SAFETY: plain data; a bad pointer is a return value.
    let Ok(made) = (unsafe { guard::read(handle) }) else {
        return status;
    };
    if !success(status) || instances(made) == Some(1) {
        return status;
    }
    // SAFETY: the handle was just made, and the program has not seen it.
    unsafe {
        NtClose(made);
        let _ = guard::write(handle, core::ptr::null_mut());
    }
    STATUS_ACCESS_DENIED
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

/// Whether there is a pipe of that name, by the status of waiting for it for no
/// time.
fn exists(attributes: *const OBJECT_ATTRIBUTES) -> bool {
    decode::with_attributes(attributes, |decoded| {
        let name = pipe::classify(decoded.name, state::page().computer_name.as_units());
        let name = name.filter(|_| decoded.is_absolute())?.rest.get(1..)?;
        Some(wait(name)? != STATUS_OBJECT_NAME_NOT_FOUND)
    })
    .flatten()
    .unwrap_or(false)
}

/// Waits for no time for the pipe of the name on its device.
fn wait(name: &[u16]) -> Option<NTSTATUS> {
    /// `FSCTL_PIPE_WAIT` (ntioapi.h; the same on Wine).
    const PIPE_WAIT: u32 = 0x0011_0018;
    /// `FILE_PIPE_WAIT_FOR_BUFFER` (ntioapi.h) in units: the timeout, the length
    /// in bytes, whether there is a timeout, the name.
    const HEAD: usize = 7;
    let device = device()?;
    let total = HEAD + name.len();
    let status = scratch::with(total, |buffer| {
        let (head, rest) = buffer.get_mut(..total)?.split_at_mut(HEAD);
        // The shortest relative time, 100 ns.
        head.copy_from_slice(&[0xffff, 0xffff, 0xffff, 0xffff, name.len() as u16 * 2, 0, 1]);
        rest.copy_from_slice(name);
        let mut io = block();
        // SAFETY: the buffer has the size told; the device is open for
        // synchronous use.
        Some(unsafe {
            kept::NtFsControlFile(
                device,
                core::ptr::null_mut(),
                core::ptr::null(),
                core::ptr::null(),
                &raw mut io,
                PIPE_WAIT,
                buffer.as_ptr().cast(),
                total as u32 * 2,
                core::ptr::null_mut(),
                0,
            )
        })
    });
    // SAFETY: a handle of this function's own.
    unsafe { NtClose(device) };
    status.flatten()
}

/// The device of pipes, open for synchronous use.
fn device() -> Option<HANDLE> {
    const NAME: &[u8; 18] = b"\\Device\\NamedPipe\\";
    const SHARE: u32 = 3;
    const SYNCHRONOUS: u32 = 0x20;
    let name = NAME.map(u16::from);
    let string = unicode_string(&name)?;
    let none = core::ptr::null_mut();
    let attributes = object_attributes(none, &raw const string, OBJ_CASE_INSENSITIVE);
    let (mut device, mut io): (HANDLE, _) = (none, block());
    // SAFETY: all pointers are to locals.
    let status = unsafe {
        let access = SYNCHRONIZE | READ_ATTRIBUTES;
        let attributes = &raw const attributes;
        kept::NtOpenFile(
            &raw mut device,
            access,
            attributes,
            &raw mut io,
            SHARE,
            SYNCHRONOUS,
        )
    };
    success(status).then_some(device)
}

fn block() -> IO_STATUS_BLOCK {
    IO_STATUS_BLOCK {
        Anonymous: IO_STATUS_BLOCK_0 { Status: 0 },
        Information: 0,
    }
}
