//! Keys of the host that no VM sees: the secrets that Wine keeps in the registry,
//! where Windows has a service for them. A VM has none at first, and makes its own.

use crate::state;
use pinion_names::units::{SEPARATOR, below, starts};
use pinion_nt::wine::{MACHINE_SECRETS, SECRETS_PARENT, USER_SECRETS};

/// `\REGISTRY\MACHINE`.
const MACHINE: &[u16] = &{
    let text = b"\\REGISTRY\\MACHINE";
    let mut units = [0; 17];
    let mut at = 0;
    while at < units.len() {
        units[at] = text[at] as u16;
        at += 1;
    }
    units
};

/// Whether the key is one of them or below one.
pub(super) fn is_private(name: &[u16]) -> bool {
    let Some((rest, children)) = below_parent(name) else {
        return false;
    };
    let Some((_, rest)) = rest.split_first() else {
        return false;
    };
    children.iter().any(|child| {
        starts(rest, child).is_some_and(|end| end.is_empty() || end.first() == Some(&SEPARATOR))
    })
}

/// The names of those right below the key.
pub(super) fn children(name: &[u16]) -> &'static [&'static str] {
    match below_parent(name) {
        Some(([], children)) => children,
        _ => &[],
    }
}

/// Whether the subkey `child` of the key `name` is one of them.
pub(super) fn is_child(name: &[u16], child: &[u16]) -> bool {
    let is = |own: &&str| starts(child, own).is_some_and(<[u16]>::is_empty);
    children(name).iter().any(is)
}

/// Whether one of them is below the key `name`.
pub(super) fn any_below(name: &[u16]) -> bool {
    let above = |root: &[u16]| match below(name, root) {
        Some(rest) => {
            rest.len() <= SECRETS_PARENT.len()
                && SECRETS_PARENT
                    .get(..rest.len())
                    .is_some_and(|part| starts(rest, part).is_some())
        }
        None => below(root, name).is_some(),
    };
    above(state::page().user_key.as_units()) || above(MACHINE)
}

/// What follows, in the key's name, the key that has them, and their names there.
fn below_parent(name: &[u16]) -> Option<(&[u16], &'static [&'static str])> {
    let parent = |root: &[u16]| {
        let rest = starts(below(name, root)?, SECRETS_PARENT)?;
        (rest.is_empty() || rest.first() == Some(&SEPARATOR)).then_some(rest)
    };
    let user = parent(state::page().user_key.as_units()).map(|rest| (rest, USER_SECRETS));
    user.or_else(|| parent(MACHINE).map(|rest| (rest, MACHINE_SECRETS)))
}
