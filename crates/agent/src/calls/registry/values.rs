//! Reading values. The topmost layer that has a key has all its values, so a
//! read is the kernel's own, at most through the key that stands for the
//! handle by now. Writes need nothing here: a handle that can write is one of
//! the upper, of whatever else the kernel denies them.

use super::handles::{self, Standing};
use super::query::STATUS_KEY_DELETED;
use crate::hooks::kept;
use core::ffi::c_void;
use pinion_nt::{HANDLE, NTSTATUS, UNICODE_STRING};

/// Runs `call` with the key that stands for `key`.
fn with_standing(key: HANDLE, call: impl FnOnce(HANDLE) -> NTSTATUS) -> NTSTATUS {
    match handles::stand(key) {
        Ok(Standing::Same(_)) => call(key),
        Ok(Standing::Moved(now)) => call(now.handle()),
        Ok(Standing::Gone) => STATUS_KEY_DELETED,
        Err(status) => status,
    }
}

/// As `NtQueryValueKey`.
pub(crate) unsafe fn query_value(
    key: HANDLE,
    name: *const UNICODE_STRING,
    class: u32,
    buffer: *mut c_void,
    length: u32,
    returned: *mut u32,
) -> NTSTATUS {
    with_standing(key, |key| {
        // SAFETY: the program's own arguments but for the key.
        unsafe { kept::NtQueryValueKey(key, name, class, buffer, length, returned) }
    })
}

/// As `NtEnumerateValueKey`.
pub(crate) unsafe fn enumerate_value(
    key: HANDLE,
    index: u32,
    class: u32,
    buffer: *mut c_void,
    length: u32,
    returned: *mut u32,
) -> NTSTATUS {
    with_standing(key, |key| {
        // SAFETY: the program's own arguments but for the key.
        unsafe { kept::NtEnumerateValueKey(key, index, class, buffer, length, returned) }
    })
}

/// As `NtQueryMultipleValueKey`.
pub(crate) unsafe fn query_multiple(
    key: HANDLE,
    entries: *mut c_void,
    count: u32,
    buffer: *mut c_void,
    length: *mut u32,
    returned: *mut u32,
) -> NTSTATUS {
    with_standing(key, |key| {
        // SAFETY: the program's own arguments but for the key.
        unsafe { kept::NtQueryMultipleValueKey(key, entries, count, buffer, length, returned) }
    })
}
