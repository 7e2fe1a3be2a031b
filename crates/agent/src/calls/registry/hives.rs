//! Saving a tree of keys to a file, and restoring one.
//!
//! The kernel saves keys of one place only. A tree that several layers make up
//! is put together below the upper's `Scratch` for the moment, so that saving,
//! like any read, leaves no copy; what a killed process left there is of no
//! meaning.

use super::raw::{self, Key};
use super::rename::{DEEPEST, copy_tree};
use super::tree::Stack;
use super::values::with_standing;
use super::{access, copy_up, handles, listed, names, refused};
use crate::hooks::{self, kept};
use crate::{scratch, state};
use pinion_layers::{Lookup, lookup};
use pinion_names::key;
use pinion_nt::status::{
    STATUS_NAME_TOO_LONG, STATUS_NO_MORE_ENTRIES, STATUS_NOT_SUPPORTED,
    STATUS_OBJECT_NAME_NOT_FOUND, STATUS_PRIVILEGE_NOT_HELD, STATUS_SUCCESS, success,
};
use pinion_nt::{HANDLE, NTSTATUS, OBJECT_ATTRIBUTES};

/// As `NtSaveKey`.
pub(crate) unsafe fn save_key(key: HANDLE, file: HANDLE) -> NTSTATUS {
    save(key, |key, write| {
        let file = if write { file } else { core::ptr::null_mut() };
        // SAFETY: takes only handles.
        unsafe { kept::NtSaveKey(key, file) }
    })
}

/// As `NtSaveKeyEx`.
pub(crate) unsafe fn save_key_ex(key: HANDLE, file: HANDLE, format: u32) -> NTSTATUS {
    save(key, |key, write| {
        let file = if write { file } else { core::ptr::null_mut() };
        // SAFETY: takes only handles.
        unsafe { kept::NtSaveKeyEx(key, file, format) }
    })
}

/// Saves by `call`, which writes nothing when its second argument says so: so
/// the kernel's refusal is had before anything is put together.
fn save(key: HANDLE, call: impl Fn(HANDLE, bool) -> NTSTATUS) -> NTSTATUS {
    if call(key, false) == STATUS_PRIVILEGE_NOT_HELD {
        return STATUS_PRIVILEGE_NOT_HELD;
    }
    if handles::is_native(key) {
        return call(key, true);
    }
    let saved = names::with_vm_name(key, |name, _| {
        if listed::is_upper_alone(name)? {
            return Ok(with_standing(key, |key| call(key, true)));
        }
        with_gathered(name, |root| call(root.handle(), true))
    });
    match saved {
        Ok(Ok(status) | Err(status)) => status,
        Err(_) => call(key, true),
    }
}

/// Puts the VM's tree `name` together, runs `work` with its root, and takes it
/// away again.
fn with_gathered(name: &[u16], work: impl FnOnce(&Key) -> NTSTATUS) -> Result<NTSTATUS, NTSTATUS> {
    let layer = state::page().layers().first();
    let keys = layer.map_or(&[][..], |layer| layer.keys.as_units());
    scratch::with(keys.len() + key::SCRATCH.len(), |tree| {
        let length = key::beside(keys, key::SCRATCH, &[], tree);
        let tree = tree.get(..length.map_err(|_| STATUS_NAME_TOO_LONG)?);
        let tree = tree.unwrap_or(&[]);
        raw::create(tree, access::ALL, &[])?;
        copy_up::with_staged_path(tree, |root| {
            let _ = clear(root, DEEPEST);
            let done = gather(name, root, DEEPEST)
                .and_then(|()| raw::open(root, access::READ))
                .map(|root| work(&root));
            let _ = clear(root, DEEPEST);
            done
        })?
    })
    .ok_or(STATUS_NAME_TOO_LONG)?
}

/// Copies the VM's tree `name` to the real path `target`.
fn gather(name: &[u16], target: &[u16], depth: usize) -> Result<(), NTSTATUS> {
    let mut stack = Stack::new(name);
    let Lookup::Found { layer, .. } = lookup(&mut stack)? else {
        return Err(STATUS_OBJECT_NAME_NOT_FOUND);
    };
    let source = stack.open(layer, stack.whole(), access::READ)?;
    let made = copy_up::with_class(&source, |class| raw::create(target, access::ALL, class))?;
    copy_up::copy_values(&source, &made)?;
    let Some(depth) = depth.checked_sub(1) else {
        let why = "saving a key with so many levels of subkeys";
        return Err(refused::because(name, why, STATUS_NOT_SUPPORTED));
    };
    let mut children = listed::whole(name)?;
    for index in 0..children.count() {
        let Some(entry) = children.entry(index) else {
            break;
        };
        let (child, _) = children.names(entry);
        raw::with_child(name, child, |name| {
            raw::with_child(target, child, |target| gather(name, target, depth))
        })
        .flatten()
        .ok_or(STATUS_NAME_TOO_LONG)??;
    }
    Ok(())
}

/// Deletes the real key `path` and all below it.
pub(super) fn clear(path: &[u16], depth: usize) -> Result<(), NTSTATUS> {
    const DELETE: u32 = 0x1_0000;
    let key = raw::open_link(path, access::ENUMERATE | DELETE)?;
    loop {
        let mut below = None;
        let visited = raw::each_child(&key, |child| {
            below = raw::with_child(path, child.name, |path| {
                let depth = depth.checked_sub(1).ok_or(STATUS_NOT_SUPPORTED)?;
                clear(path, depth)
            });
            Err(STATUS_NO_MORE_ENTRIES)
        });
        match (visited, below) {
            (Ok(()), _) => break,
            (_, Some(Ok(()))) => {}
            (Err(status), _) => return Err(status),
        }
    }
    // SAFETY: the handle is the agent's own.
    match unsafe { kept::NtDeleteKey(key.handle()) } {
        status if success(status) => Ok(()),
        status => Err(status),
    }
}

/// As `NtRestoreKey`, into a tree that is all the upper's own. Wine does nothing
/// and says that it has (observed on Wine 8 and 10), whatever the file.
pub(crate) unsafe fn restore_key(key: HANDLE, file: HANDLE, flags: u32) -> NTSTATUS {
    let restore = |key, file| {
        // SAFETY: takes only handles.
        unsafe { kept::NtRestoreKey(key, file, flags) }
    };
    let asked = restore(key, core::ptr::null_mut());
    if success(asked) || asked == STATUS_PRIVILEGE_NOT_HELD {
        return asked;
    }
    let restored = names::with_vm_name(key, |name, _| {
        copy_tree(name)?;
        let stack = Stack::new(name);
        let own = stack.open(0, stack.whole(), access::ALL)?;
        Ok(restore(own.handle(), file))
    });
    handles::changed();
    match restored {
        Ok(Ok(status) | Err(status)) | Err(status) => status,
    }
}

/// As `NtReplaceKey`: no key of a VM is a hive's. Wine says that it has done it
/// (observed on Wine 8 and 10).
pub(crate) unsafe fn replace_key(
    _new: *const OBJECT_ATTRIBUTES,
    _target: HANDLE,
    _old: *const OBJECT_ATTRIBUTES,
) -> NTSTATUS {
    if hooks::is_wine() {
        return STATUS_SUCCESS;
    }
    refused::hive("NtReplaceKey: no key of a VM is a hive's")
}
