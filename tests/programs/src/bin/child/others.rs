//! Looks at other processes, and ends one.

use pinion_test_programs::{last_error, say};
use serde_json::json;
use windows_sys::Win32::Foundation::{CloseHandle, HANDLE, WAIT_TIMEOUT};
use windows_sys::Win32::System::Threading::{
    OpenProcess, PROCESS_SYNCHRONIZE, PROCESS_TERMINATE, TerminateProcess, WaitForSingleObject,
};

fn open(access: u32, pid: &str) -> Option<HANDLE> {
    let pid = pid.parse().unwrap_or(0);
    // SAFETY: no pointers.
    let handle = unsafe { OpenProcess(access, 0, pid) };
    (!handle.is_null()).then_some(handle)
}

/// Tells which of the processes live and can be opened.
pub fn alive(pids: &[&str]) {
    let lives = |pid: &str| {
        open(PROCESS_SYNCHRONIZE, pid).is_some_and(|handle| {
            // SAFETY: the handle is ours and closed once.
            unsafe {
                let lives = WaitForSingleObject(handle, 0) == WAIT_TIMEOUT;
                CloseHandle(handle);
                lives
            }
        })
    };
    let alive: Vec<u32> = pids
        .iter()
        .filter(|pid| lives(pid))
        .filter_map(|pid| pid.parse().ok())
        .collect();
    say(&json!({"alive": alive}));
}

/// Ends a process with exit code 9 at once.
pub fn kill(pid: &str) {
    let done = open(PROCESS_TERMINATE, pid).is_some_and(|handle| {
        // SAFETY: the handle is ours and closed once.
        unsafe {
            let done = TerminateProcess(handle, 9) != 0;
            CloseHandle(handle);
            done
        }
    });
    if !done {
        eprintln!("cannot end process {pid}: error {}", last_error());
        std::process::exit(1);
    }
}
