//! `pinion export`: a VM in one file.

use crate::failure::Outcome;
use crate::{output, progress, vms};
use pinion_store::archive;
use std::path::PathBuf;

const AFTER: &str = "Examples:
  pinion export web -o web.tar.zst
  pinion import web.tar.zst web2

The file holds all that the VM changed, with the layers of its snapshots, and what it is made to run; nothing of
the host. It is checksummed, and readable with tar and zstd (docs/ARCHIVE.md). The VM must not be running. A
file that is there already is replaced when the new one is whole.";

/// Write a VM that does not run into one file
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,

    /// Name or id of the VM
    #[arg(value_name = "VM")]
    name: String,
}

/// Writes the file and prints its name.
pub fn run(args: &Args) -> Outcome {
    let store = vms::store()?;
    store.sweep();
    let vm = store.find(&args.name)?;
    let bar = progress::bytes(&format!("exporting {}", vm.name()));
    archive::export(&store, &vm, &args.output, &mut |done, all| {
        bar.at(done, all)
    })?;
    drop(bar);
    output::line(args.output.display())
}
