//! What members record of their decisions at the boundary: the section of rings
//! that they share with the supervisor, and a record in it.
//!
//! Each process has one ring, to which its threads add without a lock; the supervisor
//! takes from it. A ring that is full drops what is new and counts it. Whatever is in
//! the section was written by members: the reader trusts no count, no length and no
//! mark, and copies a record before it looks at it.

mod record;
mod ring;
mod verdict;

pub use record::{Name, Peer, Record};
pub use ring::{Head, Heads, Next, Reader, Ring};
pub use verdict::Verdict;

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
