//! What opens learned lately, to spare the kernel a question: the names of
//! handles, and keys that a layer does not have. All of it holds only while the
//! VM's count of changes stands, but for what a snapshot has or lacks: that it has
//! or lacks for ever.

use super::names::Origin;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
use pinion_names::units::fold;
use pinion_nt::HANDLE;

/// The longest name that is kept, in words of four units.
const WORDS: usize = 32;
const NAMES: usize = 64;
const FACTS: usize = 4096;

/// One handle's name. `turn` is odd while a thread writes; a reader that finds
/// it changed has read nothing.
struct Slot {
    turn: AtomicU32,
    /// Length in units, and the origin in the upper half.
    shape: AtomicU32,
    handle: AtomicU64,
    generation: AtomicU64,
    words: [AtomicU64; WORDS],
}

static SLOTS: [Slot; NAMES] = [const {
    Slot {
        turn: AtomicU32::new(0),
        shape: AtomicU32::new(0),
        handle: AtomicU64::new(0),
        generation: AtomicU64::new(0),
        words: [const { AtomicU64::new(0) }; WORDS],
    }
}; NAMES];

static KNOWN: [AtomicU64; FACTS] = [const { AtomicU64::new(0) }; FACTS];

fn slot(handle: HANDLE) -> &'static Slot {
    &SLOTS[(handle as usize >> 2) % NAMES]
}

/// Runs `work` with the VM's name of `handle`, if it is kept; gives `work`
/// back if not.
pub(super) fn with_name<R, W: FnOnce(&[u16], Origin) -> R>(
    handle: HANDLE,
    generation: u64,
    work: W,
) -> Result<R, W> {
    let slot = slot(handle);
    let turn = slot.turn.load(Ordering::Acquire);
    let matches = turn.is_multiple_of(2)
        && slot.handle.load(Ordering::Relaxed) == handle as u64
        && slot.generation.load(Ordering::Relaxed) == generation;
    if !matches || handle.is_null() {
        return Err(work);
    }
    let shape = slot.shape.load(Ordering::Relaxed);
    let mut units = [0_u16; WORDS * 4];
    let length = (shape & 0xFFFF) as usize;
    let used = length.div_ceil(4);
    for (place, word) in units.chunks_exact_mut(4).zip(slot.words.iter().take(used)) {
        let word = word.load(Ordering::Relaxed);
        for (at, unit) in place.iter_mut().enumerate() {
            *unit = (word >> (16 * at)) as u16;
        }
    }
    fence(Ordering::Acquire);
    if slot.turn.load(Ordering::Relaxed) != turn {
        return Err(work);
    }
    let origin = match shape >> 16 {
        0 => Origin::Host,
        1 => Origin::Outside,
        layer => Origin::Layer(layer as usize - 2),
    };
    Ok(work(units.get(..length).unwrap_or(&[]), origin))
}

/// Keeps the VM's name of `handle`, unless it is long or another thread is
/// writing.
pub(super) fn keep_name(handle: HANDLE, generation: u64, name: &[u16], origin: Origin) {
    if name.len() > WORDS * 4 {
        return;
    }
    let slot = slot(handle);
    let Some(turn) = begin(slot) else {
        return;
    };
    let origin = match origin {
        Origin::Host => 0,
        Origin::Outside => 1,
        Origin::Layer(layer) => layer as u32 + 2,
    };
    slot.handle.store(handle as u64, Ordering::Relaxed);
    slot.generation.store(generation, Ordering::Relaxed);
    slot.shape
        .store(name.len() as u32 | origin << 16, Ordering::Relaxed);
    for (word, units) in slot.words.iter().zip(name.chunks(4)) {
        let packed = units
            .iter()
            .rev()
            .fold(0, |packed, &unit| packed << 16 | u64::from(unit));
        word.store(packed, Ordering::Relaxed);
    }
    slot.turn.store(turn.wrapping_add(2), Ordering::Release);
}

/// Takes the slot for writing; gives its even turn.
fn begin(slot: &Slot) -> Option<u32> {
    let turn = slot.turn.load(Ordering::Relaxed);
    let taken = turn.is_multiple_of(2)
        && slot
            .turn
            .compare_exchange(
                turn,
                turn.wrapping_add(1),
                Ordering::Acquire,
                Ordering::Relaxed,
            )
            .is_ok();
    fence(Ordering::Release);
    taken.then_some(turn)
}

/// Forgets the name of `handle`.
pub(super) fn forget_name(handle: HANDLE) {
    let slot = slot(handle);
    if slot.handle.load(Ordering::Relaxed) != handle as u64 {
        return;
    }
    match begin(slot) {
        Some(turn) => {
            slot.handle.store(0, Ordering::Relaxed);
            slot.turn.store(turn.wrapping_add(2), Ordering::Release);
        }
        // Whoever writes there puts another handle's name in, or this one's
        // from before its end: that must not stay.
        None => slot.handle.store(0, Ordering::Relaxed),
    }
}

/// What is known of one key, by a hash of its name: made once for all layers, as
/// the name is longer than all else that is looked at.
#[derive(Clone, Copy)]
pub(super) struct Facts(u64);

impl Facts {
    pub(super) fn of(name: &[u16]) -> Self {
        Self(name.iter().fold(0xCBF2_9CE4_8422_2325, |hash, &unit| {
            (hash ^ u64::from(fold(unit))).wrapping_mul(0x0100_0000_01B3)
        }))
    }

    /// A fingerprint of the name at a count of changes. Two agree by accident
    /// once in 2^64 pairs.
    fn at(self, generation: u64) -> u64 {
        let mut hash = self.0 ^ generation.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for shift in [30, 27] {
            hash = (hash ^ hash >> shift).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        }
        (hash ^ hash >> 31).max(1)
    }

    fn is_kept(self, generation: u64) -> bool {
        let hash = self.at(generation);
        KNOWN[hash as usize % FACTS].load(Ordering::Relaxed) == hash
    }

    fn keep(self, generation: u64) {
        let hash = self.at(generation);
        KNOWN[hash as usize % FACTS].store(hash, Ordering::Relaxed);
    }

    /// Whether the upper is known not to have the key.
    pub(super) fn is_absent(self, generation: u64) -> bool {
        self.is_kept(generation)
    }

    /// Keeps that the upper does not have the key.
    pub(super) fn keep_absent(self, generation: u64) {
        self.keep(generation);
    }

    /// Whether the snapshot `layer` is known to have the key.
    pub(super) fn has(self, layer: usize) -> bool {
        self.is_kept(in_snapshot(layer))
    }

    /// Keeps that the snapshot `layer` has the key.
    pub(super) fn keep_had(self, layer: usize) {
        self.keep(in_snapshot(layer));
    }

    /// Whether the snapshot `layer` is known not to have the key.
    pub(super) fn lacks(self, layer: usize) -> bool {
        self.is_kept(of_snapshot(layer))
    }

    /// Keeps that the snapshot `layer` does not have the key.
    pub(super) fn keep_lack(self, layer: usize) {
        self.keep(of_snapshot(layer));
    }
}

/// Stands for a count of changes in what is kept of a snapshot.
fn of_snapshot(layer: usize) -> u64 {
    u64::MAX - layer as u64
}

/// The same for keys that a snapshot has.
fn in_snapshot(layer: usize) -> u64 {
    u64::MAX / 2 - layer as u64
}
