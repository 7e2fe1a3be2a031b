//! Opening and making keys.
//!
//! The upper is asked first, then each snapshot, then the host, until one has
//! the key or hides it. An open that can only read copies nothing. One that
//! could write copies the key up and gets the upper's: `KEY_ALL_ACCESS` and
//! `MAXIMUM_ALLOWED` too, though many programs take them and only read. So no
//! member ever holds a host key that it could write.

use super::access::{self, harmless, takes_what_it_gets, without_view, writes};
use super::handles::{self, Kind, STATUS_KEY_DELETED, Standing, kind_at, known, opened};
use super::names::{self, Path, Wanted};
use super::raw::{self, is_missing};
use super::recent::Facts;
use super::tree::{self, Stack};
use super::{copy_up, grants, make, marks, private};
use crate::decode::{self, Attributes};
use crate::hooks::{self, kept};
use crate::{guard, state};
use pinion_layers::{Lookup, Tree, lookup};
use pinion_names::units::SEPARATOR;
use pinion_nt::status::{
    STATUS_ACCESS_DENIED, STATUS_NAME_TOO_LONG, STATUS_OBJECT_NAME_COLLISION,
    STATUS_OBJECT_NAME_INVALID, STATUS_OBJECT_NAME_NOT_FOUND, success,
};
use pinion_nt::{HANDLE, NTSTATUS, OBJECT_ATTRIBUTES, UNICODE_STRING, unicode_string};

/// `OBJ_OPENLINK` (ntdef.h).
const OBJ_OPENLINK: u32 = 0x100;
/// `REG_OPTION_OPEN_LINK` (winnt.h).
const OPEN_LINK: u32 = 8;
/// The options that an open takes: open link, backup or restore.
const OPEN_OPTIONS: u32 = OPEN_LINK | 4;

/// An open but for its name.
#[derive(Clone, Copy)]
pub(super) struct Open {
    pub(super) handle: *mut HANDLE,
    pub(super) access: u32,
    options: u32,
}

/// What `NtCreateKey` has more than an open.
#[derive(Clone, Copy)]
pub(super) struct Create {
    pub(super) title: u32,
    pub(super) class: *const UNICODE_STRING,
    pub(super) options: u32,
    pub(super) disposition: *mut u32,
}

impl Create {
    fn makes_link(&self) -> bool {
        self.options & make::CREATE_LINK != 0
    }
}

impl Open {
    /// The open itself, by the attributes as they are.
    fn call(&self, attributes: *const OBJECT_ATTRIBUTES, access: u32) -> NTSTATUS {
        // SAFETY: the program's arguments but for name and access.
        unsafe {
            if self.options == 0 {
                kept::NtOpenKey(self.handle, access, attributes)
            } else {
                kept::NtOpenKeyEx(self.handle, access, attributes, self.options)
            }
        }
    }

    /// The open in `layer`, of the VM's key `name`.
    fn in_layer(&self, given: &OBJECT_ATTRIBUTES, name: &[u16], layer: usize) -> NTSTATUS {
        let access = without_view(self.access);
        with_real(given, name, layer, |attributes| {
            self.call(attributes, access)
        })
    }

    /// The open of `relative` below the program's own root.
    fn by_root(&self, given: &OBJECT_ATTRIBUTES, relative: &[u16]) -> NTSTATUS {
        let Some(string) = unicode_string(relative) else {
            return STATUS_NAME_TOO_LONG;
        };
        let attributes = OBJECT_ATTRIBUTES {
            ObjectName: &raw const string,
            ..*given
        };
        self.call(&raw const attributes, without_view(self.access))
    }

    /// Keeps what kind of key the call has opened.
    pub(super) fn note(&self, kind: Kind, generation: u64) {
        // SAFETY: the kernel has just written there.
        if let Ok(handle) = unsafe { guard::read(self.handle) } {
            opened(handle, kind, generation);
        }
    }

    fn forget(&self) {
        // SAFETY: the kernel has just written there.
        if let Ok(handle) = unsafe { guard::read(self.handle) } {
            handles::forget(handle);
        }
    }
}

/// Runs `call` with the program's attributes under the real name of `name` in
/// `layer`.
fn with_real(
    given: &OBJECT_ATTRIBUTES,
    name: &[u16],
    layer: usize,
    call: impl FnOnce(*const OBJECT_ATTRIBUTES) -> NTSTATUS,
) -> NTSTATUS {
    tree::with_real(name, layer, |path| {
        let Some(string) = unicode_string(path) else {
            return STATUS_NAME_TOO_LONG;
        };
        let attributes = OBJECT_ATTRIBUTES {
            RootDirectory: core::ptr::null_mut(),
            ObjectName: &raw const string,
            ..*given
        };
        call(&raw const attributes)
    })
    .unwrap_or_else(|status| status)
}

/// As `NtOpenKey`.
pub(crate) unsafe fn open_key(
    handle: *mut HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
) -> NTSTATUS {
    enter(handle, access, attributes, 0, None)
}

/// As `NtOpenKeyEx`.
pub(crate) unsafe fn open_key_ex(
    handle: *mut HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
    options: u32,
) -> NTSTATUS {
    enter(handle, access, attributes, options, None)
}

/// As `NtCreateKey`.
pub(crate) unsafe fn create_key(
    handle: *mut HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
    title: u32,
    class: *const UNICODE_STRING,
    options: u32,
    disposition: *mut u32,
) -> NTSTATUS {
    let create = Create {
        title,
        class,
        options,
        disposition,
    };
    let options = options & OPEN_OPTIONS;
    enter(handle, access, attributes, options, Some(create))
}

fn enter(
    handle: *mut HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
    options: u32,
    create: Option<Create>,
) -> NTSTATUS {
    let open = Open {
        handle,
        access,
        options,
    };
    decode::with_attributes(attributes, |decoded| {
        if shows_host(&open, decoded) {
            let generation = handles::generation();
            let status = open.call(attributes, access);
            if success(status) {
                open.note(Kind::Plain, generation);
            }
            if create.is_none() || !is_missing(status) {
                return tell_existing(status, create.as_ref());
            }
        }
        let status = by_name(&open, attributes, decoded, create.as_ref());
        too_long(&open, decoded.name, status)
    })
    .unwrap_or_else(|| outside(&open, attributes))
}

/// Whether what the call reads is the host's own for certain: it is relative to
/// a host key of which no layer has a part.
fn shows_host(open: &Open, decoded: &Attributes<'_>) -> bool {
    !decoded.is_absolute()
        && !writes(open.access)
        && !access::wants_32(open.access)
        && known(decoded.root()) == Some(Kind::Plain)
}

/// Tells a create that the key was there.
fn tell_existing(status: NTSTATUS, create: Option<&Create>) -> NTSTATUS {
    const REG_OPENED_EXISTING_KEY: u32 = 2;
    if let Some(create) = create
        && success(status)
        && !create.disposition.is_null()
    {
        // SAFETY: the program's pointer, under guard. The kernel ignores a bad
        // one as well once the key is open.
        let _ = unsafe { guard::write(create.disposition, REG_OPENED_EXISTING_KEY) };
    }
    status
}

fn by_name(
    open: &Open,
    attributes: *const OBJECT_ATTRIBUTES,
    decoded: &Attributes<'_>,
    create: Option<&Create>,
) -> NTSTATUS {
    if !decoded.is_absolute() && decoded.name.first() == Some(&SEPARATOR) {
        return outside(open, attributes);
    }
    // To Wine the option alone means nothing (observed on Wine 8 and 10).
    let link = open.options & OPEN_LINK != 0 && !hooks::is_wine()
        || decoded.given.Attributes & OBJ_OPENLINK != 0
        || create.is_some_and(Create::makes_link);
    let wanted = Wanted {
        link,
        view_32: access::wants_32(open.access),
    };
    names::with_path(decoded, &wanted, |path| {
        let Some(path) = path else {
            return outside(open, attributes);
        };
        let name = path.name;
        if !decoded.is_absolute() && matches!(handles::stand(decoded.root()), Ok(Standing::Gone)) {
            return STATUS_KEY_DELETED;
        }
        if let Some(create) = create.filter(|create| create.makes_link()) {
            return make_link(open, create, &decoded.given, name);
        }
        let status = existing(open, &decoded.given, path, link);
        match create {
            Some(create) if is_missing(status) && !names::is_closed(name) => {
                make::key(open, create, &decoded.given, name)
            }
            create => tell_existing(status, create),
        }
    })
    .unwrap_or_else(|status| status)
}

/// A name that the VM's prefix makes too long gets what the longest names get
/// from the kernel, and the handle is emptied as by it (Wine's own tests, which
/// pass on Windows). One that its links make too long is told as that.
fn too_long(open: &Open, asked: &[u16], status: NTSTATUS) -> NTSTATUS {
    /// Longer names, in units, may have no room below the store.
    const ROOM: usize = 32_767 - 1_024;
    if status != STATUS_NAME_TOO_LONG || asked.len() < ROOM {
        return status;
    }
    // SAFETY: the program's pointer, under guard; the call fails either way.
    match unsafe { guard::write(open.handle, core::ptr::null_mut()) } {
        Ok(()) => STATUS_OBJECT_NAME_INVALID,
        Err(code) => code,
    }
}

/// A link is made only where no key is, and no link either.
fn make_link(open: &Open, create: &Create, given: &OBJECT_ATTRIBUTES, name: &[u16]) -> NTSTATUS {
    let look = Open {
        access: access::READ,
        options: OPEN_LINK,
        ..*open
    };
    let itself = OBJECT_ATTRIBUTES {
        Attributes: given.Attributes | OBJ_OPENLINK,
        ..*given
    };
    match existing(&look, &itself, Path { name, given: None }, true) {
        status if is_missing(status) && !names::is_closed(name) => {
            make::key(open, create, given, name)
        }
        status if success(status) => {
            close(open.handle);
            STATUS_OBJECT_NAME_COLLISION
        }
        status => status,
    }
}

/// A name that layers do not mirror, or that cannot be read: the kernel
/// answers, but nothing that could be written is given.
fn outside(open: &Open, attributes: *const OBJECT_ATTRIBUTES) -> NTSTATUS {
    let status = open.call(attributes, harmless(open.access));
    if success(status) {
        open.forget();
        if writes(open.access) && !takes_what_it_gets(open.access) {
            close(open.handle);
            return STATUS_ACCESS_DENIED;
        }
    }
    status
}

fn close(handle: *mut HANDLE) {
    // SAFETY: the kernel has just written there.
    if let Ok(opened) = unsafe { guard::read(handle) } {
        // SAFETY: the handle was opened for the program by this very call, and
        // the program has not been told of it.
        unsafe {
            pinion_nt::calls::NtClose(opened);
            let _ = guard::write(handle, core::ptr::null_mut());
        }
    }
}

/// Opens the VM's key at `path` where the topmost layer has it.
fn existing(open: &Open, given: &OBJECT_ATTRIBUTES, path: Path<'_>, link: bool) -> NTSTATUS {
    let name = path.name;
    let generation = handles::generation();
    let known = Facts::of(name);
    let absent = !writes(open.access) && known.is_absent(generation);
    let status = if absent {
        STATUS_OBJECT_NAME_NOT_FOUND
    } else {
        open.in_layer(given, name, 0)
    };
    if success(status) {
        open.note(Kind::Upper, generation);
    }
    if !is_missing(status) || names::is_closed(name) {
        return status;
    }
    if writes(open.access) {
        return open_copied(open, given, name, link, status);
    }
    known.keep_absent(generation);
    let host = state::page().layers().len();
    for layer in 1..=host {
        match hidden_above(name, layer) {
            Ok(false) => {}
            // Asked of the kernel for its way to fail.
            Ok(true) => return open.in_layer(given, name, 0),
            Err(error) => return error,
        }
        if layer < host && known.lacks(layer) {
            continue;
        }
        if layer == host && private::is_private(name) {
            return status;
        }
        let status = match path.given {
            Some(relative) if layer == host => open.by_root(given, relative),
            _ => open.in_layer(given, name, layer),
        };
        if success(status) {
            open.note(kind_at(name, layer), generation);
        }
        if !is_missing(status) || layer == host {
            return status;
        }
        known.keep_lack(layer);
    }
    status
}

/// Whether the layer above `layer` hides the VM's key `name`.
fn hidden_above(name: &[u16], layer: usize) -> Result<bool, NTSTATUS> {
    let above = layer - 1;
    if !marks::any(above) {
        return Ok(false);
    }
    let mut stack = Stack::new(name);
    for depth in 1..=stack.depth() {
        if stack.whiteout(above, depth)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Copies the key up, if there is one to copy, and opens the copy. `missing` is
/// the status for when there is none.
fn open_copied(
    open: &Open,
    given: &OBJECT_ATTRIBUTES,
    name: &[u16],
    link: bool,
    missing: NTSTATUS,
) -> NTSTATUS {
    if link {
        match copy_up::host_link(name) {
            Ok(false) => {}
            Ok(true) => return in_upper(open, given, name),
            Err(status) => return status,
        }
    }
    let through_link = copy_up::with_other_name(name, |real| copied(open, given, real, missing));
    through_link.unwrap_or_else(|| copied(open, given, name, missing))
}

fn copied(open: &Open, given: &OBJECT_ATTRIBUTES, name: &[u16], missing: NTSTATUS) -> NTSTATUS {
    if let Some(answered) = refused(open, given, name) {
        return answered;
    }
    match copy_up::whole(name) {
        Err(status) if is_missing(status) => return missing,
        Err(status) => return status,
        Ok(()) => {}
    }
    in_upper(open, given, name)
}

/// The refusal that the kernel would give the access on the key as it is now, so
/// that none is copied that the program may not write. Its descriptor is judged:
/// the key itself is opened to read only. A key that stands for a predefined
/// handle has nothing that could be copied: it is opened as it is, but for the
/// rights with which Wine would change it (it refuses values and deletion;
/// observed on Wine 8 and 10).
fn refused(open: &Open, given: &OBJECT_ATTRIBUTES, name: &[u16]) -> Option<NTSTATUS> {
    const STATUS_PREDEFINED_HANDLE: i32 = 0x4000_0016;
    /// `KEY_SET_VALUE`, `DELETE` (winnt.h).
    const UNHEEDED: u32 = 0x1_0002;
    let Ok(Lookup::Found { layer, .. }) = lookup(&mut Stack::new(name)) else {
        return None;
    };
    let mut source = None;
    let status = with_real(given, name, layer, |attributes| {
        let (status, key) = raw::read_by(attributes);
        source = key;
        status
    });
    match (status, source) {
        (STATUS_PREDEFINED_HANDLE, _) => Some(with_real(given, name, layer, |attributes| {
            open.call(attributes, harmless(open.access) | open.access & UNHEEDED)
        })),
        (_, Some(source)) => grants::refuses(&source, without_view(open.access)),
        // What cannot be read cannot be copied.
        (STATUS_ACCESS_DENIED, None) => Some(status),
        _ => None,
    }
}

fn in_upper(open: &Open, given: &OBJECT_ATTRIBUTES, name: &[u16]) -> NTSTATUS {
    let generation = handles::generation();
    let status = open.in_layer(given, name, 0);
    if success(status) {
        open.note(Kind::Upper, generation);
    }
    status
}
