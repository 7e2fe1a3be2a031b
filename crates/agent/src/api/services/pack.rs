//! Filling a program's buffer as the service API does: structures from the
//! front, strings from the back, and the size that would have been needed.

use core::ffi::c_void;

/// A buffer of the program that is being filled. Once something did not fit,
/// only sizes are counted.
pub(super) struct Packer {
    start: *mut u8,
    front: usize,
    back: usize,
    needed: usize,
    full: bool,
}

impl Packer {
    /// A buffer of `size` bytes at `start`; a null one holds nothing.
    ///
    /// # Safety
    /// `start` is null or the program says that `size` bytes there are its own;
    /// where it lies, the fault is its own too.
    pub(super) unsafe fn new(start: *mut c_void, size: u32) -> Self {
        let size = if start.is_null() { 0 } else { size as usize };
        Self {
            start: start.cast(),
            front: 0,
            back: size & !1,
            needed: 0,
            full: false,
        }
    }

    /// Whether a structure of `size` bytes and these strings fit; counts them.
    pub(super) fn reserve(&mut self, size: usize, texts: &[Option<&[u8]>]) -> bool {
        let units: usize = texts.iter().flatten().map(|text| text.len() + 2).sum();
        self.needed += size + units;
        self.full |= self.back.saturating_sub(self.front) < size + units;
        !self.full
    }

    /// Room for the next structure of a successful [`Self::reserve`].
    pub(super) fn place<T>(&mut self) -> *mut T {
        let at = self.front;
        self.front += size_of::<T>();
        // SAFETY: `reserve` said that the structure fits.
        unsafe { self.start.add(at).cast() }
    }

    /// Room for so many more of a kind, one after the other.
    pub(super) fn places<T>(&mut self, count: usize) -> *mut T {
        let at = self.front;
        self.front += count * size_of::<T>();
        // SAFETY: `reserve` said that they fit.
        unsafe { self.start.add(at).cast() }
    }

    /// Writes a string with its zero behind the structures; null for none.
    pub(super) fn text(&mut self, text: Option<&[u8]>) -> *mut u16 {
        let Some(text) = text else {
            return core::ptr::null_mut();
        };
        let Some(back) = self.back.checked_sub(text.len() + 2) else {
            return core::ptr::null_mut();
        };
        self.back = back;
        // SAFETY: `reserve` said that the string fits.
        unsafe {
            let at = self.start.add(back);
            core::ptr::copy_nonoverlapping(text.as_ptr(), at, text.len());
            at.add(text.len()).cast::<u16>().write_unaligned(0);
            at.cast()
        }
    }

    /// Bytes that everything reserved so far takes.
    pub(super) fn needed(&self) -> u32 {
        u32::try_from(self.needed).unwrap_or(u32::MAX)
    }

    /// Whether something did not fit.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }
}
