//! Listings of subkeys that are kept between calls, since `NtEnumerateKey` asks
//! by index.
//!
//! A listing is made anew when an enumeration begins and after any change that
//! another member has made; changes of this process are put into it, so that a
//! tree is deleted without listing it again for each key. A key that the host
//! gains or loses in the midst of an enumeration is not seen until the next.

use super::listing::{Entry, Head, Listing};
use super::marks::{self, Mark};
use super::raw::{self, Key, is_missing};
use super::tree::Stack;
use super::{access, handles, names, own_links, private};
use crate::region::Region;
use crate::state;
use core::sync::atomic::{AtomicPtr, Ordering};
use pinion_layers::{Sources, sources};
use pinion_names::key;
use pinion_names::units::{SEPARATOR, below};
use pinion_nt::NTSTATUS;
use pinion_nt::status::{STATUS_BUFFER_TOO_SMALL, STATUS_NO_MORE_ENTRIES};

const SLOTS: usize = 8;
static KEPT: [AtomicPtr<Head>; SLOTS] = [const { AtomicPtr::new(core::ptr::null_mut()) }; SLOTS];

/// Takes a kept listing out of its slot; whoever takes it alone has it.
fn take(slot: &AtomicPtr<Head>) -> Option<Listing> {
    let head = slot.swap(core::ptr::null_mut(), Ordering::AcqRel);
    if head.is_null() {
        return None;
    }
    // SAFETY: `give` put the pointer there, of a region that begins with its
    // Head, and the swap made this thread its only holder.
    Some(Listing(unsafe {
        Region::take_back(head.cast(), (*head).size)
    }))
}

/// Puts a listing into a slot and frees what was there.
fn give(slot: &AtomicPtr<Head>, listing: Listing) {
    let (base, _) = listing.0.leak();
    let old = slot.swap(base.cast(), Ordering::AcqRel);
    if !old.is_null() {
        // SAFETY: as in `take`.
        drop(unsafe { Region::take_back(old.cast(), (*old).size) });
    }
}

/// What a call wants of a listing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    /// The subkey at this index.
    At(u32),
    /// How many there are.
    Figures,
}

/// Runs `work` with the listing of the VM's key `name`, and whether it was made
/// in this enumeration.
pub(super) fn with<R>(
    name: &[u16],
    want: Want,
    work: impl FnOnce(&mut Listing, bool) -> R,
) -> Result<R, NTSTATUS> {
    /// The biggest listing that gives way to any other at once.
    const SMALL: u32 = 64;
    let hash = name.iter().fold(name.len(), |hash, &unit| {
        hash.wrapping_mul(31).wrapping_add(usize::from(unit))
    });
    let slot = &KEPT[hash % SLOTS];
    let generation = handles::generation();
    let mut other = None;
    let kept = take(slot).and_then(|mut kept| {
        if kept.is_of(name) {
            return is_good(&mut kept, name, want, generation).then_some(kept);
        }
        if kept.head().credit > 0 {
            other = Some(kept);
        }
        None
    });
    let fresh = kept.is_none();
    let mut listing = match kept {
        Some(listing) => listing,
        None => build(name, generation)?,
    };
    let passing = fresh || !matches!((want, listing.head().asked), (Want::At(0), 0));
    if let Want::At(index) = want {
        listing.head().asked = index;
    }
    let result = work(&mut listing, passing);
    let count = listing.count();
    match other {
        Some(mut other) if count < SMALL && !listing.is_native() || count == 0 => {
            other.head().credit -= 1;
            give(slot, other);
        }
        _ => {
            listing.head().credit = if count < SMALL { 0 } else { count };
            give(slot, listing);
        }
    }
    Ok(result)
}

/// Whether a kept listing can be told from again. An enumeration that begins
/// makes a new one, unless the last call asked for the first subkey too: so a
/// program deletes them all.
fn is_good(kept: &mut Listing, name: &[u16], want: Want, generation: u64) -> bool {
    if kept.head().generation != generation {
        return false;
    }
    let again = match want {
        Want::At(0) => kept.head().asked == 0,
        Want::At(_) => return true,
        Want::Figures => true,
    };
    let known = kept.head().host_time;
    again && (known == 0 || host_time(name) == known)
}

/// The last write of the host's key, which tells when it gains or loses
/// subkeys; 0 where the host has none.
fn host_time(name: &[u16]) -> i64 {
    let stack = Stack::new(name);
    let host = state::page().layers().len();
    stack
        .open(host, stack.whole(), access::QUERY)
        .and_then(|key| raw::written(&key))
        .unwrap_or(0)
}

/// What has happened to a subkey.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// The upper has it now.
    Raised,
    /// The upper hides it, or is about to, and has a key of its own there.
    Same,
    /// It is gone.
    Removed,
}

/// Puts a change of this process, after the count `before`, into what is kept.
pub(super) fn apply(name: &[u16], fate: Fate, before: u64) {
    let child = key::last(name);
    let parent = name.len().checked_sub(child.len() + 1);
    let Some(parent) = parent.and_then(|end| name.get(..end)) else {
        return;
    };
    for slot in &KEPT {
        let Some(mut kept) = take(slot) else {
            continue;
        };
        if kept.head().generation == before && !kept.is_of(name) {
            kept.head().generation = before.wrapping_add(1);
            if kept.is_of(parent) {
                match fate {
                    // One source more: what was native is so no longer.
                    _ if kept.is_native() => kept.head().generation = before,
                    Fate::Raised => kept.raise(child),
                    Fate::Same => {}
                    Fate::Removed => kept.remove(child),
                }
            }
        }
        give(slot, kept);
    }
}

/// Lists the subkeys of the VM's key `name`, unless one layer alone has all.
fn build(name: &[u16], generation: u64) -> Result<Listing, NTSTATUS> {
    let mut stack = Stack::new(name);
    let sources = sources_of(&mut stack, name)?;
    if let Some(only) = sources.only()
        && closed_child(name).is_none()
        && private::children(name).is_empty()
    {
        let mut listing = Listing::new(name, generation, 0)?;
        listing.set_only(only);
        return Ok(listing);
    }
    merged(&stack, name, sources, generation)
}

/// Lists the subkeys of the VM's key `name` in any case.
pub(super) fn whole(name: &[u16]) -> Result<Listing, NTSTATUS> {
    let mut stack = Stack::new(name);
    let sources = sources_of(&mut stack, name)?;
    merged(&stack, name, sources, 0)
}

/// The layers that contribute to the key: a link of the VM's is no key of the
/// layers below, and what they have there may be a link of the kernel's.
fn sources_of(stack: &mut Stack<'_>, name: &[u16]) -> Result<Sources, NTSTATUS> {
    match own_links::layer_of(name)? {
        Some(layer) => Ok(Sources::one(layer)),
        None => sources(stack),
    }
}

/// Reads all sources. Memory is enlarged until it holds them.
fn merged(
    stack: &Stack<'_>,
    name: &[u16],
    sources: Sources,
    generation: u64,
) -> Result<Listing, NTSTATUS> {
    let mut size = 0x2_0000;
    loop {
        match read(stack, name, sources, generation, size) {
            Err(STATUS_BUFFER_TOO_SMALL) => size *= 8,
            outcome => return outcome,
        }
    }
}

fn read(
    stack: &Stack<'_>,
    name: &[u16],
    sources: Sources,
    generation: u64,
    size: usize,
) -> Result<Listing, NTSTATUS> {
    let mut listing = Listing::new(name, generation, size)?;
    let closed = closed_child(name);
    let host = state::page().layers().len();
    for layer in sources.iter() {
        let source = stack.open(layer, stack.whole(), access::ENUMERATE | access::QUERY)?;
        if layer == host {
            listing.head().host_time = raw::written(&source)?;
        }
        let is_hidden = |child: &[u16]| {
            layer == host
                && (closed.is_some_and(|closed| is(child, closed))
                    || private::is_child(name, child))
        };
        add_all(&mut listing, &source, layer, is_hidden)?;
        if layer < host {
            add_whiteouts(&mut listing, name, layer)?;
        }
    }
    listing.merge();
    Ok(listing)
}

/// The name of the subkey that is closed to members.
fn closed_child(name: &[u16]) -> Option<&'static [u16]> {
    let rest = below(state::page().store_keys.as_units(), name)?;
    let (_, child) = rest.split_first()?;
    (!child.is_empty() && !child.contains(&SEPARATOR)).then_some(child)
}

/// Whether the names are one.
fn is(name: &[u16], other: &[u16]) -> bool {
    below(name, other).is_some_and(<[u16]>::is_empty)
}

fn add_all(
    listing: &mut Listing,
    source: &Key,
    layer: usize,
    is_hidden: impl Fn(&[u16]) -> bool,
) -> Result<(), NTSTATUS> {
    raw::each_child(source, |child| {
        let name = child.name;
        if is_hidden(name) || is_passing(name) {
            return Ok(());
        }
        let entry = Entry::new(layer, false, child.time);
        match child.class {
            Some(class) => listing.add(name, class, entry),
            None => listing.add(name, &[], entry.without_class()),
        }
    })
}

/// Whether the name is of a key that is not complete yet.
fn is_passing(name: &[u16]) -> bool {
    name.starts_with(key::STAGED)
}

/// Adds what `layer` hides of the subkeys of `name`.
fn add_whiteouts(listing: &mut Listing, name: &[u16], layer: usize) -> Result<(), NTSTATUS> {
    if !marks::any(layer) {
        return Ok(());
    }
    let marked = match marks::open(name, layer, access::ENUMERATE | access::QUERY) {
        Ok(key) => key,
        Err(status) if is_missing(status) => return Ok(()),
        Err(status) => return Err(status),
    };
    raw::each_child(&marked, |child| {
        let is_whiteout = raw::open_below(&marked, child.name, access::QUERY)
            .is_ok_and(|child| marks::is_marked(&child, Mark::Hidden));
        if is_whiteout {
            listing.add(child.name, &[], Entry::new(layer, true, 0))?;
        }
        Ok(())
    })
}

/// What layers change of the figures that a query tells.
pub(super) struct Figures {
    /// How many subkeys there are.
    pub(super) count: u32,
    /// The longest name and the longest class of one, in bytes.
    pub(super) longest: [u32; 2],
}

/// The figures of the VM's key `name`; `None` when the kernel's own are right.
pub(super) fn figures(name: &[u16]) -> Result<Option<Figures>, NTSTATUS> {
    with(name, Want::Figures, |listing, _| {
        (!listing.is_native()).then(|| Figures {
            count: listing.count(),
            longest: listing.longest(),
        })
    })
}

/// Whether the VM's key `name` has subkeys.
pub(super) fn has_children(name: &[u16]) -> Result<bool, NTSTATUS> {
    let mut listing = build(name, handles::generation())?;
    if !listing.is_native() {
        return Ok(listing.count() > 0);
    }
    let stack = Stack::new(name);
    let only = listing.only();
    let source = stack.open(only, stack.whole(), access::ENUMERATE)?;
    let mut any = false;
    let stop = raw::each_child(&source, |child| {
        if is_passing(child.name) {
            return Ok(());
        }
        any = true;
        Err(STATUS_NO_MORE_ENTRIES)
    });
    match stop {
        Ok(()) | Err(STATUS_NO_MORE_ENTRIES) => Ok(any),
        Err(status) => Err(status),
    }
}

/// Whether the VM's key `name` is made up by the upper alone.
pub(super) fn is_upper_alone(name: &[u16]) -> Result<bool, NTSTATUS> {
    let sources = sources_of(&mut Stack::new(name), name)?;
    Ok(sources.only() == Some(0) && !names::is_special(name))
}
