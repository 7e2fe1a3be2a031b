//! The ring of one process: many threads add, the supervisor takes. Full, it drops what is new and counts it.

use super::{RINGS, Record, SLOT_WORDS, SLOTS};
use core::sync::atomic::{AtomicU64, Ordering};

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
    use super::super::{Peer, UNITS, Verdict};
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
