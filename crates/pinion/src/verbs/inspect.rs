//! `pinion inspect`: all that is known of one VM, as JSON.

use super::trace::show::json as as_json;
use super::{ls, update};
use crate::failure::{Failure, Outcome};
use crate::{output, vms};
use pinion_store::{
    Desktop, ExitRecord, LayerId, PortMapping, Share, SnapshotId, Vm, VmId, VmName,
};
use pinion_supervisor::client::Client;
use pinion_supervisor::control::{LimitsStatus, ServiceInfo, Stats, Status, pipe_prefix};
use pinion_supervisor::events;
use pinion_trace::{Filter, Verdict};
use serde::Serialize;
use serde_json::Value;
use std::net::Ipv4Addr;
use std::path::PathBuf;

const AFTER: &str = "Example:
  pinion inspect web
  pinion inspect --events web     with what it has recorded last

What only a running VM has is null or empty else. Paths of kernel objects and keys are NT paths.";

/// Tell all about a VM, as JSON
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    /// For likeness with other verbs; the answer is JSON always
    #[arg(long, hide = true)]
    json: bool,

    /// Tell the last events that it has recorded, too, and the last refusals
    #[arg(long)]
    events: bool,

    /// Name or id of the VM
    name: String,
}

#[derive(Serialize)]
struct Told {
    id: VmId,
    name: VmName,
    state: &'static str,
    exit: Option<ExitRecord>,
    created_ms: u64,
    started_ms: Option<u64>,
    command: Vec<String>,
    env: Vec<(String, String)>,
    cwd: Option<String>,
    address: Ipv4Addr,
    ports: Vec<PortMapping>,
    shares: Vec<Share>,
    network: &'static str,
    desktop: Option<Desktop>,
    policy: Option<String>,
    limits: LimitsStatus,
    remove_at_end: bool,
    trace: bool,
    recording: bool,
    supervisor_pid: Option<u32>,
    main_pid: Option<u32>,
    pids: Vec<u32>,
    services: Vec<ServiceInfo>,
    object_directory: Option<String>,
    pipe_prefix: String,
    upper_files: PathBuf,
    layers: Vec<LayerId>,
    base: Option<SnapshotId>,
    registry_upper: Option<String>,
    names_private: Option<u64>,
    files_changed: Option<u64>,
    keys_changed: Option<u64>,
    stats: Option<Stats>,
    supervisor_log: PathBuf,
    output_log: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<Events>,
}

/// What was recorded last, the newest behind.
#[derive(Serialize)]
struct Events {
    last: Vec<Value>,
    refused: Vec<Value>,
}

/// How many events are told of each kind.
const EVENTS: usize = 100;

fn events(vm: &Vm) -> Result<Events, Failure> {
    let of = |verdicts: Vec<Verdict>| -> Result<Vec<Value>, Failure> {
        let filter = Filter {
            verdicts,
            ..Filter::default()
        };
        let last = events::since(vm, &filter, EVENTS).map_err(|error| {
            Failure::pinion(format!(
                "cannot read the events of '{}': {error}",
                vm.name()
            ))
        })?;
        Ok(last.iter().map(|event| as_json(event, "")).collect())
    };
    Ok(Events {
        last: of(Vec::new())?,
        refused: of(vec![Verdict::Refused, Verdict::Absent])?,
    })
}

/// Prints one object.
pub fn run(args: &Args) -> Outcome {
    let vm = vms::find(&args.name)?;
    let mut told = on_disk(&vm)?;
    if let Some((client, status)) = vms::status(&vm) {
        add_live(&mut told, client, status)?;
    }
    if args.events {
        told.events = Some(events(&vm)?);
    }
    output::json(&told)
}

fn on_disk(vm: &Vm) -> Result<Told, Failure> {
    let record = vm.record().clone();
    Ok(Told {
        state: ls::ended(vm).0,
        exit: vm.last_exit()?,
        id: record.id,
        name: record.name,
        created_ms: record.created_ms,
        started_ms: None,
        command: record.command,
        env: record.env,
        cwd: record.cwd,
        address: record.address,
        ports: record.ports,
        shares: record.shares,
        network: record.network.name(),
        desktop: record.desktop.map(|desktop| Desktop {
            title_mark: Some(desktop.mark(vm.name().as_str())),
        }),
        policy: record.policy,
        limits: update::not_enforced(&record.limits),
        remove_at_end: record.remove_at_end,
        trace: record.trace,
        recording: false,
        supervisor_pid: None,
        main_pid: None,
        pids: Vec::new(),
        services: Vec::new(),
        object_directory: None,
        pipe_prefix: pipe_prefix(record.id),
        upper_files: vm.upper().files(),
        layers: record.layers,
        base: record.base,
        registry_upper: vm.upper().keys().ok(),
        names_private: None,
        files_changed: None,
        keys_changed: None,
        stats: None,
        supervisor_log: vm.supervisor_log(),
        output_log: vm.output_log(),
        events: None,
    })
}

fn add_live(told: &mut Told, mut client: Client, status: Status) -> Result<(), Failure> {
    let stats = client.stats()?;
    told.state = ls::word(status.state);
    told.exit = None;
    told.started_ms = Some(status.started_ms);
    told.recording = status.recording;
    told.ports = status.ports;
    told.limits = status.limits;
    told.supervisor_pid = Some(status.supervisor_pid);
    told.main_pid = status.main_pid;
    told.pids = client
        .processes()?
        .iter()
        .map(|process| process.pid)
        .collect();
    told.services = client.services()?;
    told.object_directory = Some(status.object_directory);
    told.names_private = Some(stats.names_private);
    told.files_changed = Some(stats.files_changed);
    told.keys_changed = Some(stats.keys_changed);
    told.stats = Some(stats);
    Ok(())
}
