//! The set-up program.

use std::fs;
use std::ptr::null_mut;

use pinion_test_programs::com::{Object, method, release, shown};
use pinion_test_programs::services::{Made, manager};
use pinion_test_programs::wide;
use serde_json::{Value, json};
use windows_sys::Win32::System::Com::{
    CLSCTX_INPROC_SERVER, COINIT_APARTMENTTHREADED, CoCreateInstance, CoInitializeEx,
};
use windows_sys::Win32::System::Registry::{HKEY_LOCAL_MACHINE, REG_SZ, RegSetKeyValueW};
use windows_sys::core::GUID;

use crate::{MENU, PROGRAMS};

/// `CLSID_ShellLink`, `IID_IShellLinkW`, `IID_IPersistFile` (shlguid.h, objidl.h).
const LINK: GUID = GUID::from_u128(0x0002_1401_0000_0000_c000_0000_0000_0046);
const I_LINK: GUID = GUID::from_u128(0x0002_14f9_0000_0000_c000_0000_0000_0046);
const I_FILE: GUID = GUID::from_u128(0x0000_010b_0000_0000_c000_0000_0000_0046);

/// Places of `IShellLinkW::SetPath` and `IPersistFile::Save`.
const SET_PATH: usize = 20;
const SAVE: usize = 6;

fn set(key: &str, name: &str, text: &str) -> u32 {
    let (key, name, data) = (wide(key), wide(name), wide(text));
    // SAFETY: zero-terminated strings; data of the size told.
    unsafe {
        RegSetKeyValueW(
            HKEY_LOCAL_MACHINE,
            key.as_ptr(),
            name.as_ptr(),
            REG_SZ,
            data.as_ptr().cast(),
            2 * data.len() as u32,
        )
    }
}

fn shortcut(path: &str, target: &str) -> String {
    type SetPath = unsafe extern "system" fn(Object, *const u16) -> i32;
    type Query = unsafe extern "system" fn(Object, *const GUID, *mut Object) -> i32;
    type Save = unsafe extern "system" fn(Object, *const u16, i32) -> i32;
    let (mut link, mut file) = (null_mut(), null_mut());
    // SAFETY: ids of ours, live objects with their own methods, zero-terminated strings.
    unsafe {
        CoInitializeEx(std::ptr::null(), COINIT_APARTMENTTHREADED as u32);
        let made = CoCreateInstance(
            &LINK,
            null_mut(),
            CLSCTX_INPROC_SERVER,
            &I_LINK,
            &raw mut link,
        );
        if made < 0 {
            return shown(made);
        }
        method::<SetPath>(link, SET_PATH)(link, wide(target).as_ptr());
        method::<Query>(link, 0)(link, &I_FILE, &raw mut file);
        let saved = method::<Save>(file, SAVE)(file, wide(path).as_ptr(), 1);
        release(file);
        release(link);
        shown(saved)
    }
}

/// Installs all of it; what each step gave.
pub fn install(name: &str, worker: &str, server: &str, class: &str) -> Result<Value, String> {
    let told = |error: std::io::Error| error.to_string();
    let folder = format!(r"{PROGRAMS}\{name}");
    fs::create_dir_all(&folder).map_err(told)?;
    fs::create_dir_all(MENU).map_err(told)?;
    let (own_worker, own_server) = (
        format!(r"{folder}\worker.exe"),
        format!(r"{folder}\server.exe"),
    );
    fs::copy(worker, &own_worker).map_err(told)?;
    fs::copy(server, &own_server).map_err(told)?;
    let uninstall = format!(r"Software\Microsoft\Windows\CurrentVersion\Uninstall\{name}");
    let keys = [
        set(&format!(r"Software\{name}"), "Installed", "by itself"),
        set(&uninstall, "DisplayName", name),
        set(
            &format!(r"Software\Classes\CLSID\{class}\LocalServer32"),
            "",
            &format!("\"{own_server}\" serve {class} {name}"),
        ),
    ];
    let service = Made::new(name, &format!("\"{own_worker}\""))
        .create(manager())
        .map_or_else(|error| error, |_| 0);
    let shortcut = shortcut(&format!(r"{MENU}\{name}.lnk"), &own_server);
    Ok(json!({ "keys": keys, "service": service, "shortcut": shortcut }))
}
