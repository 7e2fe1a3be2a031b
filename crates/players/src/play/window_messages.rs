//! Messages to a window whose number is known.

use super::window::{PROPERTY, Window, fact, place_of};
use crate::imports;
use crate::win::{self, Step, wide, yes};
use core::ffi::c_void;
use core::ptr::null;
use pinion_probes::{Ask, Seen};

imports! {
    "user32.dll" {
        fn PostMessageW(window: Window, message: u32, w: usize, l: isize) -> i32;
        fn SendMessageW(window: Window, message: u32, w: usize, l: isize) -> isize;
        fn SendMessageTimeoutW(window: Window, message: u32, w: usize, l: isize, flags: u32, timeout: u32, result: *mut usize) -> isize;
        fn SendNotifyMessageW(window: Window, message: u32, w: usize, l: isize) -> i32;
        fn SendMessageCallbackW(window: Window, message: u32, w: usize, l: isize, call: *const c_void, data: usize) -> i32;
        fn PostThreadMessageW(thread: u32, message: u32, w: usize, l: isize) -> i32;
        fn RegisterWindowMessageW(name: *const u16) -> u32;
        fn SetWindowTextW(window: Window, text: *const u16) -> i32;
        fn SetWindowPos(window: Window, after: Window, x: i32, y: i32, w: i32, h: i32, flags: u32) -> i32;
        fn SetPropW(window: Window, name: *const u16, value: usize) -> i32;
        fn SetWindowLongPtrW(window: Window, index: i32, value: isize) -> isize;
    }
    "win32u.dll" {
        fn NtUserPostMessage(window: Window, message: u32, w: usize, l: isize) -> i32;
        fn NtUserPostThreadMessage(thread: u32, message: u32, w: usize, l: isize) -> i32;
    }
    "kernel32.dll" {
        fn GlobalAddAtomW(name: *const u16) -> u16;
        fn GlobalDeleteAtom(atom: u16) -> u16;
        fn SetLastError(code: u32) -> i32;
    }
}

const WM_APP: u32 = 0x8001;
const WM_NULL: u32 = 0;
const WM_COPYDATA: u32 = 0x4A;
const WM_DROPFILES: u32 = 0x233;
const WM_DDE_INITIATE: u32 = 0x3E0;
const BROADCAST: Window = 0xFFFF;
/// SMTO_ABORTIFHUNG.
const IF_ALIVE: u32 = 2;
const PATIENCE: u32 = 1000;

fn sent() -> Step<()> {
    Err(Seen::Other("sent".into()))
}

pub fn reach(ask: &Ask) -> Step<()> {
    let (window, token) = (fact(ask, "window"), ask.token as usize);
    let thread = fact(ask, "thread") as u32;
    let mut result = 0;
    // SAFETY: no call is given a pointer but to locals.
    unsafe {
        match ask.way.as_str() {
            "post" if ask.probe == "drop-files" => {
                yes(
                    "post",
                    PostMessageW(window, WM_DROPFILES, 0, token as isize)?,
                )?;
            }
            "post" => yes("post", PostMessageW(window, WM_APP, token, 0)?)?,
            "native-post" => yes("post", NtUserPostMessage(window, WM_APP, token, 0)?)?,
            "send" => {
                SendMessageW(window, WM_APP, token, 0)?;
            }
            "send-timeout" => {
                let sent = SendMessageTimeoutW(
                    window,
                    WM_APP,
                    token,
                    0,
                    IF_ALIVE,
                    PATIENCE,
                    &raw mut result,
                )?;
                yes("send", sent as i32)?;
            }
            "send-notify" => yes("send", SendNotifyMessageW(window, WM_APP, token, 0)?)?,
            "send-callback" => {
                yes(
                    "send",
                    SendMessageCallbackW(window, WM_APP, token, 0, null(), 0)?,
                )?;
            }
            "post-thread" => yes("post", PostThreadMessageW(thread, WM_APP, token, 0)?)?,
            "native-post-thread" => {
                yes("post", NtUserPostThreadMessage(thread, WM_APP, token, 0)?)?;
            }
            "broadcast-post" => yes("post", PostMessageW(BROADCAST, registered()?, token, 0)?)?,
            "broadcast-send" => {
                let message = registered()?;
                SendMessageTimeoutW(
                    BROADCAST,
                    message,
                    token,
                    0,
                    IF_ALIVE,
                    PATIENCE,
                    &raw mut result,
                )?;
            }
            "copy-data" => {
                let data = [token, 0, 0];
                SendMessageW(window, WM_COPYDATA, 0, data.as_ptr() as isize)?;
            }
            way => return change(way, window, ask),
        }
    }
    sent()
}

/// A message that only these programs know, so that nobody else minds it.
fn registered() -> Step<u32> {
    let name = wide(PROPERTY);
    // SAFETY: the name ends in a zero.
    unsafe { RegisterWindowMessageW(name.as_ptr()) }
}

fn change(way: &str, window: Window, ask: &Ask) -> Step<()> {
    let text = wide(&ask.token.to_string());
    let property = wide(PROPERTY);
    let x = place_of(ask.token);
    // SAFETY: all texts end in zeros.
    unsafe {
        match way {
            "set-text" => yes("text", SetWindowTextW(window, text.as_ptr())?)?,
            // Its place alone.
            "move" => yes("move", SetWindowPos(window, 0, x, 30, 0, 0, 0x15)?)?,
            "set-property" => {
                yes(
                    "set",
                    SetPropW(window, property.as_ptr(), ask.token as usize)?,
                )?;
            }
            "set-user-data" => {
                SetLastError(0)?;
                SetWindowLongPtrW(window, -21, ask.token as isize)?;
            }
            way => return win::unknown(way),
        }
    }
    sent()
}

/// The first message of DDE, whose application is the token.
pub fn initiate(ask: &Ask) -> Step<()> {
    let text = wide(&ask.token.to_string());
    let window = match ask.way.as_str() {
        "initiate" => BROADCAST,
        _ => fact(ask, "window"),
    };
    let mut result = 0;
    // SAFETY: the text ends in a zero; the result is a local.
    unsafe {
        let atom = GlobalAddAtomW(text.as_ptr())?;
        let names = isize::from(atom as i16) & 0xffff;
        SendMessageTimeoutW(
            window,
            WM_DDE_INITIATE,
            0,
            names,
            IF_ALIVE,
            PATIENCE,
            &raw mut result,
        )?;
        let _ = SendMessageTimeoutW(window, WM_NULL, 0, 0, IF_ALIVE, PATIENCE, &raw mut result);
        let _ = GlobalDeleteAtom(atom);
    }
    sent()
}
