//! COM in VMs: servers of one class do not meet, and nothing of it leads out.

use pinion_e2e::World;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const CLASS: &str = "{5A1C0F3E-7B1D-4C7E-9A50-50494E494F4E}";
/// `REGDB_E_CLASSNOTREG`, `MK_E_UNAVAILABLE`.
const NOT_REGISTERED: &str = "0x80040154";
const UNAVAILABLE: &str = "0x800401e3";

fn com(world: &World, vm: &str, arguments: &[&str]) -> Value {
    world.exec(vm, "com_server", arguments).expect(0).json()
}

fn on_host(world: &World, arguments: &[&str]) -> Value {
    let program = world.host.program("com_server").args(arguments);
    program.run().expect(0).json()
}

/// A VM's own members.
fn is_member(world: &World, vm: &str, pid: &Value) -> bool {
    let inspected = world.inspect(vm);
    let pids = inspected["pids"].as_array().cloned().unwrap_or_default();
    pids.contains(pid)
}

#[test]
fn one_class_in_two_vms_serves_each_its_own() {
    let world = World::new();
    for vm in ["left", "right"] {
        world.sleeper(vm, 120);
        com(&world, vm, &["register", CLASS, vm]);
    }
    let mut servers = Vec::new();
    for vm in ["left", "right", "left"] {
        let told = com(&world, vm, &["call", CLASS]);
        assert_eq!(told["new"]["tag"], vm, "{told}");
        assert!(is_member(&world, vm, &told["new"]["pid"]), "{told}");
        assert_eq!(told["active"], told["new"], "{told}");
        servers.push(told["new"]["pid"].clone());
    }
    assert_eq!(servers[0], servers[2], "it serves on");
    assert_ne!(servers[0], servers[1]);
    let host = on_host(&world, &["call", CLASS]);
    assert_eq!(host["new"]["error"], NOT_REGISTERED, "{host}");
    assert_eq!(host["active"]["error"], UNAVAILABLE, "{host}");
}

#[test]
fn a_class_of_a_service_starts_the_vms_own_service() {
    let world = World::new();
    for vm in ["left", "right"] {
        world.sleeper(vm, 120);
        let made = com(&world, vm, &["register-service", "pinion-com", CLASS, vm]);
        assert_eq!(made, json!({ "made": null, "set": [0, 0] }));
    }
    for vm in ["left", "right"] {
        let told = com(&world, vm, &["call", CLASS]);
        assert_eq!(told["new"]["tag"], vm, "{told}");
        let services = world.pinion(["services", "--json", vm]).run();
        let services = services.expect(0).json();
        let all = services.as_array().cloned().unwrap_or_default();
        let own = all.iter().find(|service| service["name"] == "pinion-com");
        let own = own.unwrap_or_else(|| panic!("{services}"));
        assert_eq!(own["state"], "running", "{own}");
        assert_eq!(own["pid"], told["new"]["pid"], "{told}");
    }
    let host = world.host.any("sc").args(["query", "pinion-com"]).run();
    assert_ne!(host.code, 0, "{host:?}");
}

#[test]
fn what_is_active_or_handed_on_as_bytes_is_found_in_its_vm_only() {
    let world = World::new();
    for vm in ["left", "right"] {
        world.sleeper(vm, 120);
    }
    let server = world.host.path_of("com_server");
    let serve = ["exec", "-d", "left", &server, "serve", CLASS, "left", "60"];
    world.pinion(serve).run().ok();
    let active = |vm: &str| com(&world, vm, &["call", CLASS])["active"].clone();
    let end = Instant::now() + Duration::from_secs(20);
    while active("left")["tag"] != "left" {
        assert!(Instant::now() < end, "{}", active("left"));
    }
    assert_eq!(active("right")["error"], UNAVAILABLE);
    let host = on_host(&world, &["call", CLASS]);
    assert_eq!(host["active"]["error"], UNAVAILABLE, "{host}");

    let mut holder = world
        .pinion(["exec", "left", &server, "marshal", "40", "left"])
        .spawn();
    let given = holder.first_json();
    let bytes = given["reference"].as_str().expect("a reference");
    let inside = com(&world, "left", &["unmarshal", bytes]);
    assert_eq!(inside["tag"], "left", "{inside}");
    for told in [
        com(&world, "right", &["unmarshal", bytes]),
        on_host(&world, &["unmarshal", bytes]),
    ] {
        assert!(told["error"].is_string(), "it leads out: {told}");
    }
}

#[test]
fn a_server_of_the_host_is_not_reached() {
    const HOSTS: &str = "{5A1C0F3E-7B1D-4C7E-9A51-50494E494F4E}";
    let world = World::new();
    world.sleeper("inside", 120);
    on_host(&world, &["register", HOSTS, "registered"]);
    let mut server = world
        .host
        .program("com_server")
        .args(["serve", HOSTS, "hosts", "60"])
        .spawn();
    let serves = server.first_json();
    let host = on_host(&world, &["call", HOSTS]);
    let inside = com(&world, "inside", &["call", HOSTS]);
    on_host(&world, &["unregister", HOSTS]);
    assert_eq!(host["new"]["pid"], serves["pid"], "{host}");
    // The class is registered on the host, so the VM starts its own server of it.
    assert_eq!(inside["new"]["tag"], "registered", "{inside}");
    assert_eq!(inside["active"], inside["new"], "{inside}");
    assert!(
        is_member(&world, "inside", &inside["new"]["pid"]),
        "{inside}"
    );
}

#[test]
fn a_surrogate_is_each_vms_own() {
    /// The shell's link (shlguid.h), a class of a DLL that every prefix has.
    const LINK: &str = "{00021401-0000-0000-C000-000000000046}";
    let world = World::new();
    let server = world.host.path_of("com_server");
    for vm in ["left", "right", "none"] {
        world.sleeper(vm, 120);
    }
    let surrogate = |vm: &str| {
        let top = world.pinion(["ps", vm]).run().expect(0).stdout;
        top.contains("dllhost.exe")
    };
    for vm in ["left", "right"] {
        com(&world, vm, &["surrogate", LINK]);
        let new = ["exec", vm, &server, "new", LINK, "--hold", "20"];
        let mut holder = world.pinion(new).spawn();
        assert_eq!(holder.first_json()["result"], "0x00000000", "{vm}");
        assert!(surrogate(vm), "{vm}");
    }
    let told = com(&world, "none", &["new", LINK]);
    assert_eq!(told["result"], NOT_REGISTERED, "{told}");
    assert!(!surrogate("none"));
}

#[test]
fn each_vm_has_its_own_background_transfers() {
    let world = World::new();
    for vm in ["left", "right"] {
        world.sleeper(vm, 120);
        let told = com(&world, vm, &["bits", "one"]);
        let expected = json!({ "made": "0x00000000", "counted": "0x00000000", "count": 1 });
        assert_eq!(told, expected, "{vm}");
        let services = world.pinion(["services", "--json", vm]).run();
        let services = services.expect(0).json().to_string();
        assert!(services.contains("BITS"), "{services}");
    }
    let told = com(&world, "left", &["bits", "two"]);
    assert_eq!(told["count"], 2, "{told}");
}
