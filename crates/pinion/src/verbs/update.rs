//! `pinion update`: other limits for a VM, running or not.

use crate::failure::{Failure, Outcome, USAGE};
use crate::{output, values, vms};
use pinion_store::Limits;
use pinion_supervisor::control::{EnforcedBy, LimitStatus, LimitsStatus};

const AFTER: &str = "Examples:
  pinion update --memory 1g --cpus 2 web
  pinion update --processes none web

'none' lifts a limit; a limit that is not named stays. The answer says who enforces each: the job object
(the kernel), the supervisor (it looks a few times a second), or nobody.";

/// Change the limits of a VM
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Most memory of all its processes together, such as 512m; or none
    #[arg(long, value_name = "SIZE", value_parser = values::or_none(values::size))]
    memory: Option<values::Change<u64>>,

    /// Most processors, such as 1.5; or none
    #[arg(long, value_name = "NUMBER", value_parser = values::or_none(values::cpus))]
    cpus: Option<values::Change<u32>>,

    /// Most processes at one time; or none
    #[arg(long, value_name = "NUMBER", value_parser = values::or_none(values::count))]
    processes: Option<values::Change<u32>>,

    /// Print JSON
    #[arg(long)]
    json: bool,

    /// Name or id of the VM
    name: String,
}

/// Sets the limits where the VM runs, then in its record.
pub fn run(args: &Args) -> Outcome {
    if args.memory.is_none() && args.cpus.is_none() && args.processes.is_none() {
        let text = "nothing to change; give --memory, --cpus or --processes";
        return Err(Failure::new(USAGE, text));
    }
    let mut vm = vms::find(&args.name)?;
    let old = vm.record().limits;
    let new = Limits {
        memory: args.memory.map_or(old.memory, |change| change.0),
        cpus_milli: args.cpus.map_or(old.cpus_milli, |change| change.0),
        processes: args.processes.map_or(old.processes, |change| change.0),
    };
    let enforced = match vms::connect(&vm)? {
        Some(mut client) => Some(client.set_limits(new)?),
        None => None,
    };
    vm.update(|record| record.limits = new)?;
    let status = enforced.unwrap_or_else(|| not_enforced(&new));
    if args.json {
        return output::json(&status);
    }
    let running = enforced.is_some();
    output::text(&format!(
        "memory     {}\ncpus       {}\nprocesses  {}\n",
        shown(status.memory, running, values::show_size),
        shown(status.cpus_milli, running, values::show_cpus),
        shown(status.processes, running, |n| n.to_string()),
    ))
}

/// The limits of a VM that does not run.
pub fn not_enforced(limits: &Limits) -> LimitsStatus {
    let status = |value| LimitStatus {
        value,
        enforced_by: EnforcedBy::None,
    };
    LimitsStatus {
        memory: status(limits.memory),
        cpus_milli: status(limits.cpus_milli.map(u64::from)),
        processes: status(limits.processes.map(u64::from)),
    }
}

fn shown(limit: LimitStatus, running: bool, value: impl Fn(u64) -> String) -> String {
    let by = match limit.enforced_by {
        _ if !running => "from the next start on",
        EnforcedBy::Job => "enforced by the job object",
        EnforcedBy::Supervisor => "enforced by the supervisor",
        EnforcedBy::None => "NOT enforced: this system cannot",
    };
    limit
        .value
        .map_or_else(|| "none".into(), |limit| format!("{}, {by}", value(limit)))
}
