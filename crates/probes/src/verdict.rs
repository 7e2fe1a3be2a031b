//! From what was seen between the pairs to a row of the table.

use crate::exchange::Seen;
use crate::kind::{Kind, Pair};
use crate::report::Result;
use std::collections::BTreeMap;

/// What was seen, by pair.
pub type Sights = BTreeMap<Pair, Seen>;

/// The judgement of one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Works inside.
    pub inside: Result,
    /// Closed between VMs.
    pub across: Result,
    /// Closed between VM and host.
    pub host: Result,
    /// All of it.
    pub result: Result,
    /// Why it is not [`Result::Ok`]; else empty.
    pub detail: String,
}

/// Judges what was seen of a way of `kind`.
///
/// Nothing that was never shown to work is called closed: then it is absent,
/// with what the control said. What leads out is a failure even so.
#[must_use]
pub fn verdict(kind: Kind, sights: &Sights) -> Verdict {
    let shown = [kind.control(), Pair::Inside]
        .iter()
        .any(|pair| kind.tries(*pair) && sights.get(pair) == Some(&Seen::Got));
    let judged = |pair| judge(kind, pair, shown, sights.get(&pair));
    let inside = judged(Pair::Inside);
    let across = judged(Pair::Across);
    let host = judged(Pair::ToHost).and(judged(Pair::FromHost));
    let result = inside.and(across).and(host);
    Verdict {
        inside,
        across,
        host,
        result,
        detail: detail(kind, shown, result, sights),
    }
}

fn judge(kind: Kind, pair: Pair, shown: bool, seen: Option<&Seen>) -> Result {
    let Some(seen) = seen else {
        return Result::Absent;
    };
    let got = *seen == Seen::Got;
    if kind.must_not_work(pair) {
        return match seen {
            Seen::Got | Seen::Broken(_) => Result::Fail,
            _ if shown => Result::Ok,
            _ => Result::Absent,
        };
    }
    if !kind.must_work(pair) {
        return Result::Absent;
    }
    match (got, seen) {
        (true, _) => Result::Ok,
        // What the system has not is not missed inside.
        (false, Seen::Missing(_)) if !shown => Result::Absent,
        (false, _) if shown || kind == Kind::Inside => Result::Fail,
        (false, Seen::Broken(_)) => Result::Fail,
        (false, _) => Result::Absent,
    }
}

fn detail(kind: Kind, shown: bool, result: Result, sights: &Sights) -> String {
    let told = |pair: &Pair| {
        let seen = sights.get(pair)?;
        let wrong = judge(kind, *pair, shown, Some(seen)) == Result::Fail;
        wrong.then(|| format!("{}: {}", pair.words(), seen.words()))
    };
    match result {
        Result::Ok => String::new(),
        Result::Fail => {
            let all: Vec<String> = Pair::ALL.iter().filter_map(told).collect();
            all.join("; ")
        }
        Result::Absent => {
            let control = kind.control();
            let said = sights.get(&control).map_or("not tried".into(), Seen::words);
            format!("not shown to work {}: {said}", control.words())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Result;
    use proptest::prelude::*;

    fn seen() -> impl Strategy<Value = Seen> {
        prop_oneof![
            Just(Seen::Got),
            Just(Seen::Other("x".into())),
            Just(Seen::Refused("c0000034".into())),
            Just(Seen::Missing("x".into())),
            Just(Seen::Broken("x".into())),
        ]
    }

    fn kind() -> impl Strategy<Value = Kind> {
        prop_oneof![
            Just(Kind::Name),
            Just(Kind::Real),
            Just(Kind::Number),
            Just(Kind::Layered),
            Just(Kind::Host),
            Just(Kind::Refused),
            Just(Kind::Inside),
        ]
    }

    fn sights() -> impl Strategy<Value = Sights> {
        let all = Pair::ALL.map(|pair| prop::option::of(seen()).prop_map(move |s| (pair, s)));
        all.prop_map(|all| {
            let there = all
                .into_iter()
                .filter_map(|(pair, seen)| Some((pair, seen?)));
            there.collect()
        })
    }

    fn all(of: &[(Pair, Seen)]) -> Sights {
        of.iter().cloned().collect()
    }

    fn closed() -> Seen {
        Seen::Refused("c0000034".into())
    }

    proptest! {
        #[test]
        fn what_leads_out_always_fails(kind in kind(), mut sights in sights(), at in 0_usize..5) {
            let pair = Pair::ALL[at];
            sights.insert(pair, Seen::Got);
            prop_assert!(!kind.must_not_work(pair) || verdict(kind, &sights).result == Result::Fail);
        }

        #[test]
        fn nothing_is_ok_that_was_not_shown_to_work(kind in kind(), mut sights in sights()) {
            sights.remove(&kind.control());
            sights.remove(&Pair::Inside);
            prop_assert_ne!(verdict(kind, &sights).result, Result::Ok);
        }

        #[test]
        fn what_is_not_ok_says_why(kind in kind(), sights in sights()) {
            let verdict = verdict(kind, &sights);
            prop_assert_eq!(verdict.result == Result::Ok, verdict.detail.is_empty());
        }

        #[test]
        fn a_player_without_an_answer_is_never_ok(kind in kind(), mut sights in sights(), at in 0_usize..5) {
            let pair = Pair::ALL[at];
            sights.insert(pair, Seen::Broken("hung".into()));
            let judged = kind.must_work(pair) || kind.must_not_work(pair);
            prop_assert!(!judged || verdict(kind, &sights).result != Result::Ok);
        }
    }

    #[test]
    fn a_confined_name_is_ok() {
        let sights = all(&[
            (Pair::Host, Seen::Got),
            (Pair::Inside, Seen::Got),
            (Pair::Across, closed()),
            (Pair::ToHost, closed()),
            (Pair::FromHost, closed()),
        ]);
        let verdict = verdict(Kind::Name, &sights);
        let Verdict {
            inside,
            across,
            host,
            result,
            ..
        } = verdict;
        assert_eq!([inside, across, host, result], [Result::Ok; 4]);
    }

    #[test]
    fn what_the_system_does_not_have_is_absent_with_its_reason() {
        let missing = || Seen::Missing("NtAlpcCreatePort".into());
        let pairs = Pair::ALL.map(|pair| (pair, missing()));
        let verdict = verdict(Kind::Name, &all(&pairs));
        assert_eq!(verdict.result, Result::Absent);
        assert!(verdict.detail.contains("NtAlpcCreatePort"), "{verdict:?}");
    }

    #[test]
    fn what_works_outside_and_not_inside_fails() {
        let sights = all(&[(Pair::Host, Seen::Got), (Pair::Inside, closed())]);
        assert_eq!(verdict(Kind::Number, &sights).inside, Result::Fail);
    }
}
