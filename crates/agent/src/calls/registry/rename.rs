//! Renaming keys.
//!
//! A key that has a part below the upper is copied up with all its subkeys
//! first, then what is below is hidden, and then the kernel renames the upper's
//! key, in one step: before it the key is seen as it was, after it as it is
//! named now.

use super::bells::{self, Change};
use super::delete::STATUS_CANNOT_DELETE;
use super::names::{self, Origin};
use super::raw::{self, Key};
use super::tree::Stack;
use super::{access, copy_up, handles, listed, own_links, refused};
use crate::hooks::{self, kept};
use crate::{guard, scratch};
use pinion_layers::{Lookup, hide, lookup};
use pinion_names::key;
use pinion_names::units::{SEPARATOR, below, join};
use pinion_nt::status::{STATUS_NAME_TOO_LONG, STATUS_NOT_SUPPORTED, success};
use pinion_nt::{HANDLE, NTSTATUS, UNICODE_STRING};

/// How deep below a renamed key its subkeys are copied up. NT allows 512; each
/// level takes stack of the program's thread.
pub(super) const DEEPEST: usize = 48;

/// No key has a longer name, in units (Microsoft, "Registry element size limits").
const LONGEST: usize = 256;

/// As `NtRenameKey`.
pub(crate) unsafe fn rename_key(key: HANDLE, name: *const UNICODE_STRING) -> NTSTATUS {
    /// `KEY_WRITE` (winnt.h), which a rename needs.
    const WRITE: u32 = 0x2_0006;
    let renamed = names::with_vm_name(key, |path, origin| {
        let may = raw::granted(key).is_ok_and(|access| access & WRITE == WRITE);
        (origin == Origin::Layer(0) && may).then(|| rename(key, path, name))
    });
    match renamed {
        Ok(Some(status)) => status,
        // SAFETY: the program's own arguments, which the kernel denies: the
        // handle cannot write.
        _ => unsafe { kept::NtRenameKey(key, name) },
    }
}

fn rename(key: HANDLE, path: &[u16], name: *const UNICODE_STRING) -> NTSTATUS {
    let prepared = with_new_name(path, name, |new| prepare(path, new));
    if let Some(Err(status)) = prepared {
        return status;
    }
    let spacer = spacer(key);
    // SAFETY: the program's own arguments.
    let status = unsafe { kept::NtRenameKey(key, name) };
    if let Some(spacer) = spacer {
        // SAFETY: the handle is the agent's own.
        unsafe { kept::NtDeleteKey(spacer.handle()) };
    }
    handles::changed();
    if success(status) {
        let above = usize::from(!bells::rename_is_of_itself());
        let depth = key::depth(path).saturating_sub(above);
        bells::changed_at(key::first(path, depth), Change::Names);
    }
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

/// Makes the upper's key all that there is of `path`, unless the name `new` is
/// taken.
fn prepare(path: &[u16], new: &[u16]) -> Result<(), NTSTATUS> {
    // Its own name, spelled as it may be, moves nothing.
    if below(new, path).is_some_and(<[u16]>::is_empty) {
        return Ok(());
    }
    // Of one of the upper's own the kernel would tell, but what is hidden by then
    // stays so.
    if matches!(lookup(&mut Stack::new(new))?, Lookup::Found { .. }) {
        return Err(STATUS_CANNOT_DELETE);
    }
    copy_tree(path)?;
    own_links::take_along(path, new, DEEPEST)
}

/// Makes the upper's key all that there is of `path`.
pub(super) fn copy_tree(path: &[u16]) -> Result<(), NTSTATUS> {
    if listed::is_upper_alone(path)? {
        return Ok(());
    }
    copy_below(path, 0)?;
    hide(&mut Stack::new(path))
}

/// Runs `work` with the path beside `path` that a rename asks for; `None` when
/// its name cannot be read or no key can have it, which is the kernel's to tell.
fn with_new_name<R>(
    path: &[u16],
    name: *const UNICODE_STRING,
    work: impl FnOnce(&[u16]) -> R,
) -> Option<R> {
    // SAFETY: plain data; a bad pointer is a return value.
    let string = unsafe { guard::read(name) }.ok()?;
    let units = usize::from(string.Length) / 2;
    if !(1..=LONGEST).contains(&units) {
        return None;
    }
    let parent = path.len() - key::last(path).len();
    scratch::with(parent + units, |new| {
        let (head, tail) = new.split_at_mut_checked(parent)?;
        head.copy_from_slice(path.get(..parent)?);
        let place: *mut [u16] = tail.get_mut(..units)?;
        // SAFETY: `place` has the room; the source may be bad.
        unsafe { guard::copy(place.cast(), string.Buffer.cast(), units * 2) }.ok()?;
        if tail.get(..units)?.contains(&SEPARATOR) {
            return None;
        }
        new.get(..parent + units).map(work)
    })
    .flatten()
}

/// Copies up the key and all its subkeys.
fn copy_below(path: &[u16], depth: usize) -> Result<(), NTSTATUS> {
    if depth > DEEPEST {
        let why = "copying a key with so many levels of subkeys";
        return Err(refused::because(path, why, STATUS_NOT_SUPPORTED));
    }
    copy_up::whole(path)?;
    if listed::is_upper_alone(path)? {
        return Ok(());
    }
    let mut children = listed::whole(path)?;
    for index in 0..children.count() {
        let Some(entry) = children.entry(index) else {
            break;
        };
        let (child, _) = children.names(entry);
        raw::with_child(path, child, |child| copy_below(child, depth + 1))
            .ok_or(STATUS_NAME_TOO_LONG)??;
    }
    Ok(())
}
