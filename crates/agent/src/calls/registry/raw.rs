//! Keys by their real paths: the agent's own calls, past its hooks.

use super::access::READ;
use crate::calls::query_object;
use crate::hooks::kept;
use crate::scratch;
use core::ffi::c_void;
use pinion_names::units::{SEPARATOR, join};
use pinion_nt::calls::NtClose;
use pinion_nt::status::{
    STATUS_BUFFER_OVERFLOW, STATUS_INFO_LENGTH_MISMATCH, STATUS_NAME_TOO_LONG, STATUS_NO_MEMORY,
    STATUS_NO_MORE_ENTRIES, STATUS_OBJECT_NAME_NOT_FOUND, STATUS_OBJECT_PATH_NOT_FOUND,
    STATUS_UNSUCCESSFUL, success,
};
use pinion_nt::{
    HANDLE, NTSTATUS, OBJ_CASE_INSENSITIVE, OBJECT_ATTRIBUTES, UNICODE_STRING, object_attributes,
    unicode_string,
};

/// A key of the agent's own, closed with the value.
pub(super) struct Key(HANDLE);

impl Key {
    pub(super) fn handle(&self) -> HANDLE {
        self.0
    }

    /// The handle, which is the caller's to close.
    pub(super) fn leak(self) -> HANDLE {
        let handle = self.0;
        core::mem::forget(self);
        handle
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: the handle is this value's own.
        unsafe { NtClose(self.0) };
    }
}

/// Whether `status` says that the key is not there.
pub(super) fn is_missing(status: NTSTATUS) -> bool {
    matches!(
        status,
        STATUS_OBJECT_NAME_NOT_FOUND | STATUS_OBJECT_PATH_NOT_FOUND
    )
}

/// Runs `call` with plain attributes for `path` below `root`.
fn with_attributes(
    root: HANDLE,
    path: &[u16],
    flags: u32,
    call: impl FnOnce(*const OBJECT_ATTRIBUTES) -> NTSTATUS,
) -> NTSTATUS {
    let Some(name) = unicode_string(path) else {
        return STATUS_NAME_TOO_LONG;
    };
    let attributes = object_attributes(root, &raw const name, OBJ_CASE_INSENSITIVE | flags);
    call(&raw const attributes)
}

/// Opens the key at `path`.
pub(super) fn open(path: &[u16], access: u32) -> Result<Key, NTSTATUS> {
    open_at(core::ptr::null_mut(), path, access)
}

/// Opens the key `name` below `parent`.
pub(super) fn open_below(parent: &Key, name: &[u16], access: u32) -> Result<Key, NTSTATUS> {
    open_at(parent.handle(), name, access)
}

/// Opens the key at `path` itself where it is a link of the kernel's.
pub(super) fn open_link(path: &[u16], access: u32) -> Result<Key, NTSTATUS> {
    const OBJ_OPENLINK: u32 = 0x100;
    open_as(core::ptr::null_mut(), path, access, OBJ_OPENLINK)
}

fn open_at(root: HANDLE, path: &[u16], access: u32) -> Result<Key, NTSTATUS> {
    open_as(root, path, access, 0)
}

fn open_as(root: HANDLE, path: &[u16], access: u32, flags: u32) -> Result<Key, NTSTATUS> {
    let mut handle: HANDLE = core::ptr::null_mut();
    // SAFETY: the handle is a local; the attributes live over the call.
    let status = with_attributes(root, path, flags, |attributes| unsafe {
        kept::NtOpenKey(&raw mut handle, access, attributes)
    });
    if success(status) {
        Ok(Key(handle))
    } else {
        Err(status)
    }
}

/// Opens a key to read, by attributes that give its real name: the kernel's
/// status, and the key where it was opened.
pub(super) fn read_by(attributes: *const OBJECT_ATTRIBUTES) -> (NTSTATUS, Option<Key>) {
    let mut handle: HANDLE = core::ptr::null_mut();
    // SAFETY: the handle is a local; the attributes are the caller's.
    let status = unsafe { kept::NtOpenKey(&raw mut handle, READ, attributes) };
    (status, success(status).then(|| Key(handle)))
}

/// Makes or opens the key at `path`, whose parent must be there.
pub(super) fn create(path: &[u16], access: u32, class: &[u16]) -> Result<Key, NTSTATUS> {
    create_as(path, access, class, 0)
}

/// The same with NT's options, such as `REG_OPTION_VOLATILE`.
pub(super) fn create_as(
    path: &[u16],
    access: u32,
    class: &[u16],
    options: u32,
) -> Result<Key, NTSTATUS> {
    let mut handle: HANDLE = core::ptr::null_mut();
    let class = unicode_string(class).ok_or(STATUS_NAME_TOO_LONG)?;
    // SAFETY: the handle is a local; attributes and class live over the call.
    let status = with_attributes(core::ptr::null_mut(), path, 0, |attributes| unsafe {
        kept::NtCreateKey(
            &raw mut handle,
            access,
            attributes,
            0,
            &raw const class,
            options,
            core::ptr::null_mut(),
        )
    });
    if success(status) {
        Ok(Key(handle))
    } else {
        Err(status)
    }
}

/// `OBJECT_NAME_INFORMATION` and room for its name, aligned as the kernel asks.
#[repr(C, align(8))]
struct Named {
    name: UNICODE_STRING,
    units: [u16; 504],
}

/// Runs `work` with the kernel's name of the object.
pub(super) fn with_name<R>(handle: HANDLE, work: impl FnOnce(&[u16]) -> R) -> Result<R, NTSTATUS> {
    const HEADER: usize = size_of::<UNICODE_STRING>() / 2;
    let mut small = Named {
        // SAFETY: an empty UNICODE_STRING is all zeros.
        name: unsafe { core::mem::zeroed() },
        units: [0; 504],
    };
    let status = query_name(handle, (&raw mut small).cast(), size_of::<Named>());
    if success(status) {
        let units = small.units.get(..usize::from(small.name.Length) / 2);
        return Ok(work(units.unwrap_or(&[])));
    }
    if status != STATUS_BUFFER_OVERFLOW && status != STATUS_INFO_LENGTH_MISMATCH {
        return Err(status);
    }
    scratch::with(scratch::LARGE, |buffer| {
        let status = query_name(handle, buffer.as_mut_ptr().cast(), scratch::LARGE * 2);
        if !success(status) {
            return Err(status);
        }
        let units = buffer.first().map_or(0, |&bytes| usize::from(bytes) / 2);
        let name = buffer.get(HEADER..HEADER + units);
        Ok(work(name.ok_or(STATUS_UNSUCCESSFUL)?))
    })
    .ok_or(STATUS_NO_MEMORY)?
}

/// Writes the `UNICODE_STRING` of the object's name, and the name after it.
/// `NtQueryKey` asks Wine's server once, and tells at once of what is no key;
/// a key that stands for a predefined handle it does not answer for.
fn query_name(handle: HANDLE, buffer: *mut c_void, size: usize) -> NTSTATUS {
    /// `KeyNameInformation` (wdm.h): the length in bytes, then the name.
    const NAME: u32 = 3;
    const BEFORE: usize = size_of::<UNICODE_STRING>() - size_of::<u32>();
    let mut returned = 0;
    // SAFETY: both callers give a live buffer of `size` bytes, aligned for and
    // larger than the string.
    unsafe {
        let length = buffer.cast::<u8>().add(BEFORE).cast::<u32>();
        let room = (size - BEFORE) as u32;
        let status = kept::NtQueryKey(handle, NAME, length.cast(), room, &raw mut returned);
        if success(status) {
            let Ok(bytes) = u16::try_from(length.read()) else {
                return STATUS_NAME_TOO_LONG;
            };
            buffer.cast::<u16>().write(bytes);
            return status;
        }
        if status == STATUS_BUFFER_OVERFLOW {
            return status;
        }
        query_object::name(handle, buffer, size as u32, &raw mut returned)
    }
}

/// The access that `handle` grants.
pub(super) fn granted(handle: HANDLE) -> Result<u32, NTSTATUS> {
    const OBJECT_BASIC_INFORMATION: u32 = 0;
    let mut basic = [0_u32; 14];
    // SAFETY: the buffer has the size of OBJECT_BASIC_INFORMATION (56 bytes,
    // phnt), whose second field is GrantedAccess.
    let status = unsafe {
        kept::NtQueryObject(
            handle,
            OBJECT_BASIC_INFORMATION,
            basic.as_mut_ptr().cast(),
            size_of_val(&basic) as u32,
            core::ptr::null_mut(),
        )
    };
    if success(status) {
        Ok(basic[1])
    } else {
        Err(status)
    }
}

/// A subkey as an enumeration tells of it.
pub(super) struct Child<'b> {
    pub(super) name: &'b [u16],
    /// Its last write.
    pub(super) time: i64,
    /// `None` when it is very long.
    pub(super) class: Option<&'b [u16]>,
}

/// `KEY_NODE_INFORMATION` (wdm.h): write time, title, offset and length of the
/// class, length of the name, the name, which has up to 256 units (Microsoft,
/// "Registry element size limits").
#[repr(C)]
struct Node {
    time: i64,
    title: u32,
    class_at: u32,
    class: u32,
    name: u32,
    units: [u16; 512],
}

impl Node {
    const HEAD: usize = 24;

    fn child(&self, status: NTSTATUS) -> Option<Child<'_>> {
        let name = self.units.get(..self.name as usize / 2)?;
        let class_at = (self.class_at as usize).checked_sub(Self::HEAD);
        let class = match (status, self.class as usize / 2) {
            (STATUS_BUFFER_OVERFLOW, _) => None,
            (_, 0) => Some(&[][..]),
            (_, units) => class_at.and_then(|at| self.units.get(at / 2..at / 2 + units)),
        };
        let time = self.time;
        Some(Child { name, time, class })
    }
}

/// Calls `visit` with each subkey.
pub(super) fn each_child(
    source: &Key,
    mut visit: impl FnMut(&Child<'_>) -> Result<(), NTSTATUS>,
) -> Result<(), NTSTATUS> {
    const NODE: u32 = 1;
    let mut node = Node {
        time: 0,
        title: 0,
        class_at: 0,
        class: 0,
        name: 0,
        units: [0; 512],
    };
    for index in 0..u32::MAX {
        let mut returned = 0;
        // SAFETY: the buffer is a local of the size told.
        let status = unsafe {
            kept::NtEnumerateKey(
                source.handle(),
                index,
                NODE,
                (&raw mut node).cast(),
                size_of::<Node>() as u32,
                &raw mut returned,
            )
        };
        match status {
            STATUS_NO_MORE_ENTRIES => break,
            STATUS_BUFFER_OVERFLOW => {}
            _ if success(status) => {}
            _ => return Err(status),
        }
        visit(&node.child(status).ok_or(STATUS_UNSUCCESSFUL)?)?;
    }
    Ok(())
}

/// The key's last write.
pub(super) fn written(key: &Key) -> Result<i64, NTSTATUS> {
    const BASIC: u32 = 0;
    let (mut buffer, mut returned) = ([0_i64; 68], 0);
    // SAFETY: the buffer is a local of the size told.
    let status = unsafe {
        kept::NtQueryKey(
            key.handle(),
            BASIC,
            buffer.as_mut_ptr().cast(),
            size_of_val(&buffer) as u32,
            &raw mut returned,
        )
    };
    if success(status) {
        Ok(buffer[0])
    } else {
        Err(status)
    }
}

/// Runs `work` with the path of a subkey.
pub(super) fn with_child<R>(
    name: &[u16],
    child: &[u16],
    work: impl FnOnce(&[u16]) -> R,
) -> Option<R> {
    scratch::with(name.len() + child.len() + 1, |out| {
        let length = join(&[name, &[SEPARATOR], child], out).ok()?;
        out.get(..length).map(work)
    })?
}

/// The little-endian `u32` at `at`.
pub(super) fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..at + 4)?
        .try_into()
        .ok()
        .map(u32::from_le_bytes)
}
