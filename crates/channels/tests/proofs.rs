//! The tests and probes that channels name exist.
#![cfg(not(windows))]

use pinion_channels::Channel;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The source of the module `path` below `folder`.
fn source(folder: &str, path: &[&str]) -> Option<String> {
    let (last, folders) = path.split_last()?;
    let below = folders
        .iter()
        .fold(root().join(folder), |at, part| at.join(part));
    let file = below.join(format!("{last}.rs"));
    let main = below.join(last).join("main.rs");
    std::fs::read_to_string(file)
        .or_else(|_| std::fs::read_to_string(main))
        .ok()
}

/// Whether `e2e file::test` or `crates/name file::test` is there.
fn exists(proof: &str) -> bool {
    let Some((place, path)) = proof.split_once(' ') else {
        return false;
    };
    let folder = match place {
        "e2e" => "tests/e2e/tests".into(),
        place => format!("{place}/src"),
    };
    let parts: Vec<_> = path.split("::").collect();
    let Some((test, file)) = parts.split_last() else {
        return false;
    };
    let is_test = |text: &str| {
        let lines: Vec<_> = text.lines().map(str::trim).collect();
        let named = format!("fn {test}() {{");
        lines
            .windows(2)
            .any(|two| two[0] == "#[test]" && two[1] == named)
    };
    source(&folder, file).is_some_and(|text| is_test(&text))
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
    for none in [
        "e2e names::no_such_test",
        "e2e names::holder",
        "e2e nothing::x",
        "names::x",
        "",
    ] {
        assert!(!exists(none), "{none}");
    }
}
