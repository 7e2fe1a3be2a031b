//! A live supervisor under hostile traffic: from a member that gets past the
//! interception, and from a program of the host on the command line's pipe.

use pinion_e2e::World;
use serde_json::Value;
use std::fs;

/// What the supervisor may have more than before: connections have buffers and
/// threads, and there are bounds on both.
const MORE_MEMORY: u64 = 200 << 20;
const LONGEST_LOG: u64 = 4 << 20;

/// The memory in bytes of this machine's process that supervises the VM.
fn memory(vm: &str) -> u64 {
    let entries = fs::read_dir("/proc").expect("the processes").flatten();
    let supervisor = entries
        .map(|entry| entry.path())
        .find(|path| {
            let line = fs::read(path.join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line);
            line.contains("supervise") && line.contains(vm)
        })
        .expect("a supervisor");
    let status = fs::read_to_string(supervisor.join("status")).expect("its status");
    let line = status.lines().find(|line| line.starts_with("RssAnon:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.and_then(|kib| kib.parse::<u64>().ok())
        .expect("a number")
        << 10
}

fn same_vm(before: &Value, now: &Value) {
    for what in ["supervisor_pid", "main_pid", "state"] {
        assert_eq!(before[what], now[what], "{what}");
    }
}

/// A service of another member goes through its life.
fn service_works(world: &World, vm: &str) {
    let worker = world.host.path_of("service_worker");
    let file = format!("{}\\{vm}.txt", world.windows_work());
    let told = world
        .exec(vm, "service_client", &[&worker, "pinion-worker", &file])
        .expect(0)
        .json();
    for call in ["start", "restart", "delete"] {
        assert_eq!(told[call], 0, "{call}: {told}");
    }
}

#[test]
fn a_supervisor_stands_hostile_members_and_hostile_programs_of_the_host() {
    let world = World::new();
    let vm = format!("hostile-{}", std::process::id());
    world.sleeper(&vm, 200);
    let before = world.inspect(&vm);
    let memory_before = memory(&vm);
    let id = before["id"].as_str().expect("an id");
    let talk = world.host.path_of("talk");
    let members = format!(r"\Device\NamedPipe\pinion-sv-{id}");
    let control = format!(r"\\.\pipe\pinion-ctl-{id}");
    let held = ["--hold", "60"];

    let mut inside = world
        .pinion(["exec", &vm, &talk, "messages", &members])
        .args(held)
        .spawn();
    let mut outside = world
        .host
        .program("talk")
        .args(["lines", &control])
        .args(held)
        .spawn();
    // A program of the host on the members' pipe is not heard.
    let reaching_in = format!(r"\\.\pipe\pinion-sv-{id}");
    let intruder = world.host.program("talk").args(["lines", &reaching_in]);
    assert_eq!(intruder.run().expect(0).json()["answered"], 0);
    let said = inside.first_json();
    assert!(said["answered"].as_u64() > Some(100), "{said}");
    assert!(said["held"].as_u64() > Some(0), "{said}");
    let said = outside.first_json();
    assert!(said["answered"].as_u64() > Some(5), "{said}");

    same_vm(&before, &world.inspect(&vm));
    service_works(&world, &vm);
    let grown = memory(&vm).saturating_sub(memory_before);
    assert!(grown < MORE_MEMORY, "the supervisor grew by {grown} bytes");

    inside.kill();
    outside.kill();
    same_vm(&before, &world.inspect(&vm));
    let log = world.vm_folder(&vm).join("logs").join("supervisor.log");
    let length = fs::metadata(log).expect("a log").len();
    assert!(length < LONGEST_LOG, "the log has {length} bytes");
    world.pinion(["stop", "-t", "1", &vm]).run().ok();
}
