//! `pinion profile`: what known servers need.

use super::faults;
use crate::failure::Outcome;
use crate::table::table;
use crate::{output, profiles};
use clap::Subcommand;
use pinion_profile::{Profile, known};
use serde::Serialize;

const AFTER: &str = "Examples:
  pinion profile list                      those that come with Pinion
  pinion profile show nginx                one as it is written, to begin one's own with
  pinion profile check my.toml             what is wrong with it, by line and column
  pinion run -d --profile nginx --name web

A profile is a small file in TOML: a program, its folder, services to start, ports to publish, rules of a
policy, and how it is seen to be well. docs/CLI.md has all that can be in it.";

/// List, show or check profiles of known servers
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    List(ListArgs),
    Show(ShowArgs),
    Check(CheckArgs),
}

/// List the profiles that come with Pinion
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  pinion profile list --json")]
struct ListArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Show a profile as it is written
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  pinion profile show nginx > my.toml")]
struct ShowArgs {
    /// Its name, or a file
    #[arg(value_name = "NAME|FILE")]
    profile: String,
}

const CHECK_AFTER: &str = "Example:
  pinion profile check my.toml

Exit code 0: it is sound. 2: it is not, or cannot be read; each line says FILE:LINE:COLUMN and what is
wrong. No VM is needed.";

/// Say what is wrong with a profile
#[derive(clap::Args, Debug)]
#[command(after_help = CHECK_AFTER)]
struct CheckArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,

    /// Its name, or a file
    #[arg(value_name = "NAME|FILE")]
    profile: String,
}

/// Does what is asked.
pub fn run(args: &Args) -> Outcome {
    match &args.what {
        What::List(args) => list(args),
        What::Show(args) => output::text(&profiles::text(&args.profile)?),
        What::Check(args) => check(args),
    }
}

#[derive(Serialize)]
struct Listed {
    name: &'static str,
    description: String,
    ran_on: String,
}

fn list(args: &ListArgs) -> Outcome {
    let listed = |known: &pinion_profile::Known| {
        let profile = Profile::parse(known.text).ok()?;
        Some(Listed {
            name: known.name,
            description: profile.description,
            ran_on: profile.ran_on,
        })
    };
    let all: Vec<Listed> = known().iter().filter_map(listed).collect();
    if args.json {
        return output::json(&all);
    }
    let rows: Vec<_> = all
        .into_iter()
        .map(|one| [one.name.to_string(), one.description, one.ran_on])
        .collect();
    output::text(&table(["PROFILE", "WHAT IT IS", "RAN ON"], &rows))
}

#[derive(Serialize)]
struct Checked<'f> {
    sound: bool,
    faults: Vec<faults::Told<'f>>,
}

fn check(args: &CheckArgs) -> Outcome {
    let faults = Profile::parse(&profiles::text(&args.profile)?)
        .err()
        .unwrap_or_default();
    if args.json {
        output::json(&Checked {
            sound: faults.is_empty(),
            faults: faults::told(&faults),
        })?;
        return Ok(faults::code(&faults));
    }
    faults::tell(&args.profile, &faults, || {
        output::line(format!("{}: sound", args.profile))
    })
}
