//! Transactions, their managers, resource managers and enlistments: a name is
//! the VM's own. What is found by a GUID that the whole machine knows, or by
//! the name of a log file, is refused, and nothing is listed.
//!
//! The declarations are phnt's (nttmapi.h). Wine 10 has `NtCreateTransaction`,
//! which makes nothing; never run on Windows.
#![allow(clippy::too_many_arguments, reason = "NT's own declarations")]

use super::denied;
use super::objects::{Intent, with_private};
use crate::hooks::kept;
use core::ffi::c_void;
use pinion_nt::{HANDLE, NTSTATUS, OBJECT_ATTRIBUTES, UNICODE_STRING};

/// As `NtCreateTransaction`, in the VM's own namespace.
pub(crate) unsafe fn create(
    handle: *mut HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
    unit: *const c_void,
    manager: HANDLE,
    options: u32,
    isolation: u32,
    flags: u32,
    timeout: *const i64,
    description: *const UNICODE_STRING,
) -> NTSTATUS {
    with_private(attributes, Intent::Create, |attributes| {
        // SAFETY: the program's arguments but for the name.
        unsafe {
            kept::NtCreateTransaction(
                handle,
                access,
                attributes,
                unit,
                manager,
                options,
                isolation,
                flags,
                timeout,
                description,
            )
        }
    })
}

/// As `NtOpenTransaction` by name.
pub(crate) unsafe fn open(
    handle: *mut HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
    unit: *const c_void,
    manager: HANDLE,
) -> NTSTATUS {
    if !unit.is_null() {
        // SAFETY: takes no argument.
        return unsafe { denied::access() };
    }
    with_private(attributes, Intent::Open, |attributes| {
        // SAFETY: the program's arguments but for the name.
        unsafe { kept::NtOpenTransaction(handle, access, attributes, unit, manager) }
    })
}

/// As `NtCreateTransactionManager` without a log file.
pub(crate) unsafe fn create_manager(
    handle: *mut HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
    log: *const UNICODE_STRING,
    options: u32,
    strength: u32,
) -> NTSTATUS {
    if !log.is_null() {
        // SAFETY: takes no argument.
        return unsafe { denied::access() };
    }
    with_private(attributes, Intent::Create, |attributes| {
        // SAFETY: the program's arguments but for the name.
        unsafe {
            kept::NtCreateTransactionManager(handle, access, attributes, log, options, strength)
        }
    })
}

/// As `NtOpenTransactionManager` by name.
pub(crate) unsafe fn open_manager(
    handle: *mut HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
    log: *const UNICODE_STRING,
    identity: *const c_void,
    options: u32,
) -> NTSTATUS {
    if !log.is_null() || !identity.is_null() {
        // SAFETY: takes no argument.
        return unsafe { denied::access() };
    }
    with_private(attributes, Intent::Open, |attributes| {
        // SAFETY: the program's arguments but for the name.
        unsafe {
            kept::NtOpenTransactionManager(handle, access, attributes, log, identity, options)
        }
    })
}

/// As `NtCreateResourceManager`, in the VM's own namespace. Its GUID is found
/// through the transaction manager's handle only.
pub(crate) unsafe fn create_resource(
    handle: *mut HANDLE,
    access: u32,
    manager: HANDLE,
    identity: *const c_void,
    attributes: *const OBJECT_ATTRIBUTES,
    options: u32,
    description: *const UNICODE_STRING,
) -> NTSTATUS {
    with_private(attributes, Intent::Create, |attributes| {
        // SAFETY: the program's arguments but for the name.
        unsafe {
            kept::NtCreateResourceManager(
                handle,
                access,
                manager,
                identity,
                attributes,
                options,
                description,
            )
        }
    })
}

/// As `NtOpenResourceManager`, by name or within its transaction manager.
pub(crate) unsafe fn open_resource(
    handle: *mut HANDLE,
    access: u32,
    manager: HANDLE,
    identity: *const c_void,
    attributes: *const OBJECT_ATTRIBUTES,
) -> NTSTATUS {
    with_private(attributes, Intent::Open, |attributes| {
        // SAFETY: the program's arguments but for the name.
        unsafe { kept::NtOpenResourceManager(handle, access, manager, identity, attributes) }
    })
}

/// As `NtCreateEnlistment`, in the VM's own namespace.
pub(crate) unsafe fn create_enlistment(
    handle: *mut HANDLE,
    access: u32,
    resource: HANDLE,
    transaction: HANDLE,
    attributes: *const OBJECT_ATTRIBUTES,
    options: u32,
    mask: u32,
    key: *const c_void,
) -> NTSTATUS {
    with_private(attributes, Intent::Create, |attributes| {
        // SAFETY: the program's arguments but for the name.
        unsafe {
            kept::NtCreateEnlistment(
                handle,
                access,
                resource,
                transaction,
                attributes,
                options,
                mask,
                key,
            )
        }
    })
}

/// As `NtOpenEnlistment`, by name or within its resource manager.
pub(crate) unsafe fn open_enlistment(
    handle: *mut HANDLE,
    access: u32,
    resource: HANDLE,
    identity: *const c_void,
    attributes: *const OBJECT_ATTRIBUTES,
) -> NTSTATUS {
    with_private(attributes, Intent::Open, |attributes| {
        // SAFETY: the program's arguments but for the name.
        unsafe { kept::NtOpenEnlistment(handle, access, resource, identity, attributes) }
    })
}
