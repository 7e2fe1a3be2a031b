//! The calls of win32k that name window stations and desktops, and tell of them.

use super::set_last_error;
use super::station::ensure;
use super::stations::{each, placed};
use super::table::kernel;
use crate::calls::objects::{self, Intent};
use crate::calls::query_object;
use crate::{decode, guard, hooks, scratch, state};
use core::cell::Cell;
use core::ffi::c_void;
use pinion_names::units::SEPARATOR;
use pinion_names::{object, station};
use pinion_nt::calls::RtlNtStatusToDosError;
use pinion_nt::status::STATUS_BUFFER_TOO_SMALL;
use pinion_nt::{HANDLE, NTSTATUS, OBJECT_ATTRIBUTES, unicode_string};

type Attributes = *const OBJECT_ATTRIBUTES;

/// Runs `call` with the attributes of the VM's window station, which on Wine lies
/// in a directory of its name.
fn with_station(
    attributes: Attributes,
    intent: Intent,
    call: impl Fn(Attributes) -> usize,
) -> usize {
    ensure();
    let relative = decode::with_attributes(attributes, |decoded| {
        let plain = !decoded.is_absolute()
            && !decoded.name.is_empty()
            && decoded.name.len() < 260
            && !decoded.name.contains(&SEPARATOR);
        plain.then(|| {
            placed(decoded.root(), decoded.name, intent, |root, name| {
                let Some(name) = unicode_string(name) else {
                    return 0;
                };
                let own = OBJECT_ATTRIBUTES {
                    RootDirectory: root,
                    ObjectName: &raw const name,
                    ..decoded.given
                };
                call(&raw const own)
            })
        })
    });
    match relative.flatten() {
        Some(Ok(handle)) => handle,
        Some(Err(status)) => refuse(status),
        None => with_private(attributes, intent, call),
    }
}

/// Sets the last error that `status` means, and gives the handle of a failure.
fn refuse(status: NTSTATUS) -> usize {
    // SAFETY: takes a number.
    set_last_error(unsafe { RtlNtStatusToDosError(status) });
    0
}

/// Runs `call` with the attributes that name the VM's own object.
fn with_private(
    attributes: Attributes,
    intent: Intent,
    call: impl Fn(Attributes) -> usize,
) -> usize {
    let handle = Cell::new(None);
    let status = objects::with_private(attributes, intent, |attributes| {
        handle.set(Some(call(attributes)));
        0
    });
    handle.get().unwrap_or_else(|| refuse(status))
}

/// As `NtUserCreateWindowStation`.
pub(super) unsafe extern "system" fn create(
    attributes: Attributes,
    access: u32,
    a: usize,
    b: usize,
    c: usize,
    d: usize,
    e: usize,
) -> usize {
    with_station(attributes, Intent::Create, |attributes| {
        // SAFETY: the program's arguments but for the name.
        unsafe { kernel::NtUserCreateWindowStation(attributes, access, a, b, c, d, e) }
    })
}

/// As `NtUserOpenWindowStation`.
pub(super) unsafe extern "system" fn open(attributes: Attributes, access: u32) -> usize {
    with_station(attributes, Intent::Open, |attributes| {
        // SAFETY: the program's arguments but for the name.
        unsafe { kernel::NtUserOpenWindowStation(attributes, access) }
    })
}

/// As `NtUserCreateDesktopEx`. A desktop's name is its station's affair.
pub(super) unsafe extern "system" fn create_desktop(
    attributes: Attributes,
    device: *const c_void,
    mode: *const c_void,
    flags: u32,
    access: u32,
    heap: u32,
) -> usize {
    ensure();
    with_desktop(attributes, |attributes| {
        // SAFETY: the program's arguments but for the name.
        unsafe { kernel::NtUserCreateDesktopEx(attributes, device, mode, flags, access, heap) }
    })
}

/// As `NtUserOpenDesktop`.
pub(super) unsafe extern "system" fn open_desktop(
    attributes: Attributes,
    flags: u32,
    access: u32,
) -> usize {
    ensure();
    with_desktop(attributes, |attributes| {
        // SAFETY: the program's arguments but for the name.
        unsafe { kernel::NtUserOpenDesktop(attributes, flags, access) }
    })
}

/// A name that begins with a backslash is one of the object manager's, and
/// becomes the VM's own.
fn with_desktop(attributes: Attributes, call: impl Fn(Attributes) -> usize) -> usize {
    let absolute = decode::with_attributes(attributes, |decoded| {
        decoded.is_absolute() && decoded.name.first() == Some(&SEPARATOR)
    });
    if absolute == Some(true) {
        with_private(attributes, Intent::Create, call)
    } else {
        call(attributes)
    }
}

/// As `NtUserOpenInputDesktop`.
pub(super) unsafe extern "system" fn open_input_desktop(
    flags: u32,
    inherit: u32,
    access: u32,
) -> usize {
    ensure();
    // SAFETY: takes numbers.
    unsafe { kernel::NtUserOpenInputDesktop(flags, inherit, access) }
}

/// As `NtUserGetProcessWindowStation`.
pub(super) unsafe extern "system" fn of_process() -> usize {
    ensure();
    // SAFETY: takes nothing.
    unsafe { kernel::NtUserGetProcessWindowStation() }
}

/// As `NtUserSetProcessWindowStation`.
pub(super) unsafe extern "system" fn set_process(station: HANDLE) -> usize {
    ensure();
    // SAFETY: takes a handle.
    unsafe { kernel::NtUserSetProcessWindowStation(station) }
}

/// As `NtUserSetThreadDesktop`.
pub(super) unsafe extern "system" fn set_thread(desktop: HANDLE) -> usize {
    ensure();
    // SAFETY: takes a handle.
    unsafe { kernel::NtUserSetThreadDesktop(desktop) }
}

/// As `NtUserCallNoParam`, by one code of which the desktop's window is made.
pub(super) unsafe extern "system" fn call_no_param(code: u32) -> usize {
    ensure();
    // SAFETY: takes a number.
    unsafe { kernel::NtUserCallNoParam(code) }
}

/// As `NtUserGetObjectInformation`: a station's name is what it was asked by.
pub(super) unsafe extern "system" fn query(
    handle: HANDLE,
    index: i32,
    information: *mut c_void,
    length: u32,
    needed: *mut u32,
) -> usize {
    /// `UOI_NAME` (winuser.h).
    const NAME: i32 = 2;
    ensure();
    let told = (index == NAME && hooks::is_wine())
        .then(|| {
            query_object::with_real_name(handle, |real| {
                let name = object::undo(state::page().object_directory.as_units(), real)?;
                let name = station::of_object(name, true)?;
                Some(tell(name, information, length, needed))
            })
        })
        .flatten()
        .flatten();
    told.unwrap_or_else(|| {
        // SAFETY: the program's own arguments.
        unsafe { kernel::NtUserGetObjectInformation(handle, index, information, length, needed) }
    })
}

/// Writes a name as `NtUserGetObjectInformation` does.
fn tell(name: &[u16], information: *mut c_void, length: u32, needed: *mut u32) -> usize {
    const ERROR_INSUFFICIENT_BUFFER: u32 = 122;
    const ERROR_NOACCESS: u32 = 998;
    let bytes = size_of_val(name);
    let fits = bytes + 2 <= length as usize;
    let written = (|| {
        // SAFETY: the program's pointers, under guard.
        unsafe {
            if !needed.is_null() {
                guard::write(needed, bytes as u32 + 2)?;
            }
            if fits {
                guard::copy(information, name.as_ptr().cast(), bytes)?;
                guard::write(information.wrapping_byte_add(bytes).cast::<u16>(), 0)?;
            }
        }
        Ok::<(), i32>(())
    })();
    match written {
        Ok(()) if fits => 1,
        Ok(()) => {
            set_last_error(ERROR_INSUFFICIENT_BUFFER);
            0
        }
        Err(_) => {
            set_last_error(ERROR_NOACCESS);
            0
        }
    }
}

/// As `NtUserBuildNameList`: the desktops of a station, or the VM's stations.
pub(super) unsafe extern "system" fn list(
    station: HANDLE,
    size: u32,
    list: *mut c_void,
    needed: *mut u32,
) -> usize {
    /// The bytes of a list before its names (`ntuser_name_list`, ntuser.h of
    /// Wine 10) and of the NUL after them.
    const HEADER: usize = 10;
    ensure();
    if !station.is_null() {
        // SAFETY: the program's own arguments.
        return unsafe { kernel::NtUserBuildNameList(station, size, list, needed) };
    }
    let answer = scratch::with(scratch::LARGE, |names| {
        let (mut units, mut count) = (0, 0_u32);
        each(|name| {
            let end = units + name.len();
            if let Some(place) = names.get_mut(units..=end) {
                if let Some((last, place)) = place.split_last_mut() {
                    place.copy_from_slice(name);
                    *last = 0;
                }
                (units, count) = (end + 1, count + 1);
            }
        });
        let total = HEADER + units * 2;
        // SAFETY: the program's pointers, under guard.
        let written = unsafe {
            (|| {
                guard::write(needed, total as u32)?;
                if total <= size as usize {
                    guard::write(list.cast::<[u32; 2]>(), [total as u32, count])?;
                    let place = list.wrapping_byte_add(8);
                    guard::copy(place, names.as_ptr().cast(), units * 2)?;
                    guard::write(place.wrapping_byte_add(units * 2).cast::<u16>(), 0)?;
                }
                Ok::<(), i32>(())
            })()
        };
        match written {
            Err(code) => code,
            Ok(()) if total <= size as usize => 0,
            Ok(()) => STATUS_BUFFER_TOO_SMALL,
        }
    });
    answer.unwrap_or(objects::NO_ROOM) as u32 as usize
}
