//! What is the session's: settings of the user, displays, the pointer.

use serde_json::{Value, json};
use std::ptr::{null, null_mut};
use windows_sys::Win32::Foundation::{GetLastError, POINT, SetLastError};
use windows_sys::Win32::Graphics::Gdi::{ChangeDisplaySettingsW, GetSysColor, SetSysColors};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    GetCursorPos, SPI_GETWHEELSCROLLLINES, SPI_SETWHEELSCROLLLINES, SetCursorPos,
    SystemParametersInfoW,
};

const COLOR_MENU: i32 = 4;

/// What a call returned, and the last error that it left.
fn told(returned: i32) -> Value {
    // SAFETY: takes nothing.
    json!({ "returned": returned, "error": unsafe { GetLastError() } })
}

/// Tries all, with values that change nothing where they are taken.
pub fn session() -> Value {
    // SAFETY: numbers and locals are given.
    unsafe {
        let mut lines = 0_u32;
        let read = SystemParametersInfoW(SPI_GETWHEELSCROLLLINES, 0, (&raw mut lines).cast(), 0);
        SetLastError(0);
        let set = SystemParametersInfoW(SPI_SETWHEELSCROLLLINES, lines, null_mut(), 0);
        let setting = told(set);
        let color = GetSysColor(COLOR_MENU);
        SetLastError(0);
        let colors = told(SetSysColors(1, &COLOR_MENU, &raw const color));
        SetLastError(0);
        let displays = told(ChangeDisplaySettingsW(null(), 0));
        json!({
            "read": read,
            "setting": setting,
            "colors": colors,
            "displays": displays,
        })
    }
}

/// Puts the pointer to a place, if one is given, and tells where it is.
pub fn pointer(place: &[String]) -> Value {
    let number = |at: usize| place.get(at).and_then(|word| word.parse().ok());
    let mut is = POINT::default();
    // SAFETY: numbers and a local are given.
    unsafe {
        if let (Some(x), Some(y)) = (number(0), number(1)) {
            SetCursorPos(x, y);
        }
        GetCursorPos(&raw mut is);
    }
    json!([is.x, is.y])
}
