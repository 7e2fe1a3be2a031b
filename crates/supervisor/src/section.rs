//! Unnamed sections, mapped here for writing and handed to members.

use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::ptr::{NonNull, null, null_mut};

use pinion_nt::{CURRENT_PROCESS, HANDLE, PAGE_EXECUTE_READWRITE, PAGE_READWRITE, calls, status};

use crate::error::Result;
use crate::system::{nt_error, own};

/// `SECTION_ALL_ACCESS` (winnt.h).
const ALL_ACCESS: u32 = 0xf_001f;
/// `SEC_COMMIT` (winnt.h).
const SEC_COMMIT: u32 = 0x0800_0000;
/// `SEC_RESERVE` (winnt.h).
const SEC_RESERVE: u32 = 0x0400_0000;
/// `MEM_COMMIT` (winnt.h).
const MEM_COMMIT: u32 = 0x1000;
/// `ViewUnmap` of `SECTION_INHERIT` (wdm.h): children get no view.
const VIEW_UNMAP: u32 = 2;

/// A section and its view in this process.
#[derive(Debug)]
pub struct Section {
    handle: OwnedHandle,
    view: NonNull<u8>,
    size: usize,
}

// SAFETY: the view is owned by this value and lives as long as it; who writes through it orders the
// writes.
unsafe impl Send for Section {}
// SAFETY: as above.
unsafe impl Sync for Section {}

impl Section {
    /// A section of zeros, at least `size` bytes, mapped read-write here.
    pub(crate) fn new(size: usize, what: &str) -> Result<Self> {
        Self::with_protection(size, PAGE_READWRITE, SEC_COMMIT, what)
    }

    /// A section of which only the first `committed` bytes are backed by memory; whoever maps it
    /// commits what it uses.
    pub(crate) fn reserved(size: usize, committed: usize, what: &str) -> Result<Self> {
        let section = Self::with_protection(size, PAGE_READWRITE, SEC_RESERVE, what)?;
        section.commit(0, committed)?;
        Ok(section)
    }

    /// Has `size` bytes from `at` on backed by memory, and readable here.
    pub(crate) fn commit(&self, at: usize, size: usize) -> Result<()> {
        let failed = |status| nt_error(String::from("commit a section's memory"), status);
        if at.saturating_add(size) > self.size {
            return Err(failed(status::STATUS_UNSUCCESSFUL));
        }
        let mut base = self.view.as_ptr().wrapping_add(at).cast();
        let mut size = size;
        // SAFETY: both pointers are to locals; the pages are of this value's view.
        let status = unsafe {
            calls::NtAllocateVirtualMemory(
                CURRENT_PROCESS,
                &raw mut base,
                0,
                &raw mut size,
                MEM_COMMIT,
                PAGE_READWRITE,
            )
        };
        if status::success(status) {
            Ok(())
        } else {
            Err(failed(status))
        }
    }

    /// A section whose views may have up to `protection`, mapped read-write here.
    fn with_protection(size: usize, protection: u32, kind: u32, what: &str) -> Result<Self> {
        let failed = |status| nt_error(format!("make a section for {what}"), status);
        let mut handle: HANDLE = null_mut();
        let bytes = size as i64;
        // SAFETY: both pointers are to locals; no attributes and no file.
        let status = unsafe {
            calls::NtCreateSection(
                &raw mut handle,
                ALL_ACCESS,
                null(),
                &raw const bytes,
                protection,
                kind,
                null_mut(),
            )
        };
        if !status::success(status) {
            return Err(failed(status));
        }
        // SAFETY: a fresh handle.
        let handle = unsafe { own(handle, "make a section") }?;
        let (mut base, mut length) = (null_mut(), 0);
        // SAFETY: both pointers are to locals; the whole section is mapped at a free place.
        let status = unsafe {
            calls::NtMapViewOfSection(
                handle.as_raw_handle(),
                CURRENT_PROCESS,
                &raw mut base,
                0,
                0,
                null_mut(),
                &raw mut length,
                VIEW_UNMAP,
                0,
                PAGE_READWRITE,
            )
        };
        match NonNull::new(base.cast()) {
            Some(view) if status::success(status) => Ok(Self { handle, view, size }),
            _ => Err(failed(status)),
        }
    }

    /// A section that holds these bytes of a program.
    pub(crate) fn of_code(bytes: &[u8], what: &str) -> Result<Self> {
        let section = Self::with_protection(bytes.len(), PAGE_EXECUTE_READWRITE, SEC_COMMIT, what)?;
        // SAFETY: the view has at least as many bytes, nobody else has it yet, and the source is no
        // part of it.
        unsafe {
            section
                .view
                .as_ptr()
                .copy_from_nonoverlapping(bytes.as_ptr(), bytes.len())
        };
        Ok(section)
    }

    /// A section that holds this value.
    pub(crate) fn of_value<T: Copy>(value: &T, what: &str) -> Result<Self> {
        let section = Self::new(size_of::<T>(), what)?;
        // SAFETY: the view is page-aligned, has room for a `T`, and nobody else has it yet.
        unsafe { section.view.cast::<T>().as_ptr().write(*value) };
        Ok(section)
    }

    /// The handle, valid while this lives.
    pub(crate) fn raw(&self) -> HANDLE {
        self.handle.as_raw_handle()
    }

    /// The view's first bytes as a `T`, if they suffice.
    ///
    /// # Safety
    /// `T` is made of atomics only and zero is a value of it: members may write at any time.
    pub(crate) unsafe fn shared<T: Sync>(&self) -> Option<&T> {
        // SAFETY: the caller's promise; a section is committed but for those that are reserved, whose
        // begin is.
        unsafe { self.shared_at(0) }
    }

    /// The view's bytes from `at` on as a `T`, if they suffice.
    ///
    /// # Safety
    /// As for [`Section::shared`]; these bytes are committed.
    pub(crate) unsafe fn shared_at<T: Sync>(&self, at: usize) -> Option<&T> {
        let fits = at.saturating_add(size_of::<T>()) <= self.size && at.is_multiple_of(64);
        // SAFETY: a view is page-aligned and lives as long as `self`; the caller vouches for the rest.
        fits.then(|| unsafe { &*self.view.as_ptr().add(at).cast() })
    }
}

impl Drop for Section {
    fn drop(&mut self) {
        // SAFETY: the view was mapped by `new` and no borrow of it is left.
        unsafe { calls::NtUnmapViewOfSection(CURRENT_PROCESS, self.view.as_ptr().cast()) };
    }
}
