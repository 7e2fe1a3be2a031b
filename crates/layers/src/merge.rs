//! Merging what several layers list.

use core::cmp::Ordering;

/// Where one listed name comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    /// The layer that lists it.
    pub layer: usize,
    /// Whether it is a whiteout, not an entry. An entry stands before a
    /// whiteout of its own layer.
    pub whiteout: bool,
}

/// Sorts `listed` by name and keeps, at its front, what is seen of each name;
/// gives how many. `order` compares names as the tree does. With a `spare` of
/// the same length, what each layer lists in order is merged and not sorted anew.
pub fn merge<E: Copy>(
    listed: &mut [E],
    spare: &mut [E],
    order: impl Fn(&E, &E) -> Ordering,
    rank: impl Fn(&E) -> Rank,
) -> usize {
    sort(listed, spare, |a, b| {
        order(a, b).then_with(|| rank(a).cmp(&rank(b)))
    });
    let (mut kept, mut at) = (0, 0);
    while let Some(first) = listed.get(at) {
        let rest = listed.get(at..).unwrap_or(&[]);
        let same = rest
            .iter()
            .take_while(|other| order(first, other) == Ordering::Equal)
            .count();
        if !rank(first).whiteout {
            listed.swap(kept, at);
            kept += 1;
        }
        at += same.max(1);
    }
    kept
}

fn sort<E: Copy>(listed: &mut [E], spare: &mut [E], order: impl Fn(&E, &E) -> Ordering) {
    let Some(spare) = spare.get_mut(..listed.len()) else {
        return listed.sort_unstable_by(order);
    };
    while merge_runs(listed, spare, &order) > 1 {
        listed.copy_from_slice(spare);
    }
    listed.copy_from_slice(spare);
}

/// Writes `listed` to `spare`, each two neighbouring runs that are in order as
/// one; gives how many runs that makes.
fn merge_runs<E: Copy>(
    listed: &[E],
    spare: &mut [E],
    order: &impl Fn(&E, &E) -> Ordering,
) -> usize {
    let (mut rest, mut room, mut runs) = (listed, spare, 0);
    while !rest.is_empty() {
        let (left, others) = split_run(rest, order);
        let (right, others) = split_run(others, order);
        let (place, after) = room.split_at_mut(left.len() + right.len());
        merge_two(left, right, place, order);
        (rest, room, runs) = (others, after, runs + 1);
    }
    runs
}

/// The longest beginning that is in order, and the rest.
fn split_run<'l, E>(listed: &'l [E], order: &impl Fn(&E, &E) -> Ordering) -> (&'l [E], &'l [E]) {
    let falls = |pair: &[E]| matches!(pair, [a, b] if order(a, b).is_gt());
    let end = listed.windows(2).position(falls);
    listed.split_at(end.map_or(listed.len(), |at| at + 1))
}

fn merge_two<E: Copy>(
    left: &[E],
    right: &[E],
    place: &mut [E],
    order: &impl Fn(&E, &E) -> Ordering,
) {
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    for to in place {
        let next = match (left.peek(), right.peek()) {
            (Some(a), Some(b)) if order(a, b).is_gt() => right.next(),
            (Some(_), _) => left.next(),
            (None, _) => right.next(),
        };
        if let Some(&next) = next {
            *to = next;
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    proptest! {
        /// Whether there is room to spare or not, the same is seen.
        #[test]
        fn runs_are_merged_as_if_all_were_sorted(
            mut runs in proptest::collection::vec(
                proptest::collection::vec((0_u8..40, 0_usize..4, any::<bool>()), 0..20),
                0..6,
            ),
            in_order in any::<bool>(),
        ) {
            if in_order {
                runs.iter_mut().for_each(|run| run.sort());
            }
            let listed: Vec<_> = runs.concat();
            let seen = |spare: usize| {
                let mut listed = listed.clone();
                let count = merge(
                    &mut listed,
                    &mut vec![(0, 0, false); spare],
                    |a, b| a.0.cmp(&b.0),
                    |&(_, layer, whiteout)| Rank { layer, whiteout },
                );
                listed.truncate(count);
                listed
            };
            prop_assert_eq!(seen(listed.len()), seen(0));
        }
    }
}
