//! Loading and unloading hives, on Wine: to it a hive is a text whose keys are
//! made below the target (observed on Wine 8 and 10), so they are made in the
//! upper, under a passing name first. Windows mounts hives only where every
//! user would see them: there it is refused.
//!
//! A hive may hold links, which the kernel would follow out of the VM: such a
//! one is refused.

use super::bells::{self, Change};
use super::hives::clear;
use super::names::{self, Wanted};
use super::raw;
use super::rename::DEEPEST;
use super::tree::{self, Stack};
use super::{access, copy_up, handles, listed, marks, own_links, refused};
use crate::calls::open;
use crate::decode;
use crate::hooks::{self, kept};
use pinion_layers::{Lookup, lookup, make_parents};
use pinion_names::key;
use pinion_nt::calls::NtClose;
use pinion_nt::status::{
    STATUS_ACCESS_DENIED, STATUS_NAME_TOO_LONG, STATUS_NOT_SUPPORTED, STATUS_OBJECT_NAME_COLLISION,
    STATUS_OBJECT_NAME_NOT_FOUND, STATUS_PRIVILEGE_NOT_HELD, success,
};
use pinion_nt::{
    HANDLE, IO_STATUS_BLOCK, NTSTATUS, OBJ_CASE_INSENSITIVE, OBJECT_ATTRIBUTES, object_attributes,
    unicode_string,
};

type Attributes = *const OBJECT_ATTRIBUTES;

/// As `NtLoadKey`.
pub(crate) unsafe fn load_key(target: Attributes, source: Attributes) -> NTSTATUS {
    load(target, source)
}

/// As `NtLoadKey2`, whose flags Wine ignores.
pub(crate) unsafe fn load_key_2(target: Attributes, source: Attributes, _flags: u32) -> NTSTATUS {
    load(target, source)
}

/// As `NtLoadKeyEx`, of which Wine takes the same two arguments.
#[allow(clippy::too_many_arguments)]
pub(crate) unsafe fn load_key_ex(
    target: Attributes,
    source: Attributes,
    _flags: u32,
    _trust: HANDLE,
    _event: HANDLE,
    _access: u32,
    _root: *mut HANDLE,
    _reserved: *mut core::ffi::c_void,
) -> NTSTATUS {
    load(target, source)
}

fn load(target: Attributes, source: Attributes) -> NTSTATUS {
    const READ: u32 = 0x10_0001;
    const SHARE_ALL: u32 = 7;
    const SYNCHRONOUS: u32 = 0x20;
    if !hooks::is_wine() {
        return refused::hive("NtLoadKey: hives are not given to members");
    }
    let mut file: HANDLE = core::ptr::null_mut();
    // SAFETY: an all-zero status block is plain data.
    let mut io: IO_STATUS_BLOCK = unsafe { core::mem::zeroed() };
    // SAFETY: the outputs are locals; the attributes are the program's.
    let opened = unsafe {
        open::open_file(
            &raw mut file,
            READ,
            source,
            &raw mut io,
            SHARE_ALL,
            SYNCHRONOUS,
        )
    };
    if !success(opened) {
        return opened;
    }
    // SAFETY: the handle was opened above, and is closed once.
    let close = || unsafe { NtClose(file) };
    let loaded = raw::with_name(file, |path| {
        // The kernel opens it again, and shares it with nobody.
        close();
        with_target(target, |name| load_at(name, path))
    });
    match loaded {
        Ok(Ok(())) => 0,
        Ok(Err(status)) => status,
        Err(status) => {
            close();
            status
        }
    }
}

/// Runs `work` with the VM's name that the attributes mean.
fn with_target(
    target: Attributes,
    work: impl FnOnce(&[u16]) -> Result<(), NTSTATUS>,
) -> Result<(), NTSTATUS> {
    let wanted = Wanted {
        link: false,
        view_32: false,
    };
    decode::with_attributes(target, |decoded| {
        names::with_path(decoded, &wanted, |path| match path.map(|path| path.name) {
            Some(name) if !names::is_closed(name) => work(name),
            _ => Err(STATUS_ACCESS_DENIED),
        })?
    })
    .unwrap_or(Err(STATUS_OBJECT_NAME_NOT_FOUND))
}

/// Runs `call` with plain attributes for each path.
fn with_paths(
    paths: [&[u16]; 2],
    call: impl FnOnce(Attributes, Attributes) -> NTSTATUS,
) -> Result<(), NTSTATUS> {
    let names = paths.map(unicode_string);
    let [Some(first), Some(second)] = names else {
        return Err(STATUS_NAME_TOO_LONG);
    };
    let of = |name| object_attributes(core::ptr::null_mut(), name, OBJ_CASE_INSENSITIVE);
    let (first, second) = (of(&raw const first), of(&raw const second));
    match call(&raw const first, &raw const second) {
        status if success(status) => Ok(()),
        status => Err(status),
    }
}

fn load_at(name: &[u16], file: &[u16]) -> Result<(), NTSTATUS> {
    let mut stack = Stack::new(name);
    if !make_parents(&mut stack)? {
        return Err(STATUS_OBJECT_NAME_NOT_FOUND);
    }
    let above = stack.whole().saturating_sub(1);
    stack.with_real(0, above, |parent| {
        copy_up::with_staged_path(parent, |staged| {
            with_paths([staged, file], |target, source| {
                // SAFETY: the attributes live over the call.
                unsafe { kept::NtLoadKey(target, source) }
            })?;
            let moved = put_in_place(name, staged);
            if moved.is_err() {
                let _ = clear(staged, DEEPEST);
            }
            moved
        })?
    })??;
    handles::changed();
    bells::changed_at(key::first(name, above), Change::Names);
    Ok(())
}

fn put_in_place(name: &[u16], staged: &[u16]) -> Result<(), NTSTATUS> {
    if matches!(lookup(&mut Stack::new(name))?, Lookup::Found { .. }) {
        return Err(STATUS_OBJECT_NAME_COLLISION);
    }
    if has_link(staged, DEEPEST)? {
        let why = "a hive with links could lead out of the VM";
        return Err(refused::because(name, why, STATUS_ACCESS_DENIED));
    }
    marks::settle_link(name, false)?;
    copy_up::rename(&raw::open_link(staged, access::ALL)?, key::last(name))
}

/// Whether the real key `path`, or one below, is a link.
fn has_link(path: &[u16], depth: usize) -> Result<bool, NTSTATUS> {
    let key = raw::open_link(path, access::READ)?;
    if own_links::is_host_link(&key) {
        return Ok(true);
    }
    let depth = depth.checked_sub(1).ok_or(STATUS_NOT_SUPPORTED)?;
    let mut any = false;
    raw::each_child(&key, |child| {
        any |= raw::with_child(path, child.name, |path| has_link(path, depth))
            .ok_or(STATUS_NAME_TOO_LONG)??;
        Ok(())
    })?;
    Ok(any)
}

/// As `NtUnloadKey`: of a key that is all the VM's own. One of the host's is
/// none that a member loaded.
pub(crate) unsafe fn unload_key(target: Attributes) -> NTSTATUS {
    if !hooks::is_wine() {
        return refused::hive("NtUnloadKey: hives are not given to members");
    }
    let unload = |path: &[u16]| {
        with_paths([path, &[]], |target, _| {
            // SAFETY: the attributes live over the call.
            unsafe { kept::NtUnloadKey(target) }
        })
    };
    let unloaded = with_target(target, |name| {
        let seen = lookup(&mut Stack::new(name))?;
        if matches!(seen, Lookup::Found { .. }) && !listed::is_upper_alone(name)? {
            // A name that is not there: only the privilege is looked at.
            let held = unload(&[key::SEPARATOR]);
            let lacks = Err(STATUS_PRIVILEGE_NOT_HELD);
            return if held == lacks {
                lacks
            } else {
                Err(STATUS_ACCESS_DENIED)
            };
        }
        tree::with_real(name, 0, unload)??;
        handles::changed();
        let above = key::depth(name).saturating_sub(1);
        bells::changed_at(key::first(name, above), Change::Names);
        Ok(())
    });
    unloaded.map_or_else(|status| status, |()| 0)
}
