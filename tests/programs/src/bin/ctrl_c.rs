//! Waits for Ctrl-C and tells: `ctrl_c wait [SECONDS]` ends with 7 when Ctrl-C
//! came and 1 when it did not; `ctrl_c self` sends one to all of its console
//! first, `ctrl_c group` to its process group by that one's id; `ctrl_c console PROGRAM ARGUMENT…` runs PROGRAM in a new console of
//! its own, waits, and ends with its exit code; `ctrl_c held FILE PROGRAM
//! ARGUMENT…` does so while it has FILE locked, and lets go two seconds later,
//! having sent Ctrl-C first.

use core::sync::atomic::{AtomicU32, Ordering};
use pinion_test_programs::{arguments, last_error, say, usage};
use std::os::windows::io::AsRawHandle;
use std::time::{Duration, Instant};
use windows_sys::Win32::Storage::FileSystem::{LOCKFILE_EXCLUSIVE_LOCK, LockFileEx};
use windows_sys::Win32::System::Console::{
    AllocConsole, CTRL_C_EVENT, FreeConsole, GenerateConsoleCtrlEvent, GetConsoleCP, GetStdHandle,
    STD_ERROR_HANDLE, STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, SetConsoleCtrlHandler, SetStdHandle,
};
use windows_sys::Win32::System::IO::OVERLAPPED;
use windows_sys::core::BOOL;

const STDIO: [u32; 3] = [STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE];

static SEEN: AtomicU32 = AtomicU32::new(u32::MAX);

unsafe extern "system" fn handler(event: u32) -> BOOL {
    SEEN.store(event, Ordering::SeqCst);
    1
}

fn main() {
    let arguments = arguments();
    let seconds = |at: usize| {
        arguments
            .get(at)
            .and_then(|text| text.parse().ok())
            .unwrap_or(5.0)
    };
    match arguments.first().map(String::as_str) {
        Some("wait") => wait(seconds(1), None),
        Some("self") => wait(seconds(1), Some(0)),
        Some("group") => wait(seconds(1), Some(own_group())),
        Some("console") if arguments.len() > 1 => in_console(&arguments[1..], None),
        Some("held") if arguments.len() > 2 => {
            let file = std::fs::File::create(&arguments[1]).and_then(locked);
            match file {
                Ok(file) => in_console(&arguments[2..], Some(file)),
                Err(error) => {
                    eprintln!("cannot lock {}: {error}", arguments[1]);
                    std::process::exit(3)
                }
            }
        }
        _ => usage(
            "ctrl_c wait|self|group [SECONDS] | ctrl_c console PROGRAM ARGUMENT… | ctrl_c held FILE PROGRAM ARGUMENT…",
        ),
    }
}

fn locked(file: std::fs::File) -> std::io::Result<std::fs::File> {
    let mut from = OVERLAPPED::default();
    // SAFETY: a live handle; the structure tells that the range begins at 0.
    let done = unsafe {
        LockFileEx(
            file.as_raw_handle(),
            LOCKFILE_EXCLUSIVE_LOCK,
            0,
            u32::MAX,
            u32::MAX,
            &raw mut from,
        )
    };
    if done == 0 {
        return Err(std::io::Error::last_os_error());
    }
    Ok(file)
}

/// `ProcessGroupId` of the process's parameters (phnt's ntrtl.h); 0 on Wine 8, which sets none.
fn own_group() -> u32 {
    let group: u32;
    // SAFETY: gs:[0x60] is the PEB of every x64 thread, its word at 0x20 the parameters, which are
    // longer than this.
    unsafe {
        std::arch::asm!(
            "mov {0}, gs:[0x60]", "mov {0}, [{0} + 0x20]", "mov {1:e}, [{0} + 0x408]",
            out(reg) _, out(reg) group, options(nostack, readonly)
        );
    }
    group
}

/// Sends Ctrl-C to the group, if one is given, and waits for it.
fn wait(seconds: f64, group: Option<u32>) -> ! {
    // SAFETY: the handler is a function of this program with the right
    // signature; removing an ignore-Ctrl-C flag takes no pointer.
    let has_console = unsafe {
        SetConsoleCtrlHandler(None, 0);
        SetConsoleCtrlHandler(Some(handler), 1);
        GetConsoleCP() != 0
    };
    let mut generate_error = 0;
    // SAFETY: no pointers.
    let sent = |group| unsafe { GenerateConsoleCtrlEvent(CTRL_C_EVENT, group) } != 0;
    if group.is_some_and(|group| !sent(group)) {
        generate_error = last_error();
    }
    let start = Instant::now();
    while SEEN.load(Ordering::SeqCst) == u32::MAX && start.elapsed().as_secs_f64() < seconds {
        std::thread::sleep(Duration::from_millis(10));
    }
    let seen = SEEN.load(Ordering::SeqCst) == CTRL_C_EVENT;
    say(&serde_json::json!({
        "ctrl_c": seen, "console": has_console, "generate_error": generate_error,
    }));
    std::process::exit(if seen { 7 } else { 1 })
}

/// A new console takes the place of stdin, stdout and stderr; PROGRAM gets those
/// from before, and inherits the console itself. A file that is held is let go
/// after a Ctrl-C.
fn in_console(command: &[String], held: Option<std::fs::File>) -> ! {
    // SAFETY: no pointers; our own Ctrl-C handling is switched off for us, and
    // back on for the child by the child.
    unsafe {
        let before = STDIO.map(|which| GetStdHandle(which));
        FreeConsole();
        if AllocConsole() == 0 {
            eprintln!("no console: error {}", last_error());
            std::process::exit(3);
        }
        SetConsoleCtrlHandler(Some(handler), 1);
        for (which, handle) in STDIO.into_iter().zip(before) {
            SetStdHandle(which, handle);
        }
    }
    let done = std::process::Command::new(&command[0])
        .args(&command[1..])
        .spawn()
        .and_then(|mut child| {
            if let Some(file) = held {
                std::thread::sleep(Duration::from_secs(2));
                // SAFETY: no pointers.
                unsafe { GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0) };
                drop(file);
            }
            child.wait()
        });
    match done {
        Ok(status) => std::process::exit(status.code().unwrap_or(-1)),
        Err(error) => {
            eprintln!("cannot start {}: {error}", command[0]);
            std::process::exit(3)
        }
    }
}
