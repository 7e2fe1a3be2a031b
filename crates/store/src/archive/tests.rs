//! Archives as a whole: what goes in comes out, and what no export makes is refused.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

use super::frames::Compressor;
use super::keys::{Key, hex};
use super::manifest::{Manifest, VmFacts};
use super::nodes::Node;
use super::pack::{Gathered, archive};
use super::read::{Sink, read};
use super::unpack::Place;
use super::{MANIFEST, SUMS};
use crate::error::{Error, Result};
use crate::metadata::{Extra, Extras, System};
use crate::record::Limits;

fn facts() -> VmFacts {
    VmFacts {
        name: "web".parse().unwrap(),
        created_ms: 1,
        command: vec!["x.exe".into()],
        env: vec![],
        cwd: None,
        limits: Limits::default(),
        ports: vec![],
        network: pinion_names::socket::Network::Loopback,
        remove_at_end: false,
    }
}

/// Puts all of an archive into folders, and its keys into memory.
#[derive(Default)]
struct Memory {
    places: Vec<PathBuf>,
    manifest: Option<Manifest>,
    keys: Vec<Key>,
    nodes: Vec<Node>,
}

impl Memory {
    fn place(&self, layer: usize) -> Place {
        Place {
            files: self.places[layer].clone(),
            users: ("S-1-5".into(), "S-1-9".into()),
        }
    }
}

impl Sink for Memory {
    fn begin(&mut self, manifest: &Manifest) -> Result<()> {
        self.manifest = Some(manifest.clone());
        Ok(())
    }
    fn directory(&mut self, layer: usize, path: &str) -> Result<()> {
        self.place(layer).directory(path)
    }
    fn file(&mut self, layer: usize, path: &str, bytes: &mut dyn Read) -> Result<()> {
        self.place(layer).file(path, bytes)
    }
    fn stream(&mut self, layer: usize, path: &str, name: &str, bytes: &mut dyn Read) -> Result<()> {
        self.place(layer).stream(path, name, bytes)
    }
    fn link(&mut self, layer: usize, path: &str, first: &str) -> Result<()> {
        self.place(layer).link(path, first)
    }
    fn node(&mut self, layer: usize, node: &Node) -> Result<()> {
        self.nodes.push(node.clone());
        self.place(layer).node(node)
    }
    fn base(&mut self, layer: usize, bytes: &mut dyn Read) -> Result<()> {
        self.place(layer).base(bytes)
    }
    fn key(&mut self, _layer: usize, key: &Key) -> Result<()> {
        self.keys.push(key.clone());
        Ok(())
    }
}

/// Unpacks an archive into fresh folders below `to`.
fn unpack(bytes: &[u8], to: &Path, most: Option<u64>) -> Result<Memory> {
    let path = to.join("archive.tar.zst");
    fs::write(&path, bytes).unwrap();
    let places: Vec<_> = (0..2).map(|layer| to.join(format!("out{layer}"))).collect();
    for place in &places {
        fs::create_dir(place).unwrap();
    }
    let mut memory = Memory {
        places,
        ..Memory::default()
    };
    read(&path, most, &mut memory, &mut |_, _| ())?;
    Ok(memory)
}

fn pack(layers: &[&Path], keys: &[Key]) -> Result<Vec<u8>> {
    let mut gathered = Vec::new();
    for layer in layers {
        gathered.push(Gathered::new(layer, |out| {
            for key in keys {
                serde_json::to_writer(&mut *out, key).unwrap();
                out.write_all(b"\n").unwrap();
            }
            Ok(())
        })?);
    }
    archive(
        Vec::new(),
        Path::new("x"),
        facts(),
        "S-1".into(),
        &mut gathered,
        &mut |_, _| (),
    )
}

/// The time as NT keeps it.
fn in_ticks(time: std::time::SystemTime) -> std::time::SystemTime {
    super::nodes::time(super::nodes::ticks(time).unwrap()).unwrap()
}

/// Every file and folder below, with its bytes and time of change.
fn picture(root: &Path) -> BTreeMap<PathBuf, (Option<Vec<u8>>, std::time::SystemTime)> {
    let mut all = BTreeMap::new();
    let mut todo = vec![root.to_path_buf()];
    while let Some(folder) = todo.pop() {
        for item in fs::read_dir(&folder).unwrap() {
            let path = item.unwrap().path();
            let metadata = fs::metadata(&path).unwrap();
            let bytes = metadata.is_file().then(|| fs::read(&path).unwrap());
            let whiteout = path
                .file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with(".wh.");
            let modified = if whiteout {
                std::time::UNIX_EPOCH
            } else {
                in_ticks(metadata.modified().unwrap())
            };
            if metadata.is_dir() {
                todo.push(path.clone());
            }
            all.insert(
                path.strip_prefix(root).unwrap().to_path_buf(),
                (bytes, modified),
            );
        }
    }
    all
}

#[test]
fn a_stack_of_layers_comes_out_as_it_went_in() {
    let folder = tempfile::tempdir().unwrap();
    let (upper, lower) = (folder.path().join("upper"), folder.path().join("lower"));
    let long = ["x".repeat(200), "y".repeat(200), "z".repeat(200)].join("/");
    fs::create_dir_all(upper.join("C").join(&long)).unwrap();
    fs::create_dir_all(upper.join("D/empty")).unwrap();
    fs::create_dir_all(lower.join("C/x")).unwrap();
    fs::write(
        upper.join("C").join(&long).join("ä ß.txt"),
        vec![7; 300_000],
    )
    .unwrap();
    fs::write(upper.join("C/.wh.gone"), "").unwrap();
    fs::write(upper.join("D/.wh.empty"), "").unwrap();
    fs::write(upper.join("C/.wh..wh.0000000100000002"), "half").unwrap();
    fs::write(upper.join(pinion_wire::base::NAME), "base").unwrap();
    fs::write(lower.join("C/x/y"), "").unwrap();
    let old = std::time::UNIX_EPOCH + std::time::Duration::new(1_000_000_000, 123_456_700);
    fs::File::open(upper.join("D/empty"))
        .unwrap()
        .set_modified(old)
        .unwrap();
    let bytes = pack(&[&upper, &lower], &[]).unwrap();
    let memory = unpack(&bytes, folder.path(), None).unwrap();
    fs::remove_file(upper.join("C/.wh..wh.0000000100000002")).unwrap();
    let mut before = picture(&upper);
    let mut after = picture(&memory.places[0]);
    for picture in [&mut before, &mut after] {
        // Changed by the removal just now.
        picture.get_mut(Path::new("C")).unwrap().1 = old;
    }
    assert_eq!(
        before.keys().collect::<Vec<_>>(),
        after.keys().collect::<Vec<_>>()
    );
    for (path, (bytes, _)) in &before {
        assert_eq!(bytes, &after[path].0, "{path:?}");
    }
    assert_eq!(after[Path::new("D/empty")].1, old);
    assert_eq!(
        picture(&lower).keys().collect::<Vec<_>>(),
        picture(&memory.places[1]).keys().collect::<Vec<_>>()
    );
    assert_eq!(memory.manifest.unwrap().vm, facts());
}

#[test]
fn what_could_not_be_taken_in_is_not_given_out() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["nul", "a ", "b.", "c:d", "Com1.txt"] {
        let root = folder.path().join("upper");
        fs::create_dir_all(root.join("C")).unwrap();
        fs::write(root.join("C").join(name), "").unwrap();
        assert!(
            matches!(pack(&[&root], &[]), Err(Error::NotExportable { .. })),
            "{name}"
        );
        fs::remove_dir_all(&root).unwrap();
    }
}

/// A member of a hostile archive.
struct Member {
    name: Vec<u8>,
    kind: EntryType,
    bytes: Vec<u8>,
    /// What its header says of its size.
    size: u64,
    /// What it is a link to.
    link: Vec<u8>,
}

fn file(name: &str, bytes: &[u8]) -> Member {
    Member {
        name: name.into(),
        kind: EntryType::Regular,
        bytes: bytes.into(),
        size: bytes.len() as u64,
        link: Vec::new(),
    }
}

/// One more name of the member `to`.
fn link(name: &str, to: &str) -> Member {
    Member {
        kind: EntryType::Link,
        link: to.into(),
        ..file(name, b"")
    }
}

fn folder(name: &str) -> Member {
    Member {
        kind: EntryType::Directory,
        ..file(name, b"")
    }
}

/// An archive of exactly these members, whose header is filled without any check.
fn raw(members: &[Member]) -> Vec<u8> {
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

fn node(path: &str, directory: bool) -> String {
    let node = Node {
        directory,
        ..Node::named(path)
    };
    serde_json::to_string(&node).unwrap() + "\n"
}

/// An archive whose one layer has these members and is in order but for them.
fn with(middle: Vec<Member>, keys: &str, change: impl Fn(&mut Manifest)) -> Vec<Member> {
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
fn sealed(mut all: Vec<Member>, change: impl Fn(&mut Manifest)) -> Vec<Member> {
    let mut manifest = Manifest {
        format: super::FORMAT,
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
fn why(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    match unpack(bytes, folder.path(), None) {
        Err(Error::BadArchive { why, .. }) => why,
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("taken in"),
    }
}

fn drive(more: Vec<Member>) -> Vec<Member> {
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

#[test]
fn hostile_names_are_refused() {
    for name in [
        "/etc/passwd",
        "../x",
        "layers/0/files/../../x",
        "layers/0/files/C/../../../x",
        "layers/0/files/C/a/../b",
        "layers/1/files/C",
        "layers/00/files/C/a",
        "layers/+0/files/C/a",
        "layers/0/other",
        "layers/0/files/C\\a",
        "layers/0/files/C/a:b",
        "layers/0/files/C/con",
        "layers/0/files/C/NUL.txt",
        "layers/0/files/C/a.",
        "layers/0/files/C/a ",
        "layers/0/files/C/.wh..wh.1",
        "layers/0/files/C/.wh..wh..opq",
        "layers/0/files/C/.WH.a",
        "layers/0/files/.wh..wh.base",
        "layers/0/files/x",
        "layers/0/files/C//a",
        "layers/0/files/C/./a",
        "SHA256SUMS/x",
        "layers/0/files/D/a",
        "layers/0/files/c/a",
        "layers/0/files/C/none/a",
        "\\\\?\\C:\\x",
        "C:\\x",
        "",
    ] {
        let why = why(&raw(&with(drive(vec![file(name, b"x")]), "", |_| ())));
        assert!(!why.contains("damaged"), "{name}: {why}");
    }
    let not_utf8 = Member {
        name: b"layers/0/files/C/\xff\xfe".to_vec(),
        ..file("", b"x")
    };
    assert!(why(&raw(&with(drive(vec![not_utf8]), "", |_| ()))).contains("UTF-8"));
}

#[test]
fn an_archive_of_the_first_format_is_taken_in() {
    let folder = tempfile::tempdir().unwrap();
    let members = drive(vec![file("layers/0/files/C/a", b"hello")]);
    let old = raw(&with(members, "", |m| m.format = 1));
    let memory = unpack(&old, folder.path(), None).unwrap();
    assert_eq!(fs::read(memory.places[0].join("C/a")).unwrap(), b"hello");
}

#[test]
fn names_of_one_file_stay_one() {
    let folder = tempfile::tempdir().unwrap();
    let upper = folder.path().join("upper");
    let long = ["x".repeat(200), "y".repeat(200)].join("/");
    fs::create_dir_all(upper.join("C").join(&long)).unwrap();
    fs::create_dir_all(upper.join("D")).unwrap();
    let names = [
        format!("C/{long}/a"),
        "C/b".into(),
        "D/c".into(),
        format!("C/{long}/d"),
    ];
    fs::write(upper.join(&names[0]), "one file").unwrap();
    for name in &names[1..] {
        fs::hard_link(upper.join(&names[0]), upper.join(name)).unwrap();
    }
    fs::write(upper.join("C/other"), "one file").unwrap();
    let packed = pack(&[&upper], &[]).unwrap();
    let memory = unpack(&packed, folder.path(), None).unwrap();
    let out = &memory.places[0];
    assert_eq!(picture(&upper), picture(out));
    for name in &names[1..] {
        assert!(
            crate::facts::are_one(&out.join(&names[0]), &out.join(name)),
            "{name}"
        );
    }
    assert_eq!(crate::facts::of(&out.join("C/other")).unwrap().names, None);
}

#[test]
fn streams_owners_short_names_and_times_survive() {
    let folder = tempfile::tempdir().unwrap();
    let upper = folder.path().join("upper");
    fs::create_dir_all(upper.join("C/dir")).unwrap();
    fs::write(upper.join("C/dir/file.text"), "own").unwrap();
    fs::hard_link(upper.join("C/dir/file.text"), upper.join("C/dir/again")).unwrap();
    fs::write(upper.join("C/plain"), "own").unwrap();
    let streams: [(&str, &str, &[u8]); 3] = [
        ("C/dir/file.text", "Zone.Identifier", b"[ZoneTransfer]"),
        ("C/dir/file.text", "\u{5}Summary", &[7; 100_000]),
        ("C/dir", "of a folder", b""),
    ];
    for (path, name, bytes) in streams {
        System
            .write(&upper.join(path), name, &mut &bytes[..])
            .unwrap();
    }
    let extra = |owner: &str| Extra {
        owner: Some(owner.into()),
        short: Some("FILE~1.TEX".into()),
    };
    System
        .give(&upper.join("C/dir/file.text"), &extra("O:S-1-5"))
        .unwrap();
    let then = fs::FileTimes::new()
        .set_accessed(super::nodes::time(125_000_000_000_000_000).unwrap())
        .set_modified(super::nodes::time(126_000_000_000_000_000).unwrap());
    for path in ["C/dir/file.text", "C/dir"] {
        fs::File::open(upper.join(path))
            .unwrap()
            .set_times(then)
            .unwrap();
    }
    let changed = crate::facts::of(&upper.join("C/dir/file.text"))
        .unwrap()
        .changed;
    let packed = pack(&[&upper], &[]).unwrap();
    let memory = unpack(&packed, folder.path(), None).unwrap();
    let out = &memory.places[0];
    for (path, name, bytes) in streams {
        let mut read = Vec::new();
        System
            .read(&out.join(path), name)
            .unwrap()
            .read_to_end(&mut read)
            .unwrap();
        assert_eq!(read, bytes, "{path}:{name}");
    }
    let count = |path: &str| System.streams(&out.join(path)).unwrap().len();
    assert_eq!(["C/dir/again", "C/dir", "C/plain"].map(count), [2, 1, 0]);
    // The exporter's own is the importer's own.
    assert_eq!(
        System.extra(&out.join("C/dir/again")).unwrap(),
        extra("O:S-1-9")
    );
    assert_eq!(
        System.extra(&out.join("C/plain")).unwrap(),
        Extra::default()
    );
    let facts = crate::facts::of(&out.join("C/dir/file.text")).unwrap();
    assert_eq!(
        (facts.accessed, facts.written),
        (125_000_000_000_000_000, 126_000_000_000_000_000)
    );
    let node = memory
        .nodes
        .iter()
        .find(|node| node.path == "C/dir/again")
        .unwrap();
    assert_eq!(
        (node.changed, node.accessed),
        (Some(changed), Some(facts.accessed))
    );
}

#[test]
fn hostile_streams_and_lines_are_refused() {
    let a = "layers/0/files/C/a";
    let stream = |name: &str| file(&format!("layers/0/files/{name}"), b"s");
    let after = |more: Vec<Member>| {
        let mut all = drive(vec![file(a, b"x")]);
        all.extend(more);
        all
    };
    let folder = tempfile::tempdir().unwrap();
    unpack(
        &raw(&with(after(vec![stream("C/a:s")]), "", |_| ())),
        folder.path(),
        None,
    )
    .unwrap();
    for bad in [
        "C/a:",
        "C/a:b:c",
        "C/a:b/c",
        "C/a:b\\c",
        "C/A:b",
        "C:b",
        "C/b:c",
        "../x:b",
        ":b",
        "C/a::$DATA",
    ] {
        let why = why(&raw(&with(after(vec![stream(bad)]), "", |_| ())));
        assert!(why.contains("stream"), "{bad}: {why}");
    }
    let hidden = file("layers/0/files/C/.wh.b", b"");
    for more in [
        vec![stream("C/a:s"), stream("C/a:S")],
        vec![hidden, stream("C/.wh.b:s")],
        vec![link("layers/0/files/C/b", a), stream("C/b:s")],
        vec![file("layers/0/files/C/b", b""), stream("C/a:s")],
        vec![folder_of_stream()],
    ] {
        let _ = why(&raw(&with(after(more), "", |_| ())));
    }
    let first = with(after(vec![stream("C/a:s")]), "", |m| m.format = 1);
    assert!(why(&raw(&first)).contains("no streams"));
    for line in [
        "\"owner\":\"O:BAG:BA\"",
        "\"owner\":\"\"",
        "\"short\":\"../x\"",
        "\"short\":\"TOOLONGFORONE\"",
        "\"security\":\"O:BA\"",
    ] {
        let mut all = after(vec![]);
        let nodes = node("C", true) + &format!("{{\"path\":\"C/a\",{line}}}\n");
        all.push(file("layers/0/files.jsonl", nodes.as_bytes()));
        all.push(file("layers/0/keys.jsonl", b""));
        assert!(why(&raw(&sealed(all, |_| ()))).contains("'C/a'"), "{line}");
    }
}

/// A directory where a stream should be.
fn folder_of_stream() -> Member {
    folder("layers/0/files/C/a:s")
}

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

#[test]
fn collisions_are_refused() {
    let pairs = [
        (
            file("layers/0/files/C/a", b"1"),
            file("layers/0/files/C/a", b"1"),
        ),
        (
            file("layers/0/files/C/a", b"1"),
            file("layers/0/files/C/A", b"2"),
        ),
        (folder("layers/0/files/C/d"), folder("layers/0/files/C/D")),
        (
            folder("layers/0/files/C/d"),
            file("layers/0/files/C/D/x", b""),
        ),
        (
            file("layers/0/files/C/a", b"1"),
            file("layers/0/files/C/a/b", b"2"),
        ),
        (
            file("layers/0/files/C/\u{e4}", b"1"),
            file("layers/0/files/C/\u{c4}", b"2"),
        ),
        (
            file("layers/0/files/C/.wh.a", b""),
            file("layers/0/files/C/.wh.A", b""),
        ),
    ];
    for (first, second) in pairs {
        let name = String::from_utf8_lossy(&second.name).into_owned();
        let why = why(&raw(&with(drive(vec![first, second]), "", |_| ())));
        assert!(!why.contains("damaged"), "{name}: {why}");
    }
    assert!(
        why(&raw(&with(
            drive(vec![file("layers/0/files/C/.wh.a", b"x")]),
            "",
            |_| ()
        )))
        .contains("empty")
    );
    assert!(
        why(&raw(&with(
            drive(vec![folder("layers/0/files/C/.wh.a")]),
            "",
            |_| ()
        )))
        .contains("empty")
    );
    let drive_file = vec![file("layers/0/files/C", b"")];
    assert!(why(&raw(&with(drive_file, "", |_| ()))).contains("drive"));
}

#[test]
fn wrong_checksums_sizes_and_counts_are_refused() {
    let good = || drive(vec![file("layers/0/files/C/a", b"hello")]);
    let mut changed = with(good(), "", |_| ());
    changed[2].bytes = b"jello".to_vec();
    assert!(why(&raw(&changed)).contains("checksum"));
    for change in [
        |m: &mut Manifest| m.bytes += 1,
        |m: &mut Manifest| m.bytes -= 1,
        |m: &mut Manifest| m.members += 1,
        |m: &mut Manifest| m.members -= 1,
        |m: &mut Manifest| m.layers = 2,
        |m: &mut Manifest| m.layers = 0,
        |m: &mut Manifest| m.layers = 65,
        |m: &mut Manifest| m.format = super::FORMAT + 1,
        |m: &mut Manifest| m.format = 0,
        |m: &mut Manifest| m.members = u64::MAX,
        |m: &mut Manifest| m.bytes = u64::MAX,
        |m: &mut Manifest| m.names = u64::MAX,
        |m: &mut Manifest| m.bytes = 1 << 40,
    ] {
        let _ = why(&raw(&with(good(), "", change)));
    }
    for missing in 0..6 {
        let mut all = with(good(), "", |_| ());
        all.remove(missing);
        let _ = why(&raw(&all));
    }
    let mut after = with(good(), "", |_| ());
    after.push(file("layers/0/files/C/b", b""));
    assert!(why(&raw(&after)).contains("after its end"));
    let mut twice = with(good(), "", |_| ());
    twice.insert(1, file(MANIFEST, b"{}"));
    let _ = why(&raw(&twice));
    let mut lies = with(good(), "", |_| ());
    lies[2].size = 1 << 50;
    let _ = why(&raw(&lies));
}

#[test]
fn bombs_are_refused() {
    let zeros = vec![0; 24 << 20];
    let packed = raw(&with(
        drive(vec![file("layers/0/files/C/a", &zeros)]),
        "",
        |_| (),
    ));
    assert!(packed.len() < zeros.len() / 500);
    let folder = tempfile::tempdir().unwrap();
    let refused = unpack(&packed, folder.path(), Some(20 << 20));
    assert!(matches!(refused, Err(Error::BadArchive { why, .. }) if why.contains("--max-size")));
    // One that tells of few bytes is stopped where it has more.
    let liar = raw(&with(
        drive(vec![file("layers/0/files/C/a", &zeros)]),
        "",
        |m| m.bytes = 10,
    ));
    assert!(why(&liar).contains("more than it says"));
    // A long name without end.
    let name = Member {
        kind: EntryType::GNULongName,
        ..file("././@LongLink", &zeros)
    };
    assert!(why(&raw(&with(drive(vec![name]), "", |_| ()))).contains("too long"));
    // Zeros after the end of the tar.
    let mut tar = raw(&with(drive(vec![]), "", |_| ()));
    let mut tail = Compressor::new(Vec::new());
    tail.write_all(&zeros).unwrap();
    tar.extend(tail.finish().unwrap());
    assert!(why(&tar).contains("more than it says"));
}

#[test]
fn hostile_keys_are_refused() {
    for line in [
        "{}",
        "[]",
        "{\"key\":[]}",
        "{\"key\":[\"Hidden\",\"x\"]}",
        "{\"key\":[\"MACHINE\",\"x\"]}",
        "{\"key\":[\"MACHINE\"],\"surprise\":1}",
        "{\"key\":[\"MACHINE\"],\"values\":[{\"name\":\"\",\"type\":6,\"data\":\"\"}]}",
    ] {
        let why = why(&raw(&with(drive(vec![]), &format!("{line}\n"), |_| ())));
        assert!(why.contains("key"), "{line}: {why}");
    }
    assert!(
        why(&raw(&with(
            drive(vec![]),
            "{\"key\":[\"MACHINE\"]}",
            |_| ()
        )))
        .contains("no end")
    );
}

#[test]
fn what_is_said_of_files_must_be_of_them() {
    for nodes in [
        String::new(),
        node("C", false),
        node("C", true) + &node("C/b", false),
        node("C", true) + &node("C/a", false) + &node("C/../../x", false),
        node("C/a", false) + &node("C", true),
    ] {
        let mut all = drive(vec![file("layers/0/files/C/a", b"x")]);
        all.push(file("layers/0/files.jsonl", nodes.as_bytes()));
        all.push(file("layers/0/keys.jsonl", b""));
        let _ = why(&raw(&sealed(all, |_| ())));
    }
}

#[test]
fn every_cut_and_every_other_file_is_refused() {
    let good = raw(&with(
        drive(vec![file("layers/0/files/C/a", &[9; 5000])]),
        "",
        |_| (),
    ));
    for end in (0..good.len()).step_by(41) {
        let _ = why(&good[..end]);
    }
    for other in [&b"PK\x03\x04"[..], b"\x1f\x8b", b"", b"hello", &[0; 2048]] {
        let _ = why(other);
    }
    assert!(why(&[&good[..], b"more"].concat()).contains("damaged"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_tree_survives(files in proptest::collection::btree_map(
        "[a-e]{1,2}(/[a-eäß .~_-]{0,6}[a-e]){0,3}", proptest::option::of(proptest::collection::vec(any::<u8>(), 0..300)), 0..12)) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("upper");
        fs::create_dir_all(root.join("C")).unwrap();
        for (path, bytes) in &files {
            let at = root.join("C").join(path);
            // Where one path is below another's file it cannot be made.
            match bytes {
                None => drop(fs::create_dir_all(&at)),
                Some(bytes) => {
                    let _ = fs::create_dir_all(at.parent().unwrap());
                    let _ = fs::write(&at, bytes);
                }
            }
        }
        let packed = match pack(&[&root], &[]) {
            Err(Error::NotExportable { .. }) => return Ok(()),
            packed => packed.unwrap(),
        };
        let memory = unpack(&packed, folder.path(), None).unwrap();
        prop_assert_eq!(picture(&root), picture(&memory.places[0]));
    }

    #[test]
    fn no_flipped_bit_passes_unseen(at in any::<proptest::sample::Index>(), bit in 0..8_u8) {
        let mut bytes = raw(&with(drive(vec![file("layers/0/files/C/a", b"hello hello hello")]), "", |_| ()));
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let folder = tempfile::tempdir().unwrap();
        match unpack(&bytes, folder.path(), None) {
            Err(Error::BadArchive { .. }) => (),
            Err(other) => prop_assert!(false, "another error: {}", other),
            // A bit that says nothing: the content is whole.
            Ok(memory) => prop_assert_eq!(fs::read(memory.places[0].join("C/a")).unwrap(), b"hello hello hello"),
        }
    }
}
