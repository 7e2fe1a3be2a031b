//! `pinion snapshot`: what a VM has now, kept under a name; and its removal.

use super::for_each;
use crate::failure::{Failure, Outcome};
use crate::{output, progress, vms};
use clap::Subcommand;
use pinion_store::{Error, VmName};

const AFTER: &str = "Examples:
  pinion snapshot web base
  pinion run --from base -- server.exe
  pinion snapshot rm base

Nothing is copied: the VM's changes become a read-only layer under the VM and the snapshot, whatever their
size. The VM must not be running, as its programs hold files of the layer open. A VM stands on at most 15
layers. The names of VMs and snapshots differ, so that --from means one thing; a VM that is named 'rm' is
named by its id here.";

/// Keep what a VM has now, under a name
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    other: Option<Other>,

    /// Name or id of the VM
    #[arg(value_name = "VM", required = true)]
    vm: Option<String>,

    /// Name of the snapshot
    #[arg(value_name = "NAME", required = true, value_parser = name)]
    name: Option<VmName>,
}

#[derive(Subcommand, Debug)]
enum Other {
    /// Remove snapshots, with all layers that nothing else has
    Rm(RmArgs),
}

/// Remove snapshots
#[derive(clap::Args, Debug)]
struct RmArgs {
    /// Remove also those that VMs were made from; the VMs keep what they have
    #[arg(short, long)]
    force: bool,

    /// Names or ids of snapshots
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
}

/// Takes or removes snapshots and prints their names.
pub fn run(args: &Args) -> Outcome {
    let store = vms::store()?;
    store.sweep();
    match args {
        Args {
            other: Some(Other::Rm(args)),
            ..
        } => for_each(&args.names, |given| {
            let name = match store.find_snapshot(given) {
                Ok(snapshot) => snapshot.name().clone(),
                Err(Error::DamagedSnapshot { .. }) => given.parse()?,
                Err(error) => return Err(error.into()),
            };
            let _progress = progress::removing(&name, &store);
            store.remove_snapshot(&name, args.force)?;
            output::line(name)
        }),
        Args {
            vm: Some(vm),
            name: Some(name),
            ..
        } => {
            let vm = store.find(vm)?;
            let snapshot = store.take_snapshot(vm.name(), name.clone())?;
            output::line(snapshot.name())
        }
        // clap asks for both.
        _ => Err(Failure::new(
            crate::failure::USAGE,
            "give a VM and a name for the snapshot",
        )),
    }
}

fn name(text: &str) -> Result<VmName, String> {
    VmName::check(text).map_err(|why| why.to_string())
}
