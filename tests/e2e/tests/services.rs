//! The VM's own service controller and its own RPCSS.

use pinion_e2e::World;
use serde_json::{Value, json};

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

#[test]
fn every_call_gives_what_is_documented() {
    let world = World::new();
    world.sleeper("exact", 60);
    let told = life(&world, "exact");
    let state = |moment: &str| told[moment]["state"].as_u64();
    let (stopped, running) = (Some(1), Some(4));
    assert_eq!(told["stopped"]["exit"], 1077, "never started: {told}");
    assert_eq!(told["stop_stopped"]["error"], 1062, "not active: {told}");
    assert_eq!(state("running"), running, "{told}");
    assert_eq!(
        told["unheeded"]["error"], 0,
        "what its handler gives is not told: {told}"
    );
    assert_eq!(told["pause"]["error"], 1052, "not accepted: {told}");
    assert_eq!(told["bad_control"]["error"], 87, "no such control: {told}");
    assert_eq!(state("ended"), stopped, "{told}");
    assert_eq!(told["ended_specific"]["exit"], 1066, "{told}");
    assert_eq!(told["ended_specific"]["specific"], 7, "{told}");
    assert_eq!(told["crashed"]["exit"], 1067, "aborted: {told}");
    assert_eq!(told["create_again"], 1073, "exists: {told}");
    assert_eq!(told["config"]["depend_on"], "RpcSs", "{told}");
    assert_eq!(told["config"]["small"], 122, "too small a buffer: {told}");
    assert_eq!(told["description"]["text"], "It works", "{told}");
    assert_eq!(told["list"]["small"], 234, "more data: {told}");
    assert_eq!(told["list"]["found"], true, "{told}");
    let (absent, first) = (1060, u32::from(b'A'));
    assert_eq!(
        told["odd"]["absent"],
        json!([
            [absent, 2, first],
            [absent, 2, first],
            [absent, 2, 0],
            [absent, 15, 0]
        ]),
        "no room, and room, for a name that is not there: {told}"
    );
    assert_eq!(told["odd"]["small"], json!([122, 8, 0]), "{told}");
    assert_eq!(told["odd"]["types"], json!([87, 0, 0]), "{told}");
    assert_eq!(told["odd"]["group"], json!([absent, 0, 0]), "{told}");
    assert_eq!(
        told["security"],
        json!({"none": 122, "whole": 0, "revision": 1})
    );
    assert_eq!(told["delete_again"], 1072, "marked: {told}");
    assert_eq!(told["close_again"], 6, "no handle: {told}");
    assert_eq!(told["gone"], 1060, "{told}");
    assert!(told["key"].is_string(), "its key was there: {told}");
    assert_eq!(told["key_gone"]["error"], 2, "and went with it: {told}");
}

#[test]
fn a_service_outlives_a_run_of_its_vm() {
    let world = World::new();
    world.sleeper("lasting", 60);
    let worker = world.host.path_of("service_worker");
    let file = format!("{}\\lasting.txt", world.windows_work());
    let arguments = [worker.as_str(), "pinion-lasting", &file, "--keep", "yes"];
    world.exec("lasting", "service_client", &arguments).ok();
    for verb in ["kill", "start"] {
        world.pinion([verb, "lasting"]).run().ok();
    }
    let query = ["exec", "lasting", "sc.exe", "query", "pinion-lasting"];
    let told = world.pinion(query).run().expect(0);
    assert!(told.stdout.contains("STOPPED"), "{told:?}");
}

#[test]
fn changes_of_services_are_told_to_who_asked() {
    const RUNNING: u32 = 8;
    const STOPPED: u32 = 1;
    const CREATED: u32 = 0x80;
    const DELETE_PENDING: u32 = 0x200;
    let world = World::new();
    world.sleeper("told", 60);
    let worker = world.host.path_of("service_worker");
    let file = format!("{}\\told.txt", world.windows_work());
    let told = world
        .exec("told", "service_notices", &[&worker, "pinion-told", &file])
        .expect(0)
        .json();
    let triggered = |what: &str| {
        let news = &told[what];
        assert_eq!(news["error"], 0, "{what}: {told}");
        assert_eq!(news["status"], 0, "{what}: {told}");
        news["called"]
            .as_bool()
            .and_then(|called| called.then(|| news["triggered"].clone()))
    };
    assert_eq!(triggered("made"), Some(json!(CREATED)), "{told}");
    assert_eq!(told["made"]["names"], json!(["/pinion-told"]), "{told}");
    assert_eq!(triggered("at_once"), Some(json!(STOPPED)), "{told}");
    assert_eq!(triggered("started"), Some(json!(RUNNING)), "{told}");
    assert_eq!(told["started"]["state"], 4, "{told}");
    assert_eq!(triggered("twice"), None, "the state was told: {told}");
    assert_eq!(
        told["again"]["error"], 1242,
        "ERROR_ALREADY_REGISTERED: {told}"
    );
    assert_eq!(triggered("closed"), None, "{told}");
    // The request of "twice" was answered when the service stopped.
    assert_eq!(triggered("deleted"), Some(json!(DELETE_PENDING)), "{told}");
    assert_eq!(
        told["refused"]["error"], 87,
        "ERROR_INVALID_PARAMETER: {told}"
    );
}

#[test]
fn a_service_that_fails_gets_what_its_configuration_says() {
    let world = World::new();
    // The same service crashes in two VMs at once, and each has its own restarted.
    let tell = |vm: &str| {
        world.sleeper(vm, 90);
        let worker = world.host.path_of("service_worker");
        let file = format!("{}\\failed.txt", world.windows_work());
        world
            .exec(vm, "service_failures", &[&worker, "pinion-failing", &file])
            .expect(0)
            .json()
    };
    let told: Vec<Value> = std::thread::scope(|scope| {
        let both = ["left", "right"].map(|vm| scope.spawn(move || tell(vm)));
        both.map(|one| one.join().expect("told")).into()
    });
    for told in &told {
        let configured = json!({ "small": 122, "period": 3600, "actions": [[1, 50], [3, 50]] });
        assert_eq!(told["configured"], configured, "{told}");
        for done in ["again", "stopped", "command"] {
            assert_eq!(told[done], true, "{done}: {told}");
        }
        for zero in ["configure", "started", "third", "deleted"] {
            assert_eq!(told[zero], 0, "{zero}: {told}");
        }
        assert_eq!(told["exit"], 1067, "aborted: {told}");
        assert_eq!(
            told["unreasoned"]["error"], 87,
            "a stop has a reason: {told}"
        );
        assert_eq!(told["reasoned"]["error"], 0, "{told}");
    }
    let failed = world.work().join("failed.txt");
    assert!(!failed.exists(), "the command ran inside");
}

#[test]
fn services_are_seen_started_and_stopped_from_outside() {
    let world = World::new();
    world.sleeper("seen", 90);
    let worker = world.host.path_of("service_worker");
    let file = format!("{}\\seen.txt", world.windows_work());
    let keep = [worker.as_str(), "pinion-seen", &file, "--keep", "yes"];
    world.exec("seen", "service_client", &keep).ok();
    let services = |arguments: &[&str]| world.pinion(["services"]).args(arguments).run();
    let all = services(&["--all", "--json", "seen"]).expect(0).json();
    let names: Vec<&str> = all
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|service| service["name"].as_str())
        .collect();
    assert!(
        names.contains(&"pinion-seen") && names.contains(&"RpcSs"),
        "{names:?}"
    );
    let started = services(&["--json", "seen", "start", "pinion-seen", &file, "-x"]);
    let started = started.expect(0).json();
    assert_eq!(started[0]["state"], "running", "{started}");
    let again = services(&["--json", "seen", "start", "pinion-seen"])
        .expect(0)
        .json();
    assert_eq!(again[0]["pid"], started[0]["pid"], "it is left as it is");
    let shown = services(&["seen"]).expect(0).stdout;
    assert!(
        shown.contains("pinion-seen") && shown.contains("running"),
        "{shown}"
    );
    let needed = services(&["seen", "stop", "RpcSs"]);
    needed.fails(121, &["RpcSs", "need it"]);
    let stopped = services(&["--json", "seen", "stop", "pinion-seen", "RpcSs"]);
    let stopped = stopped.expect(0).json();
    assert_eq!(stopped[0]["state"], "stopped", "{stopped}");
    assert_eq!(stopped[1]["state"], "stopped", "{stopped}");
    services(&["seen", "stop", "pinion-seen"]).ok();
    services(&["seen", "start", "none-such"]).fails(120, &["none-such", "no such service"]);
    services(&["seen", "start"]).fails(2, &["name the service"]);
    services(&["nobody"]).fails(120, &["nobody"]);
    let host = world.host.any("sc").args(["query", "pinion-seen"]).run();
    assert_ne!(host.code, 0, "nothing of it is on the host: {host:?}");
}
