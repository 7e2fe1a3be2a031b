//! `pinion version`.

use crate::failure::Outcome;
use crate::output;
use serde_json::json;

/// Print the version
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints one line.
pub fn run(args: &Args) -> Outcome {
    let version = env!("CARGO_PKG_VERSION");
    if args.json {
        return output::json(&json!({"version": version, "record_format": pinion_store::FORMAT}));
    }
    output::line(format!("pinion {version}"))
}
