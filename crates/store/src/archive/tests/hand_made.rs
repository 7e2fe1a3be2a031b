//! Archives made by hand, member for member.

use std::fs;

use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

use super::super::frames::Compressor;
use super::super::keys::hex;
use super::super::manifest::Manifest;
use super::super::nodes::Node;
use super::super::{FORMAT, MANIFEST, SUMS};
use super::{facts, unpack};
use crate::error::Error;

/// A member of a hostile archive.
pub(super) struct Member {
    pub(super) name: Vec<u8>,
    pub(super) kind: EntryType,
    pub(super) bytes: Vec<u8>,
    /// What its header says of its size.
    pub(super) size: u64,
    /// What it is a link to.
    pub(super) link: Vec<u8>,
}

pub(super) fn file(name: &str, bytes: &[u8]) -> Member {
    Member {
        name: name.into(),
        kind: EntryType::Regular,
        bytes: bytes.into(),
        size: bytes.len() as u64,
        link: Vec::new(),
    }
}

/// One more name of the member `to`.
pub(super) fn link(name: &str, to: &str) -> Member {
    Member {
        kind: EntryType::Link,
        link: to.into(),
        ..file(name, b"")
    }
}

pub(super) fn folder(name: &str) -> Member {
    Member {
        kind: EntryType::Directory,
        ..file(name, b"")
    }
}

/// An archive of exactly these members, whose header is filled without any check.
pub(super) fn raw(members: &[Member]) -> Vec<u8> {
    let mut tar = Builder::new(Compressor::new(Vec::new()));
    for member in members {
        let mut header = Header::new_gnu();
        header.as_mut_bytes()[..member.name.len().min(100)]
            .copy_from_slice(&member.name[..member.name.len().min(100)]);
        header.set_entry_type(member.kind);
        header.set_size(member.size);
        header.set_mode(0o644);
        header.as_gnu_mut().unwrap().linkname[..member.link.len()].copy_from_slice(&member.link);
        header.set_cksum();
        tar.append(&header, &member.bytes[..]).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

pub(super) fn node(path: &str, directory: bool) -> String {
    let node = Node {
        directory,
        ..Node::named(path)
    };
    serde_json::to_string(&node).unwrap() + "\n"
}

/// An archive whose one layer has these members and is in order but for them.
pub(super) fn with(middle: Vec<Member>, keys: &str, change: impl Fn(&mut Manifest)) -> Vec<Member> {
    let nodes: String = middle
        .iter()
        .filter_map(|m| {
            let name = String::from_utf8_lossy(&m.name).into_owned();
            let path = name.strip_prefix("layers/0/files/")?.to_owned();
            // Of a stream nothing more is said.
            if path.contains(':') {
                return None;
            }
            Some(node(&path, m.kind == EntryType::Directory))
        })
        .collect();
    let mut all = middle;
    all.push(file("layers/0/files.jsonl", nodes.as_bytes()));
    all.push(file("layers/0/keys.jsonl", keys.as_bytes()));
    sealed(all, change)
}

/// Puts manifest and checksums around.
pub(super) fn sealed(mut all: Vec<Member>, change: impl Fn(&mut Manifest)) -> Vec<Member> {
    let mut manifest = Manifest {
        format: FORMAT,
        pinion: "0".into(),
        user: "S-1".into(),
        vm: facts(),
        layers: 1,
        members: all.len() as u64,
        bytes: all.iter().map(|m| m.size).sum(),
        names: all.iter().map(|m| m.name.len() as u64).sum(),
    };
    change(&mut manifest);
    all.insert(0, file(MANIFEST, &serde_json::to_vec(&manifest).unwrap()));
    let sums: Vec<u8> = all
        .iter()
        .filter(|m| matches!(m.kind, EntryType::Regular | EntryType::Link))
        .flat_map(|m| {
            let target = all
                .iter()
                .find(|of| !m.link.is_empty() && of.name == m.link);
            let sum = hex(&Sha256::digest(&target.unwrap_or(m).bytes));
            [sum.as_bytes(), b"  ", &m.name, b"\n"].concat()
        })
        .collect();
    all.push(file(SUMS, &sums));
    all
}

/// Why the archive of these members is refused.
#[track_caller]
pub(super) fn why(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    match unpack(bytes, folder.path(), None) {
        Err(Error::BadArchive { why, .. }) => why,
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("taken in"),
    }
}

pub(super) fn drive(more: Vec<Member>) -> Vec<Member> {
    let mut all = vec![folder("layers/0/files/C")];
    all.extend(more);
    all
}

#[test]
fn the_hand_made_archive_is_good() {
    let folder = tempfile::tempdir().unwrap();
    let good = with(
        drive(vec![file("layers/0/files/C/a", b"hello")]),
        "",
        |_| (),
    );
    let memory = unpack(&raw(&good), folder.path(), None).unwrap();
    assert_eq!(fs::read(memory.places[0].join("C/a")).unwrap(), b"hello");
}
