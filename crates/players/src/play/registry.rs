//! A key with the secret in it, and INI files and environment, which are kept
//! alike.

use super::{Held, Player, Served};
use crate::imports;
use crate::win::{self, Handle, Step, handle, nt, wide, with_attributes};
use core::ffi::c_void;
use core::ptr::{null, null_mut};
use pinion_probes::{Ask, Seen};
use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS, UNICODE_STRING};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;

imports! {
    "advapi32.dll" {
        fn RegCreateKeyExW(root: isize, name: *const u16, zero: u32, class: *const u16, options: u32, access: u32, security: *const c_void, key: *mut isize, made: *mut u32) -> u32;
        fn RegOpenKeyExW(root: isize, name: *const u16, options: u32, access: u32, key: *mut isize) -> u32;
        fn RegCloseKey(key: isize) -> u32;
        fn RegSetValueExW(key: isize, name: *const u16, zero: u32, kind: u32, data: *const c_void, size: u32) -> u32;
        fn RegQueryValueExW(key: isize, name: *const u16, zero: *mut u32, kind: *mut u32, data: *mut c_void, size: *mut u32) -> u32;
        fn RegDeleteKeyW(root: isize, name: *const u16) -> u32;
        fn RegDeleteValueW(key: isize, name: *const u16) -> u32;
        fn RegEnumKeyW(key: isize, index: u32, name: *mut u16, room: u32) -> u32;
        fn RegNotifyChangeKeyValue(key: isize, subtree: i32, filter: u32, event: HANDLE, later: i32) -> u32;
    }
    "kernel32.dll" {
        fn CreateEventW(security: *const c_void, manual: i32, set: i32, name: *const u16) -> HANDLE;
        fn WaitForSingleObject(object: HANDLE, milliseconds: u32) -> u32;
        fn WritePrivateProfileStringW(section: *const u16, key: *const u16, text: *const u16, file: *const u16) -> i32;
        fn GetPrivateProfileIntW(section: *const u16, key: *const u16, otherwise: i32, file: *const u16) -> u32;
    }
    "ntdll.dll" {
        fn RtlFormatCurrentUserKeyPath(path: *mut UNICODE_STRING) -> NTSTATUS;
        fn NtOpenKeyEx(key: *mut HANDLE, access: u32, oa: *const OBJECT_ATTRIBUTES, options: u32) -> NTSTATUS;
        fn NtOpenKeyTransacted(key: *mut HANDLE, access: u32, oa: *const OBJECT_ATTRIBUTES, transaction: HANDLE) -> NTSTATUS;
        fn NtOpenKeyTransactedEx(key: *mut HANDLE, access: u32, oa: *const OBJECT_ATTRIBUTES, options: u32, transaction: HANDLE) -> NTSTATUS;
        fn NtCreateKeyTransacted(key: *mut HANDLE, access: u32, oa: *const OBJECT_ATTRIBUTES, zero: u32, class: *const UNICODE_STRING, options: u32, transaction: HANDLE, made: *mut u32) -> NTSTATUS;
        fn NtNotifyChangeKey(key: HANDLE, event: HANDLE, apc: *const c_void, context: *const c_void, io: *mut IO_STATUS_BLOCK, filter: u32, subtree: u8, changes: *mut c_void, room: u32, later: u8) -> NTSTATUS;
    }
}

/// HKEY_CURRENT_USER, HKEY_CLASSES_ROOT.
const USER: isize = 0x8000_0001_u32.cast_signed() as isize;
const CLASSES: isize = 0x8000_0000_u32.cast_signed() as isize;
const READ: u32 = 0x2_0019;
const ALL: u32 = 0xF_003F;
const REG_DWORD: u32 = 4;
const VALUE: &str = "secret";

pub fn player(probe: &str) -> Option<Player> {
    Some(match probe {
        "key" => Player::new(serve, reach),
        "key-change" => Player::new(serve, change),
        "key-notice" => Player::new(serve_notice, change),
        "profile" => Player::new(serve_profile, reach_profile),
        _ => return None,
    })
}

struct Key(isize);

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: a key of this value's own.
        let _ = unsafe { RegCloseKey(self.0) };
    }
}

fn ok(what: &str, code: u32) -> Step<()> {
    if code == 0 {
        Ok(())
    } else {
        Err(win::error(what, code))
    }
}

fn create(root: isize, path: &str) -> Step<Key> {
    let (path, mut key) = (wide(path), 0);
    // SAFETY: the path ends in a zero; the key is a local.
    ok("create", unsafe {
        RegCreateKeyExW(
            root,
            path.as_ptr(),
            0,
            null(),
            0,
            ALL,
            null(),
            &raw mut key,
            null_mut(),
        )?
    })?;
    Ok(Key(key))
}

fn open(root: isize, path: &str, access: u32) -> Step<Key> {
    let (path, mut key) = (wide(path), 0);
    // SAFETY: the path ends in a zero; the key is a local.
    ok("open", unsafe {
        RegOpenKeyExW(root, path.as_ptr(), 0, access, &raw mut key)?
    })?;
    Ok(Key(key))
}

fn set(key: &Key, name: &str, value: u32) -> Step<()> {
    let name = wide(name);
    // SAFETY: the name ends in a zero; the value is a local of the size told.
    ok("set", unsafe {
        RegSetValueExW(
            key.0,
            name.as_ptr(),
            0,
            REG_DWORD,
            (&raw const value).cast(),
            4,
        )?
    })
}

fn get(key: &Key, name: &str) -> Step<u32> {
    let (name, mut value, mut size) = (wide(name), 0_u32, 4);
    // SAFETY: the name ends in a zero; the value is a local of the size told.
    ok("read", unsafe {
        let at = (&raw mut value).cast();
        RegQueryValueExW(
            key.0,
            name.as_ptr(),
            null_mut(),
            null_mut(),
            at,
            &raw mut size,
        )?
    })?;
    Ok(value)
}

/// Where the server's key is, below the user's.
fn path(ask: &Ask) -> String {
    match ask.way.as_str() {
        "classes" => format!(r"Software\Classes\{}", ask.name),
        _ => format!(r"Software\{}", ask.name),
    }
}

struct Own {
    path: String,
    notice: Option<(Key, Handle)>,
}

impl Served for Own {
    fn felt(&mut self, token: u32) -> bool {
        if let Some((_, event)) = &self.notice {
            // SAFETY: an event of this value's own.
            return matches!(unsafe { WaitForSingleObject(event.0, 0) }, Ok(0));
        }
        let Ok(key) = open(USER, &self.path, READ) else {
            return true;
        };
        let below = open(USER, &format!(r"{}\{token}", self.path), READ);
        get(&key, VALUE).is_ok_and(|value| value == token) || below.is_ok()
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let path = wide(&self.path);
        // SAFETY: the path ends in a zero.
        let _ = unsafe { RegDeleteKeyW(USER, path.as_ptr()) };
    }
}

fn serve(ask: &Ask) -> Step<Box<dyn Served>> {
    let path = path(ask);
    set(&create(USER, &path)?, VALUE, ask.secret)?;
    Ok(Box::new(Own { path, notice: None }))
}

fn serve_notice(ask: &Ask) -> Step<Box<dyn Served>> {
    let path = path(ask);
    let key = create(USER, &path)?;
    // SAFETY: a key and an event that live as long as the wait. Values.
    let event = unsafe {
        let event = handle("the event", CreateEventW(null(), 1, 0, null())?)?;
        if ask.way == "one-key" {
            notify_by_the_old_call(&key, &event)?;
        } else {
            ok("wait", RegNotifyChangeKeyValue(key.0, 1, 5, event.0, 1)?)?;
        }
        event
    };
    let notice = Some((key, event));
    Ok(Box::new(Own { path, notice }))
}

fn notify_by_the_old_call(key: &Key, event: &Handle) -> Step<()> {
    // The kernel writes it when the wait ends, whenever that is.
    let io = Box::leak(Box::new(IO_STATUS_BLOCK::default()));
    // SAFETY: a key and an event that live as long as the wait, and a block that is never freed. Values.
    let status = unsafe {
        NtNotifyChangeKey(
            key.0 as HANDLE,
            event.0,
            null(),
            null(),
            io,
            5,
            1,
            null_mut(),
            0,
            1,
        )?
    };
    nt("wait", status)
}

/// The user's own key, an NT path.
fn user() -> Step<String> {
    let mut path = win::unicode(&[]);
    // SAFETY: a local; the text is left to the process.
    unsafe {
        nt(
            "the user's key",
            RtlFormatCurrentUserKeyPath(&raw mut path)?,
        )?;
        let units = core::slice::from_raw_parts(path.Buffer, usize::from(path.Length / 2));
        Ok(String::from_utf16_lossy(units))
    }
}

/// A key by its NT path; options may be given only with the newer call.
fn open_nt(path: &str, access: u32) -> Step<Key> {
    let mut key: HANDLE = null_mut();
    // SAFETY: all pointers are to locals that outlive the call.
    let status = with_attributes(null_mut(), path, |oa| unsafe {
        NtOpenKeyEx(&raw mut key, access, oa, 0)
    })?;
    nt("open", status)?;
    Ok(Key(key as isize))
}

/// The same in a transaction: none on Wine, which takes any.
fn open_transacted(path: &str, ex: bool) -> Step<Key> {
    let mut key: HANDLE = null_mut();
    // SAFETY: all pointers are to locals that outlive the call.
    let status = with_attributes(null_mut(), path, |oa| unsafe {
        if ex {
            NtOpenKeyTransactedEx(&raw mut key, READ, oa, 0, null_mut())
        } else {
            NtOpenKeyTransacted(&raw mut key, READ, oa, null_mut())
        }
    })?;
    nt("open", status)?;
    Ok(Key(key as isize))
}

fn create_transacted(path: &str) -> Step<()> {
    let mut key: HANDLE = null_mut();
    // SAFETY: all pointers are to locals that outlive the call.
    let status = with_attributes(null_mut(), path, |oa| unsafe {
        NtCreateKeyTransacted(&raw mut key, ALL, oa, 0, null(), 0, null_mut(), null_mut())
    })?;
    nt("create", status)?;
    drop(Key(key as isize));
    Ok(())
}

/// Takes a key of the client's away again, when the server has had a moment to look.
fn delete_later(path: String) {
    std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(150));
        let path = wide(&path);
        // SAFETY: the path ends in a zero.
        let _ = unsafe { RegDeleteKeyW(USER, path.as_ptr()) };
    });
}

/// The key where the VM keeps what it changed.
fn open_real(ask: &Ask, access: u32) -> Step<Key> {
    let user = user()?;
    let id = user.rsplit('\\').next().unwrap_or_default();
    let (keys, path) = (&ask.place.keys, path(ask));
    open_nt(&format!(r"{keys}\USER\{id}\{path}"), access)
        .or_else(|_| open_nt(&format!(r"{keys}\USER\{path}"), access))
}

fn reach(ask: &Ask) -> Step<()> {
    let path = path(ask);
    let key = match ask.way.as_str() {
        "open" => open(USER, &path, READ)?,
        "upper-case" => open(USER, &path.to_uppercase(), READ)?,
        // The flag of the 64-bit view.
        "open-ex" => open(USER, &path, READ | 0x100)?,
        "nt-path" => open_nt(&format!(r"{}\{path}", user()?), READ)?,
        "transacted" | "transacted-ex" => {
            let path = format!(r"{}\{path}", user()?);
            open_transacted(&path, ask.way == "transacted-ex")?
        }
        "classes" => open(CLASSES, &ask.name, READ)?,
        "real-path" => open_real(ask, READ)?,
        "listed" => return listed(&ask.name),
        way => return win::unknown(way),
    };
    win::token(get(&key, VALUE)?, ask.secret)
}

fn listed(name: &str) -> Step<()> {
    let key = open(USER, "Software", READ)?;
    for index in 0.. {
        let mut room = [0; 260];
        // SAFETY: the buffer has the room told.
        if unsafe { RegEnumKeyW(key.0, index, room.as_mut_ptr(), 260)? } != 0 {
            break;
        }
        let length = room.iter().position(|unit| *unit == 0).unwrap_or(0);
        if String::from_utf16_lossy(&room[..length]) == name {
            return Ok(());
        }
    }
    Err(Seen::Refused("it is in no list".into()))
}

fn change(ask: &Ask) -> Step<()> {
    let path = path(ask);
    match ask.way.as_str() {
        "set" | "one-key" => set(&open(USER, &path, ALL)?, VALUE, ask.token)?,
        "create" => {
            let below = format!(r"{path}\{}", ask.token);
            drop(create(USER, &below)?);
            delete_later(below);
        }
        "transacted" => {
            let below = format!(r"{path}\{}", ask.token);
            create_transacted(&format!(r"{}\{below}", user()?))?;
            delete_later(below);
        }
        "delete" => {
            let path = wide(&path);
            // SAFETY: the path ends in a zero.
            ok("delete", unsafe { RegDeleteKeyW(USER, path.as_ptr())? })?;
        }
        "real-path" => set(&open_real(ask, ALL)?, VALUE, ask.token)?,
        way => return win::unknown(way),
    }
    Err(Seen::Other("changed, or so it was told".into()))
}

const VOLATILE: &str = "Volatile Environment";
const ENVIRONMENT: &str = "Environment";

/// A value or a section, and whether its key was made for it.
struct Profile(String, String, bool);

impl Drop for Profile {
    fn drop(&mut self) {
        let name = wide(&self.1);
        // SAFETY: the names end in zeros.
        unsafe {
            if self.0.is_empty() {
                let _ = WritePrivateProfileStringW(name.as_ptr(), null(), null(), ini().as_ptr());
                let folder = std::env::var("SystemRoot").unwrap_or_default();
                let _ = std::fs::remove_file(format!(r"{folder}\{INI}"));
            } else if self.2 {
                let key = wide(&self.0);
                let _ = RegDeleteKeyW(USER, key.as_ptr());
            } else if let Ok(key) = open(USER, &self.0, ALL) {
                let _ = RegDeleteValueW(key.0, name.as_ptr());
            }
        }
    }
}

const INI: &str = "pinion-probe.ini";

fn ini() -> Vec<u16> {
    wide(INI)
}

fn place(ask: &Ask) -> Step<&'static str> {
    match ask.way.as_str() {
        "volatile-environment" => Ok(VOLATILE),
        "user-environment" => Ok(ENVIRONMENT),
        "ini-file" => Ok(""),
        way => win::unknown(way),
    }
}

fn serve_profile(ask: &Ask) -> Step<Box<dyn Served>> {
    let place = place(ask)?;
    let is_new = !place.is_empty() && open(USER, place, READ).is_err();
    if place.is_empty() {
        let (section, text) = (wide(&ask.name), wide(&ask.secret.to_string()));
        let key = wide(VALUE);
        // SAFETY: all texts end in zeros.
        win::yes("write", unsafe {
            WritePrivateProfileStringW(
                section.as_ptr(),
                key.as_ptr(),
                text.as_ptr(),
                ini().as_ptr(),
            )?
        })?;
    } else {
        set(&create(USER, place)?, &ask.name, ask.secret)?;
    }
    Ok(Box::new(Held(Profile(
        place.into(),
        ask.name.clone(),
        is_new,
    ))))
}

fn reach_profile(ask: &Ask) -> Step<()> {
    let place = place(ask)?;
    let value = if place.is_empty() {
        let (section, key) = (wide(&ask.name), wide(VALUE));
        // SAFETY: all texts end in zeros.
        unsafe { GetPrivateProfileIntW(section.as_ptr(), key.as_ptr(), 0, ini().as_ptr())? }
    } else {
        get(&open(USER, place, READ)?, &ask.name)?
    };
    win::token(value, ask.secret)
}
