//! The service API of a client: being told of changes. Each request has a thread
//! that waits for the controller's word on a connection of its own, and then
//! queues the program's callback to the thread that asked.

use super::call::{Result, call, given, unexpected};
use super::client::full;
use crate::api::heap::Block;
use crate::guard;
use crate::hooks::kept;
use core::ffi::c_void;
use pinion_nt::calls::{NtClose, NtQueueApcThread, RtlCreateUserThread, RtlUnicodeToMultiByteN};
use pinion_nt::status::success;
use pinion_nt::{CURRENT_PROCESS, HANDLE};
use pinion_wire::services::{ServiceReply, ServiceRequest, ServiceStatus};
use windows_sys::Win32::Foundation::{ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY};
use windows_sys::Win32::System::Services::SERVICE_NOTIFY_2W;

/// `SERVICE_NOTIFY_STATUS_CHANGE_1` (winsvc.h): a structure that ends with the
/// service's status. The newer one is 2.
const OLD: u32 = 1;
const NEW: u32 = 2;
/// The pseudo handle of the calling thread (`NtCurrentThread`, wdm.h).
const CURRENT_THREAD: HANDLE = -2_isize as HANDLE;

/// What a request's thread is given.
#[repr(C)]
#[derive(Clone, Copy)]
struct Task {
    /// The thread that asked; the task's own handle.
    thread: HANDLE,
    buffer: *mut SERVICE_NOTIFY_2W,
    callback: *const c_void,
    version: u32,
    handle: u32,
    number: u32,
    ansi: bool,
}

/// As `NotifyServiceStatusChangeW`, which returns its error.
pub(super) unsafe extern "system" fn notify(
    service: *mut c_void,
    mask: u32,
    buffer: *mut SERVICE_NOTIFY_2W,
) -> u32 {
    ask(service, mask, buffer, false).err().unwrap_or(0)
}

/// As `NotifyServiceStatusChangeA`.
pub(super) unsafe extern "system" fn notify_ansi(
    service: *mut c_void,
    mask: u32,
    buffer: *mut SERVICE_NOTIFY_2W,
) -> u32 {
    ask(service, mask, buffer, true).err().unwrap_or(0)
}

fn ask(service: *mut c_void, mask: u32, buffer: *mut SERVICE_NOTIFY_2W, ansi: bool) -> Result<()> {
    let handle = given(service)?;
    // SAFETY: plain data; a bad pointer is a return value. Both versions begin
    // alike: the version, the callback at 8.
    let (version, callback) = unsafe {
        let callback = buffer.cast::<u8>().wrapping_add(8).cast::<usize>();
        let version = guard::read(buffer.cast::<u32>());
        version.and_then(|version| Ok((version, guard::read(callback)?)))
    }
    .map_err(|_| ERROR_INVALID_PARAMETER)?;
    if callback == 0 || !(OLD..=NEW).contains(&version) {
        return Err(ERROR_INVALID_PARAMETER);
    }
    let number = call(
        ServiceRequest::Notify { handle, mask },
        |reply| match reply {
            ServiceReply::Handle(number) => Ok(number),
            _ => unexpected(),
        },
    )?;
    spawn(Task {
        thread: own_thread().ok_or(ERROR_NOT_ENOUGH_MEMORY)?,
        buffer,
        callback: callback as *const c_void,
        version,
        handle,
        number,
        ansi,
    })
}

/// A handle of the calling thread.
fn own_thread() -> Option<HANDLE> {
    const SAME_ACCESS: u32 = 2;
    let mut thread = core::ptr::null_mut();
    // SAFETY: the output is a local.
    let status = unsafe {
        kept::NtDuplicateObject(
            CURRENT_PROCESS,
            CURRENT_THREAD,
            CURRENT_PROCESS,
            &raw mut thread,
            0,
            0,
            SAME_ACCESS,
        )
    };
    success(status).then_some(thread)
}

fn spawn(task: Task) -> Result<()> {
    let started = Block::new(size_of::<Task>()).map(Block::into_raw);
    let mut thread = core::ptr::null_mut();
    let status = started.map(|raw| {
        // SAFETY: the block has room for the task and is aligned for it; the new
        // thread of this process owns it from here on.
        let status = unsafe {
            raw.cast::<Task>().write(task);
            RtlCreateUserThread(
                CURRENT_PROCESS,
                core::ptr::null(),
                0,
                0,
                0,
                0,
                main as *const c_void,
                raw,
                &raw mut thread,
                core::ptr::null_mut(),
            )
        };
        if !success(status) {
            // SAFETY: no thread has it.
            drop(unsafe { Block::from_raw(raw) });
        }
        status
    });
    let made = status.is_some_and(success);
    // SAFETY: the handles are this function's own.
    unsafe { NtClose(if made { thread } else { task.thread }) };
    if made {
        Ok(())
    } else {
        Err(ERROR_NOT_ENOUGH_MEMORY)
    }
}

/// The thread of a request. One that the program gave up by closing the handle
/// ends without a word.
unsafe extern "system" fn main(raw: *mut c_void) -> u32 {
    // SAFETY: `spawn` wrote a task to the block that it gave.
    let task = unsafe {
        let task = raw.cast::<Task>().read();
        drop(Block::from_raw(raw));
        task
    };
    let request = ServiceRequest::AwaitNotice {
        handle: task.handle,
        number: task.number,
    };
    let told = call(request, |reply| match reply {
        ServiceReply::Notice {
            error,
            triggered,
            status,
            names,
        } => fill(&task, error, triggered, (&status, names)),
        _ => unexpected(),
    });
    // SAFETY: the handle is the task's own; the callback is the program's, of one
    // argument.
    unsafe {
        if told.is_ok() {
            let none = core::ptr::null();
            NtQueueApcThread(task.thread, task.callback, task.buffer.cast(), none, none);
        }
        NtClose(task.thread);
    }
    0
}

/// Writes the news into the program's structure.
fn fill(
    task: &Task,
    error: u32,
    triggered: u32,
    (status, names): (&ServiceStatus, &[u8]),
) -> Result<()> {
    let buffer = task.buffer;
    let bad = |_| ERROR_INVALID_PARAMETER;
    // SAFETY: the program's structure, written under guard.
    unsafe {
        guard::write(&raw mut (*buffer).dwNotificationStatus, error).map_err(bad)?;
        guard::write(&raw mut (*buffer).ServiceStatus, full(status)).map_err(bad)?;
        if task.version == NEW {
            let names = list(names, task.ansi)?;
            guard::write(&raw mut (*buffer).dwNotificationTriggered, triggered).map_err(bad)?;
            guard::write(&raw mut (*buffer).pszServiceNames, names.cast()).map_err(bad)?;
        }
    }
    Ok(())
}

/// The list of strings for the program, which frees it by `LocalFree`: fixed
/// local memory is of the process heap. Null when there is none.
fn list(names: &[u8], ansi: bool) -> Result<*mut c_void> {
    if names.is_empty() {
        return Ok(core::ptr::null_mut());
    }
    // A unit has at most as many bytes in a code page as in UTF-16 and half of
    // that again; the block is zero, and so the list ends with an empty string.
    let mut block = Block::new(names.len() * 2 + 2).ok_or(ERROR_NOT_ENOUGH_MEMORY)?;
    let bytes = block.bytes();
    if ansi {
        // SAFETY: both sides have the sizes told. The source may be unaligned,
        // which x64 does not mind.
        unsafe {
            RtlUnicodeToMultiByteN(
                bytes.as_mut_ptr(),
                (names.len() * 2) as u32,
                &mut 0,
                names.as_ptr().cast(),
                names.len() as u32,
            );
        }
    } else if let Some(place) = bytes.get_mut(..names.len()) {
        place.copy_from_slice(names);
    }
    Ok(block.into_raw())
}
