//! One decision at the boundary, and how it lies in the words of a slot. Words that a member wrote may be
//! anything: each is read once, and lengths are checked.

use super::{HEAD_WORDS, NO_RULE, SLOT_WORDS, UNITS, Verdict};
use core::sync::atomic::{AtomicU64, Ordering};

/// The other end of a call, where it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Peer {
    /// None, or not known.
    #[default]
    None,
    /// A process, by its id.
    Process(u32),
    /// A thread, by its id.
    Thread(u32),
    /// An address and port that a socket is bound to or reaches.
    Address([u8; 16], u16),
}

impl Peer {
    fn words(self) -> (u8, u16, u64, u64) {
        match self {
            Self::None => (0, 0, 0, 0),
            Self::Process(id) => (1, 0, u64::from(id), 0),
            Self::Thread(id) => (2, 0, u64::from(id), 0),
            Self::Address(ip, port) => {
                let all = u128::from_le_bytes(ip);
                (3, port, all as u64, (all >> 64) as u64)
            }
        }
    }

    fn of((kind, port, low, high): (u8, u16, u64, u64)) -> Self {
        match kind {
            1 => Self::Process(low as u32),
            2 => Self::Thread(low as u32),
            3 => Self::Address(
                (u128::from(low) | u128::from(high) << 64).to_le_bytes(),
                port,
            ),
            _ => Self::None,
        }
    }
}

/// A name in a record: what there is room for of it, and how long it was.
#[derive(Clone, Copy)]
pub struct Name {
    units: [u16; UNITS],
    kept: u16,
    length: u32,
}

impl Name {
    /// No name.
    pub const EMPTY: Self = Self {
        units: [0; UNITS],
        kept: 0,
        length: 0,
    };

    /// Forgets the name, without clearing its room.
    pub fn clear(&mut self) {
        self.kept = 0;
        self.length = 0;
    }

    /// Takes a name of `length` units, whose first ones `fill` writes into the room that
    /// it is given; where it fails the name is left empty.
    pub fn fill(&mut self, length: usize, fill: impl FnOnce(&mut [u16]) -> bool) {
        let kept = length.min(UNITS);
        let done = self.units.get_mut(..kept).is_some_and(fill);
        self.kept = if done { kept as u16 } else { 0 };
        self.length = if done { length as u32 } else { 0 };
    }

    /// The name's first units.
    #[must_use]
    pub fn units(&self) -> &[u16] {
        self.units.get(..self.kept as usize).unwrap_or(&[])
    }

    /// The units that the whole name had.
    #[must_use]
    pub fn length(&self) -> u32 {
        self.length
    }
}

/// One decision at the boundary.
#[derive(Clone, Copy)]
pub struct Record {
    /// The processor's time stamp at the call's begin.
    pub begin: u64,
    /// Time stamps that it took.
    pub duration: u64,
    /// The thread's id.
    pub thread: u32,
    /// Which call: [`call`] of its name.
    pub call: u32,
    /// The NTSTATUS that the program got.
    pub status: i32,
    /// The access that was asked for, where the call has any.
    pub access: u32,
    /// The rule of the policy that decided, or [`NO_RULE`].
    pub rule: u32,
    /// What was decided.
    pub verdict: Verdict,
    /// The other end.
    pub peer: Peer,
    /// The name that the program gave.
    pub asked: Name,
    /// The name that the kernel was given.
    pub given: Name,
}

impl Record {
    /// A record of nothing.
    pub const EMPTY: Self = Self {
        begin: 0,
        duration: 0,
        thread: 0,
        call: 0,
        status: 0,
        access: 0,
        rule: NO_RULE,
        verdict: Verdict::Unknown,
        peer: Peer::None,
        asked: Name::EMPTY,
        given: Name::EMPTY,
    };

    /// How many units of each name are kept: half of the room at least, if it is needed.
    fn shares(&self) -> (usize, usize) {
        let (asked, given) = (self.asked.units().len(), self.given.units().len());
        let asked = asked.min((UNITS / 2).max(UNITS.saturating_sub(given)));
        (asked, given.min(UNITS - asked))
    }

    pub(super) fn write(&self, words: &[AtomicU64]) {
        let (asked, given) = self.shares();
        let (kind, port, low, high) = self.peer.words();
        let pair = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
        let kinds = u32::from(self.verdict as u8) | u32::from(kind) << 8 | u32::from(port) << 16;
        let head = [
            self.begin,
            self.duration,
            pair(self.thread, self.call),
            pair(self.status.cast_unsigned(), self.access),
            pair(self.rule, kinds),
            low,
            high,
            pair(self.asked.length, self.given.length),
            pair(asked as u32, given as u32),
        ];
        let mut places = words.iter();
        for (word, place) in head.into_iter().zip(&mut places) {
            place.store(word, Ordering::Relaxed);
        }
        let asked = self.asked.units().get(..asked).unwrap_or(&[]);
        let given = self.given.units().get(..given).unwrap_or(&[]);
        for name in [asked, given] {
            for (units, place) in name.chunks(4).zip(&mut places) {
                let mut four = [0; 4];
                for (to, from) in four.iter_mut().zip(units) {
                    *to = u64::from(*from);
                }
                let word = four[0] | four[1] << 16 | four[2] << 32 | four[3] << 48;
                place.store(word, Ordering::Relaxed);
            }
        }
    }

    /// Takes over the record in these words, whatever they are; `None` where its lengths do not
    /// fit, and then this one makes no sense.
    pub(super) fn read(&mut self, words: &[AtomicU64]) -> Option<()> {
        let mut places = words.iter().map(|word| word.load(Ordering::Relaxed));
        let mut next = || places.next().unwrap_or(0);
        let halves = |word: u64| (word as u32, (word >> 32) as u32);
        let (begin, duration) = (next(), next());
        let (thread, call) = halves(next());
        let (status, access) = halves(next());
        let (rule, kinds) = halves(next());
        let (low, high) = (next(), next());
        let lengths = halves(next());
        let kept = halves(next());
        (self.begin, self.duration) = (begin, duration);
        (self.thread, self.call) = (thread, call);
        (self.status, self.access, self.rule) = (status.cast_signed(), access, rule);
        self.verdict = Verdict::of(kinds as u8);
        self.peer = Peer::of(((kinds >> 8) as u8, (kinds >> 16) as u16, low, high));
        let (asked, given) = (kept.0 as usize, kept.1 as usize);
        let room = asked.div_ceil(4) + given.div_ceil(4);
        let fits = room <= SLOT_WORDS - 1 - HEAD_WORDS && asked <= UNITS && given <= UNITS;
        if !fits || lengths.0 < kept.0 || lengths.1 < kept.1 {
            return None;
        }
        let names = [
            (&mut self.asked, asked, lengths.0),
            (&mut self.given, given, lengths.1),
        ];
        for (name, kept, length) in names {
            for units in name.units.get_mut(..kept)?.chunks_mut(4) {
                let word = next();
                for (at, unit) in units.iter_mut().enumerate() {
                    *unit = (word >> (16 * at)) as u16;
                }
            }
            name.kept = kept as u16;
            name.length = length;
        }
        Some(())
    }
}
