//! The command line of the audit. Exit codes: 0 no leaks, 1 leaks (with --record also names that are on one side only), 2 wrong usage or an audit that could not be made.

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use pinion_audit::judge::Judge;
use pinion_audit::pass::PassList;
use pinion_audit::report::Report;
use pinion_audit::run;
use pinion_audit::vms::Vm;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Judges what confined processes did, from the log of Wine's server alone. Without a verb: run the scenarios and judge them.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Options {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    run: RunOptions,
}

#[derive(Subcommand)]
enum Verb {
    /// Judge logs of `wineserver -d1` that are there already.
    Judge(JudgeOptions),
    /// Run the scenarios under a server that logs, and judge them.
    Run(RunOptions),
}

#[derive(Args)]
struct JudgeOptions {
    /// Version of the Wine that wrote the logs, e.g. 8.0.
    #[arg(long)]
    wine: String,
    /// JSON list of the virtual machines and their places.
    #[arg(long)]
    vms: PathBuf,
    /// A scenario's name and its log.
    #[arg(long = "scenario", value_name = "NAME=LOG", required = true, value_parser = scenario)]
    scenarios: Vec<(String, PathBuf)>,
    /// The pass list.
    #[arg(long)]
    pass: PathBuf,
    /// Write the report as JSON to this file too.
    #[arg(long)]
    json: Option<PathBuf>,
}

#[derive(Args)]
struct RunOptions {
    /// The pass list, in place of the project's own.
    #[arg(long)]
    pass: Option<PathBuf>,
    /// Write the report as JSON to this file too.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Keep the logs in this folder.
    #[arg(long)]
    keep: Option<PathBuf>,
    /// Fail, too, where what Pinion recorded and the log do not have the same names, and show each.
    #[arg(long)]
    record: bool,
    /// Run this scenario only; may be given again.
    #[arg(long = "only", value_name = "NAME")]
    only: Vec<String>,
}

fn scenario(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, log)) if !name.is_empty() && !log.is_empty() => Ok((name.into(), log.into())),
        _ => Err("write NAME=LOG".into()),
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    let outcome = match options.verb.unwrap_or(Verb::Run(options.run)) {
        Verb::Judge(options) => {
            judge(&options).and_then(|report| tell(&report, false, options.json.as_deref()))
        }
        Verb::Run(RunOptions {
            pass,
            json,
            keep,
            record,
            only,
        }) => run::run(&run::Plan { pass, keep, only })
            .and_then(|report| tell(&report, record, json.as_deref())),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("pinion-audit: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn judge(options: &JudgeOptions) -> Result<Report> {
    let JudgeOptions {
        wine,
        vms,
        scenarios,
        pass,
        ..
    } = options;
    let text = std::fs::read(vms)
        .with_context(|| format!("cannot read the list of VMs {}", vms.display()))?;
    let vms: Vec<Vm> = serde_json::from_slice(&text)
        .with_context(|| format!("{} is no list of VMs", vms.display()))?;
    let pass = PassList::read(pass, wine)?;
    let mut judge = Judge::new(&vms, &pass);
    for (name, path) in scenarios {
        let log =
            File::open(path).with_context(|| format!("cannot read the log {}", path.display()))?;
        judge
            .log(name, BufReader::new(log))
            .with_context(|| format!("cannot read the log {}", path.display()))?;
    }
    judge.finish();
    Ok(Report::new(wine, &judge, &pass))
}

fn tell(report: &Report, with_record: bool, json: Option<&Path>) -> Result<ExitCode> {
    if let Some(path) = json {
        let text = serde_json::to_string_pretty(report)?;
        std::fs::write(path, text + "\n")
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    print!("{}", report.table(with_record));
    Ok(ExitCode::from(u8::from(!report.is_good(with_record))))
}
