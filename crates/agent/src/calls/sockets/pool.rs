//! Addresses that outlive the call: a send that waits for room reads its
//! address again later. There is one for each port, always with the same bytes,
//! so nobody owns it and nothing is freed. Pages are committed as ports are
//! sent to.

use super::address::{Sockaddr, own};
use core::ffi::c_void;
use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
use pinion_nt::calls::NtAllocateVirtualMemory;
use pinion_nt::{CURRENT_PROCESS, MEM_COMMIT, MEM_RESERVE, PAGE_READWRITE};

/// Bytes for a port: IPv4's address, then IPv6's.
const ENTRY: usize = 64;
const SIX_AT: usize = 32;
const PAGE: usize = 4096;
const SIZE: usize = ENTRY * 0x1_0000;

static BASE: AtomicPtr<u8> = AtomicPtr::new(core::ptr::null_mut());
/// A bit for each committed page.
static COMMITTED: [AtomicU64; SIZE / PAGE / 64] = [const { AtomicU64::new(0) }; SIZE / PAGE / 64];

/// A lasting address of the VM with the port and family of `address`.
pub(super) fn lasting(address: &Sockaddr) -> Option<*const c_void> {
    let at = usize::from(address.port()) * ENTRY;
    let page = page(base()?, at / PAGE)?;
    let entry = page.wrapping_add(at % PAGE);
    let entry = if address.is_six() {
        entry.wrapping_add(SIX_AT)
    } else {
        entry
    };
    let lasting = Sockaddr::new(address.is_six(), own(), address.port());
    let bytes = lasting.as_bytes();
    // SAFETY: the entry has room for the address in a committed page; every
    // writer writes the same bytes.
    unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), entry, bytes.len()) };
    Some(entry.cast_const().cast())
}

fn base() -> Option<*mut u8> {
    let base = BASE.load(Ordering::Acquire);
    if !base.is_null() {
        return Some(base);
    }
    let fresh = allocate(core::ptr::null_mut(), SIZE, MEM_RESERVE)?;
    let order = Ordering::AcqRel;
    match BASE.compare_exchange(base, fresh, order, Ordering::Acquire) {
        Ok(_) => Some(fresh),
        // Another thread was first; the fresh region is left unused.
        Err(other) => Some(other),
    }
}

fn page(base: *mut u8, index: usize) -> Option<*mut u8> {
    let (word, bit) = (COMMITTED.get(index / 64)?, 1 << (index % 64));
    let page = base.wrapping_add(index * PAGE);
    if word.load(Ordering::Acquire) & bit == 0 {
        allocate(page, PAGE, MEM_COMMIT)?;
        word.fetch_or(bit, Ordering::Release);
    }
    Some(page)
}

fn allocate(base: *mut u8, size: usize, how: u32) -> Option<*mut u8> {
    let (mut base, mut size) = (base.cast::<c_void>(), size);
    // SAFETY: the pointers are to locals; new memory, or memory of the pool.
    let status = unsafe {
        NtAllocateVirtualMemory(
            CURRENT_PROCESS,
            &raw mut base,
            0,
            &raw mut size,
            how,
            PAGE_READWRITE,
        )
    };
    (status >= 0).then_some(base.cast())
}
