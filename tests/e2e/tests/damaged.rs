//! Layers that were damaged by hand: programs and commands are told, in one line, and nothing is lost.

use pinion_e2e::{Output, World};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;

/// Exit codes of docs/CLI.md.
const DAMAGED: i32 = 122;
const CONFLICT: i32 = 121;
/// A world with the file `work\f`, which the VM `one` has changed before it was snapshotted as `base`,
/// and the file `work\own`, which it has made since.
fn world() -> World {
    let world = World::new();
    fs::write(world.work().join("f"), "host").expect("a file");
    run(&world, &["--name", "one"], r"file-write %\f below");
    world.pinion(["snapshot", "one", "base"]).run().ok();
    run(
        &world,
        &["--name", "two", "--from", "base"],
        r"file-write %\own above",
    );
    world
}

/// Runs operations of `files_keys` in a VM that the options make.
fn run(world: &World, options: &[&str], operations: &str) -> Output {
    let words = operations.replace('%', &world.windows_work());
    let path = world.host.path_of("files_keys");
    let started = world.pinion(["run"]).args(options).args(["--", &path]);
    started.args(words.split_whitespace()).run()
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

/// The folder of the layer of the snapshot.
fn layer(world: &World) -> PathBuf {
    let id = world.inspect("two")["layers"][0].clone();
    let id = id.as_str().expect("a layer").to_owned();
    world.store().join(id)
}

/// What is done to a layer.
type Act<'a> = &'a dyn Fn();

fn one_line(output: &Output, says: &str) {
    let lines: Vec<_> = output.stderr.lines().collect();
    let [line] = lines[..] else {
        panic!("not one line: {output:#?}");
    };
    assert!(
        line.starts_with("pinion:") && line.contains(says),
        "{output:#?}"
    );
}

#[test]
fn a_layer_below_that_is_damaged_stops_what_needs_it_and_nothing_is_lost() {
    let world = world();
    let layer = layer(&world);
    let record = layer.join("layer.json");
    let whole = fs::read(&record).expect("a record");
    let id = layer
        .file_name()
        .expect("an id")
        .to_string_lossy()
        .into_owned();
    let away = world.store().join("away");
    let breaks: [(&str, Act<'_>, Act<'_>); 4] = [
        (
            "cut off",
            &|| fs::write(&record, &whole[..whole.len() / 2]).expect("written"),
            &|| fs::write(&record, &whole).expect("written"),
        ),
        (
            "of another layer",
            &|| {
                let other = String::from_utf8_lossy(&whole).replace(&id, "0123456789abcdef");
                fs::write(&record, other).expect("written");
            },
            &|| fs::write(&record, &whole).expect("written"),
        ),
        (
            "without its record",
            &|| fs::remove_file(&record).expect("removed"),
            &|| fs::write(&record, &whole).expect("written"),
        ),
        (
            "gone",
            &|| fs::rename(&layer, &away).expect("renamed"),
            &|| fs::rename(&away, &layer).expect("renamed"),
        ),
    ];
    for (what, damage, mend) in breaks {
        damage();
        for command in [
            &["start", "two"][..],
            &["create", "--name", "three", "--from", "base"],
            &["run", "--rm", "--from", "base"],
            &["snapshot", "two", "more"],
            &["export", "two", "-o", "two.tar.zst"],
            &["commit", "two"],
            &["commit", "two", "--into", "more"],
            &["diff", "two"],
        ] {
            let output = world.pinion(command).run().expect(DAMAGED);
            one_line(&output, &id);
        }
        let file = format!(r"two:{}\f", world.windows_work());
        one_line(
            &world.pinion(["cp", &file, "out"]).run().expect(DAMAGED),
            &id,
        );
        let made = ["two.tar.zst", "out", "own"].map(|name| world.work().join(name).exists());
        assert_eq!(made, [false; 3], "{what}");
        assert_eq!(world.names(), ["one", "two"], "{what}");
        let _ = world.inspect("two");
        // What takes nothing from the layer goes on.
        let other = run(&world, &["--rm"], r"file-read %\f");
        assert_eq!(answers(&other), [json!("host")], "{what}");
        mend();
        let seen = run(
            &world,
            &["--rm", "--from", "two"],
            r"file-read %\f ; file-read %\own",
        );
        assert_eq!(answers(&seen), [json!("below"), json!("above")], "{what}");
    }
}

#[test]
fn an_upper_that_lost_its_record_is_told_or_mended_and_kept() {
    let world = world();
    let upper = world.upper("two");
    let record = upper.join("layer.json");
    let whole = fs::read(&record).expect("a record");
    fs::write(&record, "{").expect("written");
    let output = world.pinion(["start", "two"]).run().expect(DAMAGED);
    one_line(&output, "layer.json");
    let output = world
        .pinion(["snapshot", "two", "more"])
        .run()
        .expect(DAMAGED);
    one_line(&output, "layer.json");
    fs::remove_file(&record).expect("removed");
    let program = world.host.path_of("files_keys");
    world.pinion(["start", "two"]).run().ok();
    world.pinion(["wait", "two"]).run().ok();
    assert_eq!(fs::read(&record).expect("a record"), whole, "made anew");
    let file = format!(r"{}\own", world.windows_work());
    let seen = world
        .pinion([
            "run",
            "--rm",
            "--from",
            "two",
            "--",
            &program,
            "file-read",
            &file,
        ])
        .run();
    assert_eq!(answers(&seen), [json!("above")]);
}

#[test]
fn a_vm_whose_layers_are_damaged_can_be_looked_at_and_removed() {
    let world = world();
    fs::remove_dir_all(layer(&world)).expect("removed");
    assert_eq!(world.names(), ["one", "two"]);
    world.pinion(["snapshots"]).run().ok();
    world.pinion(["rm", "two"]).run().ok();
    world.pinion(["rm", "one"]).run().ok();
    world.pinion(["snapshot", "rm", "base"]).run().ok();
    assert_eq!(world.layers(), [""; 0]);
}

#[test]
fn a_file_of_bases_that_is_garbage_merges_nothing_unasked() {
    let world = World::new();
    fs::write(world.work().join("f"), "host").expect("a file");
    run(&world, &["--name", "one"], r"file-write %\f vm");
    let base = world.upper("one").join(".wh..wh.base");
    let whole = fs::read(&base).expect("a file of bases");
    for garbage in [
        &b"\xff\x00garbage\n\r\x01"[..],
        &[],
        &[0xff; 4097],
        &whole[..whole.len() / 2],
    ] {
        fs::write(&base, garbage).expect("written");
        let output = world.pinion(["commit", "one", "--dry-run"]).run();
        let _ = output.clone().expect(CONFLICT);
        assert!(output.stdout.contains("conflict"), "{output:#?}");
        let _ = world.pinion(["commit", "one"]).run().expect(CONFLICT);
        assert_eq!(fs::read(world.work().join("f")).expect("bytes"), b"host");
        // What the VM has of it is kept.
        let from = format!(r"one:{}\f", world.windows_work());
        world.pinion(["cp", &from, "seen"]).run().ok();
        assert_eq!(fs::read(world.work().join("seen")).expect("bytes"), b"vm");
    }
    fs::write(&base, &whole).expect("written");
    world.pinion(["commit", "one"]).run().ok();
    assert_eq!(fs::read(world.work().join("f")).expect("bytes"), b"vm");
}

#[test]
fn a_layer_below_that_cannot_be_written_serves_as_ever() {
    let world = World::on_tiny_disk();
    fs::write(world.work().join("f"), "host").expect("a file");
    let make =
        r"file-write %\f below ; folder-make %\d ; file-write %\d\gone 1 ; file-write %\d\kept 2";
    run(&world, &["--name", "one"], make);
    world.pinion(["snapshot", "one", "base"]).run().ok();
    let two = run(
        &world,
        &["--name", "two", "--from", "base"],
        r"file-read %\f",
    );
    assert_eq!(answers(&two), [json!("below")]);
    let layer = layer(&world);
    world.disk().lock(&layer, true);
    let changes = [
        r"file-read %\f",
        r"file-append %\f +above",
        r"file-delete %\d\gone",
        r"file-write %\d\new 3",
        r"file-read %\f",
        r"folder-list %\d",
    ];
    let seen = answers(&run(
        &world,
        &["--rm", "--from", "base"],
        &changes.join(" ; "),
    ));
    assert_eq!(seen[0], json!("below"));
    assert!(seen[1..4].iter().all(Value::is_null), "{seen:#?}");
    assert_eq!(seen[4..], [json!("below+above"), json!(["kept", "new"])]);
    world.disk().lock(&layer, false);
    let looks = r"file-read %\f ; folder-list %\d";
    let again = run(&world, &["--rm", "--from", "base"], looks);
    assert_eq!(answers(&again), [json!("below"), json!(["gone", "kept"])]);
}

#[test]
fn an_upper_that_cannot_be_written_refuses_changes_and_nothing_else() {
    // What Wine makes of a medium that cannot be written to (observed on Wine 8 and Wine 10).
    const ACCESS_DENIED: i64 = 5;
    let world = World::on_tiny_disk();
    fs::write(world.work().join("f"), "host").expect("a file");
    fs::write(world.work().join("g"), "host").expect("a file");
    let story = [
        r"file-append %\f +vm",
        r"file-write %\new 1",
        r"file-read %\f",
        r"file-read %\g",
    ];
    let first = answers(&run(&world, &["--name", "two"], &story.join(" ; ")));
    assert_eq!(
        first,
        [json!(null), json!(null), json!("host+vm"), json!("host")]
    );
    let upper = world.upper("two");
    world.disk().lock(&upper, true);
    let second = answers(&world.pinion(["start", "-a", "two"]).run());
    let refused = json!({ "error": ACCESS_DENIED });
    assert_eq!(
        second,
        [refused.clone(), refused, json!("host+vm"), json!("host")]
    );
    world.disk().lock(&upper, false);
    let third = answers(&world.pinion(["start", "-a", "two"]).run());
    assert_eq!(third[2], json!("host+vm+vm"));
}
