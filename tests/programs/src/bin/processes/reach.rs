//! Tries to open what belongs to others: each way with each right, as Win32
//! errors or statuses.

use crate::nt::{self, ClientId};
use pinion_test_programs::last_error;
use serde_json::{Value, json};
use windows_sys::Win32::Foundation::CloseHandle;
use windows_sys::Win32::System::Diagnostics::Debug::{DebugActiveProcess, DebugActiveProcessStop};
use windows_sys::Win32::System::Diagnostics::ToolHelp::{
    CreateToolhelp32Snapshot, TH32CS_SNAPMODULE,
};
use windows_sys::Win32::System::Threading::{OpenProcess, OpenThread};

/// Rights that a program asks for: none, limited query, query, read, terminate,
/// duplicate handles, create processes, all, the most there are.
const RIGHTS: [u32; 9] = [
    0,
    0x1000,
    0x400,
    0x10,
    1,
    0x40,
    0x80,
    0x1f_ffff,
    0x0200_0000,
];

/// Every open of the process and the thread, and what each gave: `0` for a
/// handle.
pub fn reach(pid: u32, tid: u32) -> Value {
    let win32 = |handle: *mut core::ffi::c_void| {
        if handle.is_null() || handle.addr() == usize::MAX {
            return last_error();
        }
        // SAFETY: a handle of ours, closed once.
        unsafe { CloseHandle(handle) };
        0
    };
    let (process, thread) = (pid as usize, tid as usize);
    // SAFETY: no pointers.
    unsafe {
        json!({
            "OpenProcess": RIGHTS.map(|access| win32(OpenProcess(access, 0, pid))),
            "OpenThread": RIGHTS.map(|access| win32(OpenThread(access, 0, tid))),
            "NtOpenProcess": RIGHTS.map(|access| nt::open(false, access, ClientId { process, thread: 0 })),
            "NtOpenThread": RIGHTS.map(|access| nt::open(true, access, ClientId { process: 0, thread })),
            "NtOpenThread of its process":
                RIGHTS.map(|access| nt::open(true, access, ClientId { process, thread })),
            "NtOpenThread of this process": RIGHTS.map(|access| {
                let process = std::process::id() as usize;
                nt::open(true, access, ClientId { process, thread })
            }),
            "DebugActiveProcess": if DebugActiveProcess(pid) == 0 {
                last_error()
            } else {
                DebugActiveProcessStop(pid);
                0
            },
            "modules": win32(CreateToolhelp32Snapshot(TH32CS_SNAPMODULE, pid)),
        })
    }
}

/// The ids from 4 to 65536 of which a process or a thread opens.
pub fn guess() -> Value {
    let opens = |thread: bool| -> Vec<usize> {
        (4..65536_usize)
            .step_by(4)
            .filter(|id| {
                let id = if thread {
                    ClientId {
                        process: 0,
                        thread: *id,
                    }
                } else {
                    ClientId {
                        process: *id,
                        thread: 0,
                    }
                };
                nt::open(thread, 0x1000 >> u32::from(thread), id) >= 0
            })
            .collect()
    };
    json!({"processes": opens(false), "threads": opens(true)})
}
