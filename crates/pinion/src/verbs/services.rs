//! `pinion services`: the services of a VM, seen and worked from outside.

use crate::failure::{Failure, Outcome, USAGE};
use crate::table::table;
use crate::{output, progress, values, vms};
use clap::ValueEnum;
use pinion_supervisor::client::Client;
use pinion_supervisor::control::{Request, ServiceInfo};
use std::time::Duration;

const AFTER: &str = "Examples:
  pinion services web                        those that run or ran in the VM's present run
  pinion services --all --json web           all that the VM has
  pinion services web start MyServer -x      what follows the name is the service's own
  pinion services -t 60 web stop MyServer

A service that runs already is left as it is by 'start', one that does not by 'stop'. They are the VM's
own: the host's services are not touched.";

/// What to do.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    /// List them
    List,
    /// Start one, and wait until it runs
    Start,
    /// Stop them, and wait until they have
    Stop,
}

/// List, start and stop the services of a running VM
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,

    /// List services that have not run, too
    #[arg(short, long)]
    all: bool,

    /// Time to wait for a start or a stop
    #[arg(short, long, value_name = "SECONDS", default_value = "30", value_parser = values::seconds)]
    time: Duration,

    /// Name or id of a running VM
    #[arg(value_name = "VM")]
    vm: String,

    /// What to do
    #[arg(value_enum, value_name = "ACTION", default_value = "list")]
    act: Act,

    /// The service, and the arguments of its start; or services to stop
    #[arg(
        value_name = "SERVICE",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    names: Vec<String>,
}

/// Does what is asked and prints the services concerned.
pub fn run(args: &Args) -> Outcome {
    let timeout_ms = u64::try_from(args.time.as_millis()).unwrap_or(u64::MAX);
    let named = match args.act {
        Act::List if !args.names.is_empty() => Err("'list' takes no service; leave it out"),
        Act::Start | Act::Stop if args.names.is_empty() => Err("name the service"),
        _ => Ok(()),
    };
    named.map_err(|why| Failure::new(USAGE, why))?;
    let (vm, mut client) = vms::running(&args.vm)?;
    let told = match (args.act, args.names.split_first()) {
        (Act::Start, Some((name, arguments))) => {
            let _progress = progress::doing(&format!("starting {name} in {}", vm.name()));
            let request = Request::StartService {
                name: name.clone(),
                arguments: arguments.to_vec(),
                timeout_ms,
            };
            client.of_services(&request)?
        }
        (Act::Stop, Some(_)) => stop(&mut client, args, timeout_ms)?,
        _ if args.all => client.of_services(&Request::AllServices)?,
        _ => client.services()?,
    };
    show(args.json, &told)
}

fn stop(client: &mut Client, args: &Args, timeout_ms: u64) -> Result<Vec<ServiceInfo>, Failure> {
    let mut told = Vec::new();
    for name in &args.names {
        let _progress = progress::doing(&format!("stopping {name}"));
        let request = Request::StopService {
            name: name.clone(),
            timeout_ms,
        };
        told.extend(client.of_services(&request)?);
    }
    Ok(told)
}

fn show(json: bool, services: &[ServiceInfo]) -> Outcome {
    if json {
        return output::json(&services);
    }
    let rows: Vec<_> = services
        .iter()
        .map(|service| {
            [
                service.name.clone(),
                service.state.clone(),
                service.pid.map(|pid| pid.to_string()).unwrap_or_default(),
                service.exit_code.to_string(),
            ]
        })
        .collect();
    output::text(&table(["SERVICE", "STATE", "PID", "EXIT CODE"], &rows))
}
