//! This process's ring in the section of the VM's records.
//!
//! The section is mapped, and a ring taken, when the first record is to be kept: a VM that
//! nobody looks at pays nothing for it. A thread that finds another one at it loses its
//! record.

use crate::calls::membership;
use crate::state;
use core::ffi::c_void;
use core::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicU64, Ordering};
use pinion_nt::calls::{NtAllocateVirtualMemory, NtMapViewOfSection};
use pinion_nt::status::success;
use pinion_nt::{CURRENT_PROCESS, HANDLE};
use pinion_wire::trace::{Heads, RING_SIZE, RINGS, RINGS_AT, Record, Ring};

/// The section's view, once it is mapped.
static HEADS: AtomicPtr<Heads> = AtomicPtr::new(core::ptr::null_mut());
/// This process's ring.
static RING: AtomicU32 = AtomicU32::new(NO_RING);
const NO_RING: u32 = u32::MAX;
/// Whether a thread is at mapping the section.
static STAGE: AtomicU8 = AtomicU8::new(UNMAPPED);
const UNMAPPED: u8 = 0;
const BUSY: u8 = 1;
const MAPPED: u8 = 2;
/// Records that were lost while the ring was not there yet.
static EARLY: AtomicU64 = AtomicU64::new(0);

/// Keeps a record, or counts it as lost.
pub(super) fn put(record: &Record) {
    if let Some((heads, index)) = ring()
        && let Some(head) = heads.heads.get(index)
        && let Some(ring) = at(heads, index)
    {
        head.put(ring, record);
    } else {
        EARLY.fetch_add(1, Ordering::Relaxed);
    }
}

/// Counts a record that had no place.
pub(super) fn lost() {
    EARLY.fetch_add(1, Ordering::Relaxed);
    if let Some((heads, index)) = ring()
        && let Some(head) = heads.heads.get(index)
    {
        head.lost
            .fetch_add(EARLY.swap(0, Ordering::Relaxed), Ordering::Relaxed);
    }
}

fn at(heads: &'static Heads, index: usize) -> Option<&'static Ring> {
    let place = core::ptr::from_ref(heads).cast::<u8>();
    // SAFETY: `claim` committed the ring of this index, which lies in the view behind
    // the heads; it is made of atomics only.
    (index < RINGS).then(|| unsafe { &*place.add(RINGS_AT + index * RING_SIZE).cast() })
}

/// The heads and the number of this process's ring.
fn ring() -> Option<(&'static Heads, usize)> {
    if HEADS.load(Ordering::Acquire).is_null() {
        map();
    }
    let heads = HEADS.load(Ordering::Acquire);
    if heads.is_null() {
        return None;
    }
    // SAFETY: the view is never unmapped, its begin is committed, all of it atomics.
    let heads = unsafe { &*heads };
    match RING.load(Ordering::Acquire) {
        NO_RING => claim(heads),
        index => Some((heads, index as usize)),
    }
}

/// Maps the section, and commits its begin.
fn map() {
    let order = Ordering::Acquire;
    if STAGE
        .compare_exchange(UNMAPPED, BUSY, order, order)
        .is_err()
    {
        return;
    }
    let (mut base, mut size) = (core::ptr::null_mut::<c_void>(), 0);
    // SAFETY: the pointers are to locals; the section came with the boot block.
    let status = unsafe {
        NtMapViewOfSection(
            state::boot().trace_section as HANDLE,
            CURRENT_PROCESS,
            &raw mut base,
            0,
            0,
            core::ptr::null_mut(),
            &raw mut size,
            2,
            0,
            pinion_nt::PAGE_READWRITE,
        )
    };
    if success(status) && commit(base, RINGS_AT) {
        HEADS.store(base.cast(), Ordering::Release);
    }
    STAGE.store(MAPPED, Ordering::Release);
}

fn commit(at: *mut c_void, size: usize) -> bool {
    const MEM_COMMIT: u32 = 0x1000;
    let (mut base, mut size) = (at, size);
    // SAFETY: the pointers are to locals; the pages are the agent's own view.
    let status = unsafe {
        NtAllocateVirtualMemory(
            CURRENT_PROCESS,
            &raw mut base,
            0,
            &raw mut size,
            MEM_COMMIT,
            pinion_nt::PAGE_READWRITE,
        )
    };
    success(status)
}

/// Takes a ring that nobody has.
#[cold]
fn claim(heads: &'static Heads) -> Option<(&'static Heads, usize)> {
    let order = Ordering::Acquire;
    if STAGE.compare_exchange(MAPPED, BUSY, order, order).is_err() {
        return None;
    }
    let process = membership::own_process();
    let taken = heads.heads.iter().position(|head| {
        let owner = &head.owner;
        owner
            .compare_exchange(0, process, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    });
    let found = taken.filter(|index| {
        let place = core::ptr::from_ref(heads) as usize + RINGS_AT + index * RING_SIZE;
        commit(place as *mut c_void, RING_SIZE)
    });
    match found {
        Some(index) => {
            let early = EARLY.swap(0, Ordering::Relaxed);
            if let Some(head) = heads.heads.get(index) {
                head.lost.fetch_add(early, Ordering::Relaxed);
            }
            RING.store(index as u32, Ordering::Release);
        }
        None => {
            let early = EARLY.swap(0, Ordering::Relaxed);
            heads.unplaced.fetch_add(early + 1, Ordering::Relaxed);
        }
    }
    STAGE.store(MAPPED, Ordering::Release);
    found.map(|index| (heads, index))
}
