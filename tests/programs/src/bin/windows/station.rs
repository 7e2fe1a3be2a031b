//! The window station, the desktop and the clipboard that the program sees.

use std::ptr::{null, null_mut};

use pinion_test_programs::{last_error, wide};
use serde_json::{Value, json};
use windows_sys::Win32::Foundation::{GlobalFree, HWND};
use windows_sys::Win32::System::DataExchange::{
    CloseClipboard, EmptyClipboard, GetClipboardData, GetClipboardSequenceNumber, OpenClipboard,
    SetClipboardData,
};
use windows_sys::Win32::System::Memory::{GMEM_MOVEABLE, GlobalAlloc, GlobalLock, GlobalUnlock};
use windows_sys::Win32::System::StationsAndDesktops::{
    CloseWindowStation, CreateDesktopW, EnumDesktopsW, EnumWindowStationsW,
    GetProcessWindowStation, GetThreadDesktop, GetUserObjectInformationW, OpenDesktopW,
    OpenWindowStationW, UOI_NAME,
};
use windows_sys::Win32::System::Threading::{GetCurrentThreadId, GetStartupInfoW, STARTUPINFOW};
use windows_sys::Win32::UI::WindowsAndMessaging::GetDesktopWindow;

/// The name of a station or desktop.
fn name(object: *mut core::ffi::c_void) -> String {
    let (mut text, mut needed) = ([0_u16; 128], 0);
    // SAFETY: the places are locals.
    let done = unsafe {
        let size = size_of_val(&text) as u32;
        GetUserObjectInformationW(
            object,
            UOI_NAME,
            text.as_mut_ptr().cast(),
            size,
            &raw mut needed,
        )
    };
    if done == 0 {
        return format!("error {}", last_error());
    }
    String::from_utf16_lossy(text.split(|unit| *unit == 0).next().unwrap_or(&[]))
}

extern "system" fn visit(name: *const u16, list: isize) -> i32 {
    // SAFETY: a string that ends with a zero, and the address of the caller's list.
    unsafe {
        let length = (0..).take_while(|at| *name.add(*at) != 0).count();
        let text = String::from_utf16_lossy(std::slice::from_raw_parts(name, length));
        (*(list as *mut Vec<String>)).push(text);
    }
    1
}

/// Tells where the program is, and what it can open: `NAME` is a station and a
/// desktop.
pub fn station(arguments: &[String]) -> Value {
    const ALL: u32 = 0x1000_0000;
    let asked = wide(arguments.first().map_or("WinSta0", String::as_str));
    let (mut stations, mut desktops) = (Vec::<String>::new(), Vec::<String>::new());
    // SAFETY: the strings end with a zero, the lists live over the calls.
    unsafe {
        let (here, desktop) = (
            GetProcessWindowStation(),
            GetThreadDesktop(GetCurrentThreadId()),
        );
        EnumWindowStationsW(Some(visit), (&raw mut stations) as isize);
        EnumDesktopsW(here, Some(visit), (&raw mut desktops) as isize);
        let opened = OpenWindowStationW(asked.as_ptr(), 0, ALL);
        let station_error = if opened.is_null() { last_error() } else { 0 };
        let own = OpenDesktopW(asked.as_ptr(), 0, 0, ALL);
        let desktop_error = if own.is_null() { last_error() } else { 0 };
        let made = wide("pinion-e2e-desktop");
        let made = CreateDesktopW(made.as_ptr(), null(), null(), 0, ALL, null());
        let opened_name = if opened.is_null() {
            String::new()
        } else {
            name(opened)
        };
        if !opened.is_null() {
            CloseWindowStation(opened);
        }
        let mut startup: STARTUPINFOW = std::mem::zeroed();
        GetStartupInfoW(&raw mut startup);
        let mut started = Vec::<String>::new();
        if !startup.lpDesktop.is_null() {
            visit(startup.lpDesktop, (&raw mut started) as isize);
        }
        json!({
            "station": name(here),
            "desktop": name(desktop),
            "stations": stations,
            "desktops": desktops,
            "opened": opened_name,
            "station error": station_error,
            "desktop error": desktop_error,
            "made": !made.is_null(),
            "window": GetDesktopWindow() as usize,
            "thread": std::thread::spawn(|| name(GetThreadDesktop(GetCurrentThreadId()))).join().unwrap_or_default(),
            "startup": started,
        })
    }
}

const CF_UNICODETEXT: u32 = 13;

/// `get`, or `set TEXT`.
pub fn clipboard(arguments: &[String]) -> Value {
    let none: HWND = null_mut();
    // SAFETY: the memory is the clipboard's, held while it is open.
    unsafe {
        if OpenClipboard(none) == 0 {
            return json!({ "error": last_error() });
        }
        let mut value = json!({ "error": 0, "sequence": GetClipboardSequenceNumber() });
        if let [verb, text, ..] = arguments
            && verb == "set"
        {
            EmptyClipboard();
            let text = wide(text);
            let memory = GlobalAlloc(GMEM_MOVEABLE, text.len() * 2);
            std::ptr::copy_nonoverlapping(text.as_ptr(), GlobalLock(memory).cast(), text.len());
            GlobalUnlock(memory);
            if SetClipboardData(CF_UNICODETEXT, memory).is_null() {
                value["error"] = json!(last_error());
                GlobalFree(memory);
            }
        } else {
            let memory = GetClipboardData(CF_UNICODETEXT);
            let mut text = Vec::<String>::new();
            if !memory.is_null() {
                visit(GlobalLock(memory).cast(), (&raw mut text) as isize);
                GlobalUnlock(memory);
            }
            value["text"] = json!(text.first());
        }
        CloseClipboard();
        value
    }
}
