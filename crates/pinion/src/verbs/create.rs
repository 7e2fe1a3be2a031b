//! `pinion create`: a new VM that does not run yet.

use crate::failure::{Failure, Outcome, USAGE};
use crate::options::NewOptions;
use crate::plan::plan;
use crate::vms::Fresh;
use crate::{output, vms};

const AFTER: &str = "Examples:
  pinion create --name web -p 8080:80 C:\\nginx\\nginx.exe
  pinion start web
  pinion create --name web2 --from web       all that web has, at once and without copying

With --from, the program and its folder are those of the VM or snapshot unless others are given, and its
variables are set. A VM that is named must not be running: what it has now becomes a layer under both.
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
    if args.new.profile.is_some() {
        // Its services and its health are looked after by 'run' only.
        let why = "'create' takes no --profile; give it to 'pinion run'";
        return Err(Failure::new(USAGE, why));
    }
    let store = vms::store()?;
    store.sweep();
    let plan = plan(&store, &args.new, args.rm)?;
    let mut fresh = Fresh::create(store, plan.new)?;
    fresh.keep();
    output::line(fresh.vm.name())
}
