//! Export and import: a VM goes into one file and comes out of it in another store as it was; what is no
//! export is refused; a killed command leaves nothing that is seen.

use pinion_e2e::World;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::Duration;

const KEY: &str = "HKCU\\Software\\PinionE2eArchive";

/// What the VM changes; `@` stands for the folder, `#` for the key.
const CHANGES: &[&[&str]] = &[
    &["file-write", "@\\new.txt", "made inside"],
    &["file-append", "@\\kept.txt", "+more"],
    &["file-delete", "@\\gone.txt"],
    &["folder-make", "@\\folder"],
    &[
        "file-copy",
        "@\\kept.txt",
        "@\\folder\\Some long name with \u{e4}.txt",
    ],
    &["file-delete", "@\\tree\\leaf.txt"],
    &["folder-delete", "@\\tree"],
    &["folder-make", "@\\tree"],
    &["key-create", "#\\New\\Deep"],
    &["key-set", "#\\New", "", "default"],
    &["key-set", "#\\Kept", "Value", "inside"],
    &["key-delete", "#\\Gone"],
];

/// How it looks then.
const LOOKS: &[&[&str]] = &[
    &["folder-list", "@"],
    &["folder-list", "@\\folder"],
    &["folder-list", "@\\tree"],
    &["file-read", "@\\new.txt"],
    &["file-read", "@\\kept.txt"],
    &["file-stat", "@\\gone.txt"],
    &["key-list", "#"],
    &["key-list", "#\\New"],
    &["key-get", "#\\New", ""],
    &["key-get", "#\\Kept", "Value"],
    &["key-get", "#\\Kept", "Other"],
];

fn words(story: &[&[&str]], folder: &str, key: &str) -> Vec<String> {
    let mut words = Vec::new();
    for operation in story {
        if !words.is_empty() {
            words.push(";".to_owned());
        }
        words.extend(
            operation
                .iter()
                .map(|w| w.replace('@', folder).replace('#', key)),
        );
    }
    words
}

/// The host's files and keys, whatever a test that failed has left of them.
fn plant(world: &World, folder: &str, key: &str) {
    uproot(world, key);
    let host = Path::new(&world.work()).join(folder);
    fs::create_dir_all(host.join("tree")).expect("folders");
    for (name, text) in [
        ("kept.txt", "kept"),
        ("gone.txt", "gone"),
        ("tree/leaf.txt", "leaf"),
    ] {
        fs::write(host.join(name), text).expect("a file");
    }
    let story: &[&[&str]] = &[
        &["key-create", "#"],
        &["key-create", "#\\Kept"],
        &["key-set", "#\\Kept", "Value", "host"],
        &["key-set", "#\\Kept", "Other", "other"],
        &["key-create", "#\\Gone"],
    ];
    let program = world.host.program("files_keys");
    program.args(words(story, "", key)).run().ok();
}

/// Removes the key that [`plant`] made.
fn uproot(world: &World, key: &str) {
    let story: &[&[&str]] = &[
        &["key-delete", "#\\Kept"],
        &["key-delete", "#\\Gone"],
        &["key-delete", "#"],
    ];
    let program = world.host.program("files_keys");
    program.args(words(story, "", key)).run().ok();
}

fn look(world: &World, vm: &str, story: &[String]) -> Vec<Value> {
    let program = world.host.path_of("files_keys");
    let run = world
        .pinion(["run", "--rm", "--from", vm, &program])
        .args(story);
    let Value::Array(answers) = run.run().expect(0).json() else {
        panic!("no answers");
    };
    answers
}

#[test]
fn a_vm_moves_to_another_store_with_all_that_it_changed() {
    let (here, there) = (World::new(), World::new());
    let key = format!("{KEY}Move");
    plant(&here, "shared", &key);
    let folder = format!("{}\\shared", here.windows_work());
    let program = here.host.path_of("files_keys");
    let run = here.pinion(["run", "--name", "one", &program]);
    run.args(words(CHANGES, &folder, &key)).run().ok();
    here.pinion(["snapshot", "one", "base"]).run().ok();
    let more: &[&[&str]] = &[
        &["file-write", "@\\later.txt", "later"],
        &["file-delete", "@\\new.txt"],
    ];
    let from = here.pinion(["run", "--name", "two", "--from", "base", &program]);
    from.args(words(more, &folder, &key)).run().ok();

    for vm in ["one", "two"] {
        let story = words(LOOKS, &folder, &key);
        let before = look(&here, vm, &story);
        let file = here.work().join(format!("{vm}.tar.zst"));
        let windows = format!("{}\\{vm}.tar.zst", here.windows_work());
        here.pinion(["export", vm, "-o", &windows]).run().ok();
        assert!(file.exists());
        let name = format!("{vm}-again");
        let imported = there.pinion(["import", &windows, &name]).run().expect(0);
        assert_eq!(imported.stdout.trim(), name);
        assert_eq!(look(&there, &name, &story), before, "{vm}");
        assert_eq!(there.inspect(&name)["command"], here.inspect(vm)["command"]);
    }
    // A second time the name is taken, and nothing more is left in the store.
    let count = there.layers().len();
    let windows = format!("{}\\one.tar.zst", here.windows_work());
    there
        .pinion(["import", &windows, "one-again"])
        .run()
        .fails(121, &["one-again", "exists"]);
    assert_eq!(there.layers().len(), count);
    uproot(&here, &key);
}

#[test]
fn what_is_no_export_is_refused_and_leaves_nothing() {
    let world = World::new();
    let garbage = world.file("garbage.tar.zst", b"this is no archive at all");
    let empty = world.file("empty.tar.zst", b"");
    for file in [&garbage, &empty] {
        world
            .pinion(["import", file])
            .run()
            .fails(122, &["refused", ".tar.zst"]);
    }
    let missing = format!("{}\\none", world.windows_work());
    world
        .pinion(["import", &missing])
        .run()
        .fails(125, &["cannot open", "none"]);
    world.sleeper("busy", 30);
    let out = format!("{}\\busy.tar.zst", world.windows_work());
    world
        .pinion(["export", "busy", "-o", &out])
        .run()
        .fails(121, &["busy", "stop it"]);
    assert!(!world.work().join("busy.tar.zst").exists());
    world
        .pinion(["export", "nobody", "-o", &out])
        .run()
        .fails(120, &["nobody"]);
    assert_eq!(world.names(), ["busy"]);
}

/// Bytes that do not compress.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    std::iter::repeat_with(next).take(count).collect()
}

#[test]
fn a_killed_export_or_import_leaves_nothing_that_is_seen() {
    let world = World::new();
    let big = world.file("big.bin", &noise(12 << 20));
    let copy = format!("{}\\copy.bin", world.windows_work());
    let program = world.host.path_of("files_keys");
    let run = world.pinion(["run", "--name", "one", &program]);
    run.args(["file-copy", &big, &copy]).run().ok();
    let archive = format!("{}\\one.tar.zst", world.windows_work());
    for wait in [150, 400, 700] {
        let running = world.pinion(["export", "one", "-o", &archive]).spawn();
        std::thread::sleep(Duration::from_millis(wait));
        drop(running);
        world.pinion(["ls"]).run().ok();
        let left: Vec<_> = fs::read_dir(world.work())
            .expect("a list")
            .flatten()
            .map(|item| item.file_name().to_string_lossy().into_owned())
            .filter(|name| name.starts_with('.'))
            .collect();
        assert_eq!(left, [""; 0], "after {wait} ms");
    }
    world.pinion(["export", "one", "-o", &archive]).run().ok();
    let before = world.layers();
    for wait in [200, 400, 600, 800] {
        let running = world.pinion(["import", &archive, "again"]).spawn();
        std::thread::sleep(Duration::from_millis(wait));
        drop(running);
        // Whole or not at all.
        let names = world.names();
        if names.contains(&"again".to_owned()) {
            let answer = look(&world, "again", &words(&[&["file-stat", &copy]], "", ""));
            assert_eq!(answer[0]["value"]["length"], json!(12 << 20));
            world.pinion(["rm", "again"]).run().ok();
        }
        assert_eq!(world.layers(), before, "after {wait} ms");
    }
    world.pinion(["import", &archive, "again"]).run().ok();
}
