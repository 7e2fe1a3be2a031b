//! Keeps in the upper what the host had where the VM takes a copy of a file or
//! key, or hides one: a line of the file of bases ([`pinion_wire::base`]). The
//! place of each line is taken by one addition in the tally, so that members
//! never write over one another and wait for none.

use super::metadata;
use super::raw::{self, Owned};
use crate::{scratch, state};
use core::sync::atomic::Ordering;
use pinion_nt::calls::NtWriteFile;
use pinion_nt::status::STATUS_NAME_TOO_LONG;
use pinion_nt::{NTSTATUS, OBJ_CASE_INSENSITIVE, object_attributes, unicode_string};
use pinion_wire::base::{self, Kind, Stamp};

/// `FILE_NETWORK_OPEN_INFORMATION` (wdm.h): creation, last access, last write
/// and change time, allocation, size, attributes.
type NetworkOpen = [u64; 7];

/// What the host's file of the NT name `name` is like; `None` when there is
/// none, or the host does not tell. What has no line cannot be merged into the
/// host unasked, so no failure here is the program's.
pub(crate) fn stamp(name: &[u16]) -> Option<Stamp> {
    let string = unicode_string(name)?;
    let null = core::ptr::null_mut();
    let attributes = object_attributes(null, &raw const string, OBJ_CASE_INSENSITIVE);
    let mut open: NetworkOpen = [0; 7];
    // SAFETY: the buffer is a FILE_NETWORK_OPEN_INFORMATION of 56 bytes.
    raw::check(unsafe {
        crate::hooks::kept::NtQueryFullAttributesFile(
            &raw const attributes,
            open.as_mut_ptr().cast(),
        )
    })
    .ok()?;
    let [_, _, written, changed, _, size, _] = open;
    Some(Stamp {
        kind: Kind::File,
        numbers: [size, written, changed],
    })
}

/// Keeps what the host's directory `original` is like, which has `attributes`, and
/// the rights that its copy `made` got.
pub(crate) fn keep_directory(original: &Owned, made: &Owned, attributes: u32, path: &[u16]) {
    let figures = [original, made].map(|directory| metadata::figure(directory.0));
    keep(
        &Stamp {
            kind: Kind::Directory,
            numbers: [attributes.into(), figures[0], figures[1]],
        },
        path,
    );
}

/// Keeps `stamp` of `path`.
pub(crate) fn keep(stamp: &Stamp, path: &[u16]) {
    scratch::with(base::HEAD + path.len() + 1, |line| {
        let length = base::write(stamp, path, line).unwrap_or(0);
        // See `stamp`.
        let _ = append(line.get(..length).unwrap_or(&[]));
    });
}

fn append(line: &[u16]) -> Result<(), NTSTATUS> {
    const FILE_WRITE_DATA: u32 = 0x2;
    let how = raw::How {
        access: FILE_WRITE_DATA,
        attributes: 0,
        disposition: raw::OPEN_IF,
        options: raw::NON_DIRECTORY_FILE,
    };
    let upper = state::page().layers().first();
    let upper = upper.map_or(&[][..], |upper| upper.files.as_units());
    let room = upper.len() + 1 + base::NAME.len();
    let file = scratch::with(room, |name| {
        let path = upper.iter().copied().chain([u16::from(b'\\')]);
        let path = path.chain(base::NAME.encode_utf16());
        for (place, unit) in name.iter_mut().zip(path) {
            *place = unit;
        }
        raw::open(name.get(..room).unwrap_or(&[]), how)
    })
    .unwrap_or(Err(STATUS_NAME_TOO_LONG))?;
    let bytes = size_of_val(line);
    let end = &state::tally().base_end;
    let at = end.fetch_add(bytes as u64, Ordering::Relaxed);
    let (null, none, mut io) = (core::ptr::null_mut(), core::ptr::null(), raw::block());
    // SAFETY: the handle is for synchronous use; line and offset are locals.
    raw::check(unsafe {
        NtWriteFile(
            file.0,
            null,
            none,
            none,
            &raw mut io,
            line.as_ptr().cast(),
            bytes as u32,
            (&raw const at).cast(),
            core::ptr::null(),
        )
    })
}
