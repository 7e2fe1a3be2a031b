//! What follows from an event, from time, and from how many there are.

use super::{AT_ONCE, Action, Life, Ms, Replica, STABLE, State, Why};
use crate::life::replica::What;

impl Life {
    pub(super) fn replica_event(
        &mut self,
        id: u32,
        what: &What,
        now: Ms,
        actions: &mut Vec<Action>,
    ) {
        let settings = self.settings.clone();
        let Some(replica) = self.replicas.get_mut(&id) else {
            return;
        };
        match (what, replica.state) {
            (What::Gone, _) => {
                self.replicas.remove(&id);
            }
            (_, State::Discarded) => {}
            (What::Fault(why), _) => self.fault(id, why.clone(), now, actions),
            (What::Made, State::Cloned) => {
                replica.go(State::Starting, now);
                actions.push(Action::Start(id));
            }
            (What::Started, State::Starting) if settings.warms => {
                replica.go(State::Warming, now);
                actions.push(Action::Warm(id));
            }
            (What::Started, State::Starting) | (What::Warmed, State::Warming) => {
                replica.go(State::Checking, now);
                replica.next_check = Some(now);
            }
            (What::Checked(result), State::Checking | State::Serving) if replica.checking => {
                self.checked(id, result, now, actions);
            }
            (What::Served(requests), _) => replica.requests = replica.requests.max(*requests),
            (What::Drained, State::Draining) => {
                replica.discard();
                actions.push(Action::Discard(id, Why::Rejuvenated));
            }
            _ => {}
        }
    }

    fn checked(
        &mut self,
        id: u32,
        result: &Result<(), String>,
        now: Ms,
        actions: &mut Vec<Action>,
    ) {
        let settings = &self.settings;
        let Some(replica) = self.replicas.get_mut(&id) else {
            return;
        };
        replica.checking = false;
        let serving = replica.state == State::Serving;
        let pause = if serving {
            settings.interval
        } else {
            settings.start_interval
        };
        replica.next_check = Some(now + pause.max(1));
        match result {
            Ok(()) => (replica.good, replica.bad) = (replica.good.saturating_add(1), 0),
            Err(why) => {
                (replica.good, replica.bad) = (0, replica.bad.saturating_add(1));
                replica.last_bad.clone_from(why);
            }
        }
        if !serving && replica.good >= settings.rise {
            replica.go(State::Serving, now);
            replica.serving_since = Some(now);
            replica.deadline = None;
            replica.next_check = Some(now + settings.interval.max(1));
            actions.push(Action::Serve(id));
        } else if serving && replica.bad >= settings.fall {
            let why = Why::Unhealthy(replica.last_bad.clone());
            self.fault(id, why, now, actions);
        }
    }

    /// Discards a replica at once. Whether it counts as a failed start is told by how long it served.
    fn fault(&mut self, id: u32, why: Why, now: Ms, actions: &mut Vec<Action>) {
        let Some(replica) = self.replicas.get_mut(&id) else {
            return;
        };
        let served = replica.serving_since.map(|since| now.saturating_sub(since));
        replica.discard();
        actions.push(Action::Discard(id, why));
        if served.is_some_and(|time| time >= STABLE) {
            return;
        }
        self.failures = self.failures.saturating_add(1);
        let (first, most) = self.settings.backoff;
        let doubled = first.saturating_mul(1 << (self.failures - 1).min(30));
        let pause = doubled.min(most);
        self.hold = now + pause;
        if self.failures > 1 {
            let failures = self.failures;
            actions.push(Action::BackOff { failures, pause });
        }
    }

    /// What is over its time.
    pub(super) fn deadlines(&mut self, now: Ms, actions: &mut Vec<Action>) {
        let ids: Vec<u32> = self.replicas.keys().copied().collect();
        for id in ids {
            let Some(replica) = self.replicas.get_mut(&id) else {
                continue;
            };
            if replica
                .serving_since
                .is_some_and(|since| now >= since + STABLE)
                && replica.state == State::Serving
            {
                self.failures = 0;
            }
            let over = replica.deadline.is_some_and(|at| now >= at);
            match replica.state {
                State::Draining if over => {
                    replica.discard();
                    actions.push(Action::Discard(id, Why::Rejuvenated));
                }
                State::Discarded | State::Draining => {}
                state if over && state.comes() => {
                    let said = replica.last_bad.clone();
                    let why = format!(
                        "it was {} when its time of grace was over {said}",
                        state.word()
                    );
                    self.fault(id, Why::NotHealthy(why.trim_end().into()), now, actions);
                }
                state
                    if replica
                        .leaves_at(&self.settings)
                        .is_some_and(|at| now >= at) =>
                {
                    if state == State::Serving {
                        self.drain(id, now, actions);
                    } else {
                        let why = "it was not ready at the bound of its exposure".to_owned();
                        self.fault(id, Why::NotHealthy(why), now, actions);
                    }
                }
                _ => {}
            }
        }
    }

    fn drain(&mut self, id: u32, now: Ms, actions: &mut Vec<Action>) {
        let Some(replica) = self.replicas.get_mut(&id) else {
            return;
        };
        replica.go(State::Draining, now);
        let bound = self.settings.exposure.map(|bound| replica.made + bound);
        let end = now + self.settings.drain;
        replica.deadline = Some(bound.map_or(end, |bound| bound.min(end)));
        replica.next_check = None;
        actions.push(Action::Drain(id));
    }

    /// Replaces what is due: marks it, so that its successor is made, and drains it when that serves.
    pub(super) fn roll(&mut self, now: Ms, actions: &mut Vec<Action>) {
        let settings = self.settings.clone();
        let target = settings.replicas as usize;
        let mut marked = self.count(|replica| replica.leaving && replica.state == State::Serving);
        let most = (settings.surge as usize).max(1);
        let mut due: Vec<(Ms, u32)> = self
            .replicas
            .iter()
            .filter(|(_, replica)| !replica.leaving && replica.is_due(&settings, now))
            .map(|(id, replica)| (replica.made, *id))
            .collect();
        due.sort_unstable();
        for (_, id) in due {
            if marked >= most {
                break;
            }
            if let Some(replica) = self.replicas.get_mut(&id) {
                replica.leaving = true;
                marked += 1;
            }
        }
        self.shrink(target, actions);
        // With a surge the successor serves first; without one, what is left must be enough.
        let floor = if settings.surge > 0 {
            target
        } else {
            settings.min_live as usize
        };
        let mut leaving: Vec<(Ms, u32)> = self
            .replicas
            .iter()
            .filter(|(_, replica)| replica.leaving && replica.state == State::Serving)
            .map(|(id, replica)| (replica.made, *id))
            .collect();
        leaving.sort_unstable();
        for (_, id) in leaving {
            let coming = self.count(|replica| replica.state.comes());
            let one_by_one = settings.surge > 0 || coming == 0;
            if self.serving() > floor && one_by_one {
                self.drain(id, now, actions);
            }
        }
    }

    /// Of too many, those that come up go at once, and the oldest of the others drain.
    fn shrink(&mut self, target: usize, actions: &mut Vec<Action>) {
        let stays = |replica: &Replica| !replica.leaving && replica.state <= State::Serving;
        let mut extra = self.count(stays).saturating_sub(target);
        let mut ids: Vec<(bool, Ms, u32)> = self
            .replicas
            .iter()
            .filter(|(_, replica)| stays(replica))
            .map(|(id, replica)| (replica.state == State::Serving, replica.made, *id))
            .collect();
        ids.sort_unstable();
        for (serving, _, id) in ids {
            let Some(replica) = self.replicas.get_mut(&id).filter(|_| extra > 0) else {
                return;
            };
            extra -= 1;
            if serving {
                replica.leaving = true;
            } else {
                replica.discard();
                actions.push(Action::Discard(id, Why::Down));
            }
        }
    }

    /// Makes what is missing.
    pub(super) fn fill(&mut self, now: Ms, actions: &mut Vec<Action>) {
        if now < self.hold {
            return;
        }
        let target = self.settings.replicas as usize;
        let in_place = self.settings.surge == 0;
        let stays = self.count(|replica| {
            let leaves = replica.leaving && !(in_place && replica.state == State::Serving);
            !leaves && replica.state <= State::Serving
        });
        let coming = self.count(|replica| replica.state.comes());
        // While starts fail one is tried at a time.
        let at_once = if self.failures > 1 { 1 } else { AT_ONCE };
        let room = at_once.saturating_sub(coming);
        let first =
            self.next < self.settings.replicas.saturating_add(1) && self.settings.every.is_some();
        for _ in 0..target.saturating_sub(stays).min(room) {
            let id = self.next;
            self.next = self.next.wrapping_add(1);
            // Those of the beginning are all of one age: spread, so that they do not leave at once.
            let share = if first && id <= self.settings.replicas && id > 0 {
                500 + 500 * u64::from(id) / u64::from(self.settings.replicas)
            } else {
                1000
            };
            self.replicas
                .insert(id, Replica::new(now, self.settings.grace, share));
            actions.push(Action::Make(id));
        }
    }

    pub(super) fn checks(&mut self, now: Ms, actions: &mut Vec<Action>) {
        for (id, replica) in &mut self.replicas {
            let checked = matches!(replica.state, State::Checking | State::Serving);
            if checked && !replica.checking && replica.next_check.is_some_and(|at| now >= at) {
                replica.checking = true;
                actions.push(Action::Check(*id));
            }
        }
    }
}
