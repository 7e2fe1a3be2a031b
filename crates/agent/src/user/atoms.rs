//! What of win32u names an atom: window properties by their names, and the names
//! of clipboard formats and registered messages.

use super::table::kernel;
use super::{owners, set_last_error, station};
use crate::calls::atoms;
use crate::{guard, state};
use core::ffi::c_void;
use pinion_names::atom::{self, LONGEST};
use pinion_nt::UNICODE_STRING;
use pinion_policy::user::{ERROR_INVALID_PARAMETER, ERROR_INVALID_WINDOW_HANDLE};

/// Runs `call` with the VM's name of a window's property; a number stays as it is.
fn with_property(window: u64, name: *const u16, call: impl FnOnce(*const u16) -> usize) -> usize {
    station::ensure();
    if !owners::may_name(window) {
        set_last_error(ERROR_INVALID_WINDOW_HANDLE);
        return 0;
    }
    if name as usize >> 16 == 0 {
        return call(name);
    }
    let mut given = [0; LONGEST + 1];
    let mut length = given.len();
    for (at, unit) in given.iter_mut().enumerate() {
        // SAFETY: plain data; a bad pointer is a return value.
        match unsafe { guard::read(name.wrapping_add(at)) } {
            Ok(0) => {
                length = at;
                break;
            }
            Ok(read) => *unit = read,
            // The kernel shall meet it.
            Err(_) => return call(name),
        }
    }
    let mut own = [0; LONGEST];
    let room = given.get(..length).filter(|_| length > 0);
    match room.and_then(|given| atom::map(state::page().id, given, &mut own)) {
        Some(mapped) => {
            let (mut text, units) = ([0; LONGEST + 1], mapped.len());
            if let Some(place) = text.get_mut(..units) {
                place.copy_from_slice(mapped);
            }
            call(text.as_ptr())
        }
        None => {
            set_last_error(ERROR_INVALID_PARAMETER);
            0
        }
    }
}

/// As `NtUserGetProp`.
pub(super) unsafe extern "system" fn get_property(window: u64, name: *const u16) -> usize {
    with_property(window, name, |name| {
        // SAFETY: the program's arguments but for the name.
        unsafe { kernel::NtUserGetProp(window, name) }
    })
}

/// As `NtUserSetProp`.
pub(super) unsafe extern "system" fn set_property(
    window: u64,
    name: *const u16,
    value: usize,
) -> usize {
    with_property(window, name, |name| {
        // SAFETY: the program's arguments but for the name.
        unsafe { kernel::NtUserSetProp(window, name, value) }
    })
}

/// As `NtUserRemoveProp`.
pub(super) unsafe extern "system" fn remove_property(window: u64, name: *const u16) -> usize {
    with_property(window, name, |name| {
        // SAFETY: the program's arguments but for the name.
        unsafe { kernel::NtUserRemoveProp(window, name) }
    })
}

/// As `NtUserGetClipboardFormatName`.
pub(super) unsafe extern "system" fn format_name(
    format: u32,
    buffer: *mut c_void,
    room: i32,
) -> usize {
    let number = u16::try_from(format)
        .ok()
        .filter(|number| *number >= 0xc000);
    let (Some(number), Some(room)) = (number, usize::try_from(room).ok().filter(|room| *room > 0))
    else {
        // SAFETY: the program's own arguments.
        return unsafe { kernel::NtUserGetClipboardFormatName(format, buffer, room) };
    };
    let told = atoms::with_name(number, |_, name| {
        let name = name.get(..name.len().min(room - 1)).unwrap_or(&[]);
        let bytes = size_of_val(name);
        // SAFETY: the program's memory, under guard.
        let written = unsafe {
            guard::copy(buffer, name.as_ptr().cast(), bytes)
                .and_then(|()| guard::write(buffer.wrapping_byte_add(bytes).cast::<u16>(), 0))
        };
        written.map_or(0, |()| name.len())
    });
    told.unwrap_or_else(|_| {
        /// `ERROR_INVALID_HANDLE` (winerror.h).
        const ERROR_INVALID_HANDLE: u32 = 6;
        set_last_error(ERROR_INVALID_HANDLE);
        0
    })
}

/// As `NtUserRegisterWindowMessage`, which Windows has beside global atoms; there
/// the names of registered messages and of clipboard formats are one table.
pub(super) unsafe extern "system" fn register_message(name: *const UNICODE_STRING) -> usize {
    let call = |name| {
        // SAFETY: the program's argument, or a local.
        unsafe { kernel::NtUserRegisterWindowMessage(name) }
    };
    // SAFETY: plain data; a bad pointer is a return value.
    let Ok(string) = (unsafe { guard::read(name) }) else {
        return call(name);
    };
    let mut given = [0; LONGEST];
    let units = usize::from(string.Length) / 2;
    let Some(given) = given.get_mut(..units) else {
        return call(name);
    };
    // SAFETY: `given` has room for the units; the source may be bad.
    let copied = unsafe { guard::copy(given.as_mut_ptr().cast(), string.Buffer.cast(), units * 2) };
    if copied.is_err() {
        return call(name);
    }
    let mut own = [0; LONGEST];
    match atom::map(state::page().id, given, &mut own).and_then(pinion_nt::unicode_string) {
        Some(own) => call(&raw const own),
        None => {
            set_last_error(ERROR_INVALID_PARAMETER);
            0
        }
    }
}
