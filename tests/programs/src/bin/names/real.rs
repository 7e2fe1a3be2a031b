//! Tries to reach an object by its real NT path in ways that a curious program
//! has: directly, below an opened directory, and through a symbolic link of its
//! own making.

use core::ptr::null_mut;
use pinion_test_programs::nt::{self, Kind};
use serde_json::{Value, json};

/// Every attempt with its status, and whether one of them succeeded.
pub fn attempts(path: &str) -> Value {
    let mut attempts = Vec::new();
    let units: Vec<u16> = path.encode_utf16().collect();
    for kind in Kind::ALL {
        let (status, _handle) = nt::open(kind, null_mut(), &units);
        attempts.push(told("direct", kind, status));
    }
    attempts.extend(below_directory(path));
    attempts.extend(through_link(path));
    let reached = attempts.iter().any(|attempt| attempt["reached"] == true);
    json!({"name": path, "attempts": attempts, "reached": reached})
}

fn told(how: &str, kind: Kind, status: i32) -> Value {
    json!({
        "how": how, "kind": kind.name(), "status": nt::hex(status), "reached": status >= 0,
    })
}

fn below_directory(path: &str) -> Vec<Value> {
    let Some((folder, leaf)) = path.rsplit_once('\\') else {
        return Vec::new();
    };
    let folder: Vec<u16> = folder.encode_utf16().collect();
    let leaf: Vec<u16> = leaf.encode_utf16().collect();
    let (status, directory) = nt::open(Kind::Directory, null_mut(), &folder);
    let Some(directory) = directory else {
        return vec![told("its directory", Kind::Directory, status)];
    };
    let opened = |kind| {
        told(
            "below its directory",
            kind,
            nt::open(kind, directory.0, &leaf).0,
        )
    };
    Kind::ALL.into_iter().map(opened).collect()
}

fn through_link(path: &str) -> Vec<Value> {
    let link = format!("\\BaseNamedObjects\\pinion-link-{}", std::process::id());
    let units: Vec<u16> = link.encode_utf16().collect();
    let (status, made) = nt::create_link(null_mut(), &units, path);
    if made.is_none() {
        return vec![json!({"how": "making a link", "status": nt::hex(status), "reached": false})];
    }
    Kind::ALL
        .into_iter()
        .filter(|kind| *kind != Kind::SymbolicLink)
        .map(|kind| told("through a link", kind, nt::open(kind, null_mut(), &units).0))
        .collect()
}
