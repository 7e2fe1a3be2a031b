//! `pinion rm`: a VM and all that it changed are gone.

use super::for_each;
use crate::failure::Outcome;
use crate::{output, progress, vms};
use pinion_store::{Error, Store, VmName};

const AFTER: &str = "Examples:
  pinion rm web
  pinion rm -f web db        those that run are killed first

Files and keys that the VM changed are removed with it; the host's own are as they were. A VM whose record
is damaged can be removed by its name.";

/// Remove VMs with all that they changed
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Kill VMs that run
    #[arg(short, long)]
    force: bool,

    /// Names or ids of VMs
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
}

/// Removes each and prints its name.
pub fn run(args: &Args) -> Outcome {
    let store = vms::store()?;
    store.sweep();
    for_each(&args.names, |given| {
        let name = name(&store, given, args.force)?;
        if args.force {
            vms::remove_ended(&store, &name)?;
        } else {
            let _progress = progress::removing(&name, &store);
            store.remove(&name)?;
        }
        output::line(name)
    })
}

/// The name of the VM that is meant; with `force` it is killed.
fn name(store: &Store, given: &str, force: bool) -> Result<VmName, crate::failure::Failure> {
    match store.find(given) {
        Ok(vm) => {
            if force && let Some(mut client) = vms::connect(&vm)? {
                client.kill()?;
            }
            Ok(vm.name().clone())
        }
        Err(Error::Damaged { .. }) => Ok(given.parse()?),
        Err(error) => Err(error.into()),
    }
}
