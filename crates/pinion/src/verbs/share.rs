//! `pinion share`: folders that are deliberately the host's own.

use crate::failure::{Failure, Outcome, USAGE};
use crate::table::table;
use crate::{output, shares, values, vms};
use pinion_store::Share;
use pinion_store::share::folder;

const AFTER: &str = "Examples:
  pinion share web D:\\data:C:\\data          what programs do in C:\\data is done in the host's D:\\data
  pinion share web D:\\media:C:\\media:ro     for reading only
  pinion share web                          list what is shared
  pinion share --rm web C:\\data             no longer

A share begins and ends with the VM's next start. In it nothing is layered: no diff, commit, export,
snapshot or clone has what is in the folder. The host's own path of it leads to it in the VM, too.";

/// Share folders of the host with a VM, or list them
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Take away the shares of these folders of the VM
    #[arg(long, requires = "what")]
    rm: bool,

    /// Print JSON
    #[arg(long)]
    json: bool,

    /// Name or id of the VM
    #[arg(value_name = "VM")]
    name: String,

    /// The host's folder, where the VM sees it, and 'ro' for reading only
    #[arg(value_name = "HOSTDIR:VMDIR[:ro]")]
    what: Vec<String>,
}

/// Adds or removes all that are named, or none; then, or alone, lists.
pub fn run(args: &Args) -> Outcome {
    let wrong =
        |text: &str, why: String| Failure::new(USAGE, format!("'{text}' cannot be shared: {why}"));
    let store = vms::store()?;
    let mut vm = store.find(&args.name)?;
    if args.rm {
        let folders = args
            .what
            .iter()
            .map(|text| folder(text).map_err(|why| wrong(text, why)));
        let folders = folders.collect::<Result<Vec<_>, _>>()?;
        vm.remove_shares(&folders)?;
    } else if !args.what.is_empty() {
        let given = args
            .what
            .iter()
            .map(|text| values::share(text).map_err(|why| wrong(text, why)));
        let given = given.collect::<Result<Vec<_>, _>>()?;
        vm.add_shares(&shares::resolve(&store, &given)?)?;
    }
    let changed = !args.what.is_empty();
    if changed && vm.is_running()? {
        eprintln!(
            "pinion: the VM '{}' runs; what it shares changes with its next start",
            vm.name()
        );
    }
    let all = &vm.record().shares;
    if args.json {
        return output::json(all);
    }
    if changed {
        return Ok(0);
    }
    list(all)
}

fn list(all: &[Share]) -> Outcome {
    let row = |share: &Share| {
        let access = if share.read_only { "ro" } else { "rw" };
        [share.host.clone(), share.vm.clone(), access.into()]
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    output::text(&table(["HOST", "VM", "ACCESS"], &rows))
}
