//! Handles that come by duplication: nothing is known of them.

use super::handles;
use crate::guard;
use crate::hooks::kept;
use pinion_nt::status::success;
use pinion_nt::{HANDLE, NTSTATUS};

/// As `NtDuplicateObject`.
pub(crate) unsafe fn duplicate(
    source_process: HANDLE,
    source: HANDLE,
    target_process: HANDLE,
    target: *mut HANDLE,
    access: u32,
    attributes: u32,
    options: u32,
) -> NTSTATUS {
    // SAFETY: the program's own arguments.
    let status = unsafe {
        kept::NtDuplicateObject(
            source_process,
            source,
            target_process,
            target,
            access,
            attributes,
            options,
        )
    };
    if success(status) && !target.is_null() {
        // SAFETY: the kernel has just written there.
        if let Ok(handle) = unsafe { guard::read(target) } {
            handles::forget(handle);
        }
    }
    status
}
