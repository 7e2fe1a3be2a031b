//! The names that operations use: few, so that they meet; in several cases, and
//! some that are odd.

use crate::chance::Chance;

const FOLDERS: &[&str] = &["d1", "d2", "d3", "Sub folder"];
const LEAVES: &[&str] = &[
    "a",
    "b",
    "c.txt",
    "A long name of a file.text",
    "é.dat",
    ".dot",
    "d1",
    "d2",
    "d3",
    "Sub folder",
    "x.y.z",
];
const KEYS: &[&str] = &["k1", "k2", "K three", "é"];
const VALUES: &[&str] = &["", "v1", "V2", "a longer name of a value", "ü"];

/// A path below the process's folder, such as `d1\A`.
pub fn file(chance: &mut Chance) -> String {
    let mut path = below(chance, FOLDERS, LEAVES);
    if chance.percent(3) {
        path += *chance.one(&["\\", ":stream", "*", ".", " ", "\\\\a", "\\.", "\\.."]);
    }
    path
}

/// The path of what is a folder, if it is there; empty for the process's own.
pub fn folder(chance: &mut Chance) -> String {
    if chance.percent(25) {
        String::new()
    } else {
        below(chance, FOLDERS, FOLDERS)
    }
}

/// A key's path below the process's key.
pub fn key(chance: &mut Chance) -> String {
    let mut path = below(chance, KEYS, KEYS);
    if chance.percent(2) {
        path += *chance.one(&["\\", "\\\\k1", "\\."]);
    }
    path
}

/// A name for a key or file alone.
pub fn new_name(chance: &mut Chance, of_key: bool) -> String {
    let name = *chance.one(if of_key { KEYS } else { LEAVES });
    cased(chance, name)
}

/// A value's name.
pub fn value(chance: &mut Chance) -> String {
    let name = *chance.one(VALUES);
    cased(chance, name)
}

fn below(chance: &mut Chance, inner: &[&str], leaves: &[&str]) -> String {
    let depth = chance.weighed(&[(5, 0), (4, 1), (2, 2)]);
    let mut path = String::new();
    for _ in 0..depth {
        let name = *chance.one(inner);
        path += &cased(chance, name);
        path.push('\\');
    }
    let leaf = *chance.one(leaves);
    path + &cased(chance, leaf)
}

fn cased(chance: &mut Chance, name: &str) -> String {
    match chance.below(10) {
        0 | 1 => name.to_uppercase(),
        2 => name.to_lowercase(),
        _ => name.to_owned(),
    }
}

/// How paths are compared here: as one that ends no handle too few.
pub fn folded(path: &str) -> String {
    path.trim_end_matches(['\\', '.', ' ', '*'])
        .split(':')
        .next()
        .unwrap_or("")
        .to_lowercase()
}

/// Whether the last name of `path` begins with a dot.
pub fn is_dotted(path: &str) -> bool {
    path.rsplit('\\').next().unwrap_or("").starts_with('.')
}

/// Whether one of two folded paths is the other or lies below it.
pub fn related(one: &str, other: &str) -> bool {
    let below = |path: &str, above: &str| {
        path == above
            || above.is_empty()
            || path
                .strip_prefix(above)
                .is_some_and(|rest| rest.starts_with('\\'))
    };
    below(one, other) || below(other, one)
}
