//! `pinion supervise`: how `pinion.exe` becomes the supervisor of a VM. Started
//! by the other verbs, not by people.

use crate::failure::Outcome;
use pinion_store::VmName;
use pinion_supervisor::control::Kind;

/// Keep a VM (started by Pinion itself)
#[derive(clap::Args, Debug)]
#[command(hide = true)]
pub struct Args {
    /// Name of the VM
    name: VmName,

    /// Not for a run of its own: ports, the record of the last end and the VM itself stay as they are
    #[arg(long)]
    at_rest: bool,

    /// For a run that ends with another process: the value of an inherited handle of that
    #[arg(long, conflicts_with = "at_rest")]
    owner: Option<usize>,
}

/// Keeps the VM until its end.
pub fn run(args: &Args) -> Outcome {
    let kind = match (args.at_rest, args.owner) {
        (true, _) => Kind::AtRest,
        (false, Some(_)) => Kind::Owned,
        (false, None) => Kind::Run,
    };
    Ok(pinion_supervisor::run(&args.name, kind, args.owner))
}
