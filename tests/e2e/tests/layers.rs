//! Stacks of layers: snapshots, clones and resets, as programs inside see them.

use pinion_e2e::{Output, World};
use serde_json::{Value, json};

/// Runs operations of `files_keys` in a VM of this name; the errors and values.
fn tell(world: &World, vm: &str, operations: &str) -> Vec<Value> {
    let folder = world.windows_work();
    let words = operations.replace('%', &folder);
    let words: Vec<&str> = words.split_whitespace().collect();
    let path = world.host.path_of("files_keys");
    let started = world
        .pinion(["run", "--rm", "--from", vm, "--", &path])
        .args(words);
    answers(&started.run())
}

/// Changes a VM itself: it is made with `files_keys` as its program.
fn change(world: &World, from: Option<&str>, name: &str, operations: &str) -> Vec<Value> {
    let words = operations.replace('%', &world.windows_work());
    let path = world.host.path_of("files_keys");
    let mut run = world.pinion(["run", "--name", name]);
    if let Some(from) = from {
        run = run.args(["--from", from]);
    }
    answers(&run.args(["--", &path]).args(words.split_whitespace()).run())
}

fn answers(output: &Output) -> Vec<Value> {
    let all = output.clone().expect(0).json();
    let all = all.as_array().expect("answers").iter();
    all.map(|answer| match &answer["error"] {
        error if *error == 0 => answer["value"].clone(),
        error => json!({ "error": error }),
    })
    .collect()
}

fn snapshot(world: &World, vm: &str, name: &str) {
    world.pinion(["snapshot", vm, name]).run().ok();
}

/// Exit codes of docs/CLI.md.
const NO_SUCH_VM: i32 = 120;
const CONFLICT: i32 = 121;
/// `ERROR_FILE_NOT_FOUND`.
const MISSING: i32 = 2;
const KEY: &str = r"HKCU\Software\PinionLayers";

#[test]
fn whiteouts_and_opaque_folders_of_middle_layers_hide_what_is_below() {
    let world = World::new();
    let work = world.work();
    std::fs::create_dir_all(work.join("dir/sub")).expect("a folder");
    for file in ["dir/a", "dir/b", "dir/sub/c", "plain"] {
        std::fs::write(work.join(file), "host").expect("written");
    }
    // Bottom: hides a file, changes one, makes one.
    change(
        &world,
        None,
        "one",
        r"file-delete %\dir\a ; file-write %\dir\b one ; file-write %\made one",
    );
    snapshot(&world, "one", "s1");
    // Middle: cuts a folder off by making it anew, hides what the bottom made.
    change(
        &world,
        Some("s1"),
        "two",
        r"file-delete %\dir\sub\c ; folder-delete %\dir\sub ; folder-make %\dir\sub ;
          file-write %\dir\sub\new two ; file-delete %\made ; file-write %\dir\a two",
    );
    snapshot(&world, "two", "s2");
    // Top: copies up from the middle and from the bottom.
    let seen = change(
        &world,
        Some("s2"),
        "three",
        r"folder-list %\dir ; folder-list %\dir\sub ; file-read %\dir\a ; file-read %\dir\b ;
          file-read %\made ; file-append %\dir\b +three ; file-append %\dir\a +three ; file-read %\dir\b ;
          file-read %\dir\a ; file-delete %\dir\sub\new ; folder-list %\dir\sub",
    );
    let missing = json!({ "error": MISSING });
    let expected = [
        json!(["a", "b", "sub"]),
        json!(["new"]),
        json!("two"),
        json!("one"),
        missing.clone(),
        Value::Null,
        Value::Null,
        json!("one+three"),
        json!("two+three"),
        Value::Null,
        json!([]),
    ];
    assert_eq!(seen, expected);
    snapshot(&world, "three", "s3");
    // Each is as it was left, whatever is above it.
    let list = r"folder-list %\dir ; folder-list %\dir\sub ; file-read %\dir\a ; file-read %\dir\b ; file-read %\made";
    let of = |name: &str| tell(&world, name, list);
    assert_eq!(
        of("s1"),
        [
            json!(["b", "sub"]),
            json!(["c"]),
            missing.clone(),
            json!("one"),
            json!("one")
        ]
    );
    assert_eq!(
        of("s2"),
        [
            json!(["a", "b", "sub"]),
            json!(["new"]),
            json!("two"),
            json!("one"),
            missing.clone()
        ]
    );
    assert_eq!(
        of("s3"),
        [
            json!(["a", "b", "sub"]),
            json!([]),
            json!("two+three"),
            json!("one+three"),
            missing
        ]
    );
    assert_eq!(std::fs::read(work.join("dir/b")).expect("read"), b"host");
}

#[test]
fn keys_of_middle_layers_are_seen_hidden_and_copied_up() {
    let world = World::new();
    let keys = |text: &str| text.replace('K', KEY);
    change(
        &world,
        None,
        "one",
        &keys(
            r"key-create K ; key-set K v one ; key-create K\a ; key-set K\a v one ; key-create K\b",
        ),
    );
    snapshot(&world, "one", "s1");
    let seen = change(
        &world,
        Some("s1"),
        "two",
        &keys(
            r"key-list K ; key-delete K\b ; key-delete K\a ; key-create K\a ; key-get K\a v ; key-create K\c",
        ),
    );
    assert_eq!(seen[0], json!(["a", "b"]));
    assert_eq!(
        seen[4],
        json!({ "error": MISSING }),
        "made anew without values"
    );
    snapshot(&world, "two", "s2");
    let seen = change(
        &world,
        Some("s2"),
        "three",
        &keys(
            r"key-list K ; key-get K v ; key-set K v three ; key-get K v ; key-set K\c v three ; key-create K\b ; key-list K",
        ),
    );
    assert_eq!(seen[0], json!(["a", "c"]));
    assert_eq!((&seen[1], &seen[3]), (&json!("one"), &json!("three")));
    assert_eq!(seen[6], json!(["a", "b", "c"]));
    let list = keys(r"key-list K ; key-get K v ; key-get K\a v");
    assert_eq!(
        tell(&world, "s1", &list),
        [json!(["a", "b"]), json!("one"), json!("one")]
    );
    let missing = json!({ "error": MISSING });
    assert_eq!(
        tell(&world, "s2", &list),
        [json!(["a", "c"]), json!("one"), missing.clone()]
    );
    assert_eq!(
        tell(&world, "three", &list),
        [json!(["a", "b", "c"]), json!("three"), missing]
    );
    let outside = world
        .host
        .program("files_keys")
        .args(["key-list", KEY])
        .run();
    assert_eq!(
        outside.json()[0]["error"],
        MISSING,
        "the host has none of it"
    );
}

#[test]
fn a_clone_has_all_of_a_vm_and_the_two_go_apart() {
    let world = World::new();
    let file = format!("{}\\f", world.windows_work());
    change(&world, None, "web", r"file-write %\f web");
    // The program, too, is the source's.
    world
        .pinion(["create", "--name", "copy", "--from", "web"])
        .run()
        .ok();
    let told = world.inspect("copy");
    assert_eq!(told["command"][1], "file-write");
    assert_eq!(told["layers"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        change(&world, Some("copy"), "other", r"file-write %\f other"),
        [Value::Null]
    );
    assert_eq!(tell(&world, "web", r"file-read %\f"), [json!("web")]);
    assert_eq!(tell(&world, "other", r"file-read %\f"), [json!("other")]);
    world.pinion(["rm", "web"]).run().ok();
    assert_eq!(tell(&world, "copy", r"file-read %\f"), [json!("web")]);
    world.pinion(["reset", "other"]).run().ok();
    assert_eq!(tell(&world, "other", r"file-read %\f"), [json!("web")]);
    world.pinion(["rm", "copy", "other"]).run().ok();
    assert_eq!(world.layers(), [""; 0], "{file}");
}

#[test]
fn what_cannot_be_done_is_told_in_one_line() {
    let world = World::new();
    world.sleeper("busy", 100);
    let told = |arguments: &[&str], code: i32, words: &str| {
        let output = world.pinion(arguments.iter().copied()).run().expect(code);
        assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
        assert!(output.stderr.contains(words), "{}", output.stderr);
    };
    told(&["snapshot", "busy", "s"], CONFLICT, "while it runs");
    told(&["create", "--from", "busy"], CONFLICT, "while it runs");
    told(&["reset", "busy"], CONFLICT, "while it runs");
    told(
        &["create", "--from", "no"],
        NO_SUCH_VM,
        "no VM and no snapshot",
    );
    told(&["snapshot", "rm", "no"], NO_SUCH_VM, "no snapshot");
    world.pinion(["kill", "busy"]).run().ok();
    world.pinion(["snapshot", "busy", "s"]).run().ok();
    told(&["snapshot", "busy", "s"], CONFLICT, "exists already");
    told(&["snapshot", "s", "t"], NO_SUCH_VM, "no VM");
    world
        .pinion(["create", "--name", "user", "--from", "s"])
        .run()
        .ok();
    told(
        &["snapshot", "rm", "s"],
        CONFLICT,
        "in use by the VM 'user'",
    );
    let names = world.pinion(["snapshots", "-q"]).run().expect(0);
    assert_eq!(names.stdout.trim(), "s");
    world.pinion(["rm", "user"]).run().ok();
    world.pinion(["snapshot", "rm", "s"]).run().ok();
    assert_eq!(world.snapshots(), [""; 0]);
}

#[test]
fn a_diff_names_files_and_keys_with_their_lines_and_values() {
    let world = World::new();
    let work = world.work();
    std::fs::write(work.join("text"), "one\ntwo\n").expect("written");
    std::fs::write(work.join("gone"), "x").expect("written");
    std::fs::write(work.join("touched"), "same").expect("written");
    let keys = format!("key-create {KEY} ; key-set {KEY} v value");
    let made = change(
        &world,
        None,
        "web",
        &format!(
            r"file-append %\text three ; file-delete %\gone ; file-write %\touched same ; file-write %\new 12345 ; {keys}"
        ),
    );
    assert!(made.iter().all(Value::is_null), "{made:?}");
    let told = world
        .pinion(["diff", "--json", "web"])
        .run()
        .expect(0)
        .json();
    let at = |name: &str| format!(r"{}\{name}", world.windows_work());
    let file = |what: &str, name: &str, size: Value, old: Value| json!({"what": what, "name": at(name), "kind": "file", "size": size, "old_size": old, "security": null});
    let files = told["files"].as_array().expect("files");
    let own: Vec<_> = files
        .iter()
        .filter(|f| {
            f["name"]
                .as_str()
                .is_some_and(|n| n.contains("pinion-e2e-"))
        })
        .cloned()
        .collect();
    assert_eq!(
        own,
        [
            file("deleted", "gone", Value::Null, 1.into()),
            file("added", "new", 5.into(), Value::Null),
            file("changed", "text", 13.into(), 8.into()),
        ]
    );
    let key = told["keys"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|k| k["name"] == KEY);
    let value = json!({"what": "added", "name": "v", "now": "REG_SZ \"value\"", "was": null});
    assert_eq!(
        key.expect("the key"),
        &json!({"what": "added", "name": KEY, "values": [value], "security": null})
    );
    let text = world.pinion(["diff", "-p", "web"]).run().expect(0).stdout;
    for line in [
        format!("C {}  13 B", at("text")),
        "+three".into(),
        format!("D {}", at("gone")),
        format!("A {KEY}"),
        "+v: REG_SZ \"value\"".into(),
    ] {
        assert!(text.lines().any(|told| told == line), "{line} in {text}");
    }
}

#[test]
fn a_store_with_thousands_of_clones_of_one_snapshot_works_as_ever() {
    const CLONES: usize = 2_000;
    let world = World::new();
    std::fs::write(world.work().join("f"), "host").expect("a file");
    change(&world, None, "one", r"file-write %\f below");
    snapshot(&world, "one", "base");
    let create = ["create", "--name", "clone", "--from", "base"];
    world.pinion(create).run().ok();
    // What `create` writes, for all the others.
    let record = std::fs::read(world.vm_folder("clone").join("vm.json")).expect("a record");
    let record: Value = serde_json::from_slice(&record).expect("JSON");
    let claims = world.store().join("addresses");
    for index in 0..CLONES {
        let mut record = record.clone();
        let (name, high, low) = (format!("clone-{index}"), index / 254, index % 254 + 1);
        let address = format!("127.77.{}.{low}", high + 100);
        record["name"] = json!(name);
        record["id"] = json!(format!("{:016x}", 0xabc0_0000_0000_0000_u64 + index as u64));
        record["upper"] = json!(format!("{:016x}", 0xdef0_0000_0000_0000_u64 + index as u64));
        record["address"] = json!(address);
        let folder = world.vm_folder(&name);
        std::fs::create_dir_all(folder.join("logs")).expect("a folder");
        std::fs::write(folder.join("vm.json"), record.to_string()).expect("written");
        std::fs::write(claims.join(address), "").expect("written");
    }
    assert_eq!(world.names().len(), CLONES + 2);
    let layers = || world.layers().len();
    let before = layers();
    world.pinion(["create", "--from", "base"]).run().ok();
    assert_eq!(tell(&world, "base", r"file-read %\f"), [json!("below")]);
    assert_eq!(
        tell(&world, "clone-1999", r"file-read %\f"),
        [json!("below")]
    );
    assert_eq!(layers(), before, "a VM that changed nothing adds no layer");
    let gone: Vec<String> = (0..100).map(|index| format!("clone-{index}")).collect();
    world.pinion(["rm"]).args(&gone).run().ok();
    assert_eq!(world.names().len(), CLONES + 3 - gone.len());
    let _ = world
        .pinion(["snapshot", "rm", "base"])
        .run()
        .expect(CONFLICT);
    assert_eq!(layers(), before);
    // Those that no command made need none to go.
    for index in gone.len()..CLONES {
        let _ = std::fs::remove_dir_all(world.vm_folder(&format!("clone-{index}")));
    }
}
