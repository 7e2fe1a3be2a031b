//! The desktop's owner on Wine, kept outside of VMs.
//!
//! Wine's Unix side starts `explorer.exe /desktop` from within whatever process needs the desktop's
//! window first, past every system-call stub (observed on Wine 8 and 10). Started by a member it would be
//! in the VM's job and without the agent. So the supervisor needs the desktop first and, as one of its
//! users, keeps it for as long as the VM lives. Windows has no such process; nothing is done there.

use std::thread::{self, JoinHandle};

use windows_sys::Win32::System::LibraryLoader::{GetProcAddress, LoadLibraryW};

use crate::system::{is_wine, wide};

/// Opens the desktop in a thread of its own, since its first opening takes a fifth of a second. Join it
/// before a member runs.
pub(crate) fn open() -> Option<JoinHandle<()>> {
    is_wine().then(|| thread::spawn(get_desktop_window))
}

/// Calls `GetDesktopWindow`, found at run time: the command line, which is the same program, shall not
/// load user32.
fn get_desktop_window() {
    let name = wide("user32.dll");
    // SAFETY: a zero-terminated name of a system DLL.
    let user32 = unsafe { LoadLibraryW(name.as_ptr()) };
    if user32.is_null() {
        tracing::warn!(
            "user32.dll could not be loaded: the desktop's owner may start inside the VM"
        );
        return;
    }
    // SAFETY: a loaded module and a zero-terminated name.
    let address = unsafe { GetProcAddress(user32, c"GetDesktopWindow".as_ptr().cast()) };
    if let Some(get_desktop_window) = address {
        // SAFETY: GetDesktopWindow takes nothing and gives a window handle, which fits the result.
        unsafe { get_desktop_window() };
    }
}
