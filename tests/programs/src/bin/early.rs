//! Creates a named mutant in a TLS callback and, by a DLL that it imports
//! statically, another one in a DllMain: both before its own first line. Then
//! tells how that went and holds on: `early [--hold SECONDS]`.

use core::sync::atomic::{AtomicU32, Ordering};
use pinion_test_programs::{arguments, hold, say, take_option};
use windows_sys::Win32::Foundation::GetLastError;
use windows_sys::Win32::System::SystemServices::DLL_PROCESS_ATTACH;
use windows_sys::Win32::System::Threading::CreateMutexW;
use windows_sys::core::w;

#[link(name = "early_dll", kind = "raw-dylib")]
unsafe extern "system" {
    fn early_error() -> u32;
}

static TLS_ERROR: AtomicU32 = AtomicU32::new(u32::MAX);

unsafe extern "system" fn in_tls(_module: *const (), reason: u32, _reserved: *const ()) {
    if reason == DLL_PROCESS_ATTACH {
        // SAFETY: the name is a static string that ends in a zero.
        let error = unsafe {
            CreateMutexW(core::ptr::null(), 0, w!("pinion-early-tls"));
            GetLastError()
        };
        TLS_ERROR.store(error, Ordering::Relaxed);
    }
}

// SAFETY: `.CRT$XLB` lies between the marks of the TLS callbacks, which the
// loader calls with this very signature.
#[used]
#[unsafe(link_section = ".CRT$XLB")]
static CALLBACK: unsafe extern "system" fn(*const (), u32, *const ()) = in_tls;

fn main() {
    let mut arguments = arguments();
    let seconds = take_option(&mut arguments, "--hold");
    // SAFETY: a function without arguments of a DLL of our own.
    let dllmain = unsafe { early_error() };
    say(&serde_json::json!({
        "pid": std::process::id(),
        "dllmain_error": dllmain,
        "tls_error": TLS_ERROR.load(Ordering::Relaxed),
    }));
    hold(seconds);
}
