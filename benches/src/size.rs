//! Size: VMs that have changed 100,000 files or keys against such of 10,000, and
//! one byte of a file of 4 GiB. What is asked is looked at, too: a wrong answer
//! ends the run.

use crate::report::Report;
use crate::turns::{Side, once};
use crate::vm;
use anyhow::{Context, Result, ensure};
use pinion_harness::Wine;
use pinion_harness::vm::inspect;
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;
use std::time::Instant;

/// How many files or keys.
const SIZES: [u32; 2] = [100_000, 10_000];
/// How many files are in a folder.
const IN_FOLDER: u32 = 100;
const KEYS: &str = "Software\\pinion-bench";

/// Adds the rows.
pub fn run(wine: &Wine, report: &mut Report, _crowd: usize) -> Result<()> {
    large_file(wine, report)?;
    for what in ["files", "keys"] {
        let times = SIZES.map(|size| verbs(wine, what, size));
        let [many, few] = times;
        for ((verb, many), (_, few)) in many?.into_iter().zip(few?) {
            let name = format!("{verb}, 100,000 {what} against 10,000 (10: as many times longer)");
            report.add(&name, "ms", &[many], &[few]);
        }
    }
    Ok(())
}

/// What each verb takes, in milliseconds, on a VM with `size` files or keys.
fn verbs(wine: &Wine, what: &str, size: u32) -> Result<Vec<(&'static str, f64)>> {
    let (name, clone) = (
        format!("size-{what}-{size}"),
        format!("clone-{what}-{size}"),
    );
    let snapshot = format!("kept-{what}-{size}");
    vm::hold(wine, &name, None)?;
    let folders = if what == "files" {
        lay(wine, &name, size)?
    } else {
        once(
            wine,
            Side::Vm(&name),
            &["keys-fill", &size.to_string(), KEYS],
        )?;
        0
    };
    let mut times = Vec::new();
    if what == "keys" {
        let count = size.to_string();
        let list = ["key-list", "1", KEYS, &count];
        let told = once(wine, Side::Vm(&name), &list)?.json()?["us"].as_f64();
        times.push(("enumerate inside", told.context("no figure")? / 1000.0));
    }
    wine.pinion(&["stop", &name])?.success()?;
    let (time, output) = timed(wine, &["diff", &name, "--json"])?;
    times.push(("diff", time));
    let found = output.matches("\"added\"").count();
    ensure!(
        found >= (size + folders) as usize,
        "diff tells {found} of {size}"
    );
    times.push(("snapshot", timed(wine, &["snapshot", &name, &snapshot])?.0));
    let create = ["create", "--from", &snapshot, "--name", &clone, "cmd.exe"];
    times.push(("clone", timed(wine, &create)?.0));
    wine.pinion(&["rm", &clone])?.success()?;
    wine.pinion(&["rm", &name])?.success()?;
    let remove = ["snapshot", "rm", "-f", &snapshot];
    times.push(("removal", timed(wine, &remove)?.0));
    Ok(times)
}

fn timed(wine: &Wine, command: &[&str]) -> Result<(f64, String)> {
    let start = Instant::now();
    let output = wine.pinion(command)?.success()?;
    Ok((start.elapsed().as_secs_f64() * 1000.0, output.stdout))
}

/// The VM's folder of changed files.
fn upper(wine: &Wine, name: &str) -> Result<PathBuf> {
    let files = inspect(wine, name)?.upper_files.replace('\\', "/");
    let (_, below) = files.split_once(":/").context("a path of a drive")?;
    Ok(wine.drive_c().join(below))
}

/// Puts files into the VM's upper layer as programs in it would; how many folders.
fn lay(wine: &Wine, name: &str, size: u32) -> Result<u32> {
    let root = upper(wine, name)?.join("C/pinion-bench/many");
    let folders = size / IN_FOLDER;
    for folder in 0..folders {
        let folder = root.join(format!("d{folder}"));
        fs::create_dir_all(&folder)?;
        for file in 0..IN_FOLDER {
            fs::write(folder.join(format!("f{file}")), "x")?;
        }
    }
    Ok(folders)
}

/// Adds the row of one byte written in place into a file of 4 GiB, sparse on the
/// disk of this machine, which is copied up for it.
fn large_file(wine: &Wine, report: &mut Report) -> Result<()> {
    const LENGTH: u64 = 4 << 30;
    const NAME: &str = "C:\\pinion-bench\\large";
    let path = wine.drive_c().join("pinion-bench/large");
    fs::create_dir_all(path.parent().context("a folder")?)?;
    let mut options = File::options();
    options.read(true).write(true).create_new(true);
    let file = options.open(&path)?;
    file.set_len(LENGTH)?;
    file.write_at(b"end", LENGTH - 3)?;
    vm::hold(wine, "size-large", None)?;
    let figure = |side| -> Result<f64> {
        let told = once(wine, side, &["byte", "1", NAME])?.json()?["us"].as_f64();
        Ok(told.context("no figure")? / 1000.0)
    };
    let inside = figure(Side::Vm("size-large"))?;
    let mut byte = [0];
    file.read_exact_at(&mut byte, LENGTH / 2)?;
    ensure!(byte == [0], "the host's file was changed");
    let copy = File::open(upper(wine, "size-large")?.join("C/pinion-bench/large"))?;
    let mut ends = ([0], [0; 3]);
    copy.read_exact_at(&mut ends.0, LENGTH / 2)?;
    copy.read_exact_at(&mut ends.1, LENGTH - 3)?;
    let (length, room) = (copy.metadata()?.len(), copy.metadata()?.blocks() * 512);
    ensure!(
        length == LENGTH && ends == (*b"!", *b"end"),
        "no whole copy"
    );
    eprintln!(
        "  the copy of the sparse file has {} KiB on the disk",
        room / 1024
    );
    let outside = figure(Side::Host)?;
    let name = "one byte of a file of 4 GiB, with its copy, against none";
    report.add(name, "ms", &[inside], &[outside]);
    wine.pinion(&["rm", "-f", "size-large"])?.success()?;
    fs::remove_file(path)?;
    Ok(())
}
