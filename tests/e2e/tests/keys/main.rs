//! The registry of a VM: as on the host to look at, and the VM's own to change.

mod carried;
mod classes;
mod hives;
mod info;
mod links;
mod tree;
mod watch;

use pinion_e2e::World;
use serde_json::{Value, json};
use tree::{ALL, DENIED, NO_MORE, NOT_FOUND, OK, READ, Tree, answer, answers};

/// A session that changes much, with handles that were open before.
const SESSION: &[&[&str]] = &[
    &["list", "r"],
    &["figures", "r"],
    &["names", "r"],
    &["open", "a", "r:A", READ],
    &["get", "a", "v"],
    &["open", "w", "r:a", ALL],
    &["names", "w"],
    &["set", "w", "v", "new"],
    &["get", "a", "v"],
    &["get", "w", "v"],
    &["values", "a"],
    &["unset", "w", "u"],
    &["values", "a"],
    &["names", "a"],
    &["list", "w"],
    &["open", "a1", "a:A1", READ],
    &["get", "a1", "w"],
    &["names", "a1"],
    &["create", "n", "r:New", ALL],
    &["create", "n2", "r:new", READ],
    &["create", "x", r"r:nix\deep", ALL],
    &["list", "r"],
    &["figures", "r"],
    &["delete", "w"],
    &["open", "d", "r:B", "10000"],
    &["open", "b", "r:B", READ],
    &["delete", "d"],
    &["get", "b", "bv"],
    &["list", "r"],
    &["figures", "r"],
    &["open", "b", "r:B", READ],
    &["create", "b", "r:b", ALL],
    &["values", "b"],
    &["list", "b"],
    &["set", "b", "x", "y"],
    &["list", "r"],
    &["delete", "b"],
    &["open", "b", "r:B", READ],
    &["set", "a", "v", "no"],
    &["delete", "a"],
    &["create", "v", "r:Volatile", ALL, "volatile"],
    &["create", "v1", "v:Child", ALL],
    &["open", "c2", r"r:C\\C1\C2\", ALL],
    &["names", "c2"],
    &["set", "c2", "x", "z"],
    &["open", "c1", r"r:C\C1", READ],
    &["list", "c1"],
    &["open", "again", "r:", READ],
    &["names", "again"],
    &["list", "again"],
];

#[test]
fn a_session_looks_the_same_inside_and_leaves_the_host_alone() {
    let world = World::new();
    let tree = Tree::new("session");
    let before = tree.seen();
    let inside = tree.inside(&world, SESSION);
    assert_eq!(tree.seen(), before, "the host has changed");
    let outside = tree.outside(SESSION);
    for (inside, outside) in inside.iter().zip(&outside) {
        assert_eq!(inside, outside);
    }
    assert_eq!(inside.len(), outside.len());
    assert_ne!(tree.seen(), before, "the session changes nothing at all");
}

#[test]
fn what_is_changed_stays_with_the_vm() {
    let world = World::new();
    let tree = Tree::new("two");
    world.sleeper("one", 60);
    world.sleeper("two", 60);
    let change: &[&[&str]] = &[
        &["open", "a", "r:A", ALL],
        &["set", "a", "v", "one's"],
        &["create", "n", "r:New", ALL],
        &["open", "b", "r:B", ALL],
        &["delete", "b"],
    ];
    let look: &[&[&str]] = &[
        &["list", "r"],
        &["open", "a", "r:A", READ],
        &["get", "a", "v"],
    ];
    let host = tree.outside(look);
    let changed = tree.within(&world, "one", change);
    assert!(
        changed.iter().all(|one| one["status"] == OK),
        "{changed:#?}"
    );
    let own = tree.within(&world, "one", look);
    assert_eq!(
        answer(&own, look[0])["value"],
        json!(["_d", "A", "C", "New"])
    );
    assert_eq!(answer(&own, look[2])["value"], "one's");
    assert_eq!(tree.within(&world, "two", look), host);
    assert_eq!(tree.outside(look), host);
    let changed = world.inspect("one")["keys_changed"].as_u64();
    assert!(changed.is_none_or(|count| count >= 3), "{changed:?}");
}

#[test]
fn programs_that_write_at_once_lose_nothing() {
    const PROGRAMS: usize = 6;
    let world = World::new();
    let tree = Tree::new("at-once");
    let before = tree.seen();
    world.sleeper("vm", 60);
    let path = world.host.path_of("keys");
    let running: Vec<_> = (0..PROGRAMS)
        .map(|at| {
            let name = format!("by {at}");
            let own = format!("r:{name}");
            let words = tree.words(&[
                &["open", "c2", r"r:C\C1\C2", ALL],
                &["set", "c2", &name, "1"],
                &["open", "a", "r:A", ALL],
                &["set", "a", &name, "1"],
                &["create", "n", &own, ALL],
            ]);
            world.pinion(["exec", "vm", &path]).args(&words).spawn()
        })
        .collect();
    for program in running {
        let done = answers(&program.wait());
        assert!(done.iter().all(|one| one["status"] == OK), "{done:#?}");
    }
    let look: &[&[&str]] = &[
        &["list", "r"],
        &["open", "c2", r"r:C\C1\C2", READ],
        &["values", "c2"],
        &["open", "a", "r:A", READ],
        &["values", "a"],
    ];
    let seen = tree.within(&world, "vm", look);
    let count = |at: usize| {
        let all = answer(&seen, look[at])["value"].as_array();
        all.map_or(0, Vec::len)
    };
    assert_eq!(count(0), PROGRAMS + 4, "{seen:#?}");
    assert_eq!(count(2), PROGRAMS + 1, "{seen:#?}");
    assert_eq!(count(4), PROGRAMS + 2, "{seen:#?}");
    assert_eq!(tree.seen(), before);
}

#[test]
fn a_removed_vm_leaves_no_key() {
    let world = World::new();
    let tree = Tree::new("gone");
    let layers = r"%USER%\Software\Pinion\Layers";
    let list: &[&[&str]] = &[&["open", "l", layers, READ], &["list", "l"]];
    let path = world.host.path_of("keys");
    let words = tree.words(&[&["create", "n", "r:New", ALL]]);
    let run = world.pinion(["run", "--name", "gone", &path]).args(&words);
    run.run().ok();
    let upper = world.inspect("gone")["registry_upper"].clone();
    let id = json!(upper.as_str().and_then(|path| path.rsplit('\\').next()));
    let ours = |answers: &[Value]| {
        let all = answer(answers, list[1])["value"].clone();
        all.as_array().is_some_and(|all| all.contains(&id))
    };
    assert!(ours(&tree.on_host(list)), "the layer is below {layers}");
    world.pinion(["rm", "gone"]).run().ok();
    assert!(!ours(&tree.on_host(list)));
}

#[test]
fn a_renamed_key_takes_all_of_it_along() {
    let world = World::new();
    let tree = Tree::new("rename");
    let before = tree.seen();
    let session: &[&[&str]] = &[
        &["open", "c", "r:C", ALL],
        &["rename", "c", "Moved"],
        &["names", "c"],
        &["list", "r"],
        &["open", "c2", r"r:moved\c1\c2", READ],
        &["get", "c2", "x"],
        &["open", "old", "r:C", READ],
        &["rename", "c", "B"],
        &["create", "old", "r:C", ALL],
        &["list", "old"],
    ];
    let inside = tree.inside(&world, session);
    let of = |at: usize| answer(&inside, session[at]);
    assert_eq!(of(1)["status"], OK);
    let name = of(2)["value"][0].as_str().expect("a name");
    assert!(name.ends_with(r"\Software\e2e-keys-rename\Moved"), "{name}");
    assert_eq!(of(3)["value"], json!(["_d", "A", "B", "Moved"]));
    assert_eq!(of(5)["value"], "y");
    assert_eq!(of(6)["status"], NOT_FOUND);
    assert_eq!(of(7)["status"], "0xc0000121");
    assert_eq!((&of(8)["value"], &of(9)["value"]), (&json!(1), &json!([])));
    assert_eq!(tree.seen(), before);
}

#[test]
fn both_spellings_of_the_control_set_mean_one_key() {
    let world = World::new();
    let tree = Tree::new("link");
    let link = r"\Registry\Machine\System\CurrentControlSet\Services";
    let asked = tree.on_host(&[&["open", "s", link, READ], &["names", "s"]]);
    let real = asked[1]["value"][0].as_str().expect("a name").to_owned();
    let (by_link, by_name) = (format!(r"{link}\e2e-keys"), format!(r"{real}\e2e-keys"));
    let session: &[&[&str]] = &[
        &["create", "k", &by_link, ALL],
        &["set", "k", "v", "1"],
        &["names", "k"],
        &["open", "n", &by_name, ALL],
        &["get", "n", "v"],
        &["delete", "n"],
        &["open", "gone", &by_link, READ],
    ];
    let inside = tree.inside(&world, session);
    let of = |at: usize| answer(&inside, session[at]);
    assert_eq!(of(1)["status"], OK, "{inside:#?}");
    assert_eq!(of(2)["value"][0], json!(by_name));
    assert_eq!(of(4)["value"], "1");
    assert_eq!(of(6)["status"], NOT_FOUND);
    assert_eq!(
        tree.on_host(&[&["open", "k", &by_link, READ]])[0]["status"],
        NOT_FOUND
    );
}

#[test]
fn the_32_bit_view_is_the_vms_own() {
    let world = World::new();
    let tree = Tree::new("view");
    let both = r"\Registry\Machine\Software\Classes\Wow6432Node";
    let link = r"\Registry\Machine\Software\Wow6432Node\Classes";
    let change: &[&[&str]] = &[
        &["open", "l", link, ALL],
        &["names", "l"],
        &["set", "l", "e2e-keys", "1"],
        &["open", "b", both, READ],
        &["get", "b", "e2e-keys"],
    ];
    let inside = tree.inside(&world, change);
    let of = |at: usize| answer(&inside, change[at]);
    assert_eq!(of(0)["status"], OK, "{inside:#?}");
    assert_eq!(
        of(1)["value"][0],
        r"\REGISTRY\Machine\Software\Classes\Wow6432Node"
    );
    assert_eq!(of(4)["value"], "1");
    let host = tree.on_host(&[&["open", "b", both, READ], &["get", "b", "e2e-keys"]]);
    assert_eq!(host[1]["status"], NOT_FOUND);
}

#[test]
fn the_store_and_the_roots_are_closed() {
    let world = World::new();
    let tree = Tree::new("closed");
    let session: &[&[&str]] = &[
        &["open", "p", r"%USER%\Software\Pinion", READ],
        &["open", "l", r"%USER%\Software\Pinion\Layers", READ],
        &["create", "p", r"%USER%\Software\Pinion", ALL],
        &["open", "s", r"%USER%\Software", READ],
        &["list", "s"],
        &["open", "sw", r"%USER%\Software", ALL],
        &["list", "sw"],
        &["open", "h", r"\Registry\Hidden\Machine", READ],
        &["open", "root", r"\Registry", ALL],
        &["open", "root", r"\Registry", READ],
        &["list", "root"],
    ];
    let inside = tree.inside(&world, session);
    let of = |at: usize| answer(&inside, session[at]);
    for at in [0, 1, 2, 7] {
        assert_eq!(of(at)["status"], NOT_FOUND, "{:?}", of(at));
    }
    for at in [4, 6] {
        let names = of(at)["value"].as_array().expect("names");
        assert!(!names.contains(&json!("Pinion")), "{names:?}");
        assert!(names.contains(&json!("e2e-keys-closed")), "{names:?}");
    }
    assert_eq!(of(8)["status"], DENIED);
    assert_eq!(of(10)["status"], NO_MORE);
}
