//! The VM's names of keys: from a call's attributes or from a handle, in the
//! one spelling under which layers keep them.
//!
//! The 32-bit view is resolved by asking the host; [`links`] follows link keys.

use super::access::{READ, WOW64_32KEY};
use super::{handles, links, own_links, private, raw, recent};
use crate::decode::Attributes;
use crate::{scratch, state};
use pinion_names::key;
use pinion_names::units::below;
use pinion_nt::status::{STATUS_NAME_TOO_LONG, STATUS_NO_MEMORY};
use pinion_nt::{HANDLE, NTSTATUS};

/// Where a handle's key really is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// In this layer, the upper being 0.
    Layer(usize),
    /// On the host, in a tree that layers mirror.
    Host,
    /// No key, or one that layers do not mirror, such as `\REGISTRY` itself.
    Outside,
}

/// Room for what a link's target is longer than the link.
const SLACK: usize = links::LONGEST;

/// Runs `work` with the VM's name of the object and where it really is.
pub(super) fn with_vm_name<R>(
    handle: HANDLE,
    work: impl FnOnce(&[u16], Origin) -> R,
) -> Result<R, NTSTATUS> {
    let generation = handles::generation();
    match recent::with_name(handle, generation, work) {
        Ok(result) => Ok(result),
        Err(work) => with_fresh_name(handle, |name, origin| {
            recent::keep_name(handle, generation, name, origin);
            work(name, origin)
        }),
    }
}

/// The same, asked of the kernel.
fn with_fresh_name<R>(
    handle: HANDLE,
    work: impl FnOnce(&[u16], Origin) -> R,
) -> Result<R, NTSTATUS> {
    raw::with_name(handle, |real| {
        scratch::with(real.len() + key::ROOT.len(), |out| {
            for (at, layer) in state::page().layers().iter().enumerate() {
                if let Some(length) = key::undo(layer.keys.as_units(), real, out) {
                    return work(out.get(..length).unwrap_or(&[]), Origin::Layer(at));
                }
            }
            if key::is_layered(real) {
                work(real, Origin::Host)
            } else {
                work(real, Origin::Outside)
            }
        })
        .ok_or(STATUS_NO_MEMORY)
    })?
}

/// The name that the program knows for the key that the kernel calls `real`,
/// written to `out`; `None` when it is the same.
pub(crate) fn asked_name<'n>(real: &[u16], out: &'n mut [u16]) -> Option<&'n [u16]> {
    key::below_root(real)?;
    let mut layers = state::page().layers().iter();
    let length = layers.find_map(|layer| key::undo(layer.keys.as_units(), real, out))?;
    out.get(..length)
}

/// How a call names its key.
pub(super) struct Wanted {
    /// The link itself is wanted, not what it points at.
    pub(super) link: bool,
    /// The 32-bit view is wanted.
    pub(super) view_32: bool,
}

/// The VM's name of a key.
#[derive(Clone, Copy)]
pub(super) struct Path<'n> {
    pub(super) name: &'n [u16],
    /// What the program gave, relative to a host key of which it holds the
    /// handle, where that is the host's key of the same name: shorter for the
    /// kernel than the whole.
    pub(super) given: Option<&'n [u16]>,
}

/// Runs `work` with the VM's name that the attributes mean; with `None` where
/// it is no name of a tree that layers mirror.
pub(super) fn with_path<R>(
    decoded: &Attributes<'_>,
    wanted: &Wanted,
    work: impl FnOnce(Option<Path<'_>>) -> R,
) -> Result<R, NTSTATUS> {
    if decoded.is_absolute() {
        return resolved(&[], decoded.name, wanted, |found| {
            work(found.map(|(name, _)| Path { name, given: None }))
        });
    }
    let mut work = Some(work);
    let relative = with_vm_name(decoded.root(), |root, origin| {
        let work = work.take()?;
        let given = (origin == Origin::Host).then_some(decoded.name);
        Some(resolved(root, decoded.name, wanted, |found| {
            work(found.map(|(name, same)| Path {
                name,
                given: given.filter(|_| same),
            }))
        }))
    });
    match (relative, work) {
        (Ok(Some(result)), _) => result,
        (_, Some(work)) => Ok(work(None)),
        _ => Err(STATUS_NO_MEMORY),
    }
}

/// Runs `work` with the whole name, and whether no link or view led from what
/// was asked to another.
fn resolved<R>(
    base: &[u16],
    name: &[u16],
    wanted: &Wanted,
    work: impl FnOnce(Option<(&[u16], bool)>) -> R,
) -> Result<R, NTSTATUS> {
    let absolute = base.is_empty();
    if absolute && key::below_root(name).is_none() {
        return Ok(work(None));
    }
    let room = base.len() + name.len() + 2 + SLACK;
    scratch::with(room, |path| {
        let mut length = key::normalise(base, name, path).map_err(|_| STATUS_NAME_TOO_LONG)?;
        if !path.get(..length).is_some_and(key::is_layered) {
            return Ok(work(None));
        }
        if wanted.view_32 {
            length = follow_view(path, length);
        }
        let by_host = links::follow(path, length, wanted.link);
        length = by_host.unwrap_or(length);
        let by_own = own_links::follow(path, length, wanted.link)?;
        length = by_own.unwrap_or(length);
        let same = !wanted.view_32 && by_host.is_none() && by_own.is_none();
        let found = path.get(..length).filter(|name| key::is_layered(name));
        Ok(work(found.map(|name| (name, same))))
    })
    .ok_or(STATUS_NAME_TOO_LONG)?
}

/// Puts the host's own name of the path's first `prefix` units in their place;
/// gives the path's length, which stays when the host does not tell.
fn substitute(path: &mut [u16], length: usize, prefix: usize, access: u32) -> usize {
    let Some(Ok(host)) = path.get(..prefix).map(|name| raw::open(name, access)) else {
        return length;
    };
    let replaced = raw::with_name(host.handle(), |real| {
        key::replace(path, length, prefix, real).ok()
    });
    replaced.ok().flatten().unwrap_or(length)
}

/// Resolves the 32-bit view as the host does for the nearest key that it has.
fn follow_view(path: &mut [u16], length: usize) -> usize {
    let mut depth = path.get(..length).map_or(0, key::depth);
    while depth > 0 {
        let prefix = path
            .get(..length)
            .map_or(0, |name| key::first(name, depth).len());
        let name = path.get(..prefix).unwrap_or(&[]);
        if raw::open(name, READ | WOW64_32KEY).is_ok() {
            return substitute(path, length, prefix, READ | WOW64_32KEY);
        }
        depth -= 1;
    }
    length
}

/// Whether the VM must not see the key: it is the store's own.
pub(super) fn is_closed(name: &[u16]) -> bool {
    let store = state::page().store_keys.as_units();
    !store.is_empty() && below(name, store).is_some()
}

/// Whether the VM must not see what the host has by the name.
pub(super) fn hides_host(name: &[u16]) -> bool {
    is_closed(name) || private::is_private(name)
}

/// Whether below this host key something is not as on the host even while no
/// layer has a part of it: the store, which is closed, a key that is the host's
/// alone, or a link to elsewhere.
pub(super) fn is_special(name: &[u16]) -> bool {
    below(state::page().store_keys.as_units(), name).is_some()
        || private::any_below(name)
        || links::any_below(name)
}
