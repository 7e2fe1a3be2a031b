//! The probes, a file for each family of channels.

mod messages;
mod names;
mod pipes;
mod shared;
mod tasks;

use crate::probe::Probe;

/// All probes, in the order in which they are tried.
pub fn all() -> impl Iterator<Item = &'static Probe> {
    [
        names::PROBES,
        pipes::PROBES,
        messages::PROBES,
        tasks::PROBES,
        shared::PROBES,
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_of_probes_and_ways_are_told_apart() {
        let names: BTreeSet<_> = all().map(|probe| probe.name).collect();
        assert_eq!(names.len(), all().count());
        for probe in all() {
            let ways: BTreeSet<_> = probe.ways.iter().map(|way| way.name).collect();
            assert_eq!(ways.len(), probe.ways.len(), "{}", probe.name);
            assert!(!probe.ways.is_empty(), "{}", probe.name);
        }
    }
}
