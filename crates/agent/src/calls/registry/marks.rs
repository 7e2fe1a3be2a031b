//! The `Hidden` tree of a layer: values without data mark a name as a whiteout
//! or a key of the layer as a symbolic link.
//!
//! A link is an ordinary key to the kernel, which would otherwise follow it by
//! itself, out of the VM. Most layers have no marks at all, and fewer have
//! links: what a layer lacks is remembered for one count of `keys_hidden`.

use super::listed::Fate;
use super::raw::{self, Key, is_missing};
use super::{access, handles};
use crate::hooks::kept;
use crate::{scratch, state};
use core::sync::atomic::{AtomicU64, Ordering};
use pinion_names::key;
use pinion_nt::status::{STATUS_NAME_TOO_LONG, success};
use pinion_nt::{NTSTATUS, UNICODE_STRING, unicode_string};
use pinion_wire::page::LAYERS;

/// What a key of the tree says of the VM's key of the same path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// Nothing of the layers below shows there.
    Hidden,
    /// The layer's key there is a symbolic link.
    Link,
}

impl Mark {
    fn value(self) -> &'static str {
        match self {
            Self::Hidden => key::MARK,
            Self::Link => key::LINK,
        }
    }
}

/// One more than the count of `keys_hidden` at which a layer was found without
/// marks, and without links.
static UNMARKED: [AtomicU64; LAYERS] = [const { AtomicU64::new(0) }; LAYERS];
static UNLINKED: [AtomicU64; LAYERS] = [const { AtomicU64::new(0) }; LAYERS];

/// Runs `work` with the path of the marks of the VM's `name` in `layer`.
fn with_path<R>(name: &[u16], layer: usize, work: impl FnOnce(&[u16]) -> R) -> Result<R, NTSTATUS> {
    let layers = state::page().layers();
    let keys = layers.get(layer).map_or(&[][..], |l| l.keys.as_units());
    let room = keys.len() + key::HIDDEN.len() + name.len();
    scratch::with(room, |out| {
        let length = key::whiteout(keys, name, out).map_err(|_| STATUS_NAME_TOO_LONG)?;
        Ok(work(out.get(..length).unwrap_or(&[])))
    })
    .ok_or(STATUS_NAME_TOO_LONG)?
}

/// Opens the key that holds the marks of `name` in `layer`.
pub(super) fn open(name: &[u16], layer: usize, access: u32) -> Result<Key, NTSTATUS> {
    with_path(name, layer, |path| raw::open(path, access))?
}

/// Whether `layer` has any marks.
pub(super) fn any(layer: usize) -> bool {
    remembered(
        UNMARKED.get(layer),
        || matches!(open(ROOT, layer, access::QUERY), Err(status) if is_missing(status)),
    )
}

/// Whether `layer` has links.
pub(super) fn any_link(layer: usize) -> bool {
    any(layer)
        && remembered(UNLINKED.get(layer), || {
            open(ROOT, layer, access::QUERY).is_ok_and(|root| !is_marked(&root, Mark::Link))
        })
}

/// The contrary of `lacks`, which is not asked again while nothing is marked.
fn remembered(known: Option<&AtomicU64>, lacks: impl FnOnce() -> bool) -> bool {
    let Some(known) = known else {
        return false;
    };
    let now = state::tally().keys_hidden.load(Ordering::Acquire);
    if known.load(Ordering::Relaxed) == now.wrapping_add(1) {
        return false;
    }
    let lacks = lacks();
    if lacks {
        known.store(now.wrapping_add(1), Ordering::Relaxed);
    }
    !lacks
}

const ROOT: &[u16] = &{
    let mut units = [0; key::ROOT.len()];
    let mut at = 0;
    while at < units.len() {
        units[at] = key::ROOT.as_bytes()[at] as u16;
        at += 1;
    }
    units
};

/// Whether `layer` marks the VM's `name` so.
pub(super) fn has(name: &[u16], layer: usize, mark: Mark) -> Result<bool, NTSTATUS> {
    let any = match mark {
        Mark::Hidden => any(layer),
        Mark::Link => any_link(layer),
    };
    if !any {
        return Ok(false);
    }
    match open(name, layer, access::QUERY) {
        Ok(marked) => Ok(is_marked(&marked, mark)),
        Err(status) if is_missing(status) => Ok(false),
        Err(status) => Err(status),
    }
}

/// Runs `work` with the name of the value.
fn with_value(
    mark: Mark,
    work: impl FnOnce(*const UNICODE_STRING) -> NTSTATUS,
) -> Result<(), NTSTATUS> {
    let mut units = [0; 8];
    let length = key::ascii(mark.value(), &mut units).map_err(|_| STATUS_NAME_TOO_LONG)?;
    let string = unicode_string(units.get(..length).unwrap_or(&[])).ok_or(STATUS_NAME_TOO_LONG)?;
    match work(&raw const string) {
        status if success(status) => Ok(()),
        status => Err(status),
    }
}

/// Whether the opened key of a `Hidden` tree has the mark.
pub(super) fn is_marked(marked: &Key, mark: Mark) -> bool {
    const BASIC: u32 = 0;
    let (mut buffer, mut returned) = ([0_u32; 16], 0);
    let asked = with_value(mark, |name| {
        // SAFETY: the buffer is a local of the size told.
        unsafe {
            kept::NtQueryValueKey(
                marked.handle(),
                name,
                BASIC,
                buffer.as_mut_ptr().cast(),
                size_of_val(&buffer) as u32,
                &raw mut returned,
            )
        }
    });
    asked.is_ok()
}

/// Marks the VM's `name` in the upper; the root too for a link, so that a layer
/// without links is known as one.
pub(super) fn set(name: &[u16], mark: Mark) -> Result<(), NTSTATUS> {
    let marked = make(name)?;
    if mark == Mark::Link {
        write(&open(ROOT, 0, access::ALL)?, mark)?;
    }
    write(&marked, mark)?;
    state::tally().keys_hidden.fetch_add(1, Ordering::Release);
    handles::changed_one(name, Fate::Same);
    Ok(())
}

fn write(marked: &Key, mark: Mark) -> Result<(), NTSTATUS> {
    const REG_NONE: u32 = 0;
    with_value(mark, |name| {
        // SAFETY: the name lives over the call; there is no data.
        unsafe { kept::NtSetValueKey(marked.handle(), name, 0, REG_NONE, core::ptr::null(), 0) }
    })
}

/// Makes the key for the marks of `name`, and those on the way to it.
fn make(name: &[u16]) -> Result<Key, NTSTATUS> {
    let create = |name: &[u16]| with_path(name, 0, |path| raw::create(path, access::ALL, &[]))?;
    match create(name) {
        Err(status) if is_missing(status) => {}
        made => return made,
    }
    for depth in 0..key::depth(name) {
        create(key::first(name, depth))?;
    }
    create(name)
}

/// Sees to it that a key made or moved to `name` is a link only if `link` says
/// so. To be called before the key is there.
pub(super) fn settle_link(name: &[u16], link: bool) -> Result<(), NTSTATUS> {
    if link {
        return set(name, Mark::Link);
    }
    if !has(name, 0, Mark::Link)? {
        return Ok(());
    }
    let marked = open(name, 0, access::ALL)?;
    with_value(Mark::Link, |value| {
        // SAFETY: the name lives over the call.
        unsafe { kept::NtDeleteValueKey(marked.handle(), value) }
    })?;
    handles::changed();
    Ok(())
}
