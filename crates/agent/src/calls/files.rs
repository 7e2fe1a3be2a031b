//! Files of the disk: writes land in the VM's upper layer, reads fall through.

use super::objects::with_name;
use super::open::Open;
use crate::decode::Attributes;
use crate::hooks::kept;
use core::ffi::c_void;
use pinion_nt::{HANDLE, IO_STATUS_BLOCK, NTSTATUS, OBJECT_ATTRIBUTES, UNICODE_STRING};

/// As `NtCreateFile` on a name that is no pipe or mailslot.
pub(crate) fn open(decoded: &Attributes<'_>, open: &Open) -> NTSTATUS {
    with_name(&decoded.given, decoded.name, &|attributes| {
        open.call(attributes)
    })
}

/// As the attribute queries by name.
pub(crate) fn attributes(
    decoded: &Attributes<'_>,
    call: &impl Fn(*const OBJECT_ATTRIBUTES) -> NTSTATUS,
) -> NTSTATUS {
    with_name(&decoded.given, decoded.name, call)
}

/// As `NtDeleteFile`.
pub(crate) fn delete(
    decoded: &Attributes<'_>,
    call: &impl Fn(*const OBJECT_ATTRIBUTES) -> NTSTATUS,
) -> NTSTATUS {
    with_name(&decoded.given, decoded.name, call)
}

/// The name that the program knows for a file or key that the kernel calls
/// `real`, written to `out`; `None` when it is the same.
pub(crate) fn asked_name<'n>(_real: &[u16], _out: &'n mut [u16]) -> Option<&'n [u16]> {
    None
}

/// As `NtQueryInformationFile`.
pub(crate) unsafe fn query_information(
    file: HANDLE,
    io: *mut IO_STATUS_BLOCK,
    buffer: *mut c_void,
    length: u32,
    class: u32,
) -> NTSTATUS {
    // SAFETY: the program's own arguments.
    unsafe { kept::NtQueryInformationFile(file, io, buffer, length, class) }
}

/// As `NtSetInformationFile`.
pub(crate) unsafe fn set_information(
    file: HANDLE,
    io: *mut IO_STATUS_BLOCK,
    buffer: *mut c_void,
    length: u32,
    class: u32,
) -> NTSTATUS {
    // SAFETY: the program's own arguments.
    unsafe { kept::NtSetInformationFile(file, io, buffer, length, class) }
}

/// As `NtQueryDirectoryFile`.
#[allow(clippy::too_many_arguments)]
pub(crate) unsafe fn query_directory(
    file: HANDLE,
    event: HANDLE,
    apc: *const c_void,
    context: *const c_void,
    io: *mut IO_STATUS_BLOCK,
    buffer: *mut c_void,
    length: u32,
    class: u32,
    single: u8,
    pattern: *const UNICODE_STRING,
    restart: u8,
) -> NTSTATUS {
    // SAFETY: the program's own arguments.
    unsafe {
        kept::NtQueryDirectoryFile(
            file, event, apc, context, io, buffer, length, class, single, pattern, restart,
        )
    }
}
