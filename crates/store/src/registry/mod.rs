//! The keys of a layer: `HKCU\Software\Pinion\Layers\<id>`.
//!
//! Owns its path, its making, its counting and its removal. What lies below is the agent's. Keys below
//! may be hostile (links, names with embedded zeros), so all goes by NT calls with counted names, and
//! never through a link.

mod raw;
mod write;

pub use raw::KeyValue;
pub(crate) use raw::open_itself;
pub(crate) use raw::{Info, children, has_value, info, is_missing, refused, values};
pub(crate) use write::{
    create_at, create_link_at, delete, delete_value, may_change, set_value, set_written,
};

use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU64, Ordering};

use pinion_nt::{NTSTATUS, status};
use windows_sys::Wdk::System::Registry::{KeyNameInformation, NtDeleteKey, NtQueryKey};
use windows_sys::Win32::System::Registry::{
    KEY_ENUMERATE_SUB_KEYS, KEY_QUERY_VALUE, RegOpenCurrentUser,
};

use crate::error::Result;
use crate::id::LayerId;
use raw::{child, count, counted, create, open};

/// `DELETE` (winnt.h).
const DELETE: u32 = 0x1_0000;
/// `STATUS_KEY_DELETED` (ntstatus.h).
const STATUS_KEY_DELETED: NTSTATUS = 0xC000_017C_u32 as i32;
/// The deepest tree that the registry allows (Microsoft, "Registry element size limits").
const DEEPEST: usize = 512;

/// The NT path of the user's own key, `\REGISTRY\User\<sid>`.
///
/// # Errors
/// It cannot be opened or asked for its name.
pub fn user_key_path() -> Result<String> {
    let failed = |status| refused("find", "HKEY_CURRENT_USER", status);
    let mut key = null_mut();
    // SAFETY: `key` is a local that takes the handle.
    let error = unsafe { RegOpenCurrentUser(KEY_QUERY_VALUE, &raw mut key) };
    if error != 0 {
        return Err(failed(error.cast_signed()));
    }
    // SAFETY: a fresh handle that nobody else closes.
    let key = unsafe { OwnedHandle::from_raw_handle(key) };
    let mut buffer = vec![0_u8; 4096];
    let mut length = 0;
    // SAFETY: the buffer has the length told; both outputs are locals.
    let status = unsafe {
        NtQueryKey(
            key.as_raw_handle(),
            KeyNameInformation,
            buffer.as_mut_ptr().cast(),
            buffer.len() as u32,
            &raw mut length,
        )
    };
    let name = counted(&buffer, 0, 4).filter(|_| status::success(status));
    name.map(|units| String::from_utf16_lossy(&units))
        .ok_or_else(|| failed(status))
}

/// The NT path of Pinion's own key, which holds the keys of all layers.
///
/// # Errors
/// As [`user_key_path`].
pub fn root_path() -> Result<String> {
    Ok(format!(r"{}\Software\Pinion", user_key_path()?))
}

/// The NT path of the layer's keys: `\REGISTRY\User\<sid>\Software\Pinion\Layers\<id>`.
///
/// # Errors
/// As [`user_key_path`].
pub fn layer_path(id: LayerId) -> Result<String> {
    Ok(format!(r"{}\Layers\{id}", root_path()?))
}

/// Makes the layer's key if it is not there; gives its NT path.
///
/// # Errors
/// The registry's refusal.
pub fn create_layer(id: LayerId) -> Result<String> {
    let user = user_key_path()?;
    let mut path = user;
    for part in ["Software", "Pinion", "Layers", &id.to_string()] {
        path = format!(r"{path}\{part}");
        create(&path)?;
    }
    Ok(path)
}

/// Removes the layer's key and all below, counting in `removed`; a missing one is no error.
///
/// # Errors
/// The registry's refusal.
pub(crate) fn remove_layer(id: LayerId, removed: &AtomicU64) -> Result<()> {
    let path = layer_path(id)?;
    let failed = |status| refused("remove", &path, status);
    let units: Vec<u16> = path.encode_utf16().collect();
    match open(
        null_mut(),
        &units,
        KEY_ENUMERATE_SUB_KEYS | KEY_QUERY_VALUE | DELETE,
    ) {
        Ok(key) => remove_tree(&key, 0, removed).map_err(failed),
        Err(status) if is_missing(status) => Ok(()),
        Err(status) => Err(failed(status)),
    }
}

/// Whether the layer has any key but its own.
///
/// # Errors
/// The registry's refusal.
pub(crate) fn has_keys(id: LayerId) -> Result<bool> {
    let path = layer_path(id)?;
    let units: Vec<u16> = path.encode_utf16().collect();
    let first = open(null_mut(), &units, KEY_ENUMERATE_SUB_KEYS).and_then(|key| child(&key, 0));
    match first {
        Ok(name) => Ok(name.is_some()),
        Err(status) if is_missing(status) => Ok(false),
        Err(status) => Err(refused("read", &path, status)),
    }
}

/// How many keys of the layer have no keys below: what was changed, made or hidden, without the keys on
/// the way there.
///
/// # Errors
/// The registry's refusal.
pub fn count_layer(id: LayerId) -> Result<u64> {
    if !has_keys(id)? {
        return Ok(0);
    }
    let path = layer_path(id)?;
    let units: Vec<u16> = path.encode_utf16().collect();
    open(null_mut(), &units, KEY_ENUMERATE_SUB_KEYS)
        .map(|key| count_leaves(&key, 0))
        .map_err(|status| refused("read", &path, status))
}

fn remove_tree(
    key: &OwnedHandle,
    depth: usize,
    removed: &AtomicU64,
) -> std::result::Result<(), NTSTATUS> {
    if depth > DEEPEST {
        return Err(status::STATUS_UNSUCCESSFUL);
    }
    // The last first: so the registry moves none of the others. To count them Wine
    // looks at each, so that is done again only for what others do meanwhile.
    let mut left = count(key)?;
    while let Some(last) = left.checked_sub(1) {
        left = last;
        let name = child(key, last)?;
        if let Some(name) = &name {
            let access = KEY_ENUMERATE_SUB_KEYS | KEY_QUERY_VALUE | DELETE;
            match open(key.as_raw_handle(), name, access) {
                Ok(below) => remove_tree(&below, depth + 1, removed)?,
                // Another command removes it too.
                Err(status) if is_missing(status) => {}
                Err(status) => return Err(status),
            }
        }
        if left == 0 || name.is_none() {
            left = count(key)?;
        }
    }
    // SAFETY: a live handle with DELETE access.
    let status = unsafe { NtDeleteKey(key.as_raw_handle()) };
    removed.fetch_add(1, Ordering::Relaxed);
    if status::success(status) || is_missing(status) || status == STATUS_KEY_DELETED {
        Ok(())
    } else {
        Err(status)
    }
}

/// Keys without keys below; an unreadable branch counts as one.
fn count_leaves(key: &OwnedHandle, depth: usize) -> u64 {
    let mut leaves = 0;
    let mut index = 0;
    while let Ok(Some(name)) = child(key, index) {
        index += 1;
        leaves += match open(key.as_raw_handle(), &name, KEY_ENUMERATE_SUB_KEYS) {
            Ok(below) if depth < DEEPEST => count_leaves(&below, depth + 1),
            _ => 1,
        };
    }
    leaves.max(1)
}
