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
/// gives how many. `order` compares names as the tree does.
pub fn merge<E>(
    listed: &mut [E],
    order: impl Fn(&E, &E) -> Ordering,
    rank: impl Fn(&E) -> Rank,
) -> usize {
    listed.sort_unstable_by(|a, b| order(a, b).then_with(|| rank(a).cmp(&rank(b))));
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
