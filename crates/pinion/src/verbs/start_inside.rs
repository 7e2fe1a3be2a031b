//! `pinion start-inside`: how `pinion.exe` starts a program that its VM alone has.
//! Started by Pinion itself, as a member of the VM.

use crate::failure::Outcome;

/// Start a program inside (started by Pinion itself, in a VM)
#[derive(clap::Args, Debug)]
#[command(hide = true)]
pub struct Args {
    /// Console, program, folder, and the program's command line, which is taken as it is
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    all: Vec<String>,
}

/// Creates the program suspended; its process id is the exit code.
pub fn run(args: &Args) -> Outcome {
    Ok(pinion_supervisor::inside::start_here(&args.all).cast_signed())
}
