//! Processes and threads: a member reaches those of its VM as on the host, and
//! all others are as if they did not exist.

use pinion_e2e::{Output, Running, World};
use serde_json::Value;
use std::collections::BTreeSet;

/// `ERROR_INVALID_PARAMETER`, for an id that is not there.
const NOT_THERE: u64 = 87;
/// `STATUS_INVALID_CID`, signed as the programs print it.
const INVALID_CID: i64 = 0xc000_000b_u32.cast_signed() as i64;

/// The last line: children write lines of their own before it.
fn last(output: &Output) -> Value {
    let line = output.stdout.lines().last().unwrap_or_default();
    serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {output:?}"))
}

/// A program that can be reached, and its ids: in a VM, or on the host.
fn target(world: &World, vm: Option<&str>) -> (Running, u64, u64) {
    let path = world.host.path_of("processes");
    let program = match vm {
        Some(vm) => world.pinion(["run", "--name", vm, &path]),
        None => world.host.program("processes"),
    };
    let mut running = program.args(["hold", "300"]).spawn();
    let said = running.first_json();
    let id = |name: &str| said[name].as_u64().expect("an id");
    let (pid, tid) = (id("pid"), id("tid"));
    (running, pid, tid)
}

/// What `processes reach` tells from inside `vm`.
fn reach(world: &World, vm: &str, pid: u64, tid: u64) -> Value {
    let (pid, tid) = (pid.to_string(), tid.to_string());
    let output = world.exec(vm, "processes", &["reach", &pid, &tid]);
    output.expect(0).json()
}

/// Panics unless every way told that there is no such process or thread.
fn assert_not_there(told: &Value) {
    for (way, codes) in told.as_object().expect("an object") {
        let codes = codes
            .as_array()
            .cloned()
            .unwrap_or_else(|| vec![codes.clone()]);
        for code in codes {
            let right = code.as_u64() == Some(NOT_THERE) || code.as_i64() == Some(INVALID_CID);
            assert!(right, "{way}: {told}");
        }
    }
}

fn ids(list: &Value) -> BTreeSet<u64> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_u64)
        .collect()
}

#[test]
fn what_a_process_does_to_its_own_works_as_on_the_host() {
    let world = World::new();
    let outside = last(&world.host.program("processes").arg("all").run().expect(0));
    let inside = last(&world.run("processes", &["all"]).expect(0));
    assert_eq!(inside, outside);
    assert_eq!(inside["memory"], serde_json::json!([true, 1, 1, true]));
    assert_eq!(inside["remote thread"], serde_json::json!([true, true]));
}

#[test]
fn lists_answer_to_odd_buffers_as_on_the_host() {
    let world = World::new();
    let outside = world
        .host
        .program("processes")
        .arg("tables")
        .run()
        .expect(0);
    let inside = world.run("processes", &["tables"]).expect(0);
    assert_eq!(inside.json(), outside.json());
}

#[test]
fn processes_of_the_host_and_of_another_vm_do_not_exist() {
    let world = World::new();
    let (_of_a, in_a, in_a_tid) = target(&world, Some("a"));
    let (_of_b, in_b, in_b_tid) = target(&world, Some("b"));
    let (_of_host, on_host, on_host_tid) = target(&world, None);
    let supervisor = world.inspect("a")["supervisor_pid"]
        .as_u64()
        .expect("an id");
    let threads = world.host.program("processes");
    let threads = threads.args(["threads", &supervisor.to_string()]).run();
    let supervisor_thread = threads.expect(0).json()[0].as_u64().expect("a thread");
    for (pid, tid) in [
        (in_b, in_b_tid),
        (on_host, on_host_tid),
        (supervisor, supervisor_thread),
        (65532, 65528),
    ] {
        assert_not_there(&reach(&world, "a", pid, tid));
    }
    let untouched = [in_a, in_b, on_host, supervisor];
    assert_eq!(world.alive(&untouched), untouched);
    // The same program reaches its own VM's: the ids are the right ones.
    let own = reach(&world, "a", in_a, in_a_tid);
    for way in ["NtOpenProcess", "NtOpenThread", "OpenProcess", "OpenThread"] {
        assert_eq!(own[way][1], 0, "{way}: {own}");
    }
    let outside = world.host.program("processes");
    let outside = outside.args(["reach", &in_b.to_string(), &in_b_tid.to_string()]);
    let outside = outside.run().expect(0).json();
    assert_eq!(
        outside["NtOpenProcess"][7], 0,
        "the host goes on: {outside}"
    );
}

#[test]
fn guessed_ids_open_members_only() {
    let world = World::new();
    let (_of_a, in_a, in_a_tid) = target(&world, Some("a"));
    let (_of_b, _, _) = target(&world, Some("b"));
    let told = world.exec("a", "processes", &["guess"]).expect(0).json();
    let (processes, threads) = (ids(&told["processes"]), ids(&told["threads"]));
    assert!(
        processes.contains(&in_a) && threads.contains(&in_a_tid),
        "{told}"
    );
    assert_eq!(processes.len(), 2, "the target and the guesser: {told}");
}

#[test]
fn lists_show_members_only() {
    let world = World::new();
    let (_of_a, in_a, _) = target(&world, Some("a"));
    let (_of_b, in_b, _) = target(&world, Some("b"));
    let inside = world.exec("a", "processes", &["list"]).expect(0).json();
    let outside = world.host.program("processes").arg("list").run().expect(0);
    let outside = outside.json();
    let own: BTreeSet<u64> = ids(&inside["lists"]["toolhelp"]);
    assert!(
        own.contains(&in_a) && !own.contains(&in_b) && own.len() == 2,
        "{inside}"
    );
    assert!(
        outside["lists"]["native"] != serde_json::json!([]),
        "{outside}"
    );
    for (way, list) in inside["lists"].as_object().expect("an object") {
        // Classes that this Wine lacks are empty on both sides.
        if outside["lists"][way] == serde_json::json!([]) {
            assert_eq!(ids(list), BTreeSet::new(), "{way}: {inside}");
        } else {
            assert_eq!(ids(list), own, "{way}: {inside}");
        }
        let both = BTreeSet::from([in_a, in_b]);
        let all = ids(&outside["lists"][way]);
        assert!(all.is_empty() || all.is_superset(&both), "{way}: {outside}");
    }
    assert_eq!(
        inside["names"],
        serde_json::json!(["processes.exe"]),
        "{inside}"
    );
}

/// What a member, or a program of the host's, can do by handles of a process and
/// its thread that the host gave to it.
fn by_given_handles(world: &World, vm: Option<&str>, of: (u64, u64)) -> Value {
    let path = world.host.path_of("processes");
    let (file, name) = (
        world.work().join("given"),
        format!("{}\\given", world.windows_work()),
    );
    let _ = std::fs::remove_file(&file);
    let taker = match vm {
        Some(vm) => world.pinion(["exec", vm, &path, "take", &name]),
        None => world.host.program("processes").args(["take", &name]),
    };
    let mut taker = taker.spawn();
    let to = taker.first_json()["pid"].as_u64().expect("an id");
    let words = [of.0, of.1, to].map(|id| id.to_string());
    let giver = world.host.program("processes").arg("give").args(&words);
    let given = giver.run().expect(0).json();
    assert!(!ids(&given).contains(&0), "{given}");
    std::fs::write(&file, format!("{} {}", given[0], given[1])).expect("written");
    last(&taker.wait().expect(0))
}

#[test]
fn a_handle_of_a_foreign_process_is_good_for_nothing() {
    let world = World::new();
    let (_of_a, _, _) = target(&world, Some("a"));
    let (_of_b, in_b, in_b_tid) = target(&world, Some("b"));
    let (_of_host, on_host, on_host_tid) = target(&world, None);
    for of in [(in_b, in_b_tid), (on_host, on_host_tid)] {
        let told = by_given_handles(&world, Some("a"), of);
        for (call, status) in told.as_object().expect("an object") {
            // What this Wine lacks is there for nobody.
            assert!(status == "c0000022" || status.is_null(), "{call}: {told}");
        }
    }
    assert_eq!(world.alive(&[in_b, on_host]), [in_b, on_host]);
    // The host may: the test can fail.
    let outside = by_given_handles(&world, None, (in_b, in_b_tid));
    for call in [
        "NtWriteVirtualMemory",
        "NtCreateThreadEx",
        "NtTerminateProcess",
    ] {
        assert_eq!(outside[call], "0", "{outside}");
    }
}

#[test]
fn a_handle_of_a_member_is_good_for_what_it_is_outside() {
    let world = World::new();
    let outside = world.host.program("processes").arg("by-handle").run();
    let inside = world.run("processes", &["by-handle"]).expect(0).json();
    assert_eq!(inside, outside.expect(0).json());
    assert_eq!(inside["NtCreateThreadEx"], "0", "{inside}");
}

/// Whether this Wine's server survives the question for all handles: that of
/// Wine 8 does not, so that only a VM may be asked, which shows the asking
/// process's own there.
fn lists_handles(world: &World) -> bool {
    !world.host.is_wine_8()
}

#[test]
fn tables_of_handles_show_members_only() {
    let world = World::new();
    let (_of_a, in_a, _) = target(&world, Some("a"));
    let (_of_b, _, _) = target(&world, Some("b"));
    let inside = world.exec("a", "processes", &["handles"]).expect(0).json();
    let own = inside["pid"].as_u64().expect("an id");
    let mut members = BTreeSet::from([own]);
    if lists_handles(&world) {
        members.insert(in_a);
        let outside = world.host.program("processes").arg("handles").run();
        let outside = outside.expect(0).json();
        assert!(ids(&outside["owners"][1]).contains(&in_a), "{outside}");
        for told in ["event", "after", "odd"] {
            assert_eq!(inside[told], outside[told], "{told}");
        }
    }
    assert_eq!(ids(&inside["owners"][0]), members, "{inside}");
    assert_eq!(ids(&inside["owners"][1]), members, "{inside}");
    // EVENT_ALL_ACCESS, OBJ_INHERIT | OBJ_PROTECT_CLOSE.
    let event = serde_json::json!([[[0x1f_0003, 3]], [[0x1f_0003, 3]]]);
    assert_eq!(inside["event"], event);
    assert_eq!(inside["after"], serde_json::json!([[], []]));
}

#[test]
fn a_question_for_all_handles_harms_nobody() {
    let world = World::new();
    let asker = world.pinion(["run", &world.host.path_of("processes"), "ask-handles", "10"]);
    let mut asker = asker.spawn();
    // A program that is started from Unix has no handle at first.
    while !asker.has_ended() {
        world
            .host
            .program("processes")
            .args(["hold", "0"])
            .run()
            .ok();
    }
    let told = asker.wait().expect(0).json();
    assert!(told["answered"].as_u64() > Some(10), "{told}");
}

#[test]
fn a_child_and_a_service_reach_no_further() {
    let world = World::new();
    let (_of_a, _, _) = target(&world, Some("a"));
    let (_of_host, pid, tid) = target(&world, None);
    let program = world.host.path_of("processes");
    let line = format!("{program} reach {pid} {tid}");
    let child = world
        .pinion(["exec", "a", "cmd.exe", "/c", &line])
        .run()
        .expect(0);
    assert_not_there(&child.json());
    let file = format!("{}\\service.txt", world.windows_work());
    let command = format!("{program} to {file} reach {pid} {tid}");
    let sc = |words: &[&str]| {
        world
            .pinion(["exec", "a", "sc.exe"])
            .args(words.to_vec())
            .run()
    };
    sc(&["create", "pinion-reach", "binPath=", &command]).ok();
    // It is no service: it writes its file and ends.
    let _ = sc(&["start", "pinion-reach"]);
    let read = world.pinion(["exec", "a", "cmd.exe", "/c", &format!("type {file}")]);
    let read = read.run().expect(0);
    assert_not_there(&read.json());
}

#[test]
fn a_members_console_is_its_own_vms() {
    let world = World::new();
    let (_of_a, _, _) = target(&world, Some("a"));
    let console = world
        .host
        .program("processes")
        .args(["console", "60"])
        .run();
    let on_host = console.expect(0).json()["pid"].as_u64().expect("an id");
    let console = world.exec("a", "processes", &["console", "60"]).expect(0);
    let in_a = console.json()["pid"].as_u64().expect("an id");
    let attach = |pid: u64| {
        let told = world.exec("a", "processes", &["attach", &pid.to_string()]);
        told.expect(0).json()
    };
    let nobodys = attach(65532);
    assert_eq!(nobodys["attached"], false);
    assert_eq!(attach(on_host), nobodys);
    assert_eq!(attach(in_a)["attached"], true);
    // On the host the same console is there; the program's output goes to it.
    let file = format!("{}\\attached.txt", world.windows_work());
    let outside = world.host.program("processes");
    let outside = outside.args(["to", &file, "attach", &on_host.to_string()]);
    outside.run().ok();
    let told = std::fs::read_to_string(world.work().join("attached.txt")).expect("written");
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(told["attached"], true, "{told}");
    world.kill(on_host);
}

#[test]
fn a_console_that_the_host_shares_shows_members_and_interrupts_them_only() {
    let world = World::new();
    let (_of_a, _, _) = target(&world, Some("a"));
    let console = world.exec("a", "processes", &["console", "60"]).expect(0);
    let in_a = console.json()["pid"].as_u64().expect("an id");
    let (file, name) = (
        world.work().join("there"),
        format!("{}\\there", world.windows_work()),
    );
    let stay = ["stay", &in_a.to_string(), "60", &name];
    let mut on_host = world.host.program("processes").args(stay).spawn();
    let there: Value = pinion_e2e::eventually(20, "the host's program attaches", || {
        serde_json::from_slice(&std::fs::read(&file).ok()?).ok()
    });
    let host = there["pid"].as_u64().expect("an id");
    assert!(
        ids(&there["ids"]).is_superset(&BTreeSet::from([in_a, host])),
        "{there}"
    );
    let listed = world.exec("a", "processes", &["listed", &in_a.to_string()]);
    let listed = listed.expect(0).json();
    let own = listed["pid"].as_u64().expect("an id");
    assert_eq!(ids(&listed["ids"]), BTreeSet::from([in_a, own]), "{listed}");
    assert_eq!(listed["short"], 2, "{listed}");
    // A program that is started from Unix is the first of a group of its own.
    let words = ["interrupt", &in_a.to_string(), &host.to_string()];
    let inside = world.exec("a", "processes", &words).expect(0).json();
    assert_eq!(inside["attached"], true, "{inside}");
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(
        !on_host.has_ended(),
        "a member interrupted the host's program"
    );
    let outside = world.host.program("processes").args(words).run();
    outside.ok();
    pinion_e2e::eventually(20, "the host interrupts its own", || {
        on_host.has_ended().then_some(())
    });
}
