//! `pinion ps`: the processes of VMs.

use crate::failure::{Failure, Outcome};
use crate::table::table;
use crate::{output, values, vms};
use pinion_store::{Entry, Vm};
use pinion_supervisor::client::Client;
use pinion_supervisor::control::ProcessInfo;
use serde_json::{Value, json};

const AFTER: &str = "Examples:
  pinion ps            the processes of all running VMs
  pinion ps web --json

'*' marks the main program, whose end is the VM's end.";

/// List the processes of VMs
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,

    /// Names or ids of running VMs; all when none is given
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

/// Lists them by VM.
pub fn run(args: &Args) -> Outcome {
    let mut all: Vec<(Vm, ProcessInfo)> = Vec::new();
    for (vm, mut client) in chosen(&args.names)? {
        let processes = client.processes()?;
        all.extend(processes.into_iter().map(|process| (vm.clone(), process)));
    }
    if args.json {
        let list: Result<Vec<Value>, _> = all.iter().map(as_json).collect();
        let list = list.map_err(|error| Failure::pinion(format!("cannot write JSON: {error}")))?;
        return output::json(&list);
    }
    let rows: Vec<_> = all
        .iter()
        .map(|(vm, process)| {
            [
                vm.name().to_string(),
                format!("{}{}", process.pid, if process.main { "*" } else { "" }),
                process.service.clone().unwrap_or_default(),
                format!(
                    "{:.2} s",
                    std::time::Duration::from_millis(process.cpu_ms).as_secs_f64()
                ),
                values::show_size(process.memory),
                process.image.clone(),
            ]
        })
        .collect();
    output::text(&table(
        ["VM", "PID", "SERVICE", "CPU", "MEMORY", "PROGRAM"],
        &rows,
    ))
}

fn chosen(names: &[String]) -> Result<Vec<(Vm, Client)>, Failure> {
    if !names.is_empty() {
        return names.iter().map(|name| vms::running(name)).collect();
    }
    let mut all = Vec::new();
    for entry in vms::store()?.list()? {
        if let Entry::Vm(vm) = entry
            && let Some(client) = vms::connect(&vm)?
        {
            all.push((vm, client));
        }
    }
    Ok(all)
}

fn as_json((vm, process): &(Vm, ProcessInfo)) -> serde_json::Result<Value> {
    let mut value = serde_json::to_value(process)?;
    value["vm"] = json!(vm.name());
    Ok(value)
}
