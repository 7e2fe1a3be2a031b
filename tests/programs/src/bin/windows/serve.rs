//! The window: tells its numbers, then whatever it hears of others, then, when
//! it is told to, that it ends.

use std::collections::BTreeMap;
use std::sync::Mutex;

use pinion_test_programs::{say, wide};
use serde_json::json;
use windows_sys::Win32::Foundation::{HWND, LPARAM, LRESULT, WPARAM};
use windows_sys::Win32::System::DataExchange::COPYDATASTRUCT;
use windows_sys::Win32::System::Threading::{GetCurrentProcessId, GetCurrentThreadId};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    CreateWindowExW, DefWindowProcW, DispatchMessageW, GetMessageW, MSG, PostMessageW,
    RegisterClassW, RegisterWindowMessageW, SetTimer, WM_APP, WM_COPYDATA, WM_SETTEXT, WM_TIMER,
    WNDCLASSW, WS_OVERLAPPEDWINDOW,
};

/// Ends the program: only a program that may reach it can.
pub const END: u32 = WM_APP + 77;
/// What a message is told by, in the order of [`crate::reach`].
pub const POSTED: u32 = WM_APP + 1;
pub const SENT: u32 = WM_APP + 2;
pub const NOTIFIED: u32 = WM_APP + 3;
pub const CALLED_BACK: u32 = WM_APP + 4;
pub const TIMED: u32 = WM_APP + 5;
pub const TO_THREAD: u32 = WM_APP + 6;
/// What a sent message is answered.
pub const ANSWER: isize = 4711;

static HEARD: Mutex<BTreeMap<String, u32>> = Mutex::new(BTreeMap::new());

fn hear(what: &str) {
    if let Ok(mut heard) = HEARD.lock() {
        *heard.entry(what.into()).or_default() += 1;
    }
}

/// The message that goes to all windows of the desktop.
pub fn broadcast() -> u32 {
    let name = wide("pinion-e2e-broadcast");
    // SAFETY: the string ends with a zero.
    unsafe { RegisterWindowMessageW(name.as_ptr()) }
}

extern "system" fn procedure(window: HWND, message: u32, w: WPARAM, l: LPARAM) -> LRESULT {
    let what = match message {
        POSTED => "posted",
        SENT => "sent",
        NOTIFIED => "notified",
        CALLED_BACK => "called-back",
        TIMED => "timed",
        WM_SETTEXT => "text",
        WM_COPYDATA => {
            // SAFETY: the system hands a structure of the receiver's own.
            let data = unsafe { &*(l as *const COPYDATASTRUCT) };
            if data.cbData == 4 { "data" } else { "odd data" }
        }
        END => {
            if let Ok(heard) = HEARD.lock() {
                say(&json!({ "heard": *heard }));
            }
            std::process::exit(0);
        }
        other if other == broadcast() && other != 0 => "broadcast",
        // SAFETY: the message's own arguments.
        _ => return unsafe { DefWindowProcW(window, message, w, l) },
    };
    if !(message == WM_SETTEXT && w == 0 && HEARD.try_lock().is_err()) {
        hear(what);
    }
    if message == WM_SETTEXT {
        return 1;
    }
    ANSWER
}

/// `WINDOW`: tells a window's program to end.
pub fn end(arguments: &[String]) {
    let window: usize = arguments
        .first()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    // SAFETY: takes a window, whosoever.
    let done = unsafe { PostMessageW(window as HWND, END, 0, 0) };
    std::process::exit(i32::from(done == 0));
}

/// `CLASS TITLE`: makes the window and hears until it is told to end, or for a
/// minute.
pub fn serve(arguments: &[String]) {
    let [class, title] = [0, 1].map(|at| wide(arguments.get(at).map_or("", String::as_str)));
    // SAFETY: the structures and strings are locals; the procedure is a function
    // of the right type.
    let window = unsafe {
        let description = WNDCLASSW {
            lpfnWndProc: Some(procedure),
            lpszClassName: class.as_ptr(),
            ..std::mem::zeroed()
        };
        RegisterClassW(&raw const description);
        CreateWindowExW(
            0,
            class.as_ptr(),
            title.as_ptr(),
            WS_OVERLAPPEDWINDOW,
            0,
            0,
            100,
            100,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            std::ptr::null(),
        )
    };
    if let Ok(mut heard) = HEARD.lock() {
        heard.clear();
    }
    // SAFETY: take nothing.
    let (thread, process) = unsafe { (GetCurrentThreadId(), GetCurrentProcessId()) };
    say(&json!({ "window": window as usize, "thread": thread, "process": process }));
    // SAFETY: a timer of this thread's own window, and messages in a local.
    unsafe {
        SetTimer(window, 1, 60_000, None);
        let mut message: MSG = std::mem::zeroed();
        while GetMessageW(&raw mut message, std::ptr::null_mut(), 0, 0) > 0 {
            if message.hwnd.is_null() && message.message == TO_THREAD {
                hear("to-thread");
            }
            if message.message == WM_TIMER {
                PostMessageW(window, END, 0, 0);
            }
            DispatchMessageW(&raw const message);
        }
    }
}
