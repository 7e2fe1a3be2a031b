//! Links and rights of keys, as they are carried to the host, into an archive, and told by a comparison.

use super::tree::{ALL, OK, READ, Tree, answer, answers};
use pinion_e2e::World;
use serde_json::{Value, json};

const OPEN: &str = "D:(A;;0xf003f;;;WD)";
/// All but the setting of values.
const NARROW: &str = "D:(A;;0xf003d;;;WD)";

/// What the VM changes: a link of its own, a link in the place of a tree, a tree in the place of a link, and
/// the rights of a key that the host has and of one that it has not.
const CHANGES: &[&[&str]] = &[
    &["link", "l", "r:L", ALL],
    &["target", "l", r"KEY\A"],
    &["open", "c", r"r:C\C1\C2", ALL],
    &["delete", "c"],
    &["open", "c", r"r:C\C1", ALL],
    &["delete", "c"],
    &["open", "c", "r:C", ALL],
    &["delete", "c"],
    &["link", "c", "r:C", ALL],
    &["target", "c", r"KEY\B"],
    &["open-link", "h", "r:H", ALL],
    &["delete", "h"],
    &["create", "h", "r:H", ALL],
    &["create", "below", "h:below", ALL],
    &["set", "below", "v", "1"],
    &["open", "a", "r:A", ALL],
    &["protect", "a", NARROW],
    &["create", "n", "r:New", ALL],
    &["set", "n", "v", "2"],
    &["protect", "n", NARROW],
];

const LOOKS: &[&[&str]] = &[
    &["list", "r"],
    &["open", "x", r"r:L\A1", READ],
    &["get", "x", "w"],
    &["open-link", "x", "r:L", READ],
    &["values", "x"],
    &["open", "x", "r:C", READ],
    &["get", "x", "bv"],
    &["list", "x"],
    &["open", "x", r"r:H\below", READ],
    &["get", "x", "v"],
    &["open", "x", "r:A", READ],
    &["security", "x"],
    &["get", "x", "v"],
    &["open", "x", "r:New", READ],
    &["security", "x"],
    &["open", "x", "r:B", READ],
    &["security", "x"],
    &["values", "x"],
];

/// The operations with the tree's own key in the place of `KEY`.
fn of(tree: &Tree, operations: &[&[&str]]) -> Vec<String> {
    let words = tree.words(operations);
    words
        .iter()
        .map(|word| word.replace("KEY\\", &format!("{}\\", tree.key)))
        .collect()
}

fn run(world: &World, tree: &Tree, how: &[&str], operations: &[&[&str]]) -> Vec<Value> {
    let program = world.host.path_of("keys");
    let run = world.pinion(["run"]).args(how).args([program]);
    answers(&run.args(of(tree, operations)).run())
}

/// What was answered, without the operations.
fn told(answers: &[Value]) -> Vec<(Value, Value)> {
    answers
        .iter()
        .map(|one| (one["status"].clone(), one["value"].clone()))
        .collect()
}

fn changed(name: &str) -> (World, Tree, Vec<(Value, Value)>) {
    let world = World::new();
    // Wine keeps descriptors of keys as long as any program runs.
    world.sleeper("awake", 300);
    let tree = Tree::new(name);
    let made = answers(
        &tree
            .host
            .program("keys")
            .args(of(
                &tree,
                &[&["link", "h", "r:H", ALL][..], &["target", "h", r"KEY\B"]],
            ))
            .run(),
    );
    // The tree's own handle may only read.
    assert!(made.iter().all(|one| one["status"] == OK), "{made:#?}");
    let session = [CHANGES, LOOKS].concat();
    let all = run(&world, &tree, &["--name", "one"], &session);
    let (made, seen) = all.split_at(CHANGES.len() + 1);
    assert!(made.iter().all(|one| one["status"] == OK), "{made:#?}");
    assert_eq!(answer(seen, LOOKS[2])["value"], json!("deep"));
    (world, tree, told(seen))
}

#[test]
fn links_and_rights_are_merged_and_told() {
    let (world, tree, seen) = changed("carried-merge");
    let shown = world
        .pinion(["diff", "--json", "one"])
        .run()
        .expect(0)
        .json();
    let keys = shown["keys"].as_array().expect("keys");
    let end = |name: &str| {
        let key = keys
            .iter()
            .find(|key| key["name"].as_str().is_some_and(|k| k.ends_with(name)));
        key.unwrap_or_else(|| panic!("no {name}: {keys:#?}"))
    };
    let rights = &end("\\A")["security"];
    assert!(
        rights["now"] != rights["was"] && rights["now"].is_string(),
        "{rights:#}"
    );
    assert_eq!(end("\\L")["what"], "added");
    assert_eq!(end("\\C")["what"], "changed");

    world.pinion(["commit", "one"]).run().ok();
    let host = answers(&tree.host.program("keys").args(of(&tree, LOOKS)).run());
    assert_eq!(told(&host)[1..], seen[..]);
    let again = world
        .pinion(["commit", "one", "--json"])
        .run()
        .expect(0)
        .json();
    assert_eq!(
        again["changes"],
        json!([]),
        "what is merged is no change any more"
    );
    assert_eq!(
        told(&run(&world, &tree, &["--rm", "--from", "one"], LOOKS))[1..],
        seen[..]
    );
}

#[test]
fn rights_that_the_host_changed_since_stop_a_merge() {
    let (world, tree, _) = changed("carried-conflict");
    tree.outside(&[
        &["open", "a", "r:A", ALL],
        &["protect", "a", "D:(A;;0xf003b;;;WD)"],
    ]);
    let refused = world.pinion(["commit", "one"]).run();
    refused.fails(121, &["1 of its files and keys", "--ours"]);
    assert!(
        refused.stdout.contains("\\A") && refused.stdout.contains("rights"),
        "{refused:#?}"
    );
    world.pinion(["commit", "one", "--theirs"]).run().ok();
    let seen = tree.outside(&[&["open", "a", "r:A", READ], &["security", "a"]]);
    assert!(
        seen[2]["value"]
            .as_str()
            .is_some_and(|text| !text.contains("3d")),
        "{seen:#?}"
    );
    tree.outside(&[&["open", "a", "r:A", "40000"], &["protect", "a", OPEN]]);
}

#[test]
fn links_and_rights_are_exported_and_imported() {
    let (world, tree, seen) = changed("carried-archive");
    let there = World::new();
    let file = format!("{}\\one.tar.zst", world.windows_work());
    world.pinion(["export", "one", "-o", &file]).run().ok();
    there.pinion(["import", &file, "again"]).run().ok();
    assert_eq!(
        told(&run(&there, &tree, &["--rm", "--from", "again"], LOOKS))[1..],
        seen[..]
    );
    // What was told stays as the VM's own, and is no change of the host's.
    world.pinion(["commit", "one", "--into", "kept"]).run().ok();
    assert_eq!(
        told(&run(&world, &tree, &["--rm", "--from", "kept"], LOOKS))[1..],
        seen[..]
    );
}
