//! The thread that hears what the kernel tells of watched directories. It waits
//! at a completion port, and all requests to the kernel are its own, so that
//! they end with no thread of the program.
//!
//! It is made without the calls that tell DLLs of a new thread. A process whose
//! last other thread ends goes, as it would without the helper.

use super::table::{self, Table};
use super::watched::SOURCES;
use super::{heard, raw};
use crate::hooks::kept;
use core::ffi::c_void;
use core::sync::atomic::{AtomicPtr, Ordering};
use pinion_nt::calls::{
    NtCreateThreadEx, NtQueryInformationThread, NtRemoveIoCompletion, NtSetEvent,
    NtSetIoCompletion, NtTerminateProcess, NtWaitForSingleObject,
};
use pinion_nt::status::{STATUS_SUCCESS, success};
use pinion_nt::{CURRENT_PROCESS, CURRENT_THREAD, HANDLE, NTSTATUS};

/// Keys of packets: a watch begins, it ends, the kernel tells.
const BEGIN: usize = 1;
const END: usize = 2;
const TELL: usize = 3;
/// A second, and how long who begins a watch waits for the helper, which cannot
/// run while the loader's lock is held; in 100 ns, from now on.
const SECOND: i64 = -10_000_000;

static PORT: AtomicPtr<c_void> = AtomicPtr::new(core::ptr::null_mut());

/// What a packet says of watch and source. Never null, which to the kernel means
/// no packet.
pub(super) fn mark(number: usize, source: usize) -> *const c_void {
    (1 + number * SOURCES + source) as *const c_void
}

/// Sees to it that the helper runs; gives its port.
pub(super) fn run(table: &mut Table) -> Result<HANDLE, NTSTATUS> {
    const ALL: u32 = 0x1F_0003;
    const THREAD_ALL: u32 = 0x1F_FFFF;
    /// `THREAD_CREATE_FLAGS_SKIP_THREAD_ATTACH` (phnt).
    const SKIP_ATTACH: u32 = 2;
    const STACK: usize = 0x4_0000;
    if table.port.is_null() {
        let none = core::ptr::null();
        // SAFETY: the output is the table's; the port has no name.
        raw::check(unsafe { kept::NtCreateIoCompletion(&raw mut table.port, ALL, none, 1) })?;
        PORT.store(table.port, Ordering::Release);
    }
    if !table.runs {
        let mut thread: HANDLE = core::ptr::null_mut();
        let null = core::ptr::null_mut();
        let none = core::ptr::null();
        let start = main as *const c_void;
        // SAFETY: the output is a local; the thread takes no parameter.
        raw::check(unsafe {
            NtCreateThreadEx(
                &raw mut thread,
                THREAD_ALL,
                none,
                CURRENT_PROCESS,
                start,
                null,
                SKIP_ATTACH,
                0,
                STACK,
                STACK,
                null,
            )
        })?;
        // SAFETY: the agent's own handle.
        unsafe { kept::NtClose(thread) };
        table.runs = true;
    }
    Ok(table.port)
}

/// Has the helper told when a request on `handle` is at its end.
pub(super) fn join(handle: HANDLE, port: HANDLE) -> Result<(), NTSTATUS> {
    /// `FileCompletionInformation` (wdm.h): port and key.
    const COMPLETION: u32 = 30;
    let information = [port as usize, TELL];
    // SAFETY: the structure is two words.
    unsafe { raw::set_raw(handle, COMPLETION, information.as_ptr().cast(), 16) }
}

/// Lets the helper begin with a watch, and waits until it has.
pub(super) fn start(number: usize) {
    const ALL: u32 = 0x1F_0003;
    let mut event: HANDLE = core::ptr::null_mut();
    // SAFETY: the output is a local; the event has no name.
    unsafe { kept::NtCreateEvent(&raw mut event, ALL, core::ptr::null(), 0, 0) };
    // The helper closes its own.
    let told = super::request::second(event, 0).unwrap_or(core::ptr::null_mut());
    put(BEGIN, number, told as usize);
    if !event.is_null() {
        let timeout = SECOND;
        // SAFETY: the agent's own handle.
        unsafe {
            NtWaitForSingleObject(event, 0, &raw const timeout);
            kept::NtClose(event);
        }
    }
}

/// Lets the helper end a watch.
pub(super) fn end(number: usize) {
    put(END, number, 0);
}

fn put(key: usize, number: usize, information: usize) {
    let (key, mark) = (key as *mut c_void, mark(number, 0).cast_mut());
    let port = PORT.load(Ordering::Acquire);
    // SAFETY: the port is never closed; the rest are values.
    unsafe { NtSetIoCompletion(port, key, mark, STATUS_SUCCESS, information) };
}

/// The thread.
unsafe extern "system" fn main(_: *mut c_void) -> u32 {
    let port = PORT.load(Ordering::Acquire);
    loop {
        let (mut key, mut mark) = (core::ptr::null_mut(), core::ptr::null_mut());
        let (mut io, timeout) = (raw::block(), SECOND);
        // SAFETY: all pointers are to locals.
        let status = unsafe {
            NtRemoveIoCompletion(
                port,
                &raw mut key,
                &raw mut mark,
                &raw mut io,
                &raw const timeout,
            )
        };
        if status == STATUS_SUCCESS {
            // SAFETY: the union's status is what was written.
            let told = unsafe { io.Anonymous.Status };
            packet(key as usize, mark as usize, told, io.Information);
        } else if is_done() {
            return 0;
        }
    }
}

fn packet(key: usize, mark: usize, status: NTSTATUS, information: usize) {
    let (number, source) = ((mark - 1) / SOURCES, (mark - 1) % SOURCES);
    match key {
        BEGIN => {
            heard::start(number);
            let event = information as HANDLE;
            if !event.is_null() {
                // SAFETY: the handle was given to the helper.
                unsafe {
                    NtSetEvent(event, core::ptr::null_mut());
                    kept::NtClose(event);
                }
            }
        }
        END => heard::end(number),
        _ => heard::records(number, source, status, information),
    }
}

/// Whether nothing is left to hear. Ends the process when no other thread is
/// left in it.
fn is_done() -> bool {
    /// `ThreadAmILastThread` (phnt).
    const LAST: u32 = 12;
    let mut last = 0_u32;
    // SAFETY: the structure is one word.
    let status = unsafe {
        let none = core::ptr::null_mut();
        NtQueryInformationThread(CURRENT_THREAD, LAST, (&raw mut last).cast(), 4, none)
    };
    if success(status) && last != 0 {
        // SAFETY: ends the calling process; no memory is involved.
        unsafe { NtTerminateProcess(CURRENT_PROCESS, 0) };
    }
    table::with(|table| {
        table.runs = !table.is_idle();
        !table.runs
    })
    .unwrap_or(false)
}
