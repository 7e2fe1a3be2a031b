//! DOS device names of the VM's own, as `subst` makes them: links in the VM's
//! object directory, which the supervisor keeps, as they outlive the program that
//! makes them. On Wine `DefineDosDevice` makes and unmakes the links itself; on
//! Windows it asks csrss, whose port no member reaches.

use super::objects;
use super::query_object::with_real_name;
use crate::hooks::kept;
use crate::region::Region;
use crate::supervisor::Connection;
use crate::{decode, scratch, state};
use core::ptr::{null, null_mut};
use core::sync::atomic::Ordering;
use pinion_names::units::{SEPARATOR, join};
use pinion_names::{dos, object};
use pinion_nt::calls::NtClose;
use pinion_nt::status::{
    STATUS_ACCESS_DENIED, STATUS_ACCESS_VIOLATION, STATUS_NAME_TOO_LONG, STATUS_NO_MEMORY,
    STATUS_OBJECT_NAME_NOT_FOUND, STATUS_UNSUCCESSFUL, success,
};
use pinion_nt::{
    HANDLE, NTSTATUS, OBJ_CASE_INSENSITIVE, OBJECT_ATTRIBUTES, UNICODE_STRING, object_attributes,
};
use pinion_wire::message::{MESSAGE, Reply, Request};

/// Whether the VM has names of its own.
pub(crate) fn any() -> bool {
    state::tally().devices.load(Ordering::Relaxed) != 0
}

/// Whether the drive `letter` (upper case) is one.
pub(crate) fn is_drive(letter: u16) -> bool {
    let drives = state::tally().drives.load(Ordering::Relaxed);
    let index = letter.checked_sub(u16::from(b'A')).unwrap_or(26);
    index < 26 && drives >> index & 1 != 0
}

/// As `NtCreateSymbolicLinkObject` of a DOS device's name; `None` for any other.
pub(crate) unsafe fn create(
    handle: *mut HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
    target: *const UNICODE_STRING,
) -> Option<NTSTATUS> {
    decode::with_attributes(attributes, |decoded| {
        let name = dos::device(decoded.name).filter(|_| decoded.is_absolute())?;
        let status = decode::with_string(target, |target| ask(name, target))
            .unwrap_or(STATUS_ACCESS_VIOLATION);
        if !success(status) {
            return Some(status);
        }
        Some(with_own(&decoded.given, name, |attributes| {
            // SAFETY: the program's arguments but for the name.
            unsafe { kept::NtOpenSymbolicLinkObject(handle, access, attributes) }
        }))
    })?
}

/// As `NtOpenSymbolicLinkObject` of one of the VM's own; `None` when it is none.
pub(crate) unsafe fn open(
    handle: *mut HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
) -> Option<NTSTATUS> {
    if !any() {
        return None;
    }
    let status = decode::with_attributes(attributes, |decoded| {
        let name = dos::device(decoded.name).filter(|_| decoded.is_absolute())?;
        Some(with_own(&decoded.given, name, |attributes| {
            // SAFETY: the program's arguments but for the name.
            unsafe { kept::NtOpenSymbolicLinkObject(handle, access, attributes) }
        }))
    })?;
    status.filter(|&status| status != STATUS_OBJECT_NAME_NOT_FOUND)
}

/// As `NtMakeTemporaryObject`: one of the VM's own names is given up by who keeps
/// it; what has a name of the host's stays as it is. Wine asks for no right on the
/// handle, and would take a drive of the host away (observed on Wine 8).
pub(crate) unsafe fn make_temporary(object: HANDLE) -> NTSTATUS {
    let answered = with_real_name(object, |real| {
        let directory = state::page().object_directory.as_units();
        let Some(name) = object::undo(directory, real) else {
            return Some(STATUS_ACCESS_DENIED);
        };
        let name = pinion_names::units::starts(name, dos::DIRECTORY)?;
        Some(ask(name.strip_prefix(&[SEPARATOR])?, &[]))
    });
    match answered.flatten() {
        Some(status) => status,
        // SAFETY: the program's own argument.
        None => unsafe { kept::NtMakeTemporaryObject(object) },
    }
}

/// Runs `work` with where the VM's own name `name` leads, `\??\C:\dir`; `None` when
/// it is none.
pub(crate) fn with_target<R>(name: &[u16], work: impl FnOnce(&[u16]) -> R) -> Option<R> {
    /// `SYMBOLIC_LINK_QUERY` (winnt.h).
    const QUERY: u32 = 1;
    const ROOM: usize = dos::LONGEST_TARGET + 200;
    let mut link: HANDLE = null_mut();
    let place = &raw mut link;
    let given = object_attributes(null_mut(), null(), OBJ_CASE_INSENSITIVE);
    let status = with_own(&given, name, |attributes| {
        // SAFETY: the attributes live over the call; the place is a local.
        unsafe { kept::NtOpenSymbolicLinkObject(place, QUERY, attributes) }
    });
    if !success(status) {
        return None;
    }
    scratch::with(ROOM, |buffer| {
        let mut out = UNICODE_STRING {
            Length: 0,
            MaximumLength: (ROOM * 2) as u16,
            Buffer: buffer.as_mut_ptr(),
        };
        // SAFETY: the buffer has the room told; the handle is closed once.
        let status = unsafe {
            let status = kept::NtQuerySymbolicLinkObject(link, &raw mut out, null_mut());
            NtClose(link);
            status
        };
        let real = buffer.get(..usize::from(out.Length) / 2)?;
        // One that leads elsewhere is the host's.
        let target = object::undo(state::page().object_directory.as_units(), real)?;
        success(status).then(|| work(target))
    })?
}

/// Runs `call` with `given`, its name replaced by that of the link `name`.
fn with_own(
    given: &OBJECT_ATTRIBUTES,
    name: &[u16],
    call: impl Fn(*const OBJECT_ATTRIBUTES) -> NTSTATUS,
) -> NTSTATUS {
    const ROOM: usize = 16;
    let directory = state::page().object_directory.as_units();
    scratch::with(directory.len() + ROOM + name.len(), |out| {
        let mut inside = [0; ROOM];
        let units = dos::DIRECTORY.encode_utf16().chain([SEPARATOR]);
        let length = inside
            .iter_mut()
            .zip(units)
            .map(|(place, unit)| *place = unit)
            .count();
        let inside = inside.get(..length).unwrap_or(&[]);
        match join(&[directory, inside, name], out) {
            Ok(length) => objects::with_name(given, out.get(..length).unwrap_or(&[]), &call),
            Err(pinion_names::TooLong) => STATUS_NAME_TOO_LONG,
        }
    })
    .unwrap_or(STATUS_NAME_TOO_LONG)
}

/// Asks the supervisor to define a name, or to give it up where it leads nowhere.
fn ask(name: &[u16], target: &[u16]) -> NTSTATUS {
    const TEXTS: usize = MESSAGE / 2;
    let Ok(mut region) = Region::new(TEXTS + MESSAGE) else {
        return STATUS_NO_MEMORY;
    };
    let (texts, message) = region.bytes().split_at_mut(TEXTS);
    let bytes = name
        .iter()
        .chain(target)
        .flat_map(|unit| unit.to_le_bytes());
    let length = (name.len() + target.len()) * 2;
    let Some(room) = texts.get_mut(..length) else {
        return STATUS_NAME_TOO_LONG;
    };
    for (place, byte) in room.iter_mut().zip(bytes) {
        *place = byte;
    }
    let Some((name, target)) = room.split_at_checked(name.len() * 2) else {
        return STATUS_NAME_TOO_LONG;
    };
    let mut answer = || {
        let connection = Connection::open()?;
        connection.send(&Request::Device { name, target }, message)?;
        match connection.receive(message)? {
            Reply::Device { status } => Some(status),
            _ => None,
        }
    };
    answer().unwrap_or(STATUS_UNSUCCESSFUL)
}
