//! One request of the program's, and its completion: as the kernel completes,
//! memory and status block first, then who waits.

use super::super::{copy_up, raw};
use super::Call;
use crate::guard;
use crate::hooks::{self, kept};
use core::ffi::c_void;
use pinion_nt::calls::{NtQueueApcThread, NtResetEvent, NtSetEvent, NtSetIoCompletion};
use pinion_nt::status::success;
use pinion_nt::{CURRENT_PROCESS, CURRENT_THREAD, HANDLE, IO_STATUS_BLOCK, NTSTATUS};

/// A request that waits.
pub(super) struct Request {
    /// The agent's own handle of the program's event, or null.
    event: HANDLE,
    /// The agent's own handle of the calling thread, where there is an APC.
    thread: HANDLE,
    number: u32,
    apc: *const c_void,
    context: *const c_void,
    io: *mut IO_STATUS_BLOCK,
    buffer: *mut c_void,
    length: u32,
    /// When it came, counted.
    pub(super) order: u64,
    /// Whether a request of the kernel's stands for it on the handle.
    stands: bool,
}

/// How a request ends.
pub(super) struct End<'d> {
    pub(super) status: NTSTATUS,
    pub(super) data: &'d [u16],
    /// A handle of the watched file, and what [`Request::stand`] was given.
    pub(super) file: HANDLE,
    pub(super) stand_in: *mut IO_STATUS_BLOCK,
    /// The completion port and key of the file, or null.
    pub(super) port: (HANDLE, *mut c_void),
}

impl Request {
    /// The request that `call` makes; `None` where the kernel shall say what is
    /// wrong with it.
    pub(super) fn new(call: &Call) -> Option<Self> {
        const EVENT_MODIFY_STATE: u32 = 2;
        const THREAD_SET_CONTEXT: u32 = 0x10;
        let mut request = Self {
            event: core::ptr::null_mut(),
            thread: core::ptr::null_mut(),
            number: copy_up::thread(),
            apc: call.apc,
            context: call.context,
            io: call.io,
            buffer: call.buffer,
            length: call.length,
            order: 0,
            stands: false,
        };
        if !call.event.is_null() {
            request.event = second(call.event, EVENT_MODIFY_STATE)?;
            // SAFETY: the agent's own handle, good for it.
            unsafe { NtResetEvent(request.event, core::ptr::null_mut()) };
        }
        if !call.apc.is_null() {
            request.thread = second(CURRENT_THREAD, THREAD_SET_CONTEXT)?;
        }
        Some(request)
    }

    /// Has a request of the kernel's wait on `file` where there is no event:
    /// then it is the file itself that is waited for, and only the kernel sets
    /// that. It waits for what hardly happens in the file's own directory:
    /// extended attributes that change, on Wine, which knows no such filter,
    /// attributes that do.
    pub(super) fn stand(&mut self, file: HANDLE, stand_in: *mut IO_STATUS_BLOCK) {
        /// `FILE_NOTIFY_CHANGE_EA`, `FILE_NOTIFY_CHANGE_SECURITY` (winnt.h).
        const EA: u32 = 0x80;
        const SECURITY: u32 = 0x100;
        if !self.event.is_null() {
            return;
        }
        let filter = if hooks::is_wine() { SECURITY } else { EA };
        let null = core::ptr::null_mut();
        let none = core::ptr::null();
        // SAFETY: the block is the agent's and outlives the request.
        let status = unsafe {
            kept::NtNotifyChangeDirectoryFile(file, null, none, none, stand_in, null, 0, filter, 0)
        };
        self.stands = success(status);
    }

    /// Whether the calling thread made it.
    pub(super) fn is_of_this_thread(&self) -> bool {
        self.number == copy_up::thread()
    }

    /// Whether it is the request with that status block.
    pub(super) fn is_of(&self, io: *const IO_STATUS_BLOCK) -> bool {
        core::ptr::eq(self.io, io)
    }

    /// The bytes that the program has room for.
    pub(super) fn room(&self) -> usize {
        if self.buffer.is_null() {
            0
        } else {
            self.length as usize
        }
    }

    /// Completes it.
    pub(super) fn end(self, end: &End<'_>) {
        let bytes = size_of_val(end.data);
        // SAFETY: the program's memory, written under guard; where it is bad
        // nobody can be told.
        unsafe {
            let _ = guard::copy(self.buffer, end.data.as_ptr().cast(), bytes);
            let _ = guard::write(&raw mut (*self.io).Information, bytes);
            let _ = guard::write(self.io.cast::<NTSTATUS>(), end.status);
        }
        if !self.event.is_null() {
            // SAFETY: the agent's own handle.
            unsafe { NtSetEvent(self.event, core::ptr::null_mut()) };
        }
        if self.stands {
            let mut io = raw::block();
            // SAFETY: the block is a local.
            unsafe { kept::NtCancelIoFileEx(end.file, end.stand_in, &raw mut io) };
        }
        let (port, key) = end.port;
        if !self.thread.is_null() {
            let none = core::ptr::null();
            // SAFETY: the routine, its context and its block are the program's.
            unsafe { NtQueueApcThread(self.thread, self.apc, self.context, self.io.cast(), none) };
        } else if !port.is_null() && !self.context.is_null() {
            // SAFETY: the agent's own handle; the rest are values.
            unsafe { NtSetIoCompletion(port, key, self.context.cast_mut(), end.status, bytes) };
        }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        for handle in [self.event, self.thread] {
            if !handle.is_null() {
                // SAFETY: the handle is this value's own.
                unsafe { kept::NtClose(handle) };
            }
        }
    }
}

/// A second handle of `handle` with `access`, or with the same access where that
/// is 0.
pub(super) fn second(handle: HANDLE, access: u32) -> Option<HANDLE> {
    const DUPLICATE_SAME_ACCESS: u32 = 2;
    let options = if access == 0 {
        DUPLICATE_SAME_ACCESS
    } else {
        0
    };
    let mut second: HANDLE = core::ptr::null_mut();
    // SAFETY: the output is a local.
    let status = unsafe {
        kept::NtDuplicateObject(
            CURRENT_PROCESS,
            handle,
            CURRENT_PROCESS,
            &raw mut second,
            access,
            0,
            options,
        )
    };
    success(status).then_some(second)
}
