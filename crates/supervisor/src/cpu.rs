//! Processor time of processes on Wine.
//!
//! GetProcessTimes gives the caller's own processor time for whatever process on Wine 8 and Wine 10
//! (observed); the times of threads are right there, so they are summed.

use std::collections::HashMap;
use std::os::windows::io::{AsRawHandle, OwnedHandle};

use windows_sys::Win32::Foundation::FILETIME;
use windows_sys::Win32::System::Diagnostics::ToolHelp::{
    CreateToolhelp32Snapshot, TH32CS_SNAPTHREAD, THREADENTRY32, Thread32First, Thread32Next,
};
use windows_sys::Win32::System::Threading::{GetThreadTimes, OpenThread, THREAD_QUERY_INFORMATION};

use crate::process::ticks;
use crate::system::own;

/// Processor time in 100 ns of these processes, summed over their living threads.
pub(crate) fn of_threads(pids: &[u32]) -> HashMap<u32, u64> {
    let mut sums = HashMap::new();
    for (pid, thread) in threads().unwrap_or_default() {
        if pids.contains(&pid) {
            *sums.entry(pid).or_default() += thread_time(thread);
        }
    }
    sums
}

/// Process and thread ids of all threads of the system.
fn threads() -> crate::Result<Vec<(u32, u32)>> {
    // SAFETY: no pointers; the result is a fresh handle or -1.
    let snapshot = unsafe {
        own(
            CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0),
            "list the threads",
        )
    }?;
    let mut entry = THREADENTRY32 {
        dwSize: size_of::<THREADENTRY32>() as u32,
        ..THREADENTRY32::default()
    };
    let mut found = Vec::new();
    // SAFETY: a live snapshot; the entry has the size told in it.
    let mut more = unsafe { Thread32First(snapshot.as_raw_handle(), &raw mut entry) };
    while more != 0 {
        found.push((entry.th32OwnerProcessID, entry.th32ThreadID));
        // SAFETY: as above.
        more = unsafe { Thread32Next(snapshot.as_raw_handle(), &raw mut entry) };
    }
    Ok(found)
}

fn thread_time(thread: u32) -> u64 {
    // SAFETY: no pointers; the result is a fresh handle or null.
    let opened = unsafe {
        own(
            OpenThread(THREAD_QUERY_INFORMATION, 0, thread),
            "open a thread",
        )
    };
    opened.map_or(0, |handle: OwnedHandle| {
        let mut times = [FILETIME::default(); 4];
        let [created, exited, kernel, user] = &mut times;
        // SAFETY: a live handle; four locals of the documented type.
        unsafe { GetThreadTimes(handle.as_raw_handle(), created, exited, kernel, user) };
        ticks(times[2]) + ticks(times[3])
    })
}
