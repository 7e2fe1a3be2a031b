//! Private namespaces: found by a boundary descriptor, whose name is made the
//! VM's own. Objects in a namespace are named relative to its handle.
//!
//! The declarations are phnt's (ntobapi.h). Wine 8 and 10 have no such calls;
//! never run on Windows.

use super::objects::{Intent, with_private};
use crate::hooks::kept;
use crate::{guard, state};
use core::ffi::c_void;
use pinion_names::boundary::{self, LONGEST, PREFIX};
use pinion_nt::status::STATUS_INVALID_PARAMETER;
use pinion_nt::{HANDLE, NTSTATUS, OBJECT_ATTRIBUTES};

/// A descriptor and the same with the VM's prefix, aligned as NT's own are.
#[repr(align(16))]
struct Room {
    given: [u8; LONGEST],
    mapped: [u8; LONGEST + PREFIX * 2],
}

/// Runs `call` with the descriptor at `given` made the VM's own.
#[inline(never)]
fn with_own(given: *const c_void, call: impl Fn(*const c_void) -> NTSTATUS) -> NTSTATUS {
    let mut room = Room {
        given: [0; LONGEST],
        mapped: [0; LONGEST + PREFIX * 2],
    };
    // SAFETY: plain data; a bad pointer is a return value.
    let header = match unsafe { guard::read(given.cast::<[u8; 16]>()) } {
        Ok(header) => header,
        Err(status) => return status,
    };
    let Ok(size) = boundary::size(&header) else {
        return STATUS_INVALID_PARAMETER;
    };
    let Some(bytes) = room.given.get_mut(..size) else {
        return STATUS_INVALID_PARAMETER;
    };
    // SAFETY: `bytes` has room for `size` bytes; the source may be bad.
    if let Err(status) = unsafe { guard::copy(bytes.as_mut_ptr().cast(), given, size) } {
        return status;
    }
    let prefix = boundary::prefix(state::page().id);
    match boundary::map(bytes, &prefix, &mut room.mapped) {
        Ok(_) => call(room.mapped.as_ptr().cast()),
        Err(boundary::Unsound) => STATUS_INVALID_PARAMETER,
    }
}

/// As `NtCreatePrivateNamespace`, with the VM's own boundary.
pub(crate) unsafe fn create(
    handle: *mut HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
    descriptor: *const c_void,
) -> NTSTATUS {
    with_own(descriptor, |descriptor| {
        with_private(attributes, Intent::Create, |attributes| {
            // SAFETY: the program's arguments but for the names.
            unsafe { kept::NtCreatePrivateNamespace(handle, access, attributes, descriptor) }
        })
    })
}

/// As `NtOpenPrivateNamespace`, with the VM's own boundary.
pub(crate) unsafe fn open(
    handle: *mut HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
    descriptor: *const c_void,
) -> NTSTATUS {
    with_own(descriptor, |descriptor| {
        with_private(attributes, Intent::Open, |attributes| {
            // SAFETY: the program's arguments but for the names.
            unsafe { kept::NtOpenPrivateNamespace(handle, access, attributes, descriptor) }
        })
    })
}
