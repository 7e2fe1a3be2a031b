//! `NtQueryKey` and `NtEnumerateKey`: the kernel fills the program's buffer,
//! from the key that stands for the handle; then the figures that layers
//! change are put right.

use super::access;
use super::handles::{self, Kind, Standing};
use super::listing::{self, Entry};
use super::names::{self, Origin};
use super::tree::Stack;
use crate::guard;
use crate::hooks::kept;
use crate::state;
use core::ffi::c_void;
use pinion_nt::status::{
    STATUS_BUFFER_OVERFLOW, STATUS_BUFFER_TOO_SMALL, STATUS_NO_MORE_ENTRIES, success,
};
use pinion_nt::{HANDLE, NTSTATUS};

/// `STATUS_KEY_DELETED` (ntstatus.h).
pub(super) const STATUS_KEY_DELETED: i32 = 0xC000_017C_u32 as i32;

/// `KeyFullInformation`: subkey count and longest name at these offsets (wdm.h).
const FULL: u32 = 2;
const FULL_FIGURES: (usize, usize) = (20, 24);
/// `KeyNameInformation`.
const NAME: u32 = 3;
/// `KeyCachedInformation` (wdm.h).
const CACHED: u32 = 4;
const CACHED_FIGURES: (usize, usize) = (12, 16);

/// Where a query writes to.
#[derive(Clone, Copy)]
struct Output {
    class: u32,
    buffer: *mut c_void,
    length: u32,
    returned: *mut u32,
}

impl Output {
    fn query(&self, key: HANDLE) -> NTSTATUS {
        // SAFETY: the program's own buffer, which the kernel checks.
        unsafe { kept::NtQueryKey(key, self.class, self.buffer, self.length, self.returned) }
    }

    fn enumerate(&self, key: HANDLE, index: u32) -> NTSTATUS {
        // SAFETY: as above.
        unsafe {
            kept::NtEnumerateKey(
                key,
                index,
                self.class,
                self.buffer,
                self.length,
                self.returned,
            )
        }
    }

    /// The offsets of the figures that layers change.
    fn figures(&self) -> Option<(usize, usize)> {
        match self.class {
            FULL => Some(FULL_FIGURES),
            CACHED => Some(CACHED_FIGURES),
            _ => None,
        }
    }

    /// Puts the figures of the VM's key `name` into what the kernel wrote.
    fn correct(&self, status: NTSTATUS, name: &[u16]) -> NTSTATUS {
        let Some((count_at, longest_at)) = self.figures() else {
            return status;
        };
        let filled = success(status) || status == STATUS_BUFFER_OVERFLOW;
        if !filled || (self.length as usize) < longest_at + 4 {
            return status;
        }
        match listing::figures(name) {
            Ok(None) => status,
            Err(status) => status,
            Ok(Some((count, longest))) => {
                let place = |at| self.buffer.cast::<u8>().wrapping_add(at).cast::<u32>();
                // SAFETY: the program's buffer, under guard.
                let written = unsafe {
                    guard::write(place(count_at), count)
                        .and_then(|()| guard::write(place(longest_at), longest))
                };
                written.map_or_else(|code| code, |()| status)
            }
        }
    }
}

/// As `NtQueryKey`.
pub(crate) unsafe fn query_key(
    key: HANDLE,
    class: u32,
    buffer: *mut c_void,
    length: u32,
    returned: *mut u32,
) -> NTSTATUS {
    let output = Output {
        class,
        buffer,
        length,
        returned,
    };
    let standing = match handles::stand(key) {
        Ok(standing) => standing,
        Err(status) => return status,
    };
    match standing {
        Standing::Gone => STATUS_KEY_DELETED,
        Standing::Same(None | Some(Kind::Plain)) => output.query(key),
        Standing::Same(_) => query(&output, key),
        Standing::Moved(now) => query(&output, now.handle()),
    }
}

fn query(output: &Output, key: HANDLE) -> NTSTATUS {
    if output.class == NAME {
        let answered = names::with_vm_name(key, |name, origin| match origin {
            Origin::Layer(_) => Some(answer(name, output)),
            _ => None,
        });
        if let Ok(Some(status)) = answered {
            return status;
        }
    }
    let status = output.query(key);
    if output.figures().is_none() {
        return status;
    }
    names::with_vm_name(key, |name, _| output.correct(status, name)).unwrap_or(status)
}

/// Writes `KEY_NAME_INFORMATION`: what fits, and how much there is.
fn answer(name: &[u16], output: &Output) -> NTSTATUS {
    const HEAD: usize = 4;
    let bytes = name.len() * 2;
    let needed = HEAD + bytes;
    let room = output.length as usize;
    let text = output.buffer.cast::<u8>().wrapping_add(HEAD);
    let fitting = bytes.min(room.saturating_sub(HEAD));
    // SAFETY: the program's pointers, under guard.
    let written = unsafe {
        let head = if room >= HEAD {
            guard::write(output.buffer.cast::<u32>(), bytes as u32)
        } else {
            Ok(())
        };
        head.and_then(|()| guard::copy(text.cast(), name.as_ptr().cast(), fitting))
            .and_then(|()| match output.returned.is_null() {
                true => Ok(()),
                false => guard::write(output.returned, needed as u32),
            })
    };
    match written {
        Err(code) => code,
        Ok(()) if room < HEAD => STATUS_BUFFER_TOO_SMALL,
        Ok(()) if room < needed => STATUS_BUFFER_OVERFLOW,
        Ok(()) => 0,
    }
}

/// As `NtEnumerateKey`.
pub(crate) unsafe fn enumerate_key(
    key: HANDLE,
    index: u32,
    class: u32,
    buffer: *mut c_void,
    length: u32,
    returned: *mut u32,
) -> NTSTATUS {
    let output = Output {
        class,
        buffer,
        length,
        returned,
    };
    let standing = match handles::stand(key) {
        Ok(standing) => standing,
        Err(status) => return status,
    };
    match standing {
        Standing::Gone => STATUS_KEY_DELETED,
        Standing::Same(None | Some(Kind::Plain)) => output.enumerate(key, index),
        Standing::Same(_) => enumerate(&output, key, index),
        Standing::Moved(now) => enumerate(&output, now.handle(), index),
    }
}

/// What the listing says of an index.
enum Word {
    Native,
    End,
    Child(Entry),
}

fn enumerate(output: &Output, key: HANDLE, index: u32) -> NTSTATUS {
    names::with_vm_name(key, |name, origin| {
        let own = match origin {
            Origin::Layer(layer) => layer,
            _ => state::page().layers().len(),
        };
        let word = listing::with(name, index == 0, |listing| {
            if listing.is_native() {
                return Word::Native;
            }
            listing.entry(index).map_or(Word::End, Word::Child)
        });
        match word {
            Err(status) => status,
            Ok(Word::Native) => output.enumerate(key, index),
            Ok(Word::End) => STATUS_NO_MORE_ENTRIES,
            Ok(Word::Child(entry)) => child(output, key, name, own, entry),
        }
    })
    .unwrap_or_else(|_| output.enumerate(key, index))
}

/// Has the kernel tell of one subkey, in the layer that it is seen in.
fn child(output: &Output, key: HANDLE, name: &[u16], own: usize, entry: Entry) -> NTSTATUS {
    let status = if entry.layer() == own {
        output.enumerate(key, entry.native())
    } else {
        let stack = Stack::new(name);
        match stack.open(entry.layer(), stack.whole(), access::ENUMERATE) {
            Ok(source) => output.enumerate(source.handle(), entry.native()),
            Err(status) => return status,
        }
    };
    if output.figures().is_none() {
        return status;
    }
    let mut units = [0; 260];
    let length = listing::with(name, false, |listing| {
        let child = listing.name(entry);
        let length = child.len().min(units.len());
        if let (Some(to), Some(from)) = (units.get_mut(..length), child.get(..length)) {
            to.copy_from_slice(from);
        }
        length
    });
    let child = length
        .ok()
        .and_then(|length| units.get(..length))
        .unwrap_or(&[]);
    listing::with_child(name, child, |path| output.correct(status, path)).unwrap_or(status)
}
