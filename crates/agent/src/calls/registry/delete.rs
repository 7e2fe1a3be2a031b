//! Deleting keys.
//!
//! A delete hides what lower layers have under the name, then deletes the
//! upper's key. While both stand the key is seen as it was, so no crash between
//! them can be noticed.

use super::bells::{self, Change};
use super::handles;
use super::listed::{self, Fate};
use super::names::{self, Origin};
use super::raw;
use super::tree::Stack;
use crate::hooks::{self, kept};
use pinion_layers::hide;
use pinion_names::key;
use pinion_nt::status::{STATUS_ACCESS_DENIED, success};
use pinion_nt::{HANDLE, NTSTATUS};

/// `STATUS_CANNOT_DELETE` (ntstatus.h): the key has subkeys (NtDeleteKey
/// documentation). Wine says `STATUS_ACCESS_DENIED` (observed on Wine 8 and 10).
pub(super) const STATUS_CANNOT_DELETE: i32 = 0xC000_0121_u32 as i32;
/// `DELETE` (winnt.h).
const DELETE: u32 = 0x1_0000;

/// As `NtDeleteKey`.
pub(crate) unsafe fn delete_key(key: HANDLE) -> NTSTATUS {
    let deleted = names::with_vm_name(key, |name, origin| {
        let may = raw::granted(key).is_ok_and(|access| access & DELETE != 0);
        (origin == Origin::Layer(0) && may).then(|| delete(key, name))
    });
    match deleted {
        Ok(Some(status)) => status,
        // SAFETY: the program's own argument, which the kernel refuses.
        _ => unsafe { kept::NtDeleteKey(key) },
    }
}

fn delete(key: HANDLE, name: &[u16]) -> NTSTATUS {
    match listed::has_children(name) {
        Ok(false) => {}
        Ok(true) if hooks::is_wine() => return STATUS_ACCESS_DENIED,
        Ok(true) => return STATUS_CANNOT_DELETE,
        Err(status) => return status,
    }
    if let Err(status) = hide(&mut Stack::new(name)) {
        return status;
    }
    // SAFETY: the program's own argument.
    let status = unsafe { kept::NtDeleteKey(key) };
    if success(status) {
        handles::changed_one(name, Fate::Removed);
        let depth = key::depth(name).saturating_sub(1);
        bells::changed_at(key::first(name, depth), Change::Names);
    } else {
        handles::changed();
    }
    status
}
