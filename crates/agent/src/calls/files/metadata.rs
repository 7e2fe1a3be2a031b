//! What a copied file has beside its bytes, times and attributes: security
//! descriptor, extended attributes, short name, alternate streams.
//!
//! The file systems of Wine have only the first, as the mode of a Unix file
//! (observed on Wine 8 and Wine 10). All but the streams hold no content of the
//! file: what cannot be set stays as a new file has it.

use super::copy_up;
use super::raw::{self, How, Owned};
use crate::hooks::{self, kept};
use crate::scratch;
use pinion_names::units::join;
use pinion_nt::calls::{NtQueryEaFile, NtQuerySecurityObject, NtSetEaFile, NtSetSecurityObject};
use pinion_nt::status::{STATUS_NAME_TOO_LONG, success};
use pinion_nt::{HANDLE, NTSTATUS};
use pinion_wire::rights::Rights;

/// The access that a copy needs beside that to its bytes: `WRITE_DAC`,
/// `FILE_WRITE_EA` (winnt.h).
pub(crate) const ACCESS: u32 = 0x4_0000 | 0x10;

/// Gives `copy` what `source` has, but for its streams.
pub(crate) fn copy(source: &Owned, copy: &Owned) {
    security(source.0, copy.0);
    if !hooks::is_wine() {
        extended_attributes(source.0, copy.0);
        short_name(source.0, copy.0);
    }
}

/// What to set so that a file has the attributes `shown`; never 0, which leaves
/// them in NT and on Wine 8, and which Wine 10 takes for none (observed).
pub(crate) fn settable(shown: u32) -> u32 {
    /// The attributes that `FileBasicInformation` can set: read-only, hidden,
    /// system, archive, temporary, offline, not content indexed (MS-FSCC 2.6).
    const SETTABLE: u32 = 0x1 | 0x2 | 0x4 | 0x20 | 0x100 | 0x1000 | 0x2000;
    const NORMAL: u32 = 0x80;
    match shown & SETTABLE {
        0 => NORMAL,
        some => some,
    }
}

/// The list of rights, where it is not what a new file has. The owner stays who
/// made the copy.
fn security(source: HANDLE, copy: HANDLE) {
    scratch::with(scratch::LARGE, |buffer| {
        let (wanted, own) = buffer.split_at_mut(scratch::LARGE / 2);
        let Some(length) = rights(source, wanted) else {
            return;
        };
        if rights(copy, own) == Some(length) && wanted.get(..length) == own.get(..length) {
            return;
        }
        // SAFETY: the query wrote a descriptor there.
        unsafe { NtSetSecurityObject(copy, DACL, wanted.as_ptr().cast()) };
    });
}

/// `DACL_SECURITY_INFORMATION` (winnt.h).
const DACL: u32 = 4;

/// Writes a descriptor with the list of rights of `file`; its length in units.
fn rights(file: HANDLE, out: &mut [u16]) -> Option<usize> {
    let (size, mut needed) = (size_of_val(out) as u32, 0);
    // SAFETY: the buffer has the given size.
    let status = unsafe {
        NtQuerySecurityObject(file, DACL, out.as_mut_ptr().cast(), size, &raw mut needed)
    };
    success(status).then_some(needed.div_ceil(2) as usize)
}

/// The figure of the list of rights of `file`; 0 when it does not tell.
pub(crate) fn figure(file: HANDLE) -> u64 {
    let figure = scratch::with(scratch::LARGE, |buffer| {
        let length = rights(file, buffer)?;
        let units = buffer.get(..length)?;
        // SAFETY: the same memory, which any byte may be read of.
        let bytes =
            unsafe { core::slice::from_raw_parts(units.as_ptr().cast::<u8>(), size_of_val(units)) };
        Rights::of(bytes).map(|rights| rights.figure())
    });
    figure.flatten().unwrap_or(0)
}

fn extended_attributes(source: HANDLE, copy: HANDLE) {
    scratch::with(scratch::LARGE, |buffer| {
        let (mut io, none) = (raw::block(), core::ptr::null::<core::ffi::c_void>());
        let start = buffer.as_mut_ptr().cast();
        let size = size_of_val(buffer) as u32;
        // SAFETY: the buffer has the given size; what is set was written by the
        // query.
        unsafe {
            let index = none.cast();
            let status = NtQueryEaFile(source, &raw mut io, start, size, 0, none, 0, index, 1);
            let length = io.Information as u32;
            if success(status) && length > 0 {
                NtSetEaFile(copy, &raw mut io, start, length);
            }
        }
    });
}

/// The short name, by which programs may have stored the path. Setting one needs
/// a privilege that few have.
fn short_name(source: HANDLE, copy: HANDLE) {
    /// `FileAlternateNameInformation`, `FileShortNameInformation` (wdm.h): both a
    /// `FILE_NAME_INFORMATION`.
    const ALTERNATE: u32 = 21;
    const SHORT: u32 = 40;
    let (mut name, mut io) = ([0_u32; 8], raw::block());
    let start = name.as_mut_ptr().cast();
    // SAFETY: the structure has the given size.
    let status = unsafe {
        let size = size_of_val(&name) as u32;
        kept::NtQueryInformationFile(source, &raw mut io, start, size, ALTERNATE)
    };
    if success(status) {
        // SAFETY: so much of it was written.
        let _ = unsafe { raw::set_raw(copy, SHORT, start, io.Information) };
    }
}

/// Copies the alternate streams of `source`, whose NT name is `from`, to the
/// file of the NT name `to`.
pub(crate) fn streams(source: &Owned, from: &[u16], to: &[u16]) -> Result<(), NTSTATUS> {
    /// `FileStreamInformation` (wdm.h): next entry, length of the name in bytes,
    /// two sizes, the name.
    const STREAMS: u32 = 22;
    const NAME: usize = 24 / 2;
    if hooks::is_wine() {
        return Ok(());
    }
    scratch::with(scratch::LARGE, |buffer| {
        let mut io = raw::block();
        // SAFETY: the buffer has the given size.
        let status = unsafe {
            let size = size_of_val(buffer) as u32;
            let start = buffer.as_mut_ptr().cast();
            kept::NtQueryInformationFile(source.0, &raw mut io, start, size, STREAMS)
        };
        if !success(status) || io.Information == 0 {
            return Ok(());
        }
        let mut at = 0;
        loop {
            let entry = buffer.get(at..).unwrap_or(&[]);
            let word = |index: usize| entry.get(index).copied().map_or(0, usize::from);
            let name = entry.get(NAME..NAME + word(2) / 2).unwrap_or(&[]);
            if !is_unnamed(name) {
                stream(from, to, name)?;
            }
            match word(0) / 2 {
                0 => return Ok(()),
                next => at += next,
            }
        }
    })
    .unwrap_or(Ok(()))
}

/// Whether `name` is `::$DATA`: the file's own bytes.
fn is_unnamed(name: &[u16]) -> bool {
    const COLON: u16 = b':' as u16;
    matches!(name, [] | [COLON, COLON, ..])
}

fn stream(from: &[u16], to: &[u16], name: &[u16]) -> Result<(), NTSTATUS> {
    const GENERIC_READ: u32 = 0x8000_0000;
    const GENERIC_WRITE: u32 = 0x4000_0000;
    let how = |access, disposition| How {
        access,
        attributes: 0,
        disposition,
        options: raw::NON_DIRECTORY_FILE,
    };
    let source = with_stream(from, name, how(GENERIC_READ, raw::OPEN))?;
    let copy = with_stream(to, name, how(GENERIC_WRITE, raw::OPEN_IF))?;
    copy_up::data(&source, &copy)
}

fn with_stream(file: &[u16], name: &[u16], how: How) -> Result<Owned, NTSTATUS> {
    scratch::with(file.len() + name.len(), |whole| {
        let length = join(&[file, name], whole).map_err(|_| STATUS_NAME_TOO_LONG)?;
        raw::open(whole.get(..length).unwrap_or(&[]), how)
    })
    .unwrap_or(Err(STATUS_NAME_TOO_LONG))
}
