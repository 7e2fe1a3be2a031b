//! Programs and folders that a VM alone has: `run`, `start`, `exec` and its services start them like any
//! other; a program of the host that the VM has deleted is none.

use pinion_e2e::World;
use serde_json::{Value, json};

/// Exit codes of docs/CLI.md.
const CANNOT_RUN: i32 = 126;
const NOT_FOUND: i32 = 127;

const FOLDER: &str = r"C:\Pinion only here";

/// A world with a VM `own` that runs and has `echo_stdio` and `child` in a folder of its own.
fn world() -> World {
    let world = World::new();
    world.sleeper("own", 300);
    let own = world.pinion(["exec", "own", "cmd.exe", "/c", "mkdir", FOLDER]);
    own.run().ok();
    for (program, name) in [("echo_stdio", "echo"), ("child", "child")] {
        let to = format!(r"own:{FOLDER}\{name}.exe");
        world
            .pinion(["cp", &world.host.path_of(program), &to])
            .run()
            .ok();
    }
    world
}

fn show(output: pinion_e2e::Output) -> Value {
    output.expect(3).json()
}

#[test]
fn exec_starts_what_is_in_the_vm_alone() {
    let world = world();
    let echo = format!(r"{FOLDER}\echo.exe");
    let odd = ["show", "A b", r#"q"u\"#, "", "--exit", "3"];
    let told = show(
        world
            .pinion(["exec", "-w", FOLDER, "own", &echo])
            .args(odd)
            .run(),
    );
    assert_eq!(told["arguments"], json!(["A b", r#"q"u\"#, ""]), "{told}");
    assert_eq!(told["cwd"], FOLDER, "{told}");
    let text = "a line\n".repeat(1000);
    let cat = world.pinion(["exec", "own", &echo, "cat"]).input(&text);
    assert_eq!(cat.run().expect(0).stdout, text);
    // The host's program in a folder of the VM's.
    let host = world.host.path_of("echo_stdio");
    let command = ["exec", "-w", FOLDER, "-e", "V=1", "own", &host];
    let told = show(
        world
            .pinion(command)
            .args(["show", "V", "--exit", "3"])
            .run(),
    );
    assert_eq!(told["cwd"], FOLDER, "{told}");
    assert_eq!(told["env"]["V"], "1", "{told}");
    let outside = world.host.any(&echo).run();
    assert_ne!(outside.code, 3, "nothing is there on the host");
}

#[test]
fn a_background_program_is_the_vms_by_its_own_process_id() {
    let world = world();
    let child = format!(r"{FOLDER}\child.exe");
    let started = world.pinion(["exec", "-d", "own", &child, "sleep", "100"]);
    let pid: u64 = started
        .run()
        .expect(0)
        .stdout
        .trim()
        .parse()
        .expect("a pid");
    let all = world.pinion(["ps", "--json", "own"]).run().expect(0).json();
    let all = all.as_array().expect("processes");
    let one = all.iter().find(|process| process["pid"] == pid);
    assert_eq!(one.expect("it runs")["image"], *child, "{all:?}");
    let is_helper = |process: &Value| process["image"].to_string().contains("pinion.exe");
    assert!(!all.iter().any(is_helper), "the helper has gone: {all:?}");
    world.pinion(["stop", "-t", "1", "own"]).run().ok();
    assert_eq!(world.alive(&[pid]), [0_u64; 0]);
}

#[test]
fn a_clone_runs_and_starts_what_its_source_has() {
    let world = world();
    world.pinion(["stop", "-t", "1", "own"]).run().ok();
    let echo = format!(r"{FOLDER}\echo");
    for from in ["own", "kept"] {
        if from == "kept" {
            world.pinion(["snapshot", "own", "kept"]).run().ok();
        }
        let run = world.pinion(["run", "--rm", "--from", from, "-w", FOLDER, "--"]);
        let told = show(run.args([&echo, "show", "--exit", "3"]).run());
        assert_eq!(told["cwd"], FOLDER, "from {from}: {told}");
    }
    let create = [
        "create", "--name", "later", "--from", "kept", "--", &echo, "--exit", "7",
    ];
    world.pinion(create).run().ok();
    let _ = world.pinion(["start", "-a", "later"]).run().expect(7);
    world.pinion(["start", "later"]).run().ok();
    assert_eq!(world.pinion(["wait", "later"]).run().stdout.trim(), "7");
    let other = world.pinion(["run", "--rm", "--", &format!("{echo}.exe")]);
    let _ = other.run().expect(NOT_FOUND);
}

#[test]
fn what_the_vm_deleted_or_damaged_does_not_start() {
    let world = World::new();
    let program = std::fs::read(world.host.bin().join("child.exe")).expect("a program");
    let [gone, text] = ["gone.exe", "text.exe"].map(|name| world.file(name, &program));
    world.sleeper("own", 300);
    let story = format!("file-delete {gone} ; file-write {text} no-program");
    let done = world.exec("own", "files_keys", &story.split(' ').collect::<Vec<_>>());
    done.ok();
    for detach in [&["-d"][..], &[]] {
        let exec = |program: &str| {
            let all = world.pinion(["exec"]).args(detach);
            all.args(["own", program, "trivial"]).run()
        };
        let _ = exec(&gone).expect(NOT_FOUND);
        let _ = exec(&text).expect(CANNOT_RUN);
    }
    let _ = world.host.any(&gone).arg("trivial").run().expect(0);
}

#[test]
fn a_service_runs_from_where_its_set_up_program_put_it() {
    const CLASS: &str = "{5A1C0F3E-7B1D-4C7E-9A70-50494E494F4F}";
    let world = World::new();
    world.sleeper("own", 300);
    let [worker, server] = ["service_worker", "com_server"].map(|name| world.host.path_of(name));
    let installed = world.exec(
        "own",
        "setup",
        &["own", "PinionRuns", &worker, &server, CLASS],
    );
    assert_eq!(installed.expect(0).json()["service"], 0);
    for round in 0..2 {
        let service = |act: &str| {
            let command = ["services", "own", act, "PinionRuns"];
            world.pinion(command).run().ok();
            let all = world.pinion(["services", "--json", "own"]).run().expect(0);
            let all = all.json();
            let all = all.as_array().expect("services").clone();
            let mut one = all.into_iter().filter(|one| one["name"] == "PinionRuns");
            one.next().expect("the service")
        };
        let runs = service("start");
        assert_eq!(runs["state"], "running", "round {round}: {runs}");
        let pid = runs["pid"].as_u64().expect("a pid");
        let all = world.pinion(["ps", "--json", "own"]).run().expect(0).json();
        let all = all.as_array().expect("processes").iter();
        let process = all.clone().find(|process| process["pid"] == pid);
        let image = &process.expect("it runs")["image"];
        assert_eq!(image, r"C:\Program Files\PinionRuns\worker.exe", "{all:?}");
        assert_eq!(service("stop")["state"], "stopped", "round {round}");
    }
}
