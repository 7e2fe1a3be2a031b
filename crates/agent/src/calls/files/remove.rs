//! Taking a node away: what hides its lower namesakes is set first, while the
//! upper's own entry still shows, and stays if the deletion is called off.

use super::raw::{self, How};
use super::view::{View, with_name};
use super::{copy_up, listing, names, open};
use crate::hooks::kept;
use pinion_layers::{Kind, Lookup, Tree, hide, lookup};
use pinion_nt::status::{
    STATUS_OBJECT_NAME_INVALID, STATUS_OBJECT_NAME_NOT_FOUND, STATUS_OBJECT_PATH_NOT_FOUND,
};
use pinion_nt::{HANDLE, NTSTATUS, OBJ_CASE_INSENSITIVE, object_attributes, unicode_string};

/// `STATUS_DIRECTORY_NOT_EMPTY` (ntstatus.h).
pub(crate) const NOT_EMPTY: NTSTATUS = 0xC000_0101_u32 as i32;
/// `STATUS_CANNOT_DELETE` (ntstatus.h): the file is read-only.
const CANNOT_DELETE: NTSTATUS = 0xC000_0121_u32 as i32;
/// `DELETE` (winnt.h).
pub(crate) const DELETE: u32 = 0x1_0000;

/// Makes ready for the deletion of the upper's own node of `view`: once it is
/// gone, nothing shows. A directory that the program sees entries in stays;
/// [`check_empty`] says so.
pub(crate) fn prepare(view: &mut View<'_>) -> Result<(), NTSTATUS> {
    if let Some((_, Kind::Directory)) = open::kind_of(view)? {
        if !listing::is_empty(view)? {
            return match listing::is_bare(view) {
                Ok(true) => hold(view),
                _ => Ok(()),
            };
        }
        hide(view)?;
        return listing::clear_whiteouts(view);
    }
    hide(view)
}

/// Puts an entry that nobody is shown into the upper's own directory of `view`: the
/// kernel would delete one without any, though the program sees entries of the
/// layers below.
fn hold(view: &View<'_>) -> Result<(), NTSTATUS> {
    const NAME: &str = r"\.wh..wh.holds";
    let how = How {
        access: 0,
        attributes: 0,
        disposition: raw::OPEN_IF,
        options: raw::NON_DIRECTORY_FILE,
    };
    let mut name = [0; NAME.len()];
    for (unit, byte) in name.iter_mut().zip(NAME.bytes()) {
        *unit = byte.into();
    }
    with_name(0, view.path(), &name, |name| raw::open(name, how))?.map(drop)
}

/// What is to be done before the handle `file` ends, whose directory may go with
/// it: by now the program may see no entry in it any more.
pub(crate) fn before_end(file: HANDLE) {
    names::with_located(file, |layer, path| {
        let mut view = View::of(file, path);
        if layer == 0 && matches!(open::kind_of(&mut view), Ok(Some((0, Kind::Directory)))) {
            let empty = check_empty(&mut view);
            // Where it cannot be made ready it stays, as one that is not empty.
            let _ = empty.and_then(|()| prepare(&mut view));
        }
    });
}

/// Whether the file of `view` in `layer` is so large that it is not copied to be
/// deleted, and may be deleted.
pub(crate) fn is_large(view: &View<'_>, layer: usize) -> bool {
    /// Where `FILE_NETWORK_OPEN_INFORMATION` (wdm.h) has the end of file and the
    /// attributes, in words of 8 bytes.
    const SIZE: usize = 5;
    const ATTRIBUTES: usize = 6;
    const LARGE: u64 = 0x1_0000;
    let mut whole = [0_u64; 7];
    let asked = with_name(layer, view.path(), &[], |name| {
        let string = unicode_string(name)?;
        let attributes = object_attributes(
            core::ptr::null_mut(),
            &raw const string,
            OBJ_CASE_INSENSITIVE,
        );
        // SAFETY: the structure has 56 bytes.
        Some(unsafe {
            kept::NtQueryFullAttributesFile(&raw const attributes, whole.as_mut_ptr().cast())
        })
    });
    asked == Ok(Some(0)) && whole[SIZE] > LARGE && whole[ATTRIBUTES] as u32 & raw::READ_ONLY == 0
}

/// Fails with `STATUS_DIRECTORY_NOT_EMPTY` when the program sees entries in the
/// directory of `view`.
pub(crate) fn check_empty(view: &mut View<'_>) -> Result<(), NTSTATUS> {
    match open::kind_of(view)? {
        Some((_, Kind::Directory)) if !listing::is_empty(view)? => Err(NOT_EMPTY),
        _ => Ok(()),
    }
}

/// Deletes the file of `view`, which a lower layer has, if nobody has taken it
/// away or its place since.
pub(crate) fn lower(view: &mut View<'_>) -> Result<(), NTSTATUS> {
    match lookup(view)? {
        Lookup::Found {
            layer,
            kind: Kind::Leaf,
        } if layer != 0 => {
            let basic = view.basic(layer, view.depth())?.unwrap_or_default();
            if basic.attributes & raw::READ_ONLY != 0 {
                return Err(CANNOT_DELETE);
            }
            hide(view)
        }
        // The file that was opened is gone already, whatever has its name now.
        _ => Ok(()),
    }
}

/// As `NtDeleteFile` on the path of `view` with `tail`, a backslash or nothing: an
/// open for deletion on close, which does not tell that a directory was not empty.
pub(crate) fn by_name(view: &mut View<'_>, tail: &[u16]) -> NTSTATUS {
    match delete(view, tail) {
        Ok(()) | Err(NOT_EMPTY) => 0,
        Err(status) => status,
    }
}

fn delete(view: &mut View<'_>, tail: &[u16]) -> Result<(), NTSTATUS> {
    let (layer, kind) = match lookup(view)? {
        Lookup::Found { layer, kind } => (layer, kind),
        Lookup::NoName => return Err(STATUS_OBJECT_NAME_NOT_FOUND),
        Lookup::NoPath => return Err(STATUS_OBJECT_PATH_NOT_FOUND),
    };
    if kind == Kind::Leaf && !tail.is_empty() {
        return Err(STATUS_OBJECT_NAME_INVALID);
    }
    check_empty(view)?;
    if layer != 0 && kind == Kind::Leaf {
        let basic = view.basic(layer, view.depth())?.unwrap_or_default();
        if basic.attributes & raw::READ_ONLY != 0 {
            return Err(CANNOT_DELETE);
        }
        return hide(view);
    }
    if layer != 0 {
        copy_up::node(view, layer, kind, copy_up::Content::Whole)?;
    }
    prepare(view)?;
    with_name(0, view.path(), &[], raw::delete_by_name)?
}

/// Takes away the upper's file `name` (an NT name) itself.
pub(crate) fn raw_delete(name: &[u16]) -> Result<(), NTSTATUS> {
    let how = How {
        access: DELETE,
        attributes: 0,
        disposition: raw::OPEN,
        options: raw::NON_DIRECTORY_FILE,
    };
    match raw::open(name, how) {
        Ok(opened) => raw::delete(&opened),
        Err(status) if raw::is_missing(status) => Ok(()),
        Err(status) => Err(status),
    }
}
