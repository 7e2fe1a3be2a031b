//! `pinion group check`: what is wrong with a group's file.

use crate::failure::{Failure, Outcome, USAGE};
use crate::group::plan;
use crate::{output, vms};
use pinion_group::Fault;
use serde::Serialize;

const AFTER: &str = "Example:
  pinion group check web.toml

Exit code 0: it is sound. 2: it is not; each line says FILE:LINE:COLUMN and what is wrong. 125: it cannot be
read. A profile that it names is read, too; whether the program is there, and a VM or snapshot that it is made
from, is looked at by 'up'.";

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
    let (config, faults) = match plan::parse(&vms::store()?, &text) {
        Ok((config, _)) => (Some(config), Vec::new()),
        Err(faults) => (None, faults),
    };
    let replicas = config.as_ref().map_or(0, |config| config.replicas);
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
    if let Some(config) = config {
        let name = plan::name(&args.file, &config)?;
        return output::line(format!(
            "{}: the group '{name}' of {replicas}, sound",
            args.file
        ));
    }
    let Some((last, others)) = faults.split_last() else {
        return Ok(code);
    };
    for fault in others {
        eprintln!("pinion: {}:{fault}", args.file);
    }
    Err(Failure::new(code, format!("{}:{last}", args.file)))
}
