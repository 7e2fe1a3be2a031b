//! The command line's side of the control pipe: connect to a supervisor and ask it.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use pinion_store::{Limits, Vm};
use windows_sys::Win32::Foundation::ERROR_PIPE_BUSY;
use windows_sys::Win32::System::Pipes::GetNamedPipeServerProcessId;

use crate::control::{
    LimitsStatus, ProcessInfo, Program, Reply, Request, ServiceInfo, Stats, Status, pipe_path,
};
use crate::error::{Error, Result};
use crate::lifecycle::KILLED;
use crate::lines::{Asker, Unanswered};
use crate::process::Process;
use crate::system::own;

pub use crate::spawn::start_supervisor;

/// How long a running supervisor may take to offer the next instance of its pipe.
const CONNECT: Duration = Duration::from_secs(5);
/// How often is tried.
const PAUSE: Duration = Duration::from_millis(5);
/// How long a supervisor may take to go after its last word.
const GOING: Duration = Duration::from_secs(5);
/// How long a supervisor may take to kill its VM.
const KILLING: Duration = Duration::from_secs(15);

/// A connection to the supervisor of one VM.
#[derive(Debug)]
pub struct Client {
    name: String,
    pipe: Asker,
    supervisor: Option<Process>,
}

impl Client {
    /// Connects to the supervisor of a running VM.
    ///
    /// # Errors
    /// [`Error::NotRunning`].
    pub fn connect(vm: &Vm) -> Result<Self> {
        let name = vm.name().to_string();
        let deadline = Instant::now() + CONNECT;
        let pipe = loop {
            match OpenOptions::new()
                .read(true)
                .write(true)
                .open(pipe_path(vm.id()))
            {
                Ok(pipe) => break pipe,
                Err(error) if may_pass(vm, &error) && Instant::now() < deadline => sleep(PAUSE),
                Err(_) => return Err(Error::NotRunning { name }),
            }
        };
        let supervisor = server_process(&pipe);
        Ok(Self {
            name,
            pipe: Asker::new(pipe),
            supervisor,
        })
    }

    /// One request, one reply; [`Reply::Error`] becomes [`Error::Refused`].
    ///
    /// # Errors
    /// The supervisor's refusal, or a broken connection.
    pub fn call(&mut self, request: &Request) -> Result<Reply> {
        let answer = self.pipe.ask(request).map_err(|why| match why {
            Unanswered::Gone => Error::SupervisorGone {
                name: self.name.clone(),
                what: "broke off",
            },
            Unanswered::NotUnderstood(error) => Error::Protocol {
                why: error.to_string(),
            },
        })?;
        match answer {
            Reply::Error { code, message } => Err(Error::Refused { code, message }),
            reply => Ok(reply),
        }
    }

    /// [`Request::Status`].
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn status(&mut self) -> Result<Status> {
        match self.call(&Request::Status)? {
            Reply::Status(status) => Ok(status),
            other => Err(unexpected(&other)),
        }
    }

    /// [`Request::Admit`]; the VM's job, to create one suspended process in.
    ///
    /// # Errors
    /// As [`Client::call`]; the VM takes no process in now.
    pub fn admit(&mut self) -> Result<OwnedHandle> {
        match self.call(&Request::Admit)? {
            // SAFETY: the supervisor made this handle for us, and nobody else knows of it.
            Reply::Admitted { job } => unsafe { own(job as usize as _, "take the VM's job") },
            other => Err(unexpected(&other)),
        }
    }

    /// [`Request::Adopt`]: after it the process runs; on an error it was ended. When it is a helper that
    /// makes a program, gives that.
    ///
    /// # Errors
    /// As [`Client::call`]; the process could not be confined.
    pub fn adopt(
        &mut self,
        pid: u32,
        main: bool,
        makes: Option<&str>,
    ) -> Result<Option<OwnedHandle>> {
        let makes = makes.map(str::to_owned);
        match self.call(&Request::Adopt { pid, main, makes })? {
            Reply::Adopted { program } => {
                let what = "take the program that runs in the VM";
                // SAFETY: the supervisor made this handle for us, and nobody else knows of it.
                let take = |handle| unsafe { own(handle as usize as _, what) };
                program.map(take).transpose()
            }
            other => Err(unexpected(&other)),
        }
    }

    /// [`Request::Start`]; the program's process id.
    ///
    /// # Errors
    /// As [`Client::call`]; the program cannot be started.
    pub fn start(&mut self, program: Program, main: bool) -> Result<u32> {
        match self.call(&Request::Start { program, main })? {
            Reply::Started { pid } => Ok(pid),
            other => Err(unexpected(&other)),
        }
    }

    /// [`Request::Stop`]; exit code and reason, when the supervisor is gone too.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn stop(&mut self, timeout: Duration) -> Result<(i32, String)> {
        let timeout_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        self.until_end(&Request::Stop { timeout_ms })
    }

    /// [`Request::Kill`]; exit code and reason, when the supervisor is gone too. A supervisor that does not
    /// carry it out in time is ended itself, and its VM with it: a kill always ends.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn kill(&mut self) -> Result<(i32, String)> {
        let Some(supervisor) = self.supervisor.take() else {
            return self.until_end(&Request::Kill);
        };
        let (done, waiting) = channel::<()>();
        let (ended, supervisor) = thread::scope(|scope| {
            let watch = scope.spawn(move || {
                let late = waiting.recv_timeout(KILLING) == Err(RecvTimeoutError::Timeout);
                if late {
                    supervisor.terminate(KILLED as u32);
                }
                (late, supervisor)
            });
            let ended = self.until_end(&Request::Kill);
            drop(done);
            match watch.join() {
                Ok((true, _)) => (Ok((KILLED, "its supervisor did not answer".into())), None),
                Ok((false, supervisor)) => (ended, Some(supervisor)),
                Err(_) => (ended, None),
            }
        });
        if let Some(supervisor) = &supervisor {
            let _ = supervisor.wait(Some(GOING));
        }
        self.supervisor = supervisor;
        ended
    }

    /// [`Request::Wait`]; exit code and reason, when the supervisor is gone too.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn wait(&mut self) -> Result<(i32, String)> {
        self.until_end(&Request::Wait)
    }

    fn until_end(&mut self, request: &Request) -> Result<(i32, String)> {
        match self.call(request)? {
            Reply::Ended { code, why } => {
                if let Some(supervisor) = &self.supervisor {
                    let _ = supervisor.wait(Some(GOING));
                }
                Ok((code, why))
            }
            other => Err(unexpected(&other)),
        }
    }

    /// [`Request::Pause`].
    ///
    /// # Errors
    /// As [`Client::call`]; it is paused.
    pub fn pause(&mut self) -> Result<()> {
        self.done(&Request::Pause)
    }

    /// [`Request::Unpause`].
    ///
    /// # Errors
    /// As [`Client::call`]; it is not paused.
    pub fn unpause(&mut self) -> Result<()> {
        self.done(&Request::Unpause)
    }

    /// [`Request::Record`].
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn record(&mut self, time: Duration) -> Result<()> {
        let time_ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.done(&Request::Record { time_ms })
    }

    fn done(&mut self, request: &Request) -> Result<()> {
        match self.call(request)? {
            Reply::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    /// [`Request::SetLimits`].
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn set_limits(&mut self, limits: Limits) -> Result<LimitsStatus> {
        match self.call(&Request::SetLimits { limits })? {
            Reply::Limits { limits } => Ok(limits),
            other => Err(unexpected(&other)),
        }
    }

    /// [`Request::Stats`].
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn stats(&mut self) -> Result<Stats> {
        match self.call(&Request::Stats)? {
            Reply::Stats(stats) => Ok(stats),
            other => Err(unexpected(&other)),
        }
    }

    /// [`Request::Usage`]: what it has changed is 0.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn usage(&mut self) -> Result<Stats> {
        match self.call(&Request::Usage)? {
            Reply::Stats(stats) => Ok(stats),
            other => Err(unexpected(&other)),
        }
    }

    /// [`Request::Processes`].
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn processes(&mut self) -> Result<Vec<ProcessInfo>> {
        match self.call(&Request::Processes)? {
            Reply::Processes { processes } => Ok(processes),
            other => Err(unexpected(&other)),
        }
    }

    /// [`Request::Services`].
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn services(&mut self) -> Result<Vec<ServiceInfo>> {
        self.of_services(&Request::Services)
    }

    /// A request that is answered with services: all of them, a start or a stop.
    ///
    /// # Errors
    /// As [`Client::call`]; the controller refuses it, or it does not happen in time.
    pub fn of_services(&mut self, request: &Request) -> Result<Vec<ServiceInfo>> {
        match self.call(request)? {
            Reply::Services { services } => Ok(services),
            other => Err(unexpected(&other)),
        }
    }
}

/// Whether a failure to open the pipe is one of the moment: all instances are taken, or the supervisor
/// holds the VM and is just coming up.
fn may_pass(vm: &Vm, error: &io::Error) -> bool {
    error.raw_os_error() == Some(ERROR_PIPE_BUSY as i32)
        || (error.kind() == io::ErrorKind::NotFound && vm.is_running().unwrap_or(false))
}

fn server_process(pipe: &File) -> Option<Process> {
    let mut pid = 0;
    // SAFETY: a live pipe handle; `pid` is a local.
    let done = unsafe { GetNamedPipeServerProcessId(pipe.as_raw_handle(), &raw mut pid) };
    if done == 0 {
        None
    } else {
        Process::open_to_end(pid).ok()
    }
}

fn unexpected(reply: &Reply) -> Error {
    Error::Protocol {
        why: format!("an unexpected reply {reply:?}"),
    }
}
