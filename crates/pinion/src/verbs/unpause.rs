//! `pinion unpause`: resumes all processes of a VM.

use super::for_each;
use crate::failure::Outcome;
use crate::{output, vms};

const AFTER: &str = "Example:
  pinion unpause web";

/// Resume all processes of VMs
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Names or ids of running VMs
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
}

/// Resumes each and prints its name.
pub fn run(args: &Args) -> Outcome {
    for_each(&args.names, |name| {
        let (vm, mut client) = vms::running(name)?;
        client.unpause()?;
        output::line(vm.name())
    })
}
