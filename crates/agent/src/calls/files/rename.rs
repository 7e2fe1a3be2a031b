//! Renaming and linking: the new name is one of the VM, the old one stays gone.

use super::cache;
use super::names::{self, Named, Place};
use super::open::kind_of;
use super::shares::{self, Shared};
use super::view::{View, with_name};
use super::{copy_up, for_deletion, listing, new_name, on_close, raw};
use crate::hooks::{self, kept};
use crate::{guard, scratch};
use core::ffi::c_void;
use pinion_layers::{Kind, hide, make_parents};
use pinion_nt::status::{
    STATUS_ACCESS_DENIED, STATUS_NAME_TOO_LONG, STATUS_NOT_IMPLEMENTED,
    STATUS_OBJECT_PATH_NOT_FOUND, STATUS_OBJECT_PATH_SYNTAX_BAD, success,
};
use pinion_nt::{HANDLE, IO_STATUS_BLOCK, NTSTATUS};

/// The head of `FILE_RENAME_INFORMATION` and `FILE_LINK_INFORMATION` (wdm.h):
/// flags or a byte, the root directory, the name's length in bytes.
#[repr(C)]
#[derive(Clone, Copy)]
struct Head {
    flags: u32,
    root: HANDLE,
    length: u32,
}

/// The access to the copy that stands for a handle ([`for_deletion`]):
/// `DELETE`, `READ_CONTROL`, `FILE_READ_ATTRIBUTES`.
const KEPT: u32 = 0x3_0000 | 0x80;

/// Where the name begins.
const NAME: usize = 20;

/// What a class does.
#[derive(Clone, Copy)]
pub(crate) struct Class {
    /// The class's number.
    pub(crate) number: u32,
    /// Whether it moves the file, or adds a name.
    pub(crate) moves: bool,
    /// Whether the first word holds flags, not one byte.
    pub(crate) flags: bool,
}

/// As `NtSetInformationFile` with one of the rename and link classes; `None`
/// when the kernel shall decide on the caller's own arguments.
pub(crate) fn set(
    file: HANDLE,
    io: *mut IO_STATUS_BLOCK,
    buffer: *const c_void,
    length: u32,
    class: Class,
) -> Option<NTSTATUS> {
    // SAFETY: plain data; a bad pointer is a return value.
    let head = unsafe { guard::read(buffer.cast::<Head>()) }.ok()?;
    let units = head.length as usize / 2;
    if NAME + units * 2 > length as usize || units == 0 {
        return None;
    }
    scratch::with(units, |name| {
        let name = name.get_mut(..units)?;
        let text = buffer.cast::<u8>().wrapping_add(NAME);
        // SAFETY: `name` has room; the source may be bad.
        unsafe { guard::copy(name.as_mut_ptr().cast(), text.cast(), units * 2) }.ok()?;
        names::with_located(file, |layer, from| {
            Some(with_target(&head, name, from, |named| match named {
                Named::Shared(target) if new_name::is_one(target.place.tail) => {
                    let (path, tail) = (target.place.path, target.place.tail);
                    let carry_out = |name: &[u16]| call(file, io, head, class, name);
                    let allowed = in_share(&target, layer, from);
                    match allowed.and_then(|()| with_name(target.layer(), path, tail, carry_out)) {
                        Ok(status) | Err(status) => status,
                    }
                }
                Named::Place(_) if shares::number(layer).is_some() => shares::NOT_SAME_DEVICE,
                Named::Place(place) if new_name::is_one(place.tail) => {
                    let source = (file, layer, from);
                    match in_layers(source, io, head, class, &place) {
                        Ok(status) | Err(status) => status,
                    }
                }
                Named::Refused(status) => status,
                _ => STATUS_ACCESS_DENIED,
            }))
        })?
    })?
}

/// Gives the file `from` of a layer, of which the program has the handle, the
/// name `to`.
fn in_layers(
    (file, layer, from): (HANDLE, usize, &[u16]),
    io: *mut IO_STATUS_BLOCK,
    head: Head,
    class: Class,
    to: &Place<'_>,
) -> Result<NTSTATUS, NTSTATUS> {
    if class.flags && hooks::is_wine() && is_not_implemented(file, class) {
        return Err(STATUS_NOT_IMPLEMENTED);
    }
    let replaces = if class.flags {
        head.flags & 1 != 0
    } else {
        head.flags & 0xff != 0
    };
    new_name::check(class, replaces, from, to)?;
    in_upper((file, layer, from), class, |file| {
        carry_out(file, io, head, class, from, to.path)
    })
}

/// Whether this Wine has no such class, which it says before it looks at anything
/// else (Wine 8 has no `FileLinkInformationEx`).
fn is_not_implemented(file: HANDLE, class: Class) -> bool {
    let mut io = raw::block();
    // SAFETY: an empty buffer; the block is a local.
    let status = unsafe {
        kept::NtSetInformationFile(file, &raw mut io, core::ptr::null_mut(), 0, class.number)
    };
    status == STATUS_NOT_IMPLEMENTED
}

/// Whether the file `from` of `layer` may get the name `target` of a share: only
/// inside of one share, as only inside of one volume.
fn in_share(target: &Shared<'_>, layer: usize, from: &[u16]) -> Result<(), NTSTATUS> {
    if shares::number(layer) != Some(target.number) {
        return Err(shares::NOT_SAME_DEVICE);
    }
    if shares::is_root(target.number, from) || target.is_root() {
        return Err(STATUS_ACCESS_DENIED);
    }
    if shares::is_read_only(target.number) {
        return Err(shares::WRITE_PROTECTED);
    }
    target.check_links(false)
}

/// Runs `work` with a handle of the upper's own file: the given one, or of its
/// copy for a link to a file of a lower layer, or to move one that was opened
/// for deletion and not copied yet. Any other was copied when it was opened so.
fn in_upper(
    (file, layer, from): (HANDLE, usize, &[u16]),
    class: Class,
    work: impl FnOnce(HANDLE) -> Result<NTSTATUS, NTSTATUS>,
) -> Result<NTSTATUS, NTSTATUS> {
    if layer == 0 {
        return work(file);
    }
    let kept = for_deletion::has(file);
    if class.moves && !kept {
        return Err(STATUS_ACCESS_DENIED);
    }
    let how = raw::How {
        access: if kept { KEPT } else { 0 },
        attributes: 0,
        disposition: raw::OPEN,
        options: raw::NON_DIRECTORY_FILE,
    };
    let mut source = View::of(file, from);
    if let Some((layer, Kind::Leaf)) = kind_of(&mut source)?
        && layer != 0
    {
        copy_up::node(&mut source, layer, Kind::Leaf, copy_up::Content::Whole)?;
    }
    let own = with_name(0, from, &[], |name| raw::open(name, how))??;
    let status = work(own.0)?;
    if kept && success(status) {
        for_deletion::stands(file, own);
    }
    Ok(status)
}

/// Runs `work` with what the target's name means: absolute, relative to a
/// handle, or a new name in the same directory.
fn with_target(
    head: &Head,
    name: &[u16],
    from: &[u16],
    work: impl FnOnce(Named<'_>) -> NTSTATUS,
) -> NTSTATUS {
    if !head.root.is_null() {
        return names::with_relative(head.root, name, work);
    }
    if name.first() == Some(&u16::from(b'\\')) {
        return names::with_absolute(name, false, work);
    }
    if hooks::is_wine() {
        // It knows no names in the same directory (observed on Wine 8).
        return STATUS_OBJECT_PATH_SYNTAX_BAD;
    }
    let (directory, _) = pinion_names::file::split_last(from);
    let joined = with_name(View::host(), directory, &[], |parent| {
        scratch::with(parent.len() + name.len() + 1, |whole| {
            let parts = [parent, &[u16::from(b'\\')], name];
            match pinion_names::units::join(&parts, whole) {
                Ok(length) => names::with_absolute(whole.get(..length).unwrap_or(&[]), false, work),
                Err(pinion_names::TooLong) => STATUS_NAME_TOO_LONG,
            }
        })
    });
    joined.ok().flatten().unwrap_or(STATUS_NAME_TOO_LONG)
}

fn carry_out(
    file: HANDLE,
    io: *mut IO_STATUS_BLOCK,
    head: Head,
    class: Class,
    from: &[u16],
    to: &[u16],
) -> Result<NTSTATUS, NTSTATUS> {
    // The names of a share are where they are, whatever holds them.
    if class.moves && shares::is_above(from) {
        return Err(STATUS_ACCESS_DENIED);
    }
    let mut target = View::new(to);
    let same = raw::names_equal(from, to);
    // On Wine the new name has the case of what it replaces (observed on Wine 8
    // and Wine 10).
    let mut replaced = None;
    if let Some((layer, _)) = kind_of(&mut target)?
        && !same
    {
        target.keep_base(layer);
        if layer != 0 {
            let how = raw::How {
                access: raw::READ_ATTRIBUTES,
                attributes: 0,
                disposition: raw::OPEN,
                options: 0,
            };
            replaced = Some(with_name(layer, to, &[], |name| raw::open(name, how))??);
        }
    }
    if !make_parents(&mut target)? {
        return Err(STATUS_OBJECT_PATH_NOT_FOUND);
    }
    if class.moves && !same {
        let mut source = View::of(file, from);
        if let Some((_, Kind::Directory)) = kind_of(&mut source)? {
            tree_up(&mut source)?;
        }
        hide(&mut source)?;
    }
    let place = |to: &[u16]| with_name(0, to, &[], |name| call(file, io, head, class, name));
    let status = match replaced {
        Some(replaced) if hooks::is_wine() => names::with_own_case(replaced.0, to, place)?,
        _ => place(to),
    };
    if class.moves && !same && status.is_ok_and(success) && on_close::has(file) {
        hide(&mut target)?;
    }
    cache::made(to);
    if class.moves {
        cache::renamed();
    }
    status
}

/// The kernel's call with the target's name in the upper.
fn call(
    file: HANDLE,
    io: *mut IO_STATUS_BLOCK,
    head: Head,
    class: Class,
    name: &[u16],
) -> NTSTATUS {
    let bytes = name.len() * 2;
    scratch::with(NAME / 2 + name.len() + 4, |buffer| {
        let fixed = Head {
            root: core::ptr::null_mut(),
            length: bytes as u32,
            ..head
        };
        let start = buffer.as_mut_ptr().cast::<u8>();
        // SAFETY: the buffer has room for the head and the name, and is aligned
        // to 16; the class is one of those that take this structure.
        unsafe {
            core::ptr::write_bytes(start, 0, size_of::<Head>());
            start.cast::<Head>().write(fixed);
            core::ptr::copy_nonoverlapping(name.as_ptr().cast(), start.add(NAME), bytes);
            let size = NAME + bytes.max(4);
            kept::NtSetInformationFile(file, io, start.cast(), size as u32, class.number)
        }
    })
    .unwrap_or(STATUS_NAME_TOO_LONG)
}

/// Copies all that is seen below the directory of `view` into the upper, so
/// that the upper's own directory can move with all of it.
fn tree_up(view: &mut View<'_>) -> Result<(), NTSTATUS> {
    listing::each_below(view, |child, layer, kind| {
        let mut child = View::new(child);
        if layer != 0 {
            copy_up::node(&mut child, layer, kind, copy_up::Content::Whole)?;
        }
        if kind == Kind::Directory {
            tree_up(&mut child)
        } else {
            Ok(())
        }
    })
}
