//! `pinion reset`: a VM without its changes.

use super::for_each;
use crate::failure::Outcome;
use crate::{output, progress, vms};

const AFTER: &str = "Example:
  pinion reset web

The VM is again as it was made: what it changed since is removed for good, files and keys, but for what its
snapshots and clones have. Name, address, limits, program and logs stay. The VM must not be running.";

/// Take back all that VMs changed since they were made
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Names or ids of VMs
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
}

/// Resets each and prints its name.
pub fn run(args: &Args) -> Outcome {
    let store = vms::store()?;
    store.sweep();
    for_each(&args.names, |given| {
        let vm = store.find(given)?;
        let _progress = progress::removing(vm.name(), &store);
        store.reset(vm.name())?;
        output::line(vm.name())
    })
}
