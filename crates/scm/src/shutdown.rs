//! Owns the end of all services when the VM stops, in the order of a Windows that
//! shuts down: those that accept it are told of it beforehand and waited for as
//! long as each has asked for; then the others are told, or asked to stop where
//! they take no shutdown. Nothing starts any more.

use alloc::vec::Vec;

use windows_sys::Win32::System::Services as services;

use crate::controller::Controller;
use crate::effect::{Message, Millis};
use crate::handles::ServiceId;
use crate::process::{Errand, Purpose};
use crate::status::State;

/// How far it has come.
#[derive(Debug)]
pub(crate) struct Shutdown {
    /// Services told beforehand, each with the time until which it is waited for.
    before: Vec<(ServiceId, Millis)>,
    /// Whether those are over and the others have their turn.
    last: bool,
    /// Services told or asked in the last turn.
    asked: Vec<ServiceId>,
}

impl Shutdown {
    /// When waiting for a service of the first turn is over.
    pub fn due(&self) -> Option<Millis> {
        let times = self.before.iter().map(|(_, until)| *until);
        if self.last { None } else { times.min() }
    }
}

impl Controller {
    /// Begins the end of all services; none is started from here on.
    pub fn shut_down(&mut self, now: Millis) {
        if self.shutdown.is_some() {
            return;
        }
        self.automatic = crate::automatic::Automatic::default();
        let takes = self.taking(services::SERVICE_ACCEPT_PRESHUTDOWN);
        let mut before = Vec::new();
        for id in takes {
            let limit = self.services.get(id).map(|s| s.record.preshutdown_timeout);
            if self.tell(now, id, services::SERVICE_CONTROL_PRESHUTDOWN) {
                before.push((id, now.saturating_add(limit.unwrap_or(0).into())));
            }
        }
        self.shutdown = Some(Shutdown {
            before,
            last: false,
            asked: Vec::new(),
        });
        self.go_on_with_the_shutdown(now);
        self.settle(now);
    }

    /// Whether nothing is left to wait for: no service runs that was told.
    pub fn is_shut_down(&self) -> bool {
        self.shutdown.as_ref().is_some_and(|shutdown| {
            shutdown.last && !shutdown.asked.iter().any(|&id| self.is_active(id))
        })
    }

    pub(crate) fn is_shutting_down(&self) -> bool {
        self.shutdown.is_some()
    }

    /// Goes to the last turn when the first is over, and in it to those that were
    /// needed until now.
    pub(crate) fn go_on_with_the_shutdown(&mut self, now: Millis) {
        let Some(mut shutdown) = self.shutdown.take() else {
            return;
        };
        shutdown
            .before
            .retain(|&(id, until)| now < until && self.is_active(id));
        shutdown.last |= shutdown.before.is_empty();
        if shutdown.last {
            for (accepted, control) in [
                (
                    services::SERVICE_ACCEPT_SHUTDOWN,
                    services::SERVICE_CONTROL_SHUTDOWN,
                ),
                (
                    services::SERVICE_ACCEPT_STOP,
                    services::SERVICE_CONTROL_STOP,
                ),
            ] {
                for id in self.taking(accepted) {
                    if !shutdown.asked.contains(&id)
                        && !self.is_needed(id, control)
                        && self.tell(now, id, control)
                    {
                        shutdown.asked.push(id);
                    }
                }
            }
        }
        self.shutdown = Some(shutdown);
    }

    /// The services that run, or are about to, and accept this.
    fn taking(&self, accepted: u32) -> Vec<ServiceId> {
        self.services
            .iter()
            .filter(|(_, service)| {
                !matches!(service.status.state, State::Stopped | State::StopPending)
                    && service.status.controls_accepted & accepted != 0
            })
            .map(|(id, _)| id)
            .collect()
    }

    fn is_active(&self, id: ServiceId) -> bool {
        self.services
            .get(id)
            .is_ok_and(|service| service.status.state != State::Stopped)
    }

    /// Sends a control for nobody; whether there was somebody to send it to.
    fn tell(&mut self, now: Millis, id: ServiceId, control: u32) -> bool {
        let Ok(service) = self.services.get(id) else {
            return false;
        };
        let (name, process) = (service.record.name.clone(), service.process);
        let deadline = now.saturating_add(self.settings.control_timeout);
        let Some((process, found)) =
            process.and_then(|p| self.processes.get_mut(p).map(|found| (p, found)))
        else {
            return false;
        };
        if !found.connected {
            return false;
        }
        found.waiting.push_back(Errand {
            purpose: Purpose::Control(id, None),
            message: Message::Control {
                service: name,
                control,
            },
            deadline,
        });
        found.pump(process, &mut self.effects);
        true
    }
}
