//! The bells of watched keys: which handle waits at which, and ringing them.
//!
//! A bell is the key `Watch\<hash of the VM's name>` of the upper, volatile.
//! Each watching handle has its bell open for itself, since the kernel keeps the
//! kind of a watch with the handle, and lets go when that handle closes.

use super::names;
use super::raw::{self, Key};
use crate::hooks::{self, kept};
use crate::{scratch, state};
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU64, Ordering};
use pinion_names::key;
use pinion_names::units::fold;
use pinion_nt::calls::NtClose;
use pinion_nt::status::STATUS_NAME_TOO_LONG;
use pinion_nt::{HANDLE, IO_STATUS_BLOCK, NTSTATUS, UNICODE_STRING};

/// What is told to watchers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// A value of the key was set or deleted.
    Values,
    /// A subkey was made, deleted or renamed.
    Names,
}

/// `REG_OPTION_VOLATILE` (winnt.h).
const VOLATILE: u32 = 1;
/// `KEY_SET_VALUE`, `KEY_CREATE_SUB_KEY`, `KEY_NOTIFY`, `DELETE` (winnt.h).
const SET: u32 = 2;
const CREATE: u32 = 4;
const NOTIFY: u32 = 0x10;
const DELETE: u32 = 0x1_0000;
/// The names of a bell's subkey for what happens further down, and of the key
/// that is made and deleted to ring for names.
const BELOW: u16 = b'b' as u16;
const CLAPPER: u16 = b'c' as u16;

/// Handles that watch: the handle, the hash of its key's name, and the bell's
/// and the host key's handles.
struct Place {
    handle: AtomicU64,
    hash: AtomicU64,
    open: AtomicU64,
}

const PLACES: usize = 512;
/// A handle is in one of this many places.
const WAYS: usize = 8;
static TABLE: [Place; PLACES] = [const {
    Place {
        handle: AtomicU64::new(0),
        hash: AtomicU64::new(0),
        open: AtomicU64::new(0),
    }
}; PLACES];
/// How many places are taken.
static TAKEN: AtomicU64 = AtomicU64::new(0);
/// A place whose handles are being opened or closed.
const BUSY: u64 = u64::MAX;

fn places(handle: HANDLE) -> &'static [Place] {
    let first = (handle as usize >> 2) % (PLACES / WAYS) * WAYS;
    TABLE.get(first..first + WAYS).unwrap_or(&[])
}

/// A watching handle's bell.
pub(super) struct Bell(&'static Place);

impl Bell {
    pub(super) fn handle(&self) -> HANDLE {
        (self.0.open.load(Ordering::Relaxed) & 0xFFFF_FFFF) as HANDLE
    }

    /// The host's key of the name, opened once for the watching handle.
    pub(super) fn host(&self, name: &[u16]) -> Option<HANDLE> {
        let open = self.0.open.load(Ordering::Relaxed);
        if open >> 32 != 0 {
            return Some((open >> 32) as HANDLE);
        }
        let host = raw::open(name, NOTIFY).ok()?.leak();
        self.0
            .open
            .store(open | (host as u64) << 32, Ordering::Relaxed);
        Some(host)
    }
}

/// The bell of the VM's key `name` for its handle `key`.
pub(super) fn of(key: HANDLE, name: &[u16]) -> Result<Bell, NTSTATUS> {
    let hash = hash_of(name);
    for place in places(key) {
        if place.handle.load(Ordering::Acquire) == key as u64 {
            if place.hash.load(Ordering::Relaxed) == hash {
                return Ok(Bell(place));
            }
            // The key was renamed since.
            forget(key);
        }
    }
    let bell = hang(hash)?;
    let order = Ordering::Relaxed;
    for place in places(key) {
        let free = place.handle.compare_exchange(0, BUSY, order, order);
        if free.is_ok() {
            place.hash.store(hash, order);
            place.open.store(bell.leak() as u64, order);
            TAKEN.fetch_add(1, order);
            place.handle.store(key as u64, Ordering::Release);
            return Ok(Bell(place));
        }
    }
    Err(pinion_nt::status::STATUS_INSUFFICIENT_RESOURCES)
}

/// Lets go of what a handle that ends has waited at, which the kernel takes for
/// a change, as it does the end of the handle itself.
pub(super) fn forget(key: HANDLE) {
    if TAKEN.load(Ordering::Relaxed) == 0 || key.is_null() {
        return;
    }
    for place in places(key) {
        let mine =
            place
                .handle
                .compare_exchange(key as u64, BUSY, Ordering::Acquire, Ordering::Relaxed);
        if mine.is_ok() {
            let open = place.open.swap(0, Ordering::Relaxed);
            TAKEN.fetch_sub(1, Ordering::Relaxed);
            place.handle.store(0, Ordering::Release);
            for handle in [open & 0xFFFF_FFFF, open >> 32] {
                if handle != 0 {
                    // SAFETY: the agent's own handles, out of the table now.
                    unsafe { NtClose(handle as HANDLE) };
                }
            }
        }
    }
}

/// Makes a bell if there is none, tells all members, and opens it.
fn hang(hash: u64) -> Result<Key, NTSTATUS> {
    let make = |parts: &[u16]| {
        with_path(hash, parts, |path| {
            raw::create_as(path, NOTIFY, &[], VOLATILE)
        })?
    };
    let bell = match make(&[]) {
        Err(status) if raw::is_missing(status) => {
            with_tree(|path| raw::create(path, CREATE, &[]))??;
            make(&[])
        }
        made => made,
    }?;
    make(&[key::SEPARATOR, BELOW])?;
    let (word, bit) = bit_of(hash);
    if let Some(word) = state::tally().keys_watched.get(word) {
        word.fetch_or(bit, Ordering::Release);
    }
    Ok(bell)
}

fn with_tree<R>(work: impl FnOnce(&[u16]) -> R) -> Result<R, NTSTATUS> {
    let layers = state::page().layers();
    let keys = layers
        .first()
        .map_or(&[][..], |layer| layer.keys.as_units());
    scratch::with(keys.len() + 32, |out| {
        let length = key::beside(keys, key::WATCH, &[], out).map_err(|_| STATUS_NAME_TOO_LONG)?;
        Ok(work(out.get(..length).unwrap_or(&[])))
    })
    .ok_or(STATUS_NAME_TOO_LONG)?
}

fn with_path<R>(hash: u64, rest: &[u16], work: impl FnOnce(&[u16]) -> R) -> Result<R, NTSTATUS> {
    let mut name = [key::SEPARATOR; 17];
    for (place, shift) in name.iter_mut().skip(1).zip((0..16).rev()) {
        let digit = (hash >> (4 * shift) & 0xF) as usize;
        *place = u16::from(*b"0123456789abcdef".get(digit).unwrap_or(&0));
    }
    with_tree(|tree| {
        scratch::with(tree.len() + name.len() + rest.len(), |out| {
            let parts = [tree, &name, rest];
            let length =
                pinion_names::units::join(&parts, out).map_err(|_| STATUS_NAME_TOO_LONG)?;
            Ok(work(out.get(..length).unwrap_or(&[])))
        })
        .ok_or(STATUS_NAME_TOO_LONG)?
    })?
}

/// A hash of a name, made unit by unit: of a path's first names it is known on
/// the way to that of the path.
#[derive(Clone, Copy)]
struct Hash(u64);

impl Hash {
    const START: Self = Self(0xCBF2_9CE4_8422_2325);

    fn add(self, unit: u16) -> Self {
        Self((self.0 ^ u64::from(fold(unit))).wrapping_mul(0x0100_0000_01B3))
    }

    fn end(self) -> u64 {
        let mixed = (self.0 ^ self.0 >> 32).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        mixed ^ mixed >> 29
    }
}

fn hash_of(name: &[u16]) -> u64 {
    name.iter()
        .fold(Hash::START, |hash, &unit| hash.add(unit))
        .end()
}

/// The place of a hash in the tally's `keys_watched`.
fn bit_of(hash: u64) -> (usize, u64) {
    ((hash >> 6 & 3) as usize, 1 << (hash & 63))
}

fn is_watched(hash: u64) -> bool {
    let (word, bit) = bit_of(hash);
    let word = state::tally().keys_watched.get(word);
    word.is_some_and(|word| word.load(Ordering::Acquire) & bit != 0)
}

/// Whether anything is watched in the VM.
pub(super) fn any() -> bool {
    let words = &state::tally().keys_watched;
    words.iter().any(|word| word.load(Ordering::Acquire) != 0)
}

/// Tells watchers of a change of the handle's key.
pub(super) fn changed(key: HANDLE, change: Change) {
    if any() {
        let _ = names::with_vm_name(key, |name, _| changed_at(name, change));
    }
}

/// Tells watchers of a change of the VM's key `name`, once it has been made.
pub(super) fn changed_at(name: &[u16], change: Change) {
    if !any() {
        return;
    }
    state::tally().keys_rung.fetch_add(1, Ordering::Release);
    let mut hash = Hash::START;
    for (at, &unit) in name.iter().enumerate() {
        hash = hash.add(unit);
        let next = name.get(at + 1);
        if next.is_none_or(|&next| next == key::SEPARATOR) && is_watched(hash.end()) {
            ring(hash.end(), next.is_some(), change);
        }
    }
}

/// Rings a bell, if there is one.
fn ring(hash: u64, below: bool, change: Change) {
    let rest: &[u16] = if below { &[key::SEPARATOR, BELOW] } else { &[] };
    let _ = match change {
        Change::Values => with_path(hash, rest, |path| {
            raw::open(path, SET).map(|bell| swing(&bell))
        }),
        Change::Names => {
            let clapper = [rest, &[key::SEPARATOR, CLAPPER][..]];
            let mut parts = [0; 4];
            let length = pinion_names::units::join(&clapper, &mut parts).unwrap_or(0);
            with_path(hash, parts.get(..length).unwrap_or(&[]), |path| {
                raw::create_as(path, DELETE, &[], VOLATILE).map(|key| {
                    // SAFETY: the handle is the agent's own.
                    unsafe { kept::NtDeleteKey(key.handle()) };
                })
            })
        }
    };
}

/// Gives the bell's value data that it did not have.
fn swing(bell: &Key) {
    const REG_BINARY: u32 = 3;
    let count = state::tally().keys_rung.fetch_add(1, Ordering::Release);
    let name = UNICODE_STRING {
        Length: 0,
        MaximumLength: 0,
        Buffer: core::ptr::null_mut(),
    };
    // SAFETY: name and data live over the call.
    unsafe {
        kept::NtSetValueKey(
            bell.handle(),
            &raw const name,
            0,
            REG_BINARY,
            (&raw const count).cast(),
            size_of_val(&count) as u32,
        )
    };
}

/// Memory for what the kernel says of a watch that nobody looks at.
pub(super) struct Ignored(UnsafeCell<[u64; 2]>);

// SAFETY: only the kernel writes there, and nothing reads it.
unsafe impl Sync for Ignored {}

impl Ignored {
    pub(super) const fn new() -> Self {
        Self(UnsafeCell::new([0; 2]))
    }

    pub(super) fn get(&self) -> *mut IO_STATUS_BLOCK {
        self.0.get().cast()
    }
}

/// Whether a rename is told of the key itself, as Wine does (observed on Wine 8
/// and 10), and not of the key above.
pub(super) fn rename_is_of_itself() -> bool {
    hooks::is_wine()
}
