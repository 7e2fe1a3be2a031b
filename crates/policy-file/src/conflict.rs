//! Rules that can never count, because earlier ones decide all their names.

use pinion_policy::rules::{Action, Effect, places};

use crate::cover::covers;
use crate::read::Rule;

/// Why `rule`, which comes after `earlier`, can never count; `None` when it can. A
/// rule whose names several earlier ones have only together is not found.
pub(crate) fn never_counts(earlier: &[Rule], rule: &Rule) -> Option<String> {
    let mut before: Option<&Rule> = None;
    for other in deciding(earlier, rule) {
        before = before.or(Some(other?));
    }
    let before = before?;
    let line = before.line;
    let same = before.places == rule.places && covers(&rule.pattern, &before.pattern);
    Some(
        if same && (before.verdict, before.effect) != (rule.verdict, rule.effect) {
            format!(
                "this rule contradicts the one in line {line}, which decides the same names before it; remove one of them"
            )
        } else if same {
            format!("this rule says again what the one in line {line} says; remove one of them")
        } else {
            format!(
                "this rule can never count: the one in line {line} ('{}') decides all its names before it; put this one first, or remove it",
                before.name
            )
        },
    )
}

/// For each call and directory that `rule` is about, the first earlier rule that
/// decides all its names. One for other VMs to read is decided by such as are for
/// the same VM.
fn deciding<'r>(earlier: &'r [Rule], rule: &Rule) -> Vec<Option<&'r Rule>> {
    let is_for_peer = rule.effect == Effect::Inert;
    let same_call = |other: &Rule, action: Option<Action>| match action {
        None => other.effect == Effect::Inert && other.peer == rule.peer,
        Some(action) => other.actions & action.bit() != 0,
    };
    let calls = [Action::Make, Action::Open].map(Some);
    let calls = calls
        .into_iter()
        .filter(|call| call.is_some_and(|call| rule.actions & call.bit() != 0))
        .chain(is_for_peer.then_some(None));
    let places = [places::LOCAL, places::GLOBAL];
    let facts = calls.flat_map(|call| places.map(|place| (call, place)));
    facts
        .filter(|(_, place)| rule.places & place != 0)
        .map(|(call, place)| {
            earlier.iter().find(|other| {
                other.channel == rule.channel
                    && same_call(other, call)
                    && other.places & place != 0
                    && covers(&other.pattern, &rule.pattern)
            })
        })
        .collect()
}
