//! `pinion import`: a VM from one file.

use crate::failure::Outcome;
use crate::{output, progress, values, vms};
use pinion_store::VmName;
use pinion_store::archive::{self, Import};
use std::path::PathBuf;

const AFTER: &str = "Examples:
  pinion import web.tar.zst
  pinion import web.tar.zst web2
  pinion start web2

All of the file is judged before the VM appears; one that is damaged, or holds what no export holds, is refused
and leaves nothing. A file of unknown origin holds programs of unknown origin: importing it runs nothing.";

/// Make a VM from a file that 'pinion export' wrote
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Name of the VM; none takes the one it had
    #[arg(value_name = "NAME", value_parser = name)]
    name: Option<VmName>,

    /// Most bytes that the file may unpack to, such as 100g; without it 1g, or 200 times its own size if that is
    /// more
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    max_size: Option<u64>,
}

/// Makes the VM and prints its name.
pub fn run(args: &Args) -> Outcome {
    let store = vms::store()?;
    store.sweep();
    let how = Import {
        name: args.name.clone(),
        most: args.max_size,
    };
    let bar = progress::bytes(&format!("importing {}", args.file.display()));
    let vm = archive::import(&store, &args.file, &how, &mut |done, all| bar.at(done, all))?;
    drop(bar);
    output::line(vm.name())
}

fn name(text: &str) -> Result<VmName, String> {
    VmName::check(text).map_err(|why| why.to_string())
}
