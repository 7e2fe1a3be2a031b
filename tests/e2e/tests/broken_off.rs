//! Command lines that are interrupted or killed before their program runs leave
//! nothing, inside or outside of the VM.

use pinion_e2e::{World, eventually};
use serde_json::Value;
use std::time::Duration;

fn control_pipe(told: &Value) -> String {
    format!(
        r"\\.\pipe\pinion-ctl-{}",
        told["id"].as_str().expect("an id")
    )
}

/// The members that run the program of this name; a console's host may be one, too.
fn members(world: &World, program: &str) -> Vec<u64> {
    let listed = world.pinion(["ps", "--json"]).run().expect(0).json();
    let all = listed.as_array().into_iter().flatten();
    all.filter(|one| {
        one["image"]
            .as_str()
            .is_some_and(|at| at.ends_with(program))
    })
    .filter_map(|one| one["pid"].as_u64())
    .collect()
}

/// How many of this machine's processes run the program of this name.
fn running(program: &str) -> usize {
    let entries = std::fs::read_dir("/proc").expect("the processes");
    entries
        .flatten()
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .filter(|line| String::from_utf8_lossy(line).contains(program))
        .count()
}

#[test]
fn a_member_whose_command_line_went_away_before_its_adoption_is_ended() {
    let world = World::new();
    world.sleeper("web", 100);
    let told = world.inspect("web");
    let child = world.host.path_of("child");
    let talk = world.host.program("talk");
    let left = talk
        .args(["break-off", &control_pipe(&told), &child])
        .run()
        .expect(0)
        .json();
    let pid = left["pid"].as_u64().expect("a pid");
    eventually(20, "the process that never ran is ended", || {
        world.alive(&[pid]).is_empty().then_some(())
    });
    let _ = world.exec("web", "echo_stdio", &["--exit", "4"]).expect(4);
    let after = world.inspect("web");
    assert_eq!(after["supervisor_pid"], told["supervisor_pid"]);
    assert_eq!(after["main_pid"], told["main_pid"]);
}

#[test]
fn killed_command_lines_leave_only_programs_that_run() {
    let world = World::new();
    world.sleeper("web", 100);
    let name = format!("left-{}.exe", std::process::id());
    let child = std::fs::read(world.host.bin().join("child.exe")).expect("a program");
    let program = world.file(&name, &child);
    let mut killed = Vec::new();
    for at in 1..=10 {
        let exec = ["exec", "web", &program, "sleep", "100"];
        let mut running = world.pinion(exec).spawn();
        std::thread::sleep(Duration::from_millis(at * 50));
        running.kill();
        killed.push(running);
    }
    eventually(20, "each program that is left runs", || {
        let ran: Vec<u64> = killed
            .iter()
            .filter_map(|one| serde_json::from_str::<Value>(&one.stdout()).ok())
            .filter_map(|said| said["pid"].as_u64())
            .collect();
        let members = members(&world, &name);
        let all_run = members.iter().all(|pid| ran.contains(pid));
        (all_run && running(&name) == members.len()).then_some(())
    });
    world.pinion(["rm", "-f", "web"]).run().ok();
    eventually(20, "no program is left", || {
        (running(&name) == 0).then_some(())
    });
}

#[test]
fn ctrl_c_before_the_program_starts_leaves_nothing() {
    let world = World::new();
    std::fs::create_dir_all(world.store()).expect("a folder");
    let (pinion, echo) = (world.pinion_path(), world.host.path_of("echo_stdio"));
    // A new VM waits for the store's lock.
    let lock = pinion_harness::wine::windows_path(&world.store().join("store.lock"));
    let run = ["held", &lock, &pinion, "run", &echo, "show", "it ran"];
    let output = world.in_world(world.host.program("ctrl_c")).args(run).run();
    // The low 8 bits of STATUS_CONTROL_C_EXIT.
    let output = output.expect(0x3a);
    assert_eq!(output.stdout, "", "{output:#?}");
    assert_eq!(world.folders(), [""; 0]);
}
