//! The file of events: [`MAGIC`], then frames, one for each entry.
//!
//! A frame is the length of its body (a varint of at most 3 bytes), the body's CRC-32
//! (4 bytes, little endian), and the body: an [`Entry`] in postcard's encoding. A file
//! whose writer died ends within a frame; it is read up to there, as one that was
//! damaged is read up to the damage (docs/TRACE.md).

use crate::event::Entry;

/// The file's first bytes; the last is the version of the form.
pub const MAGIC: [u8; 8] = *b"pintrac\x01";

/// The longest body in bytes: longer ones are damage.
pub const LONGEST: usize = 1 << 14;

/// What is before a body: its length, in two bytes always, and its sum.
const HEAD: usize = 6;

/// Adds the frame of `entry`; `false`, and nothing added, where it would be too long.
pub fn append(entry: &Entry<'_>, out: &mut Vec<u8>) -> bool {
    let start = out.len();
    out.extend_from_slice(&[0; HEAD]);
    let written = postcard::to_extend(entry, Body(out)).is_ok();
    let (head, body) = out.split_at_mut(start + HEAD);
    if !written || body.len() >= LONGEST {
        out.truncate(start);
        return false;
    }
    let sum = crc32fast::hash(body).to_le_bytes();
    let [a, b, c, d] = sum;
    let (low, high) = (body.len() as u8 | 0x80, (body.len() >> 7) as u8);
    if let Some(place) = head.get_mut(start..) {
        place.copy_from_slice(&[low, high, a, b, c, d]);
    }
    true
}

/// Takes what is encoded without a detour.
struct Body<'v>(&'v mut Vec<u8>);

impl Extend<u8> for Body<'_> {
    fn extend<I: IntoIterator<Item = u8>>(&mut self, bytes: I) {
        self.0.extend(bytes);
    }
}

impl<'b> Extend<&'b u8> for Body<'_> {
    fn extend<I: IntoIterator<Item = &'b u8>>(&mut self, bytes: I) {
        self.0.extend(bytes);
    }
}

/// How far a file could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// To its end.
    Whole,
    /// It ends within a frame: its writer is still at it, or died.
    Cut,
    /// What comes is no frame.
    Damaged,
}

/// Reads entries from bytes that begin with a frame.
pub struct Frames<'a> {
    bytes: &'a [u8],
    at: usize,
    end: Option<End>,
}

impl<'a> Frames<'a> {
    /// The frames of a whole file.
    #[must_use]
    pub fn of_file(bytes: &'a [u8]) -> Self {
        let mut frames = Self::new(bytes);
        match bytes.get(..MAGIC.len()) {
            Some(begin) if begin == MAGIC => frames.at = MAGIC.len(),
            Some(_) => frames.end = Some(End::Damaged),
            None if MAGIC.starts_with(bytes) => frames.end = Some(End::Cut),
            None => frames.end = Some(End::Damaged),
        }
        frames
    }

    /// The frames in `bytes`, which follow others.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            end: None,
        }
    }

    /// How many bytes the entries so far took, the file's begin among them.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.at
    }

    /// Why no more entries came; [`End::Whole`] before that.
    #[must_use]
    pub fn end(&self) -> End {
        self.end.unwrap_or(End::Whole)
    }

    fn frame(&self) -> Result<(Entry<'a>, usize), End> {
        let rest = self.bytes.get(self.at..).unwrap_or(&[]);
        if rest.is_empty() {
            return Err(End::Whole);
        }
        let (length, head) = length(rest)?;
        let sum = rest.get(head..head + 4).ok_or(End::Cut)?;
        let body = rest.get(head + 4..head + 4 + length).ok_or(End::Cut)?;
        if crc32fast::hash(body).to_le_bytes() != sum {
            return Err(End::Damaged);
        }
        match postcard::take_from_bytes(body) {
            Ok((entry, [])) => Ok((entry, head + 4 + length)),
            _ => Err(End::Damaged),
        }
    }
}

/// A frame's length, and how many bytes tell it.
fn length(bytes: &[u8]) -> Result<(usize, usize), End> {
    let mut length = 0;
    for at in 0..3 {
        let byte = *bytes.get(at).ok_or(End::Cut)?;
        length |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return if length <= LONGEST {
                Ok((length, at + 1))
            } else {
                Err(End::Damaged)
            };
        }
    }
    Err(End::Damaged)
}

impl<'a> Iterator for Frames<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        if self.end.is_some() {
            return None;
        }
        match self.frame() {
            Ok((entry, size)) => {
                self.at += size;
                Some(entry)
            }
            Err(end) => {
                self.end = Some(end);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::tests::event;
    use proptest::prelude::*;

    fn file(names: &[String]) -> (Vec<u8>, Vec<usize>) {
        let mut bytes = MAGIC.to_vec();
        let mut ends = vec![bytes.len()];
        for name in names {
            assert!(append(
                &Entry::Event(event("NtCreateMutant", name, "")),
                &mut bytes
            ));
            ends.push(bytes.len());
        }
        (bytes, ends)
    }

    fn names(bytes: &[u8]) -> (Vec<String>, End) {
        let mut frames = Frames::of_file(bytes);
        let names = frames
            .by_ref()
            .map(|entry| match entry {
                Entry::Event(event) => event.asked.text.into_owned(),
                other => panic!("{other:?}"),
            })
            .collect();
        (names, frames.end())
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(all in proptest::collection::vec("\\PC{0,300}", 0..8)) {
            prop_assert_eq!(names(&file(&all).0), (all, End::Whole));
        }

        #[test]
        fn a_file_that_is_cut_is_read_up_to_there(
            all in proptest::collection::vec("\\PC{0,40}", 1..8), cut: prop::sample::Index,
        ) {
            let (bytes, ends) = file(&all);
            let cut = cut.index(bytes.len());
            let whole = ends.iter().filter(|end| **end <= cut).count().saturating_sub(1);
            let (got, end) = names(&bytes[..cut]);
            prop_assert_eq!(&got[..], &all[..whole]);
            prop_assert_eq!(end == End::Whole, ends.contains(&cut));
        }

        #[test]
        fn a_file_that_is_damaged_is_read_up_to_the_damage(
            all in proptest::collection::vec("\\PC{0,40}", 1..8),
            at: prop::sample::Index, change in 1..=255_u8,
        ) {
            let (mut bytes, ends) = file(&all);
            let at = at.index(bytes.len());
            bytes[at] ^= change;
            let before = ends.iter().filter(|end| **end <= at).count().saturating_sub(1);
            let (got, end) = names(&bytes);
            prop_assert_eq!(&got[..], &all[..before]);
            prop_assert_ne!(end, End::Whole);
        }

        #[test]
        fn garbage_is_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let _ = Frames::new(&bytes).count();
            let _ = Frames::of_file(&bytes).count();
        }
    }
}
