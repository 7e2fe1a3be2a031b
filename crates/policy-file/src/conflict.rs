//! Rules that can never count, because earlier ones decide all their names.

use pinion_policy::rules::{Action, places};

use crate::cover::covers;
use crate::read::Rule;

/// Why `rule`, which comes after `earlier`, can never count; `None` when it can. A
/// rule whose names several earlier ones have only together is not found.
pub(crate) fn never_counts(earlier: &[Rule], rule: &Rule) -> Option<String> {
    let mut before: Option<&Rule> = None;
    for action in [Action::Make, Action::Open] {
        for place in [places::LOCAL, places::GLOBAL] {
            if rule.actions & action.bit() == 0 || rule.places & place == 0 {
                continue;
            }
            let decides = |other: &&Rule| {
                other.channel == rule.channel
                    && other.actions & action.bit() != 0
                    && other.places & place != 0
                    && covers(&other.pattern, &rule.pattern)
            };
            let first = earlier.iter().find(decides)?;
            before = before.or(Some(first));
        }
    }
    let before = before?;
    let line = before.line;
    let same = before.places == rule.places && covers(&rule.pattern, &before.pattern);
    Some(if same && before.effect != rule.effect {
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
    })
}
