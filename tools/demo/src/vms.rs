//! Three VMs: in each the server, its own page, its own RPCSS.

use crate::report::{Report, Vm};
use crate::{NAMES, folder};
use anyhow::{Context, Result, bail};
use pinion_harness::{Wine, vm, web};
use std::net::SocketAddrV4;
use std::time::{Duration, Instant};

/// Starts the VMs, fills `report.vms`, and checks that each is its own.
pub fn run(wine: &Wine, report: &mut Report) -> Result<()> {
    for name in NAMES {
        let vm = start(wine, name)?;
        println!(
            "  {name}: {} answers {} ms after `pinion run`; its RPCSS is process {}",
            vm.address, vm.first_byte_ms, vm.rpcss_pid
        );
        report.vms.push(vm);
    }
    for vm in &mut report.vms {
        finish(wine, vm)?;
    }
    check(report)
}

/// `pinion run` to the first byte, then RPCSS and a page of its own.
fn start(wine: &Wine, name: &str) -> Result<Vm> {
    let start = Instant::now();
    let program = format!("{}\\nginx.exe", folder::PROGRAM);
    wine.pinion(&[
        "run",
        "-d",
        "--name",
        name,
        "-w",
        folder::PROGRAM,
        "--",
        &program,
    ])?
    .success()
    .with_context(|| format!("pinion run of {name}"))?;
    let told = vm::inspect(wine, name)?;
    let address = SocketAddrV4::new(told.address, folder::PORT);
    web::wait(address, "/", Duration::from_secs(30))?;
    let first_byte_ms = start.elapsed().as_millis() as u64;
    let rpcss_pid = rpcss(wine, name)?;
    let write = format!("echo the page of {name}>html\\own.txt");
    wine.pinion(&[
        "exec",
        "-w",
        folder::PROGRAM,
        name,
        "--",
        "cmd.exe",
        "/c",
        &write,
    ])?
    .success()
    .with_context(|| format!("writing a page inside {name}"))?;
    Ok(Vm {
        name: name.into(),
        address: told.address,
        rpcss_pid,
        first_byte_ms,
        ..Vm::default()
    })
}

/// A COM client inside tells which RPCSS it reached: the process at the other
/// end of its pipe to the endpoint mapper, which the VM's service controller
/// must have started.
fn rpcss(wine: &Wine, name: &str) -> Result<u32> {
    let client = pinion_harness::wine::windows_path(&wine.program("com_client.exe"));
    let output = wine.pinion(&["exec", name, "--", &client])?.success()?;
    let told = output.json()?;
    let pid = |value: &serde_json::Value| value.as_u64().and_then(|pid| u32::try_from(pid).ok());
    match (pid(&told["epmapper_pid"]), pid(&told["rpcss"]["pid"])) {
        (Some(reached), Some(started)) if reached == started && reached != 0 => Ok(reached),
        _ => bail!("the COM client inside {name} reached another RPCSS: {told}"),
    }
}

/// The figures that need all VMs up.
fn finish(wine: &Wine, row: &mut Vm) -> Result<()> {
    let address = SocketAddrV4::new(row.address, folder::PORT);
    row.page = web::get(address, "/own.txt")?.trim().to_owned();
    row.requests_per_s = web::load(address, "/", 4, Duration::from_secs(2))?;
    let told = vm::inspect(wine, &row.name)?;
    row.files_changed = told.files_changed.unwrap_or(0);
    row.keys_changed = told.keys_changed.unwrap_or(0);
    row.names_private = told.names_private.unwrap_or(0);
    row.server_pids = vm::processes(wine, &row.name)?
        .into_iter()
        .filter(|process| process.name.to_ascii_lowercase().contains("nginx"))
        .map(|process| process.pid)
        .collect();
    Ok(())
}

fn check(report: &Report) -> Result<()> {
    for (index, vm) in report.vms.iter().enumerate() {
        if vm.page != format!("the page of {}", vm.name) {
            bail!("{} serves {:?} instead of its own page", vm.name, vm.page);
        }
        if vm.rpcss_pid == 0 || vm.server_pids.is_empty() {
            bail!("{} has no RPCSS or no server of its own", vm.name);
        }
        for other in report.vms.iter().skip(index + 1) {
            if other.rpcss_pid == vm.rpcss_pid || other.address == vm.address {
                bail!("{} and {} are not apart", vm.name, other.name);
            }
        }
    }
    Ok(())
}
