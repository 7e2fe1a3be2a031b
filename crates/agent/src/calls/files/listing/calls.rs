//! The calls that list a directory.

use super::super::cache::{self, Fact};
use super::super::names;
use super::super::opened;
use super::super::raw;
use super::super::shares;
use super::super::view::{self, View};
use super::record::{HEAD, Layout, layout};
use super::snapshot::{Entry, Snapshot};
use super::table::{self, Listing, Merged};
use super::with_child;
use crate::hooks::{self, kept};
use crate::{guard, scratch};
use core::ffi::c_void;
use pinion_layers::{Lookup, sources};
use pinion_names::pattern;
use pinion_names::units::starts;
use pinion_nt::calls::{NtQueueApcThread, NtSetEvent};
use pinion_nt::status::{
    STATUS_ACCESS_DENIED, STATUS_BUFFER_OVERFLOW, STATUS_INFO_LENGTH_MISMATCH,
    STATUS_INSUFFICIENT_RESOURCES, STATUS_NO_MORE_FILES, STATUS_OBJECT_NAME_INVALID,
};
use pinion_nt::{CURRENT_THREAD, HANDLE, IO_STATUS_BLOCK, NTSTATUS, UNICODE_STRING};

/// `STATUS_INVALID_INFO_CLASS` (ntstatus.h).
const STATUS_INVALID_INFO_CLASS: NTSTATUS = 0xC000_0003_u32 as i32;

/// The arguments of a listing call.
#[derive(Clone, Copy)]
struct Query {
    file: HANDLE,
    event: HANDLE,
    apc: *const c_void,
    context: *const c_void,
    io: *mut IO_STATUS_BLOCK,
    buffer: *mut c_void,
    length: u32,
    class: u32,
    single: bool,
    restart: bool,
    pattern: *const UNICODE_STRING,
}

/// As `NtQueryDirectoryFile`.
#[allow(clippy::too_many_arguments)]
pub(crate) unsafe fn query_directory(
    file: HANDLE,
    event: HANDLE,
    apc: *const c_void,
    context: *const c_void,
    io: *mut IO_STATUS_BLOCK,
    buffer: *mut c_void,
    length: u32,
    class: u32,
    single: u8,
    pattern: *const UNICODE_STRING,
    restart: u8,
) -> NTSTATUS {
    let query = Query {
        file,
        event,
        apc,
        context,
        io,
        buffer,
        length,
        class,
        single: single != 0,
        restart: restart != 0,
        pattern,
    };
    list(&query, || {
        // SAFETY: the program's own arguments.
        unsafe {
            kept::NtQueryDirectoryFile(
                file, event, apc, context, io, buffer, length, class, single, pattern, restart,
            )
        }
    })
}

/// As `NtQueryDirectoryFileEx`.
#[allow(clippy::too_many_arguments)]
pub(crate) unsafe fn query_directory_ex(
    file: HANDLE,
    event: HANDLE,
    apc: *const c_void,
    context: *const c_void,
    io: *mut IO_STATUS_BLOCK,
    buffer: *mut c_void,
    length: u32,
    class: u32,
    flags: u32,
    pattern: *const UNICODE_STRING,
) -> NTSTATUS {
    let query = Query {
        file,
        event,
        apc,
        context,
        io,
        buffer,
        length,
        class,
        single: flags & 2 != 0,
        restart: flags & 1 != 0,
        pattern,
    };
    list(&query, || {
        // SAFETY: the program's own arguments.
        unsafe {
            kept::NtQueryDirectoryFileEx(
                file, event, apc, context, io, buffer, length, class, flags, pattern,
            )
        }
    })
}

/// Lists, and looks again for a name that a layer had and has no more.
fn list(query: &Query, kernel: impl FnOnce() -> NTSTATUS) -> NTSTATUS {
    let status = answer(query).unwrap_or_else(kernel);
    if status != raw::STATUS_NO_SUCH_FILE || !forget_name(query) {
        return status;
    }
    let again = table::with(query.file, |listing| {
        *listing = begin(query, &Listing::New).ok()?;
        match listing {
            Listing::Merged(merged) => Some(serve(query, merged)),
            _ => None,
        }
    });
    again.flatten().unwrap_or(status)
}

/// Forgets which layer has the name that is looked for; whether it was
/// remembered.
fn forget_name(query: &Query) -> bool {
    let Ok(Some(given)) = pattern_of(query) else {
        return false;
    };
    let forgotten = with_directory(query.file, |_, path| {
        with_pattern(&given, |name| with_child(path, name, cache::gone))
    });
    forgotten == Some(Ok(true))
}

/// The answer from the merged list; `None` when the kernel shall list. On Wine a
/// restart goes back in what was read at first (observed on Wine 8 and Wine 10).
fn answer(query: &Query) -> Option<NTSTATUS> {
    if query.file.is_null() {
        return None;
    }
    let status = table::with(query.file, |listing| {
        if matches!(listing, Listing::New) || query.restart && !hooks::is_wine() {
            match begin(query, listing) {
                Ok(begun) => *listing = begun,
                Err(status) => return Some(status),
            }
        }
        match listing {
            Listing::Merged(merged) => {
                if query.restart {
                    merged.next = 0;
                }
                Some(serve(query, merged))
            }
            Listing::New | Listing::Kernel | Listing::KernelOne => None,
        }
    });
    status.unwrap_or(Some(STATUS_INSUFFICIENT_RESOURCES))
}

/// Decides who lists, and takes the snapshot. The pattern of the first call
/// stands.
fn begin(query: &Query, listing: &Listing) -> Result<Listing, NTSTATUS> {
    let located = with_directory(query.file, |layer, path| {
        if shares::number(layer).is_some() {
            return Ok(Listing::Kernel);
        }
        if let Listing::Merged(merged) = listing {
            return list_all(query.file, layer, path, merged.snapshot.pattern());
        }
        let Some(given) = pattern_of(query)? else {
            return match listing {
                Listing::KernelOne => Ok(Listing::KernelOne),
                _ => list_all(query.file, layer, path, &[]),
            };
        };
        with_pattern(&given, |pattern| match one_name(path, layer, pattern)? {
            Some(Listing::Merged(_)) if !may_list(query.file) => Err(STATUS_ACCESS_DENIED),
            Some(one) => Ok(one),
            None => list_all(query.file, layer, path, pattern),
        })
    });
    located.unwrap_or(Ok(Listing::Kernel))
}

/// All of the directory `path`, which the program has open in the layer `own`.
fn list_all(file: HANDLE, own: usize, path: &[u16], pattern: &[u16]) -> Result<Listing, NTSTATUS> {
    let mut view = if own == 0 {
        View::of(file, path)
    } else {
        View::new(path)
    };
    let found = sources(&mut view)?;
    let only_host = found.only() == Some(View::host()) && !Snapshot::hides_in(path);
    if only_host || found.iter().next().is_none() {
        return Ok(Listing::Kernel);
    }
    if !may_list(file) {
        return Err(STATUS_ACCESS_DENIED);
    }
    let mut snapshot = Snapshot::take(&view, found, pattern)?;
    snapshot.keep_pattern(pattern)?;
    Ok(Listing::Merged(Merged::new(snapshot)))
}

/// Whether the program's handle was given the access to list.
fn may_list(file: HANDLE) -> bool {
    /// `FILE_LIST_DIRECTORY` (winnt.h).
    const LIST: u32 = 1;
    // `OBJECT_BASIC_INFORMATION` (ntobapi.h): attributes, granted access, more.
    let mut basic = [0_u32; 14];
    let size = size_of_val(&basic) as u32;
    // SAFETY: class 0, `ObjectBasicInformation`, into a local of its size.
    let status = unsafe {
        let none = core::ptr::null_mut();
        kept::NtQueryObject(file, 0, basic.as_mut_ptr().cast(), size, none)
    };
    status != 0 || basic[1] & LIST != 0
}

/// Runs `work` with the layer and the path of the directory of `handle`.
fn with_directory<R>(handle: HANDLE, work: impl FnOnce(usize, &[u16]) -> R) -> Option<R> {
    opened::with(handle, work).map_or_else(|work| names::with_located(handle, work), Some)
}

/// The listing of one plain name, as programs do to look a path up: only the
/// layer that has the name is asked. `None` when the merged list shall tell.
fn one_name(path: &[u16], own: usize, name: &[u16]) -> Result<Option<Listing>, NTSTATUS> {
    if !pattern::is_plain(name) || starts(name, ".").is_some() {
        return Ok(None);
    }
    with_child(path, name, |child| {
        if names::is_closed(child) {
            return Ok(None);
        }
        let by_host = own == View::host();
        let then = (!by_host).then(|| cache::stamp(path));
        let found = view::find(&mut View::new(child))?;
        if let Lookup::Found { layer, .. } = found {
            match (layer == View::host(), then) {
                (true, Some(then)) => cache::keep(Fact::ListedOnHost, path, then),
                (false, None) => {
                    cache::drop(Fact::ListedOnHost, path);
                }
                // The handle is where it should be.
                _ => {}
            }
        }
        Ok(match found {
            Lookup::Found { layer, .. } if layer == own => Some(Listing::KernelOne),
            Lookup::Found { layer, .. } => match Snapshot::one(&View::new(path), layer, name) {
                // The host may lack the whole directory.
                Err(status) if raw::is_missing(status) => None,
                one => Some(Listing::Merged(Merged::new(one?))),
            },
            _ => None,
        })
    })?
}

/// The caller's pattern, if it gave one.
fn pattern_of(query: &Query) -> Result<Option<UNICODE_STRING>, NTSTATUS> {
    if query.pattern.is_null() {
        return Ok(None);
    }
    // SAFETY: plain data; a bad pointer is a return value.
    let string = unsafe { guard::read(query.pattern) }?;
    Ok((string.Length >= 2).then_some(string))
}

/// Runs `work` with a copy of the caller's string.
fn with_pattern<R>(
    given: &UNICODE_STRING,
    work: impl FnOnce(&[u16]) -> Result<R, NTSTATUS>,
) -> Result<R, NTSTATUS> {
    let length = usize::from(given.Length) / 2;
    scratch::with(length, |units| {
        let units = units.get_mut(..length).ok_or(STATUS_OBJECT_NAME_INVALID)?;
        // SAFETY: the units have room; the source may be bad.
        unsafe { guard::copy(units.as_mut_ptr().cast(), given.Buffer.cast(), length * 2) }?;
        work(units)
    })
    .unwrap_or(Err(STATUS_INSUFFICIENT_RESOURCES))
}

/// Writes the next entries to the caller's buffer.
fn serve(query: &Query, merged: &mut Merged) -> NTSTATUS {
    let Some(layout) = layout(query.class) else {
        return STATUS_INVALID_INFO_CLASS;
    };
    if (query.length as usize) < layout.name.next_multiple_of(8) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    match fill(query, merged, &layout) {
        Ok((status, size)) => complete(query, status, size),
        Err(status) => status,
    }
}

fn fill(
    query: &Query,
    merged: &mut Merged,
    layout: &Layout,
) -> Result<(NTSTATUS, usize), NTSTATUS> {
    let room = query.length as usize;
    let snapshot = &merged.snapshot;
    let Some(mut entry) = snapshot.entry(merged.next) else {
        return match core::mem::replace(&mut merged.begun, true) {
            true => Ok((STATUS_NO_MORE_FILES, 0)),
            false => Err(raw::STATUS_NO_SUCH_FILE),
        };
    };
    let mut at = 0;
    loop {
        let end = at + layout.size(&entry);
        let from = end.next_multiple_of(8);
        let next = (!query.single)
            .then(|| snapshot.entry(merged.next + 1))
            .flatten()
            .filter(|next| from + layout.size(next) <= room);
        let to_next = next.map_or(0, |_| from - at);
        write(query, layout, &entry, at, to_next)?;
        merged.next += 1;
        merged.begun = true;
        match next {
            Some(next) => (entry, at) = (next, from),
            None if end > room => return Ok((STATUS_BUFFER_OVERFLOW, room)),
            None => return Ok((0, end)),
        }
    }
}

/// Writes an entry at `at` of the caller's buffer, as much of it as there is room
/// for, and how far the next one is behind it.
fn write(
    query: &Query,
    layout: &Layout,
    entry: &Entry<'_>,
    at: usize,
    to_next: usize,
) -> Result<(), NTSTATUS> {
    /// More than a file system's longest name has.
    const UNITS: usize = 256;
    let room = (query.length as usize).saturating_sub(at);
    let target = query.buffer.cast::<u8>().wrapping_add(at);
    let mut block = [0; HEAD + UNITS * 2];
    let (name, rest) = entry.name().split_at(entry.name().len().min(UNITS));
    let size = layout.write(entry, to_next, name, &mut block).min(room);
    // SAFETY: the program's buffer, under guard; the block has `size` bytes.
    unsafe { guard::copy(target.cast(), block.as_ptr().cast(), size) }?;
    let more = size_of_val(rest).min(room - size);
    // SAFETY: the same for what is left of the name.
    unsafe { guard::copy(target.wrapping_add(size).cast(), rest.as_ptr().cast(), more) }
}

/// Ends the call as the I/O manager does: status block, event, APC.
fn complete(query: &Query, status: NTSTATUS, size: usize) -> NTSTATUS {
    let mut block = raw::block();
    block.Anonymous.Status = status;
    block.Information = size;
    // SAFETY: the program's pointer, under guard.
    if let Err(code) = unsafe { guard::write(query.io, block) } {
        return code;
    }
    // SAFETY: the program's own event and APC routine, as the kernel uses them.
    unsafe {
        if !query.event.is_null() {
            NtSetEvent(query.event, core::ptr::null_mut());
        }
        if !query.apc.is_null() {
            let io = query.io.cast_const().cast();
            NtQueueApcThread(
                CURRENT_THREAD,
                query.apc,
                query.context,
                io,
                core::ptr::null(),
            );
        }
    }
    status
}
