//! What is packed and comes out again.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::hand_made::{drive, file, raw, with};
use super::{facts, pack, picture, unpack};
use crate::error::Error;
use crate::metadata::{Extra, Extras, System};

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
        .set_accessed(super::super::nodes::time(125_000_000_000_000_000).unwrap())
        .set_modified(super::super::nodes::time(126_000_000_000_000_000).unwrap());
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
}
