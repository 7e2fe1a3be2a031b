//! Folders that are deliberately the host's own: a call on what is in one goes to
//! the host's folder, past the layers.
//!
//! Owns which paths are of a share and what a member may not do there: change
//! what is read-only, take the folder itself away, or go through a link that leads
//! out of it. The overlay engine never sees such a path. A share has a layer
//! number of its own, beyond the host's, by which [`view::with_name`] names its
//! files.

use super::names::Place;
use super::open::{in_layer, refuse};
use super::raw::{self, How};
use super::view::{View, with_name};
use crate::calls::open::Open;
use crate::hooks::{self, kept};
use crate::modules::peb;
use crate::state;
use pinion_names::share::{self, Share};
use pinion_names::units::{SEPARATOR, fold, join};
use pinion_names::{TooLong, file};
use pinion_nt::status::{
    STATUS_ACCESS_DENIED, STATUS_OBJECT_NAME_COLLISION, STATUS_OBJECT_NAME_NOT_FOUND,
};
use pinion_nt::{NTSTATUS, OBJECT_ATTRIBUTES};

/// `STATUS_MEDIA_WRITE_PROTECTED` (ntstatus.h): what NTFS answers on a volume that
/// is read-only and Wine on such a mount. Win32 makes `ERROR_WRITE_PROTECT` of it,
/// C libraries `EACCES` or `EROFS`.
pub(crate) const WRITE_PROTECTED: NTSTATUS = 0xC000_00A2_u32 as i32;
/// `STATUS_NOT_SAME_DEVICE` (ntstatus.h): what NT answers for a rename or link from
/// one volume to another; programs copy then.
pub(crate) const NOT_SAME_DEVICE: NTSTATUS = 0xC000_00D4_u32 as i32;

/// A path of the VM that is of a share.
#[derive(Clone, Copy)]
pub(crate) struct Shared<'p> {
    /// The share's number.
    pub(crate) number: usize,
    /// The path, by the folder's name in the VM.
    pub(crate) place: Place<'p>,
}

/// Folds a unit as NT compares names, also before the loader has made ready what
/// `RtlUpcaseUnicodeChar` reads: from the table that the process has from its
/// start (`UnicodeCaseTableData` in the PEB; phnt, ntpebteb.h).
pub(crate) fn upcase(unit: u16) -> u16 {
    const TABLE: usize = 0xb0;
    if unit < 0x80 {
        return fold(unit);
    }
    // SAFETY: the PEB is mapped, and the field is a word of it.
    let table = unsafe { peb().add(TABLE).cast::<*const u16>().read_unaligned() };
    if table.is_null() {
        return unit;
    }
    // What follows the table's two first words are three steps of offsets, by the
    // unit's bits, to what is added to it (as Wine's ntdll reads it; Windows has the
    // same l_intl.nls).
    let at = |index: u16| {
        // SAFETY: the table is mapped for the process's life, and its own offsets
        // stay in it.
        unsafe { table.add(2 + usize::from(index)).read_unaligned() }
    };
    let step = at(unit >> 8).wrapping_add(unit >> 4 & 0xf);
    unit.wrapping_add(at(at(step).wrapping_add(unit & 0xf)))
}

/// The VM's shares.
fn all() -> impl Iterator<Item = Share<'static>> {
    state::page().shares().iter().map(|share| Share {
        vm: share.vm.as_units(),
        host: share.host.as_units(),
    })
}

/// Whether the VM has any.
pub(crate) fn any() -> bool {
    state::page().share_count != 0
}

/// The share that has the layer path `path`, and what follows its folder.
pub(crate) fn find(path: &[u16]) -> Option<(usize, &[u16])> {
    if !any() {
        return None;
    }
    share::find(all(), path, upcase)
}

/// Whether the path leads to a share's folder when something below it is added.
pub(crate) fn is_above(path: &[u16]) -> bool {
    all().any(|share| share.is_below(path, upcase))
}

/// The layer path in the VM of the share's folder.
pub(crate) fn folder(number: usize) -> Option<&'static [u16]> {
    all().nth(number).map(|share| share.vm)
}

/// Writes the path in the VM of `rest` in the share `number`.
pub(crate) fn in_vm<'o>(number: usize, rest: &[u16], out: &'o mut [u16]) -> Option<&'o [u16]> {
    let length = share::place(folder(number)?, rest, out).ok()?;
    out.get(..length)
}

/// Writes the host's NT name of `path`, which is in the share `number`.
pub(crate) fn host_name(number: usize, path: &[u16], out: &mut [u16]) -> Result<usize, TooLong> {
    const DOS: &[u16] = &[SEPARATOR, b'?' as u16, b'?' as u16, SEPARATOR];
    const COLON: &[u16] = &[b':' as u16];
    let share = all().nth(number).ok_or(TooLong)?;
    let rest = share::below(path, share.vm, upcase).ok_or(TooLong)?;
    let (letter, folder) = share.host.split_at_checked(1).ok_or(TooLong)?;
    join(&[DOS, letter, COLON, folder, rest], out)
}

/// How many units longer than its path in the VM the host's path of a file in the
/// share can be.
pub(crate) fn room(number: usize) -> usize {
    all().nth(number).map_or(0, |share| share.host.len())
}

/// How many units longer than a host's name the VM's name of the same file can be.
pub(crate) fn longer() -> usize {
    if any() { LONGEST } else { 0 }
}

/// The longest path of a shared folder (`pinion_wire::page::Folder`).
const LONGEST: usize = 260;

/// The layer number of the share `number`.
pub(crate) fn layer(number: usize) -> usize {
    View::host() + 1 + number
}

/// The share of a layer number.
pub(crate) fn number(layer: usize) -> Option<usize> {
    layer.checked_sub(View::host() + 1)
}

/// Whether members may only read what is in the share.
pub(crate) fn is_read_only(number: usize) -> bool {
    let share = state::page().shares().get(number);
    share.is_none_or(|share| share.read_only != 0)
}

/// Whether `path` is the share's folder itself, which belongs to the folder above
/// it: that is not shared.
pub(crate) fn is_root(number: usize, path: &[u16]) -> bool {
    let share = state::page().shares().get(number);
    share.is_none_or(|share| share.vm.as_units().len() >= path.len())
}

impl Shared<'_> {
    /// The layer number.
    pub(crate) fn layer(&self) -> usize {
        layer(self.number)
    }

    /// Whether it is the shared folder itself.
    pub(crate) fn is_root(&self) -> bool {
        is_root(self.number, self.place.path)
    }

    /// Whether the host has it.
    fn is_there(&self) -> Result<bool, NTSTATUS> {
        let found = with_name(self.layer(), self.place.path, &[], raw::basic)??;
        Ok(found.is_some())
    }

    /// Fails where a directory on the way is a link, which leads out of the share,
    /// or, with `last`, the file itself is one.
    pub(crate) fn check_links(&self, last: bool) -> Result<(), NTSTATUS> {
        let path = self.place.path;
        let share = state::page().shares().get(self.number);
        let folder = share.map_or(0, |share| file::depth(share.vm.as_units()));
        let depth = file::depth(path);
        for depth in folder + 1..depth + usize::from(last) {
            let linked = with_name(self.layer(), file::prefix(path, depth), &[], is_link)?;
            if linked {
                return Err(STATUS_ACCESS_DENIED);
            }
        }
        Ok(())
    }

    /// Fails where the file may not be taken away: it is the shared folder, is
    /// read-only, or behind a link.
    pub(crate) fn check_removable(&self) -> Result<(), NTSTATUS> {
        if self.is_root() {
            return Err(STATUS_ACCESS_DENIED);
        }
        self.check_links(hooks::is_wine())?;
        if is_read_only(self.number) && self.is_there()? {
            return Err(WRITE_PROTECTED);
        }
        Ok(())
    }
}

/// Whether the file of the NT name `name` is a link to another name. On Wine a
/// Unix link to a directory, and what is mounted, has the attribute of a reparse
/// point without a tag; one to a file looks like that file (seen on Wine 8 and 10).
fn is_link(name: &[u16]) -> bool {
    const REPARSE_POINT: u32 = 0x400;
    /// `FILE_OPEN_REPARSE_POINT` (ntioapi.h).
    const OPEN_LINK: u32 = 0x20_0000;
    /// `FileAttributeTagInformation` (wdm.h): attributes, tag.
    const TAG: u32 = 35;
    /// The bit of tags that stand for another name (`IsReparseTagNameSurrogate`).
    const SURROGATE: u32 = 0x2000_0000;
    match raw::basic(name) {
        Ok(Some(basic)) if basic.attributes & REPARSE_POINT != 0 => {}
        // What is not there is no link; what cannot be asked may be one.
        Ok(_) => return false,
        Err(status) => return status == STATUS_ACCESS_DENIED,
    }
    let how = How {
        access: raw::READ_ATTRIBUTES,
        attributes: 0,
        disposition: raw::OPEN,
        options: OPEN_LINK,
    };
    let Ok(opened) = raw::open(name, how) else {
        return true;
    };
    let (mut tag, mut io) = ([0_u32; 2], raw::block());
    // SAFETY: the structure has two words; the block is local.
    let status = unsafe {
        kept::NtQueryInformationFile(opened.0, &raw mut io, tag.as_mut_ptr().cast(), 8, TAG)
    };
    raw::check(status).is_err() || tag[1] == 0 || tag[1] & SURROGATE != 0
}

/// As `NtCreateFile` on a path of a share.
pub(crate) fn open(shared: &Shared<'_>, open: &Open, given: &OBJECT_ATTRIBUTES) -> NTSTATUS {
    match try_open(shared, open, given) {
        Ok(status) => status,
        Err(status) if status == STATUS_ACCESS_DENIED => refuse(status),
        Err(status) => status,
    }
}

fn try_open(
    shared: &Shared<'_>,
    open: &Open,
    given: &OBJECT_ATTRIBUTES,
) -> Result<NTSTATUS, NTSTATUS> {
    /// `FILE_OPEN_REPARSE_POINT` (ntioapi.h).
    const OPEN_LINK: u32 = 0x20_0000;
    let of_link = open.options & OPEN_LINK != 0 && !hooks::is_wine();
    shared.check_links(!of_link)?;
    if shared.is_root() && open.options & super::open::DELETE_ON_CLOSE != 0 {
        return Err(STATUS_ACCESS_DENIED);
    }
    let call = |open: &Open| in_layer(shared.layer(), &shared.place, open, given);
    if !is_read_only(shared.number) {
        return Ok(call(open));
    }
    let own = reading(shared, open)?;
    if own.access == open.access {
        return Ok(call(&own));
    }
    Ok(match call(&own) {
        STATUS_ACCESS_DENIED => call(&Open {
            access: own.access & !EXECUTE,
            ..own
        }),
        status => status,
    })
}

/// `MAXIMUM_ALLOWED` (winnt.h).
const MAXIMUM: u32 = 0x0200_0000;
/// `FILE_GENERIC_READ` and `FILE_GENERIC_EXECUTE` (winnt.h).
const READ_AND_EXECUTE: u32 = 0x0012_00a9;
/// `FILE_EXECUTE` (winnt.h).
const EXECUTE: u32 = 0x20;

/// The open that a read-only share allows for `open`, as a read-only volume does:
/// what is there can be opened for reading, and all that is allowed is that.
fn reading(shared: &Shared<'_>, open: &Open) -> Result<Open, NTSTATUS> {
    let own = Open {
        access: match open.access & MAXIMUM {
            0 => open.access,
            _ => open.access & !MAXIMUM | READ_AND_EXECUTE,
        },
        ..*open
    };
    let changes = super::open::changes(&own, pinion_layers::Kind::Leaf);
    if open.disposition == raw::OPEN && !changes {
        return Ok(own);
    }
    let how = How {
        access: raw::READ_ATTRIBUTES,
        attributes: 0,
        disposition: raw::OPEN,
        options: 0,
    };
    let path = shared.place.path;
    match with_name(shared.layer(), path, &[], |name| {
        raw::open(name, how).map(drop)
    })? {
        Ok(()) if open.disposition == raw::CREATE => Err(STATUS_OBJECT_NAME_COLLISION),
        Ok(()) if open.disposition == raw::OPEN_IF && !changes => Ok(Open {
            disposition: raw::OPEN,
            ..own
        }),
        // Where nothing is, it is as outside unless it shall be made.
        Err(STATUS_OBJECT_NAME_NOT_FOUND) if !super::open::EXISTING.contains(&open.disposition) => {
            Err(WRITE_PROTECTED)
        }
        Err(status) if raw::is_missing(status) => Err(status),
        Ok(()) | Err(_) => Err(WRITE_PROTECTED),
    }
}

/// Whether a handle of a file in a share may be set information of `class` that
/// is about the file, not about the handle. NT's own answer for a handle that was
/// opened for reading comes from the kernel; Wine asks for no access in some
/// classes (seen on Wine 8 and 10).
pub(crate) fn check_class(number: usize, class: u32) -> Result<(), NTSTATUS> {
    /// Position, mode, completion port, notification modes, priority, and the
    /// association that a port is replaced by (wdm.h).
    const OF_HANDLE: [u32; 6] = [14, 16, 30, 41, 43, 61];
    if is_read_only(number) && !OF_HANDLE.contains(&class) {
        return Err(WRITE_PROTECTED);
    }
    Ok(())
}
