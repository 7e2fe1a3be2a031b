//! Whole trees in files.

use super::tree::{ALL, OK, READ, Tree};
use pinion_e2e::World;

const NOT_HELD: &str = "0xc0000061";

/// What Wine's text of a tree says, but for the key's own path and the times.
fn lines(world: &World, file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(world.work().join(file)).expect("a saved file");
    let told = |line: &&str| !line.starts_with("#time") && !line.starts_with(";;");
    let without_time = |line: &str| {
        let key = line
            .starts_with('[')
            .then(|| line.rsplit_once(' '))
            .flatten();
        key.map_or(line, |(name, _)| name).to_owned()
    };
    text.lines().filter(told).map(without_time).collect()
}

#[test]
fn a_saved_tree_is_what_the_vm_sees() {
    let world = World::new();
    let tree = Tree::new("save");
    let file = |name: &str| format!(r"{}\{name}", world.windows_work());
    let (before, after, inside_file) = (file("before"), file("after"), file("inside"));
    // The host's files are written to where the session runs outside.
    let session = |after: &str| -> Vec<Vec<String>> {
        [
            vec!["save", "r", &before],
            vec!["privilege", "SeBackupPrivilege"],
            vec!["save", "r", &before],
            vec!["open", "a", "r:A", ALL],
            vec!["set", "a", "v", "new"],
            vec!["open", "b", "r:B", ALL],
            vec!["delete", "b"],
            vec!["class", "n", "r:New", ALL, "some class"],
            vec!["set", "n", "x", "y"],
            vec!["save", "r", after],
            vec!["save", "n", &before],
            vec!["restore", "r", &before],
            vec!["list", "r"],
            vec!["replace", "r", &before, &before],
        ]
        .iter()
        .map(|words| words.iter().map(|&word| word.to_owned()).collect())
        .collect()
    };
    let strings = |session: &[Vec<String>]| session.to_vec();
    let run = |lines: &[Vec<String>], inside: bool| {
        let lines: Vec<Vec<&str>> = lines
            .iter()
            .map(|line| line.iter().map(String::as_str).collect())
            .collect();
        let lines: Vec<&[&str]> = lines.iter().map(Vec::as_slice).collect();
        if inside {
            tree.inside(&world, &lines)
        } else {
            tree.outside(&lines)
        }
    };
    let look: &[&[&str]] = &[&["open", "a", "r:A", READ], &["get", "a", "v"]];
    let mut within = strings(&session(&inside_file));
    within.push(vec!["copy-out".to_owned(), inside_file.clone()]);
    let inside = run(&within, true);
    assert_eq!(tree.outside(look)[2]["value"], "old");
    let outside = run(&session(&after), false);
    for (inside, outside) in inside.iter().zip(&outside) {
        assert_eq!(inside["status"], outside["status"], "{inside} {outside}");
        assert_eq!(inside["value"], outside["value"], "{inside} {outside}");
    }
    assert_eq!(inside[1]["status"], NOT_HELD);
    assert_eq!(inside[3]["status"], OK);
    let text = inside[inside.len() - 1]["value"].as_str().expect("a text");
    std::fs::write(world.work().join("seen"), text).expect("written");
    assert_eq!(lines(&world, "seen"), lines(&world, "after"));
}

#[test]
fn a_hive_is_loaded_and_unloaded_inside() {
    let world = World::new();
    let tree = Tree::new("load");
    let file = format!(r"{}\hive", world.windows_work());
    // Wine takes the root of a hive by its very case.
    let hive = r"\REGISTRY\Machine\e2e-keys-load";
    let session: &[&[&str]] = &[
        &["load", hive, &file],
        &["privilege", "SeRestorePrivilege"],
        &["load", hive, r"C:\nowhere\hive"],
        &["load", hive, &file],
        &["load", hive, &file],
        &["open", "h", hive, ALL],
        &["names", "h"],
        &["list", "h"],
        &["open", "a", r"h:A\A1", READ],
        &["get", "a", "w"],
        &["unload", hive],
        &["close", "a"],
        &["close", "h"],
        &["unload", hive],
        &["open", "h", hive, READ],
        &["unload", hive],
    ];
    let saved = tree.outside(&[&["privilege", "SeBackupPrivilege"], &["save", "r", &file]]);
    assert_eq!(saved[2]["status"], OK);
    let told = tree.compare(&world, session);
    assert_eq!(told[4]["status"], OK, "{told:#?}");
    assert_eq!(told[10]["value"], "deep");
    let host = tree.outside(&[&["open", "h", hive, READ]]);
    assert_ne!(host[1]["status"], OK);
}
