//! What is left of the VMs on the host: nothing but what Wine itself writes.

use crate::folder;
use crate::report::Report;
use anyhow::{Result, bail};
use pinion_harness::wine::Running;
use pinion_harness::{Wine, web};
use std::net::SocketAddrV4;
use std::time::{Duration, Instant};

/// Where the VMs' keys are, while the VMs are.
const LAYERS: &str = "\\Software\\Pinion\\Layers\\";

/// What Wine writes by itself while anything runs, VMs or not; the part of a
/// line that tells it, and the reason.
const WINE_OWN: &[(&str, &str)] = &[
    (
        "\\Control\\ServiceCurrent",
        "Wine's own service controller counts services started on the host",
    ),
    (
        "windows/temp",
        "regedit's own export, by which this comparison is made",
    ),
];

/// Opens the desktop on the host, as anybody at a screen has: on Wine its first
/// opening describes the display in the registry.
pub fn hold_desktop(wine: &Wine) -> Result<Running> {
    let held = wine.start(wine.command(wine.program("desktop.exe")))?;
    let start = Instant::now();
    while !held.so_far().contains("desktop") {
        if start.elapsed() > Duration::from_secs(20) {
            bail!("the host's desktop does not open: {}", held.so_far());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(held)
}

/// Of all `changes` of the host's files and keys those that are not the VMs'
/// store and not Wine's own.
pub fn host_changes(changes: &[String]) -> Vec<String> {
    changes
        .iter()
        .filter(|line| !line.contains("pinion-demo/store") && !line.contains("\\Software\\Pinion"))
        .filter(|line| !WINE_OWN.iter().any(|(own, _)| line.contains(own)))
        .cloned()
        .collect()
}

/// What Wine itself writes, for people.
pub fn wine_own() -> impl Iterator<Item = String> {
    WINE_OWN
        .iter()
        .map(|(what, reason)| format!("{what}: {reason}"))
}

/// Processes, files, names and ports that outlived the VMs, and keys of layers
/// among all `changes`.
pub fn left_behind(wine: &Wine, report: &Report, changes: &[String]) -> Result<Vec<String>> {
    let mut left = Vec::new();
    let tasks = wine.run("tasklist", &[] as &[&str])?.stdout.to_lowercase();
    for program in ["nginx.exe", "pinion.exe"] {
        if tasks.contains(program) {
            left.push(format!("process {program}"));
        }
    }
    let store = wine.drive_c().join("pinion-demo/store/vms");
    for entry in std::fs::read_dir(&store).into_iter().flatten() {
        left.push(format!("file {}", entry?.path().display()));
    }
    let layers = changes.iter().filter(|line| line.contains(LAYERS));
    left.extend(layers.cloned());
    let names = wine.run(wine.program("names.exe"), &["list"])?.success()?;
    for line in names.stdout.lines().filter(|line| line.contains("Pinion-")) {
        left.push(format!("name {line}"));
    }
    for vm in &report.vms {
        if web::listens(SocketAddrV4::new(vm.address, folder::PORT)) {
            left.push(format!("port {}:{}", vm.address, folder::PORT));
        }
    }
    Ok(left)
}

/// What to try with the VMs that were kept.
pub fn how_to_play(report: &Report) {
    println!(
        "\nThe VMs are up. Try, with the same Wine and PINION_ROOT={}:",
        folder::STORE
    );
    if let Some(vm) = report.vms.first() {
        println!("  curl http://{}:{}/own.txt", vm.address, folder::PORT);
        println!("  pinion.exe exec {} -- cmd.exe", vm.name);
        println!("  pinion.exe rm -f {}", vm.name);
    }
}
