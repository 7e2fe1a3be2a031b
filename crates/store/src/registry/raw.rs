//! Keys by NT calls with counted names, links themselves and not what they point at.

use std::ffi::OsString;
use std::os::windows::ffi::OsStringExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr::{null, null_mut};

use pinion_nt::{
    HANDLE, NTSTATUS, OBJ_CASE_INSENSITIVE, object_attributes, status, unicode_string,
};
use windows_sys::Wdk::System::Registry::{
    KeyBasicInformation, KeyFullInformation, KeyValueFullInformation, NtCreateKey, NtEnumerateKey,
    NtEnumerateValueKey, NtOpenKey, NtQueryKey, NtQueryValueKey,
};
use windows_sys::Win32::Foundation::OBJ_OPENLINK;
use windows_sys::Win32::System::Registry::{
    KEY_CREATE_SUB_KEY, KEY_ENUMERATE_SUB_KEYS, KEY_QUERY_VALUE, REG_LINK,
};

use crate::error::{Error, Result};

/// The longest name of a key: 255 units. The basic information's head is 16 bytes.
const BASIC_HEAD: usize = 16;
const BASIC_SIZE: usize = BASIC_HEAD + 2 * 256;
/// `KEY_FULL_INFORMATION` (wdm.h): the time first, the class's offset and length at 12 and 16, the number
/// of subkeys at 20.
const FULL_SIZE: usize = 44 + 2 * 256;
/// The longest data of a value that is read: the registry's own bound is the memory.
const LONGEST_DATA: usize = 1 << 30;

/// A value of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyValue {
    /// Its name; empty for the default value.
    pub name: OsString,
    /// `REG_*`.
    pub kind: u32,
    /// Its data.
    pub data: Vec<u8>,
}

/// What a key is.
#[derive(Debug, Clone)]
pub(crate) struct Info {
    /// Its class.
    pub(crate) class: Vec<u16>,
    /// 100 ns since 1601.
    pub(crate) last_write: i64,
    /// Whether it is a symbolic link.
    pub(crate) link: bool,
}

pub(crate) fn refused(what: &'static str, key: &str, status: NTSTATUS) -> Error {
    Error::Registry {
        what,
        key: key.into(),
        status,
    }
}

pub(super) fn create(path: &str) -> Result<()> {
    let failed = |status| refused("create", path, status);
    let units: Vec<u16> = path.encode_utf16().collect();
    let name = unicode_string(&units).ok_or_else(|| failed(status::STATUS_NAME_TOO_LONG))?;
    let attributes = object_attributes(null_mut(), &raw const name, OBJ_CASE_INSENSITIVE);
    let mut key: HANDLE = null_mut();
    // SAFETY: the attributes, the name and its units live over the call; `key` is a local.
    let status = unsafe {
        NtCreateKey(
            &raw mut key,
            KEY_CREATE_SUB_KEY,
            &raw const attributes,
            0,
            null(),
            0,
            null_mut(),
        )
    };
    if !status::success(status) {
        return Err(failed(status));
    }
    // SAFETY: a fresh handle that nobody else closes.
    drop(unsafe { OwnedHandle::from_raw_handle(key) });
    Ok(())
}

/// Opens a key by its counted name, a link itself and not what it points at.
pub(super) fn open(
    root: HANDLE,
    units: &[u16],
    access: u32,
) -> std::result::Result<OwnedHandle, NTSTATUS> {
    let name = unicode_string(units).ok_or(status::STATUS_NAME_TOO_LONG)?;
    let attributes = object_attributes(root, &raw const name, OBJ_CASE_INSENSITIVE | OBJ_OPENLINK);
    let mut key: HANDLE = null_mut();
    // SAFETY: the attributes, the name and its units live over the call; `key` is a local.
    let status = unsafe { NtOpenKey(&raw mut key, access, &raw const attributes) };
    if !status::success(status) {
        return Err(status);
    }
    // SAFETY: a fresh handle that nobody else closes.
    Ok(unsafe { OwnedHandle::from_raw_handle(key) })
}

/// Opens the key at `path`, a link itself and not what it points at.
pub(crate) fn open_itself(path: &[u16], access: u32) -> std::result::Result<OwnedHandle, NTSTATUS> {
    open(null_mut(), path, access)
}

/// The name of the key's child at `index`; none at the end.
pub(super) fn child(
    key: &OwnedHandle,
    index: u32,
) -> std::result::Result<Option<Vec<u16>>, NTSTATUS> {
    let mut buffer = [0_u8; BASIC_SIZE];
    let mut length = 0;
    // SAFETY: the buffer has the length told; both outputs are locals.
    let status = unsafe {
        NtEnumerateKey(
            key.as_raw_handle(),
            index,
            KeyBasicInformation,
            buffer.as_mut_ptr().cast(),
            buffer.len() as u32,
            &raw mut length,
        )
    };
    match status {
        status::STATUS_NO_MORE_ENTRIES => Ok(None),
        _ if status::success(status) => Ok(counted(&buffer, 12, BASIC_HEAD)),
        _ => Err(status),
    }
}

/// UTF-16 units whose length in bytes is the `u32` at `length_at` and which begin at `start`.
pub(super) fn counted(buffer: &[u8], length_at: usize, start: usize) -> Option<Vec<u16>> {
    let length = buffer
        .get(length_at..length_at + 4)?
        .try_into()
        .ok()
        .map(u32::from_le_bytes)?;
    let bytes = buffer.get(start..start.checked_add(length as usize)?)?;
    Some(
        bytes
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .collect(),
    )
}

/// Whether `status` says that there is no such key.
pub(crate) fn is_missing(status: NTSTATUS) -> bool {
    matches!(
        status,
        status::STATUS_OBJECT_NAME_NOT_FOUND | status::STATUS_OBJECT_PATH_NOT_FOUND
    )
}

/// How many keys `key` has below it.
pub(super) fn count(key: &OwnedHandle) -> std::result::Result<u32, NTSTATUS> {
    full(key).map(|buffer| word(&buffer, 20).unwrap_or(0))
}

/// The names of the keys below the key at `path`.
pub(crate) fn children(path: &[u16]) -> std::result::Result<Vec<Vec<u16>>, NTSTATUS> {
    let key = open(null_mut(), path, KEY_ENUMERATE_SUB_KEYS)?;
    let mut names = Vec::new();
    while let Some(name) = child(&key, u32::try_from(names.len()).unwrap_or(u32::MAX))? {
        names.push(name);
    }
    Ok(names)
}

/// What the key at `path` is.
pub(crate) fn info(path: &[u16]) -> std::result::Result<Info, NTSTATUS> {
    let key = open(null_mut(), path, KEY_QUERY_VALUE)?;
    let buffer = full(&key)?;
    let at = word(&buffer, 12).unwrap_or(0) as usize;
    let last_write = buffer
        .first_chunk()
        .map_or(0, |bytes| i64::from_le_bytes(*bytes));
    let link = matches!(value_kind(&key, "SymbolicLinkValue"), Ok(Some(REG_LINK)));
    Ok(Info {
        class: counted(&buffer, 16, at).unwrap_or_default(),
        last_write,
        link,
    })
}

/// The key's `KEY_FULL_INFORMATION`, without a class that is longer than a name may be.
fn full(key: &OwnedHandle) -> std::result::Result<[u8; FULL_SIZE], NTSTATUS> {
    let mut buffer = [0_u8; FULL_SIZE];
    let mut length = 0;
    // SAFETY: the buffer has the length told; both outputs are locals.
    let status = unsafe {
        NtQueryKey(
            key.as_raw_handle(),
            KeyFullInformation,
            buffer.as_mut_ptr().cast(),
            buffer.len() as u32,
            &raw mut length,
        )
    };
    if status::success(status) || status == status::STATUS_BUFFER_OVERFLOW {
        Ok(buffer)
    } else {
        Err(status)
    }
}

/// Whether the key at `path` has the value `name`.
pub(crate) fn has_value(path: &[u16], name: &str) -> std::result::Result<bool, NTSTATUS> {
    let key = open(null_mut(), path, KEY_QUERY_VALUE)?;
    value_kind(&key, name).map(|kind| kind.is_some())
}

/// The type of the value `name`; none when there is none.
fn value_kind(key: &OwnedHandle, name: &str) -> std::result::Result<Option<u32>, NTSTATUS> {
    const KEY_VALUE_BASIC_INFORMATION: i32 = 0;
    let units: Vec<u16> = name.encode_utf16().collect();
    let name = unicode_string(&units).ok_or(status::STATUS_NAME_TOO_LONG)?;
    let mut buffer = [0_u8; 128];
    let mut length = 0;
    // SAFETY: the name and its units live over the call; the buffer has the length told.
    let status = unsafe {
        NtQueryValueKey(
            key.as_raw_handle(),
            &raw const name,
            KEY_VALUE_BASIC_INFORMATION,
            buffer.as_mut_ptr().cast(),
            buffer.len() as u32,
            &raw mut length,
        )
    };
    match status {
        status::STATUS_OBJECT_NAME_NOT_FOUND => Ok(None),
        _ if status::success(status) => Ok(word(&buffer, 4)),
        _ => Err(status),
    }
}

/// All values of the key at `path`.
pub(crate) fn values(path: &[u16]) -> std::result::Result<Vec<KeyValue>, NTSTATUS> {
    let key = open(null_mut(), path, KEY_QUERY_VALUE)?;
    let mut buffer = vec![0_u8; 4096];
    let mut all = Vec::new();
    loop {
        let index = u32::try_from(all.len()).unwrap_or(u32::MAX);
        let mut length = 0_u32;
        // SAFETY: the buffer has the length told; both outputs are locals.
        let status = unsafe {
            NtEnumerateValueKey(
                key.as_raw_handle(),
                index,
                KeyValueFullInformation,
                buffer.as_mut_ptr().cast(),
                buffer.len() as u32,
                &raw mut length,
            )
        };
        match status {
            status::STATUS_NO_MORE_ENTRIES => return Ok(all),
            status::STATUS_BUFFER_OVERFLOW | status::STATUS_BUFFER_TOO_SMALL
                if length as usize > buffer.len() && (length as usize) < LONGEST_DATA =>
            {
                buffer.resize(length as usize, 0);
            }
            _ if status::success(status) => {
                all.push(value(&buffer).ok_or(status::STATUS_UNSUCCESSFUL)?);
            }
            _ => return Err(status),
        }
    }
}

/// The value that a `KEY_VALUE_FULL_INFORMATION` (wdm.h) describes: title, type, the data's offset and
/// length, the name's length, the name.
fn value(full: &[u8]) -> Option<KeyValue> {
    let (at, length) = (word(full, 8)? as usize, word(full, 12)? as usize);
    Some(KeyValue {
        name: OsString::from_wide(&counted(full, 16, 20)?),
        kind: word(full, 4)?,
        data: full.get(at..at.checked_add(length)?)?.to_vec(),
    })
}

/// The little-endian `u32` at `at`.
fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..at + 4)?
        .try_into()
        .ok()
        .map(u32::from_le_bytes)
}
