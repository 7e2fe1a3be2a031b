//! What members record of their decisions at the boundary: the section of rings
//! that they share with the supervisor, and a record in it.
//!
//! Each process has one ring, to which its threads add without a lock; the supervisor
//! takes from it. A ring that is full drops what is new and counts it. Whatever is in
//! the section was written by members: the reader trusts no count, no length and no
//! mark, and copies a record before it looks at it.

use core::sync::atomic::{AtomicU64, Ordering};

/// How many processes can have a ring at one time.
pub const RINGS: usize = 128;
/// How many records a ring holds.
pub const SLOTS: usize = 1024;
/// Words of a slot: its mark, and a record.
const SLOT_WORDS: usize = 128;
/// Words of a record before its names.
const HEAD_WORDS: usize = 9;
/// Units that the two names of a record have together: each takes whole words.
pub const UNITS: usize = (SLOT_WORDS - 1 - HEAD_WORDS - 1) * 4;
/// Bytes from the section's beginning to its first ring.
pub const RINGS_AT: usize = 0x4000;
/// Bytes of a ring.
pub const RING_SIZE: usize = size_of::<Ring>();
/// Bytes of the whole section, of which only what is used is backed by memory.
pub const SECTION_SIZE: usize = RINGS_AT + RINGS * RING_SIZE;

const _: () = assert!(size_of::<Heads>() <= RINGS_AT && RINGS_AT.is_multiple_of(0x1000));
const _: () = assert!(RING_SIZE.is_multiple_of(0x1000));

/// No rule of the policy decided.
pub const NO_RULE: u32 = u32::MAX;

/// What the boundary made of a name or a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Verdict {
    /// Not decided, or not known.
    #[default]
    Unknown,
    /// The VM's own object, under a name of its own.
    Private,
    /// A file or key of the VM's layers.
    Layer,
    /// A file or key that was copied into the VM's layer first.
    CopiedUp,
    /// The host's own: on the pass list, or shows through the layers, or in a share.
    Host,
    /// The host's or another VM's, by a rule of the policy.
    Shared,
    /// Relative to a handle, and decided when that was opened.
    Relative,
    /// Answered in the VM, without the kernel.
    Answered,
    /// Refused.
    Refused,
    /// A process or thread of the VM.
    Member,
    /// A process or thread that does not exist for the VM.
    Absent,
}

impl Verdict {
    /// All of them, by their numbers.
    pub const ALL: [Self; 11] = [
        Self::Unknown,
        Self::Private,
        Self::Layer,
        Self::CopiedUp,
        Self::Host,
        Self::Shared,
        Self::Relative,
        Self::Answered,
        Self::Refused,
        Self::Member,
        Self::Absent,
    ];

    /// The verdict of this number; [`Verdict::Unknown`] where there is none.
    #[must_use]
    pub fn of(number: u8) -> Self {
        Self::ALL
            .get(number as usize)
            .copied()
            .unwrap_or(Self::Unknown)
    }

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Private => "private",
            Self::Layer => "layer",
            Self::CopiedUp => "copied-up",
            Self::Host => "host",
            Self::Shared => "shared",
            Self::Relative => "relative",
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Member => "member",
            Self::Absent => "absent",
        }
    }
}

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

    fn write(&self, words: &[AtomicU64]) {
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
    fn read(&mut self, words: &[AtomicU64]) -> Option<()> {
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

/// The number of a call: FNV-1a of its name as exported.
#[must_use]
pub const fn call(name: &str) -> u32 {
    let name = name.as_bytes();
    let mut hash = 0x811c_9dc5_u32;
    let mut at = 0;
    while at < name.len() {
        hash = (hash ^ name[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    hash
}

/// The counts of one ring.
#[repr(C, align(64))]
#[derive(Default)]
pub struct Head {
    /// The process that has the ring; 0 when nobody has.
    pub owner: AtomicU64,
    /// Slots given out since the ring was made.
    head: AtomicU64,
    /// Slots that the supervisor has taken.
    tail: AtomicU64,
    /// Records that found no room.
    pub lost: AtomicU64,
}

/// The begin of the section.
#[repr(C)]
pub struct Heads {
    /// One for each ring.
    pub heads: [Head; RINGS],
    /// Records of processes that found no ring.
    pub unplaced: AtomicU64,
}

#[repr(C)]
struct Slot {
    /// One more than the number that the slot was given out with, when its record is whole.
    mark: AtomicU64,
    words: [AtomicU64; SLOT_WORDS - 1],
}

/// The records of one process.
#[repr(C)]
pub struct Ring {
    slots: [Slot; SLOTS],
}

impl Head {
    /// Adds a record; `false`, and counted, where there is no room.
    pub fn put(&self, ring: &Ring, record: &Record) -> bool {
        let mut at = self.head.load(Ordering::Relaxed);
        loop {
            if at.wrapping_sub(self.tail.load(Ordering::Acquire)) >= SLOTS as u64 {
                self.lost.fetch_add(1, Ordering::Relaxed);
                return false;
            }
            let next = at.wrapping_add(1);
            let order = Ordering::Relaxed;
            match self.head.compare_exchange_weak(at, next, order, order) {
                Ok(_) => break,
                Err(now) => at = now,
            }
        }
        let Some(slot) = ring.slots.get(at as usize % SLOTS) else {
            return false;
        };
        record.write(&slot.words);
        slot.mark.store(at.wrapping_add(1), Ordering::Release);
        true
    }
}

/// What a reader finds next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing.
    Empty,
    /// A record that is being written.
    Unfinished,
    /// A record that makes no sense, or counts that make none.
    Damaged,
    /// A record.
    Record,
}

/// The supervisor's place in a ring.
#[derive(Debug, Default)]
pub struct Reader {
    tail: u64,
}

impl Reader {
    /// A reader from where the ring is now, of which nothing is taken over.
    #[must_use]
    pub fn from_now(head: &Head) -> Self {
        let tail = head.head.load(Ordering::Relaxed);
        head.tail.store(tail, Ordering::Release);
        Self { tail }
    }

    /// Takes the next record over into `record`.
    pub fn next(&mut self, head: &Head, ring: &Ring, record: &mut Record) -> Next {
        let top = head.head.load(Ordering::Acquire);
        match top.wrapping_sub(self.tail) {
            0 => return Next::Empty,
            more if more > SLOTS as u64 => {
                *self = Self::from_now(head);
                return Next::Damaged;
            }
            _ => {}
        }
        let Some(slot) = ring.slots.get(self.tail as usize % SLOTS) else {
            return Next::Damaged;
        };
        if slot.mark.load(Ordering::Acquire) != self.tail.wrapping_add(1) {
            return Next::Unfinished;
        }
        let read = record.read(&slot.words);
        self.skip(head);
        read.map_or(Next::Damaged, |()| Next::Record)
    }

    /// Passes over one slot.
    pub fn skip(&mut self, head: &Head) {
        self.tail = self.tail.wrapping_add(1);
        head.tail.store(self.tail, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::boxed::Box;
    use std::vec::Vec;

    /// Unoptimised, a ring lies on the stack before it is boxed, more than once.
    fn ring() -> Box<Ring> {
        let slot = || Slot {
            mark: AtomicU64::new(0),
            words: [const { AtomicU64::new(0) }; SLOT_WORDS - 1],
        };
        let make = move || {
            let slots: Vec<Slot> = (0..SLOTS).map(|_| slot()).collect();
            let slots: Box<[Slot; SLOTS]> = slots.try_into().ok().expect("as many");
            Box::new(Ring { slots: *slots })
        };
        let thread = std::thread::Builder::new().stack_size(32 << 20).spawn(make);
        thread
            .map(|thread| thread.join().expect("a ring"))
            .expect("a thread")
    }

    fn record(asked: &[u16], given: &[u16]) -> Record {
        let mut record = Record::EMPTY;
        for (name, units) in [(&mut record.asked, asked), (&mut record.given, given)] {
            name.fill(units.len(), |room| {
                room.copy_from_slice(&units[..room.len()]);
                true
            });
        }
        record
    }

    fn taken(reader: &mut Reader, head: &Head, ring: &Ring) -> Option<Record> {
        let mut record = Record::EMPTY;
        let next = reader.next(head, ring, &mut record);
        (next == Next::Record).then_some(record)
    }

    #[test]
    fn a_full_ring_drops_and_counts() {
        let (head, ring, mut reader) = (Head::default(), ring(), Reader::default());
        let put = |call| {
            head.put(
                &ring,
                &Record {
                    call,
                    ..record(&[1], &[])
                },
            )
        };
        for call in 0..SLOTS as u32 {
            assert!(put(call));
        }
        assert!(!put(9999));
        assert_eq!(head.lost.load(Ordering::Relaxed), 1);
        for call in 0..SLOTS as u32 {
            assert_eq!(taken(&mut reader, &head, &ring).expect("one").call, call);
        }
        assert!(taken(&mut reader, &head, &ring).is_none());
        assert!(put(7));
        assert_eq!(taken(&mut reader, &head, &ring).expect("one").call, 7);
    }

    #[test]
    fn threads_lose_nothing_while_there_is_room() {
        let (head, ring) = (Head::default(), ring());
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (head, ring) = (&head, &ring);
                scope.spawn(move || {
                    for call in 0..100 {
                        let name = [thread as u16, call as u16];
                        assert!(head.put(
                            ring,
                            &Record {
                                thread,
                                call,
                                ..record(&name, &name)
                            }
                        ));
                    }
                });
            }
        });
        let mut reader = Reader::default();
        let mut next = [0; 4];
        while let Some(record) = taken(&mut reader, &head, &ring) {
            assert_eq!(
                record.asked.units(),
                [record.thread as u16, record.call as u16]
            );
            assert_eq!(record.call, next[record.thread as usize]);
            next[record.thread as usize] += 1;
        }
        assert_eq!(next, [100; 4]);
    }

    proptest! {
        #[test]
        fn a_record_comes_back_as_far_as_there_is_room(
            asked in proptest::collection::vec(any::<u16>(), 0..700),
            given in proptest::collection::vec(any::<u16>(), 0..700),
            status: i32, access: u32, rule: u32, verdict in 0..11_u8,
            peer in prop_oneof![
                Just(Peer::None), any::<u32>().prop_map(Peer::Process), any::<u32>().prop_map(Peer::Thread),
                (any::<[u8; 16]>(), any::<u16>()).prop_map(|(ip, port)| Peer::Address(ip, port)),
            ],
        ) {
            let (head, ring, mut reader) = (Head::default(), ring(), Reader::default());
            let put = Record {
                status, access, rule, verdict: Verdict::of(verdict), peer,
                ..record(&asked, &given)
            };
            prop_assert!(head.put(&ring, &put));
            let got = taken(&mut reader, &head, &ring).expect("one");
            prop_assert_eq!((got.status, got.access, got.rule), (status, access, rule));
            prop_assert_eq!((got.verdict as u8, got.peer), (verdict, peer));
            for (got, whole) in [(&got.asked, &asked), (&got.given, &given)] {
                prop_assert_eq!(got.length() as usize, whole.len());
                prop_assert!(whole.starts_with(got.units()));
                prop_assert!(got.units().len() >= whole.len().min(UNITS / 2));
            }
            if asked.len() + given.len() <= UNITS {
                prop_assert_eq!(got.asked.units(), &asked[..]);
                prop_assert_eq!(got.given.units(), &given[..]);
            }
        }

        #[test]
        fn garbage_is_read_without_a_panic(
            words in proptest::collection::vec(any::<u64>(), SLOT_WORDS - 1),
            top: u64, kept: u64,
        ) {
            let (head, ring, mut reader) = (Head::default(), ring(), Reader::default());
            for (at, slot) in ring.slots.iter().enumerate() {
                slot.mark.store(at as u64 + 1, Ordering::Relaxed);
                for (place, word) in slot.words.iter().zip(&words) {
                    place.store(*word, Ordering::Relaxed);
                }
                slot.words[8].store(kept & 0x3ff_0000_03ff, Ordering::Relaxed);
            }
            head.head.store(top, Ordering::Relaxed);
            let mut record = Record::EMPTY;
            for _ in 0..3 {
                let _ = reader.next(&head, &ring, &mut record);
            }
            head.head.store(3, Ordering::Relaxed);
            let mut reader = Reader::default();
            while reader.next(&head, &ring, &mut record) != Next::Empty {}
        }
    }
}
