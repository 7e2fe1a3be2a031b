//! The server's thread by its id.

use super::process::{open, open_thread, open_thread_native};
use super::window::fact;
use crate::imports;
use crate::win::{self, Handle, Step, last, nt, yes};
use core::ptr::null_mut;
use pinion_probes::{Ask, Seen};
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS};
use windows_sys::Win32::System::Diagnostics::Debug::CONTEXT;

imports! {
    "kernel32.dll" {
        fn GetThreadId(thread: HANDLE) -> u32;
        fn SuspendThread(thread: HANDLE) -> u32;
        fn ResumeThread(thread: HANDLE) -> u32;
        fn GetThreadContext(thread: HANDLE, context: *mut CONTEXT) -> i32;
        fn SetThreadPriority(thread: HANDLE, priority: i32) -> i32;
    }
    "ntdll.dll" {
        fn NtGetNextThread(process: HANDLE, thread: HANDLE, access: u32, attributes: u32, flags: u32, next: *mut HANDLE) -> NTSTATUS;
    }
}

const ALL: u32 = 0x1F_FFFF;
const QUERY_LIMITED: u32 = 0x800;

pub fn reach(ask: &Ask) -> Step<()> {
    let thread = fact(ask, "thread") as usize;
    let process = fact(ask, "process") as usize;
    match ask.way.as_str() {
        "open" => is(&open_thread(ask, ALL)?, thread),
        "open-native" => is(
            &open_thread_native([process, thread], QUERY_LIMITED)?,
            thread,
        ),
        "open-by-thread-alone" => is(&open_thread_native([0, thread], QUERY_LIMITED)?, thread),
        "next-thread" => next_thread(&open(ask, 0x400)?, thread),
        "suspend" => suspended(&open_thread(ask, 2)?, |_| Ok(())),
        "context" => suspended(&open_thread(ask, 0xA)?, |thread| {
            // Aligned as the system wants it.
            let mut context = Box::new(CONTEXT {
                ContextFlags: 0x10_0001,
                ..CONTEXT::default()
            });
            // SAFETY: a live handle, and a buffer of the structure's size.
            yes("ask", unsafe {
                GetThreadContext(thread.0, &raw mut *context)?
            })
        }),
        // SAFETY: a live handle.
        "priority" => yes("set", unsafe {
            SetThreadPriority(open_thread(ask, 0x20)?.0, 1)?
        }),
        way => win::unknown(way),
    }
}

fn is(opened: &Handle, thread: usize) -> Step<()> {
    // SAFETY: a live handle.
    win::token(unsafe { GetThreadId(opened.0)? }, thread as u32)
}

fn suspended(thread: &Handle, then: impl FnOnce(&Handle) -> Step<()>) -> Step<()> {
    // SAFETY: a live handle.
    if unsafe { SuspendThread(thread.0)? } == u32::MAX {
        return Err(last("suspend"));
    }
    let seen = then(thread);
    // SAFETY: a live handle.
    let _ = unsafe { ResumeThread(thread.0) };
    seen
}

fn next_thread(process: &Handle, wanted: usize) -> Step<()> {
    let mut at = Handle(null_mut());
    for _ in 0..1000 {
        let mut next: HANDLE = null_mut();
        // SAFETY: live handles or none, and a local.
        let status =
            unsafe { NtGetNextThread(process.0, at.0, QUERY_LIMITED, 0, 0, &raw mut next)? };
        nt("next", status)?;
        at = Handle(next);
        if is(&at, wanted).is_ok() {
            return Ok(());
        }
    }
    Err(Seen::Refused("it did not come".into()))
}
