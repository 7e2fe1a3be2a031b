//! VMs as verbs meet them: found by name, brought up, taken down, removed, and
//! a new one that is gone again when its start fails.

use crate::failure::{Failure, Outcome};
use crate::progress;
use pinion_store::{NewVm, Store, Vm, VmName};
use pinion_supervisor::Error;
use pinion_supervisor::client::{self, Client};
use pinion_supervisor::control::{Kind, Status};
use std::time::{Duration, Instant};

/// How long a VM may take to come up.
const UP: Duration = Duration::from_secs(60);
/// How long the supervisor may take to go away after the VM's end.
const GONE: Duration = Duration::from_secs(10);
/// The supervisor's words for an end that is the main program's own.
const PROGRAM_ENDED: &str = "the program ended";

/// The store of this user. A merge that was broken off is finished or taken back first.
pub fn store() -> Result<Store, Failure> {
    let store = Store::open_default()?;
    // What it cannot finish yet is for a later command; this one is about something else.
    if let Err(error) = pinion_store::commit::finish(&store) {
        eprintln!("pinion: {error}");
    }
    Ok(store)
}

/// The VM of this name or id.
pub fn find(name: &str) -> Result<Vm, Failure> {
    Ok(store()?.find(name)?)
}

/// The VM of this name or id and a connection to its supervisor.
pub fn running(name: &str) -> Result<(Vm, Client), Failure> {
    let vm = find(name)?;
    let client = Client::connect(&vm)?;
    Ok((vm, client))
}

/// A connection to the VM's supervisor, or none when it does not run.
pub fn connect(vm: &Vm) -> Result<Option<Client>, Failure> {
    match Client::connect(vm) {
        Ok(client) => Ok(Some(client)),
        Err(Error::NotRunning { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The VM's status, or none when it does not run, or ends at this very moment.
pub fn status(vm: &Vm) -> Option<(Client, Status)> {
    let mut client = Client::connect(vm).ok()?;
    let status = client.status().ok()?;
    Some((client, status))
}

/// Starts the VM's supervisor.
pub fn up(vm: &Vm) -> Result<Client, Failure> {
    up_as(vm, Kind::Run)
}

/// Starts a supervisor for a VM that is to be as it was when it ends: what is done in it is no run.
pub fn up_at_rest(vm: &Vm) -> Result<Client, Failure> {
    up_as(vm, Kind::AtRest)
}

fn up_as(vm: &Vm, kind: Kind) -> Result<Client, Failure> {
    let _progress = progress::doing(&format!("starting {}", vm.name()));
    let exe = std::env::current_exe()
        .map_err(|error| Failure::pinion(format!("cannot find pinion.exe's own path: {error}")))?;
    Ok(client::start_supervisor(&exe, vm, kind, UP)?)
}

/// A VM that this command made, removed again unless it is kept.
pub struct Fresh {
    store: Store,
    /// The VM.
    pub vm: Vm,
    kept: bool,
}

impl Fresh {
    /// Makes the VM in a store that is swept.
    pub fn create(store: Store, new: NewVm) -> Result<Self, Failure> {
        let vm = store.create(new)?;
        Ok(Self {
            store,
            vm,
            kept: false,
        })
    }

    /// Lets the VM stay.
    pub fn keep(&mut self) {
        self.kept = true;
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        if let Ok(mut client) = Client::connect(&self.vm) {
            let _ = client.kill();
        }
        let _ = remove_ended(&self.store, self.vm.name());
    }
}

/// Removes a VM whose supervisor is about to go, or gone. A VM that is no more
/// is as good as removed.
pub fn remove_ended(store: &Store, name: &VmName) -> Result<(), Failure> {
    let _progress = progress::removing(name, store);
    let start = Instant::now();
    loop {
        match store.remove(name) {
            Ok(()) | Err(pinion_store::Error::NoSuchVm { .. }) => return Ok(()),
            Err(pinion_store::Error::Running { .. }) if start.elapsed() < GONE => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Waits for the VM's end; its exit code and why, or none when a VM of `run
/// --rm` is gone already. A supervisor that ends at this very moment may go
/// without an answer: then the record of the end tells.
pub fn wait_for_end(vm: &Vm, mut client: Client) -> Result<Option<(i32, String)>, Failure> {
    let answer = client.wait();
    wait_until_gone(vm);
    match answer {
        Ok(end) => Ok(Some(end)),
        Err(_) if !vm.folder().exists() => Ok(None),
        Err(error) => match vm.last_exit()? {
            Some(exit) => Ok(Some((exit.code, exit.why))),
            None => Err(error.into()),
        },
    }
}

/// After the main program in the foreground ended with `code`: waits for the
/// VM's end, and for its removal if that is asked. The exit code of all of it,
/// which another end than the program's own tells.
pub fn after_main(vm: &Vm, client: Client, code: i32) -> Outcome {
    let end = wait_for_end(vm, client)?;
    if vm.record().remove_at_end {
        remove_ended(&store()?, vm.name())?;
    }
    match end {
        Some((code, why)) if why != PROGRAM_ENDED => {
            eprintln!("pinion: the VM '{}' has ended: {why}", vm.name());
            Ok(code)
        }
        _ => Ok(code),
    }
}

/// Waits until the supervisor has let the VM go, so that the next command finds
/// it ended.
pub fn wait_until_gone(vm: &Vm) {
    let start = Instant::now();
    while vm.folder().exists() && vm.is_running().unwrap_or(false) && start.elapsed() < GONE {
        std::thread::sleep(Duration::from_millis(5));
    }
}
