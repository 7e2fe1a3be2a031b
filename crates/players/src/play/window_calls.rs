//! What else asks of a window, or does something to it, by its number: a call that succeeds got there.

use super::window::{PROPERTY, Window, fact};
use crate::imports;
use crate::win::{self, Step, last, wide, yes};
use core::ffi::c_void;
use core::ptr::null;
use pinion_probes::{Ask, Seen};
use std::time::Duration;
use windows_sys::Win32::Foundation::{POINT, RECT};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    SCROLLBARINFO, SCROLLINFO, TITLEBARINFO, WINDOWPLACEMENT,
};

imports! {
    "user32.dll" {
        fn GetAncestor(window: Window, kind: u32) -> Window;
        fn GetLayeredWindowAttributes(window: Window, key: *mut u32, alpha: *mut u8, flags: *mut u32) -> i32;
        fn SetLayeredWindowAttributes(window: Window, key: u32, alpha: u8, flags: u32) -> i32;
        fn GetScrollBarInfo(window: Window, bar: i32, told: *mut SCROLLBARINFO) -> i32;
        fn SetScrollInfo(window: Window, bar: i32, told: *const SCROLLINFO, redraw: i32) -> i32;
        fn GetTitleBarInfo(window: Window, told: *mut TITLEBARINFO) -> i32;
        fn GetWindowPlacement(window: Window, told: *mut WINDOWPLACEMENT) -> i32;
        fn SetWindowPlacement(window: Window, place: *const WINDOWPLACEMENT) -> i32;
        fn GetInternalWindowPos(window: Window, place: *mut RECT, icon: *mut POINT) -> u32;
        fn GetWindowRgn(window: Window, region: Window) -> i32;
        fn ChildWindowFromPointEx(parent: Window, point: u64, flags: u32) -> Window;
        fn RealChildWindowFromPoint(parent: Window, point: u64) -> Window;
        fn GetUpdateRect(window: Window, place: *mut RECT, erase: i32) -> i32;
        fn GetUpdateRgn(window: Window, region: Window, erase: i32) -> i32;
        fn InvalidateRect(window: Window, place: *const RECT, erase: i32) -> i32;
        fn InvalidateRgn(window: Window, region: Window, erase: i32) -> i32;
        fn ValidateRect(window: Window, place: *const RECT) -> i32;
        fn ValidateRgn(window: Window, region: Window) -> i32;
        fn RedrawWindow(window: Window, place: *const RECT, region: Window, flags: u32) -> i32;
        fn MoveWindow(window: Window, x: i32, y: i32, width: i32, height: i32, paint: i32) -> i32;
        fn ShowWindow(window: Window, how: i32) -> i32;
        fn ShowWindowAsync(window: Window, how: i32) -> i32;
        fn CreateWindowExW(extended: u32, class: *const u16, title: *const u16, style: u32, x: i32, y: i32, w: i32, h: i32, parent: Window, menu: Window, module: *const c_void, context: *const c_void) -> Window;
        fn DestroyWindow(window: Window) -> i32;
        fn SetParent(window: Window, parent: Window) -> Window;
        fn RemovePropW(window: Window, name: *const u16) -> usize;
        fn SetWindowLongW(window: Window, index: i32, value: i32) -> i32;
        fn LockWindowUpdate(window: Window) -> i32;
        fn GetDC(window: Window) -> Window;
        fn GetDCEx(window: Window, region: Window, flags: u32) -> Window;
        fn GetWindowDC(window: Window) -> Window;
        fn ReleaseDC(window: Window, context: Window) -> i32;
        fn PrintWindow(window: Window, context: Window, flags: u32) -> i32;
    }
    "gdi32.dll" {
        fn CreateRectRgn(left: i32, top: i32, right: i32, bottom: i32) -> Window;
        fn CreateDCW(driver: *const u16, device: *const u16, port: *const u16, mode: *const c_void) -> Window;
        fn CreateCompatibleDC(context: Window) -> Window;
        fn CreateCompatibleBitmap(context: Window, width: i32, height: i32) -> Window;
        fn SelectObject(context: Window, object: Window) -> Window;
        fn BitBlt(to: Window, x: i32, y: i32, width: i32, height: i32, from: Window, left: i32, top: i32, how: u32) -> i32;
        fn GetPixel(context: Window, x: i32, y: i32) -> u32;
        fn DeleteDC(context: Window) -> i32;
        fn DeleteObject(object: Window) -> i32;
    }
}

/// Both places of a point in one argument.
const POINT_INSIDE: u64 = 20 << 32 | 20;
/// `SRCCOPY` (wingdi.h).
const COPY: u32 = 0xCC_0020;
/// Where the server's window is on the screen, well within its border.
const ON_SCREEN: i32 = 150;

/// What is there when it is not 0.
fn there(what: &str, value: usize) -> Step<()> {
    if value == 0 { Err(last(what)) } else { Ok(()) }
}

/// The probe `window-call`.
pub fn reach(ask: &Ask) -> Step<()> {
    let (way, window) = (ask.way.as_str(), fact(ask, "window"));
    match asked(way, window) {
        Some(done) => done,
        None => acted(way, window, ask.secret),
    }
}

/// The ways that ask; none when it is not one of them.
fn asked(way: &str, window: Window) -> Option<Step<()>> {
    let (mut key, mut alpha, mut flags) = (0, 0, 0);
    let mut bar = SCROLLBARINFO {
        cbSize: size_of::<SCROLLBARINFO>() as u32,
        ..SCROLLBARINFO::default()
    };
    let mut title = TITLEBARINFO {
        cbSize: size_of::<TITLEBARINFO>() as u32,
        ..TITLEBARINFO::default()
    };
    let mut place = placement();
    let (mut rectangle, mut icon) = (RECT::default(), POINT::default());
    let mut ask = || -> Step<i32> {
        // SAFETY: numbers and locals are given, with their sizes where they have one.
        unsafe {
            Ok(match way {
                "ancestor" => i32::from(GetAncestor(window, 2)? != 0),
                "layered" => GetLayeredWindowAttributes(
                    window,
                    &raw mut key,
                    &raw mut alpha,
                    &raw mut flags,
                )?,
                "scroll-bar" => GetScrollBarInfo(window, -5, &raw mut bar)?,
                "title-bar" => GetTitleBarInfo(window, &raw mut title)?,
                "placement" => GetWindowPlacement(window, &raw mut place)?,
                "internal-placement" => {
                    GetInternalWindowPos(window, &raw mut rectangle, &raw mut icon)?.cast_signed()
                }
                "region" => GetWindowRgn(window, CreateRectRgn(0, 0, 1, 1)?)?,
                "update-rectangle" => {
                    yes("invalidate", InvalidateRect(window, null(), 1)?)?;
                    GetUpdateRect(window, &raw mut rectangle, 0)?
                }
                "update-region" => {
                    yes("invalidate", InvalidateRect(window, null(), 1)?)?;
                    // NULLREGION is 1.
                    GetUpdateRgn(window, CreateRectRgn(0, 0, 1, 1)?, 0)? - 1
                }
                "child-at" => i32::from(ChildWindowFromPointEx(window, POINT_INSIDE, 0)? != 0),
                "real-child-at" => i32::from(RealChildWindowFromPoint(window, POINT_INSIDE)? != 0),
                _ => -1,
            })
        }
    };
    match ask() {
        Ok(-1) => None,
        done => Some(done.and_then(|done| yes("ask", done))),
    }
}

fn placement() -> WINDOWPLACEMENT {
    WINDOWPLACEMENT {
        length: size_of::<WINDOWPLACEMENT>() as u32,
        ..WINDOWPLACEMENT::default()
    }
}

/// The ways that do something.
fn acted(way: &str, window: Window, secret: u32) -> Step<()> {
    let mut place = placement();
    let scroll = SCROLLINFO {
        cbSize: size_of::<SCROLLINFO>() as u32,
        // SIF_RANGE and SIF_POS.
        fMask: 5,
        nMin: 0,
        nMax: 100,
        nPos: 50,
        ..SCROLLINFO::default()
    };
    // SAFETY: numbers and locals are given, with their sizes; the name ends in a zero.
    let done = unsafe {
        match way {
            "set-layered" => SetLayeredWindowAttributes(window, 0, 200, 2)?,
            "set-scroll" => SetScrollInfo(window, 1, &raw const scroll, 0)?,
            "set-placement" => {
                // Where it is; asked of a window of one's own would be no less right.
                let _ = GetWindowPlacement(window, &raw mut place)?;
                place.showCmd = 1;
                SetWindowPlacement(window, &raw const place)?
            }
            "invalidate" => InvalidateRect(window, null(), 0)?,
            "invalidate-region" => InvalidateRgn(window, 0, 0)?,
            "validate" => ValidateRect(window, null())?,
            "validate-region" => ValidateRgn(window, 0)?,
            "redraw" => RedrawWindow(window, null(), 0, 1)?,
            "move-window" => MoveWindow(window, 20, 20, 300, 200, 0)?,
            "show" => ShowWindow(window, 8)?,
            "show-async" => ShowWindowAsync(window, 8)?,
            "child-of" => child_of(window)?,
            "set-parent" => i32::from(SetParent(window, 0)? != 0),
            "remove-property" => {
                let name = wide(PROPERTY);
                return win::token(RemovePropW(window, name.as_ptr())? as u32, secret);
            }
            "set-long" => {
                let was = SetWindowLongW(window, -21, 1)?;
                return win::token(was.cast_unsigned(), secret);
            }
            "lock-update" => {
                let done = LockWindowUpdate(window)?;
                LockWindowUpdate(0)?;
                done
            }
            way => return win::unknown(way),
        }
    };
    yes("act", done)
}

/// Whether a child of it can be made.
fn child_of(window: Window) -> Step<i32> {
    const WS_CHILD: u32 = 0x4000_0000;
    let (class, title) = (wide("Static"), wide(""));
    // SAFETY: both names end in zeros; all else is numbers.
    unsafe {
        let child = CreateWindowExW(
            0,
            class.as_ptr(),
            title.as_ptr(),
            WS_CHILD,
            0,
            0,
            1,
            1,
            window,
            0,
            null(),
            null(),
        )?;
        there("a child", child.cast_unsigned())?;
        DestroyWindow(child)
    }
}

/// The probe `screen`: contexts of a window, its print, and its pixels on the screen.
pub fn pixels(ask: &Ask) -> Step<()> {
    let window = fact(ask, "window");
    // SAFETY: numbers are given, and strings that end in zeros.
    unsafe {
        let context = match ask.way.as_str() {
            "context" => GetDC(window)?,
            "context-ex" => GetDCEx(window, 0, 2)?,
            "window-context" => GetWindowDC(window)?,
            "print" => {
                let memory = Memory::new()?;
                return yes("print", PrintWindow(window, memory.context, 0)?);
            }
            "pixel" => return shown(ask, GetDC(0)?, false),
            "copy" => return shown(ask, GetDC(0)?, true),
            "display" => {
                let name = wide("DISPLAY");
                return shown(ask, CreateDCW(name.as_ptr(), null(), null(), null())?, true);
            }
            way => return win::unknown(way),
        };
        there("the context", context.cast_unsigned())?;
        ReleaseDC(window, context)?;
    }
    Ok(())
}

/// Whether the server's color is on the screen, read from there or from a copy. It is painted when the
/// server's thread gets to it.
fn shown(ask: &Ask, screen: Window, by_copy: bool) -> Step<()> {
    const TRIES: u32 = 20;
    const PAUSE: Duration = Duration::from_millis(25);
    let color = ask.secret & 0xff_ffff;
    let mut pixel = 0;
    for _ in 0..TRIES {
        pixel = pixel_of(screen, by_copy)?;
        if pixel == color {
            return Ok(());
        }
        std::thread::sleep(PAUSE);
    }
    Err(Seen::Refused(format!("{pixel:#x} is there")))
}

fn pixel_of(screen: Window, by_copy: bool) -> Step<u32> {
    // SAFETY: contexts of this process and numbers are given.
    unsafe {
        if by_copy {
            let memory = Memory::new()?;
            let (to, at) = (memory.context, ON_SCREEN);
            yes("copy", BitBlt(to, 0, 0, 2, 2, screen, at, at, COPY)?)?;
            GetPixel(memory.context, 0, 0)
        } else {
            GetPixel(screen, ON_SCREEN, ON_SCREEN)
        }
    }
}

/// A context of the memory with a picture as on the screen.
struct Memory {
    context: Window,
    picture: Window,
}

impl Memory {
    fn new() -> Step<Self> {
        // SAFETY: numbers are given.
        unsafe {
            let screen = GetDC(0)?;
            let context = CreateCompatibleDC(screen)?;
            let picture = CreateCompatibleBitmap(screen, 2, 2)?;
            ReleaseDC(0, screen)?;
            there("a picture", picture.cast_unsigned())?;
            SelectObject(context, picture)?;
            Ok(Self { context, picture })
        }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: made by `new`, deleted once.
        unsafe {
            let _ = DeleteDC(self.context);
            let _ = DeleteObject(self.picture);
        }
    }
}
