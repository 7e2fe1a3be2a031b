//! Copying a node of a lower layer into the upper. The copy is made under a
//! reserved name and renamed, so that nobody ever sees half of it; who comes
//! second uses what is there.

use super::open::is_of_the_store;
use super::raw::{self, Basic, How, Owned};
use super::view::{View, with_name};
use super::{cache, lent, metadata, names};
use crate::{scratch, state, trace};
use core::ffi::c_void;
use core::sync::atomic::{AtomicU32, Ordering};
use pinion_layers::{Kind, Tree, Upper, make_parents};
use pinion_names::file;
use pinion_nt::calls::{NtReadFile, NtWriteFile};
use pinion_nt::status::{
    STATUS_ACCESS_DENIED, STATUS_NO_MEMORY, STATUS_OBJECT_NAME_COLLISION,
    STATUS_OBJECT_PATH_NOT_FOUND, success,
};
use pinion_nt::{HANDLE, NTSTATUS};
use pinion_wire::tally::Tally;
use pinion_wire::trace::Verdict;

/// What a copied file must hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// All that the original holds.
    Whole,
    /// The caller empties it at once: nothing, where that saves much.
    MayBeEmpty,
}

/// A file up to this size in bytes is copied even when the caller empties it:
/// then the call may still fail without the content being gone.
const SMALL: u64 = 0x1_0000;

/// Gives the upper its own node for the path of `view`, which is seen in
/// `layer` as `kind`.
pub(crate) fn node(
    view: &mut View<'_>,
    layer: usize,
    kind: Kind,
    content: Content,
) -> Result<(), NTSTATUS> {
    if !make_parents(view)? {
        return Err(STATUS_OBJECT_PATH_NOT_FOUND);
    }
    let depth = view.depth();
    match kind {
        Kind::Directory => view.make_directory(depth, layer)?,
        Kind::Leaf => leaf(view, layer, content)?,
    }
    Tally::count(&state::tally().copied_up);
    trace::verdict(Verdict::CopiedUp);
    Ok(())
}

fn leaf(view: &View<'_>, layer: usize, content: Content) -> Result<(), NTSTATUS> {
    const GENERIC_READ: u32 = 0x8000_0000;
    let how = How {
        access: GENERIC_READ,
        attributes: 0,
        disposition: raw::OPEN,
        options: raw::NON_DIRECTORY_FILE,
    };
    let path = view.path();
    let opened = with_name(layer, path, &[], |name| raw::open(name, how))?;
    let source = match opened {
        Err(raw::STATUS_SHARING_VIOLATION) if !view.own.is_null() => {
            Source::Lent(lent::borrow(view.own)?)
        }
        opened => Source::Opened(opened?),
    };
    let source = source.file();
    if layer == View::host() && is_of_the_store(source.0) {
        return Err(STATUS_ACCESS_DENIED);
    }
    // Before the content is read: a change of the host from here on is one that
    // the copy may lack.
    view.keep_base(layer);
    let basic = view.basic(layer, view.depth())?.unwrap_or_default();
    let parent = view.depth() - 1;
    let times = view.basic(0, parent)?;
    let (copy, filled) = temporary(path, |copy, name| {
        with_name(layer, path, &[], |from| {
            metadata::streams(source, from, name)
        })??;
        fill(source, copy, &basic, content)?;
        names::with_own_case(source.0, path, |path| {
            with_name(0, path, &[], |name| raw::rename(copy, name))?
        })?
    })?;
    cache::made(path);
    if let Some(times) = times {
        view.set_times(parent, times);
    }
    match filled {
        Ok(()) => Ok(()),
        Err(status) => {
            // What stays behind under a reserved name is seen by nobody.
            let _ = raw::delete(&copy);
            if status == STATUS_OBJECT_NAME_COLLISION {
                Ok(())
            } else {
                Err(status)
            }
        }
    }
}

/// Where a copy's content comes from.
enum Source {
    Opened(Owned),
    /// The program's own handle, which shares with nobody.
    Lent(lent::Lent),
}

impl Source {
    fn file(&self) -> &Owned {
        match self {
            Self::Opened(file) => file,
            Self::Lent(lent) => &lent.file,
        }
    }
}

/// Read-only, hidden, system (winnt.h): NT refuses to empty such a file, unless
/// the call gives it the same attributes again (`CreateFile` documentation).
const KEEPING: u32 = raw::READ_ONLY | 0x2 | 0x4;

fn fill(source: &Owned, copy: &Owned, basic: &Basic, content: Content) -> Result<(), NTSTATUS> {
    let empties =
        content == Content::MayBeEmpty && basic.attributes & KEEPING == 0 && size(source)? > SMALL;
    if !empties {
        data(source, copy)?;
    }
    metadata::copy(source, copy);
    let attributes = metadata::settable(basic.attributes);
    raw::set_basic(
        copy,
        &Basic {
            attributes,
            ..*basic
        },
    )
}

/// Makes an empty file beside `path` in the upper, under a name that no other
/// thread uses, and runs `work` with it and its NT name.
fn temporary<R>(
    path: &[u16],
    work: impl FnOnce(&Owned, &[u16]) -> R,
) -> Result<(Owned, R), NTSTATUS> {
    /// `GENERIC_WRITE`, `DELETE`, reading and writing of attributes, and for what
    /// else a file has.
    const ACCESS: u32 = 0x4001_0180 | metadata::ACCESS;
    static SERIAL: AtomicU32 = AtomicU32::new(0);
    let how = How {
        access: ACCESS,
        attributes: 0,
        disposition: raw::CREATE,
        options: raw::NON_DIRECTORY_FILE,
    };
    let (directory, _) = file::split_last(path);
    let mut work = Some(work);
    loop {
        let mut name = [0; 40];
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let name = temporary_name(thread(), serial, &mut name);
        let made = with_name(0, directory, name, |name| {
            let copy = raw::open(name, how)?;
            let work = work.take().ok_or(STATUS_NO_MEMORY)?;
            let result = work(&copy, name);
            Ok((copy, result))
        })?;
        match made {
            Err(STATUS_OBJECT_NAME_COLLISION) => {}
            made => return made,
        }
    }
}

/// `\.wh..wh.<thread><serial>` in hexadecimal digits.
fn temporary_name(thread: u32, serial: u32, out: &mut [u16; 40]) -> &[u16] {
    let number = u64::from(thread) << 32 | u64::from(serial);
    let head = "\\.wh..wh.".encode_utf16();
    let digits = (0..16).map(|index| {
        let digit = (number >> (60 - index * 4) & 0xf) as u8;
        u16::from(if digit < 10 {
            b'0' + digit
        } else {
            b'a' + digit - 10
        })
    });
    let mut length = 0;
    for (place, unit) in out.iter_mut().zip(head.chain(digits)) {
        *place = unit;
        length += 1;
    }
    out.get(..length).unwrap_or(&[])
}

/// This thread's number, of which no other living thread of the system has the
/// same.
pub(crate) fn thread() -> u32 {
    let id: u64;
    // SAFETY: gs:[0x48] is the thread's id in every x64 TEB.
    unsafe {
        core::arch::asm!("mov {}, gs:[0x48]", out(reg) id, options(nostack, pure, readonly));
    }
    id as u32
}

/// The size of `file` in bytes (`FileStandardInformation`).
fn size(file: &Owned) -> Result<u64, NTSTATUS> {
    let (mut standard, mut io) = ([0_u64; 3], raw::block());
    // SAFETY: the structure has 24 bytes.
    raw::check(unsafe {
        crate::hooks::kept::NtQueryInformationFile(
            file.0,
            &raw mut io,
            standard.as_mut_ptr().cast(),
            24,
            5,
        )
    })?;
    Ok(standard[1])
}

/// Copies all bytes. Stretches of zeros are not written, so that the copy of a
/// sparse file needs no more room than it, where the file system allows.
pub(crate) fn data(source: &Owned, copy: &Owned) -> Result<(), NTSTATUS> {
    scratch::with(scratch::LARGE, |buffer| {
        let length = size_of_val(buffer) as u32;
        let (mut end, mut ends_in_zeros) = (0_u64, false);
        loop {
            let read = transfer(source.0, buffer.as_mut_ptr().cast(), length, None)?;
            if read == 0 {
                break;
            }
            let units = buffer.get(..read as usize / 2).unwrap_or(&[]);
            ends_in_zeros = read.is_multiple_of(2) && units.iter().all(|&unit| unit == 0);
            if !ends_in_zeros {
                write(copy, buffer, read, end)?;
            }
            end += u64::from(read);
        }
        if ends_in_zeros {
            /// `FileEndOfFileInformation` (wdm.h).
            const END_OF_FILE: u32 = 20;
            // SAFETY: the class takes one such number.
            unsafe { raw::set_raw(copy.0, END_OF_FILE, (&raw const end).cast(), 8) }?;
        }
        Ok(())
    })
    .unwrap_or(Err(STATUS_NO_MEMORY))
}

/// Writes the first `size` bytes of `buffer` to `copy` from its byte `at` on.
fn write(copy: &Owned, buffer: &mut [u16], size: u32, at: u64) -> Result<(), NTSTATUS> {
    let mut done = 0;
    while done < size {
        // SAFETY: `done` is below the buffer's size.
        let from = unsafe { buffer.as_mut_ptr().cast::<u8>().add(done as usize) };
        let place = at + u64::from(done);
        done += transfer(copy.0, from.cast(), size - done, Some(place))?.max(1);
    }
    Ok(())
}

/// Writes from the byte `place` on, or reads at the file's own position when there
/// is none; gives how many bytes, 0 at the end of the file.
fn transfer(
    file: HANDLE,
    bytes: *mut c_void,
    length: u32,
    place: Option<u64>,
) -> Result<u32, NTSTATUS> {
    const STATUS_END_OF_FILE: NTSTATUS = 0xC000_0011_u32 as i32;
    let null = core::ptr::null_mut();
    let (none, mut io) = (core::ptr::null(), raw::block());
    // SAFETY: the file is opened for synchronous use; the buffer is the
    // agent's and has so many bytes.
    let status = unsafe {
        if let Some(place) = place.map(|place| place as i64) {
            NtWriteFile(
                file,
                null,
                none,
                none,
                &raw mut io,
                bytes,
                length,
                &raw const place,
                none.cast(),
            )
        } else {
            NtReadFile(
                file,
                null,
                none,
                none,
                &raw mut io,
                bytes,
                length,
                none.cast(),
                none.cast(),
            )
        }
    };
    match status {
        STATUS_END_OF_FILE => Ok(0),
        status if success(status) => Ok(io.Information as u32),
        status => Err(status),
    }
}
