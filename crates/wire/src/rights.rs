//! The list of rights (DACL) in a security descriptor: whether it says something of its own, and a figure
//! by which two are compared. The agent keeps the figure of what it copies up; a merge compares.
//!
//! The form is that of a self-relative `SECURITY_DESCRIPTOR` and of an `ACL` (MS-DTYP 2.4.6 and 2.4.5).

/// `SE_DACL_PRESENT` and `SE_DACL_PROTECTED` (winnt.h).
const PRESENT: u16 = 0x4;
const PROTECTED: u16 = 0x1000;
/// `INHERITED_ACE` (winnt.h), in the second byte of an entry.
const INHERITED: u8 = 0x10;
/// Where the descriptor has its control word and the offset of its list, and how long its head is.
const CONTROL: usize = 2;
const LIST: usize = 16;
/// Bytes of an `ACL` before its entries: revision, length at 2, number of entries at 4.
const LIST_HEAD: usize = 8;

/// The list of rights of one file or key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rights<'d> {
    protected: bool,
    /// The `ACL`; empty where everybody may do everything.
    list: &'d [u8],
}

impl<'d> Rights<'d> {
    /// That of a self-relative descriptor; `None` when the descriptor is damaged.
    #[must_use]
    pub fn of(descriptor: &'d [u8]) -> Option<Self> {
        let control = word(descriptor, CONTROL)?;
        let at = descriptor.get(LIST..LIST + 4)?.try_into().ok();
        let at = at.map(u32::from_le_bytes)? as usize;
        let protected = control & PROTECTED != 0;
        if control & PRESENT == 0 || at == 0 {
            return Some(Self {
                protected,
                list: &[],
            });
        }
        let length = usize::from(word(descriptor, at.checked_add(2)?)?);
        let list = descriptor.get(at..at.checked_add(length)?)?;
        (length >= LIST_HEAD).then_some(Self { protected, list })
    }

    /// Whether it says more than what is handed down to a file or key at its place: an entry of its own, or
    /// that nothing is handed down. No list at all, as file systems without rights have it, says nothing.
    #[must_use]
    pub fn are_its_own(&self) -> bool {
        let mut rest = self.list.get(LIST_HEAD..).unwrap_or(&[]);
        let count = word(self.list, 4).unwrap_or(0);
        let own = (0..count).any(|_| {
            let flags = rest.get(1).copied().unwrap_or(INHERITED);
            let length = word(rest, 2).map_or(0, usize::from);
            rest = rest.get(length.max(1)..).unwrap_or(&[]);
            flags & INHERITED == 0
        });
        !self.list.is_empty() && (self.protected || own)
    }

    /// FNV-1a over all that it says; never 0.
    #[must_use]
    pub fn figure(&self) -> u64 {
        const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
        const PRIME: u64 = 0x100_0000_01b3;
        let used = self.used();
        let bytes = [u8::from(self.protected)].into_iter().chain(used);
        let hash = bytes.fold(OFFSET, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(PRIME)
        });
        hash.max(1)
    }

    /// The entries, without the room behind them that an `ACL` may have.
    fn used(&self) -> impl Iterator<Item = u8> + use<'d> {
        let entries = self.list.get(LIST_HEAD..).unwrap_or(&[]);
        let mut end = 0;
        for _ in 0..word(self.list, 4).unwrap_or(0) {
            let length = word(entries.get(end..).unwrap_or(&[]), 2).map_or(0, usize::from);
            end = entries.len().min(end + length);
        }
        let none = u8::from(self.list.is_empty());
        let list = entries.get(..end).unwrap_or(entries);
        [none].into_iter().chain(list.iter().copied())
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    let pair = bytes.get(at..at.checked_add(2)?)?;
    pair.try_into().ok().map(u16::from_le_bytes)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    /// A descriptor whose list has entries of these flags and bytes, and room behind them.
    fn descriptor(control: u16, entries: &[(u8, Vec<u8>)], room: usize) -> Vec<u8> {
        let mut list = vec![2, 0, 0, 0, entries.len() as u8, 0, 0, 0];
        for (flags, bytes) in entries {
            list.extend([0, *flags]);
            list.extend((4 + bytes.len() as u16).to_le_bytes());
            list.extend(bytes);
        }
        list.extend(vec![0xee; room]);
        let length = list.len() as u16;
        list[2..4].copy_from_slice(&length.to_le_bytes());
        let mut whole = vec![1, 0];
        whole.extend(control.to_le_bytes());
        whole.extend([0; 12]);
        whole.extend(20_u32.to_le_bytes());
        whole.extend(list);
        whole
    }

    #[test]
    fn what_is_handed_down_is_not_its_own() {
        let own = |control, flags: &[u8]| {
            let entries: Vec<_> = flags.iter().map(|&flags| (flags, vec![1, 2])).collect();
            Rights::of(&descriptor(control, &entries, 0))
                .unwrap()
                .are_its_own()
        };
        assert!(!own(PRESENT, &[INHERITED, INHERITED | 3]));
        assert!(own(PRESENT, &[INHERITED, 3]));
        assert!(own(PRESENT | PROTECTED, &[INHERITED]));
        // An empty list denies all, and is handed down as such.
        assert!(!own(PRESENT, &[]));
        assert!(!own(0, &[3]));
    }

    #[test]
    fn no_list_is_no_empty_list() {
        let empty = descriptor(PRESENT, &[], 0);
        let none = descriptor(0, &[], 0);
        let figure = |bytes: &[u8]| Rights::of(bytes).unwrap().figure();
        assert_ne!(figure(&empty), figure(&none));
    }

    proptest! {
        #[test]
        fn the_figure_is_of_what_is_said(
            entries in proptest::collection::vec((any::<u8>(), proptest::collection::vec(any::<u8>(), 0..6)), 0..5),
            room in 0_usize..9,
        ) {
            let figure = |entries: &[(u8, Vec<u8>)], room| {
                Rights::of(&descriptor(PRESENT, entries, room)).unwrap().figure()
            };
            prop_assert_eq!(figure(&entries, 0), figure(&entries, room));
            let mut other = entries.clone();
            other.push((0, vec![1]));
            prop_assert_ne!(figure(&entries, 0), figure(&other, 0));
        }

        #[test]
        fn garbage_never_panics(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..80), at in 0_u8..60, set in any::<bool>(),
        ) {
            if set && bytes.len() > 20 {
                bytes[2] |= 4;
                bytes[16..20].copy_from_slice(&[at, 0, 0, 0]);
            }
            if let Some(rights) = Rights::of(&bytes) {
                let _ = rights.are_its_own();
                prop_assert_ne!(rights.figure(), 0);
            }
        }
    }
}
