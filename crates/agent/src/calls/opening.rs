//! Calls that open a process or a thread by its id, or the next one: a member
//! opens those of its VM, and all others are as if they did not exist. All that
//! is done to a process goes by such a handle, and is decided here.

use super::membership::{self, Held};
use super::tables;
use crate::hooks::{self, kept};
use crate::{guard, trace};
use core::ffi::c_void;
use pinion_nt::status::{
    STATUS_DATATYPE_MISALIGNMENT, STATUS_INVALID_CID, STATUS_INVALID_PARAMETER,
    STATUS_INVALID_PARAMETER_MIX, STATUS_NO_MORE_ENTRIES, success,
};
use pinion_nt::{
    CLIENT_ID, CURRENT_PROCESS, HANDLE, NTSTATUS, OBJECT_ATTRIBUTES, object_attributes,
};
use pinion_processes::list;
use pinion_wire::trace::Verdict;

/// An id that no process and no thread has: beyond all tables of ids. With it
/// the kernel itself answers as for one that is not there.
const NOBODY: CLIENT_ID = CLIENT_ID {
    process: 0xffff_fffc,
    thread: 0xffff_fffc,
};

/// `THREAD_QUERY_LIMITED_INFORMATION`.
const QUERY_THREAD: u32 = 0x800;
/// `PROCESS_QUERY_LIMITED_INFORMATION`.
const QUERY_PROCESS: u32 = 0x1000;

/// What is told of who is held.
fn is_member(held: Option<&Held>) -> Verdict {
    held.map_or(Verdict::Absent, |_| Verdict::Member)
}

/// The caller's ids, read once.
fn read(id: *const CLIENT_ID) -> Result<CLIENT_ID, NTSTATUS> {
    if !hooks::is_wine() {
        if id.is_null() {
            // A process has no name that it could be opened by instead.
            return Err(STATUS_INVALID_PARAMETER_MIX);
        }
        if !(id as usize).is_multiple_of(4) {
            return Err(STATUS_DATATYPE_MISALIGNMENT);
        }
    }
    // SAFETY: plain data; a bad pointer is a return value.
    unsafe { guard::read(id) }
}

/// As `NtOpenProcess`.
pub(crate) unsafe fn open_process(
    handle: *mut HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
    id: *const CLIENT_ID,
) -> NTSTATUS {
    let id = match read(id) {
        Ok(id) => id,
        Err(status) => return status,
    };
    let held = membership::hold(id.process, access);
    trace::verdict(is_member(held.as_ref()));
    let id = if held.is_some() { id } else { NOBODY };
    // SAFETY: the program's arguments but for the id.
    unsafe { kept::NtOpenProcess(handle, access, attributes, &raw const id) }
}

/// As `NtOpenThread`.
pub(crate) unsafe fn open_thread(
    handle: *mut HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
    id: *const CLIENT_ID,
) -> NTSTATUS {
    let id = match read(id) {
        Ok(id) => id,
        Err(status) => return status,
    };
    let open = |id: CLIENT_ID| {
        // SAFETY: the program's arguments but for the id.
        unsafe { kept::NtOpenThread(handle, access, attributes, &raw const id) }
    };
    if hooks::is_wine() {
        let held = hold_thread(id.thread);
        trace::verdict(is_member(held.as_ref()));
        return open(if held.is_some() { id } else { NOBODY });
    }
    open_in_members(id, access, open)
}

/// Opens a thread on Windows, where the kernel itself looks whether the thread
/// is of the process that is named with it: so by the name of each member.
fn open_in_members(id: CLIENT_ID, access: u32, open: impl Fn(CLIENT_ID) -> NTSTATUS) -> NTSTATUS {
    let of = |process| CLIENT_ID { process, ..id };
    if id.process != 0 {
        let held = membership::hold(id.process, access);
        return open(if held.is_some() { id } else { NOBODY });
    }
    let status = open(of(membership::own_process()));
    if status != STATUS_INVALID_CID {
        return status;
    }
    let mut last = None;
    while let Some(process) =
        membership::with_members(|members| members.next(last, false)).flatten()
    {
        last = Some(process);
        let held = membership::hold(process, access);
        let status = open(held.as_ref().map_or(NOBODY, |_| of(process)));
        if status != STATUS_INVALID_CID {
            return status;
        }
    }
    open(NOBODY)
}

/// Holds the member's thread of this id on Wine, which does not look at the
/// process's id: it is looked up in the list of processes first, so that no
/// thread of others is opened.
pub(crate) fn hold_thread(id: u64) -> Option<Held> {
    if id & !3 == membership::own_thread() {
        return Some(Held(core::ptr::null_mut()));
    }
    let process = tables::with_all_processes(|bytes| list::process_of_thread(bytes, id))??;
    if !membership::lists(process) {
        return None;
    }
    let id = CLIENT_ID {
        process,
        thread: id,
    };
    let attributes = object_attributes(core::ptr::null_mut(), core::ptr::null(), 0);
    let mut thread: HANDLE = core::ptr::null_mut();
    // SAFETY: all pointers are to locals.
    let status = unsafe {
        kept::NtOpenThread(
            &raw mut thread,
            QUERY_THREAD,
            &raw const attributes,
            &raw const id,
        )
    };
    let held = success(status).then_some(Held(thread))?;
    membership::holds_thread(held.0).then_some(held)
}

/// As `NtGetNextProcess`, in the order of ids: the kernel's own order tells
/// nothing.
pub(crate) unsafe fn next_process(
    process: HANDLE,
    access: u32,
    attributes: u32,
    flags: u32,
    next: *mut HANDLE,
) -> NTSTATUS {
    const PREVIOUS: u32 = 1;
    if flags & !PREVIOUS != 0 {
        return STATUS_INVALID_PARAMETER;
    }
    let mut last = None;
    if !process.is_null() {
        match membership::id_of(process) {
            Ok(id) => last = Some(id),
            Err(status) => return status,
        }
    }
    let back = flags & PREVIOUS != 0;
    while let Some(id) = membership::with_members(|members| members.next(last, back)).flatten() {
        last = Some(id);
        let held = membership::hold(id, access);
        let attributes = object_attributes(core::ptr::null_mut(), core::ptr::null(), attributes);
        let id = held.as_ref().map_or(NOBODY, |_| CLIENT_ID {
            process: id,
            thread: 0,
        });
        let mut handle: HANDLE = core::ptr::null_mut();
        // SAFETY: all pointers are to locals.
        let status = unsafe {
            kept::NtOpenProcess(
                &raw mut handle,
                access,
                &raw const attributes,
                &raw const id,
            )
        };
        if success(status) {
            return give(handle, next);
        }
    }
    STATUS_NO_MORE_ENTRIES
}

/// Writes a new handle to the program's place.
fn give(handle: HANDLE, place: *mut HANDLE) -> NTSTATUS {
    // SAFETY: the program's pointer, under guard.
    match unsafe { guard::write(place, handle) } {
        Ok(()) => 0,
        Err(code) => {
            // SAFETY: the handle is nobody's yet.
            unsafe { kept::NtClose(handle) };
            code
        }
    }
}

/// As `NtAlpcOpenSenderProcess`.
pub(crate) unsafe fn sender_process(
    handle: *mut HANDLE,
    port: HANDLE,
    message: *mut c_void,
    flags: u32,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
) -> NTSTATUS {
    let open = |own: *mut HANDLE, none: *const OBJECT_ATTRIBUTES| {
        // SAFETY: the program's port and message; the rest are locals.
        unsafe { kept::NtAlpcOpenSenderProcess(own, port, message, flags, QUERY_PROCESS, none) }
    };
    sender(handle, access, attributes, open, membership::holds)
}

/// As `NtAlpcOpenSenderThread`.
pub(crate) unsafe fn sender_thread(
    handle: *mut HANDLE,
    port: HANDLE,
    message: *mut c_void,
    flags: u32,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
) -> NTSTATUS {
    let open = |own: *mut HANDLE, none: *const OBJECT_ATTRIBUTES| {
        // SAFETY: the program's port and message; the rest are locals.
        unsafe { kept::NtAlpcOpenSenderThread(own, port, message, flags, QUERY_THREAD, none) }
    };
    sender(handle, access, attributes, open, membership::holds_thread)
}

/// Opens a sender with the right to query it only; the program gets a handle as
/// it asked for when that is a member's.
fn sender(
    handle: *mut HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
    open: impl FnOnce(*mut HANDLE, *const OBJECT_ATTRIBUTES) -> NTSTATUS,
    member: impl FnOnce(HANDLE) -> bool,
) -> NTSTATUS {
    // SAFETY: plain data; a bad pointer is a return value.
    let given = match unsafe { guard::read(attributes) } {
        Ok(given) => given,
        Err(code) => return code,
    };
    let none = object_attributes(core::ptr::null_mut(), core::ptr::null(), 0);
    let mut own: HANDLE = core::ptr::null_mut();
    let status = open(&raw mut own, &raw const none);
    if !success(status) {
        return status;
    }
    let (mut wanted, mut status) = (core::ptr::null_mut(), STATUS_INVALID_CID);
    if member(own) {
        // SAFETY: duplicates within this process into a local.
        status = unsafe {
            kept::NtDuplicateObject(
                CURRENT_PROCESS,
                own,
                CURRENT_PROCESS,
                &raw mut wanted,
                access,
                given.Attributes,
                0,
            )
        };
    }
    // SAFETY: the handle is this call's own.
    unsafe { kept::NtClose(own) };
    if success(status) {
        give(wanted, handle)
    } else {
        status
    }
}
