//! Hooks on what happens to windows, and what input goes to them.

use super::window::{NAME_CHANGE, Window, fact};
use crate::imports;
use crate::win::{self, Step, last, yes};
use core::ffi::c_void;
use core::ptr::null;
use pinion_probes::{Ask, Seen};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};
use windows_sys::Win32::UI::WindowsAndMessaging::MSG;

type Hook = *mut c_void;
type EventCall = unsafe extern "system" fn(Hook, u32, Window, i32, i32, u32, u32);

imports! {
    "user32.dll" {
        fn SetWinEventHook(first: u32, end: u32, module: *const c_void, call: EventCall, process: u32, thread: u32, flags: u32) -> Hook;
        fn UnhookWinEvent(hook: Hook) -> i32;
        fn SetWindowsHookExW(kind: i32, call: *const c_void, module: *const c_void, thread: u32) -> Hook;
        fn UnhookWindowsHookEx(hook: Hook) -> i32;
        fn PeekMessageW(message: *mut MSG, window: Window, first: u32, end: u32, remove: u32) -> i32;
        fn DispatchMessageW(message: *const MSG) -> isize;
        fn SetForegroundWindow(window: Window) -> i32;
        fn GetForegroundWindow() -> Window;
        fn GetDesktopWindow() -> Window;
        fn AttachThreadInput(one: u32, other: u32, attach: i32) -> i32;
        fn GetGUIThreadInfo(thread: u32, info: *mut u32) -> i32;
        fn RegisterHotKey(window: Window, id: i32, modifiers: u32, key: u32) -> i32;
        fn UnregisterHotKey(window: Window, id: i32) -> i32;
    }
    "kernel32.dll" {
        fn GetCurrentThreadId() -> u32;
        fn GetModuleHandleW(name: *const u16) -> *const c_void;
    }
}

/// The number that the last event had.
static TOLD: AtomicI32 = AtomicI32::new(0);
/// The number that is waited for.
static WANTED: AtomicI32 = AtomicI32::new(0);

unsafe extern "system" fn heard(_: Hook, _: u32, _: Window, _: i32, child: i32, _: u32, _: u32) {
    if child == WANTED.load(Ordering::Relaxed) {
        TOLD.store(child, Ordering::Relaxed);
    }
}

pub fn reach(ask: &Ask) -> Step<()> {
    match ask.way.as_str() {
        "events-of-all" | "name-change" => events(ask, 0),
        "events-of-process" => events(ask, fact(ask, "process") as u32),
        "message-hook" => message_hook(fact(ask, "thread") as u32),
        way => win::unknown(way),
    }
}

/// The window tells of itself by events; here they are listened to.
fn events(ask: &Ask, process: u32) -> Step<()> {
    let secret = ask.secret.cast_signed();
    TOLD.store(0, Ordering::Relaxed);
    WANTED.store(secret, Ordering::Relaxed);
    let mut message = MSG::default();
    // SAFETY: the call is static; the message is a local. Out of context.
    unsafe {
        let hook = SetWinEventHook(NAME_CHANGE, NAME_CHANGE, null(), heard, process, 0, 0)?;
        if hook.is_null() {
            return Err(last("the hook"));
        }
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(200) && TOLD.load(Ordering::Relaxed) != secret
        {
            while PeekMessageW(&raw mut message, 0, 0, 0, 1)? != 0 {
                DispatchMessageW(&raw const message)?;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = UnhookWinEvent(hook);
    }
    if TOLD.load(Ordering::Relaxed) == secret {
        Ok(())
    } else {
        Err(Seen::Refused("no event came".into()))
    }
}

/// Set and taken away: a function of user32 that takes what a hook takes.
fn message_hook(thread: u32) -> Step<()> {
    let user = win::wide("user32.dll");
    let call = win::address("user32.dll", c"CallNextHookEx")?;
    // SAFETY: the name ends in a zero; the function is in the module. WH_GETMESSAGE.
    unsafe {
        let hook = SetWindowsHookExW(3, call, GetModuleHandleW(user.as_ptr())?, thread)?;
        if hook.is_null() {
            return Err(last("the hook"));
        }
        yes("unhook", UnhookWindowsHookEx(hook)?)
    }
}

pub fn input(ask: &Ask) -> Step<()> {
    let (window, thread) = (fact(ask, "window"), fact(ask, "thread") as u32);
    // SAFETY: only numbers are given, and a buffer of the size that it tells.
    unsafe {
        match ask.way.as_str() {
            "foreground" => {
                let _ = SetForegroundWindow(GetDesktopWindow()?);
                let _ = SetForegroundWindow(window)?;
                let is = GetForegroundWindow()? == window;
                if is { Ok(()) } else { Err(last("foreground")) }
            }
            "attach-input" => {
                let own = GetCurrentThreadId()?;
                yes("attach", AttachThreadInput(own, thread, 1)?)?;
                let _ = AttachThreadInput(own, thread, 0);
                Ok(())
            }
            "gui-thread-info" => {
                let mut info = [0_u32; 18];
                info[0] = 72;
                yes("ask", GetGUIThreadInfo(thread, info.as_mut_ptr())?)
            }
            "hot-key" => {
                let takes = |key| -> Step<bool> {
                    let taken = RegisterHotKey(0, 2, 0xF, key)? != 0;
                    let _ = UnregisterHotKey(0, 2);
                    Ok(taken)
                };
                // That the server's alone is taken shows that it is there.
                match (takes(0x87)?, takes(0x86)?) {
                    (false, true) => Ok(()),
                    (true, _) => Err(Seen::Refused("it was free".into())),
                    (false, false) => Err(Seen::Refused("no hot key is had".into())),
                }
            }
            way => win::unknown(way),
        }
    }
}
