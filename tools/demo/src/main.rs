//! The main job, shown: three copies of one unmodified web server, on the same
//! port, from the same folder, each with its own service controller and its
//! own RPCSS, on one Windows.
//!
//! Run by `./x demo`, which sets everything up. Decides nothing itself: it
//! drives the real command line and looks at the results.

mod folder;
mod groups;
mod leftovers;
mod plain;
mod report;
mod vms;

use anyhow::Result;
use clap::{Parser, Subcommand};
use pinion_harness::Wine;
use pinion_harness::host::Snapshot;
use report::Report;
use std::path::PathBuf;
use std::process::ExitCode;

/// The VMs' names.
const NAMES: [&str; 3] = ["demo-a", "demo-b", "demo-c"];

#[derive(Parser)]
struct Options {
    #[command(subcommand)]
    what: Option<What>,
    /// Leave the VMs up to play with
    #[arg(long)]
    keep: bool,
    /// Write the figures to this file
    #[arg(long)]
    json: Option<PathBuf>,
}

#[derive(Subcommand)]
enum What {
    /// Groups of replicas under load, with faults put into them
    Groups(groups::Options),
}

fn main() -> ExitCode {
    let options = Options::parse();
    let shown = match &options.what {
        Some(What::Groups(groups)) => groups::run(groups),
        None => demo(&options),
    };
    match shown {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn demo(options: &Options) -> Result<()> {
    let mut wine = Wine::from_env()?;
    wine.set("PINION_ROOT", folder::STORE);
    let mut report = Report::new(wine.version()?);
    println!("On {}", report.wine);
    pinion_harness::vm::remove(&wine, &NAMES);
    wine.wineserver(&["-p"])?;

    folder::remove(&wine)?;
    folder::lay(&wine)?;
    println!("\nWithout VMs: a second copy of the same server");
    report.second_copy_on_host = plain::second_copy(&wine)?;
    println!("  {}", report.second_copy_on_host);

    folder::lay(&wine)?;
    let desktop = leftovers::hold_desktop(&wine)?;
    let before = Snapshot::take(&wine)?;
    println!("\nThree VMs, one folder, one port");
    let outcome = vms::run(&wine, &mut report);
    if options.keep && outcome.is_ok() {
        report.print();
        report.write(options.json.as_deref())?;
        leftovers::how_to_play(&report);
        return Ok(());
    }
    pinion_harness::vm::remove(&wine, &NAMES);
    outcome?;
    let changes = Snapshot::take(&wine)?.changes_since(&before);
    report.host_changed = leftovers::host_changes(&changes);
    report.left_behind = leftovers::left_behind(&wine, &report, &changes)?;
    folder::remove(&wine)?;
    drop(desktop);
    wine.wineserver(&["-k"])?;
    report.print();
    report.write(options.json.as_deref())?;
    report.verdict()
}
