//! `pinion wait`: until VMs have ended.

use super::for_each;
use crate::failure::{Failure, Outcome};
use crate::{output, vms};
use pinion_store::Vm;
use serde_json::json;

const AFTER: &str = "Example:
  pinion wait web

Prints the exit code of each VM's main program, as a number that may be negative; of a VM that has ended
before, the last one. The exit code of 'pinion wait' itself is 0.";

/// Wait until VMs have ended
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Print JSON, one line for each VM
    #[arg(long)]
    json: bool,

    /// Names or ids of VMs
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
}

/// Waits for each in turn and prints its exit code.
pub fn run(args: &Args) -> Outcome {
    for_each(&args.names, |name| {
        let vm = vms::find(name)?;
        let (code, why) = ended(&vm)?;
        if args.json {
            output::line(json!({"name": vm.name(), "exit_code": code, "why": why}))
        } else {
            output::line(code)
        }
    })
}

fn ended(vm: &Vm) -> Result<(i32, String), Failure> {
    if let Some(client) = vms::connect(vm)? {
        let unknown = || {
            let name = vm.name();
            Failure::pinion(format!(
                "the VM '{name}' was removed at its end before its exit code could be read"
            ))
        };
        return vms::wait_for_end(vm, client)?.ok_or_else(unknown);
    }
    match vm.last_exit()? {
        Some(exit) => Ok((exit.code, exit.why)),
        None => Err(pinion_supervisor::Error::NotRunning {
            name: vm.name().to_string(),
        }
        .into()),
    }
}
