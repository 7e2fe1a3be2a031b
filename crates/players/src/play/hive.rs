//! A hive that the server loads below the users' keys, with the secret in it.

use super::{Player, Served};
use crate::imports;
use crate::win::{self, Step, nt, wide, with_attributes};
use core::ffi::c_void;
use core::ptr::{null, null_mut};
use pinion_probes::Ask;
use std::path::{Path, PathBuf};
use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS};

imports! {
    "advapi32.dll" {
        fn RegCreateKeyW(root: isize, name: *const u16, key: *mut isize) -> u32;
        fn RegOpenKeyExW(root: isize, name: *const u16, options: u32, access: u32, key: *mut isize) -> u32;
        fn RegCloseKey(key: isize) -> u32;
        fn RegSetValueExW(key: isize, name: *const u16, zero: u32, kind: u32, data: *const c_void, size: u32) -> u32;
        fn RegQueryValueExW(key: isize, name: *const u16, zero: *mut u32, kind: *mut u32, data: *mut c_void, size: *mut u32) -> u32;
        fn RegDeleteKeyW(root: isize, name: *const u16) -> u32;
        fn RegSaveKeyW(key: isize, file: *const u16, security: *const c_void) -> u32;
    }
    "ntdll.dll" {
        fn RtlAdjustPrivilege(privilege: u32, enable: u8, thread: u8, before: *mut u8) -> NTSTATUS;
        fn NtLoadKey(key: *const OBJECT_ATTRIBUTES, file: *const OBJECT_ATTRIBUTES) -> NTSTATUS;
        fn NtLoadKey2(key: *const OBJECT_ATTRIBUTES, file: *const OBJECT_ATTRIBUTES, flags: u32) -> NTSTATUS;
        fn NtLoadKeyEx(key: *const OBJECT_ATTRIBUTES, file: *const OBJECT_ATTRIBUTES, flags: u32, trust: HANDLE, event: HANDLE, access: u32, root: *mut HANDLE, io: *mut c_void) -> NTSTATUS;
        fn NtUnloadKey(key: *const OBJECT_ATTRIBUTES) -> NTSTATUS;
    }
}

/// HKEY_CURRENT_USER, HKEY_USERS.
const USER: isize = 0x8000_0001_u32.cast_signed() as isize;
const USERS: isize = 0x8000_0003_u32.cast_signed() as isize;
const READ: u32 = 0x2_0019;
const REG_DWORD: u32 = 4;
/// SeBackupPrivilege, SeRestorePrivilege.
const PRIVILEGES: [u32; 2] = [17, 18];
const VALUE: &str = "secret";

pub fn player(probe: &str) -> Option<Player> {
    (probe == "hive").then(|| Player::new(serve, reach))
}

fn ok(what: &str, code: u32) -> Step<()> {
    if code == 0 {
        Ok(())
    } else {
        Err(win::error(what, code))
    }
}

/// A hive below the users' keys, taken away with the value.
struct Hive {
    /// Its NT path.
    key: String,
    file: PathBuf,
}

impl Served for Hive {}

impl Drop for Hive {
    fn drop(&mut self) {
        // SAFETY: the attributes outlive the call.
        let _ = with_attributes(null_mut(), &self.key, |oa| unsafe { NtUnloadKey(oa) });
        let _ = std::fs::remove_file(&self.file);
    }
}

/// Saves a key with the secret as a hive.
fn save(ask: &Ask, file: &Path) -> Step<()> {
    let name = wide(&format!(r"Software\{}", ask.name));
    let value = wide(VALUE);
    let path = wide(&file.to_string_lossy());
    let mut key = 0;
    // SAFETY: the texts end in zeros; the key and the value are locals.
    unsafe {
        ok("create", RegCreateKeyW(USER, name.as_ptr(), &raw mut key)?)?;
        let data = (&raw const ask.secret).cast();
        let set = RegSetValueExW(key, value.as_ptr(), 0, REG_DWORD, data, 4)?;
        let saved = RegSaveKeyW(key, path.as_ptr(), null())?;
        let _ = RegCloseKey(key);
        let _ = RegDeleteKeyW(USER, name.as_ptr());
        ok("set", set)?;
        ok("save", saved)
    }
}

fn serve(ask: &Ask) -> Step<Box<dyn Served>> {
    for privilege in PRIVILEGES {
        let mut before = 0;
        // SAFETY: a local. Who has not the privilege fails below.
        let _ = unsafe { RtlAdjustPrivilege(privilege, 1, 0, &raw mut before)? };
    }
    let file = std::env::temp_dir().join(format!("{}.hive", ask.name));
    let _ = std::fs::remove_file(&file);
    save(ask, &file)?;
    let key = format!(r"\Registry\User\{}", ask.name);
    let path = format!(r"\??\{}", file.display());
    let way = ask.way.clone();
    let status = with_attributes(null_mut(), &key, |key| {
        // SAFETY: the attributes outlive the calls; all else is left out.
        with_attributes(null_mut(), &path, |file| unsafe {
            match way.as_str() {
                "load" => NtLoadKey(key, file),
                "load-2" => NtLoadKey2(key, file, 0),
                "load-ex" => NtLoadKeyEx(
                    key,
                    file,
                    0,
                    null_mut(),
                    null_mut(),
                    0,
                    null_mut(),
                    null_mut(),
                ),
                way => win::unknown(way),
            }
        })
    })?;
    nt("load", status)?;
    Ok(Box::new(Hive { key, file }))
}

fn reach(ask: &Ask) -> Step<()> {
    let (name, value) = (wide(&ask.name), wide(VALUE));
    let (mut key, mut told, mut size) = (0, 0_u32, 4);
    // SAFETY: the texts end in zeros; the rest are locals of the size told.
    unsafe {
        let opened = RegOpenKeyExW(USERS, name.as_ptr(), 0, READ, &raw mut key)?;
        ok("open", opened)?;
        let at = (&raw mut told).cast();
        let read = RegQueryValueExW(
            key,
            value.as_ptr(),
            null_mut(),
            null_mut(),
            at,
            &raw mut size,
        )?;
        let _ = RegCloseKey(key);
        ok("read", read)?;
    }
    win::token(told, ask.secret)
}
