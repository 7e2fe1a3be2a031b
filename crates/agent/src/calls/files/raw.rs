//! The agent's own use of files: open, query, set, by absolute NT names, past
//! the hooks.

use crate::hooks::kept;
use core::ffi::c_void;
use pinion_nt::calls::NtClose;
use pinion_nt::status::{
    STATUS_NAME_TOO_LONG, STATUS_OBJECT_NAME_NOT_FOUND, STATUS_OBJECT_PATH_NOT_FOUND, success,
};
use pinion_nt::{
    CURRENT_PROCESS, HANDLE, IO_STATUS_BLOCK, NTSTATUS, OBJ_CASE_INSENSITIVE, object_attributes,
    unicode_string,
};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK_0;

/// `FILE_BASIC_INFORMATION` (wdm.h).
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(crate) struct Basic {
    /// Creation, last access, last write and change time, in 100 ns since 1601.
    pub(crate) times: [i64; 4],
    /// `FILE_ATTRIBUTE_*`.
    pub(crate) attributes: u32,
    /// Padding.
    pub(crate) reserved: u32,
}

/// `FILE_ATTRIBUTE_DIRECTORY` (winnt.h).
pub(crate) const DIRECTORY: u32 = 0x10;
/// `FILE_ATTRIBUTE_READONLY` (winnt.h).
pub(crate) const READ_ONLY: u32 = 0x1;
/// `FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE` (winnt.h).
pub(crate) const SHARE_ALL: u32 = 7;
/// `READ_CONTROL` (winnt.h): what it takes to read the list of rights.
pub(crate) const READ_CONTROL: u32 = 0x2_0000;
/// `FILE_READ_ATTRIBUTES` (winnt.h).
pub(crate) const READ_ATTRIBUTES: u32 = 0x80;
/// `FILE_WRITE_ATTRIBUTES` (winnt.h).
pub(crate) const WRITE_ATTRIBUTES: u32 = 0x100;
/// `SYNCHRONIZE` (winnt.h).
pub(crate) const SYNCHRONIZE: u32 = 0x0010_0000;
/// `FILE_OPEN`, `FILE_CREATE`, `FILE_OPEN_IF` (ntioapi.h).
pub(crate) const OPEN: u32 = 1;
/// See [`OPEN`].
pub(crate) const CREATE: u32 = 2;
/// See [`OPEN`].
pub(crate) const OPEN_IF: u32 = 3;
/// `FILE_DIRECTORY_FILE` (ntioapi.h).
pub(crate) const DIRECTORY_FILE: u32 = 0x1;
/// `FILE_NON_DIRECTORY_FILE` (ntioapi.h).
pub(crate) const NON_DIRECTORY_FILE: u32 = 0x40;
/// `FILE_SYNCHRONOUS_IO_NONALERT` (ntioapi.h).
pub(crate) const SYNCHRONOUS: u32 = 0x20;
/// `FILE_OPEN_FOR_BACKUP_INTENT` (ntioapi.h).
pub(crate) const BACKUP: u32 = 0x4000;
/// `STATUS_NO_SUCH_FILE` (ntstatus.h).
pub(crate) const STATUS_NO_SUCH_FILE: NTSTATUS = 0xC000_000F_u32 as i32;
/// `STATUS_NOT_A_DIRECTORY` (ntstatus.h).
pub(crate) const STATUS_NOT_A_DIRECTORY: NTSTATUS = 0xC000_0103_u32 as i32;
/// `STATUS_FILE_IS_A_DIRECTORY` (ntstatus.h).
pub(crate) const STATUS_FILE_IS_A_DIRECTORY: NTSTATUS = 0xC000_00BA_u32 as i32;

/// A handle that this value owns.
pub(crate) struct Owned(pub(crate) HANDLE);

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: the handle is this value's own.
        unsafe { NtClose(self.0) };
    }
}

/// An empty status block.
pub(crate) fn block() -> IO_STATUS_BLOCK {
    IO_STATUS_BLOCK {
        Anonymous: IO_STATUS_BLOCK_0 { Status: 0 },
        Information: 0,
    }
}

/// How to open a file.
#[derive(Clone, Copy)]
pub(crate) struct How {
    /// Access, to which `SYNCHRONIZE` is added.
    pub(crate) access: u32,
    /// Attributes of a file that is made.
    pub(crate) attributes: u32,
    /// `FILE_OPEN` and its like.
    pub(crate) disposition: u32,
    /// Options, to which synchronous I/O and backup intent are added.
    pub(crate) options: u32,
}

/// Opens the file of the absolute NT name `name`, sharing everything.
pub(crate) fn open(name: &[u16], how: How) -> Result<Owned, NTSTATUS> {
    let string = unicode_string(name).ok_or(STATUS_NAME_TOO_LONG)?;
    let attributes = object_attributes(
        core::ptr::null_mut(),
        &raw const string,
        OBJ_CASE_INSENSITIVE,
    );
    let (mut handle, mut io): (HANDLE, _) = (core::ptr::null_mut(), block());
    // SAFETY: all pointers are to locals.
    let status = unsafe {
        kept::NtCreateFile(
            &raw mut handle,
            how.access | SYNCHRONIZE,
            &raw const attributes,
            &raw mut io,
            core::ptr::null(),
            how.attributes,
            SHARE_ALL,
            how.disposition,
            how.options | SYNCHRONOUS | BACKUP,
            core::ptr::null(),
            0,
        )
    };
    check(status).map(|()| Owned(handle))
}

/// One more handle of what `handle` is of, with the same access.
pub(crate) fn duplicate(handle: HANDLE) -> Result<Owned, NTSTATUS> {
    /// `DUPLICATE_SAME_ACCESS` (winnt.h).
    const SAME_ACCESS: u32 = 2;
    let mut second: HANDLE = core::ptr::null_mut();
    // SAFETY: a handle of this process is duplicated into a local.
    let status = unsafe {
        kept::NtDuplicateObject(
            CURRENT_PROCESS,
            handle,
            CURRENT_PROCESS,
            &raw mut second,
            0,
            0,
            SAME_ACCESS,
        )
    };
    check(status).map(|()| Owned(second))
}

/// A status as a result.
pub(crate) fn check(status: NTSTATUS) -> Result<(), NTSTATUS> {
    if success(status) { Ok(()) } else { Err(status) }
}

/// `STATUS_SHARING_VIOLATION` (ntstatus.h).
pub(crate) const STATUS_SHARING_VIOLATION: NTSTATUS = 0xC000_0043_u32 as i32;

/// Whether `status` says that there is no such file.
pub(crate) fn is_missing(status: NTSTATUS) -> bool {
    matches!(
        status,
        STATUS_OBJECT_NAME_NOT_FOUND
            | STATUS_OBJECT_PATH_NOT_FOUND
            | STATUS_NO_SUCH_FILE
            | STATUS_NOT_A_DIRECTORY
    )
}

/// Times and attributes of the file of the absolute NT name `name`; `None`
/// when there is none.
pub(crate) fn basic(name: &[u16]) -> Result<Option<Basic>, NTSTATUS> {
    let string = unicode_string(name).ok_or(STATUS_NAME_TOO_LONG)?;
    let attributes = object_attributes(
        core::ptr::null_mut(),
        &raw const string,
        OBJ_CASE_INSENSITIVE,
    );
    let mut basic = Basic::default();
    // SAFETY: the structure is a FILE_BASIC_INFORMATION.
    let status =
        unsafe { kept::NtQueryAttributesFile(&raw const attributes, (&raw mut basic).cast()) };
    match check(status) {
        Ok(()) => Ok(Some(basic)),
        Err(status) if is_missing(status) => Ok(None),
        Err(status) => Err(status),
    }
}

/// Sets information of `class` on `file`.
pub(crate) fn set(file: &Owned, class: u32, information: &[u8]) -> Result<(), NTSTATUS> {
    // SAFETY: the slice is the information.
    unsafe {
        set_raw(
            file.0,
            class,
            information.as_ptr().cast(),
            information.len(),
        )
    }
}

/// Sets `size` bytes of information of `class` on `file`.
///
/// # Safety
/// `information` must be valid for `size` bytes and aligned as the class needs.
pub(crate) unsafe fn set_raw(
    file: HANDLE,
    class: u32,
    information: *const c_void,
    size: usize,
) -> Result<(), NTSTATUS> {
    let mut io = block();
    // SAFETY: the caller's promise; the block is local.
    check(unsafe {
        kept::NtSetInformationFile(
            file,
            &raw mut io,
            information.cast_mut(),
            size as u32,
            class,
        )
    })
}

/// Sets times and attributes (`FileBasicInformation`).
pub(crate) fn set_basic(file: &Owned, basic: &Basic) -> Result<(), NTSTATUS> {
    // SAFETY: the structure is of the class's layout.
    unsafe { set_raw(file.0, 4, (&raw const *basic).cast(), size_of::<Basic>()) }
}

/// Marks `file` to be deleted when its last handle is closed
/// (`FileDispositionInformation`).
pub(crate) fn delete(file: &Owned) -> Result<(), NTSTATUS> {
    set(file, 13, &[1])
}

/// Deletes the file of the NT name `name`, unless it may not be (`NtDeleteFile`).
pub(crate) fn delete_by_name(name: &[u16]) -> Result<(), NTSTATUS> {
    let string = unicode_string(name).ok_or(STATUS_NAME_TOO_LONG)?;
    let null = core::ptr::null_mut();
    let attributes = object_attributes(null, &raw const string, OBJ_CASE_INSENSITIVE);
    // SAFETY: the attributes and what they point at live over the call.
    check(unsafe { kept::NtDeleteFile(&raw const attributes) })
}

/// Gives `file` the absolute NT name `name`, which no file may have
/// (`FileRenameInformation`).
pub(crate) fn rename(file: &Owned, name: &[u16]) -> Result<(), NTSTATUS> {
    const HEAD: usize = 10;
    let bytes = name.len() * 2;
    crate::scratch::with(HEAD + name.len() + 4, |buffer| {
        let (head, rest) = buffer
            .split_at_mut_checked(HEAD)
            .ok_or(STATUS_NAME_TOO_LONG)?;
        head.fill(0);
        let length = u32::try_from(bytes).map_err(|_| STATUS_NAME_TOO_LONG)?;
        if let Some(place) = head.last_chunk_mut::<2>() {
            *place = [length as u16, (length >> 16) as u16];
        }
        rest.get_mut(..name.len())
            .ok_or(STATUS_NAME_TOO_LONG)?
            .copy_from_slice(name);
        // SAFETY: a FILE_RENAME_INFORMATION: no replacing, no root, length at
        // byte 16, name at byte 20; the buffer is aligned to 16 and long enough.
        unsafe { set_raw(file.0, 10, buffer.as_ptr().cast(), 20 + bytes.max(4)) }
    })
    .unwrap_or(Err(STATUS_NAME_TOO_LONG))
}

/// Folds a unit as NT compares names.
pub(crate) fn upcase(unit: u16) -> u16 {
    // SAFETY: a pure function of ntdll.
    unsafe { pinion_nt::calls::RtlUpcaseUnicodeChar(unit) }
}

/// Whether both name the same file: only the case may differ.
pub(crate) fn names_equal(a: &[u16], b: &[u16]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(&a, &b)| upcase(a) == upcase(b))
}
