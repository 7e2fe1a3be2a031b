//! nginx: the time to its first byte against a fresh Wine prefix per copy, and
//! its requests per second against the plain host.

use crate::report::Report;
use crate::vm;
use anyhow::{Context, Result, bail};
use pinion_harness::wine::windows_path;
use pinion_harness::{Output, Wine, nginx, web};
use serde::Deserialize;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The folder of the program as Windows names it.
pub const FOLDER: &str = "C:\\pinion-bench\\nginx";
/// Where the copies listen.
pub const PORT: u16 = 8080;

/// Where a copy outside listens beside them: what listens on any address of the
/// host listens on the VMs' too.
pub const OUTSIDE: u16 = 8081;

fn configuration(port: u16) -> String {
    format!(
        "worker_processes 1;
events {{ worker_connections 256; }}
http {{
    include mime.types;
    access_log off;
    server {{ listen {port}; location / {{ root html; index index.html; }} }}
}}
"
    )
}
const RUNS: usize = 5;
/// How often each server is loaded.
const LOADS: usize = 8;

/// Adds the row of the first byte.
pub fn first_byte(wine: &Wine, report: &mut Report, _crowd: usize) -> Result<()> {
    lay(wine)?;
    // One after the other: all but the first find Wine's own desktop up.
    let inside: Vec<f64> = (0..RUNS)
        .map(|index| {
            let name = format!("bench-first-{index}");
            let time = start_with_rpcss(wine, &name);
            let _ = wine.pinion(&["rm", "-f", &name]);
            time
        })
        .collect::<Result<_>>()?;
    // A fresh prefix takes now a quarter less, now a quarter more.
    let outside: Vec<f64> = (0..RUNS)
        .map(|_| fresh_prefix(wine))
        .collect::<Result<_>>()?;
    report.add(
        "pinion run to nginx's first byte, RPCSS up, against a fresh prefix",
        "ms",
        &inside,
        &outside,
    );
    Ok(())
}

/// Lays the program folder into `wine`'s drive C.
pub fn lay(wine: &Wine) -> Result<PathBuf> {
    let folder = nginx::lay(wine, "pinion-bench/nginx", &configuration(PORT))?;
    std::fs::write(folder.join("conf/outside.conf"), configuration(OUTSIDE))?;
    Ok(folder)
}

/// Milliseconds from `pinion run` until RPCSS is up and nginx answered.
pub fn start_with_rpcss(wine: &Wine, name: &str) -> Result<f64> {
    let begin = Instant::now();
    start(wine, name, &[])?;
    let client = windows_path(&wine.program("com_client.exe"));
    reached_rpcss(&wine.pinion(&["exec", name, "--", &client])?)?;
    web::wait(address(wine, name)?, "/", Duration::from_secs(60))?;
    Ok(begin.elapsed().as_secs_f64() * 1000.0)
}

/// Starts nginx in a VM of its own with these options.
pub fn start(wine: &Wine, name: &str, options: &[&str]) -> Result<()> {
    let program = format!("{FOLDER}\\nginx.exe");
    let run = ["run", "-d", "--name", name, "-w", FOLDER];
    wine.pinion(&[&run, options, &["--", &program]].concat())?
        .success()?;
    Ok(())
}

/// Fails unless the COM client told that an RPCSS took what it registered.
fn reached_rpcss(client: &Output) -> Result<()> {
    if client.clone().success()?.json()?["registered"] != 0 {
        bail!("no RPCSS: {}", client.stdout.trim());
    }
    Ok(())
}

/// Where the VM's server listens. Read from the VM's record, since asking `pinion
/// inspect` is no part of the way to the first byte.
pub fn address(wine: &Wine, name: &str) -> Result<SocketAddrV4> {
    address_at(wine, name, PORT)
}

/// The same of a server at another port.
pub fn address_at(wine: &Wine, name: &str, port: u16) -> Result<SocketAddrV4> {
    let record = wine.drive_c().join(vm::IN_DRIVE_C).join("vms").join(name);
    let text = std::fs::read_to_string(record.join("vm.json"))?;
    let record: Record = serde_json::from_str(&text).context("the VM's record")?;
    Ok(SocketAddrV4::new(record.address, port))
}

/// What is needed of a VM's record.
#[derive(Deserialize)]
struct Record {
    address: Ipv4Addr,
}

/// Milliseconds from nothing to the first byte with a prefix of the copy's own,
/// which brings its own services up.
fn fresh_prefix(wine: &Wine) -> Result<f64> {
    let folder = tempfile::tempdir_in(wine.prefix().parent().unwrap_or(Path::new("/tmp")))?;
    let mut fresh = Wine::from_env()?;
    fresh.set_prefix(folder.path());
    fresh.set("WINEDLLOVERRIDES", "mscoree,mshtml=");
    let start = Instant::now();
    fresh
        .run_in(folder.path(), "wineboot", &["-i"], Duration::from_secs(120))?
        .success()?;
    // RPCSS does not start in the Wine that made the prefix, but in the next one
    // (observed on Wine 8 and Wine 10).
    fresh.wineserver(&["-k"])?;
    fresh.wineserver(&["-w"])?;
    complete(wine, &fresh)?;
    let program = lay(&fresh)?;
    let mut command = fresh.command(program.join("nginx.exe"));
    command.current_dir(&program);
    let server = fresh.start(command)?;
    reached_rpcss(&fresh.run(wine.program("com_client.exe"), &[] as &[&str])?)?;
    let local = SocketAddrV4::new(Ipv4Addr::LOCALHOST, PORT);
    web::wait(local, "/", Duration::from_secs(60))?;
    let time = start.elapsed().as_secs_f64() * 1000.0;
    fresh.wineserver(&["-k"])?;
    let _ = server.finish(Duration::from_secs(10));
    fresh.wineserver(&["-w"])?;
    Ok(time)
}

/// Gives a fresh prefix the DLL that programs in Rust need and Wine 8 lacks.
fn complete(wine: &Wine, fresh: &Wine) -> Result<()> {
    let dll = Path::new("windows/system32/bcryptprimitives.dll");
    let (from, to) = (wine.drive_c().join(dll), fresh.drive_c().join(dll));
    if !to.exists() {
        std::fs::copy(from, to)?;
    }
    Ok(())
}

/// Adds the row of the requests per second. Both servers are up all the time and
/// take turns to go first, so that neither has the quieter machine.
pub fn requests(wine: &Wine, report: &mut Report, _crowd: usize) -> Result<()> {
    let folder = lay(wine)?;
    let mut command = wine.command(folder.join("nginx.exe"));
    command
        .current_dir(&folder)
        .args(["-c", "conf/outside.conf"]);
    let host = wine.start(command)?;
    let outside_at = SocketAddrV4::new(Ipv4Addr::LOCALHOST, OUTSIDE);
    web::wait(outside_at, "/", Duration::from_secs(30))?;
    start_with_rpcss(wine, "bench-requests")?;
    let inside_at = address(wine, "bench-requests")?;
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    for turn in 0..LOADS {
        let mut sides = [(inside_at, &mut inside), (outside_at, &mut outside)];
        sides.rotate_left(turn % 2);
        for (address, figures) in sides {
            figures.push(web::load(address, "/", 4, Duration::from_secs(2))?);
        }
    }
    report.add("nginx requests per second", "1/s", &inside, &outside);
    vm::remove_all(wine);
    nginx::end_host_copies(wine, OUTSIDE)?;
    let _ = host.finish(Duration::from_secs(10));
    Ok(())
}
