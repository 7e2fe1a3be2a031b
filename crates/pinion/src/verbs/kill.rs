//! `pinion kill`: a VM ends at once.

use super::for_each;
use crate::failure::Outcome;
use crate::{output, vms};

const AFTER: &str = "Example:
  pinion kill web

The VM stays, with what it changed; 'pinion start' starts it again.";

/// End all processes of VMs at once
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Names or ids of running VMs
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
}

/// Kills each and prints its name.
pub fn run(args: &Args) -> Outcome {
    for_each(&args.names, |name| {
        let (vm, mut client) = vms::running(name)?;
        client.kill()?;
        vms::wait_until_gone(&vm);
        output::line(vm.name())
    })
}
