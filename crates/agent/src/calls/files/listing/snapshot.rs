//! The entries of one directory at one moment, from all its layers, merged.

use super::super::raw::{self, How, Owned, upcase};
use super::super::view::{View, with_name};
use super::with_child;
use crate::hooks::kept;
use crate::state;
use core::cmp::Ordering;
use core::ffi::c_void;
use pinion_layers::{Kind, Rank, Sources, Tree, merge};
use pinion_names::file;
use pinion_names::units::{below, fold, starts};
use pinion_nt::calls::{NtAllocateVirtualMemory, NtFreeVirtualMemory};
use pinion_nt::status::{STATUS_NO_MEMORY, STATUS_NO_MORE_FILES};
use pinion_nt::{
    CURRENT_PROCESS, MEM_COMMIT, MEM_RESERVE, NTSTATUS, PAGE_READWRITE, unicode_string,
};

/// `FileIdBothDirectoryInformation`: the class with all that others ask for.
const CLASS: u32 = 37;
/// Where its name begins (wdm.h, `FILE_ID_BOTH_DIR_INFORMATION`).
pub(crate) const RECORD: usize = 104;
/// Address space for the items of the list, in bytes.
const LIST: usize = 0x0100_0000;
/// The same with as much after it, where they are merged.
const ITEMS: usize = 2 * LIST;
/// Address space for items and records, in bytes: about a million entries.
const WHOLE: usize = 0x1000_0000;
/// How much is committed and asked for at a time, in bytes.
const STEP: usize = 0x1_0000;
/// `.wh.*`
const WHITEOUTS: &[u16] = &[0x2e, 0x77, 0x68, 0x2e, 0x2a];
/// Units of `.wh.`.
const MARK: usize = 4;

/// Where one listed name is.
#[derive(Clone, Copy)]
#[repr(C)]
struct Item {
    /// What the name begins with ([`beginning`]), which nearly always tells two
    /// items apart without a look at their records.
    begins: u64,
    /// The record's offset in the memory.
    at: u32,
    /// The layer that lists it.
    layer: u16,
    /// 1 for a whiteout.
    whiteout: u16,
}

/// A merged list in memory of its own, given back when dropped.
pub(crate) struct Snapshot {
    base: *mut u8,
    items: usize,
    items_committed: usize,
    used: usize,
    committed: usize,
    pattern: (usize, usize),
}

/// One entry of a snapshot.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'s> {
    /// The record's fixed part, as `FILE_ID_BOTH_DIR_INFORMATION`.
    pub(crate) record: &'s [u8],
    name: &'s [u16],
    item: Item,
}

impl<'s> Entry<'s> {
    /// The entry's name.
    pub(crate) fn name(&self) -> &'s [u16] {
        let from = if self.item.whiteout == 0 { 0 } else { MARK };
        self.name.get(from..).unwrap_or(&[])
    }

    /// The name as the layer has it, a whiteout's mark included.
    pub(crate) fn whole_name(&self) -> &'s [u16] {
        self.name
    }

    /// Whether it is the directory itself or its parent.
    pub(crate) fn is_dots(&self) -> bool {
        is_dots(self.name)
    }

    /// The layer it is of.
    pub(crate) fn layer(&self) -> usize {
        usize::from(self.item.layer)
    }

    /// What it is.
    pub(crate) fn kind(&self) -> Kind {
        let attributes = self.record.get(56..60).and_then(|b| b.try_into().ok());
        if attributes.map_or(0, u32::from_le_bytes) & raw::DIRECTORY != 0 {
            Kind::Directory
        } else {
            Kind::Leaf
        }
    }
}

fn is_dots(name: &[u16]) -> bool {
    matches!(name, [0x2e] | [0x2e, 0x2e])
}

impl Snapshot {
    /// What the program sees in the directory of `view`, which the layers
    /// `sources` make up, of the names that match `pattern`: each layer's own
    /// file system tells which.
    pub(crate) fn take(
        view: &View<'_>,
        sources: Sources,
        pattern: &[u16],
    ) -> Result<Self, NTSTATUS> {
        let path = view.path();
        const ALL: &[u16] = &[b'*' as u16];
        let pattern = if pattern == ALL { &[] } else { pattern };
        let mut snapshot = Self::new()?;
        let first = sources.iter().next().unwrap_or(View::host());
        let dots = if file::depth(path) == 1 {
            View::host()
        } else {
            first
        };
        let mut one_pattern = false;
        for layer in sources.iter() {
            let hidden = hidden_name(path, layer);
            let by_own = snapshot.read(view, layer, pattern, |name| {
                if one_pattern && !is_dots(name) && is_hidden_by_upper(path, name) {
                    return false;
                }
                if layer == View::host() {
                    let closed = hidden.is_some_and(|hidden| equal(name, hidden));
                    return (layer == dots || !is_dots(name)) && !closed;
                }
                let of_layers = !pattern.is_empty() && starts(name, file::WHITEOUT).is_some();
                !of_layers && !is_left_over(name) && (layer == dots || !is_dots(name))
            })?;
            // The first pattern that a file object is listed by stands, on Wine also
            // when it is listed from the beginning (observed on Wine 8 and 10).
            one_pattern |= by_own && !pattern.is_empty();
            if layer != View::host() && !pattern.is_empty() && !by_own {
                snapshot.read(view, layer, WHITEOUTS, |name| {
                    starts(name, file::WHITEOUT).is_some() && !is_left_over(name)
                })?;
            }
        }
        snapshot.merge()?;
        Ok(snapshot)
    }

    /// What the directory of `view` in `layer` has by the plain name `name`.
    pub(crate) fn one(view: &View<'_>, layer: usize, name: &[u16]) -> Result<Self, NTSTATUS> {
        let mut snapshot = Self::new()?;
        snapshot.read(view, layer, name, |_| true)?;
        snapshot.keep_pattern(name)?;
        Ok(snapshot)
    }

    /// The reserved names in the upper's own directory of `view`.
    pub(crate) fn reserved(view: &View<'_>) -> Result<Self, NTSTATUS> {
        let mut snapshot = Self::new()?;
        snapshot.read(view, 0, &[], |name| starts(name, file::WHITEOUT).is_some())?;
        Ok(snapshot)
    }

    /// All that the upper's own directory of `view` has.
    pub(crate) fn own(view: &View<'_>) -> Result<Self, NTSTATUS> {
        let mut snapshot = Self::new()?;
        snapshot.read(view, 0, &[], |name| !is_dots(name))?;
        Ok(snapshot)
    }

    /// Whether the host's own directory `path` has an entry that the program
    /// must not see.
    pub(crate) fn hides_in(path: &[u16]) -> bool {
        hidden_name(path, View::host()).is_some()
    }

    fn new() -> Result<Self, NTSTATUS> {
        let mut base: *mut c_void = core::ptr::null_mut();
        allocate(&mut base, WHOLE, MEM_RESERVE)?;
        Ok(Self {
            base: base.cast(),
            items: 0,
            items_committed: 0,
            used: ITEMS,
            committed: ITEMS,
            pattern: (ITEMS, 0),
        })
    }

    /// Keeps a copy of the pattern of the listing's first call.
    pub(crate) fn keep_pattern(&mut self, pattern: &[u16]) -> Result<(), NTSTATUS> {
        self.commit(self.used + size_of_val(pattern))?;
        // SAFETY: so many bytes were committed after all records, and are of
        // nobody else; `used` is a multiple of 8.
        unsafe {
            let place = self.base.add(self.used).cast::<u16>();
            core::ptr::copy_nonoverlapping(pattern.as_ptr(), place, pattern.len());
        }
        self.pattern = (self.used, pattern.len());
        self.used += size_of_val(pattern).next_multiple_of(8);
        Ok(())
    }

    /// The pattern that was kept.
    pub(crate) fn pattern(&self) -> &[u16] {
        let (at, length) = self.pattern;
        if length == 0 {
            return &[];
        }
        // SAFETY: `keep_pattern` wrote so many units there.
        unsafe { core::slice::from_raw_parts(self.base.add(at).cast(), length) }
    }

    /// The entries, in the order of their names once merged.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        (0..self.items).map_while(|index| self.entry(index))
    }

    /// Entry number `index`.
    pub(crate) fn entry(&self, index: usize) -> Option<Entry<'_>> {
        if index >= self.items {
            return None;
        }
        // SAFETY: `push` committed and wrote so many items at the base.
        let item = unsafe { self.base.cast::<Item>().add(index).read() };
        Some(self.of(item))
    }

    fn of(&self, item: Item) -> Entry<'_> {
        // SAFETY: `walk` checked that the record and its name lie in the
        // committed part, which is never changed afterwards.
        unsafe {
            let at = self.base.add(item.at as usize);
            let length = at.add(60).cast::<u32>().read_unaligned() as usize / 2;
            Entry {
                record: core::slice::from_raw_parts(at, RECORD),
                name: core::slice::from_raw_parts(at.add(RECORD).cast(), length),
                item,
            }
        }
    }

    /// Reads the names that `layer` has in the directory and `keeps` wants: all
    /// that match `pattern`, or all when it is empty. Whether that was by the
    /// program's own file object.
    fn read(
        &mut self,
        view: &View<'_>,
        layer: usize,
        pattern: &[u16],
        keeps: impl Fn(&[u16]) -> bool,
    ) -> Result<bool, NTSTATUS> {
        let (directory, by_own) = open(view, layer)?;
        let mut restart = true;
        loop {
            self.commit(self.used + STEP)?;
            let place = self.base.wrapping_add(self.used);
            match query(&directory, pattern, core::mem::take(&mut restart), place) {
                Ok(0) | Err(STATUS_NO_MORE_FILES | raw::STATUS_NO_SUCH_FILE) => {
                    return Ok(by_own);
                }
                Ok(size) => self.walk(size.min(STEP), layer, &keeps)?,
                Err(status) => return Err(status),
            }
        }
    }

    /// Takes note of the records in the `size` bytes that were just read.
    fn walk(
        &mut self,
        size: usize,
        layer: usize,
        keeps: &impl Fn(&[u16]) -> bool,
    ) -> Result<(), NTSTATUS> {
        let end = self.used + size;
        let mut at = self.used;
        while at + RECORD <= end {
            // SAFETY: the record's fixed part lies in the committed part.
            let (next, length) = unsafe {
                let record = self.base.add(at);
                let next = record.cast::<u32>().read_unaligned() as usize;
                (next, record.add(60).cast::<u32>().read_unaligned() as usize)
            };
            if at + RECORD + length > end {
                break;
            }
            let item = Item {
                begins: 0,
                at: at as u32,
                layer: layer as u16,
                whiteout: 0,
            };
            let name = self.of(item).name;
            let whiteout = layer != View::host() && starts(name, file::WHITEOUT).is_some();
            if keeps(name) {
                let shown = name.get(if whiteout { MARK } else { 0 }..).unwrap_or(&[]);
                self.push(Item {
                    begins: beginning(shown),
                    whiteout: u16::from(whiteout),
                    ..item
                })?;
            }
            if next == 0 {
                break;
            }
            at += next;
        }
        self.used = end.next_multiple_of(8);
        Ok(())
    }

    fn push(&mut self, item: Item) -> Result<(), NTSTATUS> {
        let end = (self.items + 1) * size_of::<Item>();
        if end > LIST {
            return Err(STATUS_NO_MEMORY);
        }
        if end > self.items_committed {
            let mut base = self.base.wrapping_add(self.items_committed).cast();
            allocate(&mut base, STEP, MEM_COMMIT)?;
            self.items_committed += STEP;
        }
        // SAFETY: the item's place was committed.
        unsafe { self.base.cast::<Item>().add(self.items).write(item) };
        self.items += 1;
        Ok(())
    }

    fn commit(&mut self, end: usize) -> Result<(), NTSTATUS> {
        if end > WHOLE {
            return Err(STATUS_NO_MEMORY);
        }
        while self.committed < end {
            let mut base = self.base.wrapping_add(self.committed).cast();
            allocate(&mut base, STEP, MEM_COMMIT)?;
            self.committed += STEP;
        }
        Ok(())
    }

    fn merge(&mut self) -> Result<(), NTSTATUS> {
        if self.items == 0 {
            return Ok(());
        }
        let mut base = self.base.wrapping_add(LIST).cast();
        allocate(&mut base, self.items * size_of::<Item>(), MEM_COMMIT)?;
        // SAFETY: so many items were written, and there is committed room for as
        // many after the list's own, zeroed or written by an earlier merge; `of`
        // reads records only.
        let (items, spare) = unsafe {
            let spare = self.base.add(LIST).cast::<Item>();
            (
                core::slice::from_raw_parts_mut(self.base.cast::<Item>(), self.items),
                core::slice::from_raw_parts_mut(spare, self.items),
            )
        };
        self.items = merge(
            items,
            spare,
            |a, b| {
                let by_name = || order(self.of(*a).name(), self.of(*b).name());
                a.begins.cmp(&b.begins).then_with(by_name)
            },
            |item| Rank {
                layer: usize::from(item.layer),
                whiteout: item.whiteout != 0,
            },
        );
        Ok(())
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        const RELEASE: u32 = 0x8000;
        let (mut base, mut size) = (self.base.cast::<c_void>(), 0);
        // SAFETY: the region is this value's own.
        unsafe { NtFreeVirtualMemory(CURRENT_PROCESS, &raw mut base, &raw mut size, RELEASE) };
    }
}

/// A file that a copy-up left half made: `.wh..wh.…`.
fn is_left_over(name: &[u16]) -> bool {
    starts(name, ".wh..wh.").is_some()
}

/// The name of the store's root, when `layer` is the host and `path` the
/// directory that it is in.
fn hidden_name(path: &[u16], layer: usize) -> Option<&'static [u16]> {
    let store = state::page().store_files.as_units();
    let (parent, name) = file::split_last(store);
    let (letter, rest) = path.split_first()?;
    let is_parent = layer == View::host()
        && parent.get(4) == Some(letter)
        && below(rest, parent.get(6..)?)?.is_empty();
    is_parent.then_some(name)
}

fn folded(unit: &u16) -> u16 {
    match *unit {
        0..0x80 => fold(*unit),
        unit => upcase(unit),
    }
}

/// Compares names as directories are sorted: the two dots, then by upper case.
fn order(a: &[u16], b: &[u16]) -> Ordering {
    is_dots(b)
        .cmp(&is_dots(a))
        .then_with(|| a.iter().map(folded).cmp(b.iter().map(folded)))
}

/// The first eight units of a name as a number, which is in order where the names
/// are ([`order`]): that of the two dots is the least. Units from 0xFF on are all
/// one, and what follows the first of them does not count.
fn beginning(name: &[u16]) -> u64 {
    if is_dots(name) {
        return 0;
    }
    let (mut number, mut counts) = (0, true);
    for at in 0..8 {
        let unit = name.get(at).filter(|_| counts).map_or(0, folded);
        let byte = unit.min(0xff);
        counts = byte < 0xff;
        number = number << 8 | u64::from(byte);
    }
    number
}

fn equal(a: &[u16], b: &[u16]) -> bool {
    order(a, b) == Ordering::Equal
}

/// Whether the upper hides what the layers below have by `name` in the directory
/// `path`.
fn is_hidden_by_upper(path: &[u16], name: &[u16]) -> bool {
    let hidden = with_child(path, name, |child| {
        let mut child = View::new(child);
        let depth = child.depth();
        child.whiteout(0, depth)
    });
    // What cannot be looked at is shown.
    matches!(hidden, Ok(Ok(true)))
}

/// Opens the directory of `view` in `layer` to list it. Where the program's own
/// handle shares it with nobody, a second handle of the same is used, and told.
fn open(view: &View<'_>, layer: usize) -> Result<(Owned, bool), NTSTATUS> {
    const LIST: u32 = 1;
    let how = How {
        access: LIST,
        attributes: 0,
        disposition: raw::OPEN,
        options: raw::DIRECTORY_FILE,
    };
    match with_name(layer, view.path(), &[], |name| raw::open(name, how))? {
        Err(raw::STATUS_SHARING_VIOLATION) if layer == 0 && !view.own.is_null() => {}
        opened => return opened.map(|opened| (opened, false)),
    }
    let mut second = core::ptr::null_mut();
    // SAFETY: a handle of this process is duplicated into a local.
    let status = unsafe {
        kept::NtDuplicateObject(
            CURRENT_PROCESS,
            view.own,
            CURRENT_PROCESS,
            &raw mut second,
            LIST | raw::SYNCHRONIZE,
            0,
            0,
        )
    };
    raw::check(status).map(|()| (Owned(second), true))
}

/// Reads the directory's next entries; gives how many bytes.
fn query(
    directory: &Owned,
    pattern: &[u16],
    restart: bool,
    buffer: *mut u8,
) -> Result<usize, NTSTATUS> {
    let none = core::ptr::null();
    let pattern = (!pattern.is_empty())
        .then(|| unicode_string(pattern))
        .flatten();
    let pattern = pattern
        .as_ref()
        .map_or(core::ptr::null(), |p| &raw const *p);
    let mut io = raw::block();
    // SAFETY: STEP bytes were committed at the buffer; the handle is opened for
    // synchronous use.
    raw::check(unsafe {
        kept::NtQueryDirectoryFile(
            directory.0,
            core::ptr::null_mut(),
            none,
            none,
            &raw mut io,
            buffer.cast(),
            STEP as u32,
            CLASS,
            0,
            pattern,
            u8::from(restart),
        )
    })?;
    Ok(io.Information)
}

/// Whether the directory has whiteouts.
pub(crate) fn hides_any(directory: &Owned) -> Result<bool, NTSTATUS> {
    /// `FileNamesInformation`, and where its name's length and its name are
    /// (wdm.h).
    const NAMES: u32 = 12;
    const LENGTH: usize = 4;
    const NAME: usize = 6;
    let mut restart = 1;
    loop {
        let (mut record, mut io) = ([0_u64; 66], raw::block());
        let (pattern, none) = (unicode_string(WHITEOUTS), core::ptr::null());
        let pattern = pattern
            .as_ref()
            .map_or(core::ptr::null(), |p| &raw const *p);
        // SAFETY: a local of the given size, with room for the longest name; the
        // handle is opened for synchronous use.
        let status = unsafe {
            kept::NtQueryDirectoryFile(
                directory.0,
                core::ptr::null_mut(),
                none,
                none,
                &raw mut io,
                record.as_mut_ptr().cast(),
                size_of_val(&record) as u32,
                NAMES,
                1,
                pattern,
                core::mem::take(&mut restart),
            )
        };
        match raw::check(status) {
            Ok(()) => {}
            Err(STATUS_NO_MORE_FILES | raw::STATUS_NO_SUCH_FILE) => return Ok(false),
            Err(status) => return Err(status),
        }
        // SAFETY: the same bytes as units.
        let units: &[u16; 264] = unsafe { &*(&raw const record).cast() };
        let length = usize::from(units[LENGTH]) / 2;
        let name = units.get(NAME..NAME + length).unwrap_or(&[]);
        if starts(name, file::WHITEOUT).is_some() && !is_left_over(name) {
            return Ok(true);
        }
    }
}

fn allocate(base: &mut *mut c_void, size: usize, kind: u32) -> Result<(), NTSTATUS> {
    let mut size = size;
    // SAFETY: the pointers are to locals; the region is new or the snapshot's
    // own.
    raw::check(unsafe {
        NtAllocateVirtualMemory(
            CURRENT_PROCESS,
            base,
            0,
            &raw mut size,
            kind,
            PAGE_READWRITE,
        )
    })
}
