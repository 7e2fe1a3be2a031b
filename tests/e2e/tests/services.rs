//! The VM's own service controller and its own RPCSS.

use pinion_e2e::World;
use serde_json::Value;

fn com(world: &World, vm: &str, item: &str) -> Value {
    world.exec(vm, "com_client", &[item]).expect(0).json()
}

#[test]
fn com_reaches_the_rpcss_that_the_vms_controller_started() {
    let world = World::new();
    let mut reached = Vec::new();
    for vm in ["one", "two"] {
        world.sleeper(vm, 60);
        let told = com(&world, vm, &format!("item-of-{vm}"));
        assert_eq!(told["before"]["state"], 1, "stopped before: {told}");
        assert_eq!(told["rpcss"]["state"], 4, "running after: {told}");
        let pid = told["rpcss"]["pid"].clone();
        assert_eq!(told["epmapper_pid"], pid, "{told}");
        let inspected = world.inspect(vm);
        let pids = inspected["pids"].as_array().expect("a list");
        assert!(pids.contains(&pid), "a member: {inspected}");
        assert_eq!(inspected["services"][0]["name"], "RpcSs", "{inspected}");
        reached.push(pid);
    }
    assert_ne!(reached[0], reached[1]);
    let told = com(&world, "one", "again");
    let running = told["running"].to_string();
    assert!(!running.contains("item-of-two"), "{told}");
}

/// Runs a service through its life; what every call gave.
fn life(world: &World, vm: &str) -> Value {
    let worker = world.host.path_of("service_worker");
    let file = format!("{}\\{vm}.txt", world.windows_work());
    world
        .exec(vm, "service_client", &[&worker, "pinion-worker", &file])
        .expect(0)
        .json()
}

#[test]
fn two_vms_make_the_same_service_and_the_host_has_none() {
    let world = World::new();
    let lives: Vec<Value> = ["left", "right"]
        .into_iter()
        .map(|vm| {
            world.sleeper(vm, 60);
            life(&world, vm)
        })
        .collect();
    for told in &lives {
        for call in ["start", "restart", "third", "delete"] {
            assert_eq!(told[call], 0, "{call}: {told}");
        }
        assert_eq!(told["absent"], 1060, "no such service before: {told}");
        assert_eq!(told["start_again"], 1056, "already running: {told}");
    }
    let query = world.host.any("sc").args(["query", "pinion-worker"]).run();
    assert_ne!(query.code, 0, "{query:?}");
}
