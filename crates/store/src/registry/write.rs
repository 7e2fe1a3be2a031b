//! Changing keys by NT calls with counted names, links themselves and not what they point at.

use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr::null_mut;

use pinion_nt::calls::NtSetInformationKey;
use pinion_nt::{
    HANDLE, NTSTATUS, OBJ_CASE_INSENSITIVE, object_attributes, status, unicode_string,
};
use windows_sys::Wdk::System::Registry::{
    NtCreateKey, NtDeleteKey, NtDeleteValueKey, NtSetValueKey,
};
use windows_sys::Win32::Foundation::OBJ_OPENLINK;
use windows_sys::Win32::System::Registry::{
    KEY_CREATE_SUB_KEY, KEY_QUERY_VALUE, KEY_SET_VALUE, REG_OPTION_CREATE_LINK,
};

use super::raw::open;

/// `DELETE` (winnt.h).
const DELETE: u32 = 0x1_0000;

/// Makes the key at `path` if it is not there; the key above must be.
pub(crate) fn create_at(path: &[u16], class: &[u16]) -> Result<(), NTSTATUS> {
    create_as(path, class, 0)
}

/// Makes a symbolic link at `path`, which leads nowhere yet, if no key is there; the key above must be.
pub(crate) fn create_link_at(path: &[u16]) -> Result<(), NTSTATUS> {
    create_as(path, &[], REG_OPTION_CREATE_LINK)
}

fn create_as(path: &[u16], class: &[u16], options: u32) -> Result<(), NTSTATUS> {
    let name = unicode_string(path).ok_or(status::STATUS_NAME_TOO_LONG)?;
    let class = unicode_string(class).ok_or(status::STATUS_NAME_TOO_LONG)?;
    let attributes = object_attributes(
        null_mut(),
        &raw const name,
        OBJ_CASE_INSENSITIVE | OBJ_OPENLINK,
    );
    let mut key: HANDLE = null_mut();
    // SAFETY: the attributes, the names and their units live over the call; `key` is a local.
    let status = unsafe {
        NtCreateKey(
            &raw mut key,
            KEY_QUERY_VALUE,
            &raw const attributes,
            0,
            &raw const class,
            options,
            null_mut(),
        )
    };
    checked(status)?;
    // SAFETY: a fresh handle that nobody else closes.
    drop(unsafe { OwnedHandle::from_raw_handle(key) });
    Ok(())
}

/// Sets a value of the key at `path`.
pub(crate) fn set_value(
    path: &[u16],
    name: &[u16],
    kind: u32,
    data: &[u8],
) -> Result<(), NTSTATUS> {
    let key = open(null_mut(), path, KEY_SET_VALUE)?;
    let name = unicode_string(name).ok_or(status::STATUS_NAME_TOO_LONG)?;
    let length = u32::try_from(data.len()).map_err(|_| status::STATUS_INVALID_PARAMETER)?;
    // SAFETY: the name, its units and the data live over the call.
    checked(unsafe {
        NtSetValueKey(
            key.as_raw_handle(),
            &raw const name,
            0,
            kind,
            data.as_ptr().cast(),
            length,
        )
    })
}

/// Gives the key at `path` its time of last write, in 100 ns since 1601. Wine takes the call and sets none.
pub(crate) fn set_written(path: &[u16], written: i64) -> Result<(), NTSTATUS> {
    /// `KeyWriteTimeInformation` (wdm.h), a `KEY_WRITE_TIME_INFORMATION`.
    const WRITE_TIME: u32 = 0;
    let key = open(null_mut(), path, KEY_SET_VALUE)?;
    // SAFETY: the class takes one such number, which lives over the call.
    checked(unsafe {
        NtSetInformationKey(
            key.as_raw_handle(),
            WRITE_TIME,
            (&raw const written).cast(),
            size_of::<i64>() as u32,
        )
    })
}

/// Deletes a value of the key at `path`.
pub(crate) fn delete_value(path: &[u16], name: &[u16]) -> Result<(), NTSTATUS> {
    let key = open(null_mut(), path, KEY_SET_VALUE)?;
    let name = unicode_string(name).ok_or(status::STATUS_NAME_TOO_LONG)?;
    // SAFETY: the name and its units live over the call.
    checked(unsafe { NtDeleteValueKey(key.as_raw_handle(), &raw const name) })
}

/// Deletes the key at `path`, which has no keys below.
pub(crate) fn delete(path: &[u16]) -> Result<(), NTSTATUS> {
    let key = open(null_mut(), path, DELETE)?;
    // SAFETY: a live handle with DELETE access.
    checked(unsafe { NtDeleteKey(key.as_raw_handle()) })
}

/// Fails when the key at `path` cannot be changed: itself, or else by keys below it.
pub(crate) fn may_change(path: &[u16], itself: bool) -> Result<(), NTSTATUS> {
    let access = if itself {
        KEY_SET_VALUE | DELETE
    } else {
        KEY_CREATE_SUB_KEY
    };
    open(null_mut(), path, access).map(drop)
}

fn checked(status: NTSTATUS) -> Result<(), NTSTATUS> {
    if status::success(status) {
        Ok(())
    } else {
        Err(status)
    }
}
