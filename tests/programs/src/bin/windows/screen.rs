//! What can be read from the user's screen, from a window of one's own, and from the memory.

use serde_json::{Map, Value};
use std::ptr::{null, null_mut};
use windows_sys::Win32::Foundation::{HWND, POINT};
use windows_sys::Win32::Graphics::Gdi::{
    AC_SRC_OVER, AlphaBlend, BLENDFUNCTION, BitBlt, CLR_INVALID, CreateBitmap,
    CreateCompatibleBitmap, CreateCompatibleDC, CreateDCW, DeleteDC, GetDC, GetPixel, GetWindowDC,
    HDC, MaskBlt, PlgBlt, SRCCOPY, SelectObject, StretchBlt,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    CreateWindowExW, GetDesktopWindow, WS_POPUP, WS_VISIBLE,
};
use windows_sys::w;

const SIDE: i32 = 8;
/// More contexts, one after another, than a process may have of the screen at a time.
const MANY: usize = 400;

/// Each way, and whether something was read by it.
pub fn screen() -> Value {
    let mut told = Map::new();
    // SAFETY: handles of this process, numbers and locals are given.
    unsafe {
        let screen = GetDC(null_mut());
        let memory = CreateCompatibleDC(screen);
        SelectObject(memory, CreateCompatibleBitmap(screen, SIDE, SIDE));
        let copied = |from: HDC| BitBlt(memory, 0, 0, SIDE, SIDE, from, 0, 0, SRCCOPY) != 0;
        let mut tell = |way: &str, done: bool| told.insert(way.to_owned(), done.into());
        tell("copy", copied(screen));
        tell("whole window", copied(GetWindowDC(GetDesktopWindow())));
        let display = || CreateDCW(w!("DISPLAY"), null(), null(), null());
        tell("display", copied(display()));
        let stretched = StretchBlt(
            memory,
            0,
            0,
            SIDE,
            SIDE,
            screen,
            0,
            0,
            SIDE * 2,
            SIDE,
            SRCCOPY,
        );
        tell("stretch", stretched != 0);
        let mask = CreateBitmap(SIDE, SIDE, 1, 1, null());
        let masked =
            |from: HDC| MaskBlt(memory, 0, 0, SIDE, SIDE, from, 0, 0, mask, 0, 0, SRCCOPY) != 0;
        tell("mask", masked(screen));
        // The kernel looks at the lower half of a handle only.
        let wide = display() as usize | 1 << 32;
        tell("display by a wide handle", masked(wide as HDC));
        let corners = [(0, 0), (SIDE, 0), (0, SIDE)].map(|(x, y)| POINT { x, y });
        let turned = PlgBlt(
            memory,
            corners.as_ptr(),
            screen,
            0,
            0,
            SIDE,
            SIDE,
            null_mut(),
            0,
            0,
        );
        tell("turn", turned != 0);
        let blend = BLENDFUNCTION {
            BlendOp: AC_SRC_OVER as u8,
            BlendFlags: 0,
            SourceConstantAlpha: 255,
            AlphaFormat: 0,
        };
        let blended = AlphaBlend(memory, 0, 0, SIDE, SIDE, screen, 0, 0, SIDE, SIDE, blend);
        tell("blend", blended != 0);
        tell("pixel", GetPixel(screen, 1, 1) != CLR_INVALID);
        tell("own window", copied(GetDC(own_window())));
        tell("memory", copied(memory));
        let many = (0..MANY).all(|_| DeleteDC(display()) != 0);
        tell("many", many && copied(memory));
    }
    Value::Object(told)
}

fn own_window() -> HWND {
    // SAFETY: a class of user32's, numbers, and no parent.
    unsafe {
        CreateWindowExW(
            0,
            w!("Static"),
            w!(""),
            WS_POPUP | WS_VISIBLE,
            0,
            0,
            SIDE,
            SIDE,
            null_mut(),
            null_mut(),
            null_mut(),
            null(),
        )
    }
}
