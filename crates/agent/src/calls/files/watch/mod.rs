//! Waiting for changes of directories.
//!
//! A directory that only the upper has is the kernel's own affair: nothing of
//! Pinion's happens in it, and the call goes through as it is. Where lower
//! layers show through, the kernel's own answer would be wrong: copies and
//! whiteouts would be told, the host's changes, or the VM's, would not. There
//! the agent watches both directories by handles of its own, sifts what it
//! hears ([`sift`]) and completes the program's request itself ([`request`]).
//! Hearing takes a thread ([`helper`]): a program that waits for an event, a
//! port or its handle runs none of the agent's code when a change comes, and
//! the kernel can neither leave out a change nor rewrite one. The thread is
//! made with the first such watch, and ends after the last.
//!
//! The request completes as the kernel would do it: memory, status block, then
//! event, APC or port. To wake who waits for the handle itself, a request of the
//! kernel's own waits on the program's handle meanwhile, for what hardly
//! happens, and is cancelled. The upper's directory is made when a watch
//! begins, so that what a member writes later is heard.
//!
//! [`table`] knows who watches what, [`watched`] what waits there; [`notes`] makes known what the upper alone
//! would not tell.

mod heard;
mod helper;
pub(super) mod notes;
mod request;
mod sift;
mod table;
mod watched;

use super::view::{self, View};
use super::{names, opened, raw, shares};
use crate::hooks::{self, kept};
use crate::{guard, state};
use core::ffi::c_void;
use core::sync::atomic::Ordering;
use pinion_layers::{Sources, Tree, Upper, make_parents, sources};
use pinion_nt::calls::NtWaitForSingleObject;
use pinion_nt::status::{
    STATUS_INSUFFICIENT_RESOURCES, STATUS_OBJECT_PATH_NOT_FOUND, STATUS_PENDING, success,
};
use pinion_nt::{
    HANDLE, IO_STATUS_BLOCK, NTSTATUS, OBJ_CASE_INSENSITIVE, object_attributes, unicode_string,
};
use request::Request;
use table::Beginning;

pub(crate) use table::{closed, duplicated, has_port};

/// `STATUS_INVALID_DEVICE_REQUEST` (ntstatus.h).
const STATUS_INVALID_DEVICE_REQUEST: NTSTATUS = 0xC000_0010_u32 as i32;
/// `STATUS_CANCELLED` (ntstatus.h).
const STATUS_CANCELLED: NTSTATUS = 0xC000_0120_u32 as i32;

/// The arguments of a call.
#[derive(Clone, Copy)]
struct Call {
    file: HANDLE,
    event: HANDLE,
    apc: *const c_void,
    context: *const c_void,
    io: *mut IO_STATUS_BLOCK,
    buffer: *mut c_void,
    length: u32,
    filter: u32,
    subtree: u8,
}

/// As `NtNotifyChangeDirectoryFile`.
#[allow(clippy::too_many_arguments)]
pub(crate) unsafe fn notify_directory(
    file: HANDLE,
    event: HANDLE,
    apc: *const c_void,
    context: *const c_void,
    io: *mut IO_STATUS_BLOCK,
    buffer: *mut c_void,
    length: u32,
    filter: u32,
    subtree: u8,
) -> NTSTATUS {
    let call = Call {
        file,
        event,
        apc,
        context,
        io,
        buffer,
        length,
        filter,
        subtree,
    };
    answer(&call).unwrap_or_else(|| {
        // SAFETY: the program's own arguments.
        unsafe {
            kept::NtNotifyChangeDirectoryFile(
                file, event, apc, context, io, buffer, length, filter, subtree,
            )
        }
    })
}

/// As `NtNotifyChangeDirectoryFileEx`. Where layers show through, the classes
/// with more than names are refused as by a file system that has none.
#[allow(clippy::too_many_arguments)]
pub(crate) unsafe fn notify_directory_ex(
    file: HANDLE,
    event: HANDLE,
    apc: *const c_void,
    context: *const c_void,
    io: *mut IO_STATUS_BLOCK,
    buffer: *mut c_void,
    length: u32,
    filter: u32,
    subtree: u8,
    class: u32,
) -> NTSTATUS {
    /// `DirectoryNotifyInformation` (ntifs.h).
    const NAMES: u32 = 1;
    let call = Call {
        file,
        event,
        apc,
        context,
        io,
        buffer,
        length,
        filter,
        subtree,
    };
    let answered = if class == NAMES {
        answer(&call)
    } else {
        with_directory(file, merged)
            .flatten()
            .map(|_| STATUS_INVALID_DEVICE_REQUEST)
    };
    answered.unwrap_or_else(|| {
        // SAFETY: the program's own arguments.
        unsafe {
            kept::NtNotifyChangeDirectoryFileEx(
                file, event, apc, context, io, buffer, length, filter, subtree, class,
            )
        }
    })
}

/// The answer, where layers show through; `None` when the kernel shall answer.
fn answer(call: &Call) -> Option<NTSTATUS> {
    if call.file.is_null() || call.io.is_null() || call.filter == 0 {
        return None;
    }
    let watched = table::is_watched(call.file);
    let layers = if watched {
        Sources::default()
    } else {
        with_directory(call.file, merged)??
    };
    // Wine does not wait even where the handle is for waiting (observed on Wine
    // 8 and 10).
    if !hooks::is_wine() && is_synchronous(call.file) {
        return Some(wait(call, watched, layers));
    }
    let request = Request::new(call)?;
    Some(match begin(call, watched, layers) {
        Ok(()) => table::ask(call.file, request),
        Err(status) => status,
    })
}

/// A call that waits: as an asynchronous one by an event that nobody else has.
fn wait(call: &Call, watched: bool, layers: Sources) -> NTSTATUS {
    const ALL: u32 = 0x1F_0003;
    let mut event: HANDLE = core::ptr::null_mut();
    // SAFETY: the output is a local; the event has no name.
    let made = unsafe { kept::NtCreateEvent(&raw mut event, ALL, core::ptr::null(), 0, 0) };
    if !success(made) {
        return made;
    }
    let event = raw::Owned(event);
    let alone = Call {
        event: event.0,
        apc: core::ptr::null(),
        context: core::ptr::null(),
        ..*call
    };
    let Some(request) = Request::new(&alone) else {
        return STATUS_INSUFFICIENT_RESOURCES;
    };
    if let Err(status) = begin(call, watched, layers) {
        return status;
    }
    let status = table::ask(call.file, request);
    if status != STATUS_PENDING {
        return status;
    }
    // SAFETY: the event is the agent's own.
    unsafe { NtWaitForSingleObject(event.0, 0, core::ptr::null()) };
    // SAFETY: plain data; a bad pointer is a return value.
    match unsafe { guard::read(call.io) } {
        // SAFETY: the union's status is what was written.
        Ok(io) => unsafe { io.Anonymous.Status },
        Err(status) => status,
    }
}

/// Whether the handle was opened for synchronous use.
fn is_synchronous(file: HANDLE) -> bool {
    /// `FileModeInformation` (wdm.h): the options of the open.
    const MODE: u32 = 16;
    const SYNCHRONOUS: u32 = 0x30;
    let (mut mode, mut io) = (0_u32, raw::block());
    // SAFETY: the structure is one word.
    let status =
        unsafe { kept::NtQueryInformationFile(file, &raw mut io, (&raw mut mode).cast(), 4, MODE) };
    success(status) && mode & SYNCHRONOUS != 0
}

/// As `NtCancelIoFile`: the calling thread's requests.
pub(crate) unsafe fn cancel(file: HANDLE, io: *mut IO_STATUS_BLOCK) -> NTSTATUS {
    let own = table::cancel(file, |request| request.is_of_this_thread());
    // SAFETY: the program's own arguments.
    let status = unsafe { kept::NtCancelIoFile(file, io) };
    told(own, io, status)
}

/// As `NtCancelIoFileEx`: one request, or all of the process.
pub(crate) unsafe fn cancel_ex(
    file: HANDLE,
    request: *mut IO_STATUS_BLOCK,
    io: *mut IO_STATUS_BLOCK,
) -> NTSTATUS {
    let own = table::cancel(file, |one| request.is_null() || one.is_of(request));
    // SAFETY: the program's own arguments.
    let status = unsafe { kept::NtCancelIoFileEx(file, request, io) };
    told(own, io, status)
}

/// `status`, or success where the agent has cancelled something.
fn told(own: bool, io: *mut IO_STATUS_BLOCK, status: NTSTATUS) -> NTSTATUS {
    if !own || success(status) {
        return status;
    }
    // SAFETY: the program's pointer, written under guard.
    let written = unsafe { guard::write(io, raw::block()) };
    written.err().unwrap_or(0)
}

/// Runs `work` with the path of the directory of `handle`, unless it is of a
/// share, where all is the host's.
fn with_directory<R>(handle: HANDLE, work: impl FnOnce(&[u16]) -> R) -> Option<R> {
    let work = |layer, path: &[u16]| shares::number(layer).is_none().then(|| work(path));
    opened::with(handle, work)
        .map_or_else(|work| names::with_located(handle, work), Some)
        .flatten()
}

/// The layers of the directory `path`; `None` when it is none, or one of the
/// upper's alone.
fn merged(path: &[u16]) -> Option<Sources> {
    let layers = sources(&mut View::new(path)).ok()?;
    (layers.iter().next().is_some() && layers.only() != Some(0)).then_some(layers)
}

/// Begins to watch, unless it is `watched`.
fn begin(call: &Call, watched: bool, layers: Sources) -> Result<(), NTSTATUS> {
    if watched {
        return Ok(());
    }
    state::tally().files_watched.store(1, Ordering::Release);
    let begun = with_directory(call.file, |path| {
        make_upper(path, layers)?;
        let mut handles = [core::ptr::null_mut(); watched::SOURCES];
        handles[0] = open(0, path)?;
        if layers.contains(View::host()) {
            handles[1] = open(View::host(), path).unwrap_or(core::ptr::null_mut());
        }
        table::begin(&Beginning {
            file: call.file,
            filter: call.filter,
            subtree: call.subtree,
            wants_data: !call.buffer.is_null(),
            path,
            handles,
        })
    });
    begun.unwrap_or(Err(STATUS_INSUFFICIENT_RESOURCES))
}

/// Gives the upper the directory `path`, which `layers` have.
fn make_upper(path: &[u16], layers: Sources) -> Result<(), NTSTATUS> {
    let mut view = View::new(path);
    let Some(like) = layers.iter().next().filter(|&layer| layer != 0) else {
        return Ok(());
    };
    if !make_parents(&mut view)? {
        return Err(STATUS_OBJECT_PATH_NOT_FOUND);
    }
    let depth = view.depth();
    view.make_directory(depth, like)
}

/// Opens the directory `path` of `layer` for the agent's own requests, which do
/// not wait.
fn open(layer: usize, path: &[u16]) -> Result<HANDLE, NTSTATUS> {
    const LIST: u32 = 1;
    view::with_name(layer, path, &[], |name| {
        let string = unicode_string(name).ok_or(STATUS_OBJECT_PATH_NOT_FOUND)?;
        let (mut handle, mut io): (HANDLE, _) = (core::ptr::null_mut(), raw::block());
        let attributes = object_attributes(
            core::ptr::null_mut(),
            &raw const string,
            OBJ_CASE_INSENSITIVE,
        );
        // SAFETY: all pointers are to locals.
        raw::check(unsafe {
            kept::NtOpenFile(
                &raw mut handle,
                LIST | raw::SYNCHRONIZE,
                &raw const attributes,
                &raw mut io,
                raw::SHARE_ALL,
                raw::DIRECTORY_FILE | raw::BACKUP,
            )
        })
        .map(|()| handle)
    })?
}
