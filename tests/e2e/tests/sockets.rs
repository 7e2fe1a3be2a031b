//! The network of a VM: its own address, and loopback as a program expects it.

use pinion_e2e::{Running, World};
use serde_json::Value;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

/// A program that runs in the VM `name`, and its first line.
fn in_vm(world: &World, name: &str, words: &[&str]) -> (Running, Value) {
    let path = world.host.path_of("sockets");
    let program = world.pinion(["run", "--name", name, &path]).args(words);
    let mut running = program.spawn();
    let first = running.first_json();
    (running, first)
}

fn address(world: &World, vm: &str) -> IpAddr {
    let text = world.inspect(vm)["address"].as_str().map(str::to_owned);
    text.and_then(|text| text.parse().ok())
        .expect("the VM's address")
}

/// What a server of TCP says to the plain machine.
fn said(ip: IpAddr, port: u16) -> Option<String> {
    let to = SocketAddr::new(ip, port);
    let mut stream = TcpStream::connect_timeout(&to, Duration::from_secs(5)).ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    Some(text)
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("its number").port()
}

/// The same program's account of streams, datagrams, waiting, overlapped calls
/// and errors, inside and outside.
#[test]
fn a_program_is_told_the_same_as_on_the_host() {
    let world = World::new();
    let outside = world.host.program("sockets").arg("check").run().expect(0);
    let inside = world.run("sockets", &["check"]).expect(0);
    assert_eq!(inside.json(), outside.json());
}

#[test]
fn wrong_buffers_get_the_same_answer_as_on_the_host() {
    let world = World::new();
    let outside = world.host.program("sockets").arg("hostile").run().expect(0);
    let inside = world.run("sockets", &["hostile"]).expect(0);
    assert_eq!(inside.json(), outside.json());
}

/// The tables of connections have what the VM has, by the addresses that its
/// programs know, and nothing of another VM's and the host's.
#[test]
fn tables_of_connections_show_the_vms_own() {
    let world = World::new();
    // A program of Windows: Wine 10 shows no others.
    let server = world.host.program("sockets");
    let mut on_host = server.args(["serve", "127.0.0.1:0", "host"]).spawn();
    let local: Option<SocketAddr> = on_host.first_json()["local"]
        .as_str()
        .and_then(|local| local.parse().ok());
    let of_host = local.expect("an address").port();
    let in_b = free_port();
    let served = format!("0.0.0.0:{in_b}");
    let (_b, _) = in_vm(&world, "b", &["serve", &served, "b"]);
    let outside = world.host.program("sockets").arg("tables").run();
    let outside = outside.expect(0).json();
    let inside = world.run("sockets", &["tables"]).expect(0).json();
    let ports = |told: &Value| -> Vec<u64> {
        let ports = told["ports"].as_array().into_iter().flatten();
        ports.filter_map(Value::as_u64).collect()
    };
    let all = ports(&outside["all"]);
    assert!(
        all.contains(&in_b.into()) && all.contains(&of_host.into()),
        "{in_b}, {of_host}: {outside}"
    );
    for (call, told) in inside.as_object().expect("an object") {
        let own = told["own"].as_array().expect("a list");
        assert_eq!(ports(told).len(), own.len(), "{call}: {told}");
        let lines = |told: &Value| {
            let lines = told["own"].as_array().cloned().unwrap_or_default();
            lines
                .into_iter()
                .map(|line| line[0].clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(lines(told), lines(&outside[call]), "{call}: {inside}");
        for line in own {
            assert_eq!(line[1], "[127, 0, 0, 1]", "{call}: {told}");
        }
        assert!(!own.is_empty(), "{call}: {inside}");
    }
}

/// What is written after a call has returned shows the VM's own address, and
/// that address works.
#[test]
fn late_addresses_are_of_the_vm_and_answer() {
    let world = World::new();
    let seen = world.run("sockets", &["late"]).expect(0).json();
    let texts: Vec<_> = seen["accepted"]
        .as_array()
        .into_iter()
        .flatten()
        .chain(seen["received"].get(0))
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(texts.len(), 3, "{seen}");
    for text in texts {
        let ip: Ipv4Addr = text.parse().expect("an address");
        assert!(ip.is_loopback(), "{seen}");
    }
    assert_eq!(seen["received"][1], 5, "the reply came: {seen}");
    assert_eq!(seen["received"][2], "127.0.0.1", "{seen}");
}

#[test]
fn two_vms_serve_one_port_each_at_its_own_address() {
    let world = World::new();
    let port = free_port();
    let any = format!("0.0.0.0:{port}");
    let (_one, first) = in_vm(&world, "one", &["serve", &any, "one"]);
    let (_two, second) = in_vm(&world, "two", &["serve", &any, "two"]);
    for local in [&first["local"], &second["local"]] {
        assert_eq!(local, any.as_str());
    }
    let (one, two) = (address(&world, "one"), address(&world, "two"));
    assert_ne!(one, two);
    assert!(said(one, port).expect("an answer").starts_with("one "));
    assert!(said(two, port).expect("an answer").starts_with("two "));
    let nobody = said(Ipv4Addr::LOCALHOST.into(), port);
    assert_eq!(nobody, None, "the host's own loopback stays free");
}

#[test]
fn inside_loopback_in_every_form_is_the_vms_own() {
    let world = World::new();
    let port = free_port();
    let any = format!("0.0.0.0:{port}");
    let (_one, _) = in_vm(&world, "one", &["serve", &any, "one"]);
    let (_two, _) = in_vm(&world, "two", &["serve", &any, "two"]);
    let two = address(&world, "two").to_string();
    // Another VM's address is but one more loopback address: the VM's own.
    for reach in [
        "127.0.0.1",
        "localhost",
        "0.0.0.0",
        "127.9.8.7",
        &two,
        "[::1]",
    ] {
        let to = format!("{reach}:{port}");
        let seen = world.exec("one", "sockets", &["fetch", &to]).expect(0);
        let text = seen.json()["text"].as_str().map(str::to_owned);
        assert_eq!(text.as_deref(), Some("one 127.0.0.1 127.0.0.1"), "{reach}");
    }
}

#[test]
fn a_port_of_the_host_or_another_vm_is_out_of_reach() {
    let world = World::new();
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a listener");
    let of_host = listener.local_addr().expect("its port").port();
    let (_one, first) = in_vm(&world, "one", &["serve", "0.0.0.0:0", "one"]);
    let local: SocketAddr = first["local"]
        .as_str()
        .and_then(|text| text.parse().ok())
        .expect("an address");
    let one = address(&world, "one");
    assert!(said(one, local.port()).is_some());
    for (ip, port) in [
        ("127.0.0.1".into(), of_host),
        (one.to_string(), local.port()),
    ] {
        for reach in [&ip, "0.0.0.0", "[::1]"] {
            let to = format!("{reach}:{port}");
            let seen = world.run("sockets", &["fetch", &to]).expect(0).json();
            assert_eq!(seen["error"], 10061, "{reach}: {seen}");
        }
    }
}

/// Such a server is at every loopback address, the VM's own among them, where no member is.
#[test]
fn a_server_of_the_host_on_any_address_is_out_of_reach() {
    let world = World::new();
    for any in ["0.0.0.0:0", "[::]:0"] {
        let listener = TcpListener::bind(any).expect("a listener");
        let port = listener.local_addr().expect("its port").port();
        for reach in ["127.0.0.1", "[::1]"] {
            let to = format!("{reach}:{port}");
            let seen = world.run("sockets", &["fetch", &to]).expect(0).json();
            assert_eq!(seen["error"], REFUSED, "{any}, {reach}: {seen}");
        }
        let datagrams = UdpSocket::bind(any).expect("a socket");
        let wait = Duration::from_millis(300);
        datagrams
            .set_read_timeout(Some(wait))
            .expect("a time limit");
        let port = datagrams.local_addr().expect("its port").port();
        let to = format!("127.0.0.1:{port}");
        let seen = world.run("sockets", &["fetch-datagram", &to]).expect(0);
        assert_eq!(seen.json()["text"], Value::Null, "{any}");
        let came = datagrams.recv_from(&mut [0; 64]);
        assert!(came.is_err(), "{any}: {came:?}");
    }
}

/// Groups and broadcasts reach all of this machine that listen, and a raw socket hears what others are sent.
#[test]
fn nothing_is_sent_to_all_or_heard_of_all() {
    let world = World::new();
    let seen = world.run("sockets", &["many", "9"]).expect(0).json();
    for (way, error) in [
        ("to-group", UNREACHABLE),
        ("to-all", UNREACHABLE),
        ("join", NO_ADDRESS),
        ("join-6", NO_ADDRESS),
        ("raw", DENIED),
    ] {
        assert_eq!(seen[way], error, "{way}: {seen}");
    }
}

#[test]
fn a_server_of_ipv6_is_at_the_vms_address() {
    let world = World::new();
    let port = free_port();
    for (name, host) in [("any", "[::]"), ("loopback", "[::1]")] {
        let bind = format!("{host}:{port}");
        let (_server, first) = in_vm(&world, name, &["serve", &bind, name]);
        assert_eq!(first["local"], bind.as_str());
        let text = said(address(&world, name), port).expect("an answer");
        assert!(text.starts_with(name), "{text}");
        let to = format!("[::1]:{port}");
        let seen = world.exec(name, "sockets", &["fetch", &to]).expect(0);
        assert_eq!(seen.json()["text"], format!("{name} ::1 ::1"));
    }
}

#[test]
fn datagrams_of_two_vms_share_a_port() {
    let world = World::new();
    let port = free_port();
    let any = format!("0.0.0.0:{port}");
    let to = format!("127.0.0.1:{port}");
    let (_one, first) = in_vm(&world, "one", &["serve-datagrams", &any, "one"]);
    let (_two, second) = in_vm(&world, "two", &["serve-datagrams", &any, "two"]);
    assert_eq!(
        (&first["error"], &second["error"]),
        (&Value::Null, &Value::Null)
    );
    for name in ["one", "two"] {
        let seen = world.exec(name, "sockets", &["fetch-datagram", &to]);
        let seen = seen.expect(0).json();
        assert_eq!(
            (&seen["text"], &seen["from"]),
            (&name.into(), &"127.0.0.1".into())
        );
    }
}

/// WSAEACCES, WSAEADDRNOTAVAIL, WSAENETUNREACH, WSAECONNREFUSED.
const DENIED: u64 = 10013;
const NO_ADDRESS: u64 = 10049;
const UNREACHABLE: u64 = 10051;
const REFUSED: u64 = 10061;

#[test]
fn a_network_reaches_what_its_mode_says() {
    let world = World::new();
    let server = world.host.program("sockets");
    let mut on_host = server.args(["serve", "127.0.0.1:0", "host"]).spawn();
    let local = on_host.first_json()["local"].as_str().map(str::to_owned);
    let of_host = local.expect("an address");
    let path = world.host.path_of("sockets");
    let run = |mode: &str, words: &[&str]| {
        let run = world.pinion(["run", "--rm", "--network", mode, &path]);
        run.args(words).run().expect(0).json()
    };
    let fetched = run("host", &["fetch", &of_host]);
    assert!(
        fetched["text"]
            .as_str()
            .is_some_and(|text| text.starts_with("host")),
        "{fetched}"
    );
    for (mode, error) in [
        ("outbound", REFUSED),
        ("loopback", REFUSED),
        ("none", UNREACHABLE),
    ] {
        assert_eq!(run(mode, &["fetch", &of_host])["error"], error, "{mode}");
    }
    for mode in ["loopback", "none"] {
        // An address for documentation, which no network has.
        assert_eq!(
            run(mode, &["fetch", "192.0.2.1:9"])["error"],
            UNREACHABLE,
            "{mode}"
        );
    }
    let sent = run("loopback", &["fetch-datagram", "192.0.2.1:9"]);
    assert_eq!(sent["error"], UNREACHABLE);
    assert_eq!(
        run("none", &["serve", "127.0.0.1:0", "none"])["error"],
        NO_ADDRESS
    );
    let outside = world.host.program("sockets").arg("check").run().expect(0);
    assert_eq!(run("loopback", &["check"]), outside.json());
}

#[test]
fn the_mode_of_a_network_is_kept_changed_and_refused_in_one_line() {
    let world = World::new();
    let path = world.host.path_of("sockets");
    let words = [
        "create",
        "--name",
        "a",
        "--network",
        "loopback",
        &path,
        "fetch",
        "192.0.2.1:9",
    ];
    world.pinion(words).run().ok();
    assert_eq!(world.inspect("a")["network"], "loopback");
    world
        .pinion(["update", "--network", "none", "a"])
        .run()
        .ok();
    assert_eq!(world.inspect("a")["network"], "none");
    let started = world.pinion(["start", "-a", "a"]).run().expect(0).json();
    assert_eq!(started["error"], UNREACHABLE);
    let create = |words: &[&str]| {
        let create = world.pinion(["create", "--name", "b"]);
        create.args(words).arg(&path).run()
    };
    let unknown = create(&["--network", "lan"]).expect(2);
    assert!(
        unknown.stderr.contains("give one of none, loopback"),
        "{unknown:?}"
    );
    create(&["--network", "none", "-p", "8080:80"]).fails(2, &["none", "port"]);
    create(&["--network", "host", "-p", "8080:80"]).fails(2, &["host", "port"]);
    assert_eq!(world.names(), ["a"]);
}
