//! Titles of windows, as they are told.

use crate::reach::own_titled;
use pinion_test_programs::{say, wide};
use serde_json::{Value, json};
use std::ptr::{null, null_mut};
use windows_sys::Win32::Foundation::HWND;
use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    FindWindowW, GetWindowTextA, GetWindowTextLengthW, GetWindowTextW, SetWindowTextW,
};

/// The title of a window as `GetWindowText` tells it, and its length.
fn told(window: HWND) -> Value {
    let mut text = [0; 200];
    // SAFETY: a number, and a local.
    unsafe {
        let length = GetWindowTextW(window, text.as_mut_ptr(), text.len() as i32);
        let told = text.get(..length as usize).unwrap_or(&[]);
        json!({
            "title": String::from_utf16_lossy(told),
            "length": GetWindowTextLengthW(window),
        })
    }
}

/// Whether the window became the desktop's shell (`SetShellWindow`, which no import
/// library names).
fn becomes_shell(window: HWND) -> bool {
    type Found = unsafe extern "system" fn() -> isize;
    type Set = unsafe extern "system" fn(HWND) -> i32;
    // SAFETY: names that end with zeros; the export has that signature (user32.spec of
    // Wine, ReactOS's winuser.h).
    unsafe {
        let user32 = GetModuleHandleW(wide("user32.dll").as_ptr());
        let at = GetProcAddress(user32, c"SetShellWindow".as_ptr().cast());
        at.is_some_and(|at| core::mem::transmute::<Found, Set>(at)(window) != 0)
    }
}

/// The title of the window of that number.
pub fn title(arguments: &[String]) -> Value {
    let window = arguments.first().and_then(|word| word.parse().ok());
    told(window.unwrap_or(0_usize) as HWND)
}

/// Makes a window with a title, gives it another, tells both, and stays.
pub fn hold(arguments: &[String]) {
    let [first, second] = arguments else {
        return;
    };
    let window = own_titled(null_mut(), wide(first).as_ptr());
    let made = told(window);
    let mut ansi = [0_u8; 200];
    // SAFETY: a number, and strings that are locals.
    let found = unsafe {
        SetWindowTextW(window, wide(second).as_ptr());
        GetWindowTextA(window, ansi.as_mut_ptr(), ansi.len() as i32);
        FindWindowW(null(), wide(second).as_ptr())
    };
    let ansi = ansi.split(|byte| *byte == 0).next().unwrap_or(&[]);
    say(&json!({
        "window": window as usize,
        "made": made,
        "set": told(window),
        "ansi": String::from_utf8_lossy(ansi),
        "found": found == window,
        "shell": becomes_shell(window),
    }));
    loop {
        std::thread::park();
    }
}
