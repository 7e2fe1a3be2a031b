//! Registry keys: writes land in the VM's upper layer, reads fall through.

use crate::hooks::kept;
use core::ffi::c_void;
use pinion_nt::{HANDLE, NTSTATUS, OBJECT_ATTRIBUTES, UNICODE_STRING};

/// As `NtCreateKey`.
pub(crate) unsafe fn create_key(
    handle: *mut HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
    title: u32,
    class: *const UNICODE_STRING,
    options: u32,
    disposition: *mut u32,
) -> NTSTATUS {
    // SAFETY: the program's own arguments.
    unsafe {
        kept::NtCreateKey(
            handle,
            access,
            attributes,
            title,
            class,
            options,
            disposition,
        )
    }
}

/// As `NtOpenKey`.
pub(crate) unsafe fn open_key(
    handle: *mut HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
) -> NTSTATUS {
    // SAFETY: the program's own arguments.
    unsafe { kept::NtOpenKey(handle, access, attributes) }
}

/// As `NtOpenKeyEx`.
pub(crate) unsafe fn open_key_ex(
    handle: *mut HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
    options: u32,
) -> NTSTATUS {
    // SAFETY: the program's own arguments.
    unsafe { kept::NtOpenKeyEx(handle, access, attributes, options) }
}

/// As `NtDeleteKey`.
pub(crate) unsafe fn delete_key(key: HANDLE) -> NTSTATUS {
    // SAFETY: the program's own arguments.
    unsafe { kept::NtDeleteKey(key) }
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
    // SAFETY: the program's own arguments.
    unsafe { kept::NtSetValueKey(key, name, title, kind, data, size) }
}

/// As `NtDeleteValueKey`.
pub(crate) unsafe fn delete_value(key: HANDLE, name: *const UNICODE_STRING) -> NTSTATUS {
    // SAFETY: the program's own arguments.
    unsafe { kept::NtDeleteValueKey(key, name) }
}

/// As `NtQueryKey`.
pub(crate) unsafe fn query_key(
    key: HANDLE,
    class: u32,
    buffer: *mut c_void,
    length: u32,
    returned: *mut u32,
) -> NTSTATUS {
    // SAFETY: the program's own arguments.
    unsafe { kept::NtQueryKey(key, class, buffer, length, returned) }
}

/// As `NtEnumerateKey`.
pub(crate) unsafe fn enumerate_key(
    key: HANDLE,
    index: u32,
    class: u32,
    buffer: *mut c_void,
    length: u32,
    returned: *mut u32,
) -> NTSTATUS {
    // SAFETY: the program's own arguments.
    unsafe { kept::NtEnumerateKey(key, index, class, buffer, length, returned) }
}
