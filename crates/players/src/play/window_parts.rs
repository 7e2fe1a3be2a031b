//! What hangs on a window or its thread: menus, the clipboard's chain, the focus, the desktop. A call that
//! succeeds got there.

use super::window::{Window, fact};
use crate::imports;
use crate::win::{self, Step, last, yes};
use pinion_probes::Ask;
use windows_sys::Win32::Foundation::RECT;
use windows_sys::Win32::UI::WindowsAndMessaging::{GUITHREADINFO, MENUBARINFO};

imports! {
    "user32.dll" {
        fn GetMenuBarInfo(window: Window, object: i32, item: i32, told: *mut MENUBARINFO) -> i32;
        fn GetMenuItemRect(window: Window, menu: Window, item: u32, place: *mut RECT) -> i32;
        fn GetSystemMenu(window: Window, revert: i32) -> Window;
        fn HiliteMenuItem(window: Window, menu: Window, item: u32, how: u32) -> i32;
        fn SetMenu(window: Window, menu: Window) -> i32;
        fn OpenClipboard(window: Window) -> i32;
        fn CloseClipboard() -> i32;
        fn AddClipboardFormatListener(window: Window) -> i32;
        fn RemoveClipboardFormatListener(window: Window) -> i32;
        fn SetClipboardViewer(window: Window) -> Window;
        fn ChangeClipboardChain(window: Window, next: Window) -> i32;
        fn GetGUIThreadInfo(thread: u32, told: *mut GUITHREADINFO) -> i32;
        fn GetThreadDesktop(thread: u32) -> Window;
    }
    "kernel32.dll" {
        fn SetLastError(error: u32) -> ();
        fn GetLastError() -> u32;
    }
}

/// The probe `window-menu`.
pub fn menu(ask: &Ask) -> Step<()> {
    /// `OBJID_MENU`, `MF_BYPOSITION | MF_HILITE` (winuser.h).
    const MENU: i32 = -3;
    const BY_POSITION: u32 = 0x480;
    let (window, menu) = (fact(ask, "window"), fact(ask, "menu"));
    let mut bar = MENUBARINFO {
        cbSize: size_of::<MENUBARINFO>() as u32,
        ..MENUBARINFO::default()
    };
    let mut place = RECT::default();
    // SAFETY: numbers and locals are given, with their sizes where they have one.
    unsafe {
        let done = match ask.way.as_str() {
            "bar" => GetMenuBarInfo(window, MENU, 0, &raw mut bar)?,
            "item" => GetMenuItemRect(window, menu, 0, &raw mut place)?,
            "system" => i32::from(GetSystemMenu(window, 0)? != 0),
            "hilite" => HiliteMenuItem(window, menu, 0, BY_POSITION)?,
            "set" => SetMenu(window, 0)?,
            way => return win::unknown(way),
        };
        yes("the menu", done)
    }
}

/// The probe `clipboard-window`: what was done is undone.
pub fn clipboard(ask: &Ask) -> Step<()> {
    let window = fact(ask, "window");
    // SAFETY: numbers are given.
    unsafe {
        match ask.way.as_str() {
            "open" => {
                yes("open", OpenClipboard(window)?)?;
                CloseClipboard()?;
            }
            "listen" => {
                yes("listen", AddClipboardFormatListener(window)?)?;
                RemoveClipboardFormatListener(window)?;
            }
            "viewer" => {
                // Nothing is given where there is no next one.
                SetLastError(0)?;
                let next = SetClipboardViewer(window)?;
                if next == 0 && GetLastError()? != 0 {
                    return Err(last("the viewer"));
                }
                ChangeClipboardChain(window, next)?;
            }
            way => return win::unknown(way),
        }
    }
    Ok(())
}

/// The probes of threads: `thread-input`, `thread-desktop`.
pub fn thread(ask: &Ask) -> Step<()> {
    let thread = fact(ask, "thread") as u32;
    let mut told = GUITHREADINFO {
        cbSize: size_of::<GUITHREADINFO>() as u32,
        ..GUITHREADINFO::default()
    };
    // SAFETY: a number and a local with its size are given.
    unsafe {
        match ask.way.as_str() {
            "focus" => yes("the focus", GetGUIThreadInfo(thread, &raw mut told)?),
            "get" => yes("a desktop", i32::from(GetThreadDesktop(thread)? != 0)),
            way => win::unknown(way),
        }
    }
}
