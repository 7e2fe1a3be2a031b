//! Room for names: small ones on the stack, long ones in a few blocks that the
//! process keeps. No heap: hooks run before it is up and while it is locked.

use core::ffi::c_void;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};
use pinion_nt::calls::{NtAllocateVirtualMemory, NtYieldExecution};
use pinion_nt::{CURRENT_PROCESS, MEM_COMMIT_RESERVE, PAGE_READWRITE};

/// Units of a buffer on the stack that most names fit: to clear more of it would
/// cost more than all else that is done with a name.
const FEW: usize = 160;
/// Units of a larger one.
const SMALL: usize = 768;
/// Units of a kept block: the longest NT string and the longest prefix.
pub(crate) const LARGE: usize = 34_816;
/// How many blocks the process keeps; a caller beyond that waits its turn.
const BLOCKS: usize = 8;

static BUSY: AtomicU32 = AtomicU32::new(0);
static BLOCK: [AtomicPtr<u16>; BLOCKS] = [const { AtomicPtr::new(core::ptr::null_mut()) }; BLOCKS];

/// Runs `work` with a buffer of at least `units` UTF-16 units (at most
/// [`LARGE`]); `None` when memory is short.
pub(crate) fn with<R>(units: usize, work: impl FnOnce(&mut [u16]) -> R) -> Option<R> {
    if units <= FEW {
        return Some(small::<FEW, _>(work));
    }
    if units <= SMALL {
        return Some(small::<SMALL, _>(work));
    }
    if units > LARGE {
        return None;
    }
    large(work)
}

#[inline(never)]
fn small<const UNITS: usize, R>(work: impl FnOnce(&mut [u16]) -> R) -> R {
    /// Aligned for every structure that the kernel reads or writes.
    #[repr(align(16))]
    struct Small<const UNITS: usize>([u16; UNITS]);
    work(&mut Small([0; UNITS]).0)
}

#[inline(never)]
fn large<R>(work: impl FnOnce(&mut [u16]) -> R) -> Option<R> {
    let index = take();
    let block = BLOCK.get(index)?;
    let base = match block.load(Ordering::Acquire) {
        base if base.is_null() => allocate(),
        base => base,
    };
    let result = (!base.is_null()).then(|| {
        block.store(base, Ordering::Release);
        // SAFETY: the block has LARGE units, and its bit in BUSY makes this
        // thread its only user.
        work(unsafe { core::slice::from_raw_parts_mut(base, LARGE) })
    });
    BUSY.fetch_and(!(1 << index), Ordering::Release);
    result
}

/// Takes a free block, waiting for another thread's hook to end when all are
/// taken.
fn take() -> usize {
    loop {
        let busy = BUSY.load(Ordering::Relaxed);
        let index = (!busy).trailing_zeros() as usize;
        if index < BLOCKS {
            let taken = busy | 1 << index;
            let order = Ordering::Acquire;
            if BUSY
                .compare_exchange_weak(busy, taken, order, Ordering::Relaxed)
                .is_ok()
            {
                return index;
            }
        } else {
            // SAFETY: takes no argument and touches no memory.
            unsafe { NtYieldExecution() };
        }
    }
}

fn allocate() -> *mut u16 {
    let (mut base, mut size) = (core::ptr::null_mut::<c_void>(), LARGE * 2);
    // SAFETY: the pointers are to locals; a new region is made.
    let status = unsafe {
        NtAllocateVirtualMemory(
            CURRENT_PROCESS,
            &raw mut base,
            0,
            &raw mut size,
            MEM_COMMIT_RESERVE,
            PAGE_READWRITE,
        )
    };
    if status < 0 {
        core::ptr::null_mut()
    } else {
        base.cast()
    }
}
