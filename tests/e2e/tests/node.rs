//! Node: its cluster, the channels of its children and its servers on named pipes, in several VMs at
//! once. Node is fetched by `./x test --node` alone.

use pinion_e2e::World;
use pinion_harness::web;
use pinion_harness::wine::windows_path;
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The port of the shipped profile.
const PORT: u16 = 3000;

/// Two workers that share one listening socket and are told the tag by messages, and a pipe.
const SERVER: &str = r"
const cluster = require('cluster'), http = require('http'), net = require('net');
const tag = process.env.TAG;
if (cluster.isPrimary) {
  for (const worker of [cluster.fork({ TAG: '' }), cluster.fork({ TAG: '' })]) worker.send({ tag });
  net.createServer((socket) => socket.end(tag)).listen('\\\\.\\pipe\\pinion-node');
} else {
  let told = null;
  process.on('message', (message) => { told = message.tag; });
  http.createServer((request, response) => {
    response.setHeader('Connection', 'close');
    response.end(JSON.stringify({ told, pid: process.pid, id: cluster.worker.id }));
  }).listen(3000);
}
";

const CLIENT: &str = r"
const socket = require('net').connect('\\\\.\\pipe\\pinion-node');
socket.on('data', (data) => process.stdout.write(data));
socket.on('error', (error) => { console.log(error.code); process.exit(4); });
";

fn node() -> String {
    let folder = std::env::var("PINION_NODE").expect("run by ./x test --node");
    let program = PathBuf::from(folder).join("node.exe");
    assert!(program.exists(), "run by ./x test --node");
    windows_path(&program)
}

/// The workers that answered `at`, each having been told `tag`.
fn workers(at: SocketAddrV4, tag: &str) -> BTreeSet<u64> {
    web::wait(at, "/", Duration::from_secs(60)).expect("it answers");
    let mut all = BTreeSet::new();
    let end = Instant::now() + Duration::from_secs(30);
    while all.len() < 2 && Instant::now() < end {
        let answer = web::get(at, "/").expect("an answer");
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        assert_eq!(answer["told"], tag, "{answer}");
        all.insert(answer["pid"].as_u64().expect("a pid"));
    }
    all
}

#[test]
#[ignore = "Node is fetched by './x test --node' alone"]
fn clusters_and_pipes_of_node_are_each_vms_own() {
    let world = World::new();
    let node = node();
    let server = world.file("server.js", SERVER.as_bytes());
    let client = world.file("client.js", CLIENT.as_bytes());
    let tag = |vm: &str| format!("TAG={vm}");
    // One by the profile, which publishes the port; the other at its own address alone.
    let left = ["run", "-d", "--profile", "node", "--name", "left", "-e"];
    let run = world
        .pinion(left)
        .args([&tag("left"), "--", &node, &server]);
    run.run().ok();
    let right = ["run", "-d", "--name", "right", "-e", &tag("right"), "--"];
    world.pinion(right).args([&node, &server]).run().ok();
    let mut published = BTreeSet::new();
    for vm in ["left", "right"] {
        let address = world.inspect(vm)["address"].clone();
        let address: Ipv4Addr = address.as_str().expect("text").parse().expect("an address");
        let own = workers(SocketAddrV4::new(address, PORT), vm);
        if vm == "left" {
            published = own.clone();
        }
        let listed = world.pinion(["ps", "--json", vm]).run().expect(0).json();
        let listed = listed.as_array().expect("processes");
        let pids = |pid: &u64| listed.iter().any(|process| process["pid"] == *pid);
        assert!(own.iter().all(pids), "{own:?} are of {vm}: {listed:?}");
        let told = world.pinion(["exec", vm, &node, &client]).run().expect(0);
        assert_eq!(told.stdout, vm, "the pipe is {vm}'s own");
    }
    let host = workers(SocketAddrV4::new(Ipv4Addr::LOCALHOST, PORT), "left");
    assert!(!host.is_disjoint(&published), "{host:?} {published:?}");
    let outside = world.host.any(&node).arg(&client).run();
    assert_eq!(outside.expect(4).stdout.trim(), "ENOENT", "on the host");
}
