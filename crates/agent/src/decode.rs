//! Reading a caller's `OBJECT_ATTRIBUTES` or `UNICODE_STRING` once.

use crate::{guard, scratch};
use pinion_nt::{HANDLE, OBJECT_ATTRIBUTES, UNICODE_STRING};

/// A caller's object attributes and name, copied out of its memory.
pub(crate) struct Attributes<'n> {
    /// The attributes as given; its name pointer is the caller's.
    pub(crate) given: OBJECT_ATTRIBUTES,
    /// The name; empty when there is none.
    pub(crate) name: &'n [u16],
}

impl Attributes<'_> {
    /// Whether the name stands alone, not relative to a root handle.
    pub(crate) fn is_absolute(&self) -> bool {
        self.given.RootDirectory.is_null()
    }

    /// The root handle.
    pub(crate) fn root(&self) -> HANDLE {
        self.given.RootDirectory
    }
}

/// The header of `attributes` and its `UNICODE_STRING`, when both can be read
/// and look like what NT accepts; otherwise `None`: the kernel shall see the
/// caller's own arguments and say what is wrong with them.
pub(crate) fn header(
    attributes: *const OBJECT_ATTRIBUTES,
) -> Option<(OBJECT_ATTRIBUTES, UNICODE_STRING)> {
    if attributes.is_null() {
        return None;
    }
    // SAFETY: plain data; a bad pointer is a return value.
    let given = unsafe { guard::read(attributes) }.ok()?;
    if given.ObjectName.is_null() || given.Length as usize != size_of::<OBJECT_ATTRIBUTES>() {
        return None;
    }
    Some((given, string(given.ObjectName)?))
}

/// The `UNICODE_STRING` at `address`, when it can be read and looks like what
/// NT accepts.
fn string(address: *const UNICODE_STRING) -> Option<UNICODE_STRING> {
    // SAFETY: plain data; a bad pointer is a return value.
    let name = unsafe { guard::read(address) }.ok()?;
    let sound = name.Length.is_multiple_of(2)
        && !name.Buffer.is_null()
        && (name.Buffer as usize).is_multiple_of(2);
    sound.then_some(name)
}

/// Copies the units of `string` and runs `work` with them; `None` (without
/// running it) where they cannot be read.
fn with_units<R>(string: &UNICODE_STRING, work: impl FnOnce(&[u16]) -> R) -> Option<R> {
    let units = string.Length as usize / 2;
    scratch::with(units, |buffer| {
        let name = buffer.get_mut(..units)?;
        // SAFETY: `name` has room for Length bytes; the source may be bad.
        unsafe {
            guard::copy(
                name.as_mut_ptr().cast(),
                string.Buffer.cast(),
                string.Length as usize,
            )
        }
        .ok()?;
        Some(work(name))
    })?
}

/// Runs `work` with the text of the `UNICODE_STRING` at `address`; `None`
/// (without running it) where the kernel shall decide on the caller's own.
pub(crate) fn with_string<R>(
    address: *const UNICODE_STRING,
    work: impl FnOnce(&[u16]) -> R,
) -> Option<R> {
    with_units(&string(address)?, work)
}

/// Decodes `attributes` and runs `work` with them; `None` (without running it)
/// where the kernel shall decide on the caller's own arguments.
pub(crate) fn with_attributes<R>(
    attributes: *const OBJECT_ATTRIBUTES,
    work: impl FnOnce(&Attributes<'_>) -> R,
) -> Option<R> {
    let (given, string) = header(attributes)?;
    with_units(&string, |name| work(&Attributes { given, name }))
}
