//! What this process remembers of paths, so that a file that only the host has,
//! or that was found before, costs no questions to the layers.
//!
//! A fact of a path holds for one [`Stamp`] of it: the sum of the counts of names
//! made in each directory above it (`Tally::names`) and of all that was renamed.
//! Every member raises them when it has given the upper a name. A member that
//! writes nonsense there, or finds two paths of one hash, deceives its own VM
//! only: facts are used for reading and never let a change through.

use crate::state;
use core::sync::atomic::{AtomicU64, Ordering};
use pinion_names::file;
use pinion_names::units::{SEPARATOR, fold};

/// How many facts are kept; a later one takes an earlier one's place.
const FACTS: usize = 4096;

static TABLE: [AtomicU64; FACTS] = [const { AtomicU64::new(0) }; FACTS];

/// What can be known of a path.
#[derive(Clone, Copy)]
pub(crate) enum Fact {
    /// No layer above the host says anything at or below it.
    HostOnly = 1,
    /// On the host it is a directory that does not hold the store. Says nothing of
    /// its subdirectories, which may lead elsewhere.
    Outside = 2,
    /// Programs list names in it that the host has, so a handle that can only
    /// list had better be the host's. A matter of speed: either handle shows the
    /// same.
    ListedOnHost = 3,
    /// A layer above the host has it, and it is seen there. Nobody tells when it
    /// goes, so whoever goes by this asks again when there is nothing.
    InLayer = 4,
    /// The upper has no entry at or below it and hides neither it nor a path above
    /// it; directories are above it.
    NotInUpper = 5,
    /// How often, of late, what was asked for the first time in this directory was
    /// in the upper: from 1 to [`MOST_OFTEN`]. A matter of speed: a guess by it is
    /// proven by the kernel.
    OftenInUpper = 6,
}

/// The most that [`Fact::OftenInUpper`] counts; a guess is made above the half.
const MOST_OFTEN: usize = 4;

/// How many paths' last answers are kept; a later one takes an earlier one's
/// place.
const PATHS: usize = 1024;

static LAST: [AtomicU64; PATHS] = [const { AtomicU64::new(0) }; PATHS];

/// Where a path was seen the last time, by the facts below: the first thing asked
/// of a path, and the only one as long as nothing in the VM is given a name. It
/// holds for one count of all such ([`Tally::made`](pinion_wire::tally::Tally))
/// and of all that was renamed, and is known by the path as it is spelled.
pub(crate) struct Last {
    slot: &'static AtomicU64,
    sealed: u64,
}

impl Last {
    /// That of `path`. The counts are taken now, before any question.
    pub(crate) fn of(path: &[u16]) -> Self {
        let hash = hash(path);
        let count = state::tally().made.load(Ordering::Acquire);
        Self {
            slot: &LAST[hash as usize % PATHS],
            sealed: mix(hash ^ count.wrapping_add(renames())) & !VALUE,
        }
    }

    /// The layer.
    pub(crate) fn layer(&self) -> Option<usize> {
        let kept = self.slot.load(Ordering::Relaxed);
        let value = (kept & VALUE) as usize;
        (kept & !VALUE == self.sealed && value > 0).then(|| value - 1)
    }

    /// Keeps `layer`.
    pub(crate) fn keep(&self, layer: usize) {
        let value = (layer + 1) as u64;
        if value <= VALUE {
            self.slot.store(self.sealed | value, Ordering::Relaxed);
        }
    }
}

/// A hash of a path as it is spelled, four units at a time.
pub(super) fn hash(path: &[u16]) -> u64 {
    let (fours, rest) = path.as_chunks::<4>();
    let four = |units: &[u16; 4]| {
        let [a, b, c, d] = units.map(u64::from);
        a | b << 16 | c << 32 | d << 48
    };
    let mut last = [0; 4];
    for (place, &unit) in last.iter_mut().zip(rest) {
        *place = unit;
    }
    let start = BASIS ^ path.len() as u64;
    let whole = fours
        .iter()
        .chain([&last])
        .fold(start, |hash, units| mix(hash ^ four(units)));
    mix(whole)
}

/// A path's count of changes, to be asked before the layers are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp(u64);

/// What is known of where a path is seen.
pub(crate) struct Known {
    /// The layer that has it ([`Fact::InLayer`]).
    pub(crate) layer: Option<usize>,
    /// Whether [`Fact::HostOnly`] holds of it or of a path above it.
    pub(crate) host_only: bool,
    /// Whether [`Fact::NotInUpper`] holds of it or of a path above it, and how
    /// many names that one has.
    pub(crate) upper_lacks: Option<usize>,
    /// Whether the upper probably has it, going by its neighbours.
    pub(crate) upper_likely: bool,
    /// The path's stamp before any question.
    pub(crate) stamp: Stamp,
}

/// A walk along a path.
#[derive(Clone, Copy)]
struct Walk {
    /// The hash of the units so far.
    hash: u64,
    /// The same for all ways to spell the name, whatever the letters.
    place: u64,
    stamp: u64,
}

impl Walk {
    /// At the root.
    fn begin() -> Self {
        let stamp = state::tally().changes.load(Ordering::Acquire);
        Self {
            hash: BASIS,
            place: BASIS,
            stamp: stamp.wrapping_add(count_in(BASIS)),
        }
    }

    /// To the end of `path`; `at` is told of each path above it.
    fn along(mut self, path: &[u16], mut at: impl FnMut(&Self)) -> Self {
        for &unit in path {
            if unit == SEPARATOR {
                at(&self);
                self.stamp = self.stamp.wrapping_add(count_in(self.place));
            }
            self.hash = step(self.hash, fold(unit));
            self.place = step(self.place, letter(unit));
        }
        self
    }

    /// What is kept under `fact` for the path so far.
    fn recall(&self, fact: Fact) -> Option<usize> {
        let (slot, sealed) = self.place_of(fact);
        let kept = TABLE[slot].load(Ordering::Relaxed);
        (kept & !VALUE == sealed)
            .then_some((kept & VALUE) as usize)
            .filter(|&value| value > 0)
    }

    fn keep(&self, fact: Fact, value: usize) {
        let (slot, sealed) = self.place_of(fact);
        TABLE[slot].store(sealed | value as u64 & VALUE, Ordering::Relaxed);
    }

    /// The slot for `fact`, and what it holds but for the value.
    fn place_of(&self, fact: Fact) -> (usize, u64) {
        let hash = mix(self.hash ^ fact as u64);
        (hash as usize % FACTS, mix(hash ^ self.stamp) & !VALUE)
    }
}

/// The bits of a kept word that hold its value, which is not 0.
const VALUE: u64 = 0x3f;
/// FNV-1a's start.
pub(super) const BASIS: u64 = 0xcbf2_9ce4_8422_2325;

pub(super) fn step(hash: u64, unit: u16) -> u64 {
    (hash ^ u64::from(unit)).wrapping_mul(0x0100_0000_01b3)
}

/// A finalizer of MurmurHash3's kind.
pub(super) fn mix(hash: u64) -> u64 {
    let hash = (hash ^ hash >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ hash >> 33
}

/// A unit as counts of names know it: letters beyond ASCII, of which only the
/// kernel knows what is the same in another case, are all one.
fn letter(unit: u16) -> u16 {
    if unit < 0x80 { fold(unit) } else { 0x80 }
}

/// How often a name was made in the directory whose place is `place`.
fn count_in(place: u64) -> u64 {
    u64::from(state::tally().names.of(mix(place)).load(Ordering::Acquire))
}

/// How often something was renamed.
pub(crate) fn renames() -> u64 {
    state::tally().changes.load(Ordering::Acquire)
}

/// Tells all members that something was renamed, a directory perhaps, with all
/// that is in it.
pub(crate) fn renamed() {
    state::tally().changes.fetch_add(1, Ordering::Release);
}

/// Tells all members that the upper has the new name `path`.
pub(crate) fn made(path: &[u16]) {
    let (directory, _) = file::split_last(path);
    let place = directory
        .iter()
        .fold(BASIS, |place, &unit| step(place, letter(unit)));
    let count = state::tally().names.of(mix(place));
    count.fetch_add(1, Ordering::Release);
    state::tally().made.fetch_add(1, Ordering::Release);
}

/// Sees to it that nothing known denies `path`, which the upper has: whoever made
/// it may not have told yet.
pub(crate) fn seen(path: &[u16]) {
    let below = |layer: Option<usize>| layer.is_some_and(|layer| layer > 0);
    let known = known(path);
    let denied = known.host_only || known.upper_lacks.is_some() || below(known.layer);
    if denied || below(Last::of(path).layer()) {
        made(path);
    }
}

/// What is known of where `path` is seen.
pub(crate) fn known(path: &[u16]) -> Known {
    let (mut host_only, mut upper_lacks, mut depth) = (false, None, 0);
    let mut directory = Walk::begin();
    let mut look = |above: &Walk| {
        depth += 1;
        host_only |= above.recall(Fact::HostOnly).is_some();
        if upper_lacks.is_none() && above.recall(Fact::NotInUpper).is_some() {
            upper_lacks = Some(depth);
        }
    };
    let end = directory.along(path, |above| {
        look(above);
        directory = *above;
    });
    look(&end);
    let often = directory.recall(Fact::OftenInUpper);
    Known {
        layer: end.recall(Fact::InLayer).map(|value| value - 1),
        host_only,
        upper_lacks,
        upper_likely: often.is_some_and(|often| often * 2 > MOST_OFTEN),
        stamp: Stamp(end.stamp),
    }
}

/// The stamp of `path`.
pub(crate) fn stamp(path: &[u16]) -> Stamp {
    Stamp(whole(path).stamp)
}

fn whole(path: &[u16]) -> Walk {
    Walk::begin().along(path, |_| ())
}

/// Whether `fact` is known of `path` itself.
pub(crate) fn knows(fact: Fact, path: &[u16]) -> bool {
    whole(path).recall(fact).is_some()
}

/// Keeps `fact` of `path`, which was found after its stamp was `then`.
pub(crate) fn keep(fact: Fact, path: &[u16], then: Stamp) {
    keep_above(fact, path, path, then);
}

/// Keeps `fact` of `above`, a beginning of `path`, which was found after the
/// stamp of `path` was `then`.
pub(crate) fn keep_above(fact: Fact, above: &[u16], path: &[u16], then: Stamp) {
    let end = whole(above);
    // No count of a path above is another now than it was.
    if stamp(path) == then {
        end.keep(fact, 1);
    }
}

/// Keeps that `path` is seen in `layer`, above the host.
pub(crate) fn keep_in(path: &[u16], layer: usize, then: Stamp) {
    let end = whole(path);
    if Stamp(end.stamp) == then {
        end.keep(Fact::InLayer, layer + 1);
    }
}

/// Counts whether `path`, asked for the first time, was in the upper.
pub(crate) fn count_in_upper(path: &[u16], was: bool) {
    let directory = whole(file::split_last(path).0);
    let often = directory.recall(Fact::OftenInUpper).unwrap_or(1);
    let often = if was { often + 1 } else { often - 1 };
    directory.keep(Fact::OftenInUpper, often.clamp(1, MOST_OFTEN));
}

/// Takes back what was kept.
pub(crate) fn drop(fact: Fact, path: &[u16]) -> bool {
    let end = whole(path);
    let known = end.recall(fact).is_some();
    if known {
        let (slot, _) = end.place_of(fact);
        TABLE[slot].store(0, Ordering::Relaxed);
    }
    known
}

/// Takes back that a layer above the host has `path`; whether it was known.
pub(crate) fn gone(path: &[u16]) -> bool {
    let last = Last::of(path);
    let layer = last.layer();
    let above = layer.is_some_and(|layer| layer < state::page().layers().len());
    if above {
        last.slot.store(0, Ordering::Relaxed);
    }
    drop(Fact::InLayer, path) || above
}
