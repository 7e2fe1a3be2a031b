//! The tests and probes that channels name exist.
#![cfg(not(windows))]

use pinion_channels::Channel;
use std::path::{Path, PathBuf};

fn e2e() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/e2e/tests")
}

/// The source of the test `file::test` or `folder::file::test`.
fn source(path: &[&str]) -> Option<String> {
    let (last, folders) = path.split_last()?;
    let below = folders.iter().fold(e2e(), |at, part| at.join(part));
    let file = below.join(format!("{last}.rs"));
    let main = below.join(last).join("main.rs");
    std::fs::read_to_string(file)
        .or_else(|_| std::fs::read_to_string(main))
        .ok()
}

fn exists(proof: &str) -> bool {
    let Some(path) = proof.strip_prefix("e2e ") else {
        return false;
    };
    let parts: Vec<_> = path.split("::").collect();
    let Some((test, file)) = parts.split_last() else {
        return false;
    };
    source(file).is_some_and(|text| text.contains(&format!("#[test]\nfn {test}()")))
}

#[test]
fn every_proof_is_a_test_that_exists() {
    for channel in Channel::ALL {
        for proof in channel.about().proofs {
            assert!(exists(proof), "{channel}: there is no {proof}");
        }
    }
}

#[test]
fn a_proof_that_does_not_exist_is_seen() {
    for none in ["e2e names::no_such_test", "e2e nothing::x", "names::x", ""] {
        assert!(!exists(none), "{none}");
    }
}
