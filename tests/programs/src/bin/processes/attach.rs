//! Consoles of other processes.

use core::ptr::null;
use pinion_test_programs::{last_error, wide};
use serde_json::{Value, json};
use std::time::Duration;
use windows_sys::Win32::Foundation::CloseHandle;
use windows_sys::Win32::System::Console::{
    AttachConsole, CTRL_C_EVENT, FreeConsole, GenerateConsoleCtrlEvent, GetConsoleProcessList,
};
use windows_sys::Win32::System::Threading::{
    CREATE_NEW_CONSOLE, CreateProcessW, PROCESS_INFORMATION, STARTUPINFOW,
};

/// Leaves this program's console and attaches to that of a process; the error.
pub fn attach(pid: u32) -> Value {
    let mut ids = [0; 8];
    // SAFETY: the list has room for eight.
    unsafe {
        FreeConsole();
        let error = if AttachConsole(pid) == 0 {
            last_error()
        } else {
            0
        };
        let attached = GetConsoleProcessList(ids.as_mut_ptr(), 8);
        json!({"error": error, "attached": error == 0 && attached > 0})
    }
}

/// Attaches to the console of a process, and tells the processes that its list
/// has, at whatever length it is asked, and its own id.
pub fn listed(pid: u32) -> Value {
    let mut told = attach(pid);
    // Its console may be in the making.
    for _ in 0..100 {
        if told["attached"] == true {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
        told = attach(pid);
    }
    let mut ids = [0_u32; 64];
    // SAFETY: the list has the room told.
    let (whole, short) = unsafe {
        let whole = GetConsoleProcessList(ids.as_mut_ptr(), 64);
        (whole, GetConsoleProcessList([0].as_mut_ptr(), 1))
    };
    let ids = &ids[..whole as usize];
    json!({"attached": told["attached"], "ids": ids, "short": short, "pid": std::process::id()})
}

/// Attaches to the console of a process, and sends Ctrl-C to a group there.
pub fn interrupt(pid: u32, group: u32) -> Value {
    let told = attach(pid);
    // SAFETY: no pointers.
    let sent = unsafe { GenerateConsoleCtrlEvent(CTRL_C_EVENT, group) };
    json!({"attached": told["attached"], "sent": sent})
}

/// Starts a program with a console of its own.
pub fn console(seconds: &str) -> Value {
    let exe = std::env::current_exe().expect("a program knows its path");
    let mut line = wide(&format!("\"{}\" hold {seconds}", exe.display()));
    let startup = STARTUPINFOW {
        cb: size_of::<STARTUPINFOW>() as u32,
        ..Default::default()
    };
    let mut made = PROCESS_INFORMATION::default();
    // SAFETY: the line ends in a zero and may be written to; both structures
    // outlive the call; the handles are closed once.
    unsafe {
        let done = CreateProcessW(
            null(),
            line.as_mut_ptr(),
            null(),
            null(),
            0,
            CREATE_NEW_CONSOLE,
            null(),
            null(),
            &raw const startup,
            &raw mut made,
        );
        if done == 0 {
            return json!({"error": last_error()});
        }
        CloseHandle(made.hProcess);
        CloseHandle(made.hThread);
    }
    json!({"pid": made.dwProcessId})
}
