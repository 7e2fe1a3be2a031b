//! A COM server of its own process, or of a service, and its clients. CLASS is a class's id in braces.
//! What is not a server prints one JSON object.
//!
//! Usage:
//! - `com_server serve CLASS TAG [SECONDS]`: serves the class and is the active object of it;
//! - `com_server service NAME CLASS TAG`: the same as a service's process;
//! - `com_server register CLASS TAG`, `com_server register-service NAME CLASS TAG`: has it started by who
//!   asks for the class; the service is made;
//! - `com_server surrogate CLASS`: has a class of a DLL served by the system's surrogate;
//! - `com_server unregister CLASS`;
//! - `com_server call CLASS [--times N]`: asks a new object, and the active one, which server it is of;
//! - `com_server new CLASS [--hold SECONDS]`: makes an object of a local server, and no more;
//! - `com_server marshal SECONDS TAG`: prints a reference to an object of this process, and lives;
//! - `com_server unmarshal HEX`: asks the object of such a reference;
//! - `com_server bits NAME`: makes a job of the background transfer service and counts its jobs.
#![cfg(windows)]

mod bits;
mod object;
mod reference;
mod registration;
mod server;

use std::ptr::{null, null_mut};
use std::time::{Duration, Instant};

use pinion_test_programs::com::{Object, UNKNOWN, class, method, release, shown, string};
use pinion_test_programs::{arguments, say, take_option, usage};
use serde_json::{Value, json};
use windows_sys::Win32::System::Com::{
    CLSCTX_LOCAL_SERVER, COINIT_MULTITHREADED, CoCreateInstance, CoInitializeEx, CoTaskMemFree,
};
use windows_sys::Win32::System::Ole::GetActiveObject;
use windows_sys::core::GUID;

use object::PERSIST_FILE;

/// The place of `IPersistFile::GetCurFile`.
const CURRENT: usize = 8;

/// Which server an object is of.
unsafe fn who(object: Object) -> Value {
    type Current = unsafe extern "system" fn(Object, *mut *mut u16) -> i32;
    let mut text = null_mut();
    // SAFETY: the caller's promise: a live object of IPersistFile, whose string is ours to free.
    unsafe {
        let result = method::<Current>(object, CURRENT)(object, &raw mut text);
        if result < 0 {
            return json!({ "error": shown(result) });
        }
        let told = string(text);
        CoTaskMemFree(text.cast());
        let (tag, pid) = told.split_once(' ').unwrap_or((&told, ""));
        json!({ "tag": tag, "pid": pid.parse::<u32>().ok() })
    }
}

/// The same of an object got as that interface; lets go of it.
unsafe fn who_by(result: i32, object: Object, interface: &GUID) -> Value {
    type Query = unsafe extern "system" fn(Object, *const GUID, *mut Object) -> i32;
    if result < 0 || object.is_null() {
        return json!({ "error": shown(result) });
    }
    let mut file = null_mut();
    // SAFETY: the caller's promise: a live object that is ours.
    unsafe {
        let result = method::<Query>(object, 0)(object, interface, &raw mut file);
        release(object);
        if result < 0 {
            return json!({ "error": shown(result) });
        }
        let told = who(file);
        release(file);
        told
    }
}

fn create(class: &GUID, interface: &GUID) -> (i32, Object) {
    let mut object = null_mut();
    // SAFETY: ids of ours, and a local.
    let result = unsafe {
        CoCreateInstance(
            class,
            null_mut(),
            CLSCTX_LOCAL_SERVER,
            interface,
            &raw mut object,
        )
    };
    (result, object)
}

fn call(class: &GUID, times: u32) -> Value {
    let begin = Instant::now();
    let (result, object) = create(class, &PERSIST_FILE);
    // SAFETY: what was created is ours.
    let new = unsafe { who_by(result, object, &PERSIST_FILE) };
    let first = begin.elapsed();
    let begin = Instant::now();
    for _ in 0..times {
        let (result, object) = create(class, &PERSIST_FILE);
        // SAFETY: as above.
        unsafe { who_by(result, object, &PERSIST_FILE) };
    }
    let warm = begin.elapsed();
    let mut active = null_mut();
    // SAFETY: an id of ours, and a local; the object is ours.
    let active = unsafe {
        let result = GetActiveObject(class, null_mut(), &raw mut active);
        who_by(result, active, &PERSIST_FILE)
    };
    json!({
        "new": new,
        "active": active,
        "first_us": first.as_micros() as u64,
        "warm_us": if times == 0 { 0 } else { warm.as_micros() as u64 / u64::from(times) },
    })
}

fn main() {
    let mut given = arguments();
    let seconds = take_option(&mut given, "--hold");
    let times = take_option(&mut given, "--times").and_then(|n| n.parse().ok());
    // COM adds this to the command line of what it starts.
    given.retain(|argument| !argument.eq_ignore_ascii_case("-Embedding"));
    let words: Vec<&str> = given.iter().map(String::as_str).collect();
    // SAFETY: no pointer is given.
    unsafe { CoInitializeEx(null(), COINIT_MULTITHREADED as u32) };
    let id = |text: &str| class(text).unwrap_or_else(|| usage("CLASS is an id in braces"));
    let told = match words[..] {
        ["serve", class, tag] => server::serve(&id(class), tag, Duration::from_secs(60)),
        ["serve", class, tag, seconds] => {
            let seconds = seconds.parse().unwrap_or(60);
            server::serve(&id(class), tag, Duration::from_secs(seconds))
        }
        ["service", name, class, tag] => server::as_service(name, &id(class), tag),
        ["register", class, tag] => registration::local_server(class, tag),
        ["register-service", name, class, tag] => registration::service(name, class, tag),
        ["surrogate", class] => registration::surrogate(class),
        ["unregister", class] => registration::remove(class),
        ["call", class] => call(&id(class), times.unwrap_or(0)),
        ["new", class] => {
            let (result, object) = create(&id(class), &UNKNOWN);
            say(&json!({ "result": shown(result) }));
            pinion_test_programs::hold(seconds);
            // SAFETY: what was created is ours.
            unsafe { release(object) };
            json!({ "end": true })
        }
        ["marshal", seconds, tag] => reference::marshal(tag, seconds.parse().unwrap_or(30)),
        ["unmarshal", hex] => reference::unmarshal(hex),
        ["bits", name] => bits::job(name),
        _ => usage("com_server VERB …; see the source"),
    };
    say(&told);
}
