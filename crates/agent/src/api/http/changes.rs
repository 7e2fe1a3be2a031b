//! `HttpSetServiceConfiguration`, `HttpUpdateServiceConfiguration` and
//! `HttpDeleteServiceConfiguration`: a record goes to http.sys under the VM's own
//! address, and no other record is changed. It lasts as long there as any other:
//! http.sys keeps it, and the rights to change it are the user's.

use super::Export;
use super::key::{self, Kind};
use crate::guard;
use core::ffi::c_void;
use pinion_nt::HANDLE;
use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, ERROR_INVALID_PARAMETER};

/// The words of the longest record, with room to spare (`HTTP_SERVICE_CONFIG_SSL_SET`
/// has eleven, http.h).
const WORDS: usize = 64;

/// The type of all three exports.
type Change = unsafe extern "system" fn(HANDLE, i32, *const c_void, u32, *const c_void) -> u32;

macro_rules! changes {
    ($($(#[$about:meta])* $name:ident => $export:ident;)*) => { $(
        $(#[$about])*
        pub(super) unsafe extern "system" fn $name(
            handle: HANDLE,
            id: i32,
            record: *const c_void,
            size: u32,
            overlapped: *const c_void,
        ) -> u32 {
            // SAFETY: the program's arguments.
            unsafe { change(Export::$export, handle, id, record, size, overlapped) }
        }
    )* };
}

changes! {
    /// As `HttpSetServiceConfiguration` (http.h).
    set => HttpSetServiceConfiguration;
    /// As `HttpUpdateServiceConfiguration` (http.h, since Windows 10).
    update => HttpUpdateServiceConfiguration;
    /// As `HttpDeleteServiceConfiguration` (http.h).
    delete => HttpDeleteServiceConfiguration;
}

/// Calls the export with a copy of the record that has the VM's key.
///
/// # Safety
/// The program's arguments, for which it vouches to the export.
unsafe fn change(
    export: Export,
    handle: HANDLE,
    id: i32,
    record: *const c_void,
    size: u32,
    overlapped: *const c_void,
) -> u32 {
    let Some(kind) = Kind::of(id) else {
        return key::none(export, ERROR_ACCESS_DENIED);
    };
    let mut copy = [0_u64; WORDS];
    let length = size as usize;
    if !(size_of::<u64>()..=size_of_val(&copy)).contains(&length) {
        return ERROR_INVALID_PARAMETER;
    }
    // SAFETY: the copy has room for `length` bytes; the source may be bad.
    if unsafe { guard::copy(copy.as_mut_ptr().cast(), record, length) }.is_err() {
        return ERROR_INVALID_PARAMETER;
    }
    let [key, ..] = copy;
    let call = |bound| {
        let [first, ..] = &mut copy;
        *first = bound;
        // SAFETY: the export's own type, and the program's arguments but for the
        // record, of which there is a copy of the same size.
        unsafe {
            let original = export.original::<Change>();
            original(handle, id, copy.as_ptr().cast(), size, overlapped)
        }
    };
    // SAFETY: the caller's promise.
    unsafe { kind.with(export, key, call) }
}
