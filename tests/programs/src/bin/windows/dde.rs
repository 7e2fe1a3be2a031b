//! A DDE service, and a client that asks for it; and a hot key, which is one for
//! a desktop, too.

use std::mem::zeroed;
use std::ptr::{null, null_mut};

use pinion_test_programs::{say, wide};
use serde_json::json;
use windows_sys::Win32::System::DataExchange::{
    DDE_INITIALIZE_COMMAND, DNS_REGISTER, DdeConnect, DdeCreateStringHandleW, DdeInitializeW,
    DdeNameService, HCONV, HDDEDATA, HSZ, XTYP_CONNECT,
};
use windows_sys::Win32::UI::Input::KeyboardAndMouse::{MOD_CONTROL, RegisterHotKey, VK_F24};
use windows_sys::Win32::UI::WindowsAndMessaging::{DispatchMessageW, GetMessageW, MSG};

/// `CP_WINUNICODE` (ddeml.h).
const UNICODE: i32 = 1200;

extern "system" fn callback(
    kind: u32,
    _: u32,
    _: HCONV,
    _: HSZ,
    _: HSZ,
    _: HDDEDATA,
    _: usize,
    _: usize,
) -> HDDEDATA {
    usize::from(kind == XTYP_CONNECT) as HDDEDATA
}

fn initialize(command: DDE_INITIALIZE_COMMAND) -> u32 {
    let mut instance = 0;
    // SAFETY: the place is a local, the callback a function of the right type.
    let error = unsafe { DdeInitializeW(&raw mut instance, Some(callback), command, 0) };
    assert_eq!(error, 0, "DdeInitialize");
    instance
}

/// `serve NAME` holds the service; `connect NAME` asks for it.
pub fn dde(arguments: &[String]) {
    let [verb, name, ..] = arguments else {
        return;
    };
    let instance = initialize(0);
    let text = wide(name);
    // SAFETY: the string ends with a zero; the rest is of this instance.
    unsafe {
        let name = DdeCreateStringHandleW(instance, text.as_ptr(), UNICODE);
        if verb == "connect" {
            let conversation = DdeConnect(instance, name, name, null());
            say(&json!({ "connected": !conversation.is_null() }));
            return;
        }
        let served = DdeNameService(instance, name, null_mut(), DNS_REGISTER);
        say(&json!({ "serves": !served.is_null() }));
        hold();
    }
}

/// Takes a hot key of the desktop and holds it.
pub fn hot_key() {
    let key = u32::from(VK_F24);
    // SAFETY: takes numbers; no window means the thread.
    let taken = unsafe { RegisterHotKey(null_mut(), 1, MOD_CONTROL, key) };
    say(&json!({ "taken": taken != 0 }));
    hold();
}

/// Handles messages until it is ended.
fn hold() {
    // SAFETY: the message is a local.
    unsafe {
        let mut message: MSG = zeroed();
        while GetMessageW(&raw mut message, null_mut(), 0, 0) > 0 {
            DispatchMessageW(&raw const message);
        }
    }
}
