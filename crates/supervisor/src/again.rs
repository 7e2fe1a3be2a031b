//! Creating a process again where Wine failed to.
//!
//! Now and then a new process of Wine 8 dies before it has told the server of itself, and its creation
//! fails with an internal error (observed inside and outside of VMs, about once in some hundred
//! creations on a loaded machine). Nothing of the program has run, so it is tried again.

use windows_sys::Win32::Foundation::{ERROR_INTERNAL_ERROR, GetLastError};

use crate::system::is_wine;

/// How often a creation is tried in all.
const ATTEMPTS: usize = 3;

/// Calls `create`, which gives what `CreateProcessW` gave, until it succeeds, fails otherwise than Wine
/// does, or was tried often enough.
pub fn create(mut create: impl FnMut() -> i32) -> i32 {
    for _ in 1..ATTEMPTS {
        let done = create();
        // SAFETY: reads the thread's last error.
        if done != 0 || unsafe { GetLastError() } != ERROR_INTERNAL_ERROR || !is_wine() {
            return done;
        }
    }
    create()
}
