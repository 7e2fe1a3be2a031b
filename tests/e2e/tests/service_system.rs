//! What the VM's service controller does besides a service's plain life.

use pinion_e2e::World;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn told(world: &World, vm: &str, arguments: &[&str]) -> Value {
    let told = world.exec(vm, "service_system", arguments);
    told.expect(0).json()
}

#[test]
fn drivers_users_services_groups_triggers_locks_and_access_lists() {
    let world = World::new();
    world.sleeper("system", 90);
    let worker = world.host.path_of("service_worker");
    let told = told(&world, "system", &[&worker]);
    assert_eq!(told["driver"], 1275, "ERROR_DRIVER_BLOCKED: {told}");
    assert_eq!(told["users"], 50, "ERROR_NOT_SUPPORTED: {told}");
    let one_by_one = json!([[234, ["pinion-one"]], [0, ["pinion-two"]]]);
    assert_eq!(told["by_group"], one_by_one, "{told}");
    assert_eq!(told["needs"], 0, "{told}");
    assert_eq!(told["first"], json!([true, true]), "{told}");
    let waits = json!({
        // ERROR_TIMEOUT, ERROR_INVALID_PARAMETER, ERROR_CANCELLED.
        "at_once": 0, "late": 1460, "nothing": 87, "runs": 0, "started": 0, "cancelled": 1223,
    });
    assert_eq!(told["waits"], waits, "{told}");
    let triggers = json!({ "set": 0, "small": 122, "type": 20, "same": true });
    assert_eq!(told["triggers"], triggers, "{told}");
    let privileges = json!({ "set": 0, "get": 0, "same": true });
    assert_eq!(told["privileges"], privileges, "{told}");
    let lock = json!({ "lock": true, "while": 1, "unlock": 0, "after": 0 });
    assert_eq!(told["lock"], lock, "{told}");
    let security = &told["security"];
    let expected = json!({ "set": 0, "status": 0, "start": 5, "delete": 5 });
    for (name, value) in expected.as_object().expect("an object") {
        assert_eq!(&security[name], value, "{name}: {told}");
    }
    let list = security["told"].as_str().unwrap_or_default();
    assert!(list.starts_with("D:(D;;RP;;;WD)(A;;"), "{told}");
    // All of it is in the VM's layer, and is there when the VM is again.
    for verb in ["kill", "start"] {
        world.pinion([verb, "system"]).run().ok();
    }
    let query = |name: &str| {
        let arguments = ["exec", "system", "sc.exe", "query", name];
        world.pinion(arguments).run().expect(0).stdout
    };
    assert!(query("pinion-system").contains("STOPPED"));
    assert!(query("pinion-needs").contains("STOPPED"));
    let start = ["exec", "system", "sc.exe", "start", "pinion-system"];
    assert_ne!(world.pinion(start).run().code, 0, "the access list is kept");
    let host = world.host.any("sc").args(["query", "pinion-driver"]).run();
    assert_ne!(host.code, 0, "nothing of it is on the host: {host:?}");
}

/// The notes of the services in a file of the VM, each as the service's name or the control.
fn notes(world: &World, vm: &str, file: &str) -> Vec<Value> {
    let output = world
        .pinion(["exec", vm, "cmd.exe", "/c", "type", file])
        .run();
    output
        .stdout
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|note| {
            let name = note["arguments"].get(0);
            name.or_else(|| note.get("control")).cloned()
        })
        .collect()
}

#[test]
fn services_start_with_the_vm_and_are_told_of_its_end() {
    const PRESHUTDOWN: u32 = 15;
    const SHUTDOWN: u32 = 5;
    let world = World::new();
    world.sleeper("auto", 300);
    let worker = world.host.path_of("service_worker");
    let file = format!("{}\\auto.txt", world.windows_work());
    let made = told(&world, "auto", &["install", &worker, &file]);
    let expected = json!({ "order": 0, "delay": 0, "started": [0, 0] });
    assert_eq!(made, expected);
    world.pinion(["stop", "-t", "20", "auto"]).run().ok();
    world.pinion(["start", "auto"]).run().ok();
    let services = || {
        let services = ["services", "--all", "--json", "auto"];
        world.pinion(services).run().expect(0).json()
    };
    let runs = |name: &str| {
        let all = services();
        let all = all.as_array().cloned().unwrap_or_default();
        let of_name = all.iter().find(|service| service["name"] == name);
        of_name.is_some_and(|service| service["state"] == "running")
    };
    let end = Instant::now() + Duration::from_secs(60);
    while !runs("pinion-late") {
        assert!(Instant::now() < end, "{}", services());
        std::thread::sleep(Duration::from_millis(100));
    }
    let notes = notes(&world, "auto", &file);
    let place = |what: Value| {
        let found = notes.iter().position(|note| *note == what);
        found.unwrap_or_else(|| panic!("no {what}: {notes:?}"))
    };
    assert!(
        place(json!(PRESHUTDOWN)) < place(json!(SHUTDOWN)),
        "{notes:?}"
    );
    assert!(
        place(json!("pinion-a")) < place(json!("pinion-b")),
        "{notes:?}"
    );
    assert!(
        place(json!("pinion-b")) < place(json!("pinion-late")),
        "{notes:?}"
    );
    assert!(!runs("pinion-early"), "it is started on demand");
}
