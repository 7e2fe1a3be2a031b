//! Deleting keys.
//!
//! A delete hides what lower layers have under the name, then deletes the
//! upper's key. While both stand the key is seen as it was, so no crash between
//! them can be noticed.

use super::handles::changed;
use super::listing;
use super::names::{self, Origin};
use super::raw;
use super::tree::Stack;
use crate::hooks::{self, kept};
use pinion_layers::hide;
use pinion_nt::status::STATUS_ACCESS_DENIED;
use pinion_nt::{HANDLE, NTSTATUS};

/// `STATUS_CANNOT_DELETE` (ntstatus.h): the key has subkeys (NtDeleteKey
/// documentation). Wine says `STATUS_ACCESS_DENIED` (observed on Wine 8 and 10).
pub(super) const STATUS_CANNOT_DELETE: i32 = 0xC000_0121_u32 as i32;
/// `DELETE` (winnt.h).
const DELETE: u32 = 0x1_0000;

/// As `NtDeleteKey`.
pub(crate) unsafe fn delete_key(key: HANDLE) -> NTSTATUS {
    let prepared = names::with_vm_name(key, |name, origin| {
        let may = raw::granted(key).is_ok_and(|access| access & DELETE != 0);
        if origin != Origin::Layer(0) || !may {
            return Ok(());
        }
        if !listing::has_children(name)? {
            return hide(&mut Stack::new(name));
        }
        Err(if hooks::is_wine() {
            STATUS_ACCESS_DENIED
        } else {
            STATUS_CANNOT_DELETE
        })
    });
    if let Ok(Err(status)) = prepared {
        return status;
    }
    // SAFETY: the program's own argument.
    let status = unsafe { kept::NtDeleteKey(key) };
    changed();
    status
}
