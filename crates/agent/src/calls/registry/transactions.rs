//! Calls in a transaction: it would not cover the layers. Wine has none either:
//! its calls open a key as ever (Wine 10) or are not there (Wine 8; both
//! observed), and so they do here. On Windows they are refused.

use super::open::open_key_ex;
use super::refused::because;
use crate::hooks::{self, kept};
use pinion_nt::status::{STATUS_NOT_IMPLEMENTED, STATUS_NOT_SUPPORTED};
use pinion_nt::{HANDLE, NTSTATUS, OBJECT_ATTRIBUTES, UNICODE_STRING};

/// As `NtOpenKeyTransacted`.
pub(crate) unsafe fn open_transacted(
    handle: *mut HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
    transaction: HANDLE,
) -> NTSTATUS {
    // SAFETY: the program's own arguments.
    unsafe { open_transacted_ex(handle, access, attributes, 0, transaction) }
}

/// As `NtOpenKeyTransactedEx`.
pub(crate) unsafe fn open_transacted_ex(
    handle: *mut HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
    options: u32,
    _transaction: HANDLE,
) -> NTSTATUS {
    if !hooks::is_wine() {
        return refused();
    }
    if !is_there() {
        return STATUS_NOT_IMPLEMENTED;
    }
    // SAFETY: the program's own arguments.
    unsafe { open_key_ex(handle, access, attributes, options) }
}

/// Whether this Wine's call does anything, asked with attributes of no length,
/// which none accepts.
fn is_there() -> bool {
    let mut handle: HANDLE = core::ptr::null_mut();
    // SAFETY: attributes that are all zeros are plain data; the output is a
    // local.
    let status = unsafe {
        let none: OBJECT_ATTRIBUTES = core::mem::zeroed();
        kept::NtOpenKeyTransactedEx(
            &raw mut handle,
            0,
            &raw const none,
            0,
            core::ptr::null_mut(),
        )
    };
    status != STATUS_NOT_IMPLEMENTED
}

/// As `NtCreateKeyTransacted`.
#[allow(clippy::too_many_arguments)]
pub(crate) unsafe fn create_transacted(
    _handle: *mut HANDLE,
    _access: u32,
    _attributes: *const OBJECT_ATTRIBUTES,
    _title: u32,
    _class: *const UNICODE_STRING,
    _options: u32,
    _transaction: HANDLE,
    _disposition: *mut u32,
) -> NTSTATUS {
    if hooks::is_wine() {
        return STATUS_NOT_IMPLEMENTED;
    }
    refused()
}

fn refused() -> NTSTATUS {
    let why = "transactions do not cover the registry of a VM";
    because(&[], why, STATUS_NOT_SUPPORTED)
}
