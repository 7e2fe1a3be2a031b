//! Where a VM's window stations lie: in its own object directory, so that their
//! names are the VM's own as those of other objects are (`calls/objects.rs`).

use super::table::kernel;
use crate::calls::objects::{self, Intent};
use crate::hooks::{self, kept as nt};
use crate::{scratch, state};
use pinion_names::station;
use pinion_names::units::join;
use pinion_nt::calls::NtQueryDirectoryObject;
use pinion_nt::status::success;
use pinion_nt::{
    HANDLE, NTSTATUS, OBJ_CASE_INSENSITIVE, UNICODE_STRING, object_attributes, unicode_string,
};

/// `OBJ_OPENIF` (ntdef.h).
pub(super) const OPEN_IF: u32 = 0x80;
/// All rights of an object directory (`DIRECTORY_ALL_ACCESS`, winnt.h) but those
/// of its owner.
const DIRECTORY_RIGHTS: u32 = 0xf;
/// `STANDARD_RIGHTS_REQUIRED | WINSTA_ALL_ACCESS` (winuser.h).
pub(super) const STATION_RIGHTS: u32 = 0xf_037f;

/// Makes or opens the VM's window station of this name.
pub(super) fn make(name: &[u16]) -> Option<HANDLE> {
    let directory = directory()?;
    let handle = placed(directory, name, Intent::Create, |root, name| {
        let name = unicode_string(name)?;
        let attributes = object_attributes(root, &raw const name, OBJ_CASE_INSENSITIVE | OPEN_IF);
        // SAFETY: the attributes are locals.
        let handle = unsafe {
            kernel::NtUserCreateWindowStation(&raw const attributes, STATION_RIGHTS, 0, 0, 0, 0, 0)
        };
        (handle != 0).then_some(handle as HANDLE)
    });
    // SAFETY: the handle is this call's own.
    unsafe { nt::NtClose(directory) };
    handle.ok()?
}

/// Runs `work` with the NT path of the session's directory of window stations
/// below `root`.
pub(super) fn with_stations<R>(root: &[u16], work: impl FnOnce(&[u16]) -> R) -> Option<R> {
    let session = state::page().session;
    let digit = u16::try_from(session).ok().filter(|one| *one < 10)? + u16::from(b'0');
    let (mut sessions, mut tail) = ([0; 16], [0; 32]);
    let sessions = ascii("\\Sessions\\", &mut sessions);
    let tail = ascii("\\Windows\\WindowStations", &mut tail);
    scratch::with(512, |out| {
        let length = match session {
            0 => join(&[root, tail], out),
            _ => join(&[root, sessions, &[digit], tail], out),
        };
        Some(work(out.get(..length.ok()?)?))
    })?
}

/// Opens the VM's directory of window stations of its session.
fn directory() -> Option<HANDLE> {
    with_stations(state::page().object_directory.as_units(), |path| {
        let name = unicode_string(path)?;
        let attributes =
            object_attributes(core::ptr::null_mut(), &raw const name, OBJ_CASE_INSENSITIVE);
        let mut handle: HANDLE = core::ptr::null_mut();
        // SAFETY: all pointers are to locals.
        let status = unsafe {
            nt::NtOpenDirectoryObject(&raw mut handle, DIRECTORY_RIGHTS, &raw const attributes)
        };
        success(status).then_some(handle)
    })?
}

/// Runs `work` with the directory and the name that the window station `name`
/// of `root` has there: on Wine a directory of its name and one name for all.
///
/// # Errors
/// The kernel's status when there is no such directory, or none can be made.
pub(super) fn placed<R>(
    root: HANDLE,
    name: &[u16],
    intent: Intent,
    work: impl FnOnce(HANDLE, &[u16]) -> R,
) -> Result<R, NTSTATUS> {
    if !hooks::is_wine() {
        return Ok(work(root, name));
    }
    let string = unicode_string(name).ok_or(objects::NO_ROOM)?;
    let attributes = object_attributes(root, &raw const string, OBJ_CASE_INSENSITIVE | OPEN_IF);
    let mut place: HANDLE = core::ptr::null_mut();
    // SAFETY: all pointers are to locals, and the name is copied.
    let status = unsafe {
        let (place, attributes) = (&raw mut place, &raw const attributes);
        match intent {
            Intent::Create => nt::NtCreateDirectoryObject(place, DIRECTORY_RIGHTS, attributes),
            Intent::Open => nt::NtOpenDirectoryObject(place, DIRECTORY_RIGHTS, attributes),
        }
    };
    if !success(status) {
        return Err(status);
    }
    let mut leaf = [0; 32];
    let result = work(place, ascii(station::WINE_LEAF, &mut leaf));
    // SAFETY: the handle is this call's own.
    unsafe { nt::NtClose(place) };
    Ok(result)
}

/// `text` in units; it must be ASCII and fit.
pub(super) fn ascii<'u, const N: usize>(text: &str, units: &'u mut [u16; N]) -> &'u [u16] {
    for (unit, byte) in units.iter_mut().zip(text.bytes()) {
        *unit = u16::from(byte);
    }
    units.get(..text.len()).unwrap_or(&[])
}

/// Calls `visit` with the name of each window station of the VM.
pub(super) fn each(mut visit: impl FnMut(&[u16])) {
    let Some(directory) = directory() else {
        return;
    };
    let mut context = 0;
    loop {
        /// Two strings and the units of both.
        #[repr(align(8))]
        struct Entry([u16; 600]);
        let mut entry = Entry([0; 600]);
        // SAFETY: the buffer and the context are locals.
        let status = unsafe {
            let (place, size) = (entry.0.as_mut_ptr().cast(), size_of::<Entry>() as u32);
            NtQueryDirectoryObject(
                directory,
                place,
                size,
                1,
                0,
                &raw mut context,
                core::ptr::null_mut(),
            )
        };
        if !success(status) {
            break;
        }
        // SAFETY: the kernel wrote an entry, whose first part is the name's string.
        let name = unsafe { entry.0.as_ptr().cast::<UNICODE_STRING>().read() };
        // SAFETY: that string points into the buffer.
        visit(unsafe { core::slice::from_raw_parts(name.Buffer, usize::from(name.Length) / 2) });
    }
    // SAFETY: the handle is this call's own.
    unsafe { nt::NtClose(directory) };
}
