//! The subkeys of a key as the VM sees them: those of all its layers, without
//! duplicates and without what a layer hides, in the kernel's own order.
//!
//! `NtEnumerateKey` asks by index, so a listing is kept between calls. It is
//! made anew for index 0, for every count, and after any change in the VM; a
//! key that the host gains or loses in the midst of an enumeration moves the
//! native indexes under it, as it does to a program outside.

use super::raw::{self, Key, Region, is_missing};
use super::tree::{self, Stack};
use super::{access, handles, names};
use crate::hooks::{self, kept};
use crate::state;
use core::cmp::Ordering as Order;
use core::sync::atomic::{AtomicPtr, Ordering};
use pinion_layers::{Rank, Sources, merge, sources};
use pinion_names::key;
use pinion_names::units::{SEPARATOR, below, fold};
use pinion_nt::NTSTATUS;
use pinion_nt::calls::{RtlDowncaseUnicodeChar, RtlUpcaseUnicodeChar};
use pinion_nt::status::{STATUS_BUFFER_TOO_SMALL, STATUS_NO_MORE_ENTRIES, success};

/// One subkey.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Entry {
    name_at: u32,
    name_units: u16,
    layer: u8,
    whiteout: u8,
    native: u32,
}

impl Entry {
    /// The layer that it is seen in.
    pub(super) fn layer(&self) -> usize {
        usize::from(self.layer)
    }

    /// Its index among that layer's own subkeys.
    pub(super) fn native(&self) -> u32 {
        self.native
    }
}

/// What stands at the front of a listing's memory; then come the entries, then
/// the units of the path and of all names.
#[repr(C)]
#[derive(Clone, Copy)]
struct Head {
    size: usize,
    generation: u64,
    capacity: u32,
    count: u32,
    units: u32,
    path: u32,
    longest: u32,
    only: u32,
}

/// A listing in memory of its own.
pub(super) struct Listing(Region);

/// No single source.
const SEVERAL: u32 = u32::MAX;

impl Listing {
    fn new(name: &[u16], generation: u64, size: usize) -> Result<Self, NTSTATUS> {
        let mut listing = Self(Region::new(size + name.len() * 2 + 4096)?);
        let size = listing.0.bytes().len();
        *listing.head() = Head {
            size,
            generation,
            capacity: (size / 3 / size_of::<Entry>()) as u32,
            count: 0,
            units: 0,
            path: name.len() as u32,
            longest: 0,
            only: SEVERAL,
        };
        listing.add_units(name)?;
        Ok(listing)
    }

    fn head(&mut self) -> &mut Head {
        // SAFETY: the region is page-aligned and longer than a Head, which is
        // plain data.
        unsafe { &mut *self.0.bytes().as_mut_ptr().cast() }
    }

    fn parts(&mut self) -> (&mut [Entry], &mut [u16]) {
        let Head { size, capacity, .. } = *self.head();
        let entries = capacity as usize * size_of::<Entry>();
        let units = (size - size_of::<Head>() - entries) / 2;
        let base = self.0.bytes().as_mut_ptr().wrapping_add(size_of::<Head>());
        // SAFETY: `new` chose a capacity that takes a third of the region; both
        // parts lie in it, aligned, without touching each other.
        unsafe {
            (
                core::slice::from_raw_parts_mut(base.cast(), capacity as usize),
                core::slice::from_raw_parts_mut(base.wrapping_add(entries).cast(), units),
            )
        }
    }

    fn add_units(&mut self, name: &[u16]) -> Result<u32, NTSTATUS> {
        let at = self.head().units;
        let (_, units) = self.parts();
        units
            .get_mut(at as usize..at as usize + name.len())
            .ok_or(STATUS_BUFFER_TOO_SMALL)?
            .copy_from_slice(name);
        self.head().units = at + name.len() as u32;
        Ok(at)
    }

    fn add(&mut self, name: &[u16], entry: Entry) -> Result<(), NTSTATUS> {
        let name_at = self.add_units(name)?;
        let count = self.head().count;
        let (entries, _) = self.parts();
        *entries
            .get_mut(count as usize)
            .ok_or(STATUS_BUFFER_TOO_SMALL)? = Entry {
            name_at,
            name_units: name.len() as u16,
            ..entry
        };
        self.head().count = count + 1;
        Ok(())
    }

    fn is_of(&mut self, name: &[u16], generation: u64) -> bool {
        let head = *self.head();
        let (_, units) = self.parts();
        head.generation == generation && units.get(..head.path as usize) == Some(name)
    }

    /// How many subkeys there are; not counted when there is one source only.
    pub(super) fn count(&mut self) -> u32 {
        self.head().count
    }

    /// The length of the longest subkey's name in bytes.
    pub(super) fn longest(&mut self) -> u32 {
        self.head().longest * 2
    }

    /// Whether the topmost layer alone makes up the key, so that the kernel's
    /// own listing is the VM's.
    pub(super) fn is_native(&mut self) -> bool {
        self.head().only != SEVERAL
    }

    /// The subkey at `index`.
    pub(super) fn entry(&mut self, index: u32) -> Option<Entry> {
        let count = self.head().count;
        let (entries, _) = self.parts();
        entries.get(..count as usize)?.get(index as usize).copied()
    }

    /// The name of `entry`.
    pub(super) fn name(&mut self, entry: Entry) -> &[u16] {
        let at = entry.name_at as usize;
        let (_, units) = self.parts();
        units
            .get(at..at + usize::from(entry.name_units))
            .unwrap_or(&[])
    }

    /// Sorts and merges what was added.
    fn merge(&mut self) {
        let downcase = hooks::is_wine();
        let count = self.head().count as usize;
        let (entries, units) = self.parts();
        let name = |entry: &Entry| {
            let at = entry.name_at as usize;
            units
                .get(at..at + usize::from(entry.name_units))
                .unwrap_or(&[])
        };
        let entries = entries.get_mut(..count).unwrap_or_default();
        let kept = merge(
            entries,
            |a, b| compare(name(a), name(b), downcase),
            |entry| Rank {
                layer: entry.layer(),
                whiteout: entry.whiteout != 0,
            },
        );
        let entries = entries.get(..kept).unwrap_or(&[]);
        let longest = entries.iter().map(|entry| entry.name_units).max();
        let head = self.head();
        head.count = kept as u32;
        head.longest = longest.unwrap_or(0).into();
    }
}

/// Compares names as the kernel orders keys: Windows by their upper-case form,
/// Wine by the lower-case one (observed on Wine 8 and 10).
fn compare(a: &[u16], b: &[u16], downcase: bool) -> Order {
    let folded = |unit: u16| match unit {
        0..0x80 if !downcase => fold(unit),
        0x41..=0x5A => unit + 32,
        0..0x80 => unit,
        // SAFETY: both take and give a unit and touch no memory of the caller.
        _ if downcase => unsafe { RtlDowncaseUnicodeChar(unit) },
        // SAFETY: as above.
        _ => unsafe { RtlUpcaseUnicodeChar(unit) },
    };
    let (a, b) = (a.iter().map(|&u| folded(u)), b.iter().map(|&u| folded(u)));
    a.cmp(b)
}

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

/// Runs `work` with the listing of the VM's key `name`; a new one if `anew`.
pub(super) fn with<R>(
    name: &[u16],
    anew: bool,
    work: impl FnOnce(&mut Listing) -> R,
) -> Result<R, NTSTATUS> {
    let hash = name.iter().fold(name.len(), |hash, &unit| {
        hash.wrapping_mul(31).wrapping_add(usize::from(unit))
    });
    let slot = &KEPT[hash % SLOTS];
    let generation = handles::generation();
    let old = take(slot).filter(|_| !anew);
    let kept = old.and_then(|mut listing| listing.is_of(name, generation).then_some(listing));
    let mut listing = match kept {
        Some(listing) => listing,
        None => build(name, generation)?,
    };
    let result = work(&mut listing);
    give(slot, listing);
    Ok(result)
}

/// Reads all sources. Memory is doubled until it holds them.
pub(super) fn build(name: &[u16], generation: u64) -> Result<Listing, NTSTATUS> {
    let mut stack = Stack::new(name);
    let sources = sources(&mut stack)?;
    let mut size = 0x1_0000;
    loop {
        match read(&stack, name, sources, generation, size) {
            Err(STATUS_BUFFER_TOO_SMALL) => size *= 4,
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
    if let Some(only) = sources.only()
        && closed.is_none()
    {
        listing.head().only = only as u32;
        return Ok(listing);
    }
    let host = state::page().layers().len();
    for layer in sources.iter() {
        let source = stack.open(layer, stack.whole(), access::ENUMERATE | access::QUERY)?;
        let closed = closed.filter(|_| layer == host);
        add_all(&mut listing, &source, layer, closed)?;
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

fn add_all(
    listing: &mut Listing,
    source: &Key,
    layer: usize,
    closed: Option<&[u16]>,
) -> Result<(), NTSTATUS> {
    each_child(source, |child, native| {
        let hidden = closed.is_some_and(|c| below(child, c).is_some_and(<[u16]>::is_empty));
        if hidden || child.starts_with(key::STAGED) {
            return Ok(());
        }
        listing.add(child, entry(layer, false, native))
    })
}

fn entry(layer: usize, whiteout: bool, native: u32) -> Entry {
    Entry {
        name_at: 0,
        name_units: 0,
        layer: layer as u8,
        whiteout: whiteout.into(),
        native,
    }
}

/// Adds what `layer` hides of the subkeys of `name`.
fn add_whiteouts(listing: &mut Listing, name: &[u16], layer: usize) -> Result<(), NTSTATUS> {
    if !tree::hides(layer) {
        return Ok(());
    }
    let rights = access::ENUMERATE | access::QUERY;
    let marked = match tree::with_whiteout(name, layer, |path| raw::open(path, rights))? {
        Ok(key) => key,
        Err(status) if is_missing(status) => return Ok(()),
        Err(status) => return Err(status),
    };
    each_child(&marked, |child, native| {
        let is_whiteout = raw::open_below(&marked, child, access::QUERY)
            .is_ok_and(|child| tree::is_marked(&child));
        if is_whiteout {
            listing.add(child, entry(layer, true, native))?;
        }
        Ok(())
    })
}

/// Calls `visit` with the name and the index of each subkey.
fn each_child(
    source: &Key,
    mut visit: impl FnMut(&[u16], u32) -> Result<(), NTSTATUS>,
) -> Result<(), NTSTATUS> {
    const BASIC: u32 = 0;
    /// `KEY_BASIC_INFORMATION`: write time, title, name length; a name has up
    /// to 256 units (Microsoft, "Registry element size limits").
    #[repr(C)]
    struct Basic {
        _time: i64,
        _title: u32,
        length: u32,
        units: [u16; 260],
    }
    let mut basic = Basic {
        _time: 0,
        _title: 0,
        length: 0,
        units: [0; 260],
    };
    for index in 0..u32::MAX {
        let mut returned = 0;
        // SAFETY: the buffer is a local of the size told.
        let status = unsafe {
            kept::NtEnumerateKey(
                source.handle(),
                index,
                BASIC,
                (&raw mut basic).cast(),
                size_of::<Basic>() as u32,
                &raw mut returned,
            )
        };
        if status == STATUS_NO_MORE_ENTRIES {
            break;
        }
        if !success(status) {
            return Err(status);
        }
        let name = basic.units.get(..basic.length as usize / 2);
        visit(name.unwrap_or(&[]), index)?;
    }
    Ok(())
}

/// How many subkeys the VM's key `name` has, and the longest name in bytes;
/// `None` when the kernel's own figures are right.
pub(super) fn figures(name: &[u16]) -> Result<Option<(u32, u32)>, NTSTATUS> {
    with(name, true, |listing| {
        (!listing.is_native()).then(|| (listing.count(), listing.longest()))
    })
}

/// Whether the VM's key `name` has subkeys.
pub(super) fn has_children(name: &[u16]) -> Result<bool, NTSTATUS> {
    let mut listing = build(name, 0)?;
    if !listing.is_native() {
        return Ok(listing.count() > 0);
    }
    let mut stack = Stack::new(name);
    let only = sources(&mut stack)?.only().unwrap_or(0);
    let source = stack.open(only, stack.whole(), access::ENUMERATE)?;
    let mut any = false;
    let stop = each_child(&source, |child, _| {
        any |= !child.starts_with(key::STAGED);
        Err(STATUS_NO_MORE_ENTRIES)
    });
    match stop {
        Ok(()) | Err(STATUS_NO_MORE_ENTRIES) => Ok(any),
        Err(status) => Err(status),
    }
}

/// Runs `work` with the VM's path of a subkey.
pub(super) fn with_child<R>(
    name: &[u16],
    child: &[u16],
    work: impl FnOnce(&[u16]) -> R,
) -> Option<R> {
    crate::scratch::with(name.len() + child.len() + 1, |out| {
        let length = pinion_names::units::join(&[name, &[SEPARATOR], child], out).ok()?;
        out.get(..length).map(work)
    })?
}

/// Whether the VM's key `name` is made up by the upper alone.
pub(super) fn is_upper_alone(name: &[u16]) -> Result<bool, NTSTATUS> {
    Ok(sources(&mut Stack::new(name))?.only() == Some(0) && !names::is_special(name))
}
