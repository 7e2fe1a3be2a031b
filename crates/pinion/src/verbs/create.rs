//! `pinion create`: a new VM that does not run yet.

use crate::failure::Outcome;
use crate::options::NewOptions;
use crate::vms::Fresh;
use crate::{output, program};

const AFTER: &str = "Examples:
  pinion create --name web -p 8080:80 C:\\nginx\\nginx.exe
  pinion start web

Prints the VM's name. The program is found and checked now and started by 'pinion start'.";

/// Make a VM for a program without starting it
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Remove the VM, with all that it changed, when the program ends
    #[arg(long)]
    rm: bool,

    #[command(flatten)]
    pub new: NewOptions,
}

/// Makes the VM, or leaves nothing.
pub fn run(args: &Args) -> Outcome {
    let program = program::find(&args.new.command[0])?;
    let cwd = program::folder(args.new.program.workdir.as_deref())?;
    let command = program::resolved(&program, &args.new.command)?;
    let mut fresh = Fresh::create(args.new.new_vm(command, cwd, args.rm))?;
    fresh.keep();
    output::line(fresh.vm.name())
}
