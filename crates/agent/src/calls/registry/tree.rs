//! The VM's stack of keys as the overlay's engine sees it: entries are keys,
//! whiteouts are marked keys of a layer's `Hidden` tree.

use super::raw::{self, Key, is_missing};
use super::{access, copy_up, handles};
use crate::hooks::kept;
use crate::{scratch, state};
use core::sync::atomic::{AtomicU64, Ordering};
use pinion_layers::{Kind, Lookup, Tree, Upper, lookup};
use pinion_names::key;
use pinion_nt::status::{STATUS_ACCESS_DENIED, STATUS_NAME_TOO_LONG, success};
use pinion_nt::{NTSTATUS, unicode_string};
use pinion_wire::page::LAYERS;

/// One path of the VM in all layers.
pub(super) struct Stack<'n> {
    name: &'n [u16],
    depth: usize,
}

/// What is known of each layer's `Hidden` tree: 1 more than the count of
/// hidings at which it was found missing.
static UNMARKED: [AtomicU64; LAYERS] = [const { AtomicU64::new(0) }; LAYERS];

impl<'n> Stack<'n> {
    /// The stack at the VM's path `name`.
    pub(super) fn new(name: &'n [u16]) -> Self {
        let depth = key::depth(name);
        Self { name, depth }
    }

    /// The depth of the whole path.
    pub(super) fn whole(&self) -> usize {
        self.depth
    }

    /// The VM's path at `depth`.
    pub(super) fn at(&self, depth: usize) -> &'n [u16] {
        key::first(self.name, depth)
    }

    /// Runs `work` with the real path at `depth` in `layer`.
    pub(super) fn with_real<R>(
        &self,
        layer: usize,
        depth: usize,
        work: impl FnOnce(&[u16]) -> R,
    ) -> Result<R, NTSTATUS> {
        with_real(self.at(depth), layer, work)
    }

    /// Opens the key of `layer` at `depth`.
    pub(super) fn open(&self, layer: usize, depth: usize, access: u32) -> Result<Key, NTSTATUS> {
        self.with_real(layer, depth, |path| raw::open(path, access))?
    }
}

/// Runs `work` with the real path of the VM's `name` in `layer`; the layer
/// after the last is the host.
pub(super) fn with_real<R>(
    name: &[u16],
    layer: usize,
    work: impl FnOnce(&[u16]) -> R,
) -> Result<R, NTSTATUS> {
    let Some(layer) = state::page().layers().get(layer) else {
        return Ok(work(name));
    };
    let keys = layer.keys.as_units();
    scratch::with(keys.len() + name.len(), |out| {
        let length = key::in_layer(keys, name, out).map_err(|_| STATUS_NAME_TOO_LONG)?;
        Ok(work(out.get(..length).unwrap_or(&[])))
    })
    .ok_or(STATUS_NAME_TOO_LONG)?
}

/// Runs `work` with the path of the whiteout of `name` in `layer`.
pub(super) fn with_whiteout<R>(
    name: &[u16],
    layer: usize,
    work: impl FnOnce(&[u16]) -> R,
) -> Result<R, NTSTATUS> {
    let layers = state::page().layers();
    let keys = layers.get(layer).map_or(&[][..], |l| l.keys.as_units());
    let room = keys.len() + key::HIDDEN.len() + name.len();
    scratch::with(room, |out| {
        let length = key::whiteout(keys, name, out).map_err(|_| STATUS_NAME_TOO_LONG)?;
        Ok(work(out.get(..length).unwrap_or(&[])))
    })
    .ok_or(STATUS_NAME_TOO_LONG)?
}

/// Whether `layer` hides anything at all.
pub(super) fn hides(layer: usize) -> bool {
    let hidings = state::tally().keys_hidden.load(Ordering::Acquire);
    let Some(known) = UNMARKED.get(layer) else {
        return false;
    };
    if known.load(Ordering::Relaxed) == hidings.wrapping_add(1) {
        return false;
    }
    let none = with_whiteout(
        ROOT,
        layer,
        |path| matches!(raw::open(path, access::QUERY), Err(status) if is_missing(status)),
    );
    if none == Ok(true) {
        known.store(hidings.wrapping_add(1), Ordering::Relaxed);
    }
    none != Ok(true)
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

/// The name of the value that marks a whiteout.
fn with_mark<R>(work: impl FnOnce(*const pinion_nt::UNICODE_STRING) -> R) -> Option<R> {
    let mut units = [0; key::MARK.len()];
    key::ascii(key::MARK, &mut units).ok()?;
    unicode_string(&units).map(|string| work(&raw const string))
}

/// Whether the opened key of a `Hidden` tree is a whiteout.
pub(super) fn is_marked(marked: &Key) -> bool {
    const BASIC: u32 = 0;
    let (mut buffer, mut returned) = ([0_u32; 16], 0);
    let status = with_mark(|name| {
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
    status.is_some_and(success)
}

impl Tree for Stack<'_> {
    type Error = NTSTATUS;

    fn layers(&self) -> usize {
        state::page().layers().len() + 1
    }

    fn depth(&self) -> usize {
        self.depth
    }

    fn entry(&mut self, layer: usize, depth: usize) -> Result<Option<Kind>, NTSTATUS> {
        if layer + 1 == self.layers() && super::names::is_closed(self.at(depth)) {
            return Ok(None);
        }
        match self.open(layer, depth, access::QUERY) {
            Ok(_) => Ok(Some(Kind::Directory)),
            Err(STATUS_ACCESS_DENIED) => Ok(Some(Kind::Directory)),
            Err(status) if is_missing(status) => Ok(None),
            Err(status) => Err(status),
        }
    }

    fn whiteout(&mut self, layer: usize, depth: usize) -> Result<bool, NTSTATUS> {
        if !hides(layer) {
            return Ok(false);
        }
        with_whiteout(self.at(depth), layer, |path| {
            match raw::open(path, access::QUERY) {
                Ok(marked) => Ok(is_marked(&marked)),
                Err(status) if is_missing(status) => Ok(false),
                Err(status) => Err(status),
            }
        })?
    }
}

impl Upper for Stack<'_> {
    fn make_directory(&mut self, depth: usize, like: usize) -> Result<(), NTSTATUS> {
        copy_up::one(self, depth, like)
    }

    fn set_whiteout(&mut self) -> Result<(), NTSTATUS> {
        const REG_NONE: u32 = 0;
        // With a key of the upper's own what it was made from is kept already.
        if self.entry(0, self.depth)?.is_none()
            && let Lookup::Found { layer, .. } = lookup(self)?
            && let Ok(source) = self.open(layer, self.depth, access::READ)
        {
            copy_up::keep_base(self, self.depth, layer, &source);
        }
        for depth in 0..self.depth {
            with_whiteout(self.at(depth), 0, |path| {
                raw::create(path, access::ALL, &[])
            })??;
        }
        let marked = with_whiteout(self.name, 0, |path| raw::create(path, access::ALL, &[]))??;
        let status = with_mark(|name| {
            // SAFETY: the name lives over the call; there is no data.
            unsafe { kept::NtSetValueKey(marked.handle(), name, 0, REG_NONE, core::ptr::null(), 0) }
        });
        match status {
            Some(status) if success(status) => {
                let tally = state::tally();
                tally.keys_hidden.fetch_add(1, Ordering::Release);
                handles::changed();
                Ok(())
            }
            status => Err(status.unwrap_or(STATUS_NAME_TOO_LONG)),
        }
    }
}
