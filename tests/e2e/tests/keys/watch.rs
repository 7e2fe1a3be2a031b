//! Waiting for changes.

use super::tree::{ALL, DENIED, OK, PENDING, READ, Tree, answer, answers};
use pinion_e2e::World;
use serde_json::json;

const NAMES: &str = "1";
const VALUES: &str = "4";
const BOTH: &str = "5";

/// Watches on handles of the host, then changes; a watch is heard by whom it
/// concerns and by nobody else, copying up is silent.
const SESSION: &[&[&str]] = &[
    &["open", "a", "r:A", READ],
    &["watch", "r", "names", NAMES],
    &["watch", "a", "values", VALUES],
    &["open", "r2", "r:", READ],
    &["watch", "r2", "tree", BOTH, "tree"],
    &["open", "b", "r:B", READ],
    &["watch", "b", "other", BOTH, "tree"],
    &["rung", "names"],
    &["open", "w", "r:A", ALL],
    &["rung", "tree"],
    &["rung", "values"],
    &["set", "w", "v", "old"],
    &["rung", "values"],
    &["set", "w", "v", "new"],
    &["rung", "values"],
    &["rung", "tree"],
    &["rung", "names"],
    &["watch", "a", "values", VALUES],
    &["rung", "values"],
    &["watch", "r2", "tree", BOTH, "tree", "multiple"],
    &["unset", "w", "nothing"],
    &["rung", "values"],
    &["unset", "w", "u"],
    &["rung", "values"],
    &["rung", "tree"],
    &["watch", "r2", "tree", BOTH, "tree"],
    &["watch", "a", "values", VALUES],
    &["create", "n", "w:New", ALL],
    &["rung", "tree"],
    &["rung", "names"],
    &["rung", "values"],
    &["watch", "r2", "tree", BOTH, "tree"],
    &["create", "n", "r:New", ALL],
    &["rung", "names"],
    &["rung", "tree"],
    &["watch", "r", "names", NAMES],
    &["create", "n", "r:New", ALL],
    &["rung", "names"],
    &["delete", "n"],
    &["rung", "names"],
    &["watch", "r", "names", NAMES],
    &["watch", "r2", "tree", BOTH, "tree"],
    &["open", "c", "r:C", ALL],
    &["rung", "names"],
    &["rename", "c", "Moved"],
    &["rung", "names"],
    &["rung", "tree"],
    &["rung", "other"],
    &["close", "b"],
    &["rung", "other"],
    &["open", "no", "r:A", "20009"],
    &["watch", "no", "refused", NAMES],
    &["open", "v", "r:A", ALL],
    &["watch", "v", "upper", VALUES],
    &["watch", "v", "upper", VALUES],
    &["set", "w", "v", "again"],
    &["rung", "upper"],
];

#[test]
fn a_watch_is_heard_as_outside() {
    let world = World::new();
    let tree = Tree::new("watch");
    let told = tree.compare(&world, SESSION);
    assert_eq!(answer(&told, SESSION[1])["status"], PENDING);
    assert_eq!(told[15]["value"], json!(true), "{:?}", told[15]);
    assert_eq!(
        answer(&told, &["watch", "no", "refused", NAMES])["status"],
        DENIED
    );
}

#[test]
fn a_call_that_waits_comes_back() {
    let world = World::new();
    let tree = Tree::new("wait");
    let session: &[&[&str]] = &[
        &["open", "c1", r"r:C\C1", READ],
        &["wait", "values", "c1", VALUES],
        &["open", "r2", "r:", READ],
        &["wait", "tree", "r2", NAMES, "tree"],
        &["open", "w", r"r:C\C1", ALL],
        &["set", "w", "v", "1"],
        &["waited", "values"],
        &["create", "n", r"r:C\C1\New", ALL],
        &["waited", "tree"],
    ];
    let told = tree.compare(&world, session);
    assert_eq!(answer(&told, session[6])["status"], OK);
    assert_eq!(answer(&told, session[8])["status"], OK);
}

/// Starts a member that waits for one change of `r:A`, and makes changes until
/// it has come back: when it begins to wait is its own affair.
fn heard(tree: &Tree, world: &World, change: impl Fn(&str)) {
    let path = world.host.path_of("keys");
    let words = tree.words(&[
        &["open", "a", "r:A", READ],
        &["wait", "one", "a", BOTH],
        &["waited", "one"],
    ]);
    let mut listener = world.pinion(["exec", "vm", &path]).args(words).spawn();
    let mut turn = 0;
    while !listener.has_ended() {
        turn += 1;
        change(&turn.to_string());
    }
    let told = answers(&listener.wait());
    assert_eq!(told[3]["status"], OK, "{told:#?}");
}

#[test]
fn a_member_hears_another_and_the_host() {
    let world = World::new();
    let tree = Tree::new("others");
    world.sleeper("vm", 60);
    heard(&tree, &world, |turn| {
        let key = format!(r"r:A\{turn}");
        let told = tree.within(&world, "vm", &[&["create", "a", &key, ALL]]);
        assert_eq!(told[1]["status"], OK);
    });
    let tree = Tree::new("host-others");
    heard(&tree, &world, |turn| {
        tree.outside(&[&["open", "a", "r:A", ALL], &["set", "a", "v", turn]]);
    });
}
