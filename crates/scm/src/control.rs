//! Owns what goes between the controller and running services: controls, the
//! reports of `SetServiceStatus`, answers, deaths and time running out.

use alloc::vec::Vec;

use crate::access::SERVICE_SET_STATUS;
use crate::controller::Controller;
use crate::database::Phase;
use crate::effect::{Effect, Failure, Message, Millis, Outcome, Ticket};
use crate::error::{Result, Win32Error};
use crate::handles::{Client, HandleId, Object, ServiceId};
use crate::process::{Errand, MAX_WAITING, Process, ProcessId, Purpose};
use crate::shutdown::Shutdown;
use crate::status::{Report, State, Status, accepts, right_for_control};

impl Controller {
    /// `ControlService`. Ends with `Effect::Finished`.
    pub fn control(
        &mut self,
        now: Millis,
        client: Client,
        handle: HandleId,
        control: u32,
        ticket: Ticket,
    ) {
        if let Err(failure) = self.try_control(now, client, handle, control, ticket) {
            self.finish(Some(ticket), Err(failure));
        }
        self.settle(now);
    }

    fn try_control(
        &mut self,
        now: Millis,
        client: Client,
        handle: HandleId,
        control: u32,
        ticket: Ticket,
    ) -> core::result::Result<(), Failure> {
        let plain = |error| Failure {
            error,
            status: None,
        };
        let right = right_for_control(control).map_err(plain)?;
        let id = self.handles.service(client, handle, right).map_err(plain)?;
        let service = self.services.get(id).map_err(plain)?;
        let (status, process) = (service.status, service.process);
        let told = |error| Failure {
            error,
            status: Some(status),
        };
        accepts(&status, control).map_err(told)?;
        if self.is_needed(id, control) {
            return Err(told(Win32Error::DEPENDENT_SERVICES_RUNNING));
        }
        let message = Message::Control {
            service: service.record.name.clone(),
            control,
        };
        let deadline = now.saturating_add(self.settings.control_timeout);
        match process.and_then(|p| self.processes.get_mut(p).map(|found| (p, found))) {
            Some((p, found)) if found.connected && found.waiting.len() < MAX_WAITING => {
                found.waiting.push_back(Errand {
                    purpose: Purpose::Control(id, Some(ticket)),
                    message,
                    deadline,
                });
                found.pump(p, &mut self.effects);
                Ok(())
            }
            _ => Err(told(Win32Error::SERVICE_CANNOT_ACCEPT_CTRL)),
        }
    }

    /// `SetServiceStatus`
    pub fn set_status(
        &mut self,
        now: Millis,
        client: Client,
        handle: HandleId,
        report: &Report,
    ) -> Result<()> {
        let Object::Status(id) = self.handles.get(client, handle, SERVICE_SET_STATUS)? else {
            return Err(Win32Error::INVALID_HANDLE);
        };
        let state = State::from_code(report.state)?;
        let service = self.services.get_mut(id)?;
        if state == State::Stopped {
            // Who has started a driver asks for no status: it is told here.
            if service.record.is_driver() && report.win32_exit_code != 0 {
                self.fail_start(now, id, Win32Error(report.win32_exit_code));
            }
            self.start_succeeded(id);
            self.stopped(now, id, report.win32_exit_code, report.specific_exit_code);
            let counts = self.services.get(id).is_ok_and(|service| {
                report.win32_exit_code != 0 && service.record.failure_actions_on_non_crash
            });
            if counts {
                self.failed(now, id);
            }
        } else {
            let patience = self.settings.start_timeout.max(report.wait_hint.into());
            service.hung = false;
            service.hangs_at = (state == State::StartPending).then(|| now.saturating_add(patience));
            let settling = service
                .start
                .as_ref()
                .is_some_and(|start| matches!(start.phase, Phase::Settling(_)));
            let status = Status {
                state,
                controls_accepted: report.controls_accepted,
                win32_exit_code: report.win32_exit_code,
                specific_exit_code: report.specific_exit_code,
                check_point: report.check_point,
                wait_hint: report.wait_hint,
                ..service.status
            };
            self.set(id, status);
            if settling && state != State::StartPending {
                self.start_succeeded(id);
            }
        }
        self.settle(now);
        Ok(())
    }

    /// A dispatcher has answered a message: the error of its handler, or 0.
    pub fn answered(&mut self, now: Millis, process: ProcessId, sequence: u32, result: u32) {
        let Some(p) = self.processes.get_mut(process) else {
            return;
        };
        let Some((_, errand)) = p.sent.take_if(|(sent, _)| *sent == sequence) else {
            return;
        };
        match errand.purpose {
            Purpose::Start(id) => self.start_answered(now, id, result),
            Purpose::Control(id, ticket) => {
                let outcome = self.control_outcome(id, result);
                self.finish(ticket, outcome);
            }
            Purpose::Abandoned => {}
        }
        if let Some(p) = self.processes.get_mut(process) {
            p.pump(process, &mut self.effects);
        }
        self.settle(now);
    }

    fn control_outcome(&self, id: ServiceId, result: u32) -> Outcome {
        match (self.services.get(id), result) {
            (Ok(service), 0) => Ok(service.status),
            (Ok(service), error) => Err(Failure {
                error: Win32Error(error),
                status: Some(service.status),
            }),
            // Deleted while its handler ran: it has stopped.
            (Err(_), _) => Ok(Status::stopped(0, 0)),
        }
    }

    /// A service process has ended, however it did.
    pub fn process_exited(&mut self, now: Millis, process: ProcessId) {
        let Some(p) = self.processes.remove(process) else {
            return;
        };
        let start_error = if p.connected {
            Win32Error::PROCESS_ABORTED
        } else {
            Win32Error::SERVICE_REQUEST_TIMEOUT
        };
        for &id in &p.services {
            if self.services.get(id).is_ok_and(|s| s.start.is_some()) {
                self.fail_start(now, id, start_error);
            } else {
                self.stopped(now, id, Win32Error::PROCESS_ABORTED.0, 0);
            }
            if p.connected {
                self.failed(now, id);
            }
        }
        let pid = p.pid;
        self.end_errands(p);
        self.client_gone(Client(pid));
        self.settle(now);
    }

    /// Answers whoever waits for a message to a process that is no more.
    pub(crate) fn end_errands(&mut self, p: Process) {
        let sent = p.sent.map(|(_, errand)| errand);
        for errand in sent.into_iter().chain(p.waiting) {
            if let Purpose::Control(id, ticket) = errand.purpose {
                let aborted = p.services.contains(&id);
                let result = if aborted {
                    Win32Error::PROCESS_ABORTED.0
                } else {
                    0
                };
                let outcome = self.control_outcome(id, result);
                self.finish(ticket, outcome);
            }
        }
    }

    /// Takes back the messages that wait for a service which has stopped, and
    /// the start that it has not answered: the answer may come when the service
    /// is being started anew, which it says nothing of.
    pub(crate) fn drop_messages(&mut self, process: ProcessId, id: ServiceId) {
        let Some(p) = self.processes.get_mut(process) else {
            return;
        };
        if let Some((_, sent)) = &mut p.sent
            && sent.purpose == Purpose::Start(id)
        {
            sent.purpose = Purpose::Abandoned;
        }
        let concerns =
            |e: &Errand| matches!(e.purpose, Purpose::Start(s) | Purpose::Control(s, _) if s == id);
        let (dropped, kept): (Vec<_>, Vec<_>) = p.waiting.drain(..).partition(concerns);
        p.waiting = kept.into();
        for errand in dropped {
            if let Purpose::Control(_, ticket) = errand.purpose {
                self.finish_failed(ticket, Win32Error::SERVICE_NOT_ACTIVE);
            }
        }
    }

    /// When [`Self::tick`] must be called at the latest.
    pub fn next_deadline(&self) -> Option<Millis> {
        let services = self.services.iter().flat_map(|(_, service)| {
            let phase = service.start.as_ref().and_then(|start| match start.phase {
                Phase::Dispatcher(at) | Phase::Settling(at) => Some(at),
                Phase::Dependencies | Phase::Acknowledge => None,
            });
            let hang = service.hangs_at.filter(|_| !service.hung);
            let due = service.failures.due.map(|(at, _)| at);
            phase.into_iter().chain(hang).chain(due)
        });
        let processes = self.processes.iter().flat_map(|(_, p)| {
            let sent = p.sent.iter().map(|(_, errand)| errand);
            sent.chain(&p.waiting)
                .filter(|errand| errand.purpose != Purpose::Abandoned)
                .map(|errand| errand.deadline)
        });
        services
            .chain(processes)
            .chain(self.automatic.due())
            .chain(self.shutdown.as_ref().and_then(Shutdown::due))
            .min()
    }

    /// Lets time run out for what has waited too long.
    pub fn tick(&mut self, now: Millis) {
        self.expire_messages(now);
        self.expire_starts(now);
        self.act_on_failures(now);
        self.go_on_with_the_shutdown(now);
        self.start_delayed(now);
        self.settle(now);
    }

    fn expire_messages(&mut self, now: Millis) {
        let ids: Vec<ProcessId> = self.processes.iter().map(|(id, _)| id).collect();
        for id in ids {
            let Some(p) = self.processes.get_mut(id) else {
                continue;
            };
            // A message sent stays until it is answered; nobody waits for it.
            let sent = p.sent.as_mut().map(|(_, errand)| errand);
            let late: Vec<Purpose> = sent
                .into_iter()
                .chain(&mut p.waiting)
                .filter(|e| e.deadline <= now && e.message != Message::Exit)
                .map(|e| core::mem::replace(&mut e.purpose, Purpose::Abandoned))
                .collect();
            p.waiting
                .retain(|e| e.purpose != Purpose::Abandoned || e.message == Message::Exit);
            for purpose in late {
                self.expire(now, purpose);
            }
        }
    }

    fn expire(&mut self, now: Millis, purpose: Purpose) {
        let error = Win32Error::SERVICE_REQUEST_TIMEOUT;
        match purpose {
            Purpose::Start(id) => self.fail_start(now, id, error),
            Purpose::Control(id, ticket) => {
                let outcome = self.control_outcome(id, error.0);
                self.finish(ticket, outcome);
            }
            Purpose::Abandoned => {}
        }
    }

    fn expire_starts(&mut self, now: Millis) {
        let ids: Vec<ServiceId> = self.services.iter().map(|(id, _)| id).collect();
        for id in ids {
            let Ok(service) = self.services.get_mut(id) else {
                continue;
            };
            if service.hangs_at.is_some_and(|at| at <= now) && !service.hung {
                service.hung = true;
                self.changed.push(id);
            }
            match service.start.as_ref().map(|start| start.phase) {
                Some(Phase::Dispatcher(at)) if at <= now => {
                    self.fail_start(now, id, Win32Error::SERVICE_REQUEST_TIMEOUT);
                }
                Some(Phase::Settling(at)) if at <= now => self.start_succeeded(id),
                _ => {}
            }
        }
    }

    /// Whom the driver still has to keep alive: no service process is left.
    pub fn is_idle(&self) -> bool {
        self.processes.iter().next().is_none() && self.effects.is_empty()
    }

    /// Ends a process at the driver's wish, for example one whose dispatcher
    /// sent what no dispatcher sends.
    pub fn kill(&mut self, process: ProcessId) {
        if let Some(p) = self.processes.get_mut(process) {
            p.ending = true;
            self.effects.push(Effect::KillProcess { process });
        }
    }
}
