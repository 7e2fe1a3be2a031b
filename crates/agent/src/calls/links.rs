//! Symbolic link objects: the link's own name and its target are the VM's.

use super::dos_devices;
use super::objects::{Intent, with_private};
use crate::hooks::{self, kept};
use crate::{guard, scratch, state};
use pinion_names::object;
use pinion_names::units::SEPARATOR;
use pinion_nt::status::{
    STATUS_ACCESS_DENIED, STATUS_BUFFER_TOO_SMALL, STATUS_NAME_TOO_LONG, success,
};
use pinion_nt::{HANDLE, NTSTATUS, OBJECT_ATTRIBUTES, UNICODE_STRING, unicode_string};

/// As `NtCreateSymbolicLinkObject`: the target too is a name of the VM, so a
/// link leads nowhere else.
pub(crate) unsafe fn create(
    handle: *mut HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
    target: *const UNICODE_STRING,
) -> NTSTATUS {
    // SAFETY: the program's own arguments.
    if let Some(status) = unsafe { dos_devices::create(handle, access, attributes, target) } {
        return status;
    }
    let call = |target: *const UNICODE_STRING| {
        with_private(attributes, Intent::Create, |attributes| {
            // SAFETY: the program's arguments but for the names.
            unsafe { kept::NtCreateSymbolicLinkObject(handle, access, attributes, target) }
        })
    };
    // SAFETY: plain data; a bad pointer is a return value.
    let Ok(string) = (unsafe { guard::read(target) }) else {
        return call(target);
    };
    // Refused by the kernel, which must see it (Wine's own tests, which pass on
    // Windows). That an empty target is refused too was observed on Wine 8 and
    // Wine 10 only.
    let is_none = string.Length == 0 || string.Buffer.is_null();
    if string.MaximumLength == 0 || is_none && hooks::is_wine() {
        return call(target);
    }
    let directory = state::page().object_directory.as_units();
    let units = string.Length as usize / 2;
    scratch::with(units + directory.len(), |out| {
        let (head, rest) = out.split_at_mut(directory.len());
        head.copy_from_slice(directory);
        let Some(name) = rest.get_mut(..units) else {
            return STATUS_NAME_TOO_LONG;
        };
        // SAFETY: `name` has room for the units; the source may be bad.
        let copied =
            unsafe { guard::copy(name.as_mut_ptr().cast(), string.Buffer.cast(), units * 2) };
        match (copied, name.first() == Some(&SEPARATOR)) {
            (Err(_), _) => call(target),
            (Ok(()), false) => relative(name, call),
            (Ok(()), true) => out
                .get(..directory.len() + units)
                .and_then(unicode_string)
                .map_or(STATUS_NAME_TOO_LONG, |mapped| call(&raw const mapped)),
        }
    })
    .unwrap_or(STATUS_NAME_TOO_LONG)
}

/// A link with a target that no name begins with. On Wine it leads nowhere: who
/// follows it gets `STATUS_OBJECT_PATH_SYNTAX_BAD` (observed on Wine 8 and Wine
/// 10); what NT makes of it was never seen, so there it is refused.
fn relative(name: &[u16], call: impl FnOnce(*const UNICODE_STRING) -> NTSTATUS) -> NTSTATUS {
    if !hooks::is_wine() {
        return STATUS_ACCESS_DENIED;
    }
    unicode_string(name).map_or(STATUS_NAME_TOO_LONG, |copy| call(&raw const copy))
}

/// As `NtOpenSymbolicLinkObject`, in the VM's own namespace.
pub(crate) unsafe fn open(
    handle: *mut HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
) -> NTSTATUS {
    // SAFETY: the program's own arguments.
    if let Some(status) = unsafe { dos_devices::open(handle, access, attributes) } {
        return status;
    }
    with_private(attributes, Intent::Open, |attributes| {
        // SAFETY: the program's arguments but for the name.
        unsafe { kept::NtOpenSymbolicLinkObject(handle, access, attributes) }
    })
}

/// As `NtQuerySymbolicLinkObject`: the target as the program gave it.
pub(crate) unsafe fn query(
    link: HANDLE,
    target: *mut UNICODE_STRING,
    returned: *mut u32,
) -> NTSTATUS {
    // SAFETY: plain data; a bad pointer is a return value.
    let Ok(given) = (unsafe { guard::read(target) }) else {
        // SAFETY: the program's own arguments.
        return unsafe { kept::NtQuerySymbolicLinkObject(link, target, returned) };
    };
    scratch::with(scratch::LARGE, |buffer| {
        let mut own = UNICODE_STRING {
            Length: 0,
            MaximumLength: u16::MAX - 1,
            Buffer: buffer.as_mut_ptr(),
        };
        // SAFETY: the buffer holds MaximumLength bytes.
        let status =
            unsafe { kept::NtQuerySymbolicLinkObject(link, &raw mut own, core::ptr::null_mut()) };
        if !success(status) {
            return status;
        }
        let real = buffer.get(..own.Length as usize / 2).unwrap_or(&[]);
        let asked = object::undo(state::page().object_directory.as_units(), real).unwrap_or(real);
        // SAFETY: the program's pointers, written under guard.
        unsafe { answer(target, &given, returned, asked) }
    })
    .unwrap_or(STATUS_BUFFER_TOO_SMALL)
}

/// Writes `name` as the system call would: the length that is returned counts a
/// terminating zero, for which there must be room then; on Wine there must
/// always be (Wine's own tests, which pass on Windows; observed on Wine 8).
unsafe fn answer(
    target: *mut UNICODE_STRING,
    given: &UNICODE_STRING,
    returned: *mut u32,
    name: &[u16],
) -> NTSTATUS {
    const ZERO: [u16; 1] = [0];
    let bytes = name.len() * 2;
    let terminated = !returned.is_null() || hooks::is_wine();
    let needed = if terminated { bytes + 2 } else { bytes };
    let fits = needed <= given.MaximumLength as usize;
    let written = (|| {
        if !returned.is_null() {
            // SAFETY: the program's pointer, under guard.
            unsafe { guard::write(returned, needed as u32)? };
        }
        if fits {
            // SAFETY: the program's buffer, under guard.
            unsafe {
                let text = given.Buffer.cast::<u8>();
                guard::copy(text.cast(), name.as_ptr().cast(), bytes)?;
                let end = text.wrapping_add(bytes).cast();
                guard::copy(end, ZERO.as_ptr().cast(), needed - bytes)?;
                guard::write(&raw mut (*target).Length, bytes as u16)?;
            }
        }
        Ok(())
    })();
    match (written, fits) {
        (Err(code), _) => code,
        (Ok(()), true) => 0,
        (Ok(()), false) => STATUS_BUFFER_TOO_SMALL,
    }
}
