//! The base of a VM's changes: what the host had where the VM took a copy of a
//! file or key, or hid one. The agent appends a line for each to a file of the
//! upper layer; a commit reads it to tell whether the host has changed since.
//!
//! The file is UTF-16, little endian. A line is a letter, three numbers of 16
//! hexadecimal digits and the path, one space between them, and a line feed. A
//! later line for a path takes the place of an earlier one. Whatever else is
//! there (the zeros of a line that was never written, a torn line) says nothing.

/// The file's name, in the upper's root.
pub const NAME: &str = ".wh..wh.base";

/// What a line tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file: size in bytes, time of last write, time of change (both in 100 ns
    /// since 1601). Its path is as the layers keep it, `C\a\b`.
    File,
    /// A directory that was copied without what is in it: attributes, the figure of
    /// its list of rights ([`crate::rights`]; 0 when it is not known), and that of
    /// the copy's, which has those of its place. Its path is as a file's.
    Directory,
    /// A key: 0, the figure of its list of rights ([`crate::rights`]; 0 when it
    /// is not known) and [`Values`] of its values. Its path begins with `\REGISTRY`.
    Key,
}

/// What the host had at one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Of what.
    pub kind: Kind,
    /// See [`Kind`].
    pub numbers: [u64; 3],
}

const LETTERS: [(u16, Kind); 3] = [
    (b'F' as u16, Kind::File),
    (b'D' as u16, Kind::Directory),
    (b'K' as u16, Kind::Key),
];
const SPACE: u16 = b' ' as u16;
const END: u16 = b'\n' as u16;
/// Units before the path.
pub const HEAD: usize = 2 + 3 * 17;

/// Writes the line of `path`; gives its length in units, or `None` when it does
/// not fit.
#[must_use]
pub fn write(stamp: &Stamp, path: &[u16], out: &mut [u16]) -> Option<usize> {
    let letter = match stamp.kind {
        Kind::File => LETTERS[0].0,
        Kind::Directory => LETTERS[1].0,
        Kind::Key => LETTERS[2].0,
    };
    let digits = stamp.numbers.into_iter().flat_map(|number| {
        let digits = (0..16).rev().map(move |at| digit(number >> (at * 4)));
        digits.chain([SPACE])
    });
    let line = [letter, SPACE].into_iter().chain(digits);
    let line = line.chain(path.iter().copied()).chain([END]);
    let length = HEAD + path.len() + 1;
    for (place, unit) in out.get_mut(..length)?.iter_mut().zip(line) {
        *place = unit;
    }
    Some(length)
}

fn digit(value: u64) -> u16 {
    u16::from(match (value & 0xf) as u8 {
        small @ 0..=9 => b'0' + small,
        large => b'a' + large - 10,
    })
}

/// Reads a line without its line feed; `None` when it is none.
#[must_use]
pub fn parse(line: &[u16]) -> Option<(Stamp, &[u16])> {
    let start = line.iter().position(|&unit| unit != 0)?;
    let line = line.get(start..)?;
    let (&letter, rest) = line.split_first()?;
    let (_, kind) = LETTERS.into_iter().find(|(known, _)| *known == letter)?;
    let mut rest = rest.strip_prefix(&[SPACE])?;
    let mut numbers = [0; 3];
    for number in &mut numbers {
        let digits = rest.get(..16)?;
        for &unit in digits {
            let value = char::from_u32(unit.into())?.to_digit(16)?;
            *number = *number << 4 | u64::from(value);
        }
        rest = rest.get(16..)?.strip_prefix(&[SPACE])?;
    }
    let plain = !rest.is_empty() && !rest.contains(&END) && !rest.contains(&0);
    plain.then_some((Stamp { kind, numbers }, rest))
}

/// A figure of a key's values, whatever their order: the sum of each value's
/// FNV-1a hash over its name, type and data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Values(u64);

impl Values {
    /// Takes in one value: its name in UTF-16, little endian, its type, its data.
    pub fn add(&mut self, name: &[u8], kind: u32, data: &[u8]) {
        const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
        const PRIME: u64 = 0x100_0000_01b3;
        let length = (name.len() as u32).to_le_bytes();
        let bytes = length
            .iter()
            .chain(name)
            .chain(&kind.to_le_bytes())
            .fold(OFFSET, |hash, &byte| {
                (hash ^ u64::from(byte)).wrapping_mul(PRIME)
            });
        let hash = data.iter().fold(bytes, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(PRIME)
        });
        self.0 = self.0.wrapping_add(hash);
    }

    /// The figure.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    proptest! {
        #[test]
        fn a_line_reads_as_it_was_written(
            which in 0..3_usize,
            numbers in any::<[u64; 3]>(),
            path in proptest::collection::vec(11_u16.., 1..40),
            zeros in 0_usize..4,
        ) {
            let stamp = Stamp { kind: LETTERS[which].1, numbers };
            let mut out = std::vec![0; zeros + HEAD + path.len() + 1];
            let length = write(&stamp, &path, &mut out[zeros..]).expect("fits");
            prop_assert_eq!(zeros + length, out.len());
            prop_assert_eq!(out.pop(), Some(END));
            prop_assert_eq!(parse(&out), Some((stamp, &path[..])));
        }

        #[test]
        fn garbage_never_panics(line in proptest::collection::vec(
            prop_oneof![Just(0_u16), Just(32), Just(70), 48_u16..58, any::<u16>()], 0..80)) {
            let _ = parse(&line);
        }

        #[test]
        fn the_order_of_values_is_of_no_weight(
            values in proptest::collection::vec((any::<[u8; 4]>(), any::<u32>(), any::<[u8; 3]>()), 0..6),
        ) {
            let figure = |values: &[([u8; 4], u32, [u8; 3])]| {
                let mut figure = Values::default();
                for (name, kind, data) in values {
                    figure.add(name, *kind, data);
                }
                figure.get()
            };
            let back: Vec<_> = values.iter().rev().copied().collect();
            prop_assert_eq!(figure(&values), figure(&back));
            let mut other = values.clone();
            if let Some((_, kind, _)) = other.first_mut() {
                *kind = kind.wrapping_add(1);
                prop_assert_ne!(figure(&values), figure(&other));
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let stamp = Stamp {
            kind: Kind::File,
            numbers: [1, 2, 3],
        };
        assert_eq!(write(&stamp, &[67], &mut [0; HEAD + 1]), None);
    }
}
