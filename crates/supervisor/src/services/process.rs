//! The processes of services: each has a thread that creates it, tells the machine, and waits for its end.
//!
//! A creation can take as long as a member holds up the helper that makes a program of the layer, so it is
//! done without the controller's lock. An end that is wished for meanwhile is kept until there is a process.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::thread;

use pinion_scm::{ProcessId, Text, Win32Error};

use super::core::Core;
use super::{Shared, environment};
use crate::error::Error;
use crate::keeper::Keeper;
use crate::process::Process;
use crate::start::{Confined, Launch};

/// The exit code of a service process that did not do what a service must.
const NO_SERVICE: u32 = 1;
/// A thread that only waits.
const SMALL: usize = 64 * 1024;
/// A thread that creates a process.
const LARGE: usize = 512 * 1024;

/// Those that are coming or there.
#[derive(Default)]
pub(super) struct ServiceProcesses {
    all: HashMap<ProcessId, Stage>,
}

enum Stage {
    Coming { wanted: bool },
    There(Arc<Process>),
}

impl ServiceProcesses {
    /// The one of this process id.
    pub(super) fn of(&self, pid: u32) -> Option<ProcessId> {
        let mut all = self.all.iter();
        all.find(|(_, stage)| matches!(stage, Stage::There(process) if process.pid() == pid))
            .map(|(&id, _)| id)
    }

    /// Ends a process, at once or when it comes.
    pub(super) fn end(&mut self, id: ProcessId) {
        match self.all.get_mut(&id) {
            Some(Stage::There(process)) => {
                tracing::warn!(pid = process.pid(), "a service process is ended");
                process.terminate(NO_SERVICE);
            }
            Some(Stage::Coming { wanted }) => *wanted = false,
            None => {}
        }
    }

    fn is_wanted(&self, id: ProcessId) -> bool {
        matches!(self.all.get(&id), Some(Stage::Coming { wanted: true }))
    }
}

/// What goes wrong with a start: what `StartService` tells of it, and in words.
type Failed = (Win32Error, String);

impl Core {
    /// Has a thread start the process for the machine.
    pub(super) fn start_process(&mut self, id: ProcessId, service: Text, image_path: Text) {
        let coming = Stage::Coming { wanted: true };
        self.processes.all.insert(id, coming);
        let (keeper, shared) = (Weak::clone(&self.keeper), Weak::clone(&self.shared));
        let thread = thread::Builder::new().stack_size(LARGE).spawn(move || {
            let launched = launch(&keeper, &image_path);
            let came = change(&shared, |core| {
                let came = launched.and_then(|confined| core.came(id, confined));
                if let Err((error, why)) = &came {
                    tracing::warn!(%service, command = %image_path, why, "a service does not start");
                    core.failed(id, *error);
                }
                came
            });
            if let Some(Ok(process)) = came {
                let _ = process.wait(None);
                change(&shared, |core| core.ended(id, process.pid()));
            }
        });
        if thread.is_err() {
            self.failed(id, Win32Error::NOT_ENOUGH_SERVER_MEMORY);
        }
    }

    /// Lets the new process run, and tells the machine of it.
    fn came(&mut self, id: ProcessId, confined: Confined) -> Result<Arc<Process>, Failed> {
        let pid = confined.pid();
        if !self.processes.is_wanted(id) {
            tracing::warn!(pid, "a service process is ended");
            return Err((
                Win32Error::SERVICE_REQUEST_TIMEOUT,
                "its time is over".into(),
            ));
        }
        let process = Arc::new(confined.resume().map_err(told)?);
        self.machine.process_started(id, pid);
        let there = Stage::There(Arc::clone(&process));
        self.processes.all.insert(id, there);
        self.clients.insert(pid);
        Ok(process)
    }

    fn failed(&mut self, id: ProcessId, error: Win32Error) {
        self.processes.all.remove(&id);
        let now = self.now();
        self.machine.process_failed(now, id, error);
    }

    fn ended(&mut self, id: ProcessId, pid: u32) {
        self.processes.all.remove(&id);
        self.orders.remove(&id);
        self.clients.remove(&pid);
        let now = self.now();
        self.machine.process_exited(now, id);
    }

    /// Has a thread run the command of a service that failed: a program of the VM as any other.
    pub(super) fn run_command(&self, service: Text, command: Text) {
        let keeper = Weak::clone(&self.keeper);
        let run = move || match launch(&keeper, &command)
            .and_then(|confined| confined.resume().map_err(told))
        {
            Ok(process) => {
                let pid = process.pid();
                tracing::info!(%service, %command, pid, "a service failed: its command runs");
            }
            Err((_, why)) => {
                tracing::warn!(%service, %command, why, "a failed service's command does not run");
            }
        };
        let thread = thread::Builder::new().stack_size(LARGE).spawn(run);
        if let Err(error) = thread {
            tracing::warn!(%error, "no thread for the command of a service that failed");
        }
    }

    /// Calls `gone` when the process has ended.
    pub(super) fn watch(
        &self,
        process: Process,
        gone: impl FnOnce(&mut Self) + Send + 'static,
    ) -> Result<(), Win32Error> {
        let shared = Weak::clone(&self.shared);
        let thread = thread::Builder::new().stack_size(SMALL).spawn(move || {
            let _ = process.wait(None);
            change(&shared, gone);
        });
        thread
            .map(drop)
            .map_err(|_| Win32Error::NOT_ENOUGH_SERVER_MEMORY)
    }
}

/// Changes the controller, if it is still there, and does what the machine then asks for.
fn change<R>(shared: &Weak<Shared>, change: impl FnOnce(&mut Core) -> R) -> Option<R> {
    let shared = shared.upgrade()?;
    let mut core = shared.lock();
    let result = change(&mut core);
    core.carry_out();
    Some(result)
}

/// Creates a process of the VM that does not run yet. Takes as long as it takes: not with the lock.
fn launch(keeper: &Weak<Keeper>, image_path: &Text) -> Result<Confined, Failed> {
    const SHUTDOWN_IN_PROGRESS: Win32Error = Win32Error(1115);
    let ending = || (SHUTDOWN_IN_PROGRESS, "the VM is ending".to_string());
    let keeper = keeper.upgrade().ok_or_else(ending)?;
    keeper
        .admits()
        .map_err(|error| (SHUTDOWN_IN_PROGRESS, error.to_string()))?;
    let launch = Launch {
        command_line: environment::expand(image_path),
        env: None,
        cwd: environment::system_folder(),
        is_service: true,
    };
    keeper.create_confined(&launch).map_err(told)
}

/// What `StartService` tells of a process that could not be created.
fn told(error: Error) -> Failed {
    const BAD_EXE_FORMAT: Win32Error = Win32Error(193);
    let code = match error {
        Error::ProgramNotFound { .. } => Win32Error::FILE_NOT_FOUND,
        Error::CannotRun { .. } => BAD_EXE_FORMAT,
        _ => Win32Error::ACCESS_DENIED,
    };
    (code, error.to_string())
}
