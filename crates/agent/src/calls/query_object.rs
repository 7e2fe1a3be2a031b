//! `NtQueryObject`: names come back as the program knows them.

use super::{files, pipes, rules};
use crate::hooks::{self, kept};
use crate::{guard, scratch, state};
use core::ffi::c_void;
use pinion_names::{object, pipe, station};
use pinion_nt::status::{STATUS_BUFFER_OVERFLOW, STATUS_INFO_LENGTH_MISMATCH, success};
use pinion_nt::{HANDLE, NTSTATUS, UNICODE_STRING};

/// `ObjectBasicInformation`, and where it has the granted access (wdm.h).
const BASIC: u32 = 0;
const GRANTED: usize = 4;
/// `ObjectNameInformation` (ntobapi.h, phnt).
const NAME: u32 = 1;
/// The bytes of the `UNICODE_STRING` before the name.
const HEADER: usize = size_of::<UNICODE_STRING>();

/// As `NtQueryObject`.
pub(crate) unsafe fn query(
    handle: HANDLE,
    class: u32,
    buffer: *mut c_void,
    length: u32,
    returned: *mut u32,
) -> NTSTATUS {
    if class != NAME {
        // SAFETY: the program's own arguments.
        let status = unsafe { kept::NtQueryObject(handle, class, buffer, length, returned) };
        return match class {
            BASIC => files::told_access(status, handle, buffer.cast::<u8>().wrapping_add(GRANTED)),
            _ => status,
        };
    }
    let outcome = with_real_name(handle, |real| {
        scratch::with(real.len() + 8, |out| {
            let (asked, short) = asked(real, out)?;
            // SAFETY: the program's buffer, written under guard.
            match unsafe { answer(asked, buffer, length, returned) } {
                STATUS_BUFFER_OVERFLOW => Some(short),
                status => Some(status),
            }
        })
        .flatten()
    });
    match outcome {
        Some(Some(status)) => status,
        // SAFETY: the program's own arguments: a name that is not the VM's, no
        // name at all, or an error that the kernel shall tell.
        _ => unsafe { name(handle, buffer, length, returned) },
    }
}

/// The system call for `ObjectNameInformation`. Every question for a name goes
/// this way: Wine's server, which all VMs and the host share, ends with a fault
/// when it is asked for the name of an end of a pipe that the server's end has
/// disconnected (`pipe_end_get_full_name` in its server/named_pipe.c; observed
/// on Wine 8 and Wine 10).
///
/// # Safety
/// As the system call.
pub(crate) unsafe fn name(
    handle: HANDLE,
    buffer: *mut c_void,
    length: u32,
    returned: *mut u32,
) -> NTSTATUS {
    if hooks::is_wine()
        && let Err(status) = pipes::may_be_named(handle)
    {
        return status;
    }
    // SAFETY: the caller's promise.
    unsafe { kept::NtQueryObject(handle, NAME, buffer, length, returned) }
}

/// Runs `work` with the kernel's name of the object; `None` when it has none
/// or cannot be queried.
pub(crate) fn with_real_name<R>(handle: HANDLE, work: impl FnOnce(&[u16]) -> R) -> Option<R> {
    scratch::with(scratch::LARGE, |buffer| {
        let mut returned = 0;
        // SAFETY: the buffer is the agent's own, of the given size, and aligned
        // for a UNICODE_STRING: blocks are page-aligned.
        let status = unsafe {
            self::name(
                handle,
                buffer.as_mut_ptr().cast(),
                (scratch::LARGE * 2) as u32,
                &raw mut returned,
            )
        };
        if !success(status) {
            return None;
        }
        let units = usize::from(*buffer.first()?) / 2;
        let name = buffer.get(HEADER / 2..HEADER / 2 + units)?;
        (units > 0).then(|| work(name))
    })?
}

/// The name that the program asked for, written to `out` where it is not a
/// part of `real`, and the status for a buffer too small for it; `None` when
/// `real` is not a private name. The statuses are those of Wine 8 and Wine 10.
fn asked<'n>(real: &'n [u16], out: &'n mut [u16]) -> Option<(&'n [u16], NTSTATUS)> {
    let of_object = |name| (name, STATUS_INFO_LENGTH_MISMATCH);
    let page = state::page();
    if let Some(name) = object::undo(page.object_directory.as_units(), real) {
        return Some(of_object(if name.is_empty() {
            ROOT
        } else {
            station::shown(name)
        }));
    }
    if let Some(name) = rules::undo_object(real) {
        return Some(of_object(name));
    }
    for device in [PIPE, MAILSLOT] {
        let rest = real
            .get(device.len()..)
            .filter(|_| real.starts_with(device));
        let undo =
            |rest| pipe::undo(page.pipe_prefix.as_units(), rest).or_else(|| rules::undo_pipe(rest));
        if let Some(own) = rest.and_then(undo) {
            let parts = [device, ROOT, own];
            let length = pinion_names::units::join(&parts, out).ok()?;
            return out.get(..length).map(of_object);
        }
    }
    if pinion_names::key::below_root(real).is_some() {
        return super::registry::asked_name(real, out).map(of_object);
    }
    super::files::asked_name(real, out).map(|name| (name, STATUS_BUFFER_OVERFLOW))
}

const ROOT: &[u16] = &[b'\\' as u16];
const PIPE: &[u16] = &ascii(b"\\Device\\NamedPipe");
const MAILSLOT: &[u16] = &ascii(b"\\Device\\MailSlot");

const fn ascii<const N: usize>(text: &[u8; N]) -> [u16; N] {
    let mut units = [0; N];
    let mut index = 0;
    while index < N {
        units[index] = text[index] as u16;
        index += 1;
    }
    units
}

/// Writes `name` as the system call would: `UNICODE_STRING`, the units, a NUL.
///
/// # Safety
/// The pointers must not be of the agent's memory, but for `returned`.
pub(crate) unsafe fn answer(
    name: &[u16],
    buffer: *mut c_void,
    length: u32,
    returned: *mut u32,
) -> NTSTATUS {
    let bytes = name.len() * 2;
    let needed = HEADER + bytes + 2;
    let text = buffer.cast::<u8>().wrapping_add(HEADER);
    let header = UNICODE_STRING {
        Length: bytes as u16,
        MaximumLength: (bytes + 2) as u16,
        Buffer: text.cast(),
    };
    let fits = needed <= length as usize;
    let written = (|| {
        if fits {
            // SAFETY: the program's buffer, under guard.
            unsafe {
                guard::copy(text.cast(), name.as_ptr().cast(), bytes)?;
                guard::write(text.wrapping_add(bytes).cast::<u16>(), 0)?;
                guard::write(buffer.cast::<UNICODE_STRING>(), header)?;
            }
        }
        if !returned.is_null() {
            // SAFETY: the program's pointer, under guard.
            unsafe { guard::write(returned, needed as u32)? };
        }
        Ok(())
    })();
    match written {
        Err(code) => code,
        Ok(()) if fits => 0,
        Ok(()) if (length as usize) < HEADER => STATUS_INFO_LENGTH_MISMATCH,
        Ok(()) => STATUS_BUFFER_OVERFLOW,
    }
}
