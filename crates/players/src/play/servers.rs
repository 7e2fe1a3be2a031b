//! What goes by a server of the system: services, the running object table, RPC,
//! credentials.

use super::{Held, Player, Served};
use crate::imports;
use crate::win::{self, Step, last, wide, yes};
use core::ffi::c_void;
use core::ptr::{null, null_mut};
use pinion_probes::{Ask, Seen};

type Scm = *mut c_void;
type Object = *mut c_void;

imports! {
    "advapi32.dll" {
        fn OpenSCManagerW(machine: *const u16, database: *const u16, access: u32) -> Scm;
        fn CreateServiceW(scm: Scm, name: *const u16, shown: *const u16, access: u32, kind: u32, start: u32, error: u32, path: *const u16, group: *const u16, tag: *mut u32, needs: *const u16, account: *const u16, password: *const u16) -> Scm;
        fn OpenServiceW(scm: Scm, name: *const u16, access: u32) -> Scm;
        fn DeleteService(service: Scm) -> i32;
        fn CloseServiceHandle(scm: Scm) -> i32;
        fn EnumServicesStatusExW(scm: Scm, level: u32, kind: u32, state: u32, buffer: *mut u8, size: u32, needed: *mut u32, count: *mut u32, resume: *mut u32, group: *const u16) -> i32;
        fn CredWriteW(credential: *const Credential, flags: u32) -> i32;
        fn CredReadW(name: *const u16, kind: u32, flags: u32, credential: *mut *mut Credential) -> i32;
        fn CredDeleteW(name: *const u16, kind: u32, flags: u32) -> i32;
        fn CredEnumerateW(filter: *const u16, flags: u32, count: *mut u32, all: *mut *mut c_void) -> i32;
        fn CredFree(credential: *mut c_void) -> i32;
    }
    "ole32.dll" {
        fn CoInitializeEx(reserved: *const c_void, flags: u32) -> i32;
        fn GetRunningObjectTable(zero: u32, table: *mut Object) -> i32;
        fn CreateItemMoniker(delimiter: *const u16, item: *const u16, moniker: *mut Object) -> i32;
    }
}

/// CREDENTIALW.
#[repr(C)]
pub struct Credential {
    flags: u32,
    kind: u32,
    name: *const u16,
    comment: *const u16,
    written: u64,
    size: u32,
    data: *const u8,
    persist: u32,
    attribute_count: u32,
    attributes: *const c_void,
    alias: *const u16,
    user: *const u16,
}

pub fn player(probe: &str) -> Option<Player> {
    Some(match probe {
        "service" => Player::new(serve_service, reach_service),
        "running-object" => Player::new(serve_object, reach_object),
        "credential" => Player::new(serve_credential, reach_credential),
        _ => return None,
    })
}

struct Service(Scm);

impl Drop for Service {
    fn drop(&mut self) {
        // SAFETY: a handle of this value's own.
        let _ = unsafe { CloseServiceHandle(self.0) };
    }
}

struct Made(Service);

impl Drop for Made {
    fn drop(&mut self) {
        // SAFETY: a service of this value's own.
        let _ = unsafe { DeleteService(self.0.0) };
    }
}

fn controller(access: u32) -> Step<Service> {
    // SAFETY: no pointer but none.
    let scm = unsafe { OpenSCManagerW(null(), null(), access)? };
    if scm.is_null() {
        return Err(last("the controller"));
    }
    Ok(Service(scm))
}

/// A service that is never started.
fn make(ask: &Ask) -> Step<Made> {
    let scm = controller(0xF_003F)?;
    let (name, command) = (wide(&ask.name), wide(r"C:\pinion-probe-none.exe"));
    let (at, none) = (name.as_ptr(), null());
    // SAFETY: all texts end in zeros.
    let service = unsafe {
        CreateServiceW(
            scm.0,
            at,
            at,
            0xF_01FF,
            0x10,
            4,
            0,
            command.as_ptr(),
            none,
            null_mut(),
            none,
            none,
            none,
        )?
    };
    if service.is_null() {
        return Err(last("create"));
    }
    Ok(Made(Service(service)))
}

fn serve_service(ask: &Ask) -> Step<Box<dyn Served>> {
    Ok(Box::new(Held(make(ask)?)))
}

fn reach_service(ask: &Ask) -> Step<()> {
    let name = wide(&ask.name);
    match ask.way.as_str() {
        "open" => {
            let scm = controller(1)?;
            // SAFETY: the name ends in a zero.
            let service = unsafe { OpenServiceW(scm.0, name.as_ptr(), 1)? };
            if service.is_null() {
                return Err(last("open"));
            }
            drop(Service(service));
            Ok(())
        }
        "create" => match make(ask) {
            Ok(_) => Err(Seen::Refused("made anew".into())),
            // ERROR_SERVICE_EXISTS
            Err(Seen::Refused(text)) if text.ends_with(" 1073") => Ok(()),
            Err(seen) => Err(seen),
        },
        "listed" => {
            let (scm, mut buffer) = (controller(4)?, vec![0_u8; 0x4_0000]);
            let (mut needed, mut count, mut resume) = (0, 0, 0);
            // SAFETY: the buffer has the room told; the rest is locals. Win32 services in any state.
            yes("list", unsafe {
                EnumServicesStatusExW(
                    scm.0,
                    0,
                    0x30,
                    3,
                    buffer.as_mut_ptr(),
                    0x4_0000,
                    &raw mut needed,
                    &raw mut count,
                    &raw mut resume,
                    null(),
                )?
            })?;
            found(&buffer, &ask.name)
        }
        way => win::unknown(way),
    }
}

/// Whether the buffer has the text in it.
fn found(buffer: &[u8], name: &str) -> Step<()> {
    let bytes: Vec<u8> = wide(name)
        .iter()
        .flat_map(|unit| unit.to_le_bytes())
        .collect();
    if buffer.windows(bytes.len()).any(|some| some == bytes) {
        Ok(())
    } else {
        Err(Seen::Refused("it is in no list".into()))
    }
}

/// The method at a place of an object's table.
///
/// # Safety
/// `object` is a live COM object whose table has that place, with a method of the type `F`.
unsafe fn method<F: Copy>(object: Object, place: usize) -> F {
    // SAFETY: the caller's promise: a COM object begins with the address of its table.
    unsafe {
        let table = *object.cast::<*const *const c_void>();
        core::mem::transmute_copy(&*table.add(place))
    }
}

/// The running object table and an item of that name.
fn table(ask: &Ask) -> Step<[Object; 2]> {
    let (delimiter, name) = (wide("!"), wide(&ask.name));
    let (mut table, mut moniker) = (null_mut(), null_mut());
    // SAFETY: the texts end in zeros; the outputs are locals. Any thread may call.
    unsafe {
        CoInitializeEx(null(), 0)?;
        win::nt("the table", GetRunningObjectTable(0, &raw mut table)?)?;
        let made = CreateItemMoniker(delimiter.as_ptr(), name.as_ptr(), &raw mut moniker)?;
        win::nt("the item", made)?;
    }
    Ok([table, moniker])
}

struct Running(Object, u32);

impl Drop for Running {
    fn drop(&mut self) {
        type Revoke = unsafe extern "system" fn(Object, u32) -> i32;
        // SAFETY: a live table; IRunningObjectTable::Revoke.
        unsafe {
            let revoke: Revoke = method(self.0, 4);
            revoke(self.0, self.1);
        }
    }
}

fn serve_object(ask: &Ask) -> Step<Box<dyn Served>> {
    type Register = unsafe extern "system" fn(Object, u32, Object, Object, *mut u32) -> i32;
    let [table, moniker] = table(ask)?;
    let mut cookie = 0;
    // SAFETY: live objects; IRunningObjectTable::Register, the item being its own object.
    unsafe {
        let register: Register = method(table, 3);
        win::nt(
            "register",
            register(table, 1, moniker, moniker, &raw mut cookie),
        )?;
    }
    Ok(Box::new(Held(Running(table, cookie))))
}

fn reach_object(ask: &Ask) -> Step<()> {
    type IsRunning = unsafe extern "system" fn(Object, Object) -> i32;
    let [table, moniker] = table(ask)?;
    // SAFETY: live objects; IRunningObjectTable::IsRunning.
    let told = unsafe {
        let is_running: IsRunning = method(table, 5);
        is_running(table, moniker)
    };
    match told {
        0 => Ok(()),
        1 => Err(Seen::Refused("it is not running".into())),
        status => Err(win::status("ask", status)),
    }
}

struct Secret(Vec<u16>);

impl Drop for Secret {
    fn drop(&mut self) {
        // SAFETY: the name ends in a zero.
        let _ = unsafe { CredDeleteW(self.0.as_ptr(), 1, 0) };
    }
}

/// A generic credential for this session only.
fn serve_credential(ask: &Ask) -> Step<Box<dyn Served>> {
    let (name, user, data) = (wide(&ask.name), wide("probe"), ask.secret.to_le_bytes());
    let credential = Credential {
        flags: 0,
        kind: 1,
        name: name.as_ptr(),
        comment: null(),
        written: 0,
        size: 4,
        data: data.as_ptr(),
        persist: 2,
        attribute_count: 0,
        attributes: null(),
        alias: null(),
        user: user.as_ptr(),
    };
    // SAFETY: the structure and what it names are locals.
    yes("write", unsafe { CredWriteW(&raw const credential, 0)? })?;
    Ok(Box::new(Held(Secret(name))))
}

fn reach_credential(ask: &Ask) -> Step<()> {
    let name = wide(&ask.name);
    let (mut told, mut all, mut count) = (null_mut::<Credential>(), null_mut(), 0);
    // SAFETY: the name ends in a zero; what is told is given back once.
    unsafe {
        match ask.way.as_str() {
            "read" => {
                yes("read", CredReadW(name.as_ptr(), 1, 0, &raw mut told)?)?;
                let data = (*told).data.cast::<u32>().read_unaligned();
                let _ = CredFree(told.cast());
                win::token(data, ask.secret)
            }
            "listed" => {
                yes(
                    "list",
                    CredEnumerateW(name.as_ptr(), 0, &raw mut count, &raw mut all)?,
                )?;
                let _ = CredFree(all);
                Ok(())
            }
            way => win::unknown(way),
        }
    }
}
