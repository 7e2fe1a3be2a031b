//! A VM from its making to its end.

use pinion_e2e::{World, eventually};
use serde_json::Value;

fn pids(inspected: &Value) -> Vec<u64> {
    inspected["pids"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_u64)
        .collect()
}

#[test]
fn run_rm_leaves_nothing() {
    let world = World::new();
    let _ = world.run("child", &["trivial"]).expect(0);
    assert_eq!(world.folders(), [""; 0]);
}

#[test]
fn a_removed_vm_leaves_no_file_key_object_pipe_or_process() {
    let world = World::new();
    world.sleeper("web", 100);
    let file = format!("{}\\left.txt", world.windows_work());
    let key = "HKCU\\Software\\PinionE2eLeft";
    let write = ["file-write", &file, "x", ";", "key-create", key];
    let written = world.exec("web", "files_keys", &write).expect(0).json();
    assert_eq!(
        (&written[0]["error"], &written[1]["error"]),
        (&0.into(), &0.into()),
        "{written}"
    );
    let told = world.inspect("web");
    let directory = told["object_directory"]
        .as_str()
        .expect("a path")
        .to_owned();
    let pipe = format!(
        "\\\\.\\pipe\\pinion-ctl-{}",
        told["id"].as_str().expect("an id")
    );
    let layer = told["registry_upper"].as_str().expect("a path");
    let (_, layer) = layer.split_once("\\Software\\").expect("a key of the user");
    let layer = format!("HKCU\\Software\\{layer}");
    let open = |kind, name: &str| {
        world
            .host
            .program("names")
            .args(["open", kind, name])
            .run()
            .expect(0)
            .json()["error"]
            .clone()
    };
    let list = || {
        world
            .host
            .program("files_keys")
            .args(["key-list", &layer])
            .run()
            .json()[0]["error"]
            .clone()
    };
    assert_eq!(open("nt-directory", &directory), 0);
    assert_eq!(open("pipe", &pipe), 0);
    assert_eq!(list(), 0);
    world.pinion(["rm", "-f", "web"]).run().ok();
    assert_ne!(open("nt-directory", &directory), 0);
    assert_eq!(open("pipe", &pipe), 2);
    assert_eq!(list(), 2);
    let mut all = pids(&told);
    all.extend(told["supervisor_pid"].as_u64());
    assert_eq!(world.alive(&all), [0; 0]);
    assert_eq!(world.folders(), [""; 0]);
    assert!(!world.work().join("left.txt").exists());
    let host = world
        .host
        .program("files_keys")
        .args(["key-list", key])
        .run()
        .json();
    assert_eq!(host[0]["error"], 2, "{host}");
}

#[test]
fn a_vm_is_created_started_stopped_started_again_and_removed() {
    let world = World::new();
    let child = world.host.path_of("child");
    let made = world
        .pinion(["create", "--name", "web", &child, "sleep", "100"])
        .run()
        .expect(0);
    assert_eq!(made.stdout.trim(), "web");
    assert_eq!(world.inspect("web")["state"], "created");
    for _ in 0..2 {
        let started = world.pinion(["start", "web"]).run().expect(0);
        assert_eq!(started.stdout.trim(), "web");
        let running = world.inspect("web");
        assert_eq!(running["state"], "running", "{running}");
        assert!(
            pids(&running).contains(&running["main_pid"].as_u64().expect("a pid")),
            "{running}"
        );
        world.pinion(["stop", "-t", "1", "web"]).run().ok();
        assert_eq!(world.inspect("web")["state"], "exited");
        assert_eq!(world.alive(&pids(&running)), [0; 0]);
    }
    world.pinion(["rm", "web"]).run().ok();
    assert_eq!(world.folders(), [""; 0]);
}

#[test]
fn start_attached_passes_on_stdout_and_the_exit_code() {
    let world = World::new();
    let echo = world.host.path_of("echo_stdio");
    world
        .pinion([
            "create", "--name", "web", "-e", "A=b", &echo, "show", "A", "--exit", "9",
        ])
        .run()
        .ok();
    for _ in 0..2 {
        let output = world.pinion(["start", "-a", "web"]).run().expect(9);
        assert_eq!(output.json()["env"]["A"], "b");
    }
}

#[test]
fn inspect_tells_all() {
    let world = World::new();
    world.sleeper("web", 100);
    let told = world.inspect("web");
    for text in [
        "id",
        "address",
        "object_directory",
        "pipe_prefix",
        "upper_files",
        "registry_upper",
    ] {
        assert!(
            told[text].as_str().is_some_and(|text| !text.is_empty()),
            "{text}: {told}"
        );
    }
    for number in ["supervisor_pid", "main_pid", "names_private", "started_ms"] {
        assert!(told[number].is_u64(), "{number}: {told}");
    }
    assert!(
        told["address"]
            .as_str()
            .is_some_and(|address| address.starts_with("127.")),
        "{told}"
    );
    let id = told["id"].as_str().expect("an id");
    assert_eq!(world.inspect(&id[..8])["name"], "web");
    let listed = world.pinion(["ls", "--json"]).run().expect(0).json();
    assert_eq!(listed[0]["state"], "running");
    assert_eq!(listed[0]["address"], told["address"]);
    let shown = world.pinion(["ls"]).run().expect(0).stdout;
    assert!(
        shown.contains("web") && shown.contains("running"),
        "{shown}"
    );
}

#[test]
fn exec_runs_in_the_same_vm_and_ps_shows_it() {
    let world = World::new();
    world.sleeper("web", 100);
    let _ = world.exec("web", "echo_stdio", &["--exit", "4"]).expect(4);
    let child = world.host.path_of("child");
    let detached = world
        .pinion(["exec", "-d", "web", &child, "sleep", "100"])
        .run()
        .expect(0);
    let pid: u64 = detached.stdout.trim().parse().expect("a pid");
    let listed = world.pinion(["ps", "web", "--json"]).run().expect(0).json();
    let all = listed.as_array().expect("a list");
    assert!(all.iter().any(|process| process["pid"] == pid), "{listed}");
    assert_eq!(
        all.iter().filter(|process| process["main"] == true).count(),
        1,
        "{listed}"
    );
    world.pinion(["kill", "web"]).run().ok();
    assert_eq!(world.alive(&[pid]), [0; 0]);
}

#[test]
fn a_vm_cannot_be_started_twice() {
    let world = World::new();
    world.sleeper("web", 100);
    let first = world.inspect("web");
    world
        .pinion(["start", "web"])
        .run()
        .fails(121, &["'web'", "running"]);
    world
        .pinion(["start", "-a", "web"])
        .run()
        .fails(121, &["'web'", "running"]);
    assert_eq!(
        world.inspect("web")["supervisor_pid"],
        first["supervisor_pid"]
    );
    world
        .pinion(["rm", "web"])
        .run()
        .fails(121, &["'web'", "running"]);
    world.pinion(["rm", "-f", "web"]).run().ok();
    assert_eq!(world.folders(), [""; 0]);
}

#[test]
fn two_starts_at_once_give_one_vm() {
    let world = World::new();
    let child = world.host.path_of("child");
    world
        .pinion(["create", "--name", "web", &child, "sleep", "100"])
        .run()
        .ok();
    let both = [
        world.pinion(["start", "web"]).spawn(),
        world.pinion(["start", "web"]).spawn(),
    ];
    let mut codes = both.map(|start| start.wait().code);
    codes.sort_unstable();
    assert_eq!(codes, [0, 121]);
    let told = world.inspect("web");
    assert_eq!(told["state"], "running");
    let listed = world.pinion(["ps", "--json"]).run().expect(0).json();
    let main = |process: &&Value| process["main"] == true;
    assert_eq!(
        listed.as_array().into_iter().flatten().filter(main).count(),
        1,
        "{listed}"
    );
}

#[test]
fn the_output_of_background_programs_is_logged() {
    let world = World::new();
    let echo = world.host.path_of("echo_stdio");
    world
        .pinion([
            "run", "-d", "--name", "web", &echo, "show", "A", "--exit", "6",
        ])
        .run()
        .ok();
    let followed = world.pinion(["logs", "-f", "web"]).run().expect(0);
    assert_eq!(followed.json()["arguments"], serde_json::json!(["A"]));
    assert_eq!(
        world.pinion(["wait", "web"]).run().expect(0).stdout.trim(),
        "6"
    );
    let shown = world.pinion(["logs", "web"]).run().expect(0);
    assert_eq!(shown.stdout, followed.stdout);
    assert!(
        !world
            .pinion(["logs", "--supervisor", "web"])
            .run()
            .expect(0)
            .stdout
            .is_empty()
    );
}

#[test]
fn wait_ends_when_the_vm_does() {
    let world = World::new();
    let child = world.host.path_of("child");
    world
        .pinion(["run", "-d", "--name", "web", &child, "sleep", "100"])
        .run()
        .ok();
    let mut waiting = world.pinion(["wait", "web"]).spawn();
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(!waiting.has_ended());
    world.pinion(["kill", "web"]).run().ok();
    waiting.wait().ok();
}

#[test]
fn children_end_with_the_main_program() {
    let world = World::new();
    let child = world.host.path_of("child");
    let main = world
        .pinion(["run", "--name", "web", &child, "sleep", "3"])
        .spawn();
    eventually(30, "the VM runs", || {
        let told = world.pinion(["inspect", "web"]).run();
        (told.code == 0 && told.json()["main_pid"].is_u64()).then_some(())
    });
    let other = world
        .pinion(["exec", "-d", "web", &child, "sleep", "100"])
        .run()
        .expect(0);
    let other: u64 = other.stdout.trim().parse().expect("a pid");
    main.wait().ok();
    assert_eq!(world.alive(&[other]), [0; 0]);
    assert_eq!(world.inspect("web")["state"], "exited");
}

#[test]
fn a_killed_supervisor_takes_its_vm_with_it() {
    let world = World::new();
    world.sleeper("web", 100);
    let told = world.inspect("web");
    let supervisor = told["supervisor_pid"].as_u64().expect("a pid");
    world.kill(supervisor);
    let all = pids(&told);
    eventually(10, "the processes are gone", || {
        world.alive(&all).is_empty().then_some(())
    });
    assert_ne!(world.inspect("web")["state"], "running");
    world
        .pinion(["exec", "web", "cmd.exe"])
        .run()
        .fails(123, &["'web'"]);
    world.pinion(["start", "web"]).run().ok();
    assert_eq!(world.inspect("web")["state"], "running");
    world.pinion(["rm", "-f", "web"]).run().ok();
    assert_eq!(world.folders(), [""; 0]);
}

#[test]
fn a_foreground_program_ends_with_a_killed_supervisor() {
    let world = World::new();
    let child = world.host.path_of("child");
    let mut main = world
        .pinion(["run", "--name", "web", &child, "sleep", "100"])
        .limit(60)
        .spawn();
    let _ = main.first_json();
    world.kill(
        world.inspect("web")["supervisor_pid"]
            .as_u64()
            .expect("a pid"),
    );
    main.wait().fails(137, &["supervisor was killed", "'web'"]);
}

#[test]
fn pause_holds_all_processes_and_unpause_lets_them_go() {
    let world = World::new();
    let child = world.host.path_of("child");
    world
        .pinion(["run", "-d", "--name", "web", &child, "sleep", "4"])
        .run()
        .ok();
    world.pinion(["pause", "web"]).run().ok();
    assert_eq!(world.inspect("web")["state"], "paused");
    world
        .pinion(["pause", "web"])
        .run()
        .fails(121, &["'web'", "paused"]);
    std::thread::sleep(std::time::Duration::from_secs(6));
    assert_eq!(world.inspect("web")["state"], "paused");
    world.pinion(["unpause", "web"]).run().ok();
    let waited = world.pinion(["wait", "web"]).limit(30).run().expect(0);
    assert_eq!(waited.stdout.trim(), "0");
}

#[test]
fn a_limit_on_processes_is_kept_or_said_not_to_be() {
    let world = World::new();
    world.sleeper("web", 100);
    let told = world
        .pinion(["update", "--processes", "2", "--json", "web"])
        .run()
        .expect(0)
        .json();
    assert_eq!(told["processes"]["value"], 2);
    let by = told["processes"]["enforced_by"].as_str().expect("a word");
    assert_eq!(
        world.inspect("web")["limits"]["processes"]["enforced_by"],
        by
    );
    if by == "none" {
        return;
    }
    let child = world.host.path_of("child");
    for _ in 0..2 {
        let _ = world
            .pinion(["exec", "-d", "web", &child, "sleep", "100"])
            .run();
    }
    eventually(10, "no more than two processes", || {
        (pids(&world.inspect("web")).len() <= 2).then_some(())
    });
    world
        .pinion(["update", "--processes", "none", "web"])
        .run()
        .ok();
    assert_eq!(
        world.inspect("web")["limits"]["processes"]["value"],
        Value::Null
    );
}

#[test]
fn a_limit_on_memory_is_kept_or_said_not_to_be() {
    let world = World::new();
    let child = world.host.path_of("child");
    let run = [
        "run", "--name", "web", "--memory", "64m", &child, "eat", "512", "20",
    ];
    let mut main = world.pinion(run).spawn();
    let _ = main.first_json();
    let told = world.inspect("web");
    assert_eq!(told["state"], "running", "looked at too late: {told}");
    let memory = &told["limits"]["memory"];
    assert_eq!(memory["value"], 64 << 20, "{told}");
    let kept = memory["enforced_by"] != "none";
    let output = main.wait();
    assert_eq!(output.code != 0, kept, "{output:?} {memory}");
}
