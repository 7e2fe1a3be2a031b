//! The subkeys of a key as the VM sees them, in memory of their own: those of
//! all its layers, without duplicates and without what a layer hides, in the
//! kernel's own order.
//!
//! [`super::listed`] reads them, keeps them and says when they are old.

use crate::hooks;
use crate::region::Region;
use core::cmp::Ordering as Order;
use pinion_layers::{Rank, merge};
use pinion_names::units::fold;
use pinion_nt::NTSTATUS;
use pinion_nt::calls::{RtlDowncaseUnicodeChar, RtlUpcaseUnicodeChar};
use pinion_nt::status::STATUS_BUFFER_TOO_SMALL;

/// One subkey; the units of its class follow those of its name.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Entry {
    /// Its last write, as of when it was listed.
    pub(super) time: i64,
    name_at: u32,
    name_units: u16,
    class_units: u16,
    layer: u8,
    whiteout: u8,
    partial: u8,
}

impl Entry {
    /// A subkey of `layer`, or its whiteout, to be added.
    pub(super) fn new(layer: usize, whiteout: bool, time: i64) -> Self {
        Self {
            time,
            name_at: 0,
            name_units: 0,
            class_units: 0,
            layer: layer as u8,
            whiteout: whiteout.into(),
            partial: 0,
        }
    }

    /// The same with a class that is too long to keep.
    pub(super) fn without_class(self) -> Self {
        Self { partial: 1, ..self }
    }

    /// Whether all is known of it that an enumeration tells.
    pub(super) fn is_whole(&self) -> bool {
        self.partial == 0
    }

    /// The layer that it is seen in.
    pub(super) fn layer(&self) -> usize {
        usize::from(self.layer)
    }
}

/// What stands at the front of a listing's memory; then come the entries, then
/// the units of the path and of all names.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) size: usize,
    /// The VM's count of changes for which it holds.
    pub(super) generation: u64,
    /// The last write of the host's key when it was listed.
    pub(super) host_time: i64,
    capacity: u32,
    count: u32,
    units: u32,
    path: u32,
    longest: [u32; 2],
    only: u32,
    /// The index that was last asked for.
    pub(super) asked: u32,
    /// How many smaller listings it may keep out of its place.
    pub(super) credit: u32,
    /// The handle that is known to grant an enumeration.
    pub(super) lister: usize,
}

/// A listing in memory of its own.
pub(super) struct Listing(pub(super) Region);

/// No single source.
const SEVERAL: u32 = u32::MAX;

impl Listing {
    pub(super) fn new(name: &[u16], generation: u64, size: usize) -> Result<Self, NTSTATUS> {
        let mut listing = Self(Region::new(size + name.len() * 2 + 4096)?);
        let size = listing.0.bytes().len();
        *listing.head() = Head {
            size,
            generation,
            host_time: 0,
            capacity: (size / 3 / size_of::<Entry>()) as u32,
            count: 0,
            units: 0,
            path: name.len() as u32,
            longest: [0; 2],
            only: SEVERAL,
            asked: u32::MAX,
            credit: 0,
            lister: 0,
        };
        listing.add_units(name)?;
        Ok(listing)
    }

    pub(super) fn head(&mut self) -> &mut Head {
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

    /// Adds a subkey, before [`Listing::merge`].
    ///
    /// # Errors
    /// `STATUS_BUFFER_TOO_SMALL`: the memory does not hold it.
    pub(super) fn add(
        &mut self,
        name: &[u16],
        class: &[u16],
        entry: Entry,
    ) -> Result<(), NTSTATUS> {
        let name_at = self.add_units(name)?;
        self.add_units(class)?;
        let count = self.head().count;
        let (entries, _) = self.parts();
        *entries
            .get_mut(count as usize)
            .ok_or(STATUS_BUFFER_TOO_SMALL)? = Entry {
            name_at,
            name_units: name.len() as u16,
            class_units: class.len() as u16,
            ..entry
        };
        self.head().count = count + 1;
        Ok(())
    }

    /// Whether it is of the VM's key `name`, however that is spelled.
    pub(super) fn is_of(&mut self, name: &[u16]) -> bool {
        let path = self.head().path as usize;
        let (_, units) = self.parts();
        let own = units.get(..path).unwrap_or(&[]);
        own == name || own.len() == name.len() && compare(own, name, hooks::is_wine()).is_eq()
    }

    /// How many subkeys there are; not counted when there is one source only.
    pub(super) fn count(&mut self) -> u32 {
        self.head().count
    }

    /// The lengths of the longest name and of the longest class, in bytes.
    pub(super) fn longest(&mut self) -> [u32; 2] {
        self.head().longest.map(|units| units * 2)
    }

    /// Says that the layer `only` alone makes up the key.
    pub(super) fn set_only(&mut self, only: usize) {
        self.head().only = only as u32;
    }

    /// The layer that alone makes up the key.
    pub(super) fn only(&mut self) -> usize {
        self.head().only as usize
    }

    /// Whether one layer alone makes up the key, so that the kernel's own
    /// listing is the VM's.
    pub(super) fn is_native(&mut self) -> bool {
        self.head().only != SEVERAL
    }

    /// The subkey at `index`.
    pub(super) fn entry(&mut self, index: u32) -> Option<Entry> {
        let count = self.head().count;
        let (entries, _) = self.parts();
        entries.get(..count as usize)?.get(index as usize).copied()
    }

    /// The name and the class of `entry`.
    pub(super) fn names(&mut self, entry: Entry) -> (&[u16], &[u16]) {
        let (_, units) = self.parts();
        let own = units.get(entry.name_at as usize..).unwrap_or(&[]);
        let (name, rest) = own
            .split_at_checked(entry.name_units.into())
            .unwrap_or((&[], &[]));
        (name, rest.get(..entry.class_units.into()).unwrap_or(&[]))
    }

    /// Sorts and merges what was added.
    pub(super) fn merge(&mut self) {
        let downcase = hooks::is_wine();
        let count = self.head().count as usize;
        let (entries, units) = self.parts();
        let entries = entries.get_mut(..count).unwrap_or_default();
        let kept = merge(
            entries,
            &mut [],
            |a, b| compare(name_of(a, units), name_of(b, units), downcase),
            |entry| Rank {
                layer: entry.layer(),
                whiteout: entry.whiteout != 0,
            },
        );
        self.head().count = kept as u32;
        self.measure();
    }

    fn measure(&mut self) {
        let count = self.head().count as usize;
        let (entries, _) = self.parts();
        let entries = entries.get(..count).unwrap_or(&[]);
        let longest = [
            entries.iter().map(|entry| entry.name_units).max(),
            entries.iter().map(|entry| entry.class_units).max(),
        ];
        self.head().longest = longest.map(|units| units.unwrap_or(0).into());
    }

    fn find(&mut self, name: &[u16]) -> Option<usize> {
        let downcase = hooks::is_wine();
        let count = self.head().count as usize;
        let (entries, units) = self.parts();
        entries
            .get(..count)?
            .binary_search_by(|entry| compare(name_of(entry, units), name, downcase))
            .ok()
    }

    /// The subkey `name` is the upper's own now.
    pub(super) fn raise(&mut self, name: &[u16]) {
        if let Some(at) = self.find(name)
            && let Some(entry) = self.parts().0.get_mut(at)
        {
            entry.layer = 0;
        }
    }

    /// The subkey `name` is gone.
    pub(super) fn remove(&mut self, name: &[u16]) {
        let Some(at) = self.find(name) else {
            return;
        };
        let count = self.head().count as usize;
        let (entries, _) = self.parts();
        let gone = entries.get(at).copied();
        entries.copy_within(at + 1..count, at);
        self.head().count = count as u32 - 1;
        let longest = self.head().longest;
        let measured = |gone: Entry| {
            u32::from(gone.name_units) == longest[0]
                || u32::from(gone.class_units) == longest[1] && longest[1] > 0
        };
        if gone.is_some_and(measured) {
            self.measure();
        }
    }
}

fn name_of<'u>(entry: &Entry, units: &'u [u16]) -> &'u [u16] {
    let at = entry.name_at as usize;
    units
        .get(at..at + usize::from(entry.name_units))
        .unwrap_or(&[])
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
