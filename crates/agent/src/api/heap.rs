//! Room from the process heap, for calls that are no hot path and may only be
//! made when the heap is up.

use crate::modules;
use core::ffi::c_void;
use pinion_nt::calls::{RtlAllocateHeap, RtlFreeHeap};

/// A block of bytes, aligned for any structure, zero at first.
pub(crate) struct Block {
    start: *mut u8,
    size: usize,
}

impl Block {
    /// Allocates `size` bytes; `None` when memory is short.
    pub(crate) fn new(size: usize) -> Option<Self> {
        const ZERO_MEMORY: u32 = 8;
        // SAFETY: the process heap is up whenever documented exports are called.
        let start = unsafe { RtlAllocateHeap(modules::heap(), ZERO_MEMORY, size) };
        (!start.is_null()).then_some(Self {
            start: start.cast(),
            size,
        })
    }

    /// The bytes.
    pub(crate) fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: the block has `size` initialised bytes and is this value's own.
        unsafe { core::slice::from_raw_parts_mut(self.start, self.size) }
    }

    /// Gives the block away; [`Self::from_raw`] takes it back.
    pub(crate) fn into_raw(self) -> *mut c_void {
        let start = self.start;
        core::mem::forget(self);
        start.cast()
    }

    /// Takes back what [`Self::into_raw`] gave away.
    ///
    /// # Safety
    /// `start` came from `into_raw` and is taken back once.
    pub(crate) unsafe fn from_raw(start: *mut c_void) -> Self {
        Self {
            start: start.cast(),
            size: 0,
        }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: allocated from the process heap and freed once.
        unsafe { RtlFreeHeap(modules::heap(), 0, self.start.cast()) };
    }
}
