//! Groups of replicas through the real command line: faults under load, all replicas down, overload, the
//! group's process killed, HAProxy in front. What is pure, and the front itself, is tested natively.

use pinion_e2e::{World, eventually};
use pinion_harness::clients::Clients;
use pinion_harness::faults::Load;
use pinion_harness::group::{Fault, Group, PAGE};
use pinion_harness::wine::windows_path;
use pinion_harness::{Wine, nginx, web};
use std::io::{Read, Write};
use std::net::{SocketAddrV4, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A world with an nginx of its own, which all replicas run from.
struct Servers {
    world: World,
    wine: Wine,
    folder: String,
    unix: PathBuf,
}

impl Servers {
    fn new(test: &str) -> Self {
        let world = World::new();
        let mut wine = Wine::from_env().expect("a Wine");
        wine.set("PINION_ROOT", &windows_path(&world.store()));
        let folder = format!("pinion-e2e-{test}");
        let configuration = "worker_processes 1;
events { worker_connections 64; }
http { include mime.types; server { listen 8080; location / { root html; } } }
";
        let unix = nginx::lay(&wine, &folder, configuration).expect("laid");
        std::fs::write(unix.join("html").join("index.html"), PAGE).expect("a page");
        Self {
            world,
            wine,
            folder: format!("C:\\{folder}"),
            unix,
        }
    }

    /// A group's file; `port` is the front's. `top` goes before its tables, `more` after its `[front]`.
    fn file(&self, name: &str, port: u16, top: &str, more: &str) -> String {
        let folder = &self.folder;
        let text = format!(
            "command = ['{folder}\\nginx.exe']\nworkdir = '{folder}'\nport = 8080\n{top}\n[front]\nlisten = '127.0.0.1:{port}'\n{more}\n"
        );
        self.world.file(&format!("{name}.toml"), text.as_bytes())
    }

    fn page(&self) -> String {
        format!("{}\\html\\index.html", self.folder)
    }

    fn up(&self, file: &str, name: &str) -> Group<'_> {
        Group::up(&self.wine, file, name).unwrap_or_else(|error| {
            let events = self.world.pinion(["group", "events", name]).run();
            panic!("the group does not come up: {error:#}\n{}", events.stdout)
        })
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        let _ = nginx::remove(&self.unix);
    }
}

fn at(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, port)
}

/// The status of a GET, and the body.
fn get(port: u16, path: &str) -> (u16, String) {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(at(port))?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.write_all(
            format!("GET {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n").as_bytes(),
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer = ask().unwrap_or_default();
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status.unwrap_or(0), body.to_owned())
}

#[test]
fn a_file_that_is_not_sound_is_told_by_line_and_column() {
    let world = World::new();
    let file = world.file(
        "bad.toml",
        b"command = ['x']\nport = 1\n[front]\nlisten = 'here'\nmode = 'vot'\n",
    );
    let output = world.pinion(["group", "check", &file]).run().expect(2);
    assert!(
        output.stderr.contains(":4:10: give an address"),
        "{output:?}"
    );
    assert!(
        output
            .stderr
            .contains(":5:8: 'vot' is none of balance, vote"),
        "{output:?}"
    );
    let told = world
        .pinion(["group", "check", "--json", &file])
        .run()
        .expect(2)
        .json();
    assert_eq!(
        (told["sound"].as_bool(), told["faults"][1]["line"].as_u64()),
        (Some(false), Some(5))
    );
    world
        .pinion(["group", "up", &file])
        .run()
        .fails(2, &["4:10", "1 more"]);
    world
        .pinion(["group", "status", "nobody"])
        .run()
        .fails(120, &["nobody"]);
}

#[test]
fn a_vote_masks_what_is_defaced_killed_and_hangs() {
    let servers = Servers::new("vote");
    let folder = &servers.folder;
    let more = format!(
        "mode = 'vote'\n[check]\ninterval = '500ms'\nfall = 2\n[vote]\nlate = '1s'\n[changes]\nfiles = ['{folder}\\logs\\**', '{folder}\\temp\\**']\n"
    );
    let file = servers.file("ballot", 18_101, "replicas = 3", &more);
    let group = servers.up(&file, "ballot");
    let load = Load {
        group: &group,
        mode: "vote",
        page: PAGE,
        file: &servers.page(),
        kinds: &[Fault::Defaced, Fault::Killed, Fault::Hung],
        every: Duration::from_secs(1),
        time: Duration::from_secs(6),
    };
    let outcome = load.run(7).expect("it goes on");
    assert_eq!(
        (outcome.wrong_answers, outcome.failed_requests),
        (0, 0),
        "{outcome:#?}"
    );
    assert!(outcome.requests > 50 && outcome.faults >= 3, "{outcome:#?}");
    assert_eq!(outcome.noticed, outcome.faults, "{outcome:#?}");
    for row in &outcome.rows {
        let about = row.evidence.replace('\\', "/");
        let (_, about) = about.split_once("/groups/").expect("in the store");
        let about = servers
            .world
            .store()
            .join("groups")
            .join(about)
            .join("about.json");
        let text = std::fs::read_to_string(&about).expect("evidence");
        let about: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        if row.fault == "defaced" {
            let files = about["files"].as_array().expect("files");
            let changed = |file: &&serde_json::Value| {
                file["name"]
                    .as_str()
                    .is_some_and(|name| name.eq_ignore_ascii_case(&servers.page()))
            };
            assert!(files.iter().any(|file| changed(&file)), "{about:#}");
        }
    }
    group.down().expect("down");
    assert_eq!(servers.world.names(), [] as [&str; 0]);
}

#[test]
fn all_replicas_down_is_told_at_once_and_it_recovers() {
    let servers = Servers::new("down");
    // Starts fail once before the next is tried, which takes a moment.
    let file = servers.file(
        "fallen",
        18_102,
        "replicas = 2",
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
    assert!(
        seen.failed > 0
            && seen
                .told
                .iter()
                .all(|told| told.contains("503 no replica serves")),
        "{seen:?}"
    );
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
    let replicas = group
        .wait(Duration::from_secs(30))
        .expect("all serve")
        .replicas;
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
    assert!(pids.len() >= 4, "{pids:?}");
    world.kill(u64::from(group.status().expect("up").pid));
    eventually(20, "all processes of replicas end", || {
        world.alive(&pids).is_empty().then_some(())
    });
    assert!(!web::listens(at(18_104)));
    // What is left is taken away by the next start, or by the end.
    world.pinion(["group", "up", &file]).run().ok();
    assert_eq!(get(18_104, "/"), (200, PAGE.into()));
    assert_eq!(world.names().len(), 2);
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
fn a_killed_supervisor_is_a_crash() {
    let servers = Servers::new("keeper");
    let file = servers.file("kept", 18_105, "replicas = 2", "");
    let group = servers.up(&file, "kept");
    let pid = servers.world.inspect("kept.1")["supervisor_pid"]
        .as_u64()
        .expect("a pid");
    servers.world.kill(pid);
    eventually(30, "it is replaced", || {
        let status = group.status().expect("up");
        (status.faults == 1 && status.serving == 2).then_some(())
    });
    let events = group.events().expect("events");
    assert!(
        events
            .iter()
            .any(|event| event.replica == Some(1) && event.why == "crashed"),
        "{events:?}"
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
fn checks_inside_and_changes_tell_of_intruders() {
    let servers = Servers::new("inside");
    let folder = servers.folder.clone();
    let more = format!(
        "[check]\nhttp = '/'\nbody = 'all replicas'\ninterval = '300ms'\nfall = 2\ncommand = ['cmd.exe', '/c', 'if exist {folder}\\temp\\sick.txt (exit 1) else (exit 0)']\ntimeout = '5s'\n[changes]\nfiles = ['{folder}\\logs\\**', '{folder}\\temp\\**']\nkeys = ['HKCU\\Console\\**']\ninterval = '500ms'\n[evidence]\nsize = '1k'\nkeep = 2\n"
    );
    let file = servers.file("inside", 18_107, "replicas = 2", &more);
    let group = servers.up(&file, "inside");
    let inside = |vm: &str, command: &str| {
        servers
            .world
            .pinion(["exec", vm, "--", "cmd.exe", "/c", command])
            .run()
            .ok();
    };
    let noticed = |replica: u32, why: &str| {
        eventually(30, why, || {
            let events = group.events().expect("events");
            events.into_iter().find(|event| {
                event.replica == Some(replica) && event.event == "discarded" && event.why == why
            })
        })
    };
    inside("inside.1", &format!("echo x>{folder}\\temp\\sick.txt"));
    noticed(1, "unhealthy");
    inside("inside.2", &format!("echo x>{folder}\\intruder.txt"));
    noticed(2, "changed");
    group.wait(Duration::from_secs(30)).expect("whole again");
    let third = group.status().expect("up").replicas[0].clone();
    inside(&third.vm, "reg add HKCU\\Software\\Intruder /f");
    noticed(third.replica, "changed");
    let evidence = servers.world.store().join("groups/inside/evidence");
    let kept = eventually(30, "two bundles are kept, each within its size", || {
        let kept: Vec<_> = std::fs::read_dir(&evidence)
            .ok()?
            .flatten()
            .map(|item| item.path())
            .collect();
        (kept.len() == 2 && kept.iter().all(|one| one.join("about.json").exists())).then_some(kept)
    });
    for bundle in kept {
        let files = std::fs::read_dir(bundle).expect("a folder").flatten();
        let others = files.filter(|file| file.file_name() != "about.json");
        let size: u64 = others
            .map(|file| file.metadata().map_or(0, |file| file.len()))
            .sum();
        assert!(size <= 1024, "{size} bytes");
    }
}

#[test]
fn a_denied_attempt_is_a_fault() {
    let servers = Servers::new("denied");
    let rules = "[[rule]]\nchannel = 'pipes'\nname = 'forbidden*'\nverdict = 'deny'\n";
    let rules = servers.world.file("rules.toml", rules.as_bytes());
    let more = "[denied]\nignore = ['forbidden-often']\ninterval = '300ms'\n";
    let file = servers.file(
        "denied",
        18_115,
        &format!("replicas = 2\npolicy = '{rules}'"),
        more,
    );
    let group = servers.up(&file, "denied");
    let reach = |vm: &str, pipe: &str| {
        let command = format!(r"type \\.\pipe\{pipe}");
        let _ = servers
            .world
            .pinion(["exec", vm, "--", "cmd.exe", "/c", &command])
            .run();
    };
    reach("denied.1", "forbidden-often");
    reach("denied.2", "forbidden");
    let event = eventually(30, "the second is taken out", || {
        let events = group.events().expect("events");
        events.into_iter().find(|event| event.event == "discarded")
    });
    assert_eq!((event.replica, event.why.as_str()), (Some(2), "denied"));
    let evidence = servers
        .world
        .store()
        .join("groups/denied/evidence/2-denied");
    let trace = eventually(30, "its trace is kept", || {
        evidence.join("about.json").exists().then_some(())?;
        std::fs::read_to_string(evidence.join("trace.jsonl")).ok()
    });
    assert!(
        trace.contains("forbidden") && trace.contains("refused"),
        "{trace}"
    );
    assert!(group.status().expect("up").faults == 1);
}

#[test]
fn replicas_are_clones_of_one_state() {
    let servers = Servers::new("clones");
    let world = &servers.world;
    let page = servers.page();
    world
        .pinion([
            "run",
            "--name",
            "origin",
            "--",
            "cmd.exe",
            "/c",
            &format!("echo of the VM>{page}"),
        ])
        .run()
        .ok();
    let file = servers.file("clones", 18_108, "from = 'origin'\nreplicas = 2", "");
    let group = servers.up(&file, "clones");
    assert_eq!(get(18_108, "/"), (200, "of the VM\r\n".into()));
    // The VM goes on; replicas that come later are of the state at the beginning.
    world.pinion(["start", "-a", "origin"]).run().ok();
    world.pinion(["rm", "-f", "origin"]).run().ok();
    world.pinion(["group", "scale", "clones", "3"]).run().ok();
    world.pinion(["group", "rejuvenate", "clones"]).run().ok();
    eventually(60, "all are new", || {
        let status = group.status().expect("up");
        (status.serving == 3 && status.replicas.iter().all(|one| one.replica > 3)).then_some(())
    });
    for _ in 0..3 {
        assert_eq!(get(18_108, "/").1, "of the VM\r\n");
    }
    group.down().expect("down");
    assert_eq!(world.snapshots(), [] as [&str; 0]);
    assert_eq!(world.names(), [] as [&str; 0]);
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

/// HAProxy of the distribution, on the machine beside Wine; ended when dropped.
struct HaProxy(Child);

impl Drop for HaProxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn haproxy_fronts_groups_and_masks_one_that_is_killed() {
    let servers = Servers::new("hosts");
    let more = |status: u16| {
        format!("status = '127.0.0.1:{status}'\n[check]\ninterval = '300ms'\nfall = 1\n")
    };
    let files = [
        servers.file("host-a", 18_110, "replicas = 2", &more(18_111)),
        servers.file("host-b", 18_112, "replicas = 2", &more(18_113)),
    ];
    let rendered = |file: &str| {
        let hosts = ["--host", "a=127.0.0.1:18110", "--host", "b=127.0.0.1:18112"];
        let mut arguments = vec![
            "group",
            "render",
            "--haproxy",
            file,
            "--bind",
            "127.0.0.1:18114",
        ];
        arguments.extend(hosts);
        servers.world.pinion(arguments).run().expect(0).stdout
    };
    // Both hosts of this test are one, so that each has a status port of its own.
    let own = [rendered(&files[0]), rendered(&files[1])];
    let line = |text: &str, server: &str| {
        text.lines()
            .find(|line| line.contains(server))
            .expect("a server")
            .to_owned()
    };
    let text = own[0].replace(&line(&own[0], "server b "), &line(&own[1], "server b "));
    let path = servers.world.folder().join("haproxy.cfg");
    std::fs::write(&path, &text).expect("written");
    let groups = [
        servers.up(&files[0], "host-a"),
        servers.up(&files[1], "host-b"),
    ];
    let haproxy = Command::new("haproxy")
        .arg("-db")
        .arg("-f")
        .arg(&path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _haproxy = HaProxy(haproxy.expect("haproxy, which ./x setup installs"));
    eventually(20, "HAProxy answers", || {
        (get(18_114, "/").0 == 200).then_some(())
    });
    let clients = Clients::start(at(18_114), "/", PAGE, 2, Duration::from_millis(5));
    servers
        .world
        .kill(u64::from(groups[0].status().expect("up").pid));
    std::thread::sleep(Duration::from_secs(3));
    // The other goes down in order: its status page says so, and HAProxy lets it drain.
    servers.world.pinion(["group", "up", &files[0]]).run().ok();
    std::thread::sleep(Duration::from_secs(2));
    groups[1].down().expect("down");
    std::thread::sleep(Duration::from_secs(1));
    let seen = clients.stop();
    assert!(seen.right > 50, "{seen:?}");
    assert_eq!((seen.wrong, seen.failed), (0, 0), "{seen:?}");
}
