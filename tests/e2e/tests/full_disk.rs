//! No room on the disk of the store, at every point where it can run out, and
//! for a program inside whose layer is on it.

use pinion_e2e::World;
use serde_json::Value;

const DISK_FULL: i64 = 112;

/// What went wrong, one operation after the other.
fn errors(answers: &Value) -> Vec<i64> {
    let all = answers.as_array().expect("a list").iter();
    all.map(|one| one["error"].as_i64().expect("a number"))
        .collect()
}

/// Tries `verb` with more and more room until it succeeds; each failure is one
/// clear line and leaves nothing.
fn until_it_fits(world: &World, verb: &str, leave: impl Fn(u64)) {
    let echo = world.host.path_of("echo_stdio");
    for room in 0.. {
        leave(room);
        let output = world.pinion([verb, "--name", "web", &echo, "show"]).run();
        if output.code == 0 {
            assert_ne!(room, 0, "{verb} needs no room at all");
            assert_eq!(world.folders(), ["web"]);
            return;
        }
        output.fails(125, &["no room on the disk", "free some space"]);
        assert_eq!(world.folders(), [""; 0], "room for {room}: {output:?}");
        assert!(room < 32, "{verb} never fits: {output:?}");
    }
}

#[test]
fn no_room_for_a_vm_is_told_and_leaves_nothing() {
    let world = World::on_tiny_disk();
    let disk = world.disk();
    let ways: [&dyn Fn(u64); 2] = [&|room| disk.leave_pages(room), &|room| {
        disk.empty();
        disk.leave_files(room);
    }];
    for leave in ways {
        for verb in ["create", "run"] {
            until_it_fits(&world, verb, leave);
            // As full as it just was.
            world.pinion(["rm", "web"]).run().ok();
            assert_eq!(world.folders(), [""; 0]);
        }
        disk.empty();
    }
}

#[test]
fn a_vm_on_a_full_disk_can_be_removed() {
    let world = World::on_tiny_disk();
    world
        .pinion(["create", "--name", "web", "cmd.exe"])
        .run()
        .ok();
    world.disk().leave_pages(0);
    world.disk().leave_files(0);
    world
        .pinion(["start", "web"])
        .run()
        .fails(125, &["no room on the disk", "free some space"]);
    world.pinion(["rm", "web"]).run().ok();
    assert_eq!(world.folders(), [""; 0]);
}

#[test]
fn a_full_layer_is_a_full_disk_to_the_program() {
    let world = World::on_tiny_disk();
    let large = world.file("large.txt", &[b'x'; 400 << 10]);
    let own = format!("{}\\own.txt", world.windows_work());
    let more = format!("{}\\more.txt", world.windows_work());
    let session = [
        &["file-append", &large, "more"][..],
        &["file-stat", &large],
        &["file-fill", &own],
        &["file-write", &more, "no room"],
        &["file-append", &own, "no room"],
        &["file-stat", &large],
        &["file-delete", &own],
        &["file-write", &more, "room"],
        &["file-read", &more],
    ]
    .join(&";");
    let path = world.host.path_of("files_keys");
    let run = world.pinion(["run", "--name", "web", &path]).args(&session);
    let answers = run.run().expect(0).json();
    assert_eq!(
        errors(&answers),
        [DISK_FULL, 0, DISK_FULL, DISK_FULL, DISK_FULL, 0, 0, 0, 0],
        "{answers:#}"
    );
    for at in [1, 5] {
        assert_eq!(answers[at]["value"]["length"], 400 << 10, "{answers:#}");
    }
    assert_eq!(answers[8]["value"], "room");
    let kept = std::fs::read(world.work().join("large.txt")).expect("the host's file");
    assert!(kept == [b'x'; 400 << 10], "the host's file has changed");
}

#[test]
fn the_exit_code_of_a_program_that_filled_the_disk_is_kept() {
    let world = World::on_tiny_disk();
    let path = world.host.path_of("files_keys");
    let own = format!("{}\\own.txt", world.windows_work());
    let run = ["run", "--name", "web", &path, "file-fill", &own];
    let answers = world.pinion(run).run().expect(0).json();
    assert_eq!(errors(&answers), [DISK_FULL]);
    let waited = world.pinion(["wait", "web"]).run().expect(0);
    assert_eq!(waited.stdout.trim(), "0");
    world.pinion(["rm", "web"]).run().ok();
    assert_eq!(world.folders(), [""; 0]);
}
