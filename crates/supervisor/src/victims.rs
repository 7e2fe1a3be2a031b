//! Which processes must go when a VM is over a limit that the supervisor enforces: the newest, one by
//! one, until it is within. Pure.

use pinion_store::Limits;

/// A process as far as limits care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sample {
    /// When it was created, in any growing unit.
    pub created: u64,
    /// Private memory in bytes.
    pub memory: u64,
}

/// The positions of the processes to end, and why.
pub(crate) fn victims(samples: &[Sample], limits: Limits) -> Vec<(usize, &'static str)> {
    let mut newest: Vec<usize> = (0..samples.len()).collect();
    newest.sort_by_key(|&at| std::cmp::Reverse(samples[at].created));
    let most = limits.processes.map_or(usize::MAX, |n| n as usize);
    let most_memory = limits.memory.unwrap_or(u64::MAX);
    let mut left = samples.len();
    let mut memory = samples
        .iter()
        .fold(0_u64, |sum, s| sum.saturating_add(s.memory));
    let mut chosen = Vec::new();
    for at in newest {
        let why = match (left > most, memory > most_memory) {
            (true, _) => "the limit of processes",
            (_, true) => "the limit of memory",
            _ => break,
        };
        chosen.push((at, why));
        left -= 1;
        memory = memory.saturating_sub(samples[at].memory);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample(created: u64, memory: u64) -> Sample {
        Sample { created, memory }
    }

    #[test]
    fn the_newest_go_first() {
        let samples = [sample(1, 10), sample(3, 10), sample(2, 10)];
        let limits = Limits {
            processes: Some(1),
            ..Limits::default()
        };
        let chosen: Vec<_> = victims(&samples, limits)
            .into_iter()
            .map(|(at, _)| at)
            .collect();
        assert_eq!(chosen, [1, 2]);
        let limits = Limits {
            memory: Some(25),
            ..Limits::default()
        };
        assert_eq!(victims(&samples, limits), [(1, "the limit of memory")]);
    }

    proptest! {
        #[test]
        fn what_is_left_is_within_and_no_more_goes_than_must(
            memories in proptest::collection::vec(0_u64..100, 0..20),
            processes in proptest::option::of(0_u32..20),
            memory in proptest::option::of(0_u64..1000),
        ) {
            let samples: Vec<_> = memories.iter().enumerate().map(|(n, m)| sample(n as u64, *m)).collect();
            let limits = Limits { processes, memory, cpus_milli: None };
            let gone = victims(&samples, limits).len();
            let within = |kept: usize| {
                let used: u64 = memories.iter().take(kept).sum();
                processes.is_none_or(|n| kept <= n as usize) && memory.is_none_or(|m| used <= m)
            };
            prop_assert!(within(samples.len() - gone));
            prop_assert!(gone == 0 || !within(samples.len() - gone + 1));
        }
    }
}
