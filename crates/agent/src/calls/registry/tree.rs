//! The VM's stack of keys as the overlay's engine sees it: entries are keys,
//! whiteouts are marked keys of a layer's `Hidden` tree.

use super::marks::{self, Mark};
use super::raw::{self, Key, is_missing};
use super::recent::Facts;
use super::{access, copy_up};
use crate::{scratch, state};
use pinion_layers::{Kind, Lookup, Tree, Upper, lookup};
use pinion_names::key;
use pinion_nt::NTSTATUS;
use pinion_nt::status::{STATUS_ACCESS_DENIED, STATUS_NAME_TOO_LONG};

/// One path of the VM in all layers.
pub(super) struct Stack<'n> {
    name: &'n [u16],
    depth: usize,
}

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

impl Tree for Stack<'_> {
    type Error = NTSTATUS;

    fn layers(&self) -> usize {
        state::page().layers().len() + 1
    }

    fn depth(&self) -> usize {
        self.depth
    }

    fn entry(&mut self, layer: usize, depth: usize) -> Result<Option<Kind>, NTSTATUS> {
        let host = layer + 1 == self.layers();
        if host && super::names::hides_host(self.at(depth)) {
            return Ok(None);
        }
        let snapshot = (layer > 0 && !host).then(|| Facts::of(self.at(depth)));
        if snapshot.is_some_and(|known| known.lacks(layer)) {
            return Ok(None);
        }
        if snapshot.is_some_and(|known| known.has(layer)) {
            return Ok(Some(Kind::Directory));
        }
        match self.open(layer, depth, access::QUERY) {
            Ok(_) => {
                if let Some(known) = snapshot {
                    known.keep_had(layer);
                }
                Ok(Some(Kind::Directory))
            }
            Err(STATUS_ACCESS_DENIED) => Ok(Some(Kind::Directory)),
            Err(status) if is_missing(status) => {
                if let Some(known) = snapshot {
                    known.keep_lack(layer);
                }
                Ok(None)
            }
            Err(status) => Err(status),
        }
    }

    fn whiteout(&mut self, layer: usize, depth: usize) -> Result<bool, NTSTATUS> {
        marks::has(self.at(depth), layer, Mark::Hidden)
    }
}

impl Upper for Stack<'_> {
    fn make_directory(&mut self, depth: usize, like: usize) -> Result<(), NTSTATUS> {
        copy_up::one(self, depth, like)
    }

    fn set_whiteout(&mut self) -> Result<(), NTSTATUS> {
        // With a key of the upper's own what it was made from is kept already.
        if self.entry(0, self.depth)?.is_none()
            && let Lookup::Found { layer, .. } = lookup(self)?
            && let Ok(source) = self.open(layer, self.depth, access::READ)
        {
            copy_up::keep_base(self, self.depth, layer, &source);
        }
        marks::set(self.name, Mark::Hidden)
    }
}
