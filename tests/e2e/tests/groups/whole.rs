//! The group as a whole: all replicas down, overload, its process killed, replicas replaced by age, starts that fail.

use crate::{Servers, at, get};
use pinion_e2e::{World, eventually};
use pinion_harness::clients::Clients;
use pinion_harness::group::PAGE;
use pinion_harness::web;
use std::time::{Duration, Instant};

#[test]
fn all_replicas_down_is_told_at_once_and_it_recovers() {
    let servers = Servers::new("down");
    // Starts fail once before the next is tried, which takes a moment.
    let file = servers.file(
        "fallen",
        18_102,
        "replicas = 2\nspares = 0",
        "[replace]\nbackoff = '2s'\n",
    );
    let group = servers.up(&file, "fallen");
    let clients = Clients::start(at(18_102), "/", PAGE, 2, Duration::from_millis(5));
    servers
        .world
        .pinion(["kill", "fallen.1", "fallen.2"])
        .run()
        .ok();
    eventually(30, "the group recovers", || {
        let status = group.status().expect("up");
        (status.serving == 2
            && status.faults == 2
            && status.replicas.iter().all(|one| one.replica > 2))
        .then_some(())
    });
    assert_eq!(get(18_102, "/"), (200, PAGE.into()));
    let seen = clients.stop();
    assert_eq!(seen.wrong, 0);
    // What was under way when the last replica went has no other to be sent to.
    let is_down = |told: &String| {
        told.contains("503 no replica serves") || told.contains("the replica was removed")
    };
    assert!(seen.failed > 0 && seen.told.iter().all(is_down), "{seen:?}");
}

#[test]
fn overload_is_refused_beyond_a_bounded_queue() {
    let servers = Servers::new("full");
    let more = "per_replica = 2\nqueue = 4\nqueue_time = '20s'\nanswer_time = '60s'\n[check]\nfall = 1000\n";
    let file = servers.file("full", 18_103, "replicas = 1", more);
    let group = servers.up(&file, "full");
    servers.world.pinion(["pause", "full.1"]).run().ok();
    let asked: Vec<_> = (0..20)
        .map(|_| std::thread::spawn(|| get(18_103, "/").0))
        .collect();
    eventually(30, "all but six are refused", || {
        (group.status().expect("up").figures.refused == 14).then_some(())
    });
    servers.world.pinion(["unpause", "full.1"]).run().ok();
    let statuses: Vec<u16> = asked
        .into_iter()
        .map(|asked| asked.join().expect("an answer"))
        .collect();
    let of = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((of(200), of(503)), (6, 14), "{statuses:?}");
    assert_eq!(group.status().expect("up").figures.most_waiting, 4);
}

#[test]
fn a_killed_group_leaves_no_orphan_and_starts_again() {
    let servers = Servers::new("orphan");
    let file = servers.file("orphan", 18_104, "replicas = 2", "");
    let group = servers.up(&file, "orphan");
    let world = &servers.world;
    world
        .pinion(["group", "up", &file])
        .run()
        .fails(121, &["is up already"]);
    let replicas = eventually(30, "all serve, and a spare is ready", || {
        let status = group.status().expect("up");
        (status.serving == 2 && status.ready == 1).then_some(status.replicas)
    });
    let pids: Vec<u64> = replicas
        .iter()
        .flat_map(|replica| {
            let vm = &replica.vm;
            let inspected = world.inspect(vm);
            let mut pids: Vec<u64> = vec![inspected["supervisor_pid"].as_u64().expect("a pid")];
            pids.extend(
                inspected["pids"]
                    .as_array()
                    .expect("pids")
                    .iter()
                    .filter_map(serde_json::Value::as_u64),
            );
            pids
        })
        .collect();
    assert!(pids.len() >= 6, "{pids:?}");
    world.kill(u64::from(group.status().expect("up").pid));
    eventually(20, "all processes of replicas end", || {
        world.alive(&pids).is_empty().then_some(())
    });
    assert!(!web::listens(at(18_104)));
    // What is left is taken away by the next start, or by the end.
    world.pinion(["group", "up", &file]).run().ok();
    assert_eq!(get(18_104, "/"), (200, PAGE.into()));
    eventually(30, "a spare, too", || {
        (group.status().expect("up").ready == 1).then_some(())
    });
    assert_eq!(world.names().len(), 3);
    world.kill(u64::from(group.status().expect("up").pid));
    world
        .pinion(["group", "down", "--remove", "orphan"])
        .run()
        .ok();
    assert_eq!(world.names(), [] as [&str; 0]);
    assert_eq!(
        world.pinion(["group", "ls", "-q"]).run().expect(0).stdout,
        ""
    );
}

#[test]
fn replicas_are_rejuvenated_in_time_and_nobody_notices() {
    let servers = Servers::new("young");
    let more = "[replace]\nevery = '4s'\nexposure = '20s'\ndrain = '1s'\n";
    let file = servers.file("young", 18_106, "replicas = 2", more);
    let group = servers.up(&file, "young");
    let clients = Clients::start(at(18_106), "/", PAGE, 2, Duration::from_millis(10));
    eventually(60, "each is replaced twice", || {
        let status = group.status().expect("up");
        status
            .replicas
            .iter()
            .all(|one| one.replica > 6)
            .then_some(())
    });
    let seen = clients.stop();
    assert_eq!((seen.wrong, seen.failed), (0, 0), "{seen:?}");
    let status = group.status().expect("up");
    assert_eq!(status.faults, 0);
    assert!(status.longest_life_ms <= 20_000, "{status:?}");
    let events = group.events().expect("events");
    let below = events
        .iter()
        .filter(|event| event.event == "below_minimum")
        .count();
    assert_eq!(below, 0, "{events:?}");
}

#[test]
fn a_server_that_does_not_start_backs_off_and_says_so() {
    let world = World::new();
    let text = "command = ['cmd.exe', '/c', 'exit 3']\nport = 1\nreplicas = 2\n[front]\nlisten = '127.0.0.1:18109'\n";
    let file = world.file("broken.toml", text.as_bytes());
    let output = world.pinion(["group", "up", &file]).run();
    output.fails(125, &["0 of 2 replicas", "pinion group events broken"]);
    let events = world
        .pinion(["group", "events", "broken"])
        .run()
        .expect(0)
        .stdout;
    assert!(
        events.contains("failed starts in a row") && events.contains("exit code 3"),
        "{events}"
    );
    assert_eq!(get(18_109, "/").0, 503);
    assert_eq!(
        world
            .pinion(["group", "status", "--json", "broken"])
            .run()
            .expect(0)
            .json()["state"],
        "failing"
    );
    world
        .pinion(["group", "down", "--remove", "broken"])
        .run()
        .ok();
    assert_eq!(world.names(), [] as [&str; 0]);
}

/// Private memory in KiB of the process whose command line has both words.
fn private_kib(words: [&str; 2]) -> u64 {
    let processes = std::fs::read_dir("/proc").expect("/proc").flatten();
    let found = processes.filter_map(|process| {
        let command = std::fs::read(process.path().join("cmdline")).ok()?;
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        let status = std::fs::read_to_string(process.path().join("status")).ok()?;
        words
            .iter()
            .all(|word| command.contains(word))
            .then_some(())?;
        let line = status.lines().find(|line| line.starts_with("RssAnon"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    });
    found.max().expect("the process runs")
}

/// Asks on and on, over connections of its own, until `end`; how many were refused.
fn flood(port: u16, end: Instant) -> u64 {
    let mut refused = 0;
    while Instant::now() < end {
        refused += u64::from(get(port, "/").0 == 503);
    }
    refused
}

#[test]
fn memory_stays_flat_under_overload() {
    let servers = Servers::new("flood");
    let more = "per_replica = 2\nqueue = 4\nqueue_time = '60s'\nanswer_time = '60s'\nconnections = 24\n[check]\nfall = 1000\n";
    let file = servers.file("flood", 18_116, "replicas = 1\nspares = 0", more);
    let group = servers.up(&file, "flood");
    servers.world.pinion(["pause", "flood.1"]).run().ok();
    let of_group = || private_kib(["keep-group", "flood"]);
    // More clients than may connect, and far more than may wait: all but six are refused all the time.
    let round = |seconds: u64| {
        let end = Instant::now() + Duration::from_secs(seconds);
        let clients: Vec<_> = (0..32)
            .map(|_| std::thread::spawn(move || flood(18_116, end)))
            .collect();
        std::thread::sleep(end.saturating_duration_since(Instant::now()));
        let kib = of_group();
        (clients, kib)
    };
    // What the first takes in all is not given back; the later rounds must need no more.
    let (mut clients, warm) = round(4);
    let (later, hot) = round(8);
    clients.extend(later);
    servers.world.pinion(["unpause", "flood.1"]).run().ok();
    let refused: u64 = clients
        .into_iter()
        .map(|client| client.join().expect("it ended"))
        .sum();
    let status = group.status().expect("up");
    assert!(refused > 300, "{refused} refused: {status:?}");
    assert!(status.figures.most_waiting <= 4, "{status:?}");
    assert!(
        hot <= warm + warm / 5 + 4096,
        "{warm} KiB after 4 s, {hot} KiB after 12 s, {refused} refused"
    );
}

#[test]
fn logs_and_the_live_view_go_on_until_the_group_goes_down() {
    let servers = Servers::new("shown");
    let (world, folder) = (&servers.world, &servers.folder);
    let text = format!(
        "command = ['cmd.exe', '/c', 'echo hello of a replica& {folder}\\nginx.exe']\nworkdir = '{folder}'\nport = 8091\nreplicas = 1\nspares = 0\n[front]\nlisten = '127.0.0.1:18121'\n"
    );
    let file = world.file("shown.toml", text.as_bytes());
    let group = servers.up(&file, "shown");
    let logs = |options: &[&str]| {
        let arguments = [&["group", "logs"], options, &["shown"]].concat();
        world.pinion(arguments).run()
    };
    assert_eq!(logs(&[]).expect(0).stdout, "1: hello of a replica\n");
    assert_eq!(
        logs(&["--json", "--replica", "1"]).expect(0).json(),
        serde_json::json!({"replica": 1, "line": "hello of a replica"})
    );
    logs(&["--replica", "7"]).fails(120, &["no replica 7"]);
    std::thread::scope(|scope| {
        let view = |arguments: &'static [&'static str]| {
            scope.spawn(move || {
                world
                    .pinion(arguments.iter().copied())
                    .run()
                    .expect(0)
                    .stdout
            })
        };
        let status = view(&["group", "status", "-f", "--json", "shown"]);
        let text = view(&["group", "status", "-f", "shown"]);
        let events = view(&["group", "events", "-f", "shown"]);
        let followed = view(&["group", "logs", "-f", "shown"]);
        std::thread::sleep(Duration::from_secs(4));
        group.down().expect("down");
        let status = status.join().expect("a view");
        let lines: Vec<serde_json::Value> = status
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        assert!(lines.len() >= 2, "{status}");
        assert_eq!(lines[0]["serving"], 1, "{status}");
        let text = text.join().expect("a view");
        assert!(
            text.contains("1 of 1 serve") && text.contains("shown.1"),
            "{text}"
        );
        let events = events.join().expect("a view");
        assert!(
            events.contains("serving 1") && events.contains("down"),
            "{events}"
        );
        let followed = followed.join().expect("a view");
        assert_eq!(followed, "1: hello of a replica\n");
    });
}
