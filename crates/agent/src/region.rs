//! Memory for what is too large for [`crate::scratch`], given back at once.

use core::ffi::c_void;
use pinion_nt::calls::{NtAllocateVirtualMemory, NtFreeVirtualMemory};
use pinion_nt::{CURRENT_PROCESS, MEM_COMMIT_RESERVE, PAGE_READWRITE};

/// Fresh zeroed pages of this process.
pub(crate) struct Region {
    base: *mut c_void,
    size: usize,
}

impl Region {
    /// At least `size` bytes; `None` when memory is short.
    pub(crate) fn new(size: usize) -> Option<Self> {
        let (mut base, mut size) = (core::ptr::null_mut(), size);
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
        (status >= 0).then_some(Self { base, size })
    }

    /// The memory as words; pages are aligned for them.
    pub(crate) fn words(&mut self) -> &mut [u64] {
        // SAFETY: the region is this value's own, of `size` bytes, and any bits
        // are words.
        unsafe { core::slice::from_raw_parts_mut(self.base.cast(), self.size / 8) }
    }

    /// The memory as bytes.
    pub(crate) fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: as for `words`.
        unsafe { core::slice::from_raw_parts_mut(self.base.cast(), self.size) }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        const MEM_RELEASE: u32 = 0x8000;
        let (mut base, mut size) = (self.base, 0);
        // SAFETY: the region was made by `new`, and no borrow of it lives.
        unsafe { NtFreeVirtualMemory(CURRENT_PROCESS, &raw mut base, &raw mut size, MEM_RELEASE) };
    }
}
