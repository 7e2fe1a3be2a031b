//! `pinion metrics`: the figures of VMs for Prometheus.

use crate::failure::Outcome;
use crate::figures::prometheus;
use crate::{output, sample};

const AFTER: &str = "Examples:
  pinion metrics
  pinion metrics web > C:\\exporter\\pinion.prom     for the textfile collector

Counts are of the VM's present run. The form is Prometheus' text format, which OpenTelemetry's collector reads,
too.";

/// Print the figures of VMs as Prometheus reads them
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Names or ids of VMs; all when none is given
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

/// Prints them.
pub fn run(args: &Args) -> Outcome {
    let vms = sample::chosen(&args.names)?;
    let all: Vec<_> = vms.iter().map(|vm| sample::figures(vm).0).collect();
    output::text(&prometheus(&all))
}
