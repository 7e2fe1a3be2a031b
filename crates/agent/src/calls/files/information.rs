//! Calls that ask of, or set, an open file.

use super::names;
use super::rename::{self, Class};
use super::view::{View, with_name as with_name_in_layer};
use super::{copy_up, for_deletion, on_close, open, opened, raw, remove, shares, watch};
use crate::calls::pipes;
use crate::hooks::{self, kept};
use crate::{guard, scratch};
use core::ffi::c_void;
use pinion_nt::status::{
    STATUS_ACCESS_DENIED, STATUS_BUFFER_OVERFLOW, STATUS_INFO_LENGTH_MISMATCH, success,
};
use pinion_nt::{HANDLE, IO_STATUS_BLOCK, NTSTATUS};

/// `FileNameInformation` (wdm.h).
const NAME: u32 = 9;
/// `FileAllInformation`.
const ALL: u32 = 18;
/// `FileAccessInformation`: the access by the handle, and where it is in
/// `FILE_ALL_INFORMATION` (wdm.h).
const ACCESS: u32 = 8;
const ALL_ACCESS: usize = 76;
/// `FileNormalizedNameInformation`.
const NORMALIZED_NAME: u32 = 48;
/// `FileBasicInformation`: times and attributes.
const BASIC: u32 = 4;
/// `FileDispositionInformation`, one byte.
const DISPOSITION: u32 = 13;
/// `FileDispositionInformationEx`, flags.
const DISPOSITION_EX: u32 = 64;
/// `FileCompletionInformation`, `FileReplaceCompletionInformation`: a port and a
/// key.
const COMPLETION: [u32; 2] = [30, 61];
/// Where the name's length is in `FILE_ALL_INFORMATION`.
const ALL_HEAD: usize = 96;

/// The classes that give the file a new name.
const NAMING: [Class; 4] = [
    Class {
        number: 10,
        moves: true,
        flags: false,
    },
    Class {
        number: 11,
        moves: false,
        flags: false,
    },
    Class {
        number: 65,
        moves: true,
        flags: true,
    },
    Class {
        number: 72,
        moves: false,
        flags: true,
    },
];

/// As `NtQueryInformationFile`: names come back as the program knows them.
pub(crate) unsafe fn query_information(
    file: HANDLE,
    io: *mut IO_STATUS_BLOCK,
    buffer: *mut c_void,
    length: u32,
    class: u32,
) -> NTSTATUS {
    let access = for_deletion::access(file);
    let file = for_deletion::standing(file);
    let answered = match class {
        NAME | NORMALIZED_NAME => {
            known_name(file, &mut |name| answer(io, buffer, length, &[], name))
        }
        ALL => known_name(file, &mut |name| all(file, io, buffer, length, name)),
        _ => None,
    };
    let status = answered.unwrap_or_else(|| {
        // SAFETY: the program's own arguments.
        unsafe { kept::NtQueryInformationFile(file, io, buffer, length, class) }
    });
    let place = match class {
        ACCESS => 0,
        ALL => ALL_ACCESS,
        _ => return status,
    };
    told_access(status, access, buffer.cast::<u8>().wrapping_add(place))
}

/// Puts the `access` that the program has, where the kernel knows of less, to
/// `place` in what it has told.
pub(crate) fn told_access(status: NTSTATUS, access: Option<u32>, place: *mut u8) -> NTSTATUS {
    let Some(access) = access.filter(|_| success(status) || status == STATUS_BUFFER_OVERFLOW)
    else {
        return status;
    };
    // SAFETY: the program's buffer, under guard; the call has filled it.
    let written = unsafe { guard::write(place.cast::<u32>(), access) };
    written.err().unwrap_or(status)
}

/// Runs `work` with the name on its device that the program knows, where the
/// kernel calls the file otherwise. A file that is known to be the host's is none
/// such, and to ask for its name costs as much as the call itself.
fn known_name(file: HANDLE, work: &mut impl FnMut(&[u16]) -> NTSTATUS) -> Option<NTSTATUS> {
    if opened::layer(file) == Some(View::host()) {
        return None;
    }
    with_name(file, &mut *work).or_else(|| pipes::with_asked_name(file, work))
}

/// Runs `work` with the name on its volume of a file that is in a layer; `None`
/// for any other.
fn with_name(file: HANDLE, work: impl FnOnce(&[u16]) -> NTSTATUS) -> Option<NTSTATUS> {
    const ROOT: &[u16] = &[b'\\' as u16];
    names::with_located(file, |layer, path| {
        let name = path
            .get(1..)
            .filter(|name| !name.is_empty())
            .unwrap_or(ROOT);
        (layer != View::host()).then(|| work(name))
    })?
}

fn all(
    file: HANDLE,
    io: *mut IO_STATUS_BLOCK,
    buffer: *mut c_void,
    length: u32,
    name: &[u16],
) -> NTSTATUS {
    scratch::with(scratch::LARGE, |own| {
        let mut block = raw::block();
        // SAFETY: the agent's own buffer, of the given size and alignment.
        let status = unsafe {
            let size = (scratch::LARGE * 2) as u32;
            let own = own.as_mut_ptr().cast();
            kept::NtQueryInformationFile(file, &raw mut block, own, size, ALL)
        };
        if !success(status) {
            return status;
        }
        answer(
            io,
            buffer,
            length,
            own.get(..ALL_HEAD / 2).unwrap_or(&[]),
            name,
        )
    })
    .unwrap_or(STATUS_INFO_LENGTH_MISMATCH)
}

/// Writes `head`, the name's length and as much of the name as fits, as the
/// file systems do.
fn answer(
    io: *mut IO_STATUS_BLOCK,
    buffer: *mut c_void,
    length: u32,
    head: &[u16],
    name: &[u16],
) -> NTSTATUS {
    let (front, bytes) = (head.len() * 2, name.len() * 2);
    /// The size of `FILE_NAME_INFORMATION` (wdm.h), padding included.
    const LEAST: usize = 8;
    if (length as usize) < front + LEAST {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    let room = length as usize - front - 4;
    let given = bytes.min(room);
    let status = if given < bytes {
        STATUS_BUFFER_OVERFLOW
    } else {
        0
    };
    let target = buffer.cast::<u8>();
    let mut block = raw::block();
    block.Anonymous.Status = status;
    block.Information = front + 4 + given;
    // SAFETY: the program's pointers, written under guard.
    let written = unsafe {
        guard::copy(target.cast(), head.as_ptr().cast(), front)
            .and_then(|()| guard::write(target.wrapping_add(front).cast::<u32>(), bytes as u32))
            .and_then(|()| {
                let place = target.wrapping_add(front + 4).cast();
                guard::copy(place, name.as_ptr().cast(), given)
            })
            .and_then(|()| guard::write(io, block))
    };
    written.err().unwrap_or(status)
}

/// As `NtSetInformationFile`: deletes hide, new names are the VM's.
pub(crate) unsafe fn set_information(
    file: HANDLE,
    io: *mut IO_STATUS_BLOCK,
    buffer: *mut c_void,
    length: u32,
    class: u32,
) -> NTSTATUS {
    let file = for_deletion::standing(file);
    if shares::any()
        && let Some(status) = of_a_share(file, buffer, length, class)
    {
        return told(io, status);
    }
    if class == BASIC
        && let Some(status) = basic_of_a_reader(file, io, buffer, length)
    {
        return status;
    }
    if let Some(&naming) = NAMING.iter().find(|naming| naming.number == class)
        && let Some(status) = rename::set(file, io, buffer, length, naming)
    {
        return told(io, status);
    }
    if let Some(asked) = deletion_asked(buffer, length, class) {
        let deletes = asked.deletes;
        // One that is gone when it is closed stays so (observed on Wine 8 and 10),
        // unless that is what is set.
        if for_deletion::goes(file) {
            match may_set(file, class) {
                Ok(()) if asked.on_close => for_deletion::stays(file),
                checked => return told(io, checked.err().unwrap_or(0)),
            }
        }
        if for_deletion::has(file) {
            return told(io, without_copy(file, class, deletes));
        }
        if let Some(Err(status)) = deletes.then(|| deletion(file)) {
            return told(io, status);
        }
        // A whiteout beside a file that stays after all hides nothing.
        if deletes {
            on_close::keep(file);
        }
    }
    // SAFETY: the program's own arguments.
    let status = unsafe { kept::NtSetInformationFile(file, io, buffer, length, class) };
    if COMPLETION.contains(&class) && success(status) {
        takes_port(file, buffer.cast());
    }
    status
}

/// Takes note of a directory's completion port, by which watches are told.
fn takes_port(file: HANDLE, information: *const [usize; 2]) {
    /// `FileStandardInformation` (wdm.h), and where it says whether it is of a
    /// directory.
    const STANDARD: u32 = 5;
    const DIRECTORY: usize = 21;
    let (mut standard, mut block) = ([0_u8; 24], raw::block());
    // SAFETY: the structure has 24 bytes.
    let asked = unsafe {
        let start = standard.as_mut_ptr().cast();
        kept::NtQueryInformationFile(file, &raw mut block, start, 24, STANDARD)
    };
    if !success(asked) || standard[DIRECTORY] != 1 {
        return;
    }
    // SAFETY: plain data; a bad pointer is a return value.
    if let Ok([port, key]) = unsafe { guard::read(information) } {
        watch::has_port(file, port as HANDLE, key as *mut c_void);
    }
}

/// What forbids to set information of `class` on a file of a share; `None` when
/// nothing does, and for any other file.
fn of_a_share(file: HANDLE, buffer: *const c_void, length: u32, class: u32) -> Option<NTSTATUS> {
    names::with_located(file, |layer, path| {
        let number = shares::number(layer)?;
        // Where a rename or link leads to is looked at first.
        if NAMING.iter().any(|naming| naming.number == class) {
            return None;
        }
        if shares::is_root(number, path) && wants_deletion(buffer, length, class) {
            return Some(STATUS_ACCESS_DENIED);
        }
        shares::check_class(number, class).err()
    })?
}

/// Sets times and attributes of a file by a handle of a lower layer; `None` for
/// one of the upper. Wine asks for no access here, and its `SetFileAttributes`
/// opens with none to write (observed on Wine 8 and 10), so the file is copied
/// up and the upper's is set; NT's kernel
/// refuses by itself.
fn basic_of_a_reader(
    file: HANDLE,
    io: *mut IO_STATUS_BLOCK,
    buffer: *mut c_void,
    length: u32,
) -> Option<NTSTATUS> {
    if !hooks::is_wine() {
        return None;
    }
    names::with_located(file, |layer, path| {
        if layer == 0 || shares::number(layer).is_some() {
            return None;
        }
        let mut view = View::new(path);
        let opened = match own_of_the_upper(&mut view) {
            Ok(opened) => opened,
            Err(status) => return Some(status),
        };
        // SAFETY: the program's own arguments but the handle, which is open.
        Some(unsafe { kept::NtSetInformationFile(opened.0, io, buffer, length, BASIC) })
    })?
}

/// The file of `view` in the upper, copied up if need be, open for its times and
/// attributes.
fn own_of_the_upper(view: &mut View<'_>) -> Result<raw::Owned, NTSTATUS> {
    let (layer, kind) = open::kind_of(view)?.ok_or(STATUS_ACCESS_DENIED)?;
    if layer != 0 {
        copy_up::node(view, layer, kind, copy_up::Content::Whole)?;
    }
    let how = raw::How {
        access: raw::WRITE_ATTRIBUTES,
        attributes: 0,
        disposition: raw::OPEN,
        options: raw::BACKUP,
    };
    with_name_in_layer(0, view.path(), &[], |name| raw::open(name, how))?
}

/// Gives `status`, and writes a success into the status block; Wine writes a
/// failure there, too, which NT leaves alone (observed on Wine 8 and Wine 10).
fn told(io: *mut IO_STATUS_BLOCK, status: NTSTATUS) -> NTSTATUS {
    if success(status) || hooks::is_wine() {
        let mut block = raw::block();
        block.Anonymous.Status = status;
        // SAFETY: the program's pointer, under guard; what was asked is done either way.
        let _ = unsafe { guard::write(io, block) };
    }
    status
}

/// The access that `file` was opened with (`FileAccessInformation`).
fn granted(file: HANDLE) -> Result<u32, NTSTATUS> {
    const ACCESS: u32 = 8;
    let (mut access, mut io) = (0_u32, raw::block());
    // SAFETY: the structure is one word; the block is local.
    let status = unsafe {
        let access = (&raw mut access).cast();
        kept::NtQueryInformationFile(file, &raw mut io, access, 4, ACCESS)
    };
    raw::check(status).map(|()| access)
}

/// What a call sets of a file's end.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Disposition {
    /// Whether the file is deleted.
    deletes: bool,
    /// Whether that takes the place of what the file was opened with,
    /// `FILE_DELETE_ON_CLOSE`.
    on_close: bool,
}

/// What the call sets of the file's end; `None` for a call that sets nothing of
/// it.
fn deletion_asked(buffer: *const c_void, length: u32, class: u32) -> Option<Disposition> {
    /// `FILE_DISPOSITION_DELETE`, `FILE_DISPOSITION_ON_CLOSE` (ntddk.h).
    const DELETE: u32 = 1;
    const ON_CLOSE: u32 = 8;
    if class == DISPOSITION && length >= 1 {
        // SAFETY: plain data; a bad pointer is a return value.
        let delete = unsafe { guard::read(buffer.cast::<u8>()) }.ok()?;
        return Some(Disposition {
            deletes: delete != 0,
            on_close: false,
        });
    }
    if class == DISPOSITION_EX && length >= 4 {
        // SAFETY: as above.
        let flags = unsafe { guard::read(buffer.cast::<u32>()) }.ok()?;
        return Some(Disposition {
            deletes: flags & DELETE != 0,
            on_close: flags & ON_CLOSE != 0,
        });
    }
    None
}

fn wants_deletion(buffer: *const c_void, length: u32, class: u32) -> bool {
    deletion_asked(buffer, length, class).is_some_and(|asked| asked.deletes)
}

/// Hides the name of a file of a lower layer, which was opened for that, or shows
/// it again. The name is gone at once, not only when the handle is.
fn without_copy(file: HANDLE, class: u32, deletes: bool) -> NTSTATUS {
    if let Err(status) = may_set(file, class) {
        return status;
    }
    let done = names::with_located(file, |_, path| {
        let mut view = View::new(path);
        if deletes {
            remove::lower(&mut view)
        } else {
            view.show_again()
        }
    });
    match done {
        Some(Err(status)) => status,
        Some(Ok(())) => 0,
        None => STATUS_ACCESS_DENIED,
    }
}

/// Whether the kernel takes `class`, one of the two that delete.
fn may_set(file: HANDLE, class: u32) -> Result<(), NTSTATUS> {
    // Wine 8 does not know the newer class. To set that nothing is deleted harms
    // no file, and who knows the class says that the handle has no right to it.
    let (keeps, mut block) = (0_u32, raw::block());
    // SAFETY: flags and block are locals.
    let status = unsafe {
        let flags = (&raw const keeps).cast_mut().cast();
        kept::NtSetInformationFile(file, &raw mut block, flags, 4, class)
    };
    if success(status) || status == STATUS_ACCESS_DENIED {
        Ok(())
    } else {
        Err(status)
    }
}

/// Makes ready for the deletion of an open file. Only one of the upper can have
/// been opened for it.
fn deletion(file: HANDLE) -> Result<(), NTSTATUS> {
    names::with_located(file, |layer, path| {
        if shares::number(layer).is_some() {
            return Ok(());
        }
        if layer != 0 || granted(file)? & remove::DELETE == 0 {
            return Err(STATUS_ACCESS_DENIED);
        }
        let mut view = View::of(file, path);
        remove::check_empty(&mut view)?;
        remove::prepare(&mut view)
    })
    .unwrap_or(Ok(()))
}
