//! Calls that open a file, pipe, mailslot or device by name: tells which it is
//! and hands it to the file that knows.

use super::{device, files, objects, pipes};
use crate::hooks::{self, kept};
use crate::{decode, state};
use core::ffi::c_void;
use pinion_names::pipe::{self, Kind};
use pinion_nt::{HANDLE, IO_STATUS_BLOCK, NTSTATUS, OBJECT_ATTRIBUTES};
use pinion_policy::device::is_driven_inside;
use pinion_policy::rules::Action;

/// The arguments of `NtCreateFile` and `NtOpenFile` but for the attributes.
#[derive(Clone, Copy)]
pub(crate) struct Open {
    pub(crate) handle: *mut HANDLE,
    pub(crate) access: u32,
    pub(crate) io: *mut IO_STATUS_BLOCK,
    pub(crate) size: *const i64,
    pub(crate) kind: u32,
    pub(crate) share: u32,
    pub(crate) disposition: u32,
    pub(crate) options: u32,
    pub(crate) ea: *const c_void,
    pub(crate) ea_size: u32,
}

impl Open {
    /// The system call with `attributes`.
    pub(crate) fn call(&self, attributes: *const OBJECT_ATTRIBUTES) -> NTSTATUS {
        // SAFETY: the program's arguments but for the name.
        unsafe {
            kept::NtCreateFile(
                self.handle,
                self.access,
                attributes,
                self.io,
                self.size,
                self.kind,
                self.share,
                self.disposition,
                self.options,
                self.ea,
                self.ea_size,
            )
        }
    }
}

/// As `NtCreateFile`.
#[allow(clippy::too_many_arguments)]
pub(crate) unsafe fn create_file(
    handle: *mut HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
    io: *mut IO_STATUS_BLOCK,
    size: *const i64,
    kind: u32,
    share: u32,
    disposition: u32,
    options: u32,
    ea: *const c_void,
    ea_size: u32,
) -> NTSTATUS {
    let open = Open {
        handle,
        access,
        io,
        size,
        kind,
        share,
        disposition,
        options,
        ea,
        ea_size,
    };
    dispatch(
        attributes,
        |attributes| open.call(attributes),
        |decoded| files::open(decoded, &open),
    )
}

/// As `NtOpenFile`, which is `NtCreateFile` with `FILE_OPEN` and nothing else
/// (NtOpenFile documentation).
pub(crate) unsafe fn open_file(
    handle: *mut HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
    io: *mut IO_STATUS_BLOCK,
    share: u32,
    options: u32,
) -> NTSTATUS {
    const FILE_OPEN: u32 = 1;
    // SAFETY: the program's own arguments.
    unsafe {
        create_file(
            handle,
            access,
            attributes,
            io,
            core::ptr::null(),
            0,
            share,
            FILE_OPEN,
            options,
            core::ptr::null(),
            0,
        )
    }
}

/// As `NtQueryAttributesFile`.
pub(crate) unsafe fn query_attributes(
    attributes: *const OBJECT_ATTRIBUTES,
    information: *mut c_void,
) -> NTSTATUS {
    let call = |attributes: *const OBJECT_ATTRIBUTES| {
        // SAFETY: the program's arguments but for the name.
        unsafe { kept::NtQueryAttributesFile(attributes, information) }
    };
    dispatch(attributes, call, |decoded| {
        files::attributes(decoded, &call)
    })
}

/// As `NtQueryFullAttributesFile`.
pub(crate) unsafe fn query_full_attributes(
    attributes: *const OBJECT_ATTRIBUTES,
    information: *mut c_void,
) -> NTSTATUS {
    let call = |attributes: *const OBJECT_ATTRIBUTES| {
        // SAFETY: the program's arguments but for the name.
        unsafe { kept::NtQueryFullAttributesFile(attributes, information) }
    };
    dispatch(attributes, call, |decoded| {
        files::attributes(decoded, &call)
    })
}

/// As `NtQueryInformationByName`.
pub(crate) unsafe fn query_by_name(
    attributes: *const OBJECT_ATTRIBUTES,
    io: *mut IO_STATUS_BLOCK,
    buffer: *mut c_void,
    length: u32,
    class: u32,
) -> NTSTATUS {
    let call = |attributes: *const OBJECT_ATTRIBUTES| {
        // SAFETY: the program's arguments but for the name.
        unsafe { kept::NtQueryInformationByName(attributes, io, buffer, length, class) }
    };
    dispatch(attributes, call, |decoded| {
        files::attributes(decoded, &call)
    })
}

/// As `NtDeleteFile`.
pub(crate) unsafe fn delete_file(attributes: *const OBJECT_ATTRIBUTES) -> NTSTATUS {
    let call = |attributes: *const OBJECT_ATTRIBUTES| {
        // SAFETY: the program's arguments but for the name.
        unsafe { kept::NtDeleteFile(attributes) }
    };
    dispatch(attributes, call, |decoded| files::delete(decoded, &call))
}

/// Pipes and mailslots here, all else to `file`. Arguments that cannot be read
/// go to the kernel as they are.
fn dispatch(
    attributes: *const OBJECT_ATTRIBUTES,
    call: impl Fn(*const OBJECT_ATTRIBUTES) -> NTSTATUS,
    file: impl FnOnce(&decode::Attributes<'_>) -> NTSTATUS,
) -> NTSTATUS {
    decode::with_attributes(attributes, |decoded| {
        if decoded.is_absolute() {
            let computer = state::page().computer_name.as_units();
            return match pipe::classify(decoded.name, computer) {
                Some(name) => pipes::with_mapped(decoded, name, Action::Open, &call),
                None if is_driven_inside(decoded.name) && hooks::is_wine() => {
                    objects::mapped(&decoded.given, decoded.name, &call)
                }
                None => file(decoded),
            };
        }
        let of_pipes = (!decoded.name.is_empty() && !device::is_disk(decoded.root()))
            .then(|| {
                pipes::relative(decoded, Kind::Pipe, Action::Open, &call)
                    .or_else(|| pipes::relative(decoded, Kind::Mailslot, Action::Open, &call))
            })
            .flatten();
        of_pipes.unwrap_or_else(|| file(decoded))
    })
    .unwrap_or_else(|| call(attributes))
}
