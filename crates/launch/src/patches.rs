//! What of the agent differs in each process: words that hold addresses, and the
//! boot block. Kept as a private copy of the pages from the first to the last of
//! them, and written page by page. Touches no process but the calling one.

use crate::image::{Image, ImageError};
use crate::place::{PlaceError, check};
use pinion_intercept::export::Module;
use pinion_nt::calls::{NtAllocateVirtualMemory, NtFreeVirtualMemory};
use pinion_nt::{CURRENT_PROCESS, MEM_COMMIT_RESERVE, PAGE_READWRITE};
use pinion_wire::boot::Boot;

const PAGE: usize = 0x1000;
/// How many pages an agent may have: [`Image`] takes none above 16 MiB.
const PAGES: usize = 0x100_0000 / PAGE;

/// The pages of a laid-out agent that are to differ.
pub(crate) struct Patches {
    /// The copy, from the page at `start` on.
    copy: &'static mut [u8],
    /// An RVA, a multiple of a page.
    start: usize,
    /// A bit for each page of the agent.
    changed: [u64; PAGES / 64],
}

impl Patches {
    /// The pages of `image`, which is laid out, as they are, with room for all
    /// that will be put, the boot block at `boot` included.
    ///
    /// # Errors
    /// [`PlaceError::Image`] for a damaged agent; [`PlaceError::Call`] without memory.
    pub(crate) fn new(image: &Image<'_>, boot: u32) -> Result<Self, PlaceError> {
        let (mut low, mut high) = (boot, boot.saturating_add(size_of::<Boot>() as u32));
        let mut cover = |rva: u32| {
            low = low.min(rva);
            high = high.max(rva.saturating_add(8));
        };
        image.relocations(&mut cover)?;
        image.imports(|slot, _| {
            cover(slot);
            Ok(())
        })?;
        let start = low as usize / PAGE * PAGE;
        let whole = image
            .whole()
            .get(start..(high as usize).next_multiple_of(PAGE));
        let whole = whole.ok_or(ImageError::Damaged("layout"))?;
        let copy = memory(whole.len())?;
        copy.copy_from_slice(whole);
        Ok(Self {
            copy,
            start,
            changed: [0; PAGES / 64],
        })
    }

    /// Puts `bytes` at `rva`.
    ///
    /// # Errors
    /// [`ImageError::Damaged`] beyond what [`Patches::new`] made room for.
    pub(crate) fn put(&mut self, rva: u32, bytes: &[u8]) -> Result<(), ImageError> {
        let from = (rva as usize).wrapping_sub(self.start);
        from.checked_add(bytes.len())
            .and_then(|end| self.copy.get_mut(from..end))
            .ok_or(ImageError::Damaged("layout"))?
            .copy_from_slice(bytes);
        for page in rva as usize / PAGE..(rva as usize + bytes.len()).div_ceil(PAGE) {
            if let Some(word) = self.changed.get_mut(page / 64) {
                *word |= 1 << (page % 64);
            }
        }
        Ok(())
    }

    fn word(&self, rva: u32) -> Option<u64> {
        let from = (rva as usize).wrapping_sub(self.start);
        let bytes = self.copy.get(from..from.checked_add(8)?)?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    }

    /// Relocates the agent, which was laid out for the address it was linked for,
    /// to `base`.
    pub(crate) fn relocate(&mut self, base: u64, image: &Image<'_>) -> Result<(), PlaceError> {
        let delta = base.wrapping_sub(image.base);
        let mut outcome = Ok(());
        image.relocations(|rva| {
            let done = self
                .word(rva)
                .ok_or(ImageError::Damaged("relocations"))
                .and_then(|word| self.put(rva, &word.wrapping_add(delta).to_le_bytes()));
            outcome = outcome.and(done);
        })?;
        Ok(outcome?)
    }

    /// Fills in the addresses of what the agent imports from `module`, which is
    /// mapped at `ntdll`.
    pub(crate) fn import(
        &mut self,
        image: &Image<'_>,
        module: &Module<'_>,
        ntdll: u64,
    ) -> Result<(), PlaceError> {
        let mut missing = false;
        image.imports(|slot, name| match module.find(name) {
            Some(rva) => self.put(slot, &(ntdll + u64::from(rva)).to_le_bytes()),
            None => {
                missing = true;
                Ok(())
            }
        })?;
        if missing {
            Err(PlaceError::Ntdll)
        } else {
            Ok(())
        }
    }

    /// Calls `write` with each run of changed pages and its RVA.
    pub(crate) fn each(
        &self,
        mut write: impl FnMut(u32, &[u8]) -> Result<(), PlaceError>,
    ) -> Result<(), PlaceError> {
        let mut page = self.start / PAGE;
        let end = page + self.copy.len() / PAGE;
        while page < end {
            let run = (page..end)
                .take_while(|&page| self.is_changed(page))
                .count();
            if run > 0 {
                let from = page * PAGE - self.start;
                let bytes = self.copy.get(from..from + run * PAGE).unwrap_or(&[]);
                write((page * PAGE) as u32, bytes)?;
            }
            page += run.max(1);
        }
        Ok(())
    }

    fn is_changed(&self, page: usize) -> bool {
        let word = self.changed.get(page / 64).copied().unwrap_or(0);
        word & 1 << (page % 64) != 0
    }
}

fn memory(size: usize) -> Result<&'static mut [u8], PlaceError> {
    let (mut base, mut room) = (core::ptr::null_mut(), size);
    // SAFETY: both pointers are to locals; a new region is made.
    let status = unsafe {
        NtAllocateVirtualMemory(
            CURRENT_PROCESS,
            &raw mut base,
            0,
            &raw mut room,
            MEM_COMMIT_RESERVE,
            PAGE_READWRITE,
        )
    };
    check("allocating memory", status)?;
    // SAFETY: the region of at least `size` zeroed bytes is fresh and owned by the
    // value that it goes into until that is dropped.
    Ok(unsafe { core::slice::from_raw_parts_mut(base.cast(), size) })
}

impl Drop for Patches {
    fn drop(&mut self) {
        const MEM_RELEASE: u32 = 0x8000;
        let (mut base, mut size) = (self.copy.as_mut_ptr().cast(), 0);
        // SAFETY: the region was allocated by `memory` and no borrow of it lives.
        unsafe { NtFreeVirtualMemory(CURRENT_PROCESS, &raw mut base, &raw mut size, MEM_RELEASE) };
    }
}
