//! Security descriptors of keys: kept when a key is copied up, and read from
//! the key that stands for a handle.

use super::raw::Key;
use super::{handles, values};
use crate::hooks::kept;
use crate::region::Region;
use core::ffi::c_void;
use pinion_nt::calls::NtSetSecurityObject;
use pinion_nt::status::{STATUS_BUFFER_TOO_SMALL, success};
use pinion_nt::{HANDLE, NTSTATUS};
use pinion_wire::rights::Rights;

/// `OWNER_SECURITY_INFORMATION`, `GROUP_SECURITY_INFORMATION`,
/// `DACL_SECURITY_INFORMATION` (winnt.h).
const OWNER: u32 = 1;
const GROUP: u32 = 2;
const DACL: u32 = 4;

/// As `NtQuerySecurityObject`. Only a handle known to be of a key may stand for
/// another.
pub(crate) unsafe fn query_security(
    object: HANDLE,
    information: u32,
    descriptor: *mut c_void,
    length: u32,
    needed: *mut u32,
) -> NTSTATUS {
    let query = |object| {
        // SAFETY: the program's own arguments but for the object.
        unsafe { kept::NtQuerySecurityObject(object, information, descriptor, length, needed) }
    };
    if handles::is_of_lower_key(object) {
        values::with_standing(object, query)
    } else {
        query(object)
    }
}

/// Runs `work` with the whole descriptor of `source`, self-relative.
pub(super) fn with_descriptor<R>(
    source: &Key,
    work: impl FnOnce(*const c_void) -> R,
) -> Result<R, NTSTATUS> {
    with_bytes(source, |bytes| work(bytes.as_ptr().cast()))
}

/// The figure of the list of rights of `source`; 0 when it does not tell.
pub(super) fn figure(source: &Key) -> u64 {
    let figure = with_bytes(source, |bytes| Rights::of(bytes).map(|r| r.figure()));
    figure.ok().flatten().unwrap_or(0)
}

fn with_bytes<R>(source: &Key, work: impl FnOnce(&[u8]) -> R) -> Result<R, NTSTATUS> {
    let mut region = Region::new(0x400)?;
    loop {
        let buffer = region.bytes();
        let mut needed = 0;
        // SAFETY: the region is the agent's own, of the size told.
        let status = unsafe {
            kept::NtQuerySecurityObject(
                source.handle(),
                OWNER | GROUP | DACL,
                buffer.as_mut_ptr().cast(),
                buffer.len() as u32,
                &raw mut needed,
            )
        };
        match status {
            STATUS_BUFFER_TOO_SMALL if needed as usize > buffer.len() => {
                region = Region::new(needed as usize)?;
            }
            _ if success(status) => return Ok(work(region.bytes())),
            _ => return Err(status),
        }
    }
}

/// Gives `target` the descriptor of `source`. Whose the key is can be kept only
/// by who may give it away; the copy's access list is the same in any case.
pub(super) fn copy(source: &Key, target: &Key) -> Result<(), NTSTATUS> {
    with_descriptor(source, |descriptor| {
        let set = |information| {
            // SAFETY: the kernel has just written the descriptor.
            unsafe { NtSetSecurityObject(target.handle(), information, descriptor) }
        };
        if success(set(OWNER | GROUP | DACL)) {
            return Ok(());
        }
        match set(DACL) {
            status if success(status) => Ok(()),
            status => Err(status),
        }
    })?
}
