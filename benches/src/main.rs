//! The same work inside a VM and outside, in the same run, as ratios.
//!
//! Run by `./x bench`. Nothing here fails because something was slow: the
//! figures are printed, and SPECIFICATION.md says what they should be.

mod build;
mod calls;
mod clone;
mod depth;
mod files;
mod group;
mod keys;
mod many;
mod memory;
mod report;
mod server;
mod services;
mod size;
mod trace;
mod turns;
mod vm;

use anyhow::Result;
use clap::Parser;
use clap::builder::PossibleValuesParser;
use pinion_harness::Wine;
use report::Report;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Parser)]
struct Options {
    /// Write the figures to this file
    #[arg(long)]
    json: Option<PathBuf>,
    /// How many VMs to have up at once in the crowd benchmark
    #[arg(long, default_value_t = 30)]
    crowd: usize,
    /// Only these benchmarks; without any, all
    #[arg(value_parser = PossibleValuesParser::new(BENCHES.iter().map(|(name, _)| *name)))]
    names: Vec<String>,
}

/// How long one program may take: to make 100,000 keys takes minutes on a machine
/// that has other work.
const LIMIT: Duration = Duration::from_secs(900);

type Bench = fn(&Wine, &mut Report, usize) -> Result<()>;

const BENCHES: &[(&str, Bench)] = &[
    ("calls", calls::run),
    ("files", files::run),
    ("keys", keys::run),
    ("depth", depth::run),
    ("clone", clone::run),
    ("build", build::run),
    ("size", size::run),
    ("memory", memory::run),
    ("first-byte", server::first_byte),
    ("requests", server::requests),
    ("services", services::run),
    ("com", services::com),
    ("http", services::http),
    ("controller", services::controller),
    ("crowd", many::run),
    ("group", group::run),
    ("replicas", group::replicas),
    ("trace", trace::run),
    ("trace-build", trace::build),
];

fn main() -> Result<()> {
    let options = Options::parse();
    let mut wine = Wine::from_env()?;
    wine.set("PINION_ROOT", vm::STORE);
    wine.set_limit(LIMIT);
    let mut report = Report::new(wine.version()?);
    wine.wineserver(&["-p"])?;
    for (name, bench) in BENCHES {
        if !options.names.is_empty() && !options.names.iter().any(|wanted| wanted == name) {
            continue;
        }
        eprintln!("{name} …");
        if let Err(error) = bench(&wine, &mut report, options.crowd) {
            vm::remove_all(&wine);
            return Err(error.context(format!("benchmark {name}")));
        }
        vm::remove_all(&wine);
    }
    wine.wineserver(&["-k"])?;
    report.print();
    report.write(options.json.as_deref())
}
