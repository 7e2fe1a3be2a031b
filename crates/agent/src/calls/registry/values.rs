//! Values. The topmost layer that has a key has all its values, so a read is
//! the kernel's own, at most through the key that stands for the handle by now.
//! A handle that can write is one of the upper, of whatever else the kernel
//! denies it; a write is told to who watches.

use super::bells::{self, Change};
use super::handles::{self, STATUS_KEY_DELETED, Standing};
use super::own_links;
use super::raw::word;
use crate::hooks::{self, kept};
use crate::region::Region;
use core::ffi::c_void;
use pinion_nt::status::success;
use pinion_nt::{HANDLE, NTSTATUS, UNICODE_STRING};

/// Runs `call` with the key that stands for `key`.
pub(super) fn with_standing(key: HANDLE, call: impl FnOnce(HANDLE) -> NTSTATUS) -> NTSTATUS {
    match handles::stand(key) {
        Ok(Standing::Same(_)) => call(key),
        Ok(Standing::Moved(now)) => call(now.handle()),
        Ok(Standing::Gone) => STATUS_KEY_DELETED,
        Err(status) => status,
    }
}

/// The same for a call that reads into a buffer of `length` and tells what it
/// needs in `returned`: for a key that is gone it gets no room.
fn read(
    key: HANDLE,
    (length, returned): (u32, *mut u32),
    call: impl Fn(HANDLE, u32, *mut u32) -> NTSTATUS,
) -> NTSTATUS {
    match handles::stand(key) {
        Ok(Standing::Same(_)) => call(key, length, returned),
        Ok(Standing::Moved(now)) => call(now.handle(), length, returned),
        Ok(Standing::Gone) => handles::gone(call(key, 0, &mut 0)),
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
    read(key, (length, returned), |key, length, returned| {
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
    read(key, (length, returned), |key, length, returned| {
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

/// As `NtFlushKey`.
pub(crate) unsafe fn flush_key(key: HANDLE) -> NTSTATUS {
    with_standing(key, |key| {
        // SAFETY: takes only a handle.
        unsafe { kept::NtFlushKey(key) }
    })
}

/// As `NtSetValueKey`.
pub(crate) unsafe fn set_value(
    key: HANDLE,
    name: *const UNICODE_STRING,
    title: u32,
    kind: u32,
    data: *const c_void,
    size: u32,
) -> NTSTATUS {
    if let Err(status) = own_links::refuse_value(key, name, kind) {
        return status;
    }
    let told = bells::any() && !has(key, name, kind, data, size);
    // SAFETY: the program's own arguments.
    let status = unsafe { kept::NtSetValueKey(key, name, title, kind, data, size) };
    if told && success(status) {
        bells::changed(key, Change::Values);
    }
    status
}

/// As `NtDeleteValueKey`.
pub(crate) unsafe fn delete_value(key: HANDLE, name: *const UNICODE_STRING) -> NTSTATUS {
    // SAFETY: the program's own arguments.
    let status = unsafe { kept::NtDeleteValueKey(key, name) };
    if success(status) {
        bells::changed(key, Change::Values);
    }
    status
}

/// Whether the key has this very value: Wine takes setting it again for no
/// change (observed on Wine 8 and 10).
fn has(
    key: HANDLE,
    name: *const UNICODE_STRING,
    kind: u32,
    data: *const c_void,
    size: u32,
) -> bool {
    const PARTIAL: u32 = 2;
    const HEAD: usize = 12;
    if !hooks::is_wine() {
        return false;
    }
    let bytes = size as usize;
    let Ok(mut region) = Region::new(2 * (HEAD + bytes)) else {
        return false;
    };
    let (old, new) = region.bytes().split_at_mut(HEAD + bytes);
    let mut returned = 0;
    // SAFETY: the buffer is the agent's own; the name is the program's.
    let status = unsafe {
        kept::NtQueryValueKey(
            key,
            name,
            PARTIAL,
            old.as_mut_ptr().cast(),
            old.len() as u32,
            &raw mut returned,
        )
    };
    let same = success(status) && word(old, 4) == Some(kind) && word(old, 8) == Some(size);
    let new = new.get_mut(..bytes).unwrap_or_default();
    // SAFETY: `new` has the room; the source may be bad.
    same && unsafe { crate::guard::copy(new.as_mut_ptr().cast(), data, bytes) }.is_ok()
        && old.get(HEAD..) == Some(&*new)
}
