//! Profiles of known servers: what they start, publish and wait for.

use pinion_e2e::World;
use pinion_harness::{nginx, web};
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

const FOLDER: &str = "pinion-e2e-profile";

#[test]
fn profiles_are_listed_shown_and_checked() {
    let world = World::new();
    let listed = world
        .pinion(["profile", "list", "--json"])
        .run()
        .expect(0)
        .json();
    let names: Vec<&str> = listed
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|profile| profile["name"].as_str())
        .collect();
    assert_eq!(names, ["http-sys", "iis", "nginx", "node"]);
    for name in names {
        world.pinion(["profile", "check", name]).run().ok();
    }
    let shown = world
        .pinion(["profile", "show", "iis"])
        .run()
        .expect(0)
        .stdout;
    assert!(shown.contains("W3SVC"), "{shown}");
    let wrong = world.file(
        "wrong.toml",
        b"description = \"x\"\nports = [\"80\"]\nservices = [\"/\"]\n",
    );
    let check = world.pinion(["profile", "check", &wrong]).run();
    let told = check.expect(2).stderr;
    let [port, service] = ["wrong.toml:2:10: ", "wrong.toml:3:13: "].map(|at| told.find(at));
    assert!(
        port.is_some() && port < service,
        "a line each, in order: {told}"
    );
    let run = ["run", "--profile", &wrong, "cmd.exe"];
    world
        .pinion(run)
        .run()
        .fails(2, &["wrong.toml:2:10:", "1 more"]);
    let check = world.pinion(["profile", "check", "nowhere.toml"]).run();
    check.fails(2, &["nowhere.toml", "nginx"]);
    let create = ["create", "--profile", "nginx", "cmd.exe"];
    world.pinion(create).run().fails(2, &["--profile", "run"]);
    let run = ["run", "--profile", "node"];
    world.pinion(run).run().fails(2, &["no program"]);
    assert_eq!(world.names(), Vec::<String>::new(), "nothing was made");
}

fn configuration(port: u16) -> String {
    format!(
        "worker_processes 1;
events {{ worker_connections 64; }}
http {{ include mime.types; server {{ listen {port}; location / {{ root html; }} }} }}
"
    )
}

#[test]
fn a_server_is_run_by_a_profile_and_waited_for() {
    let world = World::new();
    let folder = nginx::lay(world.host.wine(), FOLDER, &configuration(8077)).expect("laid");
    let windows = format!("C:\\{FOLDER}");
    let profile = format!(
        "description = \"a web server\"
program = ['{windows}\\nginx.exe']
workdir = '{windows}'
services = [\"RpcSs\"]

[health]
port = 8077
path = \"/\"
"
    );
    let web_file = world.file("web.toml", profile.as_bytes());
    let run = ["run", "-d", "--profile", &web_file, "--name"];
    for vm in ["well-a", "well-b"] {
        world.pinion(run).arg(vm).run().ok();
        let services = world
            .pinion(["services", "--json", vm])
            .run()
            .expect(0)
            .json();
        assert_eq!(services[0]["name"], "RpcSs", "{services}");
        assert_eq!(services[0]["state"], "running", "{services}");
    }
    // Nobody listens there: the VM runs on, and the user is told.
    let ill = profile.replace("port = 8077", "port = 8078\nwithin = 1");
    let ill_file = world.file("ill.toml", ill.as_bytes());
    let told = world
        .pinion(["run", "-d", "--profile", &ill_file, "--name", "ill"])
        .run();
    told.fails(124, &["'ill' runs", "8078", "pinion logs ill"]);
    assert_eq!(world.inspect("ill")["state"], Value::from("running"));
    // A service that the VM does not have: nothing is left.
    let none = profile.replace("RpcSs", "none-such");
    let none_file = world.file("none.toml", none.as_bytes());
    let told = world
        .pinion(["run", "-d", "--profile", &none_file, "--name", "none"])
        .run();
    told.fails(120, &["none-such", "no such service"]);
    assert!(!world.names().contains(&"none".to_string()));
    world
        .pinion(["rm", "-f", "well-a", "well-b", "ill"])
        .run()
        .ok();
    nginx::remove(&folder).expect("removed");
}

/// What a server at this address answers, as soon as it does.
fn page(address: SocketAddrV4) -> String {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        match web::get(address, "/") {
            Ok(page) => return page,
            Err(error) => assert!(Instant::now() < end, "{address}: {error:#}"),
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A VM's own address with a port.
fn at(world: &World, vm: &str, port: u16) -> SocketAddrV4 {
    let inspected = world.inspect(vm);
    let address = inspected["address"].as_str().expect("an address");
    SocketAddrV4::new(address.parse().expect("an address"), port)
}

#[test]
fn the_shipped_profile_of_nginx_runs_it() {
    let world = World::new();
    // Where the profile looks for it.
    let folder = nginx::lay(world.host.wine(), "nginx", &configuration(80)).expect("laid");
    let told = world
        .pinion(["run", "-d", "--profile", "nginx", "--name", "shipped"])
        .run();
    let published = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 8080);
    if told.code == 0 {
        let page = page(published);
        assert!(page.contains("nginx"), "{page}");
        assert!(self::page(at(&world, "shipped", 80)).contains("nginx"));
    }
    let removed = world.pinion(["rm", "-f", "shipped"]).run();
    nginx::remove(&folder).expect("removed");
    told.ok();
    removed.ok();
}
