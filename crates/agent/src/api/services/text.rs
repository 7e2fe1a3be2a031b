//! The program's strings as bytes for a message. A pointer that cannot be read
//! faults in the program's own call, as it does in the API itself.

use super::call::Result;
use windows_sys::Win32::Foundation::{ERROR_INVALID_ADDRESS, ERROR_INVALID_PARAMETER};

/// The longest string that is looked at, in units.
const LONGEST: usize = 32_767;

/// Units before the first zero.
///
/// # Safety
/// As [`required`].
unsafe fn length(text: *const u16) -> Result<usize> {
    let mut length = 0;
    // SAFETY: the caller's promise: readable up to the zero.
    while unsafe { text.add(length).read_unaligned() } != 0 {
        length += 1;
        if length > LONGEST {
            return Err(ERROR_INVALID_PARAMETER);
        }
    }
    Ok(length)
}

/// A string that may be missing.
///
/// # Safety
/// `text` is null or points to a zero-terminated string that does not change
/// while the result is used.
pub(super) unsafe fn optional<'a>(text: *const u16) -> Result<Option<&'a [u8]>> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    let length = unsafe { length(text) }?;
    // SAFETY: as above; bytes need no alignment.
    Ok(Some(unsafe {
        core::slice::from_raw_parts(text.cast(), 2 * length)
    }))
}

/// A string that must be there.
///
/// # Safety
/// As [`optional`].
pub(super) unsafe fn required<'a>(text: *const u16) -> Result<&'a [u8]> {
    // SAFETY: the caller's promise.
    unsafe { optional(text) }?.ok_or(ERROR_INVALID_ADDRESS)
}

/// A list of strings that ends with an empty one: each with its zero.
///
/// # Safety
/// As [`optional`], for every string of the list.
pub(super) unsafe fn list<'a>(text: *const u16) -> Result<Option<&'a [u8]>> {
    if text.is_null() {
        return Ok(None);
    }
    let mut end = 0;
    loop {
        // SAFETY: the caller's promise; the list's last string is empty.
        match unsafe { length(text.add(end)) }? {
            0 => break,
            length => end += length + 1,
        }
        if end > LONGEST {
            return Err(ERROR_INVALID_PARAMETER);
        }
    }
    // SAFETY: as above.
    Ok(Some(unsafe {
        core::slice::from_raw_parts(text.cast(), 2 * end)
    }))
}
