//! The HTTP Server API: each VM's URLs are its own.

use pinion_e2e::{Running, World, eventually};
use pinion_harness::web;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::time::Duration;

const SERVER: &str = "http_server";

/// The VM's address with a port.
fn at(world: &World, vm: &str, port: u16) -> SocketAddrV4 {
    let inspected = world.inspect(vm);
    let address = inspected["address"].as_str().expect("an address");
    SocketAddrV4::new(address.parse().expect("IPv4"), port)
}

/// A connection that is kept from page to page.
struct Client {
    at: SocketAddrV4,
    stream: TcpStream,
}

impl Client {
    fn connect(at: SocketAddrV4) -> std::io::Result<Self> {
        let stream = TcpStream::connect_timeout(&at.into(), Duration::from_millis(500))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        Ok(Self { at, stream })
    }

    /// The page at `path`, asked for by a header whose name is written as Wine's
    /// driver looks for it (`Host`; it compares the case).
    fn get(&mut self, path: &str) -> std::io::Result<String> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.at);
        self.stream.write_all(request.as_bytes())?;
        let (mut all, mut part) = (String::new(), [0; 4096]);
        // A line ends each page of the servers here.
        loop {
            let length = self.stream.read(&mut part)?;
            all += &String::from_utf8_lossy(&part[..length]);
            if let Some((_, body)) = all.split_once("\r\n\r\n")
                && body.ends_with('\n')
            {
                return Ok(body.trim().to_string());
            }
            if length == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

fn get(at: SocketAddrV4, path: &str) -> std::io::Result<String> {
    Client::connect(at)?.get(path)
}

/// The page, once there is an answer.
fn first(at: SocketAddrV4, path: &str) -> String {
    eventually(30, "an answer", || get(at, path).ok())
}

fn ask(world: &World, vm: &str, host: &str, path: &str) -> Value {
    world
        .exec(vm, SERVER, &["ask", host, path])
        .expect(0)
        .json()
}

#[test]
fn two_vms_serve_the_same_url_each_its_own() {
    let world = World::new();
    let mut servers = Vec::new();
    for (vm, version) in [("left", "1"), ("right", "2")] {
        world.sleeper(vm, 120);
        let mut server = world
            .pinion(["exec", vm, "--"])
            .arg(world.host.path_of(SERVER))
            .args(["serve", version, "http://+:8480/site/", vm])
            .spawn();
        assert_eq!(server.first_json()["listens"], true, "in {vm}");
        servers.push(server);
    }
    for vm in ["left", "right"] {
        let at = at(&world, vm, 8480);
        let page = first(at, "/site/a?b=c");
        assert_eq!(page, format!("{vm} http://{at}/site/a?b=c"));
        let told = ask(&world, vm, "localhost:8480", "/site/x");
        let expected = format!("{vm} http://localhost:8480/site/x");
        assert_eq!(told["body"], expected, "{told}");
        let inspected = world.inspect(vm);
        let services = inspected["services"].to_string();
        assert!(services.contains("HTTP"), "the VM's own driver: {services}");
    }
    let local = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 8480);
    assert!(!web::listens(local), "nothing listens on the host itself");
    for (vm, server) in ["left", "right"].into_iter().zip(servers) {
        let told = ask(&world, vm, "localhost:8480", "/site/remove");
        assert_eq!(told["status"], "200", "{told}");
        let output = server.wait();
        let last: Value =
            serde_json::from_str(output.stdout.lines().last().expect("a line")).expect("JSON");
        assert_eq!(last["removed"], 0, "{last}");
        assert_ne!(last["again"], 0, "removed twice: {last}");
    }
}

#[test]
fn urls_that_collide_in_one_vm_collide_as_outside() {
    let world = World::new();
    world.sleeper("one", 60);
    let mut first = world
        .pinion(["exec", "one", "--"])
        .arg(world.host.path_of(SERVER))
        .args(["serve", "1", "http://localhost:8481/", "first"])
        .spawn();
    assert_eq!(first.first_json()["listens"], true);
    let second = world
        .exec(
            "one",
            SERVER,
            &["serve", "1", "http://localhost:8481/", "second"],
        )
        .expect(0)
        .json();
    assert_eq!(second["step"], "url", "{second}");
    assert_eq!(second["error"], 183, "there already: {second}");
    let odd = world
        .exec(
            "one",
            SERVER,
            &["serve", "1", "ftp://localhost:8481/", "odd"],
        )
        .expect(0)
        .json();
    assert_eq!(odd["error"], 87, "no such URL: {odd}");
    first.kill();
}

/// Rules of a policy: URLs of some ports are served under the VM's own address, those
/// of port 8521 by nobody.
const RULES: &str = r#"
[[rule]]
channel = "http"
name = 'http*://*:8521/*'
verdict = "deny"
message = "not this port"

[[rule]]
channel = "http"
name = 'http://*:852?/*'
peer = "host"
verdict = "allow"
"#;

/// Starts a server inside; its first line.
fn serve(world: &World, vm: &str, version: &str, prefix: &str) -> (Running, Value) {
    let mut server = world
        .pinion(["exec", vm, "--"])
        .arg(world.host.path_of(SERVER))
        .args(["serve", version, prefix, vm])
        .spawn();
    let first = server.first_json();
    (server, first)
}

/// A VM with these rules, whose calls are recorded.
fn ruled(world: &World, vm: &str) {
    let policy = world.file("rules.toml", RULES.as_bytes());
    let path = world.host.path_of("child");
    world
        .pinion(["run", "-d", "--trace", "--name", vm, "--policy", &policy])
        .args([&path, "sleep", "120"])
        .run()
        .ok();
}

/// Wine's driver compares the host of a bound URL with the text of the `Host` header,
/// where Windows goes by the address that a request arrives at: so all ask with it.
#[test]
fn with_a_rule_urls_are_bound_to_the_vms_address_and_told_as_asked() {
    const URL: &str = "http://+:8520/site/";
    let world = World::new();
    let mut servers = Vec::new();
    for (vm, version) in [("left", "1"), ("right", "2")] {
        ruled(&world, vm);
        let (server, first) = serve(&world, vm, version, URL);
        assert_eq!(first["listens"], true, "in {vm}: {first}");
        servers.push(server);
    }
    for vm in ["left", "right"] {
        let at = at(&world, vm, 8520);
        let page = first(at, "/site/a?b=c");
        assert_eq!(page, format!("{vm} http://{at}/site/a?b=c"));
        let host = at.to_string();
        let inside = |path: &str| {
            world
                .exec(vm, SERVER, &["ask", "localhost:8520", &host, path])
                .expect(0)
                .json()
        };
        let told = inside("/site/x");
        assert_eq!(told["body"], format!("{vm} http://{at}/site/x"), "{told}");
        let told = inside("/site/remove");
        assert_eq!(told["status"], "200", "{told}");
    }
    for server in servers {
        let output = server.wait();
        let last: Value =
            serde_json::from_str(output.stdout.lines().last().expect("a line")).expect("JSON");
        assert_eq!(last["removed"], 0, "by the URL that was asked for: {last}");
        assert_ne!(last["again"], 0, "removed twice: {last}");
    }
    for (vm, calls) in [
        ("left", ["HttpAddUrl", "HttpRemoveUrl"]),
        (
            "right",
            ["HttpAddUrlToUrlGroup", "HttpRemoveUrlFromUrlGroup"],
        ),
    ] {
        let host = at(&world, vm, 8520);
        let told = world
            .pinion(["trace", "--all", "--json", "--channel", "http", vm])
            .run()
            .expect(0);
        for call in calls {
            let event = told
                .stdout
                .lines()
                .find(|line| line.contains(&format!("\"{call}\"")));
            let event: Value = serde_json::from_str(event.expect(call)).expect("JSON");
            assert_eq!(event["name"], URL, "{event}");
            assert_eq!(event["given"], format!("http://{host}/site/"), "{event}");
            assert_eq!(event["verdict"], "shared", "{event}");
        }
    }
}

#[test]
fn rules_refuse_urls_and_leave_the_machines_configuration_alone() {
    let world = World::new();
    ruled(&world, "one");
    for (url, error) in [
        ("http://10.1.2.3:8520/", 1214),
        ("http://+:8520", 87),
        ("http://+:8521/", 5),
    ] {
        for version in ["1", "2"] {
            let (_, told) = serve(&world, "one", version, url);
            assert_eq!(told["error"], error, "{url} in version {version}: {told}");
        }
    }
    let log = world
        .pinion(["logs", "--supervisor", "one"])
        .run()
        .expect(0);
    assert!(log.stdout.contains("not this port"), "{log:#?}");
    // What no rule has goes to the VM's own driver, as without rules.
    let (mut server, told) = serve(&world, "one", "2", "http://localhost:8533/");
    assert_eq!(told["listens"], true, "{told}");
    assert_eq!(ask(&world, "one", "localhost:8533", "/x")["status"], "200");
    server.kill();
    // Hosts of the VM's are one address, and so one URL.
    let (mut server, told) = serve(&world, "one", "1", "http://+:8524/");
    assert_eq!(told["listens"], true, "{told}");
    let (_, told) = serve(&world, "one", "2", "http://localhost:8524/");
    assert_eq!(
        (&told["step"], &told["error"]),
        (&"url".into(), &183.into())
    );
    server.kill();
    // Wine's answers to a reservation and a question for it; the list of addresses is
    // the machine's.
    let configured = |prefix| world.exec("one", SERVER, &["configure", prefix]);
    let told = configured("http://+:8520/site/").expect(0).json();
    assert_eq!(told, json!([0, 2, 5]));
    let told = configured("http://10.1.2.3:8520/").expect(0).json();
    assert_eq!(told, json!([1214, 1214, 5]));
    let told = configured("http://+:8521/").expect(0).json();
    assert_eq!(told, json!([5, 5, 5]));
}

/// Wine's httpapi.dll has neither records of http.sys's configuration nor named queues:
/// a DLL of the test's stands in for it, which has records of the host's.
#[test]
fn records_and_queues_are_the_vms_own_by_address_and_name() {
    let world = World::new();
    ruled(&world, "one");
    let dll = world.host.bin().join("http_stand_in.dll");
    let dll = world.file("httpapi.dll", &std::fs::read(dll).expect("the DLL"));
    // Wine's own would be taken in its place.
    let told = world
        .pinion(["exec", "one", "--"])
        .env("WINEDLLOVERRIDES", "httpapi=n,b")
        .args([&world.host.path_of("http_records"), &dll])
        .run()
        .expect(0)
        .json();
    assert_eq!(told["set"], json!([0, 0, 183, 1214, 0, 5]), "{told}");
    let (rights, second) = ("D:(A;;GX;;;WD)", "http://localhost:8520/b/");
    assert_eq!(told["too_small"], 122, "{told}");
    assert_eq!(told["with_needed"], json!([0, second, rights]), "{told}");
    assert_eq!(told["missing"][0], 2, "{told}");
    // As it was asked for, in either family.
    assert_eq!(
        told["socket"],
        json!([0, [2, 0, 1, 187, 0, 0, 0, 0]]),
        "{told}"
    );
    assert_eq!(
        told["six"],
        json!([0, [23, 0, 1, 187, 0, 0, 0, 0]]),
        "{told}"
    );
    // None of the host's.
    let urls = ["http://+:8520/a/", "http://+:8520/b/"].map(|url| json!([0, url, rights]));
    assert_eq!(told["urls"], json!(urls), "{told}");
    assert_eq!(
        told["sockets"],
        json!([[0, [2, 0, 1, 187, 0, 0, 0, 0]]]),
        "{told}"
    );
    assert_eq!(told["next_too_small"][0], 122, "{told}");
    assert_eq!(told["deleted"], json!([0, 2]), "{told}");
    assert_eq!(told["queues"], json!([0, 0, 0, 87]), "{told}");
    let ip = *at(&world, "one", 0).ip();
    let id = world.inspect("one")["id"].clone();
    let id = id.as_str().expect("an id");
    let mut socket = vec![2, 0, 1, 187];
    socket.extend(ip.octets());
    socket.extend([0; 8]);
    let given = [
        "url http://+:5985/wsman/".into(),
        "url http://127.77.250.250:80/".into(),
        format!("socket {:?}", [&[2, 0, 1, 187][..], &[0; 12]].concat()),
        format!("url http://{ip}:8520/a/"),
        format!("socket {socket:?}"),
        format!("queue Pinion-{id}-site 0"),
        format!("queue Pinion-{id}-site 1"),
        "queue  0".into(),
    ];
    assert_eq!(told["given"], json!(given), "{told}");
}

const GROUP: &str = "pinionweb";
const KEYS: [&str; 2] = [
    r"HKLM\Software\Microsoft\Windows NT\CurrentVersion\Svchost",
    r"HKLM\System\CurrentControlSet\Services",
];

/// Makes two services of one group of svchost, and starts them.
fn install(world: &World, vm: &str) {
    let run = |program: &str, arguments: &[&str]| {
        let all = ["exec", vm, "--", program].into_iter();
        world
            .pinion(all.chain(arguments.iter().copied()))
            .run()
            .ok();
    };
    let dll = world.host.path_of("web_service").replace(".exe", ".dll");
    let names = r"pinion-web\0pinion-beside";
    run(
        "reg.exe",
        &[
            "add",
            KEYS[0],
            "/v",
            GROUP,
            "/t",
            "REG_MULTI_SZ",
            "/d",
            names,
            "/f",
        ],
    );
    for name in ["pinion-web", "pinion-beside"] {
        let image = format!(r"C:\windows\system32\svchost.exe -k {GROUP}");
        run(
            "sc.exe",
            &["create", name, "binPath=", &image, "type=", "share"],
        );
        let key = format!(r"{}\{name}\Parameters", KEYS[1]);
        run(
            "reg.exe",
            &[
                "add",
                &key,
                "/v",
                "ServiceDll",
                "/t",
                "REG_EXPAND_SZ",
                "/d",
                &dll,
                "/f",
            ],
        );
    }
    start(world, vm);
    run("sc.exe", &["start", "pinion-beside"]);
}

fn control(world: &World, vm: &str, command: &str) -> Value {
    world
        .exec(vm, SERVER, &["control", command])
        .expect(0)
        .json()
}

/// Asks for so many pages; who answered each. Wine 10's driver now and then
/// accepts no more connections (seen outside of VMs as often, once in some hundred):
/// then the service is stopped and started, which gives it a new socket.
fn fetch(world: &World, vm: &str, pages: usize) -> Vec<String> {
    let at = at(world, vm, 8490);
    let mut answered = Vec::new();
    for _ in 0..4 {
        let mut client = eventually(30, "a connection", || Client::connect(at).ok());
        while answered.len() < pages {
            let Ok(page) = client.get(&format!("/page/{}", answered.len())) else {
                break;
            };
            let words: Vec<&str> = page.split_whitespace().collect();
            assert_eq!(words[0], format!("site-of-{vm}"), "{page}");
            answered.push(words[1].to_string());
        }
        if answered.len() == pages {
            return answered;
        }
        world
            .pinion(["services", vm, "stop", "pinion-web"])
            .run()
            .ok();
        start(world, vm);
    }
    panic!("{vm}: no answer after {answered:?}");
}

/// Starts the web service from outside.
fn start(world: &World, vm: &str) {
    let worker = world.host.path_of("web_worker");
    let text = format!("site-of-{vm}");
    let told = world
        .pinion(["services", "--json", vm, "start", "pinion-web"])
        .args(["http://+:8490/", &text, &worker, "5"])
        .run()
        .expect(0)
        .json();
    assert_eq!(told[0]["state"], "running", "{told}");
}

#[test]
fn a_server_of_many_processes_runs_in_several_vms_at_once() {
    let world = World::new();
    let vms = ["iis-a", "iis-b", "iis-c"];
    for vm in vms {
        world.sleeper(vm, 240);
        install(&world, vm);
    }
    for vm in vms {
        let answered = fetch(&world, vm, 24);
        let told = control(&world, vm, "state");
        let places = told["places"].as_array().expect("places");
        let counted: u64 = places.iter().filter_map(|place| place[1].as_u64()).sum();
        assert!(counted >= 24, "all on the VM's own scoreboard: {told}");
        assert!(counted <= 60, "and nobody else's: {told}");
        let pids = world.inspect(vm)["pids"].clone();
        let service = &told["service"];
        assert!(
            pids.as_array().expect("a list").contains(service),
            "{told} {pids}"
        );
        let mut workers = answered.clone();
        workers.sort();
        workers.dedup();
        assert!(
            workers.len() >= 5,
            "workers end after five requests: {answered:?}"
        );
        let services = world.inspect(vm)["services"].clone();
        let pid_of = |name: &str| {
            let all = services.as_array().expect("a list");
            all.iter()
                .find(|service| service["name"] == name)
                .map(|service| service["pid"].clone())
        };
        assert_eq!(
            pid_of("pinion-web"),
            pid_of("pinion-beside"),
            "one process: {services}"
        );
        assert_eq!(pid_of("pinion-web").as_ref(), Some(service), "{services}");
    }
    // Recycling in one VM leaves the others' workers alone.
    let before = control(&world, "iis-b", "state");
    control(&world, "iis-a", "recycle");
    let old = control(&world, "iis-a", "state")["started"].as_u64();
    fetch(&world, "iis-a", 4);
    eventually(20, "workers of the next generation", || {
        (control(&world, "iis-a", "state")["started"].as_u64() > old).then_some(())
    });
    assert_eq!(
        control(&world, "iis-b", "state")["started"],
        before["started"]
    );
    for vm in vms {
        let stop = ["exec", vm, "--", "sc.exe", "stop", "pinion-web"];
        world.pinion(stop).run().ok();
        let at = at(&world, vm, 8490);
        eventually(20, "the URL is free", || {
            (get(at, "/").is_err()).then_some(())
        });
    }
}
