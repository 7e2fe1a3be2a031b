//! The process that a run ends with: its handle, inherited from it, so that its id matters to nobody.
//! The group's process starts its replicas so; when it is killed, none stays.

use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::ptr::null_mut;
use std::sync::Arc;
use std::thread;

use pinion_nt::HANDLE;
use windows_sys::Win32::Foundation::{DuplicateHandle, WAIT_OBJECT_0};
use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, INFINITE, PROCESS_SYNCHRONIZE, WaitForSingleObject,
};

use crate::error::Result;
use crate::keeper::Keeper;
use crate::system::{check, own};

/// A handle of this process that a child can inherit, good for waiting only.
pub(crate) fn of_this_process() -> Result<OwnedHandle> {
    let mut handle = null_mut();
    let what = "make a handle of this process";
    // SAFETY: this process's own pseudo handle; `handle` is a local.
    let done = unsafe {
        let this = GetCurrentProcess();
        DuplicateHandle(this, this, this, &raw mut handle, PROCESS_SYNCHRONIZE, 1, 0)
    };
    check(done, what)?;
    // SAFETY: a fresh handle.
    unsafe { own(handle, what) }
}

/// Kills the VM when the process has ended whose inherited handle has this value; at once when it is
/// no such handle.
pub(crate) fn watch(keeper: &Arc<Keeper>, handle: usize) {
    let keeper = Arc::clone(keeper);
    thread::spawn(move || {
        let handle = handle as HANDLE;
        // SAFETY: our starter made the handle for this process, and nobody closes it.
        let ended = unsafe { own(handle, "wait for the owner") }.is_ok_and(|handle| {
            // SAFETY: a live handle.
            let waited = unsafe { WaitForSingleObject(handle.as_raw_handle(), INFINITE) };
            waited == WAIT_OBJECT_0
        });
        tracing::info!(ended, "the process that this run belongs to is gone");
        keeper.life().ask_kill();
        keeper.notify();
    });
}
