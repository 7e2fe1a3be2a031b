//! `pinion ls`: all VMs.

use crate::failure::Outcome;
use crate::listing::{Form, list};
use crate::vms;
use pinion_store::{Entry, Vm, VmName};
use pinion_supervisor::control::State;
use serde::Serialize;
use std::net::Ipv4Addr;

const AFTER: &str = "Examples:
  pinion ls
  pinion ls -q                 names only
  pinion ls --json

States: created (never ran), running, paused, stopping, exited, damaged (see 'pinion inspect NAME').";

/// List the VMs
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    #[command(flatten)]
    form: Form,
}

#[derive(Serialize)]
struct Row {
    name: VmName,
    id: Option<String>,
    state: &'static str,
    exit_code: Option<i32>,
    address: Option<Ipv4Addr>,
    ports: Vec<String>,
    command: Vec<String>,
    damage: Option<String>,
}

/// Lists them by name, damaged ones too.
pub fn run(args: &Args) -> Outcome {
    let store = vms::store()?;
    store.sweep();
    let head = ["NAME", "STATE", "ADDRESS", "PORTS", "COMMAND"];
    let name = |entry: &Entry| entry.name().clone();
    list(&args.form, store.list()?, name, row, head, cells)
}

fn cells(row: &Row) -> [String; 5] {
    let state = match row.exit_code {
        Some(code) => format!("{} ({code})", row.state),
        None => row.state.into(),
    };
    [
        row.name.to_string(),
        state,
        row.address.map(|a| a.to_string()).unwrap_or_default(),
        row.ports.join(","),
        row.command.join(" "),
    ]
}

fn row(entry: Entry) -> Row {
    match entry {
        Entry::Damaged { name, error } => Row {
            name,
            id: None,
            state: "damaged",
            exit_code: None,
            address: None,
            ports: Vec::new(),
            command: Vec::new(),
            damage: Some(error.to_string()),
        },
        Entry::Vm(vm) => {
            let record = vm.record();
            let (state, exit_code) = state(&vm);
            Row {
                name: record.name.clone(),
                id: Some(record.id.to_string()),
                state,
                exit_code,
                address: Some(record.address),
                ports: record
                    .ports
                    .iter()
                    .map(|p| format!("{}:{}:{}", p.host_address, p.host, p.vm))
                    .collect(),
                command: record.command.clone(),
                damage: None,
            }
        }
    }
}

/// The VM's state in one word and, when it has ended, the exit code.
fn state(vm: &Vm) -> (&'static str, Option<i32>) {
    if let Some((_, status)) = vms::status(vm) {
        return (word(status.state), None);
    }
    ended(vm)
}

/// The state of a VM that does not run.
pub fn ended(vm: &Vm) -> (&'static str, Option<i32>) {
    match vm.last_exit() {
        Ok(Some(exit)) => ("exited", Some(exit.code)),
        _ if vm.is_running().unwrap_or(false) => ("starting", None),
        _ => ("created", None),
    }
}

/// The state of a VM that runs.
pub fn word(state: State) -> &'static str {
    match state {
        State::Running => "running",
        State::Paused => "paused",
        State::Stopping => "stopping",
    }
}
