//! What Wine last told of the volume of a file. It asks its mount manager each
//! time, a driver in another process, and every `stat` asks.
//!
//! An answer is kept for a second: of a file of a layer for its drive, of one of
//! the host for its path, since on Wine any directory can lead to another volume.
//! Who renames a volume outside is heard that much later.

use super::cache;
use super::view::View;
use crate::guard;
use crate::held::Held;
use crate::time;
use core::ffi::c_void;
use pinion_nt::NTSTATUS;

/// How long, in the 100 ns of the interrupt time.
const SECOND: u64 = 10_000_000;
/// How many answers are kept.
const SLOTS: usize = 64;
/// Room for `FILE_FS_VOLUME_INFORMATION` (wdm.h): 18 bytes, and a label of 32
/// units, the longest of NTFS.
const LONGEST: usize = 18 + 64;

#[derive(Clone, Copy)]
struct Told {
    of: u64,
    when: u64,
    length: usize,
    bytes: [u8; LONGEST],
}

static TABLE: [Held<Told>; SLOTS] = [const {
    Held::new(Told {
        of: 0,
        when: 0,
        length: 0,
        bytes: [0; LONGEST],
    })
}; SLOTS];

/// What an answer is kept for.
#[derive(Clone, Copy)]
pub(crate) struct Key(u64);

impl Key {
    /// That of the file `path` of `layer`; `None` where nothing is kept.
    pub(crate) fn of(layer: usize, path: &[u16]) -> Option<Self> {
        let host = View::host();
        let of = match layer {
            layer if layer < host => path.get(..1)?,
            layer if layer == host => path,
            _ => return None,
        };
        Some(Self(cache::hash(of)))
    }

    fn slot(self) -> &'static Held<Told> {
        &TABLE[self.0 as usize % SLOTS]
    }
}

/// Writes what is kept for `key` to the caller's `buffer` and gives its length in
/// bytes; `None` when nothing is, or when it does not fit.
pub(crate) fn answer(
    key: Key,
    buffer: *mut c_void,
    length: u32,
) -> Option<Result<usize, NTSTATUS>> {
    let told = key.slot().with(|told| *told)?;
    let fresh = told.of == key.0 && time::interrupt().wrapping_sub(told.when) < SECOND;
    let bytes = told.bytes.get(..told.length).filter(|_| fresh)?;
    if bytes.is_empty() || bytes.len() > length as usize {
        return None;
    }
    // SAFETY: the program's buffer, under guard; the source has so many bytes.
    let written = unsafe { guard::copy(buffer, bytes.as_ptr().cast(), bytes.len()) };
    Some(written.map(|()| bytes.len()))
}

/// Keeps for `key` the `length` bytes that the kernel has just written to
/// `buffer`.
pub(crate) fn keep(key: Key, buffer: *const c_void, length: usize) {
    if length > LONGEST {
        return;
    }
    key.slot().with(|told| {
        let place = told.bytes.as_mut_ptr().cast();
        // SAFETY: the place has room for the length; the source may be bad.
        let copied = unsafe { guard::copy(place, buffer, length) };
        told.of = key.0;
        told.when = time::interrupt();
        told.length = copied.map_or(0, |()| length);
    });
}
