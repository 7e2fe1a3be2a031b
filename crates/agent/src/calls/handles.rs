//! Handles that end or come: what is known of the number is forgotten. They come
//! from members and go to members.

use super::{by_handle, files, registry};
use crate::guard;
use crate::hooks::kept;
use pinion_nt::status::success;
use pinion_nt::{CURRENT_PROCESS, HANDLE, NTSTATUS};

/// As `NtClose`.
pub(crate) unsafe fn close(handle: HANDLE) -> NTSTATUS {
    registry::forget(handle);
    files::ends(handle);
    files::closed(handle);
    // SAFETY: the program's own argument.
    unsafe { files::close(handle) }
}

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
    const DUPLICATE_CLOSE_SOURCE: u32 = 1;
    if let Err(status) = by_handle::process(source_process).and(by_handle::process(target_process))
    {
        return status;
    }
    if options & DUPLICATE_CLOSE_SOURCE != 0 {
        registry::forget(source);
        files::ends(source);
    }
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
            registry::forget(handle);
            files::forget(handle);
            if source_process == CURRENT_PROCESS && target_process == CURRENT_PROCESS {
                files::duplicated(source, handle);
            }
        }
    }
    if success(status) && options & DUPLICATE_CLOSE_SOURCE != 0 && source_process == CURRENT_PROCESS
    {
        files::closed(source);
    }
    status
}
