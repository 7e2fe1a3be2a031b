//! What servers inside cost: services and their controls against the host's
//! controller, objects of a local COM server, requests to http.sys, and the
//! memory of a VM's controller.

use crate::memory::{kib, processes};
use crate::report::Report;
use crate::server::address_at;
use crate::turns::{Side, compare};
use crate::vm;
use anyhow::{Context, Result, bail};
use pinion_harness::Wine;
use pinion_harness::wine::{Running, windows_path};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::time::{Duration, Instant};

/// A class that nobody has.
const CLASS: &str = "{5A1C0F3E-7B1D-4C7E-9A70-50494E494F60}";
/// Objects made one after the other, and how often in turns.
const OBJECTS: &str = "100";
const TURNS: usize = 7;
/// Where http.sys listens inside, and outside beside it.
const INSIDE: u16 = 8093;
const OUTSIDE: u16 = 8094;
const LOADS: usize = 6;

/// Adds the rows of services.
pub fn run(wine: &Wine, report: &mut Report, _crowd: usize) -> Result<()> {
    let worker = windows_path(&wine.program("service_worker.exe"));
    vm::hold(wine, "bench-services", None)?;
    let side = Side::Vm("bench-services");
    let works: [(_, &[_]); 2] = [
        (
            "start of a service and its stop",
            &["service", "20", &worker],
        ),
        (
            "control of a service and its answer",
            &["control", "1000", &worker],
        ),
    ];
    compare(wine, report, side, Side::Host, &works)
}

/// Adds the rows of objects of a COM server: the first, which brings RPCSS up
/// inside, and those after it.
pub fn com(wine: &Wine, report: &mut Report, _crowd: usize) -> Result<()> {
    let program = windows_path(&wine.program("com_server.exe"));
    let call = |words: &[&str]| wine.run(&program, words)?.success()?.json();
    call(&["register", CLASS, "host"])?;
    let told = com_registered(wine, report, &program);
    call(&["unregister", CLASS])?;
    told
}

fn com_registered(wine: &Wine, report: &mut Report, program: &str) -> Result<()> {
    let (mut first, mut warm) = ([vec![], vec![]], [vec![], vec![]]);
    let words = ["call", CLASS, "--times", OBJECTS];
    for turn in 0..TURNS {
        let mut sides = [0, 1];
        sides.rotate_left(turn % 2);
        for side in sides {
            let output = if side == 0 {
                // A VM of its own each time, whose RPCSS is not up.
                let name = format!("bench-com-{turn}");
                vm::hold(wine, &name, None)?;
                let exec = [&["exec", &name, "--", program][..], &words].concat();
                let output = wine.pinion(&exec)?;
                wine.pinion(&["rm", "-f", &name])?.success()?;
                output
            } else {
                wine.run(program, &words)?
            };
            let told = output.success()?.json()?;
            if told["new"]["tag"] != "host" {
                bail!("no object: {told}");
            }
            let figure = |name: &str| told[name].as_f64().context("no figure");
            first[side].push(figure("first_us")?);
            warm[side].push(figure("warm_us")?);
        }
    }
    for (name, [inside, outside]) in [
        (
            "first object of a local COM server: it and RPCSS start inside, outside they run",
            first,
        ),
        ("object of a local COM server that runs", warm),
    ] {
        report.add(name, "µs", &inside, &outside);
    }
    Ok(())
}

/// Adds the row of requests to a server on http.sys.
pub fn http(wine: &Wine, report: &mut Report, _crowd: usize) -> Result<()> {
    let program = windows_path(&wine.program("http_server.exe"));
    let url = |port: u16| format!("http://+:{port}/");
    let mut command = wine.command(&program);
    command.args(["serve", "2", &url(OUTSIDE), "outside"]);
    let host = wine.start(command)?;
    let told = http_beside(wine, report, &program, &url(INSIDE));
    // What went wrong with the work is told first.
    told.and(end(wine, host))
}

fn http_beside(wine: &Wine, report: &mut Report, program: &str, url: &str) -> Result<()> {
    let name = "bench-http";
    let run = ["run", "-d", "--name", name, "--", program];
    wine.pinion(&[&run[..], &["serve", "2", url, "inside"]].concat())?
        .success()?;
    let outside_at = SocketAddrV4::new(Ipv4Addr::LOCALHOST, OUTSIDE);
    let inside_at = address_at(wine, name, INSIDE)?;
    for at in [outside_at, inside_at] {
        let begin = Instant::now();
        while requests(at, Duration::ZERO).is_err() {
            if begin.elapsed() > Duration::from_secs(30) {
                bail!("no answer from {at}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    for turn in 0..LOADS {
        let mut sides = [(inside_at, &mut inside), (outside_at, &mut outside)];
        sides.rotate_left(turn % 2);
        for (at, figures) in sides {
            figures.push(requests(at, Duration::from_secs(2))?);
        }
    }
    report.add("requests per second to http.sys", "1/s", &inside, &outside);
    Ok(())
}

/// Requests per second over one kept-alive connection during `time`, one at least. Of its own: Wine's
/// http.sys takes no header names in lower case, which the harness's client sends.
fn requests(at: SocketAddrV4, time: Duration) -> Result<f64> {
    let limit = Duration::from_secs(5);
    let mut stream = TcpStream::connect_timeout(&at.into(), limit)?;
    stream.set_read_timeout(Some(limit))?;
    stream.set_nodelay(true)?;
    let question = format!("GET / HTTP/1.1\r\nHost: {at}\r\n\r\n");
    let (begin, mut count) = (Instant::now(), 0_u32);
    let mut room = [0; 4096];
    while count == 0 || begin.elapsed() < time {
        stream.write_all(question.as_bytes())?;
        let mut got = 0;
        while !is_whole(&room[..got]) {
            match stream.read(&mut room[got..])? {
                0 => bail!("the connection to {at} ended"),
                more => got += more,
            }
        }
        if !room.starts_with(b"HTTP/1.1 200") {
            bail!("{at} answered {}", String::from_utf8_lossy(&room[..got]));
        }
        count += 1;
    }
    Ok(f64::from(count) / begin.elapsed().as_secs_f64())
}

/// Whether an answer is there, with as long a body as its head tells.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "));
    length.and_then(|length| length.parse().ok()) == Some(body.len())
}

/// Ends the host's server by its own way out.
fn end(wine: &Wine, host: Running) -> Result<()> {
    let asked = ["ask", &format!("localhost:{OUTSIDE}"), "/remove"];
    wine.run(wine.program("http_server.exe"), &asked)?
        .success()?;
    host.finish(Duration::from_secs(10)).map(drop)
}

/// Adds the row of the memory of the process that hosts a VM's controller, after
/// a service has run, against before anything asked for one.
pub fn controller(wine: &Wine, report: &mut Report, _crowd: usize) -> Result<()> {
    let name = "bench-controller";
    vm::hold(wine, name, None)?;
    let pid = supervisor(name)?;
    let settled = || {
        std::thread::sleep(Duration::from_millis(500));
        kib(pid, &["Private_Clean", "Private_Dirty"])
    };
    let before = settled()?;
    let worker = windows_path(&wine.program("service_worker.exe"));
    crate::turns::once(wine, Side::Vm(name), &["service", "3", &worker])?;
    let after = settled()?;
    report.add(
        "memory of the supervisor with its controller at work",
        "KiB",
        &[after],
        &[before],
    );
    Ok(())
}

fn supervisor(name: &str) -> Result<u32> {
    let words = format!("supervise {name}");
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(10) {
        let mut all = processes();
        let own =
            all.find(|(_, command)| command.ends_with(&words) && !command.contains("wine-run"));
        if let Some((pid, _)) = own {
            return Ok(pid);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    bail!("no supervisor of {name}")
}
