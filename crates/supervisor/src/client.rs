//! The command line's side of the control pipe: start a supervisor, connect to one, ask it.

use std::path::Path;
use std::time::Duration;

use pinion_store::{Limits, Vm};

use crate::control::{
    LimitsStatus, ProcessInfo, Program, Reply, Request, ServiceInfo, Stats, Status,
};
use crate::error::Result;

/// A connection to the supervisor of one VM.
#[derive(Debug)]
pub struct Client {
    name: String,
    pipe: std::fs::File,
}

/// Starts the supervisor of a VM, as `<pinion_exe> supervise <name>`, detached from the caller's console
/// and handles, and waits until the VM is up. The main program is then the caller's to give
/// ([`Client::adopt`] or [`Client::start`]); a supervisor that gets none within 30 s ends.
///
/// # Errors
/// What the supervisor says: the VM runs already, a port in use, the agent missing. Nothing runs then.
pub fn start_supervisor(pinion_exe: &Path, vm: &Vm, timeout: Duration) -> Result<Client> {
    let _ = (pinion_exe, vm, timeout);
    todo!()
}

impl Client {
    /// Connects to the supervisor of a running VM.
    ///
    /// # Errors
    /// [`crate::Error::NotRunning`].
    pub fn connect(vm: &Vm) -> Result<Self> {
        let _ = vm;
        todo!()
    }

    /// One request, one reply; [`Reply::Error`] becomes [`crate::Error::Refused`].
    ///
    /// # Errors
    /// The supervisor's refusal, or a broken connection.
    pub fn call(&mut self, request: &Request) -> Result<Reply> {
        let _ = (request, &self.pipe, &self.name);
        todo!()
    }

    /// [`Request::Status`].
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn status(&mut self) -> Result<Status> {
        todo!()
    }

    /// [`Request::Adopt`]: after it, resume the process's main thread; on an error terminate it.
    ///
    /// # Errors
    /// As [`Client::call`]; the process could not be confined.
    pub fn adopt(&mut self, pid: u32, tid: u32, main: bool) -> Result<()> {
        let _ = (pid, tid, main);
        todo!()
    }

    /// [`Request::Start`]; the program's process id.
    ///
    /// # Errors
    /// As [`Client::call`]; the program cannot be started.
    pub fn start(&mut self, program: Program, main: bool) -> Result<u32> {
        let _ = (program, main);
        todo!()
    }

    /// [`Request::Stop`]; exit code and reason.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn stop(&mut self, timeout: Duration) -> Result<(i32, String)> {
        let _ = timeout;
        todo!()
    }

    /// [`Request::Kill`]; exit code and reason.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn kill(&mut self) -> Result<(i32, String)> {
        todo!()
    }

    /// [`Request::Wait`]; exit code and reason.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn wait(&mut self) -> Result<(i32, String)> {
        todo!()
    }

    /// [`Request::Pause`].
    ///
    /// # Errors
    /// As [`Client::call`]; it is paused.
    pub fn pause(&mut self) -> Result<()> {
        todo!()
    }

    /// [`Request::Unpause`].
    ///
    /// # Errors
    /// As [`Client::call`]; it is not paused.
    pub fn unpause(&mut self) -> Result<()> {
        todo!()
    }

    /// [`Request::SetLimits`].
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn set_limits(&mut self, limits: Limits) -> Result<LimitsStatus> {
        let _ = limits;
        todo!()
    }

    /// [`Request::Stats`].
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn stats(&mut self) -> Result<Stats> {
        todo!()
    }

    /// [`Request::Processes`].
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn processes(&mut self) -> Result<Vec<ProcessInfo>> {
        todo!()
    }

    /// [`Request::Services`].
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn services(&mut self) -> Result<Vec<ServiceInfo>> {
        todo!()
    }
}
