//! Owns the start of services: dependencies first, then a process, its
//! dispatcher, the start message and the first status.

use alloc::vec::Vec;

use windows_sys::Win32::System::Services::{SERVICE_DISABLED, SERVICE_START};

use crate::access::SERVICE_SET_STATUS;
use crate::controller::Controller;
use crate::database::{Phase, Service, Start};
use crate::effect::{Effect, Message, Millis, Outcome, Ticket};
use crate::error::{Result, Win32Error};
use crate::handles::{Client, HandleId, Object, ServiceId};
use crate::process::{Errand, ProcessId, Purpose};
use crate::status::{State, Status};
use crate::text::Text;

/// Most arguments of one `StartService`.
pub const MAX_ARGUMENTS: usize = 256;

/// Most code units of all arguments of one `StartService` together.
pub const MAX_ARGUMENT_UNITS: usize = 6_000;

/// The wait hint of a service that has not yet spoken, milliseconds, as
/// Windows shows it.
const FIRST_WAIT_HINT: u32 = 2_000;

impl Controller {
    /// `StartService`. Ends with `Effect::Finished`.
    pub fn start(
        &mut self,
        now: Millis,
        client: Client,
        handle: HandleId,
        arguments: Vec<Text>,
        ticket: Ticket,
    ) {
        if let Err(error) = self.try_start(client, handle, arguments, ticket) {
            self.finish_failed(Some(ticket), error);
        }
        self.settle(now);
    }

    fn try_start(
        &mut self,
        client: Client,
        handle: HandleId,
        arguments: Vec<Text>,
        ticket: Ticket,
    ) -> Result<()> {
        let id = self.handles.service(client, handle, SERVICE_START)?;
        let units: usize = arguments.iter().map(|a| a.len() + 1).sum();
        if arguments.len() > MAX_ARGUMENTS || units > MAX_ARGUMENT_UNITS {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        self.may_start(id)?;
        if self.services.has_cycle(&self.services.get(id)?.record) {
            return Err(Win32Error::CIRCULAR_DEPENDENCY);
        }
        self.begin(id, arguments, Some(ticket))
    }

    fn may_start(&self, id: ServiceId) -> Result<()> {
        let service = self.services.get(id)?;
        if service.delete_pending {
            return Err(Win32Error::SERVICE_MARKED_FOR_DELETE);
        }
        if service.record.start_type == SERVICE_DISABLED {
            return Err(Win32Error::SERVICE_DISABLED);
        }
        if service.status.state != State::Stopped {
            return Err(Win32Error::SERVICE_ALREADY_RUNNING);
        }
        // Drivers are the host kernel's; no program in a VM may load one there.
        if service.record.program().is_empty() {
            return Err(Win32Error::DRIVER_BLOCKED);
        }
        if self.is_shutting_down() {
            return Err(Win32Error::SHUTDOWN_IN_PROGRESS);
        }
        Ok(())
    }

    /// Starts a service for nobody, as after a failure.
    pub(crate) fn restart(&mut self, id: ServiceId) -> Result<()> {
        self.may_start(id)?;
        if self.services.has_cycle(&self.services.get(id)?.record) {
            return Err(Win32Error::CIRCULAR_DEPENDENCY);
        }
        self.begin(id, Vec::new(), None)
    }

    fn begin(&mut self, id: ServiceId, arguments: Vec<Text>, ticket: Option<Ticket>) -> Result<()> {
        let service = self.services.get_mut(id)?;
        service.failures.due = None;
        service.start = Some(Start {
            phase: Phase::Dependencies,
            arguments,
            ticket,
            attempted: Vec::new(),
        });
        let mut status = Status::stopped(service.record.service_type, 0);
        status.state = State::StartPending;
        status.wait_hint = FIRST_WAIT_HINT;
        self.set(id, status);
        Ok(())
    }

    /// Lets every start go on that waited for what has changed.
    pub(crate) fn settle(&mut self, now: Millis) {
        while !self.changed.is_empty() {
            self.changed.clear();
            self.go_on_with_the_shutdown(now);
            self.go_on_with_automatic_starts();
            // Asked of all that wait: what they waited for may be deleted.
            for id in self.services.waiting() {
                self.advance(now, id);
            }
        }
    }

    /// Takes one service past its dependencies, if they allow it.
    fn advance(&mut self, now: Millis, id: ServiceId) {
        if !self.services.get(id).is_ok_and(Service::is_waiting) {
            return;
        }
        match self.dependencies_run(id) {
            Ok(true) => self.spawn(now, id),
            Ok(false) => {}
            Err(error) => self.fail_start(now, id, error),
        }
    }

    /// Whether all dependencies run; starts those that do not.
    fn dependencies_run(&mut self, id: ServiceId) -> Result<bool> {
        let names: Vec<Text> = self
            .services
            .get(id)?
            .record
            .services_before()
            .cloned()
            .collect();
        let mut all = true;
        for name in names {
            let Some(needed) = self.services.by_name(&name) else {
                return Err(Win32Error::SERVICE_DEPENDENCY_DELETED);
            };
            let found = self.services.get(needed)?;
            if found.record.is_hosts_driver() {
                continue;
            }
            let (state, hung) = (found.status.state, found.hung);
            match state {
                State::Stopped => {
                    all = false;
                    self.attempt(id, needed)?;
                }
                State::StartPending if !hung => all = false,
                State::StartPending | State::StopPending => {
                    return Err(Win32Error::SERVICE_DEPENDENCY_FAIL);
                }
                _ => {}
            }
        }
        for group in self.groups_before(id)? {
            all &= self.group_runs(id, &group)?;
        }
        Ok(all)
    }

    fn groups_before(&self, id: ServiceId) -> Result<Vec<Text>> {
        Ok(self.services.get(id)?.record.groups_before().collect())
    }

    /// Whether one of a group runs after a start of all was tried, as documented
    /// ("CreateService", lpDependencies). A group without members keeps nobody.
    fn group_runs(&mut self, id: ServiceId, group: &Text) -> Result<bool> {
        let members = self.services.members(group, id);
        let (mut runs, mut pends) = (members.is_empty(), false);
        for member in members {
            let found = self.services.get(member)?;
            if found.record.is_hosts_driver() {
                runs = true;
                continue;
            }
            match (found.status.state, found.hung) {
                (State::Stopped, _) => pends |= self.attempt(id, member).is_ok(),
                (State::StartPending, false) => pends = true,
                (State::StartPending, true) | (State::StopPending, _) => {}
                _ => runs = true,
            }
        }
        match (pends, runs) {
            (true, _) => Ok(false),
            (false, true) => Ok(true),
            (false, false) => Err(Win32Error::SERVICE_DEPENDENCY_FAIL),
        }
    }

    /// Starts a dependency, unless it was already started for this service.
    fn attempt(&mut self, id: ServiceId, needed: ServiceId) -> Result<()> {
        if let Some(start) = &mut self.services.get_mut(id)?.start {
            if start.attempted.contains(&needed) {
                return Err(Win32Error::SERVICE_DEPENDENCY_FAIL);
            }
            start.attempted.push(needed);
        }
        self.may_start(needed)
            .and_then(|()| self.begin(needed, Vec::new(), None))
            .map_err(|_| Win32Error::SERVICE_DEPENDENCY_FAIL)
    }

    /// Gives the service a process: a running one that it may share, or a new one.
    fn spawn(&mut self, now: Millis, id: ServiceId) {
        let deadline = now.saturating_add(self.settings.start_timeout);
        let Ok(service) = self.services.get_mut(id) else {
            return;
        };
        let record = &service.record;
        let shared = record.shares_process();
        let found = if shared {
            self.processes.sharing(record.program(), &record.account)
        } else {
            None
        };
        let process = found.unwrap_or_else(|| {
            let new = self
                .processes
                .add(record.program(), &record.account, shared);
            self.effects.push(Effect::StartProcess {
                process: new,
                service: record.name.clone(),
                image_path: record.program().clone(),
                account: record.account.clone(),
                service_type: record.service_type,
            });
            new
        });
        service.process = Some(process);
        if let Some(start) = &mut service.start {
            start.phase = Phase::Dispatcher(deadline);
        }
        let Some(p) = self.processes.get_mut(process) else {
            return;
        };
        p.services.push(id);
        service.status.process_id = p.pid;
        if p.connected {
            self.send_start(now, id, process);
        }
    }

    /// The driver has started a process.
    pub fn process_started(&mut self, process: ProcessId, pid: u32) {
        let Some(p) = self.processes.get_mut(process) else {
            return;
        };
        p.pid = pid;
        for &id in &p.services {
            if let Ok(service) = self.services.get_mut(id) {
                service.status.process_id = pid;
            }
        }
    }

    /// The driver could not start a process.
    pub fn process_failed(&mut self, now: Millis, process: ProcessId, error: Win32Error) {
        let Some(p) = self.processes.remove(process) else {
            return;
        };
        for &id in &p.services {
            self.fail_start(now, id, error);
        }
        self.end_errands(p);
        self.settle(now);
    }

    /// A process has called `StartServiceCtrlDispatcher`; gives back which one
    /// it is, so that the driver knows where to send its messages.
    pub fn dispatcher_connected(&mut self, now: Millis, client: Client) -> Result<ProcessId> {
        let id = self
            .processes
            .by_pid(client.0)
            .ok_or(Win32Error::FAILED_SERVICE_CONTROLLER_CONNECT)?;
        let process = self
            .processes
            .get_mut(id)
            .ok_or(Win32Error::FAILED_SERVICE_CONTROLLER_CONNECT)?;
        if process.connected {
            return Err(Win32Error::SERVICE_ALREADY_RUNNING);
        }
        if process.ending {
            return Err(Win32Error::FAILED_SERVICE_CONTROLLER_CONNECT);
        }
        process.connected = true;
        for service in process.services.clone() {
            self.send_start(now, service, id);
        }
        self.settle(now);
        Ok(id)
    }

    fn send_start(&mut self, now: Millis, id: ServiceId, process: ProcessId) {
        let Some(p) = self.processes.get_mut(process) else {
            return;
        };
        let status_handle = self
            .handles
            .add(Client(p.pid), Object::Status(id), SERVICE_SET_STATUS);
        let Ok(service) = self.services.get_mut(id) else {
            return;
        };
        let Some(start) = &mut service.start else {
            return;
        };
        start.phase = Phase::Acknowledge;
        let status_handle = match status_handle {
            Ok(handle) => handle,
            Err(error) => return self.fail_start(now, id, error),
        };
        p.waiting.push_back(Errand {
            purpose: Purpose::Start(id),
            message: Message::Start {
                service: service.record.name.clone(),
                status_handle,
                arguments: core::mem::take(&mut start.arguments),
            },
            deadline: now.saturating_add(self.settings.start_timeout),
        });
        p.pump(process, &mut self.effects);
    }

    /// The dispatcher has answered a start.
    pub(crate) fn start_answered(&mut self, now: Millis, id: ServiceId, result: u32) {
        if result != 0 {
            return self.fail_start(now, id, Win32Error(result));
        }
        let settle = now.saturating_add(self.settings.settle_time);
        let hang = now.saturating_add(self.settings.start_timeout);
        let Ok(service) = self.services.get_mut(id) else {
            return;
        };
        // Who has started a driver uses its device at once and asks for no status.
        let settle = if service.record.is_driver() {
            hang
        } else {
            settle
        };
        let Some(start) = &mut service.start else {
            return;
        };
        start.phase = Phase::Settling(settle);
        if service.status.state == State::StartPending {
            service.hangs_at.get_or_insert(hang);
        } else {
            self.start_succeeded(id);
        }
    }

    /// Ends a start well: `ServiceMain` runs.
    pub(crate) fn start_succeeded(&mut self, id: ServiceId) {
        if let Ok(service) = self.services.get_mut(id)
            && let Some(start) = service.start.take()
        {
            let outcome: Outcome = Ok(service.status);
            self.finish(start.ticket, outcome);
        }
    }

    /// Ends a start badly; a process without other services goes too.
    pub(crate) fn fail_start(&mut self, now: Millis, id: ServiceId, error: Win32Error) {
        let Ok(service) = self.services.get_mut(id) else {
            return;
        };
        let Some(start) = service.start.take() else {
            return;
        };
        let process = service.process;
        self.finish_failed(start.ticket, error);
        if let Some(process) = process
            && let Some(p) = self.processes.get_mut(process)
            && p.services == [id]
        {
            p.ending = true;
            self.effects.push(Effect::KillProcess { process });
        }
        self.stopped(now, id, error.0, 0);
    }
}
