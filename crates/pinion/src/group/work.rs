//! What takes long: making, starting, asking inside, ending and removing a replica. Each runs in a thread
//! that may wait.

use super::evidence::{self, Case};
use super::place::Place;
use super::plan::Plan;
use crate::failure::Failure;
use crate::foreground::{self, Foreground};
use crate::{environment, program, vms};
use pinion_group::Config;
use pinion_store::{Source, View, Vm, VmName};
use pinion_supervisor::client::{self, Client};
use pinion_supervisor::control::{Kind, Program, Request};
use std::time::Duration;

/// How long a replica's VM may take to come up.
const UP: Duration = Duration::from_secs(60);

/// How long a service of the profile may take to start.
const SERVICE_MS: u64 = 30_000;

/// What all replicas have in common.
#[derive(Debug)]
pub struct Common {
    pub place: Place,
    pub plan: Plan,
    pub config: Config,
    pub source: Option<Source>,
}

/// The name of a replica's VM.
pub fn vm_name(group: &VmName, replica: u32) -> Result<VmName, Failure> {
    VmName::check(&format!("{group}.{replica}")).map_err(|why| Failure::pinion(why.to_string()))
}

/// Clones a replica.
pub fn make(common: &Common, replica: u32) -> Result<Vm, Failure> {
    let name = vm_name(&common.place.name, replica)?;
    common.place.note(&name)?;
    let new = common
        .plan
        .vm(name.clone(), &common.config, common.source.clone());
    Ok(common
        .place
        .store
        .create(new)
        .inspect_err(|_| common.place.forget(&name))?)
}

/// Starts a replica's program, in a VM that ends with this process. The connection waits for the end.
pub fn start(common: &Common, vm: &Vm) -> Result<Client, Failure> {
    let exe = std::env::current_exe()
        .map_err(|error| Failure::pinion(format!("cannot find pinion.exe's own path: {error}")))?;
    let mut client = client::start_supervisor(&exe, vm, Kind::Owned, UP)?;
    for name in &common.config.services {
        client.of_services(&Request::StartService {
            name: name.clone(),
            arguments: Vec::new(),
            timeout_ms: SERVICE_MS,
        })?;
    }
    let program = Program {
        command: common.plan.command.clone(),
        env: environment::as_text(&common.plan.env),
        cwd: Some(common.plan.cwd.clone()),
    };
    client.start(program, true)?;
    Ok(client)
}

/// Runs the checking program inside; it must end with 0 in time.
pub fn check_inside(common: &Common, vm: &Vm, time: Duration) -> Result<(), String> {
    let command = &common.plan.check;
    let Some(first) = command.first() else {
        return Ok(());
    };
    let text = |failure: Failure| failure.to_string();
    let system = |error: std::io::Error| error.to_string();
    let mut client = Client::connect(vm).map_err(|error| error.to_string())?;
    let view = View::of_vm(vm);
    let found = program::find(&view, first).map_err(text)?;
    let cwd = program::folder(&view, Some(&common.plan.cwd)).map_err(text)?;
    let what = Foreground {
        program: &found.path,
        command,
        env: &common.plan.env,
        cwd: &cwd.path,
        inside: !(found.is_host && cwd.is_host),
        main: false,
    };
    let running = foreground::begin(&mut client, vm, &what).map_err(text)?;
    match running.wait_for(time).map_err(system)? {
        Some(0) => Ok(()),
        Some(code) => Err(format!("the check inside ended with {code}")),
        None => {
            running.end();
            Err("the check inside did not end in time".into())
        }
    }
}

/// Ends a replica, keeps what tells of its fault, and removes its VM.
pub fn discard(common: &Common, vm: &Vm, case: Option<&Case>) -> Result<(), Failure> {
    let mut failed = None;
    // Not running, or ending by itself at this moment: as good as killed.
    if let Ok(mut client) = Client::connect(vm) {
        failed = client.kill().err();
    }
    vms::wait_until_gone(vm);
    if let Some(case) = case {
        evidence::keep(common, vm, case);
    }
    vms::remove_ended(&common.place.store, vm.name())?;
    common.place.forget(vm.name());
    failed.map_or(Ok(()), |error| match error {
        // Gone while it was asked.
        pinion_supervisor::Error::SupervisorGone { .. } => Ok(()),
        error => Err(error.into()),
    })
}
