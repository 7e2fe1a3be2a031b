//! Memory for what is too large for [`crate::scratch`]: for slow paths, each a
//! region of its own that is given back at once, or when a list is dropped.

use core::ffi::c_void;
use pinion_nt::calls::{NtAllocateVirtualMemory, NtFreeVirtualMemory};
use pinion_nt::status::success;
use pinion_nt::{CURRENT_PROCESS, MEM_COMMIT_RESERVE, NTSTATUS, PAGE_READWRITE};

/// Fresh zeroed pages of this process, freed with the value.
pub(crate) struct Region {
    base: *mut c_void,
    size: usize,
}

impl Region {
    /// At least `size` bytes, and one page at least.
    ///
    /// # Errors
    /// The kernel's status when memory is short.
    pub(crate) fn new(size: usize) -> Result<Self, NTSTATUS> {
        let (mut base, mut size) = (core::ptr::null_mut(), size.max(1));
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
        if success(status) {
            Ok(Self { base, size })
        } else {
            Err(status)
        }
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

    /// The memory, which lives until [`Region::take_back`] is called with it.
    pub(crate) fn leak(self) -> (*mut c_void, usize) {
        let parts = (self.base, self.size);
        core::mem::forget(self);
        parts
    }

    /// Takes back what [`Region::leak`] gave.
    ///
    /// # Safety
    /// `base` and `size` must be such a pair that nobody uses any more.
    pub(crate) unsafe fn take_back(base: *mut c_void, size: usize) -> Self {
        Self { base, size }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        const MEM_RELEASE: u32 = 0x8000;
        let (mut base, mut size) = (self.base, 0);
        // SAFETY: the region is this value's own, and no borrow of it lives.
        unsafe { NtFreeVirtualMemory(CURRENT_PROCESS, &raw mut base, &raw mut size, MEM_RELEASE) };
    }
}
