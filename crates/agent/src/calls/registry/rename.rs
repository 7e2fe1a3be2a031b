//! Renaming keys.
//!
//! A key that has a part below the upper is copied up with all its subkeys
//! first, then what is below is hidden, and then the kernel renames the upper's
//! key, in one step: before it the key is seen as it was, after it as it is
//! named now.

use super::delete::STATUS_CANNOT_DELETE;
use super::names::{self, Origin};
use super::raw::{self, Key};
use super::tree::Stack;
use super::{access, copy_up, handles, listing, refused};
use crate::hooks::{self, kept};
use crate::{guard, scratch};
use pinion_layers::{Lookup, hide, lookup};
use pinion_names::key;
use pinion_names::units::join;
use pinion_nt::status::{STATUS_NAME_TOO_LONG, STATUS_NOT_SUPPORTED};
use pinion_nt::{HANDLE, NTSTATUS, UNICODE_STRING};

/// How deep below a renamed key its subkeys are copied up. NT allows 512; each
/// level takes stack of the program's thread.
const DEEPEST: usize = 48;

/// As `NtRenameKey`.
pub(crate) unsafe fn rename_key(key: HANDLE, name: *const UNICODE_STRING) -> NTSTATUS {
    let prepared = names::with_vm_name(key, |path, origin| match origin {
        Origin::Layer(0) => prepare(path, name).map_err(Some),
        // The kernel denies it: the handle cannot write.
        _ => Err(None),
    });
    match prepared {
        Ok(Err(Some(status))) => return status,
        Ok(Ok(())) => {}
        // SAFETY: the program's own arguments.
        _ => return unsafe { kept::NtRenameKey(key, name) },
    }
    let spacer = spacer(key);
    // SAFETY: the program's own arguments.
    let status = unsafe { kept::NtRenameKey(key, name) };
    if let Some(spacer) = spacer {
        // SAFETY: the handle is the agent's own.
        unsafe { kept::NtDeleteKey(spacer.handle()) };
    }
    handles::changed();
    status
}

/// A key that stands right after the key that is renamed, while it is: Wine's
/// server overwrites a neighbour, and soon crashes, when a key moves one place
/// back in its parent's order and so stays where it is (observed on Wine 8 and
/// 10). None on Windows.
fn spacer(key: HANDLE) -> Option<Key> {
    const AFTER: u16 = 1;
    if !hooks::is_wine() {
        return None;
    }
    raw::with_name(key, |real| {
        scratch::with(real.len() + 1, |path| {
            let length = join(&[real, &[AFTER]], path).ok()?;
            raw::create(path.get(..length)?, access::ALL, &[]).ok()
        })
        .flatten()
    })
    .ok()
    .flatten()
}

/// Makes the upper's key all that there is of `path`, unless the new name is
/// taken.
fn prepare(path: &[u16], name: *const UNICODE_STRING) -> Result<(), NTSTATUS> {
    if !is_free(path, name)? {
        return Err(STATUS_CANNOT_DELETE);
    }
    if listing::is_upper_alone(path)? {
        return Ok(());
    }
    copy_tree(path, 0)?;
    hide(&mut Stack::new(path))
}

/// Whether no layer below the upper shows a key of the new name beside `path`.
/// The upper's own is the kernel's to tell, and so is a name that cannot be
/// read.
fn is_free(path: &[u16], name: *const UNICODE_STRING) -> Result<bool, NTSTATUS> {
    // SAFETY: plain data; a bad pointer is a return value.
    let Ok(string) = (unsafe { guard::read(name) }) else {
        return Ok(true);
    };
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
            return Ok(true);
        }
        let new = new.get(..parent + units).unwrap_or(&[]);
        let seen = lookup(&mut Stack::new(new))?;
        Ok(!matches!(seen, Lookup::Found { layer: 1.., .. }))
    })
    .ok_or(STATUS_NAME_TOO_LONG)?
}

/// Copies up the key and all its subkeys.
fn copy_tree(path: &[u16], depth: usize) -> Result<(), NTSTATUS> {
    if depth > DEEPEST {
        let why = "renaming a key with so many levels of subkeys";
        return Err(refused::because(path, why, STATUS_NOT_SUPPORTED));
    }
    copy_up::whole(path)?;
    let mut children = listing::build(path, 0)?;
    if children.is_native() {
        return Ok(());
    }
    for index in 0..children.count() {
        let Some(entry) = children.entry(index) else {
            break;
        };
        let child = children.name(entry);
        listing::with_child(path, child, |child| copy_tree(child, depth + 1))
            .ok_or(STATUS_NAME_TOO_LONG)??;
    }
    Ok(())
}
