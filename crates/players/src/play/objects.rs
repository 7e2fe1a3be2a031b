//! Objects that are made and opened by name, in every form of the name. That an
//! object of a name that nothing else has can be opened shows that it is the
//! server's.

use super::{Held, Player, Served};
use crate::imports;
use crate::win::{self, Handle, Step, nt, status, wide, with_attributes};
use core::ffi::c_void;
use core::ptr::{null, null_mut};
use pinion_probes::{Ask, Seen};
use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS, UNICODE_STRING};

type Attributes = *const OBJECT_ATTRIBUTES;
type Guid = *const [u8; 16];

imports! {
    "ntdll.dll" {
        fn NtCreateMutant(h: *mut HANDLE, access: u32, oa: Attributes, owner: u8) -> NTSTATUS;
        fn NtOpenMutant(h: *mut HANDLE, access: u32, oa: Attributes) -> NTSTATUS;
        fn NtCreateEvent(h: *mut HANDLE, access: u32, oa: Attributes, kind: u32, set: u8) -> NTSTATUS;
        fn NtOpenEvent(h: *mut HANDLE, access: u32, oa: Attributes) -> NTSTATUS;
        fn NtCreateSemaphore(h: *mut HANDLE, access: u32, oa: Attributes, now: i32, most: i32) -> NTSTATUS;
        fn NtOpenSemaphore(h: *mut HANDLE, access: u32, oa: Attributes) -> NTSTATUS;
        fn NtCreateTimer(h: *mut HANDLE, access: u32, oa: Attributes, kind: u32) -> NTSTATUS;
        fn NtOpenTimer(h: *mut HANDLE, access: u32, oa: Attributes) -> NTSTATUS;
        fn NtCreateKeyedEvent(h: *mut HANDLE, access: u32, oa: Attributes, flags: u32) -> NTSTATUS;
        fn NtOpenKeyedEvent(h: *mut HANDLE, access: u32, oa: Attributes) -> NTSTATUS;
        fn NtCreateEventPair(h: *mut HANDLE, access: u32, oa: Attributes) -> NTSTATUS;
        fn NtOpenEventPair(h: *mut HANDLE, access: u32, oa: Attributes) -> NTSTATUS;
        fn NtCreateSection(h: *mut HANDLE, access: u32, oa: Attributes, size: *const i64, protection: u32, attributes: u32, file: HANDLE) -> NTSTATUS;
        fn NtOpenSection(h: *mut HANDLE, access: u32, oa: Attributes) -> NTSTATUS;
        fn NtCreateJobObject(h: *mut HANDLE, access: u32, oa: Attributes) -> NTSTATUS;
        fn NtOpenJobObject(h: *mut HANDLE, access: u32, oa: Attributes) -> NTSTATUS;
        fn NtCreateIoCompletion(h: *mut HANDLE, access: u32, oa: Attributes, threads: u32) -> NTSTATUS;
        fn NtOpenIoCompletion(h: *mut HANDLE, access: u32, oa: Attributes) -> NTSTATUS;
        fn NtCreateDirectoryObject(h: *mut HANDLE, access: u32, oa: Attributes) -> NTSTATUS;
        fn NtOpenDirectoryObject(h: *mut HANDLE, access: u32, oa: Attributes) -> NTSTATUS;
        fn NtCreateSymbolicLinkObject(h: *mut HANDLE, access: u32, oa: Attributes, target: *const UNICODE_STRING) -> NTSTATUS;
        fn NtOpenSymbolicLinkObject(h: *mut HANDLE, access: u32, oa: Attributes) -> NTSTATUS;
        fn NtCreatePartition(parent: HANDLE, h: *mut HANDLE, access: u32, oa: Attributes, node: u32) -> NTSTATUS;
        fn NtOpenPartition(h: *mut HANDLE, access: u32, oa: Attributes) -> NTSTATUS;
        fn NtCreateTransaction(h: *mut HANDLE, access: u32, oa: Attributes, id: Guid, manager: HANDLE, options: u32, level: u32, flags: u32, timeout: *const i64, description: *const c_void) -> NTSTATUS;
        fn NtOpenTransaction(h: *mut HANDLE, access: u32, oa: Attributes, id: Guid, manager: HANDLE) -> NTSTATUS;
        fn NtCreateTransactionManager(h: *mut HANDLE, access: u32, oa: Attributes, log: *const c_void, options: u32, strength: u32) -> NTSTATUS;
        fn NtOpenTransactionManager(h: *mut HANDLE, access: u32, oa: Attributes, log: *const c_void, id: Guid, options: u32) -> NTSTATUS;
        fn NtCreateRegistryTransaction(h: *mut HANDLE, access: u32, oa: Attributes, options: u32) -> NTSTATUS;
        fn NtOpenRegistryTransaction(h: *mut HANDLE, access: u32, oa: Attributes) -> NTSTATUS;
    }
    "kernelbase.dll" {
        fn BaseGetNamedObjectDirectory(h: *mut HANDLE) -> NTSTATUS;
    }
    "kernel32.dll" {
        fn OpenMutexW(access: u32, inherit: i32, name: *const u16) -> HANDLE;
        fn OpenEventW(access: u32, inherit: i32, name: *const u16) -> HANDLE;
        fn OpenSemaphoreW(access: u32, inherit: i32, name: *const u16) -> HANDLE;
        fn OpenWaitableTimerW(access: u32, inherit: i32, name: *const u16) -> HANDLE;
        fn OpenFileMappingW(access: u32, inherit: i32, name: *const u16) -> HANDLE;
        fn OpenJobObjectW(access: u32, inherit: i32, name: *const u16) -> HANDLE;
        fn CreateMutexExW(security: *const c_void, name: *const u16, flags: u32, access: u32) -> HANDLE;
        fn CreateEventExW(security: *const c_void, name: *const u16, flags: u32, access: u32) -> HANDLE;
        fn CreateSemaphoreExW(security: *const c_void, now: i32, most: i32, name: *const u16, flags: u32, access: u32) -> HANDLE;
        fn CreateWaitableTimerExW(security: *const c_void, name: *const u16, flags: u32, access: u32) -> HANDLE;
        fn CreateFileMappingNumaW(file: HANDLE, security: *const c_void, protection: u32, high: u32, low: u32, name: *const u16, node: u32) -> HANDLE;
        fn CreateJobObjectA(security: *const c_void, name: *const u8) -> HANDLE;
        fn ProcessIdToSessionId(process: u32, session: *mut u32) -> i32;
    }
}

const MAXIMUM_ALLOWED: u32 = 0x0200_0000;
const GENERIC_ALL: u32 = 0x1000_0000;
const STATUS_OBJECT_NAME_EXISTS: NTSTATUS = 0x4000_0000;
const ERROR_ALREADY_EXISTS: u32 = 183;

pub fn player(probe: &str) -> Option<Player> {
    KINDS.contains(&probe).then_some(Player::new(serve, reach))
}

const KINDS: &[&str] = &[
    "mutant",
    "event",
    "semaphore",
    "timer",
    "keyed-event",
    "event-pair",
    "section",
    "file-section",
    "job",
    "completion",
    "directory",
    "link",
    "partition",
    "transaction",
    "registry-transaction",
    "transaction-manager",
];

/// The directory of the session's names, as kernel32 has it.
pub fn base_directory() -> Step<Handle> {
    let mut handle = null_mut();
    // SAFETY: the pointer is to a local.
    nt("BaseGetNamedObjectDirectory", unsafe {
        BaseGetNamedObjectDirectory(&raw mut handle)?
    })?;
    // The handle is kernelbase's own and stays.
    Ok(Handle(handle))
}

/// The number of this process's session.
pub fn session() -> u32 {
    let mut session = 0;
    // SAFETY: the pointer is to a local.
    let _ = unsafe { ProcessIdToSessionId(std::process::id(), &raw mut session) };
    session
}

/// The path of the directory of the session's names.
pub fn base_path() -> String {
    match session() {
        0 => r"\BaseNamedObjects".into(),
        session => format!(r"\Sessions\{session}\BaseNamedObjects"),
    }
}

/// Makes an object of the probe's kind; the status tells whether it was there.
fn create(probe: &str, root: HANDLE, name: &str) -> Step<(NTSTATUS, Handle)> {
    let mut h: HANDLE = null_mut();
    let out = &raw mut h;
    let size = 4096_i64;
    let nowhere: Vec<u16> = r"\Nowhere".encode_utf16().collect();
    let nowhere = win::unicode(&nowhere);
    let file = (probe == "file-section").then(backing).transpose()?;
    let file = file.as_ref().map_or(null_mut(), |file| file.0);
    let none: HANDLE = null_mut();
    // SAFETY: all pointers are to locals that outlive the call; each kind has its own prototype.
    let status = with_attributes(root, name, |oa| unsafe {
        match probe {
            "mutant" => NtCreateMutant(out, MAXIMUM_ALLOWED, oa, 0),
            "event" => NtCreateEvent(out, MAXIMUM_ALLOWED, oa, 0, 0),
            "semaphore" => NtCreateSemaphore(out, MAXIMUM_ALLOWED, oa, 0, 1),
            "timer" => NtCreateTimer(out, MAXIMUM_ALLOWED, oa, 0),
            "keyed-event" => NtCreateKeyedEvent(out, GENERIC_ALL, oa, 0),
            "event-pair" => NtCreateEventPair(out, GENERIC_ALL, oa),
            "section" | "file-section" => NtCreateSection(
                out,
                MAXIMUM_ALLOWED,
                oa,
                &raw const size,
                4,
                0x800_0000,
                file,
            ),
            "job" => NtCreateJobObject(out, MAXIMUM_ALLOWED, oa),
            "completion" => NtCreateIoCompletion(out, MAXIMUM_ALLOWED, oa, 0),
            "directory" => NtCreateDirectoryObject(out, MAXIMUM_ALLOWED, oa),
            "link" => NtCreateSymbolicLinkObject(out, MAXIMUM_ALLOWED, oa, &raw const nowhere),
            "partition" => NtCreatePartition(none, out, GENERIC_ALL, oa, 0),
            "transaction" => {
                NtCreateTransaction(out, GENERIC_ALL, oa, null(), none, 0, 0, 0, null(), null())
            }
            // Volatile: no log.
            "transaction-manager" => NtCreateTransactionManager(out, GENERIC_ALL, oa, null(), 1, 0),
            "registry-transaction" => NtCreateRegistryTransaction(out, GENERIC_ALL, oa, 0),
            _ => win::unknown(probe),
        }
    })?;
    nt("create", status)?;
    Ok((status, Handle(h)))
}

/// A file for a section, gone when its handle is.
fn backing() -> Step<Handle> {
    use std::os::windows::fs::OpenOptionsExt;
    use std::os::windows::io::IntoRawHandle;
    let path = std::env::temp_dir().join("pinion-probe-section");
    let file = std::fs::File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .access_mode(0xC001_0000)
        .custom_flags(0x0400_0000)
        .open(&path)
        .and_then(|file| file.set_len(4096).map(|()| file));
    let file = file.map_err(|error| Seen::Refused(format!("the section's file: {error}")))?;
    Ok(Handle(file.into_raw_handle()))
}

/// Opens an object of the probe's kind.
pub fn open(probe: &str, root: HANDLE, name: &str) -> Step<Handle> {
    let mut h: HANDLE = null_mut();
    let out = &raw mut h;
    let none: HANDLE = null_mut();
    // SAFETY: all pointers are to locals that outlive the call; each kind has its own prototype.
    let status = with_attributes(root, name, |oa| unsafe {
        match probe {
            "mutant" => NtOpenMutant(out, MAXIMUM_ALLOWED, oa),
            "event" => NtOpenEvent(out, MAXIMUM_ALLOWED, oa),
            "semaphore" => NtOpenSemaphore(out, MAXIMUM_ALLOWED, oa),
            "timer" => NtOpenTimer(out, MAXIMUM_ALLOWED, oa),
            "keyed-event" => NtOpenKeyedEvent(out, GENERIC_ALL, oa),
            "event-pair" => NtOpenEventPair(out, GENERIC_ALL, oa),
            "section" | "file-section" => NtOpenSection(out, MAXIMUM_ALLOWED, oa),
            "job" => NtOpenJobObject(out, MAXIMUM_ALLOWED, oa),
            "completion" => NtOpenIoCompletion(out, MAXIMUM_ALLOWED, oa),
            "directory" => NtOpenDirectoryObject(out, MAXIMUM_ALLOWED, oa),
            "link" => NtOpenSymbolicLinkObject(out, MAXIMUM_ALLOWED, oa),
            "partition" => NtOpenPartition(out, GENERIC_ALL, oa),
            "transaction" => NtOpenTransaction(out, GENERIC_ALL, oa, null(), none),
            "transaction-manager" => {
                NtOpenTransactionManager(out, GENERIC_ALL, oa, null(), null(), 1)
            }
            "registry-transaction" => NtOpenRegistryTransaction(out, GENERIC_ALL, oa),
            _ => win::unknown(probe),
        }
    })?;
    nt("open", status)?;
    Ok(Handle(h))
}

fn serve(ask: &Ask) -> Step<Box<dyn Served>> {
    let (base, name) = (base_directory()?, &ask.name);
    let base = std::mem::ManuallyDrop::new(base);
    let (status, object) = match ask.way.as_str() {
        "global" | "global-path" => create(&ask.probe, base.0, &format!(r"Global\{name}"))?,
        "create-path" => create(&ask.probe, null_mut(), &format!(r"{}\{name}", base_path()))?,
        _ => create(&ask.probe, base.0, name)?,
    };
    if status == STATUS_OBJECT_NAME_EXISTS {
        return Err(Seen::Other("the name was there".into()));
    }
    Ok(Box::new(Held(object)))
}

fn reach(ask: &Ask) -> Step<()> {
    let base = std::mem::ManuallyDrop::new(base_directory()?);
    let (probe, name) = (ask.probe.as_str(), ask.name.as_str());
    let (none, path) = (null_mut(), base_path());
    let real = format!("{}{path}", ask.place.objects);
    let opened = match ask.way.as_str() {
        "bare" => open(probe, base.0, name),
        "upper-case" => open(probe, base.0, &name.to_uppercase()),
        "local" => open(probe, base.0, &format!(r"Local\{name}")),
        "global" => open(probe, base.0, &format!(r"Global\{name}")),
        "session" => open(probe, base.0, &format!(r"Session\{}\{name}", session())),
        "nt-path" => open(probe, none, &format!(r"{path}\{name}")),
        "global-path" => open(probe, none, &format!(r"\BaseNamedObjects\{name}")),
        "relative" => below(probe, &path, name),
        "create" => return created(probe, base.0, name),
        "create-path" => return created(probe, none, &format!(r"{path}\{name}")),
        "win32" => return win32(probe, name),
        "win32-ex" => return win32_ex(probe, name),
        "real-name" => open(probe, none, &format!(r"{real}\{name}")),
        "real-relative" => below(probe, &real, name),
        "through-link" => through_link(probe, &real, name),
        way => win::unknown(way),
    };
    opened.map(drop)
}

/// Below a handle of the directory above.
fn below(probe: &str, path: &str, name: &str) -> Step<Handle> {
    let (above, last) = path.rsplit_once('\\').unwrap_or(("", path));
    let above = if above.is_empty() { r"\" } else { above };
    let root = open("directory", null_mut(), above)?;
    open(probe, root.0, &format!(r"{last}\{name}"))
}

/// Through a link of the client's own.
fn through_link(probe: &str, real: &str, name: &str) -> Step<Handle> {
    let base = std::mem::ManuallyDrop::new(base_directory()?);
    let units: Vec<u16> = real.encode_utf16().collect();
    let target = win::unicode(&units);
    let mut h: HANDLE = null_mut();
    let link_name = format!("{name}-link");
    // SAFETY: all pointers are to locals that outlive the call.
    let status = with_attributes(base.0, &link_name, |oa| unsafe {
        NtCreateSymbolicLinkObject(&raw mut h, MAXIMUM_ALLOWED, oa, &raw const target)
    })?;
    nt("the link", status)?;
    let _link = Handle(h);
    open(probe, base.0, &format!(r"{link_name}\{name}"))
}

/// Making the same again tells whether it is there.
fn created(probe: &str, root: HANDLE, name: &str) -> Step<()> {
    match create(probe, root, name) {
        Ok((STATUS_OBJECT_NAME_EXISTS, _)) => Ok(()),
        Ok((made, _)) => Err(status("made anew", made)),
        // STATUS_OBJECT_NAME_COLLISION
        Err(Seen::Refused(text)) if text.contains("0xc0000035") => Ok(()),
        Err(seen) => Err(seen),
    }
}

fn win32(probe: &str, name: &str) -> Step<()> {
    let name = wide(name);
    let at = name.as_ptr();
    // SAFETY: the name ends in a zero.
    let handle = unsafe {
        match probe {
            "mutant" => OpenMutexW(0x10_0000, 0, at)?,
            "event" => OpenEventW(0x10_0000, 0, at)?,
            "semaphore" => OpenSemaphoreW(0x10_0000, 0, at)?,
            "timer" => OpenWaitableTimerW(0x10_0000, 0, at)?,
            "section" => OpenFileMappingW(4, 0, at)?,
            "job" => OpenJobObjectW(4, 0, at)?,
            _ => return win::unknown(probe),
        }
    };
    win::handle("open", handle).map(drop)
}

/// The newest way of kernel32 to make one, which opens what is there.
fn win32_ex(probe: &str, name: &str) -> Step<()> {
    let narrow = format!("{name}\0");
    let name = wide(name);
    let at = name.as_ptr();
    let invalid: HANDLE = -1_isize as HANDLE;
    // SAFETY: the name ends in a zero; a section of the paging file takes the invalid handle.
    let handle = unsafe {
        match probe {
            "mutant" => CreateMutexExW(null(), at, 0, 0x10_0000)?,
            "event" => CreateEventExW(null(), at, 0, 0x10_0000)?,
            "semaphore" => CreateSemaphoreExW(null(), 0, 1, at, 0, 0x10_0000)?,
            "timer" => CreateWaitableTimerExW(null(), at, 0, 0x10_0000)?,
            "section" => CreateFileMappingNumaW(invalid, null(), 4, 0, 4096, at, u32::MAX)?,
            "job" => CreateJobObjectA(null(), narrow.as_ptr())?,
            _ => return win::unknown(probe),
        }
    };
    // SAFETY: reads a field of the calling thread.
    let last = unsafe { windows_sys::Win32::Foundation::GetLastError() };
    win::handle("create", handle)?;
    if last == ERROR_ALREADY_EXISTS {
        Ok(())
    } else {
        Err(Seen::Refused("made anew".into()))
    }
}
