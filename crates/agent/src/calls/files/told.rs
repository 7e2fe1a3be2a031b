//! Calls that tell a file's name without its handle: the file that memory is
//! mapped from, the program of a process.

use super::names::asked_name;
use crate::calls::query_object::answer;
use crate::hooks::kept;
use crate::scratch;
use core::ffi::c_void;
use pinion_nt::status::{STATUS_BUFFER_OVERFLOW, STATUS_INFO_LENGTH_MISMATCH, success};
use pinion_nt::{HANDLE, NTSTATUS, UNICODE_STRING};

/// `MemoryMappedFilenameInformation` (phnt, ntmmapi.h).
const MAPPED_NAME: u32 = 2;
/// `ProcessImageFileName` (winternl.h): an NT name.
const IMAGE_NAME: u32 = 27;
/// `ProcessImageFileNameWin32` (phnt, ntpsapi.h): a DOS path.
const IMAGE_PATH: u32 = 43;
/// What a DOS path has before it as an NT name.
const DOS: &[u16] = &[b'\\' as u16, b'?' as u16, b'?' as u16, b'\\' as u16];

/// As `NtQueryVirtualMemory`.
pub(crate) unsafe fn query_memory(
    process: HANDLE,
    address: *const c_void,
    class: u32,
    buffer: *mut c_void,
    length: usize,
    returned: *mut usize,
) -> NTSTATUS {
    let call = |buffer, length, returned| {
        // SAFETY: the program's arguments but for where to answer.
        unsafe { kept::NtQueryVirtualMemory(process, address, class, buffer, length, returned) }
    };
    if class != MAPPED_NAME {
        return call(buffer, length, returned);
    }
    let answered = with_asked(
        &[],
        |own, size| call(own, size, core::ptr::null_mut()),
        |name| {
            let mut needed = 0_u32;
            let size = u32::try_from(length).unwrap_or(u32::MAX);
            // SAFETY: the program's buffer, written under guard.
            let status = unsafe { answer(name, buffer, size, &raw mut needed) };
            if returned.is_null() {
                return status;
            }
            // SAFETY: the program's pointer, under guard.
            let told = unsafe { crate::guard::write(returned, needed as usize) };
            told.err().unwrap_or(status)
        },
    );
    answered.unwrap_or_else(|| call(buffer, length, returned))
}

/// As `NtQueryInformationProcess`.
pub(crate) unsafe fn query_process(
    process: HANDLE,
    class: u32,
    buffer: *mut c_void,
    length: u32,
    returned: *mut u32,
) -> NTSTATUS {
    let call = |buffer, length, returned| {
        // SAFETY: the program's arguments but for where to answer.
        unsafe { kept::NtQueryInformationProcess(process, class, buffer, length, returned) }
    };
    let head = match class {
        IMAGE_NAME => &[],
        IMAGE_PATH => DOS,
        _ => return call(buffer, length, returned),
    };
    let ask = |own, size: usize| call(own, size as u32, core::ptr::null_mut());
    let answered = with_asked(head, ask, |name| {
        // SAFETY: the program's buffer and pointer, written under guard.
        let status = unsafe { answer(name, buffer, length, returned) };
        if status == STATUS_BUFFER_OVERFLOW {
            STATUS_INFO_LENGTH_MISMATCH
        } else {
            status
        }
    });
    answered.unwrap_or_else(|| call(buffer, length, returned))
}

/// Runs `work` with the name that the program knows for the one that `ask`
/// writes as a `UNICODE_STRING` and its text; `head` goes before it for the
/// question and is cut again. `None` when it is the same, or on an error that
/// the kernel shall tell.
fn with_asked(
    head: &[u16],
    ask: impl FnOnce(*mut c_void, usize) -> NTSTATUS,
    work: impl FnOnce(&[u16]) -> NTSTATUS,
) -> Option<NTSTATUS> {
    const STRING: usize = size_of::<UNICODE_STRING>() / 2;
    scratch::with(scratch::LARGE, |own| {
        let status = ask(own.as_mut_ptr().cast(), size_of_val(own));
        if !success(status) {
            return None;
        }
        let units = usize::from(*own.first()?) / 2;
        // The text follows the string; what goes before it overwrites the string.
        let from = STRING.checked_sub(head.len())?;
        own.get_mut(from..STRING)?.copy_from_slice(head);
        let real = own.get(from..STRING + units)?;
        scratch::with(real.len() + 8, |out| {
            let asked = asked_name(real, out)?;
            Some(work(asked.get(head.len()..)?))
        })?
    })?
}
