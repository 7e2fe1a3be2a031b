//! Owns what a controller does when a service fails: the configured actions, the
//! count of failures that chooses one, and when it is due.
//!
//! As documented ("SERVICE_FAILURE_ACTIONS"): a service has failed when its process
//! ends without its having reported a stop, and, where the flag for it is set, when
//! it stops with an error. The n-th failure takes the n-th action, later ones the
//! last; the count begins anew after the reset period without a failure.

use alloc::vec::Vec;

use windows_sys::Win32::System::Services::{
    SC_ACTION_NONE, SC_ACTION_REBOOT, SC_ACTION_RESTART, SC_ACTION_RUN_COMMAND,
};

use crate::controller::Controller;
use crate::effect::{Effect, Millis};
use crate::error::{Result, Win32Error};
use crate::handles::ServiceId;
use crate::record::MAX_TEXT;
use crate::status::State;
use crate::text::Text;

/// Most actions of one service.
pub const MAX_ACTIONS: usize = 128;

/// A reset period that never ends, in `dwResetPeriod`.
const INFINITE: u32 = u32::MAX;

/// One action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action {
    /// `SC_ACTION_*`
    pub kind: u32,
    /// Milliseconds to wait before it.
    pub delay: u32,
}

impl Action {
    /// `SC_ACTION_RESTART`
    pub const RESTART: u32 = SC_ACTION_RESTART as u32;
    /// `SC_ACTION_REBOOT`
    pub const REBOOT: u32 = SC_ACTION_REBOOT as u32;
    /// `SC_ACTION_RUN_COMMAND`
    pub const RUN_COMMAND: u32 = SC_ACTION_RUN_COMMAND as u32;
    const NONE: u32 = SC_ACTION_NONE as u32;
}

/// `SERVICE_FAILURE_ACTIONS`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FailureActions {
    /// Seconds without a failure after which the count begins anew.
    pub reset_period: u32,
    /// What would be told before the machine is started anew; only kept.
    pub reboot_message: Text,
    /// The command line of `SC_ACTION_RUN_COMMAND`.
    pub command: Text,
    /// The actions, the first failure's first.
    pub actions: Vec<Action>,
}

impl FailureActions {
    /// Whether one of them starts the service.
    pub(crate) fn restarts(&self) -> bool {
        self.actions
            .iter()
            .any(|action| action.kind == Action::RESTART)
    }

    /// Checks what a program, or the registry, has given.
    pub(crate) fn check(&self) -> Result<()> {
        let known = |action: &Action| (Action::NONE..=Action::RUN_COMMAND).contains(&action.kind);
        if self.actions.len() > MAX_ACTIONS
            || !self.actions.iter().all(known)
            || self.command.len() > MAX_TEXT
            || self.reboot_message.len() > MAX_TEXT
        {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        Ok(())
    }
}

/// How often a service has failed, and what is to be done of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Failures {
    count: u32,
    last: Millis,
    /// The action and when.
    pub due: Option<(Millis, u32)>,
}

impl Failures {
    /// Counts a failure and chooses what is to be done.
    fn note(&mut self, now: Millis, configured: &FailureActions) {
        let period = Millis::from(configured.reset_period).saturating_mul(1000);
        if configured.reset_period != INFINITE && now.saturating_sub(self.last) >= period {
            self.count = 0;
        }
        let place = (self.count as usize).min(configured.actions.len().saturating_sub(1));
        self.count = self.count.saturating_add(1);
        self.last = now;
        self.due = configured
            .actions
            .get(place)
            .filter(|action| action.kind != Action::NONE)
            .map(|action| (now.saturating_add(action.delay.into()), action.kind));
    }
}

impl Controller {
    /// The service has failed, and is stopped.
    pub(crate) fn failed(&mut self, now: Millis, id: ServiceId) {
        if let Ok(service) = self.services.get_mut(id) {
            service.failures.note(now, &service.record.failure);
        }
    }

    /// Does what is due.
    pub(crate) fn act_on_failures(&mut self, now: Millis) {
        let due: Vec<(ServiceId, u32)> = self
            .services
            .iter()
            .filter_map(|(id, service)| {
                let (at, kind) = service.failures.due?;
                (at <= now).then_some((id, kind))
            })
            .collect();
        for (id, kind) in due {
            let Ok(service) = self.services.get_mut(id) else {
                continue;
            };
            service.failures.due = None;
            let (name, command) = (
                service.record.name.clone(),
                service.record.failure.command.clone(),
            );
            if kind == Action::RESTART
                && (service.status.state != State::Stopped || self.restart(id).is_err())
            {
                continue;
            }
            self.effects.push(Effect::FailureAction {
                service: name,
                kind,
                command,
            });
        }
    }
}
