//! Waiting for changes of directories: told inside as outside, of what the
//! members do and of what the host does where it shows through, and of nothing
//! else.

use pinion_e2e::{Output, World};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// All filters that Wine knows.
const ALL: &str = "17f";
const PENDING: &str = "0x00000103";
const CANCELLED: &str = "0xc0000120";
const LOOK: &str = "0x0000010c";

/// Makes the host's tree.
fn plant(folder: &Path) {
    for name in ["sub", "sub2", "kept/deep"] {
        fs::create_dir_all(folder.join(name)).expect("folders");
    }
    for name in ["a.txt", "Big.bin", "d.txt", "sub/b.txt", "kept/deep/x"] {
        fs::write(folder.join(name), "hello").expect("a file");
    }
    fs::write(folder.join("large.bin"), vec![7; 200_000]).expect("a file");
}

/// `@` stands for the watched folder.
fn words(session: &[&[&str]], folder: &str) -> Vec<String> {
    let joined = session.join(&";");
    let words = joined.into_iter().map(|word| word.replace('@', folder));
    words.collect()
}

/// The answers: the last line, what is said before it is for the test.
fn answers(output: &Output) -> Vec<Value> {
    assert_eq!(output.code, 0, "{output:#?}");
    let last = output.stdout.lines().last().unwrap_or_default();
    serde_json::from_str(last).unwrap_or_else(|_| panic!("no answers: {output:#?}"))
}

fn folder(world: &World, name: &str) -> String {
    format!("{}\\{name}", world.windows_work())
}

/// Sees to it that the answers are the same inside as outside. What Wine's server
/// has heard of the file system at the time it is asked is chance, on both sides: a
/// difference is one that comes three times.
fn compare(session: &[&[&str]]) -> Vec<Value> {
    for _ in 0..2 {
        let (inside, outside) = both(session);
        if inside == outside {
            return inside;
        }
    }
    let (inside, outside) = both(session);
    for ((operation, inside), outside) in session.iter().zip(&inside).zip(&outside) {
        assert_eq!(inside, outside, "{operation:?}: inside, outside");
    }
    inside
}

/// Does the session on a tree that the host has inside, and on one of its own
/// outside.
fn both(session: &[&[&str]]) -> (Vec<Value>, Vec<Value>) {
    let world = World::new();
    for name in ["shared", "plain"] {
        plant(&world.work().join(name));
    }
    let outside = world.host.program("watches");
    let outside = answers(&outside.args(words(session, &folder(&world, "plain"))).run());
    let program = world.host.path_of("watches");
    let run = world.pinion(["run", "--rm", &program]);
    let inside = answers(&run.args(words(session, &folder(&world, "shared"))).run());
    (until_end(inside), until_end(outside))
}

/// The same without what was told beyond the file `end`, by chance.
fn until_end(mut answers: Vec<Value>) -> Vec<Value> {
    for told in answers.iter_mut().filter_map(Value::as_array_mut) {
        if let Some(end) = told.iter().position(|one| one == "+end") {
            told.truncate(end + 1);
        }
    }
    answers
}

#[test]
fn changes_by_a_member_are_told_as_outside() {
    let told = compare(&[
        &["open", "d", "@"],
        &["watch", "r", "d", ALL, "tree", "event", "4096"],
        &["write", "@\\new.txt", "n"],
        &["append", "@\\a.txt", "more"],
        &["find", "@\\d.txt"],
        &["delete", "@\\BIG.bin"],
        &["delete", "@\\large.bin"],
        &["rename", "@\\d.txt", "@\\e.txt"],
        &["delete", "@\\a.txt"],
        &["write", "@\\a.txt", "again"],
        &["list", "@\\sub"],
        &["append", "@\\sub\\b.txt", "x"],
        &["write", "@\\sub\\n", "y"],
        &["make", "@\\dir"],
        &["write", "@\\dir\\f", "f"],
        &["delete", "@\\sub\\n"],
        &["delete", "@\\sub\\b.txt"],
        &["remove", "@\\sub"],
        &["remove", "@\\sub2"],
        &["make", "@\\sub"],
        &["rename", "@\\kept", "@\\moved"],
        &["write", "@\\end", "x"],
        &["until", "r", "end"],
    ]);
    let all = told.last().and_then(Value::as_array).expect("records");
    assert!(all.contains(&json!("-Big.bin")), "{all:?}");
    assert!(all.contains(&json!("~sub\\b.txt")), "{all:?}");
}

#[test]
fn filters_and_depth_choose_as_outside() {
    let write: &[&str] = &["write", "@\\end", "x"];
    let make: &[&str] = &["make", "@\\end"];
    for (filter, end) in [
        ("1", write),
        ("2", make),
        ("9", write),
        ("3", make),
        ("5", write),
    ] {
        compare(&[
            &["open", "d", "@"],
            &["watch", "r", "d", filter, "flat", "event", "4096"],
            &["append", "@\\a.txt", "more"],
            &["make", "@\\dir"],
            &["append", "@\\sub\\b.txt", "x"],
            &["delete", "@\\d.txt"],
            &["remove", "@\\sub2"],
            &["append", "@\\Big.bin", "more"],
            end,
            &["until", "r", "end"],
        ]);
    }
}

#[test]
fn requests_end_as_outside() {
    let told = compare(&[
        &["open", "d", "@"],
        &["watch", "e", "d", ALL, "flat", "event", "4096"],
        &["pending", "e"],
        &["cancel-one", "e"],
        &["told", "e"],
        &["watch", "e", "d", ALL, "flat", "event", "4096"],
        &["cancel", "d"],
        &["told", "e"],
        &["watch", "h", "d", ALL, "flat", "handle", "4096"],
        &["pending", "h"],
        &["make", "@\\one"],
        &["told", "h"],
        &["watch", "a", "d", ALL, "flat", "apc", "4096"],
        &["make", "@\\two"],
        &["told", "a"],
        &["watch", "a", "d", ALL, "flat", "apc", "4096"],
        &["cancel", "d"],
        &["told", "a"],
        &["duplicate", "d2", "d"],
        &["watch", "e", "d", ALL, "flat", "event", "4096"],
        &["close", "d"],
        &["pending", "e"],
        &["close", "d2"],
        &["told", "e"],
        &["open", "p", "@"],
        &["port", "p"],
        &["watch", "p", "p", ALL, "flat", "port", "4096"],
        &["pending", "p"],
        &["make", "@\\three"],
        &["told", "p"],
        &["watch", "p", "p", ALL, "flat", "port", "4096"],
        &["cancel-one", "p"],
        &["told", "p"],
        &["watch", "p", "p", ALL, "flat", "port", "4096"],
        &["close", "p"],
        &["told", "p"],
    ]);
    assert_eq!(told[2], json!([false, PENDING]));
    assert_eq!(told[4][1], CANCELLED);
    assert_eq!(told[11], json!([true, "0x00000000", 18, ["+one"]]));
    assert_eq!(told[29][3], json!(["+three"]));
}

#[test]
fn what_does_not_fit_is_to_be_looked_for() {
    let told = compare(&[
        &["open", "n", "@"],
        &["watch", "n", "n", ALL, "flat", "event", "none"],
        &["make", "@\\first"],
        &["told", "n"],
        &["watch", "n", "n", ALL, "flat", "handle", "4096"],
        &["make", "@\\second"],
        &["told", "n"],
        &["open", "s", "@"],
        &["watch", "s", "s", ALL, "flat", "event", "16"],
        &["make", "@\\too long for it"],
        &["told", "s"],
        &["watch", "s", "s", ALL, "flat", "event", "16"],
        &["make", "@\\ab"],
        &["told", "s"],
        &["watch", "s", "s", ALL, "flat", "event", "18"],
        &["make", "@\\cd"],
        &["told", "s"],
        &["open", "none", "@\\none"],
    ]);
    assert_eq!((&told[3][1], &told[6][1]), (&json!(LOOK), &json!(LOOK)));
    assert_eq!(told[10][1], LOOK);
    assert_eq!(told[16][3], json!(["+cd"]));
}

#[test]
fn the_host_s_changes_are_told_where_they_show_and_another_vm_s_never() {
    let world = World::new();
    let tree = world.work().join("shared");
    plant(&tree);
    let at = folder(&world, "shared");
    for vm in ["one", "two"] {
        world.sleeper(vm, 300);
    }
    let act = |vm: &str, session: &[&[&str]]| {
        let words = words(session, &at);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        for told in answers(&world.exec(vm, "watches", &words)) {
            assert_eq!(told, "done", "{session:?}");
        }
    };
    act(
        "one",
        &[&["append", "@\\d.txt", "own"], &["delete", "@\\Big.bin"]],
    );
    let program = world.host.path_of("watches");
    let session: &[&[&str]] = &[
        &["open", "d", "@"],
        &["watch", "r", "d", ALL, "tree", "event", "4096"],
        &["say", "ready"],
        &["until", "r", "end"],
    ];
    let watcher = world.pinion(["exec", "one", &program]);
    let mut watcher = watcher.args(words(session, &at)).spawn();
    assert_eq!(watcher.first_json(), "ready");
    act(
        "two",
        &[
            &["write", "@\\other.txt", "x"],
            &["append", "@\\a.txt", "x"],
            &["delete", "@\\large.bin"],
        ],
    );
    fs::write(tree.join("of-host.txt"), "x").expect("written");
    fs::write(tree.join("d.txt"), "hidden by the VM's own").expect("written");
    fs::remove_file(tree.join("Big.bin")).expect("removed");
    fs::write(tree.join(".wh.x"), "reserved").expect("written");
    act(
        "one",
        &[&["append", "@\\a.txt", "x"], &["delete", "@\\sub\\b.txt"]],
    );
    fs::remove_file(tree.join("large.bin")).expect("removed");
    act("one", &[&["write", "@\\end", "x"]]);
    let told = answers(&watcher.wait());
    let all = told
        .last()
        .and_then(Value::as_array)
        .expect("records")
        .clone();
    for name in ["+of-host.txt", "~a.txt", "-large.bin"] {
        assert!(all.contains(&json!(name)), "{name}: {all:?}");
    }
    for name in ["other.txt", "d.txt", "Big.bin", ".wh."] {
        let about = |told: &Value| told.as_str().is_some_and(|told| told.contains(name));
        assert!(!all.iter().any(about), "{name}: {all:?}");
    }
    assert!(!all.contains(&json!("+a.txt")), "{all:?}");
}
