//! Which answer is the majority's, and since when that is certain.
//!
//! A ballot knows how many equal answers decide (`quorum`, more than half of all replicas of the
//! group, also of those that are away at the moment). With 2f+1 replicas the quorum is f+1: f that
//! lie can neither make up a quorum nor, as long as f+1 sound ones answer, hinder one.

/// One request's vote. `A` is what of an answer is compared.
#[derive(Debug, Clone)]
pub struct Ballot<A> {
    quorum: usize,
    asked: Vec<u32>,
    cast: Vec<(u32, A)>,
    lost: Vec<u32>,
}

/// How a vote stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It may still be decided.
    Open,
    /// This replica's answer is that of the majority.
    Decided(u32),
    /// No answer can reach the quorum any more.
    Hopeless,
}

impl<A: Eq> Ballot<A> {
    /// A vote that so many equal answers decide; at least one.
    #[must_use]
    pub fn new(quorum: usize) -> Self {
        Self {
            quorum: quorum.max(1),
            asked: Vec::new(),
            cast: Vec::new(),
            lost: Vec::new(),
        }
    }

    /// The replica is asked; once only.
    pub fn ask(&mut self, replica: u32) {
        if !self.asked.contains(&replica) {
            self.asked.push(replica);
        }
    }

    /// Whether it was asked.
    #[must_use]
    pub fn was_asked(&self, replica: u32) -> bool {
        self.asked.contains(&replica)
    }

    /// The replica answered. Only the first word of one that was asked counts.
    pub fn cast(&mut self, replica: u32, answer: A) {
        if self.is_awaited(replica) {
            self.cast.push((replica, answer));
        }
    }

    /// The replica will not answer.
    pub fn lose(&mut self, replica: u32) {
        if self.is_awaited(replica) {
            self.lost.push(replica);
        }
    }

    fn is_awaited(&self, replica: u32) -> bool {
        self.was_asked(replica)
            && !self.lost.contains(&replica)
            && !self.cast.iter().any(|(other, _)| *other == replica)
    }

    /// Those whose answer is still to come.
    #[must_use]
    pub fn awaited(&self) -> Vec<u32> {
        let awaited = self.asked.iter().copied();
        awaited
            .filter(|replica| self.is_awaited(*replica))
            .collect()
    }

    /// How the vote stands, where at most `more` others may still be asked.
    #[must_use]
    pub fn standing(&self, more: usize) -> Standing {
        let votes = |answer: &A| {
            self.cast
                .iter()
                .filter(|(_, other)| other == answer)
                .count()
        };
        let mut best = 0;
        for (replica, answer) in &self.cast {
            let count = votes(answer);
            if count >= self.quorum {
                return Standing::Decided(*replica);
            }
            best = best.max(count);
        }
        if best + self.awaited().len() + more >= self.quorum {
            Standing::Open
        } else {
            Standing::Hopeless
        }
    }

    /// Those whose answers are not the majority's, once there is one.
    #[must_use]
    pub fn odd(&self) -> Vec<u32> {
        let Standing::Decided(of) = self.standing(0) else {
            return Vec::new();
        };
        let majority = self.answer(of);
        let odd = self
            .cast
            .iter()
            .filter(|(_, answer)| Some(answer) != majority);
        odd.map(|(replica, _)| *replica).collect()
    }

    /// What the replica answered.
    #[must_use]
    pub fn answer(&self, replica: u32) -> Option<&A> {
        let found = self.cast.iter().find(|(other, _)| *other == replica);
        found.map(|(_, answer)| answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a replica does with a request.
    #[derive(Debug, Clone, Copy)]
    enum Does {
        Truth,
        Lie(u8),
        Silence,
    }

    const TRUTH: u8 = 0;

    /// `f`, and what 2f+1 replicas do, at most f of them not the truth, in some order.
    fn group() -> impl Strategy<Value = (usize, Vec<(u32, Does)>)> {
        (0usize..5).prop_flat_map(|f| {
            let bad = prop_oneof![(1u8..3).prop_map(Does::Lie), Just(Does::Silence)];
            let bad = proptest::collection::vec(bad, 0..=f);
            bad.prop_flat_map(move |bad| {
                let mut all = vec![Does::Truth; 2 * f + 1];
                for (place, what) in all.iter_mut().zip(bad) {
                    *place = what;
                }
                let all: Vec<_> = (0..).zip(all).collect();
                (Just(f), Just(all).prop_shuffle())
            })
        })
    }

    proptest! {
        #[test]
        fn up_to_f_that_lie_change_nothing((f, all) in group()) {
            let mut ballot = Ballot::new(f + 1);
            for (replica, _) in &all {
                ballot.ask(*replica);
            }
            let mut decided_at = None;
            for (place, (replica, does)) in all.iter().enumerate() {
                match does {
                    Does::Truth => ballot.cast(*replica, TRUTH),
                    Does::Lie(lie) => ballot.cast(*replica, *lie),
                    Does::Silence => ballot.lose(*replica),
                }
                match ballot.standing(0) {
                    Standing::Decided(of) => {
                        prop_assert_eq!(ballot.answer(of), Some(&TRUTH));
                        decided_at.get_or_insert(place);
                    }
                    standing => {
                        prop_assert_eq!(standing, Standing::Open);
                        prop_assert_eq!(decided_at, None);
                    }
                }
            }
            // As soon as it is certain: with the f+1st true answer.
            let mut true_ones = all.iter().enumerate().filter(|(_, (_, does))| matches!(does, Does::Truth));
            prop_assert_eq!(decided_at, true_ones.nth(f).map(|(place, _)| place));
            let mut liars: Vec<_> = all.iter().filter(|(_, does)| matches!(does, Does::Lie(_))).map(|(replica, _)| *replica).collect();
            let mut odd = ballot.odd();
            liars.sort_unstable();
            odd.sort_unstable();
            prop_assert_eq!(odd, liars);
        }

        #[test]
        fn hopeless_is_never_wrong(quorum in 1usize..6, words in proptest::collection::vec(proptest::option::of(0u8..3), 0..6), more in 0usize..3) {
            let mut ballot = Ballot::new(quorum);
            let all = u32::try_from(words.len() + more).unwrap();
            for (replica, word) in (0..).zip(&words) {
                ballot.ask(replica);
                match word {
                    Some(word) => ballot.cast(replica, *word),
                    None => ballot.lose(replica),
                }
            }
            let standing = ballot.standing(more);
            // The most favourable words of those to come.
            let reachable = (0u8..3).any(|word| {
                let mut later = ballot.clone();
                for replica in u32::try_from(words.len()).unwrap()..all {
                    later.ask(replica);
                    later.cast(replica, word);
                }
                matches!(later.standing(0), Standing::Decided(_))
            });
            prop_assert_eq!(standing == Standing::Hopeless, !reachable);
        }
    }

    #[test]
    fn a_replica_has_one_voice() {
        let mut ballot = Ballot::new(2);
        ballot.ask(1);
        ballot.ask(1);
        ballot.cast(1, 7);
        ballot.cast(1, 7);
        ballot.cast(2, 7);
        assert_eq!(ballot.standing(1), Standing::Open);
        assert_eq!(ballot.standing(0), Standing::Hopeless);
    }
}
