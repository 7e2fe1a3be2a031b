//! Opening and creating a file of the VM.

use super::cache::{self, Fact};
use super::names::{self, Named, Place};
use super::view::{self, View};
use super::{copy_up, for_deletion, on_close, opened, raw, remove, shares};
use crate::calls::objects::with_name;
use crate::calls::open::Open;
use crate::decode::Attributes;
use crate::hooks;
use crate::{guard, state, trace};
use pinion_layers::{Kind, Lookup, Tree, hide, lookup, make_parents, sources};
use pinion_names::file;
use pinion_nt::calls::NtClose;
use pinion_nt::status::{
    STATUS_ACCESS_DENIED, STATUS_INVALID_PARAMETER, STATUS_OBJECT_NAME_COLLISION,
    STATUS_OBJECT_NAME_INVALID, STATUS_OBJECT_NAME_NOT_FOUND, STATUS_OBJECT_PATH_NOT_FOUND,
    success,
};
use pinion_nt::{HANDLE, NTSTATUS, OBJECT_ATTRIBUTES};
use pinion_wire::tally::Tally;
use pinion_wire::trace::Verdict;

/// `FILE_OPEN_BY_FILE_ID` (ntioapi.h).
const BY_ID: u32 = 0x2000;
/// `FILE_DELETE_ON_CLOSE` (ntioapi.h).
pub(crate) const DELETE_ON_CLOSE: u32 = 0x1000;
/// `FILE_SUPERSEDE`, `FILE_OVERWRITE`, `FILE_OVERWRITE_IF` (ntioapi.h).
const REPLACING: [u32; 3] = [0, 4, 5];
/// `FILE_OPEN`, `FILE_OVERWRITE` (ntioapi.h): the file must exist.
pub(crate) const EXISTING: [u32; 2] = [1, 4];

/// The access that only asks: `FILE_READ_DATA`, `FILE_READ_EA`, `FILE_EXECUTE`,
/// `FILE_READ_ATTRIBUTES`, `READ_CONTROL`, `SYNCHRONIZE`, `GENERIC_READ`,
/// `GENERIC_EXECUTE` (winnt.h). Every other bit, `MAXIMUM_ALLOWED` and
/// `GENERIC_ALL` among them, can lead to a change.
const READING: u32 = 0x1 | 0x8 | 0x20 | 0x80 | 0x2_0000 | 0x10_0000 | 0x8000_0000 | 0x2000_0000;
/// `FILE_WRITE_DATA`, `GENERIC_WRITE`, `GENERIC_ALL` (winnt.h): without any of
/// them Wine replaces a file and leaves its content (observed on Wine 8 and 10).
const WRITING_DATA: u32 = 0x2 | 0x4000_0000 | 0x1000_0000;
/// The access to a volume that reads and writes nothing of it:
/// `FILE_READ_ATTRIBUTES`, `READ_CONTROL`, `SYNCHRONIZE`.
const ASKING: u32 = 0x80 | 0x2_0000 | 0x10_0000;

/// As `NtCreateFile` on a name that is no pipe or mailslot.
pub(crate) fn open(decoded: &Attributes<'_>, open: &Open) -> NTSTATUS {
    if open.options & BY_ID != 0 {
        return by_id(decoded, open);
    }
    names::with_named(decoded, |named| match named {
        Named::Place(place) => of_place(&place, open, &decoded.given),
        Named::Shared(shared) => shares::open(&shared, open, &decoded.given),
        Named::Volume if open.access & !ASKING == 0 && open.disposition == raw::OPEN => {
            as_given(decoded, open)
        }
        Named::Passes => as_given(decoded, open),
        Named::Volume => refuse(STATUS_ACCESS_DENIED),
        Named::Refused(status) => refuse(status),
    })
}

/// Refuses, and counts it unless the name is just none of a file.
pub(crate) fn refuse(status: NTSTATUS) -> NTSTATUS {
    if status != STATUS_OBJECT_NAME_INVALID {
        Tally::count(&state::tally().refused);
        trace::verdict(Verdict::Refused);
    }
    status
}

/// The kernel's call with the name that the program gave.
fn as_given(decoded: &Attributes<'_>, open: &Open) -> NTSTATUS {
    with_name(&decoded.given, decoded.name, &|attributes| {
        open.call(attributes)
    })
}

/// A file by its number on a volume: the number tells its name on the host or in
/// a layer, and that name the path of the VM.
fn by_id(decoded: &Attributes<'_>, open: &Open) -> NTSTATUS {
    let mut handle: HANDLE = core::ptr::null_mut();
    let mut io = raw::block();
    let ask = Open {
        handle: &raw mut handle,
        io: &raw mut io,
        access: ASKING & !0x2_0000,
        share: raw::SHARE_ALL,
        disposition: raw::OPEN,
        options: BY_ID | raw::SYNCHRONOUS | raw::BACKUP,
        ..*open
    };
    let status = as_given(decoded, &ask);
    if !success(status) && !by_id_in_layers(decoded, &ask) {
        return status;
    }
    let file = raw::Owned(handle);
    let by_name = Open {
        options: open.options & !BY_ID,
        ..*open
    };
    names::with_relative(file.0, &[], |named| match named {
        Named::Place(place) => of_place(&place, &by_name, &decoded.given),
        Named::Shared(shared) => shares::open(&shared, &by_name, &decoded.given),
        Named::Refused(status) => refuse(status),
        Named::Volume | Named::Passes => refuse(STATUS_ACCESS_DENIED),
    })
}

/// Opens a file by its number relative to the directory that the root handle
/// means, in each of its layers: Wine looks for the number below that only.
fn by_id_in_layers(decoded: &Attributes<'_>, ask: &Open) -> bool {
    let found = names::with_located(decoded.root(), |layer, path| {
        if shares::number(layer).is_some() {
            return None;
        }
        let mut view = View::new(path);
        let layers = sources(&mut view).ok()?;
        layers.iter().find(|&layer| {
            let how = raw::How {
                access: raw::READ_ATTRIBUTES,
                attributes: 0,
                disposition: raw::OPEN,
                options: 0,
            };
            let opened = view::with_name(layer, path, &[], |name| raw::open(name, how));
            let Ok(Ok(root)) = opened else {
                return false;
            };
            let given = OBJECT_ATTRIBUTES {
                RootDirectory: root.0,
                ..decoded.given
            };
            success(with_name(&given, decoded.name, &|attributes| {
                ask.call(attributes)
            }))
        })
    });
    found.flatten().is_some()
}

/// Whether the call can change the file, which exists and is of `kind`.
pub(crate) fn changes(open: &Open, kind: Kind) -> bool {
    open.access & !READING != 0
        || open.options & DELETE_ON_CLOSE != 0
        || kind == Kind::Leaf && REPLACING.contains(&open.disposition)
}

/// Whether the handle can do nothing but list a directory, as `FindFirstFile`
/// opens it: its times, its changes and all else need more access.
fn only_lists(open: &Open) -> bool {
    const LIST: u32 = 0x1;
    const SYNCHRONIZE: u32 = 0x10_0000;
    open.access == LIST | SYNCHRONIZE
        && open.disposition == raw::OPEN
        && open.options & raw::DIRECTORY_FILE != 0
}

/// Whether the handle may be there to wait for changes of a directory, for which
/// one opens it for asynchronous use.
fn only_watches(open: &Open) -> bool {
    const LIST: u32 = 0x1;
    const SYNCHRONIZE: u32 = 0x10_0000;
    const SYNCHRONOUS: u32 = 0x30;
    open.access & !(SYNCHRONIZE | raw::READ_ATTRIBUTES) == LIST
        && open.options & raw::BACKUP != 0
        && open.options & (SYNCHRONOUS | raw::NON_DIRECTORY_FILE) == 0
}

/// The layer in which to open the directory `path`, which `layer` has. A handle
/// for waiting had better be of the host's, where less happens that is not told
/// ([`super::watch`]).
fn for_listing(layer: usize, open: &Open, path: &[u16]) -> usize {
    let on_host = || {
        only_lists(open) && cache::knows(Fact::ListedOnHost, path)
            || only_watches(open)
                && sources(&mut View::new(path)).is_ok_and(|all| all.contains(View::host()))
    };
    if layer == 0 && on_host() {
        View::host()
    } else {
        layer
    }
}

/// Whether no file system can do what the call asks (NtCreateFile documentation).
/// NT says so before it looks at the name; Wine when it has found the file, and
/// of the two kinds at once only that the file is of the other (observed on Wine
/// 8 and Wine 10).
fn is_contradictory(open: &Open, found: bool) -> bool {
    const GENERIC_ALL: u32 = 0x1000_0000;
    /// `FILE_MAXIMUM_DISPOSITION` (wdm.h).
    const LAST_DISPOSITION: u32 = 5;
    let directory = open.options & raw::DIRECTORY_FILE != 0;
    let replaces = directory && REPLACING.contains(&open.disposition);
    let unknown = open.disposition > LAST_DISPOSITION;
    if hooks::is_wine() {
        let deletes = open.options & DELETE_ON_CLOSE != 0;
        let may_not = open.access & (remove::DELETE | GENERIC_ALL) == 0;
        return found && (unknown || replaces || deletes && may_not);
    }
    unknown || replaces || directory && open.options & raw::NON_DIRECTORY_FILE != 0
}

fn of_place(place: &Place<'_>, open: &Open, given: &OBJECT_ATTRIBUTES) -> NTSTATUS {
    if is_contradictory(open, false) {
        return STATUS_INVALID_PARAMETER;
    }
    let mut view = View::new(place.path);
    if open.disposition == raw::OPEN && !changes(open, Kind::Leaf) {
        return view::read(&mut view, |layer| {
            let listed = for_listing(layer, open, place.path);
            let status = in_layer(listed, place, open, given);
            // The host may lack the directory.
            if listed != layer && raw::is_missing(status) {
                return in_layer(layer, place, open, given);
            }
            status
        });
    }
    let found = match lookup(&mut view) {
        Ok(found) => found,
        Err(status) => return status,
    };
    match found {
        Lookup::Found { layer, kind } => {
            if layer == 0 {
                cache::seen(place.path);
            }
            existing(&mut view, place, open, given, (layer, kind))
        }
        Lookup::NoName if !EXISTING.contains(&open.disposition) => match make_parents(&mut view) {
            Ok(true) => upper(&mut view, place, open, given),
            Ok(false) => STATUS_OBJECT_PATH_NOT_FOUND,
            Err(status) => status,
        },
        Lookup::NoName => STATUS_OBJECT_NAME_NOT_FOUND,
        Lookup::NoPath => STATUS_OBJECT_PATH_NOT_FOUND,
    }
}

/// As `NtDeleteFile` on a stream of a file: an open for deletion on close.
pub(crate) fn delete_stream(place: &Place<'_>, given: &OBJECT_ATTRIBUTES) -> NTSTATUS {
    let mut handle: HANDLE = core::ptr::null_mut();
    let mut io = raw::block();
    let open = Open {
        handle: &raw mut handle,
        access: remove::DELETE,
        io: &raw mut io,
        size: core::ptr::null(),
        kind: 0,
        share: raw::SHARE_ALL,
        disposition: raw::OPEN,
        options: DELETE_ON_CLOSE,
        ea: core::ptr::null(),
        ea_size: 0,
    };
    let status = of_place(place, &open, given);
    if success(status) {
        // SAFETY: the handle was made by this call.
        unsafe { NtClose(handle) };
    }
    status
}

/// Opens what is seen in `layer`, after a copy-up where the call can change it.
fn existing(
    view: &mut View<'_>,
    place: &Place<'_>,
    open: &Open,
    given: &OBJECT_ATTRIBUTES,
    (layer, kind): (usize, Kind),
) -> NTSTATUS {
    if layer == 0 {
        return upper(view, place, open, given);
    }
    if open.disposition == raw::CREATE || !changes(open, kind) {
        return in_layer(layer, place, open, given);
    }
    if is_contradictory(open, true) {
        return STATUS_INVALID_PARAMETER;
    }
    // Which of two faults a leaf with a tail has is the kernel's to say.
    if kind == Kind::Leaf && open.options & raw::DIRECTORY_FILE != 0 && !place.tail.is_empty() {
        let asks = Open {
            access: raw::READ_ATTRIBUTES,
            options: open.options & !DELETE_ON_CLOSE,
            ..*open
        };
        return in_layer(layer, place, &asks, given);
    }
    if let Some(status) = other_kind(open, kind) {
        return status;
    }
    if kind == Kind::Leaf && place.tail.is_empty() && deletes(open) && remove::is_large(view, layer)
    {
        if open.options & DELETE_ON_CLOSE != 0 {
            return delete_on_close(view, layer, place, open, given);
        }
        if let Some(status) = may_delete(layer, place, open, given) {
            return status;
        }
    }
    let content = if REPLACING.contains(&open.disposition) && open.access & WRITING_DATA != 0 {
        copy_up::Content::MayBeEmpty
    } else {
        copy_up::Content::Whole
    };
    match copy_up::node(view, layer, kind, content) {
        Ok(()) => upper(view, place, open, given),
        Err(status) => status,
    }
}

/// What the call gets that wants another kind than what is there.
fn other_kind(open: &Open, kind: Kind) -> Option<NTSTATUS> {
    match kind {
        Kind::Leaf if open.options & raw::DIRECTORY_FILE != 0 => Some(raw::STATUS_NOT_A_DIRECTORY),
        Kind::Directory if open.options & raw::NON_DIRECTORY_FILE != 0 => {
            Some(raw::STATUS_FILE_IS_A_DIRECTORY)
        }
        _ => None,
    }
}

/// Whether the handle can do nothing to the file but ask, and delete it in the
/// end. One that also reads must be of the copy, which others may write to, but
/// where the name goes at once.
fn deletes(open: &Open) -> bool {
    let on_close = open.options & DELETE_ON_CLOSE != 0;
    let rights = if on_close { READING } else { ASKING };
    open.disposition == raw::OPEN
        && open.access & !(rights | remove::DELETE) == 0
        && (on_close || open.access & remove::DELETE != 0)
}

/// Opens a large file of a lower layer that may be deleted or renamed later
/// ([`for_deletion`]); `None` when there is no room to remember that.
fn may_delete(
    layer: usize,
    place: &Place<'_>,
    open: &Open,
    given: &OBJECT_ATTRIBUTES,
) -> Option<NTSTATUS> {
    let asks = Open {
        access: open.access & !remove::DELETE | raw::READ_ATTRIBUTES,
        ..*open
    };
    let status = in_layer(layer, place, &asks, given);
    if !success(status) {
        return Some(status);
    }
    // SAFETY: plain data; the handle was made by this call.
    let handle = unsafe { guard::read(open.handle) }.ok()?;
    if for_deletion::keep(handle, open.access, false) {
        return Some(status);
    }
    // SAFETY: as above.
    unsafe { NtClose(handle) };
    None
}

/// Opens a large file of a lower layer that is to be deleted: a copy would be
/// made for nothing. The name is gone at once, not only when the handle is.
fn delete_on_close(
    view: &mut View<'_>,
    layer: usize,
    place: &Place<'_>,
    open: &Open,
    given: &OBJECT_ATTRIBUTES,
) -> NTSTATUS {
    let asks = Open {
        access: open.access & !remove::DELETE | raw::READ_ATTRIBUTES,
        options: open.options & !DELETE_ON_CLOSE,
        ..*open
    };
    let status = in_layer(layer, place, &asks, given);
    if !success(status) {
        return status;
    }
    // SAFETY: plain data; the handle was made by this call.
    let Ok(handle) = (unsafe { guard::read(open.handle) }) else {
        return status;
    };
    match hide(view) {
        Ok(()) => {
            for_deletion::keep(handle, open.access, true);
            status
        }
        Err(failed) => {
            // SAFETY: the handle was made by this call.
            unsafe { NtClose(handle) };
            failed
        }
    }
}

/// Opens or makes the file in the upper.
fn upper(
    view: &mut View<'_>,
    place: &Place<'_>,
    open: &Open,
    given: &OBJECT_ATTRIBUTES,
) -> NTSTATUS {
    if open.options & DELETE_ON_CLOSE != 0 && place.tail.first() != Some(&u16::from(b':')) {
        // Nothing is made ready for a call that the kernel refuses at once.
        if open.disposition != raw::CREATE
            && let Ok(Some((_, kind))) = kind_of(view)
            && let Some(status) = other_kind(open, kind)
        {
            // Which of two faults a leaf with a tail has is the kernel's to say.
            if kind == Kind::Leaf && !place.tail.is_empty() {
                return in_layer(0, place, open, given);
            }
            return if is_contradictory(open, true) {
                STATUS_INVALID_PARAMETER
            } else {
                status
            };
        }
        // That the name is taken is told before who holds the file.
        if let Err(status) = remove::prepare(view)
            && open.disposition != raw::CREATE
        {
            return status;
        }
    }
    let mut then = cache::stamp(place.path);
    let status = in_layer(0, place, open, given);
    if success(status) && !EXISTING.contains(&open.disposition) && was_made(open) {
        cache::made(place.path);
        then = cache::stamp(place.path);
    }
    if success(status) {
        cache::keep_in(place.path, 0, then);
    } else if status == STATUS_OBJECT_NAME_COLLISION {
        cache::seen(place.path);
    }
    status
}

/// Whether the call that has succeeded made the file.
fn was_made(open: &Open) -> bool {
    /// `FILE_CREATED` (ntioapi.h).
    const CREATED: usize = 2;
    // SAFETY: plain data; a bad pointer is a return value.
    unsafe { guard::read(open.io) }.map_or(true, |io| io.Information == CREATED)
}

/// The kernel's call with the file's name in `layer`.
pub(crate) fn in_layer(
    layer: usize,
    place: &Place<'_>,
    open: &Open,
    given: &OBJECT_ATTRIBUTES,
) -> NTSTATUS {
    let absolute = OBJECT_ATTRIBUTES {
        RootDirectory: core::ptr::null_mut(),
        ..*given
    };
    let then = cache::renames();
    let open = &keeping_nobody_out(layer, open);
    let call = |name: &[u16]| with_name(&absolute, name, &|attributes| open.call(attributes));
    let called = match by_unix_name(layer, place, open, call) {
        Some(status) => Ok(status),
        None => view::with_place(layer, place, call),
    };
    remember(open, layer, place, &called, then);
    match called {
        Ok(status) if layer == View::host() && may_be_an_alias(place.path) => {
            unless_closed(open, status, Some(place.path))
        }
        Ok(status) | Err(status) => status,
    }
}

/// The call as it is made on what others than the VM's members have, too: a
/// reader there keeps nobody from writing, renaming and deleting. Members do that
/// to a copy anyway. Who lets nobody read, either, means a lock, and has it.
fn keeping_nobody_out(layer: usize, open: &Open) -> Open {
    /// `FILE_SHARE_READ` (winnt.h).
    const READ: u32 = 1;
    let own = layer == 0 || shares::number(layer).is_some();
    let share = if own || open.share & READ == 0 {
        open.share
    } else {
        open.share | raw::SHARE_ALL
    };
    Open { share, ..*open }
}

/// Opens what is in `layer` by its second name, when it is there and spelled so:
/// Wine's server asks the file system about each directory of a path, and so
/// about fewer (observed on Wine 8 and Wine 10).
fn by_unix_name(
    layer: usize,
    place: &Place<'_>,
    open: &Open,
    call: impl FnOnce(&[u16]) -> NTSTATUS,
) -> Option<NTSTATUS> {
    if open.disposition != raw::OPEN || !place.tail.is_empty() {
        return None;
    }
    let status = view::with_unix_name(layer, place.path, call)?;
    (!raw::is_missing(status) && status != STATUS_OBJECT_NAME_INVALID).then_some(status)
}

/// Remembers what was opened.
fn remember(
    open: &Open,
    layer: usize,
    place: &Place<'_>,
    called: &Result<NTSTATUS, NTSTATUS>,
    then: u64,
) {
    if !called.is_ok_and(success) {
        return;
    }
    // SAFETY: plain data; a bad pointer is a return value.
    if let Ok(handle) = unsafe { guard::read(open.handle) } {
        for_deletion::forget(handle);
        on_close::forget(handle);
        if layer == 0 && open.options & DELETE_ON_CLOSE != 0 {
            on_close::keep(handle);
        }
        opened::keep(handle, layer, place.path, then);
    }
}

/// Whether a path can lead into the store without naming it: by a short name,
/// or from the drive that Wine maps to the root of the Unix file system.
fn may_be_an_alias(path: &[u16]) -> bool {
    let store = state::page().store_files.as_units();
    let other_drive = store.get(4).copied().map(pinion_names::units::fold) != path.first().copied();
    (other_drive || path.contains(&u16::from(b'~')))
        && !cache::knows(Fact::Outside, file::split_last(path).0)
}

/// `status`, unless the file that was opened is of the store. The directory of
/// `path`, by which it was opened, is remembered when it does not hold the store.
fn unless_closed(open: &Open, status: NTSTATUS, path: Option<&[u16]>) -> NTSTATUS {
    if !success(status) {
        return status;
    }
    // SAFETY: plain data; a bad pointer is a return value.
    let Ok(handle) = (unsafe { guard::read(open.handle) }) else {
        return status;
    };
    let directory = path.map(|path| file::split_last(path).0);
    let then = directory.map(cache::stamp);
    match where_is(handle) {
        Where::Store => {
            // SAFETY: the handle was made by this call and is not the program's yet.
            unsafe { NtClose(handle) };
            return refuse(STATUS_OBJECT_NAME_NOT_FOUND);
        }
        Where::Outside => {
            if let (Some(directory), Some(then)) = (directory, then) {
                cache::keep(Fact::Outside, directory, then);
            }
        }
        Where::Above => {}
    }
    status
}

/// Where a file opened as one of the host is.
enum Where {
    /// In the store or a layer.
    Store,
    /// In a directory that does not hold the store.
    Outside,
    /// In one that does, or nobody knows.
    Above,
}

fn where_is(handle: HANDLE) -> Where {
    names::with_located(handle, |layer, path| {
        if layer < View::host() || names::is_closed(path) {
            Where::Store
        } else if names::holds_the_store(file::split_last(path).0) {
            Where::Above
        } else {
            Where::Outside
        }
    })
    .unwrap_or(Where::Above)
}

/// Whether the file of `handle`, opened as one of the host, is of the store.
pub(crate) fn is_of_the_store(handle: HANDLE) -> bool {
    matches!(where_is(handle), Where::Store)
}

/// Whether the whole path of `view` is seen, and as what.
pub(crate) fn kind_of(view: &mut View<'_>) -> Result<Option<(usize, Kind)>, NTSTATUS> {
    debug_assert!(view.depth() > 0);
    Ok(match lookup(view)? {
        Lookup::Found { layer, kind } => Some((layer, kind)),
        _ => None,
    })
}
