//! `pinion stop`: a VM ends in good order, or after a while without.

use super::for_each;
use crate::failure::Outcome;
use crate::{output, progress, values, vms};
use std::time::Duration;

const AFTER: &str = "Examples:
  pinion stop web
  pinion stop -t 60 web db

Services and programs are asked to end; what is left after the time is killed. A VM that does not run
is left as it is.";

/// Stop VMs
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Time to end in, before the rest is killed
    #[arg(short, long, value_name = "SECONDS", default_value = "10", value_parser = values::seconds)]
    time: Duration,

    /// Names or ids of VMs
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
}

/// Stops each and prints its name.
pub fn run(args: &Args) -> Outcome {
    for_each(&args.names, |name| {
        let vm = vms::find(name)?;
        if let Some(mut client) = vms::connect(&vm)? {
            let _progress = progress::doing(&format!("stopping {}", vm.name()));
            client.stop(args.time)?;
            vms::wait_until_gone(&vm);
        }
        output::line(vm.name())
    })
}
