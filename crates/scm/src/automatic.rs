//! Owns the starts that nobody asks for: the VM's own services of the start type
//! automatic, group after group in the machine's order of groups, then those of
//! other groups, then those of none; and, after a while, the delayed ones.
//!
//! The host's automatic services are not among them: a VM starts in the time of a
//! process, and they are started when something asks for them.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::controller::Controller;
use crate::effect::Millis;
use crate::handles::ServiceId;
use crate::status::State;
use crate::text::Text;

/// What is still to be started.
#[derive(Debug, Default)]
pub(crate) struct Automatic {
    /// Groups whose turn has not come.
    turns: VecDeque<Vec<ServiceId>>,
    /// Services of the present turn.
    begun: Vec<ServiceId>,
    /// The delayed ones and when.
    delayed: Option<(Millis, Vec<ServiceId>)>,
}

impl Automatic {
    /// When the delayed services are due.
    pub fn due(&self) -> Option<Millis> {
        self.delayed.as_ref().map(|(at, _)| *at)
    }
}

impl Controller {
    /// Whether any service starts by itself.
    pub fn has_automatic(&self) -> bool {
        let mut all = self.services.iter();
        all.any(|(_, service)| service.record.starts_by_itself())
    }

    /// Starts the VM's automatic services. `order` is the machine's order of load
    /// order groups; delayed services come after `delay`.
    pub fn start_automatic(&mut self, now: Millis, order: &[Text], delay: Millis) {
        let group = |id: ServiceId| self.services.get(id).map(|s| s.record.group.clone());
        let (delayed, first): (Vec<ServiceId>, Vec<ServiceId>) = self
            .services
            .iter()
            .filter(|(_, service)| service.record.starts_by_itself())
            .map(|(id, _)| id)
            .partition(|&id| {
                self.services
                    .get(id)
                    .is_ok_and(|s| s.record.delayed_auto_start)
            });
        let place = |id: ServiceId| match group(id) {
            Ok(group) if !group.is_empty() => order
                .iter()
                .position(|other| other.same_name(&group))
                .unwrap_or(order.len()),
            _ => order.len() + 1,
        };
        let turns = (0..order.len() + 2).map(|turn| {
            let of_turn = first.iter().filter(|&&id| place(id) == turn);
            of_turn.copied().collect::<Vec<_>>()
        });
        let turns = turns.filter(|turn| !turn.is_empty()).collect();
        self.automatic = Automatic {
            turns,
            begun: Vec::new(),
            delayed: (!delayed.is_empty()).then(|| (now.saturating_add(delay), delayed)),
        };
        self.go_on_with_automatic_starts();
        self.settle(now);
    }

    /// Begins the next group's turn when the present one's services have started,
    /// or failed to.
    pub(crate) fn go_on_with_automatic_starts(&mut self) {
        loop {
            let pends = |id: &ServiceId| {
                let found = self.services.get(*id);
                found.is_ok_and(|service| {
                    service.status.state == State::StartPending && !service.hung
                })
            };
            if self.automatic.begun.iter().any(pends) {
                return;
            }
            let Some(turn) = self.automatic.turns.pop_front() else {
                self.automatic.begun.clear();
                return;
            };
            self.begin_all(&turn);
            self.automatic.begun = turn;
        }
    }

    /// Starts the delayed services when their time has come.
    pub(crate) fn start_delayed(&mut self, now: Millis) {
        if self.automatic.due().is_some_and(|at| at <= now)
            && let Some((_, delayed)) = self.automatic.delayed.take()
        {
            self.begin_all(&delayed);
        }
    }

    /// One that runs already, or may not start, is passed over.
    fn begin_all(&mut self, services: &[ServiceId]) {
        for &id in services {
            let _ = self.restart(id);
        }
    }
}
