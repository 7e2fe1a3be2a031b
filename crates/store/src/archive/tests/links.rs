//! Links and other kinds of members that are refused.

use sha2::{Digest, Sha256};
use tar::EntryType;

use super::super::MANIFEST;
use super::super::SUMS;
use super::super::keys::hex;
use super::super::manifest::Manifest;
use super::hand_made::{Member, drive, file, link, node, raw, sealed, why, with};
use super::unpack;

#[test]
fn hostile_links_are_refused() {
    let a = "layers/0/files/C/a";
    let good = || drive(vec![file(a, b"x"), file("layers/0/files/C/.wh.w", b"")]);
    let after = |more: Member| {
        let mut all = good();
        all.push(more);
        all
    };
    let here = "layers/0/files/C/b";
    let folder = tempfile::tempdir().unwrap();
    unpack(
        &raw(&with(after(link(here, a)), "", |_| ())),
        folder.path(),
        None,
    )
    .unwrap();
    for to in [
        "",
        "/etc/passwd",
        "../../x",
        "layers/0/files/C/../C/a",
        "layers/0/files/C/A",
        "layers/0/files/C",
        "layers/0/files/C/none",
        "layers/0/files/C/.wh.w",
        "layers/1/files/C/a",
        "layers/0/base",
        "pinion.json",
        here,
    ] {
        let why = why(&raw(&with(after(link(here, to)), "", |_| ())));
        assert!(why.contains("leads to"), "{to}: {why}");
    }
    for name in [
        a,
        "layers/0/files/C/A",
        "layers/0/files/C/.wh.b",
        "layers/0/base",
        "x",
        "layers/0/files/D/b",
    ] {
        let why = why(&raw(&with(after(link(name, a)), "", |_| ())));
        assert!(!why.contains("damaged"), "{name}: {why}");
    }
    let mut before = good();
    before.insert(1, link(here, a));
    assert!(why(&raw(&with(before, "", |_| ()))).contains("before it"));
    let first = with(after(link(here, a)), "", |m| m.format = 1);
    assert!(why(&raw(&first)).contains("none of a file"));
    let filled = Member {
        kind: EntryType::Link,
        link: a.into(),
        ..file(here, b"xyz")
    };
    assert!(why(&raw(&with(after(filled), "", |_| ()))).contains("none of a file"));
    // What is told of the file is told at its first name.
    let mut all = after(link(here, a));
    let nodes = [node("C", true), node("C/a", false), node("C/.wh.w", false)].concat();
    let more = "{\"path\":\"C/b\",\"attributes\":2}\n";
    all.push(file("layers/0/files.jsonl", (nodes + more).as_bytes()));
    all.push(file("layers/0/keys.jsonl", b""));
    assert!(why(&raw(&sealed(all, |_| ()))).contains("'C/b'"));
    // A long target is that of a link, and comes once.
    let target = || Member {
        kind: EntryType::GNULongLink,
        ..file("././@LongLink", a.as_bytes())
    };
    let with_target = |more: Vec<Member>| {
        let mut all = good();
        all.push(target());
        all.extend(more);
        let mut all = with(all, "", |_| ());
        // Long targets are no members.
        let count = all
            .iter()
            .filter(|m| m.kind == EntryType::GNULongLink)
            .count();
        let mut manifest: Manifest = serde_json::from_slice(&all[0].bytes).unwrap();
        manifest.members -= count as u64;
        manifest.bytes -= (count * a.len()) as u64;
        all[0] = file(MANIFEST, &serde_json::to_vec(&manifest).unwrap());
        let sums = all.len() - 1;
        let text = String::from_utf8(all[sums].bytes.clone()).unwrap();
        let (_, rest) = text.split_once('\n').unwrap();
        let first = format!("{}  {MANIFEST}\n", hex(&Sha256::digest(&all[0].bytes)));
        all[sums] = file(SUMS, (first + rest).as_bytes());
        raw(&all)
    };
    let folder = tempfile::tempdir().unwrap();
    unpack(&with_target(vec![link(here, a)]), folder.path(), None).unwrap();
    assert!(why(&with_target(vec![file(here, b"x")])).contains("of no link"));
    assert!(why(&with_target(vec![target(), link(here, a)])).contains("too long"));
}

#[test]
fn other_kinds_of_members_are_refused() {
    for (kind, word) in [
        (EntryType::Symlink, "link"),
        (EntryType::Link, "link"),
        (EntryType::Char, "neither"),
        (EntryType::Block, "neither"),
        (EntryType::Fifo, "neither"),
        (EntryType::GNUSparse, "neither"),
        (EntryType::XHeader, "neither"),
        (EntryType::XGlobalHeader, "neither"),
        (EntryType::GNULongLink, "of no link"),
    ] {
        let member = Member {
            kind,
            ..file("layers/0/files/C/a", b"")
        };
        assert!(
            why(&raw(&with(drive(vec![member]), "", |_| ()))).contains(word),
            "{kind:?}"
        );
    }
}
