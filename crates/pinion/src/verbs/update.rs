//! `pinion update`: other limits for a VM, running or not; another network or policy from its next start
//! on.

use crate::failure::{Failure, Outcome, USAGE};
use crate::{output, policies, values, vms};
use pinion_store::{Limits, Network};
use pinion_supervisor::control::{EnforcedBy, LimitStatus, LimitsStatus};
use serde::Serialize;

const AFTER: &str = "Examples:
  pinion update --memory 1g --cpus 2 web
  pinion update --processes none web
  pinion update --network loopback web
  pinion update --policy web.toml web

'none' lifts a limit; a limit that is not named stays. The answer says who enforces each: the job object
(the kernel), the supervisor (it looks a few times a second), or nobody. A network and a policy count
from the next start on; '--policy none' takes the rules away.";

/// Change the limits, the network or the policy of a VM
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

    /// What its programs reach by sockets from the next start on: none, loopback, outbound or host
    #[arg(long, value_name = "MODE", value_parser = values::network)]
    network: Option<Network>,

    /// What names are the host's, and what are refused, from the next start on: a file of rules; or none
    #[arg(long, value_name = "FILE")]
    policy: Option<String>,

    /// Print JSON
    #[arg(long)]
    json: bool,

    /// Name or id of the VM
    name: String,
}

/// Sets the limits where the VM runs, then in its record.
pub fn run(args: &Args) -> Outcome {
    let limits = args.memory.is_some() || args.cpus.is_some() || args.processes.is_some();
    if !limits && args.network.is_none() && args.policy.is_none() {
        let text = "nothing to change; give --memory, --cpus, --processes, --network or --policy";
        return Err(Failure::new(USAGE, text));
    }
    let mut vm = vms::find(&args.name)?;
    let network = args.network.unwrap_or(vm.record().network);
    values::no_ports(network, &vm.record().ports).map_err(|why| Failure::new(USAGE, why))?;
    let policy = args.policy.as_deref().map(policies::given).transpose()?;
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
    vm.update(|record| {
        record.limits = new;
        record.network = network;
        if let Some(policy) = policy {
            record.policy = policy;
        }
    })?;
    let status = enforced.unwrap_or_else(|| not_enforced(&new));
    if args.json {
        return output::json(&Told {
            limits: status,
            network: network.name(),
            policy: vm.record().policy.is_some(),
        });
    }
    let running = enforced.is_some();
    let next = |changed| {
        if changed {
            ", from the next start on"
        } else {
            ""
        }
    };
    output::text(&format!(
        "memory     {}\ncpus       {}\nprocesses  {}\nnetwork    {}{}\npolicy     {}{}\n",
        shown(status.memory, running, values::show_size),
        shown(status.cpus_milli, running, values::show_cpus),
        shown(status.processes, running, |n| n.to_string()),
        network.name(),
        next(args.network.is_some()),
        if vm.record().policy.is_some() {
            "rules"
        } else {
            "none"
        },
        next(args.policy.is_some()),
    ))
}

/// What JSON tells.
#[derive(Serialize)]
struct Told {
    #[serde(flatten)]
    limits: LimitsStatus,
    network: &'static str,
    /// Whether it has a policy.
    policy: bool,
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
