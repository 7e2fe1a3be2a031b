//! The exports that are given the URL of a queue or of a URL group: it is bound, and
//! all else goes as it is.

use super::Export;
use super::decision::with_url;
use core::ffi::c_void;
use pinion_nt::HANDLE;

/// As `HttpAddUrl` (http.h).
pub(super) unsafe extern "system" fn add(
    queue: HANDLE,
    url: *const u16,
    reserved: *const c_void,
) -> u32 {
    type Add = unsafe extern "system" fn(HANDLE, *const u16, *const c_void) -> u32;
    let export = Export::HttpAddUrl;
    // SAFETY: the export's own type, and the program's arguments but for the URL.
    let call = |url: *const u16| unsafe { export.original::<Add>()(queue, url, reserved) };
    // SAFETY: the program vouches for its text to the export.
    unsafe { with_url(export, url, call) }
}

/// As `HttpRemoveUrl` (http.h).
pub(super) unsafe extern "system" fn remove(queue: HANDLE, url: *const u16) -> u32 {
    type Remove = unsafe extern "system" fn(HANDLE, *const u16) -> u32;
    let export = Export::HttpRemoveUrl;
    // SAFETY: as in `add`.
    let call = |url: *const u16| unsafe { export.original::<Remove>()(queue, url) };
    // SAFETY: as in `add`.
    unsafe { with_url(export, url, call) }
}

/// As `HttpAddUrlToUrlGroup` (http.h).
pub(super) unsafe extern "system" fn add_to_group(
    group: u64,
    url: *const u16,
    context: u64,
    reserved: u32,
) -> u32 {
    type Add = unsafe extern "system" fn(u64, *const u16, u64, u32) -> u32;
    let export = Export::HttpAddUrlToUrlGroup;
    // SAFETY: as in `add`.
    let call = |url: *const u16| unsafe { export.original::<Add>()(group, url, context, reserved) };
    // SAFETY: as in `add`.
    unsafe { with_url(export, url, call) }
}

/// As `HttpRemoveUrlFromUrlGroup` (http.h); with `HTTP_URL_FLAG_REMOVE_ALL` there is
/// no URL.
pub(super) unsafe extern "system" fn remove_from_group(
    group: u64,
    url: *const u16,
    flags: u32,
) -> u32 {
    type Remove = unsafe extern "system" fn(u64, *const u16, u32) -> u32;
    let export = Export::HttpRemoveUrlFromUrlGroup;
    // SAFETY: as in `add`.
    let call = |url: *const u16| unsafe { export.original::<Remove>()(group, url, flags) };
    // SAFETY: as in `add`.
    unsafe { with_url(export, url, call) }
}

/// As `HttpFindUrlGroupId` (http.h, since Windows 10).
pub(super) unsafe extern "system" fn find_group(
    url: *const u16,
    queue: HANDLE,
    group: *mut u64,
) -> u32 {
    type Find = unsafe extern "system" fn(*const u16, HANDLE, *mut u64) -> u32;
    let export = Export::HttpFindUrlGroupId;
    // SAFETY: as in `add`.
    let call = |url: *const u16| unsafe { export.original::<Find>()(url, queue, group) };
    // SAFETY: as in `add`.
    unsafe { with_url(export, url, call) }
}
