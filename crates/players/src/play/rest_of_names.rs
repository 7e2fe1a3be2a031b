//! Names of the object manager with ways of their own: private namespaces, WNF,
//! DOS devices, the loader's sections, directories of sessions.

use super::objects::open;
use super::{Held, Player, Served, Told};
use crate::imports;
use crate::win::{self, Handle, Step, last, nt, wide, yes};
use core::ffi::c_void;
use core::ptr::{null, null_mut};
use pinion_probes::{Ask, Facts, Seen};
use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS};

imports! {
    "ntdll.dll" {
        fn NtCreatePrivateNamespace(h: *mut HANDLE, access: u32, oa: *const OBJECT_ATTRIBUTES, boundary: *const c_void) -> NTSTATUS;
        fn NtOpenPrivateNamespace(h: *mut HANDLE, access: u32, oa: *const OBJECT_ATTRIBUTES, boundary: *const c_void) -> NTSTATUS;
        fn NtCreateWnfStateName(name: *mut u64, lifetime: u32, scope: u32, persist: u8, kind: *const c_void, most: u32, security: *const c_void) -> NTSTATUS;
        fn NtUpdateWnfStateData(name: *const u64, data: *const c_void, length: u32, kind: *const c_void, scope: *const c_void, stamp: u32, check: u32) -> NTSTATUS;
        fn NtQueryWnfStateData(name: *const u64, kind: *const c_void, scope: *const c_void, stamp: *mut u32, data: *mut c_void, length: *mut u32) -> NTSTATUS;
        fn NtOpenSection(h: *mut HANDLE, access: u32, oa: *const OBJECT_ATTRIBUTES) -> NTSTATUS;
        fn NtCreateDirectoryObject(h: *mut HANDLE, access: u32, oa: *const OBJECT_ATTRIBUTES) -> NTSTATUS;
    }
    "kernel32.dll" {
        fn CreateBoundaryDescriptorW(name: *const u16, flags: u32) -> *mut c_void;
        fn AddSIDToBoundaryDescriptor(boundary: *mut *mut c_void, sid: *const c_void) -> i32;
        fn CreatePrivateNamespaceW(security: *const c_void, boundary: *const c_void, alias: *const u16) -> *mut c_void;
        fn OpenPrivateNamespaceW(boundary: *const c_void, alias: *const u16) -> *mut c_void;
        fn ClosePrivateNamespace(namespace: *mut c_void, flags: u32) -> u8;
        fn CreateEventW(security: *const c_void, manual: i32, set: i32, name: *const u16) -> HANDLE;
        fn OpenEventW(access: u32, inherit: i32, name: *const u16) -> HANDLE;
        fn DefineDosDeviceW(flags: u32, device: *const u16, target: *const u16) -> i32;
        fn QueryDosDeviceW(device: *const u16, target: *mut u16, room: u32) -> u32;
    }
}

const MAXIMUM_ALLOWED: u32 = 0x0200_0000;
/// The SID of everyone, S-1-1-0.
const EVERYONE: [u8; 12] = [1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];

pub fn player(probe: &str) -> Option<Player> {
    Some(match probe {
        "private-namespace" => Player::new(serve_namespace, reach_namespace),
        "wnf-state" => Player::new(serve_wnf, reach_wnf),
        "dos-device" => Player::new(serve_device, reach_device),
        "known-dll" => Player::new(nothing, reach_known_dll),
        "session-directory" => Player::new(serve_directory, reach_directory),
        _ => return None,
    })
}

/// For what is there without a server.
fn nothing(_: &Ask) -> Step<Box<dyn Served>> {
    Ok(Box::new(Held(())))
}

/// A boundary of that name with everyone in it; small, and left to the process.
fn boundary(name: &str) -> Step<*mut c_void> {
    let name = wide(name);
    // SAFETY: the name ends in a zero; the SID is whole.
    unsafe {
        let mut boundary = CreateBoundaryDescriptorW(name.as_ptr(), 0)?;
        if boundary.is_null() {
            return Err(last("the boundary"));
        }
        yes(
            "its SID",
            AddSIDToBoundaryDescriptor(&raw mut boundary, EVERYONE.as_ptr().cast())?,
        )?;
        Ok(boundary)
    }
}

struct Namespace(*mut c_void);

impl Drop for Namespace {
    fn drop(&mut self) {
        // SAFETY: made by this process, closed once.
        let _ = unsafe { ClosePrivateNamespace(self.0, 0) };
    }
}

fn serve_namespace(ask: &Ask) -> Step<Box<dyn Served>> {
    let boundary = boundary(&ask.name)?;
    if ask.way == "native" {
        let mut h: HANDLE = null_mut();
        // SAFETY: all pointers are to locals that outlive the call.
        let status = win::with_attributes(null_mut(), "", |oa| unsafe {
            NtCreatePrivateNamespace(&raw mut h, MAXIMUM_ALLOWED, oa, boundary)
        })?;
        nt("create", status)?;
        return Ok(Box::new(Held(Handle(h))));
    }
    let alias = wide(&ask.name);
    // SAFETY: the alias ends in a zero.
    let made = unsafe { CreatePrivateNamespaceW(null(), boundary, alias.as_ptr())? };
    if made.is_null() {
        return Err(last("the namespace"));
    }
    let made = Namespace(made);
    let event = wide(&format!(r"{}\event", ask.name));
    // SAFETY: the name ends in a zero.
    let event = win::handle("its event", unsafe {
        CreateEventW(null(), 1, 0, event.as_ptr())?
    })?;
    Ok(Box::new(Held((event, made))))
}

fn reach_namespace(ask: &Ask) -> Step<()> {
    let boundary = boundary(&ask.name)?;
    if ask.way == "native" {
        let mut h: HANDLE = null_mut();
        // SAFETY: all pointers are to locals that outlive the call.
        let status = win::with_attributes(null_mut(), "", |oa| unsafe {
            NtOpenPrivateNamespace(&raw mut h, MAXIMUM_ALLOWED, oa, boundary)
        })?;
        nt("open", status)?;
        drop(Handle(h));
        return Ok(());
    }
    let alias = format!("{}client", ask.name);
    let event = wide(&format!(r"{alias}\event"));
    let alias = wide(&alias);
    // SAFETY: the names end in a zero.
    unsafe {
        let opened = OpenPrivateNamespaceW(boundary, alias.as_ptr())?;
        if opened.is_null() {
            return Err(last("open"));
        }
        let _opened = Namespace(opened);
        win::handle("its event", OpenEventW(0x10_0000, 0, event.as_ptr())?).map(drop)
    }
}

/// A temporary state in the user's scope that anyone may read and write.
fn serve_wnf(ask: &Ask) -> Step<Box<dyn Served>> {
    // A self-relative descriptor with a null DACL.
    let mut security = [0_u8; 20];
    security[0] = 1;
    security[2..4].copy_from_slice(&0x8004_u16.to_le_bytes());
    let mut name = 0_u64;
    // SAFETY: the pointers are to locals that outlive the calls.
    unsafe {
        let made =
            NtCreateWnfStateName(&raw mut name, 3, 4, 0, null(), 16, security.as_ptr().cast())?;
        nt("the state", made)?;
        let token = &raw const ask.secret;
        let set = NtUpdateWnfStateData(&raw const name, token.cast(), 4, null(), null(), 0, 0)?;
        nt("its data", set)?;
    }
    let facts = Facts::from([("name".into(), name.to_string())]);
    Ok(Box::new(Told((), facts)))
}

fn reach_wnf(ask: &Ask) -> Step<()> {
    let name: u64 = ask
        .facts
        .get("name")
        .and_then(|n| n.parse().ok())
        .unwrap_or(0);
    let (mut stamp, mut data, mut length) = (0, 0_u32, 4);
    // SAFETY: the pointers are to locals that outlive the call.
    let status = unsafe {
        NtQueryWnfStateData(
            &raw const name,
            null(),
            null(),
            &raw mut stamp,
            (&raw mut data).cast(),
            &raw mut length,
        )?
    };
    nt("read", status)?;
    win::token(data, ask.secret)
}

struct Device(Vec<u16>);

impl Drop for Device {
    fn drop(&mut self) {
        // SAFETY: the name ends in a zero; DDD_REMOVE_DEFINITION.
        let _ = unsafe { DefineDosDeviceW(2, self.0.as_ptr(), null()) };
    }
}

/// A device name that leads to the folder of Windows.
fn serve_device(ask: &Ask) -> Step<Box<dyn Served>> {
    let (name, target) = (wide(&ask.name), wide(r"\??\C:\windows"));
    // SAFETY: the names end in zeros; DDD_RAW_TARGET_PATH.
    yes("define", unsafe {
        DefineDosDeviceW(1, name.as_ptr(), target.as_ptr())?
    })?;
    Ok(Box::new(Held(Device(name))))
}

fn reach_device(ask: &Ask) -> Step<()> {
    let name = &ask.name;
    let there = |path: String| {
        std::fs::metadata(path)
            .map(drop)
            .map_err(|error| Seen::Refused(error.to_string()))
    };
    match ask.way.as_str() {
        "query" => {
            let (name, mut room) = (wide(name), [0; 256]);
            // SAFETY: the name ends in a zero; the buffer has the room told.
            let length = unsafe { QueryDosDeviceW(name.as_ptr(), room.as_mut_ptr(), 256)? };
            yes("query", i32::from(length != 0))
        }
        "open" => there(format!(r"\\.\{name}\system32")),
        "global-root" => there(format!(r"\\?\GLOBALROOT\??\{name}\system32")),
        "listed" => {
            let mut room = vec![0; 0x1_0000];
            // SAFETY: the buffer has the room told.
            let length = unsafe { QueryDosDeviceW(null(), room.as_mut_ptr(), 0x1_0000)? };
            let all = String::from_utf16_lossy(room.get(..length as usize).unwrap_or(&[]));
            if all.split('\0').any(|one| one == name) {
                Ok(())
            } else {
                Err(Seen::Refused("the name is in no list".into()))
            }
        }
        way => win::unknown(way),
    }
}

/// The sections of system DLLs can be read; more would be the code of all.
fn reach_known_dll(ask: &Ask) -> Step<()> {
    let mut h: HANDLE = null_mut();
    let name = match ask.way.as_str() {
        "write" => r"\KnownDlls\kernel32.dll".to_owned(),
        _ => format!(r"\KnownDlls\{}", ask.name),
    };
    // SAFETY: all pointers are to locals that outlive the calls.
    let status = win::with_attributes(null_mut(), &name, |oa| unsafe {
        match ask.way.as_str() {
            // SECTION_MAP_WRITE
            "write" => NtOpenSection(&raw mut h, 2, oa),
            "create" => NtCreateDirectoryObject(&raw mut h, MAXIMUM_ALLOWED, oa),
            way => win::unknown(way),
        }
    })?;
    nt(&ask.way, status)?;
    drop(Handle(h));
    Ok(())
}

fn serve_directory(ask: &Ask) -> Step<Box<dyn Served>> {
    let path = format!(r"\Sessions\{}", ask.name);
    let mut h: HANDLE = null_mut();
    // SAFETY: all pointers are to locals that outlive the call.
    let status = win::with_attributes(null_mut(), &path, |oa| unsafe {
        NtCreateDirectoryObject(&raw mut h, MAXIMUM_ALLOWED, oa)
    })?;
    nt("create", status)?;
    Ok(Box::new(Held(Handle(h))))
}

fn reach_directory(ask: &Ask) -> Step<()> {
    open("directory", null_mut(), &format!(r"\Sessions\{}", ask.name)).map(drop)
}
