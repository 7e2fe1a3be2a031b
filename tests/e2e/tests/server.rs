//! The main job: copies of one unmodified web server, on one port, from one
//! folder, each with its own page.

use pinion_e2e::World;
use pinion_harness::{nginx, web};
use std::net::SocketAddrV4;
use std::path::Path;
use std::time::Duration;

const PORT: u16 = 8099;
const FOLDER: &str = "pinion-e2e-nginx";

fn configuration() -> String {
    format!(
        "worker_processes 1;
events {{ worker_connections 64; }}
http {{ include mime.types; server {{ listen {PORT}; location / {{ root html; }} }} }}
"
    )
}

fn address(world: &World, vm: &str) -> SocketAddrV4 {
    let inspected = world.inspect(vm);
    let address = inspected["address"].as_str().expect("an address");
    SocketAddrV4::new(address.parse().expect("IPv4"), PORT)
}

/// What is in the folder: paths with sizes.
fn listing(folder: &Path) -> Vec<(String, u64)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let data = entry.metadata().expect("metadata");
        if data.is_dir() {
            all.extend(listing(&entry.path()));
        }
        all.push((entry.path().display().to_string(), data.len()));
    }
    all.sort();
    all
}

#[test]
fn three_servers_on_one_port_from_one_folder() {
    let world = World::new();
    let folder = nginx::lay(world.host.wine(), FOLDER, &configuration()).expect("laid");
    let before = listing(&folder);
    let windows = format!("C:\\{FOLDER}");
    let program = format!("{windows}\\nginx.exe");
    let vms = ["web-a", "web-b", "web-c"];
    for vm in vms {
        world
            .pinion(["run", "-d", "--name", vm, "-w", &windows, "--", &program])
            .run()
            .ok();
        let page = format!("echo page of {vm}>html\\own.txt");
        world
            .pinion(["exec", "-w", &windows, vm, "--", "cmd.exe", "/c", &page])
            .run()
            .ok();
    }
    for vm in vms {
        let at = address(&world, vm);
        web::wait(at, "/", Duration::from_secs(30)).expect("nginx answers");
        let page = web::get(at, "/own.txt").expect("the VM's own page");
        assert_eq!(page.trim(), format!("page of {vm}"));
    }
    let local = SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, PORT);
    assert!(!web::listens(local), "nothing listens on the host itself");
    assert_eq!(listing(&folder), before, "the host's folder is as it was");
    let addresses: Vec<_> = vms.iter().map(|vm| address(&world, vm)).collect();
    world
        .pinion(["rm", "-f", "web-a", "web-b", "web-c"])
        .run()
        .ok();
    for at in addresses {
        assert!(!web::listens(at), "{at} is free again");
    }
    nginx::remove(&folder).expect("removed");
}

#[test]
fn a_published_port_reaches_the_vm() {
    let world = World::new();
    let folder = nginx::lay(world.host.wine(), "pinion-e2e-port", &configuration()).expect("laid");
    let windows = r"C:\pinion-e2e-port".to_owned();
    let program = format!("{windows}\\nginx.exe");
    let publish = format!("18099:{PORT}");
    world
        .pinion([
            "run", "-d", "--name", "port", "-p", &publish, "-w", &windows, "--", &program,
        ])
        .run()
        .ok();
    let local = SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 18099);
    web::wait(local, "/", Duration::from_secs(30)).expect("the published port answers");
    world.pinion(["rm", "-f", "port"]).run().ok();
    assert!(!web::listens(local));
    nginx::remove(&folder).expect("removed");
}
