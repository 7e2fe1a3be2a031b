//! What the command line asks of the VM's services: all of them, a start, a stop. The supervisor is the
//! client then; it waits for the end with the condition, never with the lock.

use std::time::{Duration, Instant};

use pinion_scm::{HandleId, State, Text, Win32Error};
use pinion_store::exit_code;
use windows_sys::Win32::Foundation as win32;
use windows_sys::Win32::System::Services::{
    SC_MANAGER_CONNECT, SERVICE_CONTROL_STOP, SERVICE_START, SERVICE_STOP,
};

use super::core::{Core, state_name};
use super::{LOOK, SELF, Services};
use crate::control::{Request, ServiceInfo};
use crate::error::{Error, Result};

/// What is done to a service.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Act {
    Start,
    Stop,
}

impl Act {
    fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
        }
    }

    /// Whether a service in this state is as it shall be.
    fn is_done(self, state: State) -> bool {
        match self {
            Self::Start => state != State::StartPending,
            Self::Stop => state == State::Stopped,
        }
    }

    fn right(self) -> u32 {
        match self {
            Self::Start => SERVICE_START,
            Self::Stop => SERVICE_STOP,
        }
    }
}

impl Services {
    /// Answers what is asked of services from outside.
    ///
    /// # Errors
    /// The controller refuses it, or it does not happen in time.
    pub(crate) fn serve(&self, request: &Request) -> Result<Vec<ServiceInfo>> {
        let time = |ms: &u64| Duration::from_millis((*ms).min(u32::MAX.into()));
        match request {
            Request::StartService {
                name,
                arguments,
                timeout_ms,
            } => {
                let arguments = arguments.iter().map(|text| Text::from(text.as_str()));
                self.act(Act::Start, name, arguments.collect(), time(timeout_ms))
            }
            Request::StopService { name, timeout_ms } => {
                self.act(Act::Stop, name, Vec::new(), time(timeout_ms))
            }
            _ => Ok(self.all()),
        }
    }

    /// All services, by name.
    fn all(&self) -> Vec<ServiceInfo> {
        let core = self.shared.lock();
        let names: Vec<Text> = core.machine.names().cloned().collect();
        let mut all: Vec<ServiceInfo> = names.iter().filter_map(|name| core.info(name)).collect();
        all.sort_by_key(|service| service.name.to_ascii_lowercase());
        all
    }

    fn act(
        &self,
        act: Act,
        name: &str,
        arguments: Vec<Text>,
        time: Duration,
    ) -> Result<Vec<ServiceInfo>> {
        let text = Text::from(name);
        let deadline = Instant::now() + time;
        let refused = |error: Win32Error| refused(act, name, error);
        let mut core = self.shared.lock();
        let ticket = core.ticket();
        let begun = begin(&mut core, act, &text, arguments, ticket);
        core.carry_out();
        let handles = begun.map_err(refused)?;
        let outcome = loop {
            match core.take_outcome(ticket) {
                Some(Err(failure)) if !is_there_already(act, failure.error) => {
                    break Err(refused(failure.error));
                }
                Some(_) => break Ok(()),
                None if Instant::now() >= deadline => break Err(late(act, name, time, None)),
                None => core = self.shared.wait(core, LOOK.min(deadline - Instant::now())),
            }
        };
        core.abandon(ticket);
        for handle in handles {
            let _ = core.machine.close(SELF, handle);
        }
        core.carry_out();
        outcome?;
        loop {
            let Some((_, status)) = core.machine.find(&text) else {
                return Err(refused(Win32Error::SERVICE_DOES_NOT_EXIST));
            };
            let (state, exit) = (status.state, status.win32_exit_code);
            if act.is_done(state) {
                return match (act, state) {
                    (Act::Start, State::Stopped) if exit != 0 => Err(refused(Win32Error(exit))),
                    _ => Ok(core.info(&text).into_iter().collect()),
                };
            }
            if Instant::now() >= deadline {
                return Err(late(act, name, time, Some(state)));
            }
            core = self.shared.wait(core, LOOK.min(deadline - Instant::now()));
        }
    }
}

/// Asks the machine; gives the handles to close afterwards.
fn begin(
    core: &mut Core,
    act: Act,
    name: &Text,
    arguments: Vec<Text>,
    ticket: pinion_scm::Ticket,
) -> std::result::Result<[HandleId; 2], Win32Error> {
    let now = core.now();
    let manager = core.machine.open_manager(SELF, None, SC_MANAGER_CONNECT);
    let manager = manager.inspect_err(|_| core.abandon(ticket))?;
    let service = core
        .machine
        .open_service(SELF, manager, name, act.right())
        .inspect_err(|_| {
            let _ = core.machine.close(SELF, manager);
            core.abandon(ticket);
        })?;
    match act {
        Act::Start => core.machine.start(now, SELF, service, arguments, ticket),
        Act::Stop => {
            let control = SERVICE_CONTROL_STOP;
            core.machine.control(now, SELF, service, control, ticket);
        }
    }
    Ok([service, manager])
}

/// Whether the error says that the service is as it shall be.
fn is_there_already(act: Act, error: Win32Error) -> bool {
    match act {
        Act::Start => error == Win32Error::SERVICE_ALREADY_RUNNING,
        Act::Stop => error == Win32Error::SERVICE_NOT_ACTIVE,
    }
}

fn late(act: Act, service: &str, time: Duration, state: Option<State>) -> Error {
    let state = state.map_or("not answered", state_name);
    Error::Service {
        what: act.word(),
        service: service.into(),
        why: format!(
            "after {} s it is still {state}; give it more time with -t",
            time.as_secs()
        ),
        code: exit_code::TIMEOUT,
    }
}

fn refused(act: Act, service: &str, error: Win32Error) -> Error {
    let why = match error.0 {
        win32::ERROR_SERVICE_DOES_NOT_EXIST | win32::ERROR_INVALID_NAME => {
            "the VM has no such service; see 'pinion services --all VM'".into()
        }
        win32::ERROR_SERVICE_DISABLED => "it is disabled; change its start type inside".into(),
        win32::ERROR_DRIVER_BLOCKED => "it is a driver, which a VM does not load".into(),
        win32::ERROR_SHUTDOWN_IN_PROGRESS => "the VM is stopping".into(),
        win32::ERROR_DEPENDENT_SERVICES_RUNNING => {
            "other services that run need it; stop them first".into()
        }
        win32::ERROR_SERVICE_DEPENDENCY_FAIL | win32::ERROR_SERVICE_DEPENDENCY_DELETED => {
            "a service that it needs does not start; see 'pinion logs --supervisor'".into()
        }
        win32::ERROR_FILE_NOT_FOUND => "its program is not there".into(),
        win32::ERROR_SERVICE_REQUEST_TIMEOUT => {
            "its program did not become a service in time".to_string()
        }
        win32::ERROR_PROCESS_ABORTED => "its process ended without a word".into(),
        win32::ERROR_INVALID_SERVICE_CONTROL | win32::ERROR_SERVICE_CANNOT_ACCEPT_CTRL => {
            "it does not take this now; 'pinion stop' ends the VM with all its programs".into()
        }
        _ => format!("{error}; see 'pinion logs --supervisor'"),
    };
    let code = match error.0 {
        win32::ERROR_SERVICE_DOES_NOT_EXIST | win32::ERROR_INVALID_NAME => exit_code::NO_SUCH_VM,
        win32::ERROR_SERVICE_REQUEST_TIMEOUT => exit_code::TIMEOUT,
        win32::ERROR_DEPENDENT_SERVICES_RUNNING => exit_code::CONFLICT,
        _ => exit_code::PINION,
    };
    Error::Service {
        what: act.word(),
        service: service.into(),
        why,
        code,
    }
}
