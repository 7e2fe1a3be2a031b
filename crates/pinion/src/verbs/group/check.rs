//! `pinion group check`: what is wrong with a group's file.

use crate::failure::{Failure, Outcome, USAGE};
use crate::group::plan;
use crate::output;
use pinion_group::{Config, Fault};
use serde::Serialize;

const AFTER: &str = "Example:
  pinion group check web.toml

Exit code 0: it is sound. 2: it is not; each line says FILE:LINE:COLUMN and what is wrong. 125: it cannot be
read. Whether the program and what it is made from are there is looked at by 'up'.";

/// Say what is wrong with a group's file
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,

    /// The file
    file: String,
}

#[derive(Serialize)]
struct Told {
    sound: bool,
    replicas: u32,
    faults: Vec<FaultTold>,
}

#[derive(Serialize)]
struct FaultTold {
    line: usize,
    column: usize,
    why: String,
}

/// Tells all faults.
pub fn run(args: &Args) -> Outcome {
    let text = plan::read(&args.file)?;
    let (replicas, faults) = match Config::parse(&text) {
        Ok(config) => (config.replicas, Vec::new()),
        Err(faults) => (0, faults),
    };
    let code = if faults.is_empty() { 0 } else { USAGE };
    if args.json {
        let told = |fault: &Fault| FaultTold {
            line: fault.line,
            column: fault.column,
            why: fault.why.clone(),
        };
        output::json(&Told {
            sound: faults.is_empty(),
            replicas,
            faults: faults.iter().map(told).collect(),
        })?;
        return Ok(code);
    }
    let Some((last, others)) = faults.split_last() else {
        let (name, _) = plan::checked(&args.file, &text)?;
        return output::line(format!(
            "{}: the group '{name}' of {replicas}, sound",
            args.file
        ));
    };
    for fault in others {
        eprintln!("pinion: {}:{fault}", args.file);
    }
    Err(Failure::new(code, format!("{}:{last}", args.file)))
}
