//! `pinion commit`: what a VM changed becomes the host's, deletions too; what the host changed since is never
//! overwritten unasked; a killed command leaves the old or the new.

use pinion_e2e::World;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

const KEY: &str = "HKCU\\Software\\PinionE2eMerge";

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

/// Does the story on the host.
fn host(world: &World, key: &str, story: &[&[&str]]) -> Vec<Value> {
    let words = words(story, &world.windows_work(), key);
    let Value::Array(answers) = world
        .host
        .program("files_keys")
        .args(words)
        .run()
        .expect(0)
        .json()
    else {
        panic!("no answers");
    };
    answers
}

/// Makes the host's files and keys, whatever a test that failed has left of them.
fn plant(world: &World, key: &str) {
    host(world, key, UPROOT);
    host(world, key, PLANT);
}

/// Does the story in a VM.
fn inside(world: &World, vm: &str, key: &str, story: &[&[&str]]) -> Vec<Value> {
    let program = world.host.path_of("files_keys");
    let words = words(story, &world.windows_work(), key);
    let run = world.pinion(["run", "--name", vm, &program]).args(words);
    let Value::Array(answers) = run.run().expect(0).json() else {
        panic!("no answers");
    };
    answers
}

fn values(answers: &[Value]) -> Vec<&Value> {
    answers
        .iter()
        .map(|answer| {
            if answer["error"] == 0 {
                &answer["value"]
            } else {
                &answer["error"]
            }
        })
        .collect()
}

/// Every file below, with its text.
fn picture(root: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut all = BTreeMap::new();
    let mut todo = vec![root.to_path_buf()];
    while let Some(folder) = todo.pop() {
        for item in fs::read_dir(&folder).expect("a list").flatten() {
            let path = item.path();
            if path.is_dir() {
                todo.push(path.clone());
            }
            all.insert(
                path.clone(),
                path.is_file().then(|| fs::read(&path).expect("bytes")),
            );
        }
    }
    all
}

const PLANT: &[&[&str]] = &[
    &["file-write", "@\\kept.txt", "kept"],
    &["file-write", "@\\gone.txt", "gone"],
    &["folder-make", "@\\tree"],
    &["file-write", "@\\tree\\leaf.txt", "leaf"],
    &["key-create", "#"],
    &["key-create", "#\\Kept"],
    &["key-set", "#\\Kept", "Value", "host"],
    &["key-set", "#\\Kept", "Out", "out"],
    &["key-create", "#\\Gone"],
    &["key-create", "#\\Gone\\Deep"],
];

const UPROOT: &[&[&str]] = &[
    &["key-delete", "#\\New\\Deep"],
    &["key-delete", "#\\New"],
    &["key-delete", "#\\Kept"],
    &["key-delete", "#\\Gone\\Deep"],
    &["key-delete", "#\\Gone"],
    &["key-delete", "#"],
];

const CHANGES: &[&[&str]] = &[
    &["file-append", "@\\kept.txt", "+more"],
    &["file-delete", "@\\gone.txt"],
    &["file-delete", "@\\tree\\leaf.txt"],
    &["folder-delete", "@\\tree"],
    &["folder-make", "@\\new"],
    &["file-write", "@\\new\\file.txt", "new"],
    &["key-create", "#\\New\\Deep"],
    &["key-set", "#\\Kept", "Value", "vm"],
    &["key-unset", "#\\Kept", "Out"],
    &["key-delete", "#\\Gone\\Deep"],
    &["key-delete", "#\\Gone"],
];

const LOOKS: &[&[&str]] = &[
    &["folder-list", "@"],
    &["file-read", "@\\kept.txt"],
    &["file-read", "@\\new\\file.txt"],
    &["file-stat", "@\\tree"],
    &["key-list", "#"],
    &["key-list", "#\\New"],
    &["key-get", "#\\Kept", "Value"],
    &["key-get", "#\\Kept", "Out"],
];

#[test]
fn files_and_keys_are_merged_with_their_deletions() {
    let world = World::new();
    let key = format!("{KEY}All");
    plant(&world, &key);
    // On Wine a file's rights are its Unix mode, of which Wine tells not all.
    let kept = world.work().join("kept.txt");
    fs::set_permissions(&kept, fs::Permissions::from_mode(0o600)).expect("a mode");
    let before = picture(&world.work());
    let mut story = CHANGES.to_vec();
    story.extend(LOOKS);
    let answers = inside(&world, "one", &key, &story);
    assert!(
        answers
            .iter()
            .take(CHANGES.len())
            .all(|answer| answer["error"] == 0),
        "{answers:#?}"
    );
    let seen = answers[CHANGES.len()..].to_vec();

    let shown = world
        .pinion(["commit", "one", "--dry-run", "--json"])
        .run()
        .expect(0)
        .json();
    assert_eq!(shown["conflicts"], json!([]));
    let told = |what: &str, name: &str| {
        let changes = shown["changes"].as_array().expect("a list");
        changes
            .iter()
            .any(|c| c["what"] == what && c["name"].as_str().is_some_and(|n| n.ends_with(name)))
    };
    assert!(
        told("change", "\\kept.txt") && told("delete", "\\gone.txt") && told("delete", "\\tree"),
        "{shown:#}"
    );
    assert!(
        told("add", "\\new\\file.txt") && told("add", "\\New\\Deep") && told("delete", "\\Gone"),
        "{shown:#}"
    );
    assert!(told("change", "\\Kept"), "{shown:#}");
    assert_eq!(picture(&world.work()), before, "a dry run changes nothing");

    world.pinion(["commit", "one"]).run().ok();
    assert_eq!(values(&host(&world, &key, LOOKS)), values(&seen));
    let mode = fs::metadata(&kept).expect("a file").permissions().mode();
    assert_eq!(mode & 0o007, 0, "{mode:o}");
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
    host(&world, &key, UPROOT);
}

#[test]
fn what_the_host_changed_since_stops_the_merge_until_it_is_decided() {
    let world = World::new();
    let key = format!("{KEY}Conflict");
    plant(&world, &key);
    inside(&world, "one", &key, CHANGES);
    let later: &[&[&str]] = &[
        &["file-write", "@\\kept.txt", "host again"],
        &["file-write", "@\\tree\\other.txt", "new on the host"],
        &["key-set", "#\\Kept", "Value", "host again"],
    ];
    host(&world, &key, later);
    let before = picture(&world.work());
    let refused = world.pinion(["commit", "one"]).run();
    refused.fails(121, &["3 of its files and keys", "--ours"]);
    for name in ["\\kept.txt", "\\tree", "\\Kept"] {
        let named = refused
            .stdout
            .lines()
            .any(|line| line.starts_with("conflict") && line.contains(name));
        assert!(named, "{name}: {refused:#?}");
    }
    assert_eq!(picture(&world.work()), before);

    // A part without conflicts, then the rest in each way.
    let new = format!("{}\\new", world.windows_work());
    world.pinion(["commit", "one", "--path", &new]).run().ok();
    assert_eq!(
        fs::read(world.work().join("new/file.txt")).expect("merged"),
        b"new"
    );
    assert!(world.work().join("gone.txt").exists());
    let kept = format!("{}\\kept.txt", world.windows_work());
    world
        .pinion(["commit", "one", "--path", &kept, "--ours"])
        .run()
        .ok();
    assert_eq!(
        fs::read(world.work().join("kept.txt")).expect("merged"),
        b"kept+more"
    );
    world.pinion(["commit", "one", "--theirs"]).run().ok();
    assert!(
        world.work().join("tree/other.txt").exists() && !world.work().join("gone.txt").exists()
    );
    let looks: &[&[&str]] = &[&["key-get", "#\\Kept", "Value"], &["key-list", "#"]];
    let answers = host(&world, &key, looks);
    assert_eq!(
        values(&answers),
        [&json!("host again"), &json!(["Kept", "New"])]
    );
    host(&world, &key, UPROOT);
}

#[test]
fn a_new_snapshot_takes_what_is_selected_and_host_and_vm_stay() {
    let world = World::new();
    let key = format!("{KEY}Into");
    plant(&world, &key);
    inside(&world, "one", &key, CHANGES);
    let before = picture(&world.work());
    let new = format!("{}\\new", world.windows_work());
    let kept = format!("{key}\\Kept");
    world
        .pinion([
            "commit", "one", "--into", "part", "--path", &new, "--key", &kept,
        ])
        .run()
        .ok();
    assert_eq!(picture(&world.work()), before);
    let program = world.host.path_of("files_keys");
    let looks = words(
        &[
            &["file-read", "@\\new\\file.txt"],
            &["file-read", "@\\kept.txt"],
            &["file-read", "@\\gone.txt"],
            &["key-get", "#\\Kept", "Value"],
            &["key-list", "#"],
        ],
        &world.windows_work(),
        &key,
    );
    let Value::Array(answers) = world
        .pinion(["run", "--rm", "--from", "part", &program])
        .args(looks)
        .run()
        .expect(0)
        .json()
    else {
        panic!("no answers");
    };
    let expected = [
        json!("new"),
        json!("kept"),
        json!("gone"),
        json!("vm"),
        json!(["Gone", "Kept"]),
    ];
    assert_eq!(values(&answers), expected.iter().collect::<Vec<_>>());
    let shown = world
        .pinion(["commit", "one", "--dry-run", "--json"])
        .run()
        .expect(0)
        .json();
    assert!(
        shown["changes"]
            .as_array()
            .is_some_and(|changes| changes.len() > 5),
        "{shown:#}"
    );
    world
        .pinion(["commit", "one", "--into", "part"])
        .run()
        .fails(121, &["part"]);
    host(&world, &key, UPROOT);
}

#[test]
fn a_killed_merge_leaves_the_old_or_the_new() {
    let world = World::new();
    let program = world.host.path_of("files_keys");
    for (round, wait) in [250_u64, 400, 600, 900].into_iter().enumerate() {
        let folder = world.work().join(format!("r{round}"));
        fs::create_dir(&folder).expect("a folder");
        let mut story = Vec::new();
        for index in 0..30 {
            let name = folder.join(format!("f{index}"));
            fs::write(&name, "host").expect("a file");
            let path = format!("{}\\r{round}\\f{index}", world.windows_work());
            let what = if index % 3 == 0 {
                vec!["file-delete", &path]
            } else {
                vec!["file-write", &path, "vm"]
            };
            if !story.is_empty() {
                story.push(";".to_owned());
            }
            story.extend(what.into_iter().map(str::to_owned));
        }
        let vm = format!("vm{round}");
        world
            .pinion(["run", "--name", &vm, &program])
            .args(story)
            .run()
            .ok();
        let old = picture(&folder);
        let running = world.pinion(["commit", &vm]).spawn();
        std::thread::sleep(Duration::from_millis(wait));
        drop(running);
        world.pinion(["ls"]).run().ok();
        let now = picture(&folder);
        let new: BTreeMap<_, _> = (0..30)
            .filter(|index| index % 3 != 0)
            .map(|index| (folder.join(format!("f{index}")), Some(b"vm".to_vec())))
            .collect();
        assert!(now == old || now == new, "after {wait} ms: {now:?}");
        world.pinion(["commit", &vm]).run().ok();
        assert_eq!(picture(&folder), new);
    }
}

#[test]
fn a_merge_that_cannot_be_done_changes_nothing() {
    let world = World::new();
    world.sleeper("busy", 30);
    world
        .pinion(["commit", "busy"])
        .run()
        .fails(121, &["busy", "stop"]);
    world
        .pinion(["commit", "nobody"])
        .run()
        .fails(120, &["nobody"]);
    for arguments in [["--key", "HKXX\\a"], ["--into", "no name"]] {
        let refused = world.pinion(["commit", "busy"]).args(arguments).run();
        assert_eq!(refused.code, 2, "{refused:#?}");
    }
    // A file that the host holds open against deletion.
    let held = world.file("held.txt", b"host");
    let program = world.host.path_of("files_keys");
    let other = world.file("other.txt", b"host");
    let run = world.pinion(["run", "--name", "one", &program]);
    run.args(["file-write", &other, "vm", ";", "file-write", &held, "vm"])
        .run()
        .ok();
    let mut holder = world
        .host
        .program("files_keys")
        .args(["file-hold", &held, "60"])
        .spawn();
    let _ = holder.first_json();
    let refused = world.pinion(["commit", "one"]).run();
    refused.fails(125, &["held.txt"]);
    for name in ["held.txt", "other.txt"] {
        assert_eq!(
            fs::read(world.work().join(name)).expect("bytes"),
            b"host",
            "{name}"
        );
    }
    drop(holder);
}

/// How many names the file at `path` has, and which file it is.
fn names_of(path: &Path) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    let data = fs::metadata(path).expect("a file");
    (data.nlink(), data.ino())
}

/// Which files of the name `name` are below `root`, each as [`names_of`] tells.
fn found(root: &Path, name: &str) -> Vec<(u64, u64)> {
    let all = picture(root).into_keys();
    let mut all: Vec<_> = all.filter(|path| path.ends_with(name)).collect();
    all.sort();
    all.iter().map(|path| names_of(path)).collect()
}

#[test]
fn names_of_one_file_stay_one_in_archives_and_merges() {
    let (world, there) = (World::new(), World::new());
    let key = format!("{KEY}Links");
    host(&world, &key, &[&["file-write", "@\\old.txt", "old"]]);
    let story: &[&[&str]] = &[
        &["file-link", "@\\old.txt", "@\\again.txt"],
        &["folder-make", "@\\dir"],
        &["file-write", "@\\dir\\one.txt", "one"],
        &["file-link", "@\\dir\\one.txt", "@\\two.txt"],
        &["file-append", "@\\two.txt", "+two"],
        &["file-read", "@\\dir\\one.txt"],
    ];
    let answers = inside(&world, "one", &key, story);
    assert!(answers.iter().all(|a| a["error"] == 0), "{answers:#?}");
    assert_eq!(answers[5]["value"], "one+two");

    let file = format!("{}\\one.tar.zst", world.windows_work());
    world.pinion(["export", "one", "-o", &file]).run().ok();
    there.pinion(["import", &file, "two"]).run().ok();
    world.pinion(["commit", "one", "--into", "snap"]).run().ok();
    for (store, layers) in [(world.store(), 2), (there.store(), 1)] {
        for (one, two) in [("one.txt", "two.txt"), ("old.txt", "again.txt")] {
            let one = found(&store, one);
            assert_eq!(one, found(&store, two));
            assert_eq!(one.iter().filter(|(names, _)| *names == 2).count(), layers);
        }
    }
    let shown = world
        .pinion(["commit", "one", "--dry-run"])
        .run()
        .expect(0)
        .stdout;
    assert!(
        shown.contains("two.txt (a link to ") && shown.contains("again.txt (a link to "),
        "{shown}"
    );
    world.pinion(["commit", "one"]).run().ok();
    let of = |name: &str| names_of(&world.work().join(name));
    assert_eq!(of("two.txt"), of("dir/one.txt"));
    assert_eq!(of("again.txt"), of("old.txt"));
    assert_eq!((of("old.txt").0, of("two.txt").0), (2, 2));
    let text = fs::read_to_string(world.work().join("two.txt")).expect("text");
    assert_eq!(text, "one+two");
}

/// What `pinion diff` tells of the file or directory `name`.
fn difference(world: &World, options: &[&str], name: &str) -> Option<Value> {
    let words = ["diff", "one", "--json"].iter().chain(options);
    let told = world.pinion(words).run().expect(0).json();
    let files = told["files"].as_array().expect("a list").clone();
    let named = |file: &&Value| {
        file["name"]
            .as_str()
            .is_some_and(|text| text.ends_with(name))
    };
    files.iter().find(named).cloned()
}

#[test]
fn attributes_and_rights_of_directories_are_told_and_merged() {
    let world = World::new();
    let key = format!("{KEY}Directories");
    let plant: &[&[&str]] = &[
        &["folder-make", "@\\marked"],
        &["folder-make", "@\\closed"],
        &["folder-make", "@\\both"],
        &["folder-make", "@\\passed"],
        &["file-write", "@\\passed\\file.txt", "x"],
    ];
    host(&world, &key, plant);
    // A copy has the rights of its place, and not these: no change of the VM's.
    let mode = |name: &str| {
        let data = fs::metadata(world.work().join(name)).expect("a directory");
        data.permissions().mode() & 0o777
    };
    fs::set_permissions(
        world.work().join("passed"),
        fs::Permissions::from_mode(0o700),
    )
    .expect("a mode");
    let story: &[&[&str]] = &[
        &["file-mark", "@\\marked", "2"],
        &["file-rights", "@\\closed", "D:(A;;FA;;;BA)"],
        &["file-mark", "@\\both", "2"],
        &["file-append", "@\\passed\\file.txt", "+more"],
    ];
    let answers = inside(&world, "one", &key, story);
    assert!(answers.iter().all(|a| a["error"] == 0), "{answers:#?}");
    for name in ["\\marked", "\\closed", "\\both"] {
        let told = difference(&world, &[], name);
        assert_eq!(told.expect(name)["what"], "changed", "{name}");
    }
    assert_eq!(difference(&world, &[], "\\passed"), None);

    host(&world, &key, &[&["file-mark", "@\\both", "4"]]);
    let refused = world.pinion(["commit", "one"]).run();
    refused.fails(121, &["1 of its files and keys"]);
    assert!(refused.stdout.contains("\\both"), "{refused:#?}");
    world.pinion(["commit", "one", "--theirs"]).run().ok();
    let looks: &[&[&str]] = &[&["file-marks", "@\\marked"], &["file-marks", "@\\both"]];
    let answers = host(&world, &key, looks);
    assert_eq!(values(&answers), [&json!(0x12), &json!(0x14)]);
    assert_eq!(mode("passed"), 0o700);
    assert_eq!(mode("closed") & 0o007, 0);
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
}

#[test]
fn times_alone_are_told_when_they_are_asked_for() {
    let world = World::new();
    let key = format!("{KEY}Times");
    host(&world, &key, &[&["file-write", "@\\kept.txt", "kept"]]);
    std::thread::sleep(Duration::from_millis(50));
    inside(
        &world,
        "one",
        &key,
        &[&["file-write", "@\\kept.txt", "kept"]],
    );
    assert_eq!(difference(&world, &[], "\\kept.txt"), None);
    let told = difference(&world, &["--times"], "\\kept.txt").expect("told");
    assert_eq!(told["what"], "changed");
    assert!(
        told["modified_ms"].as_u64() > told["old_modified_ms"].as_u64(),
        "{told}"
    );
}
