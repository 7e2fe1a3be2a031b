//! Content that is refused: sums, sizes, counts, cuts and bombs.

use std::fs;
use std::io::Write;

use proptest::prelude::*;
use tar::EntryType;

use super::super::FORMAT;
use super::super::MANIFEST;
use super::super::frames::Compressor;
use super::super::manifest::Manifest;
use super::hand_made::{Member, drive, file, node, raw, sealed, why, with};
use super::unpack;
use crate::error::Error;

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
        |m: &mut Manifest| m.format = FORMAT + 1,
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
