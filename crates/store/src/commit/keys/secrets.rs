//! Keys in which Wine keeps the user's and the machine's secrets: the host's are seen by no VM, and so no
//! VM's take their place.

use std::ffi::{OsStr, OsString};

use pinion_nt::wine::{MACHINE_SECRETS, SECRETS_PARENT, USER_SECRETS};

/// The paths of all of them, of the user with the SID `user`.
pub(super) fn all(user: &str) -> Vec<Vec<OsString>> {
    let below = |root: &[&str], names: &'static [&'static str]| {
        let root: Vec<OsString> = root.iter().map(OsString::from).collect();
        let parent = SECRETS_PARENT.split('\\').filter(|name| !name.is_empty());
        let parent: Vec<OsString> = root.into_iter().chain(parent.map(OsString::from)).collect();
        names.iter().map(move |name| {
            let mut path = parent.clone();
            path.push(name.into());
            path
        })
    };
    below(&["USER", user], USER_SECRETS)
        .chain(below(&["MACHINE"], MACHINE_SECRETS))
        .collect()
}

/// Whether the key `path` is at `other` or below it.
pub(super) fn is_below(path: &[OsString], other: &[OsString]) -> bool {
    let same = |(a, b): (&OsString, &OsString)| OsStr::eq_ignore_ascii_case(a, b);
    path.len() >= other.len() && path.iter().zip(other).all(same)
}
