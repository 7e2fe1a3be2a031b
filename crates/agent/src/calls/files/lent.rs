//! The program's own handle as the source of a copy, where it shares its file with nobody. It is read from
//! the beginning, and its position is put back.

use super::raw::{self, Owned};
use crate::hooks::kept;
use core::ffi::c_void;
use pinion_nt::{HANDLE, NTSTATUS};

/// `FilePositionInformation`, `FileModeInformation` (wdm.h).
const POSITION: u32 = 14;
const MODE: u32 = 16;
/// `FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT`: only such a file has a position.
const SYNCHRONOUS: u32 = 0x30;

/// The handle, at the file's beginning; dropped, it is where it was.
pub(super) struct Lent {
    /// A second handle of the same opened file.
    pub(super) file: Owned,
    position: u64,
}

/// Borrows `own`.
///
/// # Errors
/// The kernel's; [`raw::STATUS_SHARING_VIOLATION`] for one that is not for synchronous use.
pub(super) fn borrow(own: HANDLE) -> Result<Lent, NTSTATUS> {
    let mut mode = 0_u32;
    ask(own, MODE, &mut mode)?;
    if mode & SYNCHRONOUS == 0 {
        return Err(raw::STATUS_SHARING_VIOLATION);
    }
    let mut position = 0_u64;
    ask(own, POSITION, &mut position)?;
    let file = raw::duplicate(own)?;
    let lent = Lent { file, position };
    lent.go(0)?;
    Ok(lent)
}

impl Lent {
    fn go(&self, position: u64) -> Result<(), NTSTATUS> {
        // SAFETY: the class takes one such number.
        unsafe { raw::set_raw(self.file.0, POSITION, (&raw const position).cast(), 8) }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // One that could be moved can be moved back.
        let _ = self.go(self.position);
    }
}

/// Reads information of a file that is one number.
fn ask<N>(file: HANDLE, class: u32, number: &mut N) -> Result<(), NTSTATUS> {
    let mut io = raw::block();
    let (place, size) = ((&raw mut *number).cast::<c_void>(), size_of::<N>() as u32);
    // SAFETY: the place has the size that is told.
    let status = unsafe { kept::NtQueryInformationFile(file, &raw mut io, place, size, class) };
    raw::check(status)
}
