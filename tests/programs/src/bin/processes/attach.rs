//! Consoles of other processes.

use core::ptr::null;
use pinion_test_programs::{last_error, wide};
use serde_json::{Value, json};
use windows_sys::Win32::Foundation::CloseHandle;
use windows_sys::Win32::System::Console::{AttachConsole, FreeConsole, GetConsoleProcessList};
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
