//! Opens the desktop and holds it until ended. On Wine this starts the
//! desktop's owner on the host, with all that it writes into the registry, so
//! that a later comparison does not count it.
#![cfg(windows)]

use windows_sys::Win32::UI::WindowsAndMessaging::GetDesktopWindow;

fn main() {
    // SAFETY: takes nothing.
    let window = unsafe { GetDesktopWindow() };
    println!("{{\"desktop\": {}}}", !window.is_null());
    loop {
        std::thread::park();
    }
}
