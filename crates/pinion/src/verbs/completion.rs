//! `pinion completion`: what a shell needs to complete our command lines.

use super::Cli;
use crate::failure::Outcome;
use crate::output;
use clap::CommandFactory;
use clap_complete::{Shell, generate};

const AFTER: &str = "Examples:
  pinion completion powershell >> $PROFILE
  pinion completion bash > ~/.local/share/bash-completion/completions/pinion";

/// Print a completion script for a shell
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// The shell
    shell: Shell,
}

/// Prints the script.
pub fn run(args: &Args) -> Outcome {
    let mut script = Vec::new();
    generate(args.shell, &mut Cli::command(), "pinion", &mut script);
    output::bytes(&script)
}
