//! The judges of transparency. Run by `./x transparency`, which builds what
//! they need. Exit codes: 0 nothing can tell, 1 something can, 2 wrong usage or
//! a judgement that could not be made.

mod known;
mod outcome;
mod random_tests;
mod report;
mod side;
mod verdict;
mod wine_tests;

use anyhow::{Context, Result};
use clap::Parser;
use known::Known;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use verdict::Verdict;

/// Judges whether programs can tell a VM from the host, by Wine's own conformance tests and by random operations.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// Only the tests whose module:unit contains one of these
    only: Vec<String>,
    /// Run so many copies inside at the same time, each in a VM of its own; each must do as well as one outside
    #[arg(long, default_value = "1", value_parser = clap::value_parser!(u8).range(1..=8))]
    copies: u8,
    /// Write the verdicts to this file as JSON
    #[arg(long)]
    json: Option<PathBuf>,
    /// Keep what each run of a test prints in this folder
    #[arg(long)]
    output: Option<PathBuf>,
    /// The list of what needs more than this release gives, in place of the project's own
    #[arg(long)]
    known: Option<PathBuf>,
    #[command(flatten)]
    random: random_tests::Plan,
}

/// Seeds of the random operations when nothing else is said.
const SEEDS: u64 = 10;

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("pinion-transparency: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(options: &Options) -> Result<bool> {
    let variable = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .with_context(|| format!("{name} is not set: run this through ./x transparency"))
    };
    let cache = variable("PINION_CACHE")?;
    if let Some(seeds) = options.random.seeds {
        return random_tests::run(&options.random, seeds, &cache);
    }
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("known.toml");
    let plan = wine_tests::Plan {
        tests: &variable("PINION_WINE_TESTS")?,
        cache: &cache,
        copies: options.copies.into(),
        only: &options.only,
        output: options.output.as_deref(),
        known: &Known::read(options.known.as_deref().unwrap_or(&own))?,
    };
    let rows = wine_tests::run(&plan)?;
    if let Some(path) = &options.json {
        report::write(&rows, path)?;
    }
    let well = rows.iter().all(|row| row.result != Verdict::Regressed);
    let random = !options.only.is_empty() || random_tests::run(&options.random, SEEDS, &cache)?;
    Ok(well && random)
}
