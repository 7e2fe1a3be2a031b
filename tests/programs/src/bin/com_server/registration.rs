//! How the class is found: its keys, and the service of its application.

use pinion_test_programs::services::{Made, manager};
use pinion_test_programs::wide;
use serde_json::{Value, json};
use windows_sys::Win32::System::Registry::{
    HKEY_LOCAL_MACHINE, REG_SZ, RegDeleteTreeW, RegSetKeyValueW,
};

const CLASSES: &str = r"Software\Classes";

/// Sets a text; the error, or 0. No name is the key's own value.
fn set(key: &str, name: Option<&str>, text: &str) -> u32 {
    let (key, data) = (wide(&format!(r"{CLASSES}\{key}")), wide(text));
    let name = name.map(wide);
    let name = name.as_ref().map_or(std::ptr::null(), |name| name.as_ptr());
    // SAFETY: zero-terminated strings; data of the size told.
    unsafe {
        RegSetKeyValueW(
            HKEY_LOCAL_MACHINE,
            key.as_ptr(),
            name,
            REG_SZ,
            data.as_ptr().cast(),
            2 * data.len() as u32,
        )
    }
}

fn own_path() -> String {
    let path = std::env::current_exe().unwrap_or_default();
    path.to_string_lossy().into_owned()
}

pub fn local_server(class: &str, tag: &str) -> Value {
    let command = format!("\"{}\" serve {class} {tag}", own_path());
    json!({ "set": set(&format!(r"CLSID\{class}\LocalServer32"), None, &command) })
}

pub fn service(name: &str, class: &str, tag: &str) -> Value {
    let command = format!("\"{}\" service {name} {class} {tag}", own_path());
    json!({
        "made": Made::new(name, &command).create(manager()).err(),
        "set": [
            set(&format!(r"CLSID\{class}"), Some("AppID"), class),
            set(&format!(r"AppID\{class}"), Some("LocalService"), name),
        ],
    })
}

/// The surrogate by its name: for none, Wine takes its 32-bit one (dlls/combase/rpc.c of 8.0 and 10.0).
const SURROGATE: &str = r"C:\windows\system32\dllhost.exe";

pub fn surrogate(class: &str) -> Value {
    json!({
        "set": [
            set(&format!(r"CLSID\{class}"), Some("AppID"), class),
            set(&format!(r"AppID\{class}"), Some("DllSurrogate"), SURROGATE),
        ],
    })
}

pub fn remove(class: &str) -> Value {
    let of = |key: &str| {
        let key = wide(&format!(r"{CLASSES}\{key}\{class}"));
        // SAFETY: a zero-terminated string.
        unsafe { RegDeleteTreeW(HKEY_LOCAL_MACHINE, key.as_ptr()) }
    };
    json!({ "removed": of("CLSID") })
}
