//! `pinion policy`: check, show and explain the rules of a VM.

mod diff;
pub mod explain;
mod show;

use super::faults;
use crate::failure::Outcome;
use crate::{output, policies};
use clap::Subcommand;
use pinion_policy_file::Policy;
use serde::Serialize;

const AFTER: &str = "Examples:
  pinion policy check web.toml                  what is wrong with it, by line and column
  pinion run --policy web.toml --name web -- server.exe
  pinion policy show web                        its rules, and what holds without them
  pinion policy explain web pipes MyServer      what decides about the name, and what would allow it
  pinion policy diff web other.toml             which rules they do not have in common
  pinion update --policy other.toml web         another one from the next start on

A policy is a file of rules in TOML; a VM needs none. docs/POLICY.md has all that can be in it.";

/// Check, show or explain what names a VM shares with the host, and what names it is refused
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    Check(CheckArgs),
    Show(show::Args),
    Explain(explain::Args),
    Diff(diff::Args),
}

const CHECK_AFTER: &str = "Example:
  pinion policy check web.toml

Exit code 0: it is sound. 2: it is not; each line says FILE:LINE:COLUMN and what is wrong. 125: it cannot be
read. No VM is needed.";

/// Say what is wrong with a policy
#[derive(clap::Args, Debug)]
#[command(after_help = CHECK_AFTER)]
struct CheckArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,

    /// The file
    file: String,
}

/// Does what is asked.
pub fn run(args: &Args) -> Outcome {
    match &args.what {
        What::Check(args) => check(args),
        What::Show(args) => show::run(args),
        What::Explain(args) => explain::run(args),
        What::Diff(args) => diff::run(args),
    }
}

#[derive(Serialize)]
struct Checked<'f> {
    sound: bool,
    rules: usize,
    faults: Vec<faults::Told<'f>>,
}

fn check(args: &CheckArgs) -> Outcome {
    let text = policies::read(&args.file)?;
    let (rules, faults) = match Policy::parse(&text) {
        Ok(policy) => (policy.rules.len(), Vec::new()),
        Err(faults) => (0, faults),
    };
    if args.json {
        output::json(&Checked {
            sound: faults.is_empty(),
            rules,
            faults: faults::told(&faults),
        })?;
        return Ok(faults::code(&faults));
    }
    faults::tell(&args.file, &faults, || {
        let plural = if rules == 1 { "" } else { "s" };
        output::line(format!("{}: {rules} rule{plural}, sound", args.file))
    })
}
