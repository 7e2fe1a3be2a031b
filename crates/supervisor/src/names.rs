//! The VM's object directory: the part of the kernel's namespace that its programs see as the whole.
//!
//! Made here as `namespace` lays it out. All of it is temporary and goes with the handles.

use std::os::windows::io::OwnedHandle;
use std::ptr::null_mut;

use pinion_nt::{HANDLE, OBJ_CASE_INSENSITIVE, calls, object_attributes, status, unicode_string};
use pinion_store::VmId;

use crate::error::Result;
use crate::namespace::{directories, links, root_path};
use crate::system::{nt_error, own};

/// `DIRECTORY_ALL_ACCESS` (ntifs.h).
const DIRECTORY_ALL_ACCESS: u32 = 0xf_000f;
/// `SYMBOLIC_LINK_ALL_ACCESS` (ntifs.h).
const SYMBOLIC_LINK_ALL_ACCESS: u32 = 0xf_0001;

/// The directory and all that was made in it, kept alive by handles.
#[derive(Debug)]
pub(crate) struct Names {
    root: String,
    _objects: Vec<OwnedHandle>,
}

impl Names {
    /// Makes the directory of this VM, empty but for the above.
    pub(crate) fn create(id: VmId, session: u32) -> Result<Self> {
        let root = root_path(id, session);
        let mut objects = vec![directory(&root)?];
        for path in directories(session) {
            objects.push(directory(&format!("{root}{path}"))?);
        }
        for (path, target) in links(session) {
            objects.push(link(&format!("{root}{path}"), &format!("{root}{target}"))?);
        }
        Ok(Self {
            root,
            _objects: objects,
        })
    }

    /// The directory's NT path, without a trailing backslash.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }
}

fn directory(path: &str) -> Result<OwnedHandle> {
    make(path, |handle, attributes| {
        // SAFETY: the attributes live over the call; `handle` is the caller's local.
        unsafe { calls::NtCreateDirectoryObject(handle, DIRECTORY_ALL_ACCESS, attributes) }
    })
}

/// Makes a link at `path` to `target`, both whole.
pub(crate) fn link(path: &str, target: &str) -> Result<OwnedHandle> {
    let units: Vec<u16> = target.encode_utf16().collect();
    let target = unicode_string(&units)
        .ok_or_else(|| nt_error(format!("link to {target}"), status::STATUS_NAME_TOO_LONG))?;
    make(path, |handle, attributes| {
        // SAFETY: the attributes and the target live over the call; `handle` is the caller's local.
        unsafe {
            calls::NtCreateSymbolicLinkObject(
                handle,
                SYMBOLIC_LINK_ALL_ACCESS,
                attributes,
                &raw const target,
            )
        }
    })
}

fn make(
    path: &str,
    create: impl FnOnce(*mut HANDLE, *const pinion_nt::OBJECT_ATTRIBUTES) -> i32,
) -> Result<OwnedHandle> {
    let what = || format!("create the kernel object {path}");
    let units: Vec<u16> = path.encode_utf16().collect();
    let name =
        unicode_string(&units).ok_or_else(|| nt_error(what(), status::STATUS_NAME_TOO_LONG))?;
    let attributes = object_attributes(null_mut(), &raw const name, OBJ_CASE_INSENSITIVE);
    let mut handle: HANDLE = null_mut();
    let status = create(&raw mut handle, &raw const attributes);
    if !status::success(status) {
        return Err(nt_error(what(), status));
    }
    // SAFETY: a fresh handle.
    unsafe { own(handle, what()) }
}
