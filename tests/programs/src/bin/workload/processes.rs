//! Processes: opening one by its id, and listing all.

use std::process::Command;
use windows_sys::Win32::Foundation::CloseHandle;
use windows_sys::Win32::System::Diagnostics::ToolHelp::{
    CreateToolhelp32Snapshot, TH32CS_SNAPPROCESS,
};
use windows_sys::Win32::System::Threading::{OpenProcess, PROCESS_QUERY_LIMITED_INFORMATION};

/// Opens a child by its id and closes it, `count` times.
pub fn open(count: u32) {
    let program = std::env::current_exe().expect("a program knows its path");
    let mut child = Command::new(program)
        .arg("hold")
        .spawn()
        .expect("a child starts");
    crate::time(count, |_| {
        // SAFETY: no pointers; the handle is closed once.
        unsafe {
            let handle = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, child.id());
            assert!(!handle.is_null());
            CloseHandle(handle);
        }
    });
    child.kill().expect("the child is ended");
    child.wait().expect("the child has ended");
}

/// Lists all processes, as toolhelp does.
pub fn list() {
    // SAFETY: no pointers; the handle is closed once.
    unsafe {
        let snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
        assert!(!snapshot.is_null() && snapshot.addr() != usize::MAX);
        CloseHandle(snapshot);
    }
}
