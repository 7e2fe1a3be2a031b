//! A set-up program of a small server: files, keys, a service, a COM class and a shortcut. Prints one JSON
//! object.
//!
//! Usage:
//! - `setup own NAME WORKER.EXE SERVER.EXE CLASS`: installs it by itself as NAME;
//! - `setup tell NAME SERVICE CLASS`: what there is of it.
#![cfg(windows)]

mod own;

use std::path::Path;

use pinion_test_programs::services::{manager, open, status};
use pinion_test_programs::{arguments, say, usage, wide};
use serde_json::{Value, json};
use windows_sys::Win32::System::Registry::{HKEY_LOCAL_MACHINE, RRF_RT_REG_SZ, RegGetValueW};
use windows_sys::Win32::System::Services::SERVICE_QUERY_STATUS;

/// Where programs are.
pub const PROGRAMS: &str = r"C:\Program Files";
/// The shortcuts of all users.
pub const MENU: &str = r"C:\ProgramData\Microsoft\Windows\Start Menu\Programs";

/// The user's own, where Wine's installer puts them (observed on Wine 8 and 10).
fn own_menu() -> String {
    let data = std::env::var("APPDATA").unwrap_or_default();
    format!(r"{data}\Microsoft\Windows\Start Menu\Programs")
}

/// A text of the machine's registry.
fn text(key: &str, name: &str) -> Value {
    let (key, name) = (wide(key), wide(name));
    let (mut buffer, mut size) = ([0_u16; 512], 1024);
    // SAFETY: zero-terminated strings; a buffer of the size told.
    let error = unsafe {
        RegGetValueW(
            HKEY_LOCAL_MACHINE,
            key.as_ptr(),
            name.as_ptr(),
            RRF_RT_REG_SZ,
            std::ptr::null_mut(),
            buffer.as_mut_ptr().cast(),
            &raw mut size,
        )
    };
    if error != 0 {
        return json!({ "error": error });
    }
    let length = buffer.iter().take_while(|&&unit| unit != 0).count();
    json!(String::from_utf16_lossy(&buffer[..length]))
}

fn tell(name: &str, service: &str, class: &str) -> Value {
    let menus = [MENU.to_owned(), own_menu()];
    let state = open(manager(), service, SERVICE_QUERY_STATUS);
    json!({
        "file": Path::new(&format!(r"{PROGRAMS}\{name}\worker.exe")).exists(),
        "key": text(&format!(r"Software\{name}"), "Installed"),
        "service": state.map_or_else(
            |error| json!({ "error": error }),
            |service| json!(status(service).dwCurrentState),
        ),
        "class": text(&format!(r"Software\Classes\CLSID\{class}\LocalServer32"), ""),
        "shortcut": menus.iter().any(|menu| Path::new(&format!(r"{menu}\{name}.lnk")).exists()),
    })
}

fn main() {
    let arguments = arguments();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let told = match words[..] {
        ["own", name, worker, server, class] => own::install(name, worker, server, class),
        ["tell", name, service, class] => Ok(tell(name, service, class)),
        _ => usage("setup own|tell …; see the source"),
    };
    say(&told.unwrap_or_else(|error| json!({ "error": error })));
}
