//! A DLL that creates the mutant `pinion-early-dllmain` in its DllMain, before
//! the program that imports it runs a line of its own.
#![cfg(windows)]

use core::sync::atomic::{AtomicU32, Ordering};
use windows_sys::Win32::Foundation::{GetLastError, HINSTANCE, TRUE};
use windows_sys::Win32::System::SystemServices::DLL_PROCESS_ATTACH;
use windows_sys::Win32::System::Threading::CreateMutexW;
use windows_sys::core::{BOOL, w};

static ERROR: AtomicU32 = AtomicU32::new(u32::MAX);

/// The loader's call: creates the mutant and lets it live as long as the
/// process.
#[unsafe(no_mangle)]
pub extern "system" fn DllMain(_module: HINSTANCE, reason: u32, _reserved: *const ()) -> BOOL {
    if reason == DLL_PROCESS_ATTACH {
        // SAFETY: the name is a static string that ends in a zero; no other
        // pointer is handed over.
        let error = unsafe {
            CreateMutexW(core::ptr::null(), 0, w!("pinion-early-dllmain"));
            GetLastError()
        };
        ERROR.store(error, Ordering::Relaxed);
    }
    TRUE
}

/// The Win32 error of the creation: 0, or 183 when the name was there already;
/// `u32::MAX` when DllMain was never called.
#[unsafe(no_mangle)]
pub extern "system" fn early_error() -> u32 {
    ERROR.load(Ordering::Relaxed)
}
