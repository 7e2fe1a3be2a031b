//! Groups: what the front costs against a server asked straight, and against HAProxy over the same
//! replicas; what a vote costs; how soon a fault is made good; and whether the 50th replica comes up as
//! fast as the first.

use crate::report::Report;
use crate::server::{FOLDER, OUTSIDE, PORT, lay};
use crate::vm;
use anyhow::{Context, Result, bail};
use pinion_harness::group::{Fault, Group, Status};
use pinion_harness::web::{self, Latencies};
use pinion_harness::{Wine, nginx};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 4;
const TIME: Duration = Duration::from_secs(2);
/// How many replicas of a group are killed, one after another.
const FAULTS: usize = 7;
/// Numbers of replicas before one is added.
const BEFORE: [usize; 3] = [1, 10, 50];
const HAPROXY: u16 = 18_220;

fn local(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)
}

/// Starts a group of nginx; `replicas` is the value of that key, and may go on with others; `front` are lines of its `[front]` and after.
fn up<'a>(wine: &'a Wine, name: &str, replicas: &str, port: u16, front: &str) -> Result<Group<'a>> {
    let text = format!(
        "command = ['{FOLDER}\\nginx.exe']\nworkdir = '{FOLDER}'\nreplicas = {replicas}\nport = {PORT}\n[front]\nlisten = '127.0.0.1:{port}'\n{front}\n"
    );
    let file = wine
        .drive_c()
        .join("pinion-bench")
        .join(format!("{name}.toml"));
    std::fs::write(file, text)?;
    Group::up(wine, &format!("C:\\pinion-bench\\{name}.toml"), name)
}

fn straight(status: &Status) -> Result<SocketAddrV4> {
    let replica = status.replicas.iter().find(|one| one.state == "serving");
    let address = replica
        .and_then(|one| one.address)
        .context("a replica that serves")?;
    Ok(SocketAddrV4::new(address, PORT))
}

/// HAProxy over the group's own replicas; ended when dropped.
struct HaProxy(Child);

impl HaProxy {
    fn start(wine: &Wine, status: &Status) -> Result<Self> {
        let mut text = format!(
            "defaults\n mode http\n timeout connect 1s\n timeout client 60s\n timeout server 60s\n option forwardfor\nfrontend f\n bind 127.0.0.1:{HAPROXY}\n default_backend b\nbackend b\n balance leastconn\n"
        );
        for one in &status.replicas {
            let address = one.address.context("an address")?;
            text += &format!(" server s{} {address}:{PORT} check\n", one.replica);
        }
        let file = wine.drive_c().join("pinion-bench").join("haproxy.cfg");
        std::fs::write(&file, text)?;
        let child = Command::new("haproxy")
            .arg("-db")
            .arg("-f")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("starting haproxy, which ./x bench installs")?;
        let started = Self(child);
        web::wait(local(HAPROXY), "/", Duration::from_secs(20))?;
        Ok(started)
    }
}

impl Drop for HaProxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Loads each address in turn; who goes first changes.
fn compare<const N: usize>(addresses: [SocketAddrV4; N]) -> Result<[Vec<Latencies>; N]> {
    let mut found = [const { Vec::new() }; N];
    for round in 0..ROUNDS {
        for place in 0..N {
            let which = (place + round) % N;
            found[which].push(web::latencies(addresses[which], "/", 4, TIME)?);
        }
    }
    Ok(found)
}

/// A name, a unit, and the figure.
type Part = (&'static str, &'static str, fn(&Latencies) -> f64);

fn rows(report: &mut Report, name: &str, inside: &[Latencies], outside: &[Latencies]) {
    let of =
        |all: &[Latencies], what: fn(&Latencies) -> f64| all.iter().map(what).collect::<Vec<_>>();
    let parts: [Part; 3] = [
        ("requests per second", "1/s", |found| found.per_second),
        ("p50", "ms", |found| found.p50_ms),
        ("p99", "ms", |found| found.p99_ms),
    ];
    for (part, unit, what) in parts {
        report.add(
            &format!("{name}: {part}"),
            unit,
            &of(inside, what),
            &of(outside, what),
        );
    }
}

/// Adds the rows of the front and of faults.
pub fn run(wine: &Wine, report: &mut Report, _crowd: usize) -> Result<()> {
    let folder = lay(wine)?;
    let group = up(wine, "bench-balance", "3", 18_221, "mode = 'balance'")?;
    let status = group.wait(Duration::from_secs(60))?;
    let haproxy = HaProxy::start(wine, &status)?;
    let [front, straight_to, through] =
        compare([local(18_221), straight(&status)?, local(HAPROXY)])?;
    drop(haproxy);
    rows(
        report,
        "front, balanced, against straight to a replica",
        &front,
        &straight_to,
    );
    rows(
        report,
        "front, balanced, against HAProxy (on Linux itself)",
        &front,
        &through,
    );
    rows(
        report,
        "HAProxy (on Linux itself) against straight to a replica",
        &through,
        &straight_to,
    );
    group.down()?;
    drop(group);
    let group = up(wine, "bench-vote", "3", 18_222, "mode = 'vote'")?;
    let status = group.wait(Duration::from_secs(60))?;
    let [vote, straight_to] = compare([local(18_222), straight(&status)?])?;
    rows(
        report,
        "vote over three against straight to a replica",
        &vote,
        &straight_to,
    );
    let by_a_spare = faults(&group)?;
    group.down()?;
    drop(group);
    let group = up(wine, "bench-bare", "3\nspares = 0", 18_224, "")?;
    let by_a_new_one = faults(&group)?;
    group.down()?;
    drop(group);
    let own = (0..FAULTS)
        .map(|_| own_start(wine, &folder))
        .collect::<Result<Vec<_>>>()?;
    for (name, replaced) in [
        ("fault to healthy replacement", by_a_spare),
        ("the same without spares", by_a_new_one),
    ] {
        let name = format!("{name} against the server's own start");
        report.add(&name, "ms", &replaced, &own);
    }
    vm::remove_all(wine);
    Ok(())
}

/// Milliseconds from noticing that a replica was killed until another serves.
fn faults(group: &Group<'_>) -> Result<Vec<f64>> {
    for _ in 0..FAULTS {
        // What is killed right after it came up counts as a failed start.
        std::thread::sleep(Duration::from_secs(1));
        let status = group.wait(Duration::from_secs(60))?;
        let victim = status.replicas.first().context("a replica")?;
        group.hurt(Fault::Killed, &victim.vm, "")?;
    }
    std::thread::sleep(Duration::from_secs(1));
    group.wait(Duration::from_secs(60))?;
    let events = group.events()?;
    // Those of earlier runs come first.
    let up = events.iter().rposition(|event| event.event == "up");
    let events = &events[up.unwrap_or(0)..];
    let discarded = events
        .iter()
        .filter(|event| event.event == "discarded" && event.why != "down");
    let replaced = discarded.filter_map(|event| {
        let after = events.iter().filter(|other| other.at_ms >= event.at_ms);
        let serving = after
            .clone()
            .find(|other| other.event == "serving" && other.replica != event.replica)?;
        Some((serving.at_ms - event.at_ms) as f64)
    });
    let replaced: Vec<f64> = replaced.collect();
    if replaced.len() < FAULTS {
        bail!("{} of {FAULTS} faults were made good", replaced.len());
    }
    Ok(replaced)
}

/// Milliseconds from the start of the server outside until it answers.
fn own_start(wine: &Wine, folder: &std::path::Path) -> Result<f64> {
    let mut command = wine.command(folder.join("nginx.exe"));
    command
        .current_dir(folder)
        .args(["-c", "conf/outside.conf"]);
    let start = Instant::now();
    let server = wine.start(command)?;
    web::wait(local(OUTSIDE), "/", Duration::from_secs(30))?;
    let took = start.elapsed().as_secs_f64() * 1000.0;
    nginx::end_host_copies(wine, OUTSIDE)?;
    let _ = server.finish(Duration::from_secs(10));
    Ok(took)
}

/// Adds the rows of the first, the tenth and the fiftieth replica.
pub fn replicas(wine: &Wine, report: &mut Report, _crowd: usize) -> Result<()> {
    lay(wine)?;
    // Without a spare, which would be there already.
    let few = "1\nspares = 0";
    let group = up(wine, "bench-many", few, 18_223, "[check]\ninterval = '30s'")?;
    let mut took: Vec<Vec<f64>> = Vec::new();
    for before in BEFORE {
        scale(wine, before)?;
        group.wait(Duration::from_secs(180))?;
        let mut times = Vec::new();
        for _ in 0..3 {
            times.push(one_more(wine, &group, before)?);
            scale(wine, before)?;
            std::thread::sleep(Duration::from_secs(1));
        }
        took.push(times);
    }
    group.down()?;
    for (before, times) in BEFORE.iter().zip(&took).skip(1) {
        let name = format!("clone and start of one more replica beside {before} against beside 1");
        report.add(&name, "ms", times, &took[0]);
    }
    Ok(())
}

fn scale(wine: &Wine, to: usize) -> Result<()> {
    wine.pinion(&["group", "scale", "bench-many", &to.to_string()])?
        .success()?;
    Ok(())
}

/// Milliseconds from the wish for one more until it serves.
fn one_more(wine: &Wine, group: &Group<'_>, before: usize) -> Result<f64> {
    let known = group.events()?.len();
    scale(wine, before + 1)?;
    group.wait(Duration::from_secs(60))?;
    let events = group.events()?;
    let fresh = events.iter().skip(known);
    let at = |what: &str| {
        fresh
            .clone()
            .find(|event| event.event == what)
            .map(|event| event.at_ms)
    };
    match (at("scaled"), at("serving")) {
        (Some(asked), Some(serving)) => Ok((serving - asked) as f64),
        _ => bail!("no replica came up"),
    }
}
