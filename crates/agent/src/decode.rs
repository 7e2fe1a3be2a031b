//! Reading a caller's `OBJECT_ATTRIBUTES` once.

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
    // SAFETY: as above.
    let name = unsafe { guard::read(given.ObjectName) }.ok()?;
    let sound = name.Length.is_multiple_of(2)
        && !name.Buffer.is_null()
        && (name.Buffer as usize).is_multiple_of(2);
    sound.then_some((given, name))
}

/// Decodes `attributes` and runs `work` with them; `None` (without running it)
/// where the kernel shall decide on the caller's own arguments.
pub(crate) fn with_attributes<R>(
    attributes: *const OBJECT_ATTRIBUTES,
    work: impl FnOnce(&Attributes<'_>) -> R,
) -> Option<R> {
    let (given, string) = header(attributes)?;
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
        Some(work(&Attributes { given, name }))
    })?
}
