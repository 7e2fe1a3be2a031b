//! Records of changed files (`FILE_NOTIFY_INFORMATION`, winnt.h): reading what
//! the kernel tells of a layer's directory, what of it the programs of the VM
//! are told, and writing records.
//!
//! What Pinion does in the upper for its own ends bears names that begin with
//! `.wh.`, and is told to nobody. Two things could not be told from a program's
//! own deeds, so members make a note before or after them, a file or directory
//! that is gone at once: `.wh..wh.=name` before the directory `name` is copied
//! up, and `.wh..wh.-name` after a whiteout has hidden the file `name`, of which
//! the upper had none.

use crate::TooLong;
use crate::file::WHITEOUT;
use crate::units::{SEPARATOR, fold, join, starts};

/// `FILE_ACTION_ADDED` (winnt.h).
pub const ADDED: u32 = 1;
/// `FILE_ACTION_REMOVED`.
pub const REMOVED: u32 = 2;
/// `FILE_ACTION_MODIFIED`.
pub const MODIFIED: u32 = 3;
/// `FILE_ACTION_RENAMED_OLD_NAME`.
pub const RENAMED_OLD: u32 = 4;
/// `FILE_ACTION_RENAMED_NEW_NAME`.
pub const RENAMED_NEW: u32 = 5;

/// What a note says of its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Note {
    /// The directory is about to be copied up.
    Copied,
    /// The file was hidden.
    Hidden,
}

const LEFT_OVER: &str = ".wh..wh.";
const COPIED: u16 = b'=' as u16;
const HIDDEN: u16 = b'-' as u16;
/// Units of a record before its name: next entry, action, length of the name in
/// bytes, 4 bytes each.
const HEAD: usize = 6;

/// Writes the path of the note about `path`.
///
/// # Errors
/// [`TooLong`] when it does not fit.
pub fn note(note: Note, path: &[u16], out: &mut [u16]) -> Result<usize, TooLong> {
    let mut mark = [0; LEFT_OVER.len() + 1];
    for (place, byte) in mark.iter_mut().zip(LEFT_OVER.bytes()) {
        *place = u16::from(byte);
    }
    if let Some(last) = mark.last_mut() {
        *last = match note {
            Note::Copied => COPIED,
            Note::Hidden => HIDDEN,
        };
    }
    let (directory, name) = split(path);
    join(&[directory, &mark, name], out)
}

/// One record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record<'r> {
    /// `FILE_ACTION_*`.
    pub action: u32,
    /// The name, relative to the watched directory.
    pub name: &'r [u16],
}

/// The records at the front of `buffer`; what is cut off is left out.
pub fn records(buffer: &[u16]) -> impl Iterator<Item = Record<'_>> {
    let mut rest = Some(buffer);
    core::iter::from_fn(move || {
        let all = rest.take()?;
        let double =
            |at: usize| Some(u32::from(*all.get(at)?) | u32::from(*all.get(at + 1)?) << 16);
        let (next, action, bytes) = (double(0)?, double(2)?, double(4)?);
        let name = all.get(HEAD..HEAD + bytes as usize / 2)?;
        if next >= 2 {
            rest = all.get(next as usize / 2..);
        }
        Some(Record { action, name })
    })
}

/// A chain of records that grows in a buffer.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Chain {
    /// Its length in units.
    length: usize,
    /// Where its last record begins.
    last: usize,
}

impl Chain {
    /// One without records.
    pub const EMPTY: Self = Self { length: 0, last: 0 };

    /// Whether there is no record.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.length == 0
    }

    /// The chain's length in bytes.
    #[must_use]
    pub fn bytes(self) -> usize {
        self.length * 2
    }

    /// The bytes that a buffer must have for the chain. Wine wants room for one
    /// unit more, and for a whole structure of 16 bytes from the last record on
    /// (observed on Wine 8 and 10).
    #[must_use]
    pub fn room(self, wine: bool) -> usize {
        if wine {
            (self.bytes() + 2).max(self.last * 2 + 16)
        } else {
            self.bytes()
        }
    }

    /// Adds a record of the name that `parts` make up; records begin at
    /// multiples of `alignment` units.
    ///
    /// # Errors
    /// [`TooLong`] when it does not fit; the chain is as before.
    pub fn add(
        &mut self,
        buffer: &mut [u16],
        action: u32,
        parts: &[&[u16]],
        alignment: usize,
    ) -> Result<(), TooLong> {
        let start = self.length.next_multiple_of(alignment.max(1));
        let names = buffer.get_mut(start + HEAD..).ok_or(TooLong)?;
        let units = join(parts, names)?;
        let bytes = (units * 2) as u32;
        let head = [
            0,
            0,
            action as u16,
            (action >> 16) as u16,
            bytes as u16,
            (bytes >> 16) as u16,
        ];
        let place = buffer.get_mut(start..start + HEAD).ok_or(TooLong)?;
        place.copy_from_slice(&head);
        if self.length != 0 {
            let step = ((start - self.last) * 2) as u32;
            let place = buffer.get_mut(self.last..self.last + 2).ok_or(TooLong)?;
            place.copy_from_slice(&[step as u16, (step >> 16) as u16]);
            buffer.get_mut(self.length..start).ok_or(TooLong)?.fill(0);
        }
        self.last = start;
        self.length = start + HEAD + units;
        Ok(())
    }
}

/// What a record of the upper's directory says to the programs of the VM.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Said<'r> {
    /// Nothing.
    Nothing,
    /// What it says.
    Itself,
    /// That the file of these two parts' name is gone.
    Removed(&'r [u16], &'r [u16]),
    /// What it says, unless the name was seen before by a lower layer.
    UnlessBelow,
    /// What it says, unless it is of a directory that a lower layer has, too,
    /// whose times Pinion puts right.
    UnlessDirectoryBelow,
}

/// What the records of one directory of the upper mean, in their order.
#[derive(Default)]
pub struct Sieve {
    /// Hashes of directories of which the note was read, to be added next.
    copied: [u64; 8],
    /// Of those that were added since: their attributes are set next.
    made: [u64; 8],
    next: usize,
    /// Whether the last record was the old name of a finished copy.
    staged: bool,
}

impl Sieve {
    /// What `record` says.
    pub fn upper<'r>(&mut self, record: Record<'r>) -> Said<'r> {
        let staged = core::mem::take(&mut self.staged);
        let (directory, last) = split(record.name);
        if is_reserved(directory) {
            return Said::Nothing;
        }
        if let Some(rest) = starts(last, LEFT_OVER) {
            return self.left_over(record.action, directory, rest);
        }
        if starts(last, WHITEOUT).is_some() {
            return Said::Nothing;
        }
        let name = hash(&[record.name]);
        match record.action {
            ADDED if forget(&mut self.copied, name) => {
                self.keep(name, |sieve| &mut sieve.made);
                Said::Nothing
            }
            RENAMED_NEW if staged => Said::Nothing,
            ADDED if staged => Said::UnlessBelow,
            MODIFIED if self.made.contains(&name) => Said::Nothing,
            MODIFIED => Said::UnlessDirectoryBelow,
            REMOVED | RENAMED_OLD => {
                forget(&mut self.copied, name);
                forget(&mut self.made, name);
                Said::Itself
            }
            _ => Said::Itself,
        }
    }

    fn left_over<'r>(&mut self, action: u32, directory: &'r [u16], rest: &'r [u16]) -> Said<'r> {
        match (rest.split_first(), action) {
            (Some((&HIDDEN, name)), ADDED) => return Said::Removed(directory, name),
            (Some((&COPIED, name)), ADDED) => {
                self.keep(hash(&[directory, name]), |sieve| &mut sieve.copied);
            }
            (Some((&(HIDDEN | COPIED), _)), _) => {}
            (_, REMOVED | RENAMED_OLD) => self.staged = true,
            _ => {}
        }
        Said::Nothing
    }

    /// Keeps a hash in a list, in an old one's place when it is full.
    fn keep(&mut self, hash: u64, list: impl FnOnce(&mut Self) -> &mut [u64; 8]) {
        let next = self.next;
        self.next = next.wrapping_add(1);
        let list = list(self);
        let free = list.iter().position(|&known| known == 0);
        if let Some(place) = list.get_mut(free.unwrap_or(next % 8)) {
            *place = hash;
        }
    }
}

fn forget(list: &mut [u64; 8], hash: u64) -> bool {
    let found = list.iter_mut().find(|known| **known == hash);
    found.map(|known| *known = 0).is_some()
}

/// Whether a name with such a part is kept for Pinion's own ends.
#[must_use]
pub fn is_reserved(name: &[u16]) -> bool {
    name.split(|&unit| unit == SEPARATOR)
        .any(|part| starts(part, WHITEOUT).is_some())
}

/// The directory, with its separator, and the last name.
fn split(name: &[u16]) -> (&[u16], &[u16]) {
    let end = name.iter().rposition(|&unit| unit == SEPARATOR);
    name.split_at(end.map_or(0, |end| end + 1))
}

/// FNV-1a of the folded units, never 0.
fn hash(parts: &[&[u16]]) -> u64 {
    let units = parts.iter().flat_map(|part| part.iter());
    let hash = units.fold(0xcbf2_9ce4_8422_2325, |hash: u64, &unit| {
        (hash ^ u64::from(fold(unit))).wrapping_mul(0x0100_0000_01b3)
    });
    hash | 1
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::string::String;
    use std::vec;
    use std::vec::Vec;

    fn w(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    /// What is told of the records, as `+a`, `-a`, `~a`, `<a`, `>a`; a question
    /// mark stands before what a lower layer decides.
    fn told(records: &[(u32, &str)]) -> Vec<String> {
        let mut sieve = Sieve::default();
        let mut told = Vec::new();
        for &(action, name) in records {
            let name = w(name);
            let sign = |action: u32| ["", "+", "-", "~", "<", ">"][action as usize];
            let text = |parts: &[&[u16]]| String::from_utf16(&parts.concat()).expect("text");
            let mut say = |doubt: &str, action, parts: &[&[u16]]| {
                told.push([doubt, sign(action), &text(parts)].concat());
            };
            match sieve.upper(Record {
                action,
                name: &name,
            }) {
                Said::Nothing => {}
                Said::Itself => say("", action, &[&name]),
                Said::Removed(directory, name) => say("", REMOVED, &[directory, name]),
                Said::UnlessBelow | Said::UnlessDirectoryBelow => say("?", action, &[&name]),
            }
        }
        told
    }

    #[test]
    fn copying_a_file_up_is_silent() {
        let copy = [
            (ADDED, "s\\.wh..wh.0012ab"),
            (MODIFIED, "s\\.wh..wh.0012ab"),
            (RENAMED_OLD, "s\\.wh..wh.0012ab"),
            (RENAMED_NEW, "s\\a.txt"),
            (MODIFIED, "s\\a.txt"),
        ];
        assert_eq!(told(&copy), ["?~s\\a.txt"]);
    }

    #[test]
    fn a_copy_that_fails_hides_nothing_that_comes_later() {
        let failed = [
            (ADDED, ".wh..wh.00"),
            (REMOVED, ".wh..wh.00"),
            (ADDED, "a"),
            (ADDED, "b"),
        ];
        assert_eq!(told(&failed), ["?+a", "+b"]);
    }

    #[test]
    fn copying_a_directory_up_is_silent_once() {
        let copy = [
            (ADDED, "d\\.wh..wh.=Sub"),
            (REMOVED, "d\\.wh..wh.=Sub"),
            (ADDED, "d\\Sub"),
            (MODIFIED, "d\\Sub"),
            (REMOVED, "d\\Sub"),
            (ADDED, "d\\Sub"),
        ];
        assert_eq!(told(&copy), ["-d\\Sub", "+d\\Sub"]);
        let there_already = [
            (ADDED, ".wh..wh.=s"),
            (REMOVED, ".wh..wh.=s"),
            (REMOVED, "s"),
            (ADDED, "s"),
        ];
        assert_eq!(told(&there_already), ["-s", "+s"]);
    }

    #[test]
    fn hiding_is_told_by_its_note_alone() {
        let hidden = [
            (ADDED, "d\\.wh.x"),
            (ADDED, "d\\.wh..wh.-x"),
            (REMOVED, "d\\.wh..wh.-x"),
            (REMOVED, "d\\.wh.x"),
            (ADDED, ".wh.d\\y"),
            (ADDED, "wh.y"),
        ];
        assert_eq!(told(&hidden), ["-d\\x", "+wh.y"]);
    }

    #[test]
    fn notes_lie_beside_what_they_are_about() {
        let mut out = [0; 40];
        let length = note(Note::Hidden, &w("C\\d\\x"), &mut out).expect("it fits");
        assert_eq!(out[..length], w("C\\d\\.wh..wh.-x"));
        assert_eq!(note(Note::Copied, &w("C\\d"), &mut [0; 4]), Err(TooLong));
    }

    #[test]
    fn wine_wants_room_for_a_whole_structure() {
        let (mut chain, mut buffer) = (Chain::default(), [0; 64]);
        chain
            .add(&mut buffer, ADDED, &[&w("a")], 1)
            .expect("it fits");
        assert_eq!(
            (chain.bytes(), chain.room(false), chain.room(true)),
            (14, 14, 16)
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            names in proptest::collection::vec((1..6_u32, "[a-zé\\\\.]{1,12}"), 1..20),
            alignment in 1..3_usize,
        ) {
            let (mut chain, mut buffer) = (Chain::default(), vec![0xffff; 700]);
            for (action, name) in &names {
                chain.add(&mut buffer, *action, &[&w(name)], alignment).expect("it fits");
            }
            let read: Vec<_> = records(&buffer[..chain.bytes() / 2])
                .map(|record| (record.action, String::from_utf16(record.name).expect("text")))
                .collect();
            prop_assert_eq!(read, names);
        }

        #[test]
        fn a_full_buffer_keeps_what_it_has(room in 0..60_usize) {
            let (mut chain, mut buffer) = (Chain::default(), vec![0; room]);
            let mut count = 0;
            while chain.add(&mut buffer, MODIFIED, &[&w("abc")], 2).is_ok() {
                count += 1;
            }
            prop_assert_eq!(records(&buffer[..chain.bytes() / 2]).count(), count);
        }

        #[test]
        fn any_units_are_read_without_a_panic(units in proptest::collection::vec(any::<u16>(), 0..64)) {
            for record in records(&units) {
                prop_assert!(record.name.len() < 64);
            }
        }
    }
}
