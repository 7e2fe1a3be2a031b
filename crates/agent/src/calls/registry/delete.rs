//! Deleting and renaming keys.
//!
//! A delete hides what lower layers have under the name, then deletes the
//! upper's key. While both stand the key is seen as it was, so no crash between
//! them can be noticed. A rename is the kernel's own where the upper alone
//! makes up the key; a key with a part below the upper is not renamed yet.

use super::handles::{self, changed};
use super::names::{self, Origin};
use super::tree::Stack;
use super::{listing, refused};
use crate::hooks::kept;
use crate::{guard, scratch};
use pinion_layers::{Lookup, hide, lookup};
use pinion_names::key;
use pinion_nt::status::{STATUS_NAME_TOO_LONG, STATUS_NOT_SUPPORTED};
use pinion_nt::{HANDLE, NTSTATUS, UNICODE_STRING};

/// `STATUS_CANNOT_DELETE` (ntstatus.h): the key has subkeys, or the new name is
/// taken (observed on Wine 8 and 10 for a rename).
const STATUS_CANNOT_DELETE: i32 = 0xC000_0121_u32 as i32;
/// `DELETE` (winnt.h).
const DELETE: u32 = 0x1_0000;

/// As `NtDeleteKey`.
pub(crate) unsafe fn delete_key(key: HANDLE) -> NTSTATUS {
    let call = || {
        // SAFETY: the program's own argument.
        unsafe { kept::NtDeleteKey(key) }
    };
    let prepared = names::with_vm_name(key, |name, origin| {
        let may = super::raw::granted(key).is_ok_and(|access| access & DELETE != 0);
        if origin != Origin::Layer(0) || !may {
            return Ok(());
        }
        if listing::has_children(name)? {
            return Err(STATUS_CANNOT_DELETE);
        }
        hide(&mut Stack::new(name))
    });
    if let Ok(Err(status)) = prepared {
        return status;
    }
    let status = call();
    changed();
    status
}

/// As `NtRenameKey`.
pub(crate) unsafe fn rename_key(key: HANDLE, name: *const UNICODE_STRING) -> NTSTATUS {
    let call = || {
        // SAFETY: the program's own arguments.
        unsafe { kept::NtRenameKey(key, name) }
    };
    let verdict = names::with_vm_name(key, |path, origin| match origin {
        Origin::Layer(0) => judge(path, name),
        // The kernel denies it: the handle cannot write.
        _ => Ok(()),
    });
    if let Ok(Err(status)) = verdict {
        return status;
    }
    let status = call();
    handles::changed();
    status
}

/// Whether the key can be renamed by the kernel alone.
fn judge(path: &[u16], name: *const UNICODE_STRING) -> Result<(), NTSTATUS> {
    // SAFETY: plain data; a bad pointer is a return value, and the kernel's to
    // tell.
    let Ok(string) = (unsafe { guard::read(name) }) else {
        return Ok(());
    };
    if !listing::is_upper_alone(path)? {
        let why = "renaming a key that a lower layer has";
        return Err(refused::because(path, why, STATUS_NOT_SUPPORTED));
    }
    let units = usize::from(string.Length) / 2;
    let parent = path.len() - key::last(path).len();
    scratch::with(parent + units, |new| {
        let (head, tail) = new.split_at_mut(parent);
        head.copy_from_slice(path.get(..parent).unwrap_or(&[]));
        let place = tail.get_mut(..units).ok_or(STATUS_NAME_TOO_LONG)?;
        // SAFETY: `place` has the room; the source may be bad.
        let copied =
            unsafe { guard::copy(place.as_mut_ptr().cast(), string.Buffer.cast(), units * 2) };
        if copied.is_err() {
            return Ok(());
        }
        let new = new.get(..parent + units).unwrap_or(&[]);
        match lookup(&mut Stack::new(new))? {
            Lookup::Found { layer: 1.., .. } => Err(STATUS_CANNOT_DELETE),
            _ => Ok(()),
        }
    })
    .ok_or(STATUS_NAME_TOO_LONG)?
}
