//! Opening the server's process, and what its id alone gives away.

use super::process::{is_server, open, open_native};
use super::window::fact;
use crate::imports;
use crate::win::{self, Handle, Step, last, nt, wide, yes};
use core::ffi::c_void;
use core::ptr::{null, null_mut};
use pinion_probes::{Ask, Seen};
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS};
use windows_sys::Win32::System::Threading::{PROCESS_INFORMATION, STARTUPINFOEXW, STARTUPINFOW};

imports! {
    "kernel32.dll" {
        fn GetProcessId(process: HANDLE) -> u32;
        fn QueryFullProcessImageNameW(process: HANDLE, flags: u32, text: *mut u16, room: *mut u32) -> i32;
        fn GetProcessTimes(process: HANDLE, made: *mut u64, ended: *mut u64, kernel: *mut u64, user: *mut u64) -> i32;
        fn ProcessIdToSessionId(process: u32, session: *mut u32) -> i32;
        fn InitializeProcThreadAttributeList(list: *mut c_void, count: u32, flags: u32, size: *mut usize) -> i32;
        fn UpdateProcThreadAttribute(list: *mut c_void, flags: u32, which: usize, value: *const c_void, size: usize, old: *mut c_void, returned: *mut usize) -> i32;
        fn CreateProcessW(program: *const u16, line: *mut u16, security: *const c_void, thread: *const c_void, inherit: i32, flags: u32, env: *const c_void, folder: *const u16, startup: *const STARTUPINFOW, made: *mut PROCESS_INFORMATION) -> i32;
        fn TerminateProcess(process: HANDLE, code: u32) -> i32;
        fn FreeConsole() -> i32;
        fn AttachConsole(process: u32) -> i32;
        fn GetConsoleProcessList(list: *mut u32, room: u32) -> u32;
    }
    "ntdll.dll" {
        fn NtGetNextProcess(process: HANDLE, access: u32, attributes: u32, flags: u32, next: *mut HANDLE) -> NTSTATUS;
    }
}

const ALL: u32 = 0x1F_FFFF;
const QUERY: u32 = 0x400;
const QUERY_LIMITED: u32 = 0x1000;
const SYNCHRONISE: u32 = 0x10_0000;
const MAXIMUM_ALLOWED: u32 = 0x0200_0000;

pub fn reach(ask: &Ask) -> Step<()> {
    let process = fact(ask, "process") as usize;
    match ask.way.as_str() {
        "open" => is_server(&open(ask, ALL)?, ask),
        "open-to-query" => is_server(&open(ask, QUERY_LIMITED)?, ask),
        "open-to-synchronise" => open(ask, SYNCHRONISE).map(drop),
        "open-native" => is_server(&open_native([process, 0], MAXIMUM_ALLOWED)?, ask),
        "open-by-thread" => {
            let thread = fact(ask, "thread") as usize;
            is_server(&open_native([0, thread], QUERY_LIMITED)?, ask)
        }
        "next-process" => next_process(process as u32),
        "image-name" => {
            let (opened, mut room) = (open(ask, QUERY_LIMITED)?, [0; 512]);
            let mut length = 512;
            // SAFETY: the buffer has the room told.
            yes("ask", unsafe {
                QueryFullProcessImageNameW(opened.0, 0, room.as_mut_ptr(), &raw mut length)?
            })
        }
        "times" => {
            let (opened, mut times) = (open(ask, QUERY)?, [0_u64; 4]);
            let [a, b, c, d] = times.each_mut().map(core::ptr::from_mut);
            // SAFETY: four locals.
            yes("ask", unsafe { GetProcessTimes(opened.0, a, b, c, d)? })
        }
        "session-of" => {
            let mut session = 0;
            // SAFETY: a local.
            yes("ask", unsafe {
                ProcessIdToSessionId(process as u32, &raw mut session)?
            })
        }
        "as-parent" => as_parent(&open(ask, 0x80)?),
        way => win::unknown(way),
    }
}

/// Every process after another, without an id.
fn next_process(wanted: u32) -> Step<()> {
    let mut at = Handle(null_mut());
    for _ in 0..10_000 {
        let mut next: HANDLE = null_mut();
        // SAFETY: a live handle or none, and a local.
        let status = unsafe { NtGetNextProcess(at.0, QUERY_LIMITED, 0, 0, &raw mut next)? };
        nt("next", status)?;
        at = Handle(next);
        // SAFETY: a live handle.
        if unsafe { GetProcessId(at.0)? } == wanted {
            return Ok(());
        }
    }
    Err(Seen::Refused("it did not come".into()))
}

/// A child that has the server as its parent. It is suspended and ended.
fn as_parent(parent: &Handle) -> Step<()> {
    let mut line = wide("cmd.exe /c exit");
    let mut list = [0_u64; 64];
    let (at, mut size) = (list.as_mut_ptr().cast::<c_void>(), size_of_val(&list));
    let mut startup = STARTUPINFOEXW::default();
    startup.StartupInfo.cb = size_of::<STARTUPINFOEXW>() as u32;
    startup.lpAttributeList = at;
    let mut made = PROCESS_INFORMATION::default();
    // SAFETY: the list has room for one attribute; all pointers are to locals that outlive the calls.
    unsafe {
        yes(
            "the list",
            InitializeProcThreadAttributeList(at, 1, 0, &raw mut size)?,
        )?;
        let value = (&raw const parent.0).cast();
        yes(
            "the parent",
            UpdateProcThreadAttribute(at, 0, 0x2_0000, value, 8, null_mut(), null_mut())?,
        )?;
        let startup = (&raw const startup).cast();
        // Suspended, with the extended information, without a console.
        let flags = 0x0808_0004;
        let ok = CreateProcessW(
            null(),
            line.as_mut_ptr(),
            null(),
            null(),
            0,
            flags,
            null(),
            null(),
            startup,
            &raw mut made,
        )?;
        yes("start", ok)?;
        let (process, _thread) = (Handle(made.hProcess), Handle(made.hThread));
        let _ = TerminateProcess(process.0, 0);
    }
    Ok(())
}

/// The server's console, taken for this process's own for a moment.
pub fn console(ask: &Ask) -> Step<()> {
    let process = fact(ask, "process") as u32;
    let mut list = [0; 64];
    // SAFETY: only numbers and a local are given.
    unsafe {
        match ask.way.as_str() {
            "attach" => {
                let _ = FreeConsole();
                let attached = AttachConsole(process)?;
                let why = last("attach");
                let _ = FreeConsole();
                if attached == 0 { Err(why) } else { Ok(()) }
            }
            "list" => {
                let count = GetConsoleProcessList(list.as_mut_ptr(), 64)? as usize;
                if list.iter().take(count).any(|one| *one == process) {
                    Ok(())
                } else {
                    Err(Seen::Refused("the process is not in the list".into()))
                }
            }
            way => win::unknown(way),
        }
    }
}
