//! `pinion supervise`: how `pinion.exe` becomes the supervisor of a VM. Started
//! by the other verbs, not by people.

use crate::failure::Outcome;
use pinion_store::VmName;

/// Keep a VM (started by Pinion itself)
#[derive(clap::Args, Debug)]
#[command(hide = true)]
pub struct Args {
    /// Name of the VM
    name: VmName,
}

/// Keeps the VM until its end.
pub fn run(args: &Args) -> Outcome {
    Ok(pinion_supervisor::run(&args.name))
}
