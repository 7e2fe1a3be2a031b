//! The private memory of one process inside a VM against the same outside, as
//! Linux counts it.

use crate::report::Report;
use crate::vm;
use anyhow::{Context, Result, bail};
use pinion_harness::Wine;
use pinion_harness::wine::windows_path;
use std::fs;
use std::time::{Duration, Instant};

/// Adds the row.
pub fn run(wine: &Wine, report: &mut Report, _crowd: usize) -> Result<()> {
    let program = windows_path(&wine.program("workload.exe"));
    let mut command = wine.command(&program);
    command.args(["hold", "outside-of-any-vm"]);
    let held = wine.start(command)?;
    let outside = private_kib("outside-of-any-vm");
    wine.run("taskkill", &["/f", "/im", "workload.exe"])?;
    let _ = held.finish(Duration::from_secs(10));

    let arguments = [
        "run",
        "-d",
        "--name",
        "bench-memory",
        "--",
        &program,
        "hold",
        "inside-a-vm",
    ];
    wine.pinion(&arguments)?.success()?;
    let inside = private_kib("hold inside-a-vm");
    report.add(
        "private memory of a process",
        "KiB",
        &[inside?],
        &[outside?],
    );
    vm::remove_all(wine);
    Ok(())
}

/// The private memory of the process whose last arguments are `words`.
fn private_kib(words: &str) -> Result<f64> {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(10) {
        if let Some(pid) = find(words) {
            std::thread::sleep(Duration::from_millis(500));
            return kib(pid, &["Private_Clean", "Private_Dirty"]);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    bail!("no process with the arguments {words:?}")
}

fn find(words: &str) -> Option<u32> {
    processes().find_map(|(pid, command)| {
        let own = command.ends_with(words) && command.contains("workload.exe hold");
        (own && !command.contains("pinion.exe") && !command.contains("wine-run")).then_some(pid)
    })
}

/// Linux processes with their command lines.
pub fn processes() -> impl Iterator<Item = (u32, String)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let command = fs::read(entry.path().join("cmdline")).ok()?;
        let text = String::from_utf8_lossy(&command).replace('\0', " ");
        Some((pid, text.trim().to_owned()))
    })
}

/// The sum of `fields` of a process's memory, in KiB.
pub fn kib(pid: u32, fields: &[&str]) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))
        .with_context(|| format!("reading the memory of process {pid}"))?;
    let value = |line: &str| {
        let (field, rest) = line.split_once(':')?;
        let number = rest.split_whitespace().next()?;
        fields
            .contains(&field)
            .then(|| number.parse::<f64>().ok())?
    };
    Ok(text.lines().filter_map(value).sum())
}
