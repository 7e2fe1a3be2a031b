//! `NtQueryKey` and `NtEnumerateKey`: the kernel fills the program's buffer,
//! from the key that stands for the handle; then the figures that layers
//! change are put right.

use super::access;
use super::handles::{self, Kind, Standing};
use super::listed::{self, Want};
use super::listing::{Entry, Listing};
use super::names::{self, Origin};
use super::raw;
use super::tree::Stack;
use crate::guard;
use crate::hooks::{self, kept};
use core::ffi::c_void;
use pinion_nt::status::{
    STATUS_BUFFER_OVERFLOW, STATUS_BUFFER_TOO_SMALL, STATUS_NAME_TOO_LONG, success,
};
use pinion_nt::{HANDLE, NTSTATUS};

/// `KeyBasicInformation` and `KeyNodeInformation` with the lengths of what is
/// before the name (wdm.h).
const BASIC: u32 = 0;
const BASIC_HEAD: usize = 16;
const NODE: u32 = 1;
const NODE_HEAD: usize = 24;
/// `KeyFullInformation`: subkey count, longest name, longest class at these
/// offsets (wdm.h).
const FULL: u32 = 2;
const FULL_FIGURES: &[usize] = &[20, 24, 28];
/// `KeyNameInformation`.
const NAME: u32 = 3;
/// `KeyCachedInformation` (wdm.h).
const CACHED: u32 = 4;
const CACHED_FIGURES: &[usize] = &[12, 16];

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

    /// The same class without room.
    fn nothing(&self, returned: &mut u32) -> Self {
        Self {
            length: 0,
            returned,
            ..*self
        }
    }

    /// The offsets of the figures that layers change.
    fn figures(&self) -> Option<&'static [usize]> {
        match self.class {
            FULL => Some(FULL_FIGURES),
            CACHED => Some(CACHED_FIGURES),
            _ => None,
        }
    }

    /// Puts the figures of the VM's key `name` into what the kernel wrote.
    fn correct(&self, status: NTSTATUS, name: &[u16]) -> NTSTATUS {
        let Some(places) = self.figures() else {
            return status;
        };
        // Wine fills what there is room for (observed on Wine 8 and 10).
        let filled = success(status)
            || status == STATUS_BUFFER_OVERFLOW
            || status == STATUS_BUFFER_TOO_SMALL && hooks::is_wine();
        let fits = |at: usize| at + 4 <= self.length as usize;
        if !filled || !places.iter().any(|&at| fits(at)) {
            return status;
        }
        let figures = match listed::figures(name) {
            Ok(None) => return status,
            Err(status) => return status,
            Ok(Some(figures)) => figures,
        };
        let [longest, longest_class] = figures.longest;
        let values = [figures.count, longest, longest_class];
        for (at, value) in places.iter().zip(values).filter(|(at, _)| fits(**at)) {
            let place = self.buffer.cast::<u8>().wrapping_add(*at).cast::<u32>();
            // SAFETY: the program's buffer, under guard.
            if let Err(code) = unsafe { guard::write(place, value) } {
                return code;
            }
        }
        status
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
        Standing::Gone => handles::gone(output.nothing(&mut 0).query(key)),
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
        Standing::Gone => handles::gone(output.nothing(&mut 0).enumerate(key, index)),
        Standing::Same(None | Some(Kind::Plain)) => output.enumerate(key, index),
        Standing::Same(_) => enumerate(&output, key, index),
        Standing::Moved(now) => enumerate(&output, now.handle(), index),
    }
}

/// What the listing says of an index.
enum Word {
    Native,
    End,
    /// The answer has been written.
    Told(NTSTATUS),
    /// The subkey, in this layer, shall be asked itself.
    Ask(usize),
}

/// The name of a subkey, which Wine tells where NT does not (observed on Wine 8
/// and 10): as the program knows it.
fn enumerate_name(output: &Output, key: HANDLE, index: u32) -> NTSTATUS {
    const ROOM: usize = BASIC_HEAD + 512;
    let (mut basic, mut returned) = ([0_u64; ROOM / 8], 0);
    let asked = Output {
        class: BASIC,
        buffer: basic.as_mut_ptr().cast(),
        length: ROOM as u32,
        returned: &raw mut returned,
    };
    let status = enumerate(&asked, key, index);
    if !success(status) {
        return status;
    }
    let units = (basic[1] >> 32) as usize / 2;
    let mut child = [0; 256];
    for (place, at) in child.iter_mut().zip(0..units) {
        let word = basic.get(2 + at / 4).copied().unwrap_or(0);
        *place = (word >> (16 * (at % 4))) as u16;
    }
    let child = child.get(..units).unwrap_or(&[]);
    names::with_vm_name(key, |name, _| {
        raw::with_child(name, child, |path| answer(path, output)).unwrap_or(STATUS_NAME_TOO_LONG)
    })
    .unwrap_or_else(|status| status)
}

fn enumerate(output: &Output, key: HANDLE, index: u32) -> NTSTATUS {
    if output.class == NAME && hooks::is_wine() {
        return enumerate_name(output, key, index);
    }
    names::with_vm_name(key, |name, _| {
        let mut child = Name {
            units: [0; 260],
            length: 0,
        };
        let word = listed::with(name, Want::At(index), |listing, passing| {
            if listing.is_native() || !may_list(listing, key) {
                return Word::Native;
            }
            let Some(entry) = listing.entry(index) else {
                return Word::End;
            };
            let (own, class) = listing.names(entry);
            if passing && let Some(status) = tell(output, entry, own, class) {
                return Word::Told(status);
            }
            child.keep(own);
            Word::Ask(entry.layer())
        });
        match word {
            Err(status) => status,
            Ok(Word::Native) => output.enumerate(key, index),
            Ok(Word::End) => end(output, key, index),
            Ok(Word::Told(status)) => status,
            Ok(Word::Ask(layer)) => raw::with_child(name, child.units(), |path| {
                let stack = Stack::new(path);
                match stack.open(layer, stack.whole(), access::QUERY) {
                    Ok(child) => output.correct(output.query(child.handle()), path),
                    Err(status) => status,
                }
            })
            .unwrap_or(STATUS_NAME_TOO_LONG),
        }
    })
    .unwrap_or_else(|_| output.enumerate(key, index))
}

/// Whether the handle grants what an enumeration needs; asked once for each
/// handle and listing.
fn may_list(listing: &mut Listing, key: HANDLE) -> bool {
    let known = &mut listing.head().lister;
    if *known != key as usize && raw::granted(key).is_ok_and(|it| it & access::ENUMERATE != 0) {
        *known = key as usize;
    }
    *known == key as usize
}

/// The answer to an index after the last, or to a class that there is not, or
/// on a handle that does not grant it: the kernel's own.
fn end(output: &Output, key: HANDLE, index: u32) -> NTSTATUS {
    // Wine knows the very last index at once (observed on Wine 8 and 10).
    output.enumerate(key, index.max(u32::MAX - 1))
}

/// A subkey's name.
struct Name {
    units: [u16; 260],
    length: usize,
}

impl Name {
    fn keep(&mut self, name: &[u16]) {
        if let Some(place) = self.units.get_mut(..name.len()) {
            place.copy_from_slice(name);
            self.length = name.len();
        }
    }

    fn units(&self) -> &[u16] {
        self.units.get(..self.length).unwrap_or(&[])
    }
}

/// Writes what the listing knows of a subkey, if that is what the class tells
/// and all of it fits.
fn tell(output: &Output, entry: Entry, name: &[u16], class: &[u16]) -> Option<NTSTATUS> {
    let (head, with_class) = match output.class {
        BASIC => (BASIC_HEAD, false),
        NODE if entry.is_whole() && hooks::is_wine() => (NODE_HEAD, true),
        _ => return None,
    };
    let class = if with_class { class } else { &[] };
    let (name_bytes, class_bytes) = (name.len() * 2, class.len() * 2);
    let needed = head + name_bytes + class_bytes;
    if needed > output.length as usize {
        return None;
    }
    let low = entry.time as u32;
    let high = (entry.time >> 32) as u32;
    let class_at = match class_bytes {
        0 => u32::MAX,
        _ => (head + name_bytes) as u32,
    };
    let node = [
        low,
        high,
        0,
        class_at,
        class_bytes as u32,
        name_bytes as u32,
    ];
    let basic = [low, high, 0, name_bytes as u32];
    let fixed: &[u32] = if with_class { &node } else { &basic };
    let place = |at| output.buffer.cast::<u8>().wrapping_add(at).cast::<c_void>();
    // SAFETY: the program's buffer, under guard; each source is as long as told.
    let written = unsafe {
        guard::copy(place(0), fixed.as_ptr().cast(), head)
            .and_then(|()| guard::copy(place(head), name.as_ptr().cast(), name_bytes))
            .and_then(|()| {
                let from = class.as_ptr().cast();
                guard::copy(place(head + name_bytes), from, class_bytes)
            })
            .and_then(|()| guard::write(output.returned, needed as u32))
    };
    Some(written.map_or_else(|code| code, |()| 0))
}
