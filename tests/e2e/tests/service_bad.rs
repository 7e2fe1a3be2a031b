//! Services and clients of the service API that do what none should: the VM's controller bears it.

use pinion_e2e::World;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn bad(world: &World, vm: &str, arguments: &[&str]) -> Value {
    world.exec(vm, "service_bad", arguments).expect(0).json()
}

/// Whether the controller still makes a service and runs it through its life.
fn works(world: &World, vm: &str) {
    let worker = world.host.path_of("service_worker");
    let file = format!("{}\\after.txt", world.windows_work());
    let told = world.exec(vm, "service_client", &[&worker, "pinion-after", &file]);
    let told = told.expect(0).json();
    for call in ["start", "restart", "third", "delete"] {
        assert_eq!(told[call], 0, "{call}: {told}");
    }
}

#[test]
fn services_that_are_none_are_told_as_what_they_are() {
    /// `ERROR_SERVICE_REQUEST_TIMEOUT`
    const LATE: u32 = 1053;
    let world = World::new();
    world.sleeper("bad", 200);
    let worker = world.host.path_of("service_worker");
    let child = world.host.path_of("child");
    let file = format!("{}\\bad.txt", world.windows_work());
    let told = bad(&world, "bad", &["services", &worker, &child, &file]);
    assert_eq!(told["at_once"], LATE, "{told}");
    assert_eq!(told["silent"], LATE, "{told}");
    assert_eq!(told["absent"], 2, "{told}");
    assert_ne!(told["folder"], 0, "{told}");
    assert_eq!(told["nonsense"], 0, "{told}");
    assert_eq!(told["well"], 0, "{told}");
    let notes = world.pinion(["exec", "bad", "cmd.exe", "/c", "type", &file]);
    let notes = notes.run().stdout;
    // ERROR_INVALID_DATA, taken, and ERROR_INVALID_HANDLE twice.
    assert!(notes.contains(r#"{"nonsense":[13,0,6,6]}"#), "{notes}");
    let services = world.pinion(["services", "--json", "bad"]).run().expect(0);
    let services = services.json().to_string();
    assert!(services.contains("bad-well"), "{services}");
    works(&world, "bad");
}

#[test]
fn a_service_that_crashes_and_is_restarted_for_ever_harms_nobody() {
    let world = World::new();
    world.sleeper("loop", 200);
    let worker = world.host.path_of("service_worker");
    let told = bad(&world, "loop", &["loop", &worker]);
    let expected = json!({ "set": 0, "again": true, "beside": 0, "deleted": 0 });
    assert_eq!(told, expected);
    works(&world, "loop");
    let begin = Instant::now();
    world.pinion(["stop", "-t", "10", "loop"]).run().ok();
    assert!(begin.elapsed() < Duration::from_secs(30));
}

#[test]
fn thousands_of_controls_are_each_answered() {
    let world = World::new();
    world.sleeper("flood", 300);
    let worker = world.host.path_of("service_worker");
    let told = bad(&world, "flood", &["flood", &worker, "4000"]);
    let (done, refused) = (told["done"].as_u64(), told["refused"].as_u64());
    assert_eq!(done.zip(refused).map(|(a, b)| a + b), Some(4000), "{told}");
    assert!(done > Some(1000) && refused >= Some(500), "{told}");
    assert_eq!(
        (&told["stop"], &told["stopped"]),
        (&json!(0), &json!(true)),
        "{told}"
    );
    works(&world, "flood");
}

#[test]
fn hostile_names_and_command_lines_are_kept_as_text_or_refused() {
    let world = World::new();
    world.sleeper("names", 200);
    let worker = world.host.path_of("service_worker");
    let told = bad(&world, "names", &["names", &worker]);
    // ERROR_INVALID_NAME
    for refused in ["empty", "slash", "backslash", "long"] {
        assert_eq!(told[refused], 123, "{refused}: {told}");
    }
    for made in [
        "longest", "dots", "space", "device", "percent", "odd", "star",
    ] {
        assert_eq!(told[made], 0, "{made}: {told}");
    }
    let paths = [
        "no_path",
        "long_path",
        "quotes",
        "percents",
        "pipe",
        "device_path",
        "unix",
    ];
    for path in paths {
        assert_eq!(told[path], true, "{path}: {told}");
    }
    works(&world, "names");
}

#[test]
fn damaged_records_are_passed_over_and_the_others_run() {
    let world = World::new();
    world.sleeper("damaged", 200);
    let worker = world.host.path_of("service_worker");
    let told = bad(&world, "damaged", &["damage", &worker]);
    assert_eq!(told, json!({ "stays": true }));
    for verb in ["kill", "start"] {
        world.pinion([verb, "damaged"]).run().ok();
    }
    let all = world.pinion(["services", "--all", "--json", "damaged"]);
    let all = all.run().expect(0).json();
    let names: Vec<&str> = all
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|service| service["name"].as_str())
        .collect();
    for there in ["d-needs", "d-rest", "d-well", "d-hand"] {
        assert!(names.contains(&there), "{there}: {names:?}");
    }
    for gone in ["d-type", "d-start", "d-path", "d-key"] {
        assert!(!names.contains(&gone), "{gone}: {names:?}");
    }
    let start = |name: &str| world.pinion(["services", "damaged", "start", name]).run();
    for name in ["d-rest", "d-well", "d-hand"] {
        start(name).ok();
    }
    assert_ne!(start("d-needs").code, 0, "it needs itself");
    works(&world, "damaged");
}

#[test]
fn a_vm_ends_in_the_midst_of_it_all() {
    let world = World::new();
    let worker = world.host.path_of("service_worker");
    let program = world.host.path_of("service_bad");
    for (vm, end) in [("stopped", &["stop", "-t", "5"][..]), ("killed", &["kill"])] {
        world.sleeper(vm, 200);
        let flood = ["exec", vm, &program, "flood", &worker, "1000000"];
        let flood = world.pinion(flood).spawn();
        let running = || {
            let services = world.pinion(["services", "--json", vm]).run();
            services.stdout.contains("bad-flood")
        };
        let deadline = Instant::now() + Duration::from_secs(30);
        while !running() {
            assert!(Instant::now() < deadline, "{vm}");
        }
        let begin = Instant::now();
        world.pinion(end.iter().copied().chain([vm])).run().ok();
        assert!(begin.elapsed() < Duration::from_secs(40), "{vm}");
        assert_ne!(flood.wait().code, 0, "{vm}");
        world.pinion(["start", vm]).run().ok();
        works(&world, vm);
    }
}
