//! A real build: npm under Node for Windows installs a tree of packages from its
//! own cache, without a network.

use crate::report::Report;
use crate::vm;
use anyhow::{Context, Result, bail};
use pinion_harness::Wine;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const RUNS: usize = 5;
const VM: &str = "bench-build";
const LIMIT: Duration = Duration::from_secs(120);
const NODE: &str = "C:\\pinion-bench\\node\\node.exe";
const INSTALL: &[&str] = &[
    NODE,
    "C:\\pinion-bench\\node\\npm\\bin\\npm-cli.js",
    "ci",
    "--offline",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--cache",
    "C:\\pinion-bench\\node\\cache",
];

/// Adds the row.
pub fn run(wine: &Wine, report: &mut Report, _crowd: usize) -> Result<()> {
    vm::hold(wine, VM, None)?;
    let outside = INSTALL.iter().copied().map(Into::into).collect();
    let name = "npm installs 71 packages under Node";
    compare(wine, report, name, [pinion(wine, VM)?, outside], &[VM])
}

/// Adds a row for the install by the one command against the other. What is installed is
/// removed from `vms` and the host after each turn.
pub fn compare(
    wine: &Wine,
    report: &mut Report,
    name: &str,
    commands: [Vec<String>; 2],
    vms: &[&str],
) -> Result<()> {
    let folder = lay(wine)?;
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    for turn in 0..=RUNS {
        let [first, second] = &commands;
        let mut sides = [(first, &mut inside), (second, &mut outside)];
        sides.rotate_left(turn % 2);
        for (command, figures) in sides {
            let time = install(wine, &folder, command)?;
            // The first turn finds neither side's files in memory.
            if turn > 0 {
                figures.push(time);
            }
            remove(wine, &folder, vms)?;
        }
    }
    report.add(name, "ms", &inside, &outside);
    Ok(())
}

/// The folder of the tree, with all that is needed laid into drive C.
fn lay(wine: &Wine) -> Result<PathBuf> {
    let from = std::env::var("PINION_NODE").context("PINION_NODE is not set: run ./x bench")?;
    let to = wine.drive_c().join("pinion-bench/node");
    copy(Path::new(&from), &to).with_context(|| format!("copying {from}"))?;
    Ok(to.join("tree"))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy(&from, &to)?;
        } else {
            fs::copy(&from, &to)?;
        }
    }
    Ok(())
}

/// The command line for the install in the VM.
pub fn pinion(wine: &Wine, vm: &str) -> Result<Vec<String>> {
    let program = wine.program("pinion.exe");
    let program = program.to_str().context("a path")?;
    let words = [program, "exec", vm, "--"].into_iter();
    Ok(words
        .chain(INSTALL.iter().copied())
        .map(Into::into)
        .collect())
}

/// Milliseconds for the install.
fn install(wine: &Wine, folder: &Path, command: &[String]) -> Result<f64> {
    let Some((program, arguments)) = command.split_first() else {
        bail!("no command");
    };
    let start = Instant::now();
    wine.run_in(folder, program, arguments, LIMIT)?.success()?;
    Ok(start.elapsed().as_secs_f64() * 1000.0)
}

/// Removes what was installed, on the host and in the VMs.
fn remove(wine: &Wine, folder: &Path, vms: &[&str]) -> Result<()> {
    let installed = folder.join("node_modules");
    if installed.exists() {
        fs::remove_dir_all(installed)?;
    }
    let script = "require('fs').rmSync('C:\\\\pinion-bench\\\\node\\\\tree\\\\node_modules', \
                  { recursive: true, force: true })";
    for vm in vms {
        wine.pinion(&["exec", vm, "--", NODE, "-e", script])?
            .success()?;
    }
    Ok(())
}
