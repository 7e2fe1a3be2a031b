//! The ids of a VM's living members, as the kernel lists them
//! (`JOBOBJECT_BASIC_PROCESS_ID_LIST`).

use crate::number;

/// Living members by their ids. Those of processes that have ended are not
/// among them, though somebody may hold such a process open.
#[derive(Debug, Clone, Copy)]
pub struct Members<'a>(&'a [u64]);

impl<'a> Members<'a> {
    /// Takes the kernel's list: a word whose upper half tells how many ids the
    /// list has, then the ids. `None` when they are not all there.
    #[must_use]
    pub fn listed(words: &'a mut [u64]) -> Option<Self> {
        let (head, ids) = words.split_first_mut()?;
        let ids = ids.get_mut(..usize::try_from(*head >> 32).ok()?)?;
        ids.sort_unstable();
        Some(Self(ids))
    }

    /// Whether the process of this id is a member now. The two lower bits do
    /// not count, as for Windows' own look-up of ids.
    #[must_use]
    pub fn contains(&self, id: u64) -> bool {
        self.0.binary_search(&(id & !3)).is_ok()
    }

    /// The ids in rising order.
    pub fn ids(&self) -> impl Iterator<Item = u64> + 'a {
        self.0.iter().copied()
    }

    /// The member that comes after the process `id` (`None`: the first) in a
    /// walk through all in the order of ids, or before it when `back`.
    #[must_use]
    pub fn next(&self, id: Option<u64>, back: bool) -> Option<u64> {
        match (id, back) {
            (None, false) => self.0.first().copied(),
            (None, true) => self.0.last().copied(),
            (Some(id), false) => self.ids().find(|other| *other > id),
            (Some(id), true) => self.0.iter().rev().copied().find(|other| *other < id),
        }
    }
}

/// Moves the 32-bit ids of members in a plain list to its front. How many bytes
/// they have.
pub fn keep(ids: &mut [u8], member: impl Fn(u64) -> bool) -> usize {
    const ID: usize = size_of::<u32>();
    let mut left = 0;
    for at in (0..ids.len() / ID).map(|index| index * ID) {
        if number::<ID>(ids, at).is_some_and(&member) {
            ids.copy_within(at..at + ID, left);
            left += ID;
        }
    }
    left
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn words(ids: &[u64]) -> Vec<u64> {
        let mut words = Vec::from([(ids.len() as u64) << 32]);
        words.extend(ids);
        words
    }

    #[test]
    fn a_list_that_is_cut_short_is_none() {
        assert!(Members::listed(&mut []).is_none());
        assert!(Members::listed(&mut [1 << 33]).is_none());
        assert!(Members::listed(&mut words(&[])).is_some_and(|members| !members.contains(0)));
    }

    proptest! {
        #[test]
        fn the_listed_are_members_and_nobody_else(ids: Vec<u16>, other: u16) {
            let ids: Vec<u64> = ids.iter().map(|id| u64::from(*id) * 4).collect();
            let mut words = words(&ids);
            let members = Members::listed(&mut words).expect("whole");
            for id in &ids {
                prop_assert!(members.contains(*id) && members.contains(*id | 3));
            }
            let other = u64::from(other) * 4;
            prop_assert_eq!(members.contains(other), ids.contains(&other));
        }

        #[test]
        fn members_of_a_plain_list_are_left(ids: Vec<u32>, members: u16, more: Vec<u8>) {
            let member = |id: u64| members >> (id & 15) & 1 == 1;
            let bytes = |ids: &[u32]| -> Vec<u8> { ids.iter().flat_map(|id| id.to_le_bytes()).collect() };
            let mut list = bytes(&ids);
            list.extend(more.iter().take(3));
            let left = keep(&mut list, member);
            let wanted: Vec<u32> = ids.into_iter().filter(|id| member(u64::from(*id))).collect();
            prop_assert_eq!(&list[..left], &bytes(&wanted));
        }

        #[test]
        fn a_walk_meets_each_member_once_both_ways(ids: std::collections::BTreeSet<u16>) {
            let ids: Vec<u64> = ids.iter().map(|id| u64::from(*id) * 4).collect();
            let mut words = words(&ids);
            let members = Members::listed(&mut words).expect("whole");
            let walk = |back| {
                let mut met = Vec::new();
                while let Some(id) = members.next(met.last().copied(), back) {
                    met.push(id);
                }
                met
            };
            prop_assert_eq!(&walk(false), &ids);
            prop_assert!(walk(true).iter().eq(ids.iter().rev()));
        }
    }
}
