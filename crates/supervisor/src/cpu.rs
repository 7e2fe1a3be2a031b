//! Processor time of processes on Wine.
//!
//! GetProcessTimes gives the caller's own processor time for whatever process on Wine 8 and Wine 10
//! (observed); the times of threads are right there, so they are summed. Only the process's own threads
//! are looked at: a list of all threads of the system grows with each VM.

use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::ptr::null_mut;

use pinion_nt::{HANDLE, calls, status};
use windows_sys::Win32::Foundation::FILETIME;
use windows_sys::Win32::System::Threading::{GetThreadTimes, THREAD_QUERY_INFORMATION};

use crate::process::{Process, ticks};
use crate::system::own;

/// Most threads that are looked at; a program inside can make any number.
const MOST: usize = 4096;

/// Processor time in 100 ns of a process, summed over its living threads.
pub(crate) fn of_threads(process: &Process) -> u64 {
    let mut thread = None;
    let mut sum = 0;
    for _ in 0..MOST {
        thread = next(process, thread.as_ref());
        match &thread {
            Some(thread) => sum += time(thread),
            None => break,
        }
    }
    sum
}

/// The thread after this one, or the first.
fn next(process: &Process, after: Option<&OwnedHandle>) -> Option<OwnedHandle> {
    let after = after.map_or(null_mut(), AsRawHandle::as_raw_handle);
    let mut found: HANDLE = null_mut();
    // SAFETY: live handles; `found` is a local.
    let status = unsafe {
        calls::NtGetNextThread(
            process.raw(),
            after,
            THREAD_QUERY_INFORMATION,
            0,
            0,
            &raw mut found,
        )
    };
    if !status::success(status) {
        return None;
    }
    // SAFETY: a fresh handle.
    unsafe { own(found, "look at a thread") }.ok()
}

fn time(thread: &OwnedHandle) -> u64 {
    let mut times = [FILETIME::default(); 4];
    let [created, exited, kernel, user] = &mut times;
    // SAFETY: a live handle; four locals of the documented type.
    unsafe { GetThreadTimes(thread.as_raw_handle(), created, exited, kernel, user) };
    ticks(times[2]) + ticks(times[3])
}
