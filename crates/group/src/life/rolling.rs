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
            (What::Checked(result), State::Checking | State::Ready | State::Serving)
                if replica.checking =>
            {
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
        let up = replica.state.is_up();
        let pause = if up {
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
        if !up && replica.good >= settings.rise {
            replica.go(State::Ready, now);
            replica.ready_since = Some(now);
            replica.deadline = None;
            replica.next_check = Some(now + settings.interval.max(1));
            actions.push(Action::Ready(id));
        } else if up && replica.bad >= settings.fall {
            let why = Why::Unhealthy(replica.last_bad.clone());
            self.fault(id, why, now, actions);
        }
    }

    /// Discards a replica at once. Whether it counts as a failed start is told by how long it was up.
    fn fault(&mut self, id: u32, why: Why, now: Ms, actions: &mut Vec<Action>) {
        let Some(replica) = self.replicas.get_mut(&id) else {
            return;
        };
        let up = replica.ready_since.map(|since| now.saturating_sub(since));
        replica.discard();
        actions.push(Action::Discard(id, why));
        if up.is_some_and(|time| time >= STABLE) {
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
            // Each ends a row once: those that are sound must not hide one that fails again and again.
            let stable = replica.ready_since.is_some_and(|at| now >= at + STABLE);
            if stable && replica.state.is_up() && !replica.proved {
                replica.proved = true;
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
                    } else if state == State::Ready {
                        replica.discard();
                        actions.push(Action::Discard(id, Why::Rejuvenated));
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

    /// Marks what is due, so that its successor is made: of those that serve `surge` at a time, oldest first.
    pub(super) fn mark(&mut self, now: Ms) {
        let settings = self.settings.clone();
        let mut marked = self.count(|replica| replica.leaving && replica.state == State::Serving);
        let most = (settings.surge as usize).max(1);
        for id in self.oldest(|replica| !replica.leaving && replica.is_due(&settings, now)) {
            let Some(replica) = self.replicas.get_mut(&id) else {
                continue;
            };
            if replica.state == State::Serving {
                if marked >= most {
                    continue;
                }
                marked += 1;
            }
            replica.leaving = true;
        }
    }

    /// Lets those that are ready serve where one is missing, the oldest first: those that wait stay young.
    ///
    /// One that is to be replaced and still serves is not missing: its successor comes besides the spares,
    /// which are there for faults.
    pub(super) fn promote(&mut self, now: Ms, actions: &mut Vec<Action>) {
        let target = self.settings.replicas as usize;
        let spares = self.settings.spares as usize;
        // One that is due itself goes only where requests would find too few.
        for due in [false, true] {
            let waits = |replica: &Replica| replica.state == State::Ready && replica.leaving == due;
            for id in self.oldest(waits) {
                let stay =
                    self.count(|replica| replica.state == State::Serving && !replica.leaving);
                let succeeds = !due && stay < target && self.count(waits) > spares;
                let wanted = self.serving() < target || succeeds;
                let Some(replica) = self.replicas.get_mut(&id).filter(|_| wanted) else {
                    break;
                };
                replica.go(State::Serving, now);
                replica.leaving = false;
                actions.push(Action::Serve(id));
            }
        }
    }

    /// Lets go those that are marked and made good.
    pub(super) fn let_go(&mut self, now: Ms, actions: &mut Vec<Action>) {
        let settings = self.settings.clone();
        // With a surge the successor serves first; without one, what is left must be enough.
        let floor = if settings.surge > 0 {
            settings.replicas
        } else {
            settings.min_live
        };
        for id in self.oldest(|replica| replica.leaving && replica.state == State::Serving) {
            let coming = self.count(|replica| replica.state.comes());
            let one_by_one = settings.surge > 0 || coming == 0;
            if self.serving() > floor as usize && one_by_one {
                self.drain(id, now, actions);
            }
        }
        let spare = |replica: &Replica, leaving| {
            replica.state == State::Ready && replica.leaving == leaving
        };
        for id in self.oldest(|replica| spare(replica, true)) {
            let others = self.count(|replica| spare(replica, false));
            if others >= settings.spares as usize
                && let Some(replica) = self.replicas.get_mut(&id)
            {
                replica.discard();
                actions.push(Action::Discard(id, Why::Rejuvenated));
            }
        }
    }

    /// Of too many, those that do not serve go at once, the youngest first, and the oldest that serve drain.
    pub(super) fn shrink(&mut self, actions: &mut Vec<Action>) {
        let target = self.settings.replicas as usize;
        let serve = |replica: &Replica| !replica.leaving && replica.state == State::Serving;
        let wait = |replica: &Replica| !replica.leaving && replica.state < State::Serving;
        let serving = self.count(serve);
        for id in self
            .oldest(serve)
            .into_iter()
            .take(serving.saturating_sub(target))
        {
            if let Some(replica) = self.replicas.get_mut(&id) {
                replica.leaving = true;
            }
        }
        let wanted = target.saturating_sub(serving) + self.settings.spares as usize;
        let waiting = self.oldest(wait);
        let extra = waiting.len().saturating_sub(wanted);
        for id in waiting.into_iter().rev().take(extra) {
            if let Some(replica) = self.replicas.get_mut(&id) {
                replica.discard();
                actions.push(Action::Discard(id, Why::Down));
            }
        }
    }

    /// Those of which it is so, oldest first.
    pub(super) fn oldest(&self, what: impl Fn(&Replica) -> bool) -> Vec<u32> {
        let found = self.replicas.iter().filter(|(_, replica)| what(replica));
        let mut found: Vec<(Ms, u32)> = found.map(|(id, replica)| (replica.made, *id)).collect();
        found.sort_unstable();
        found.into_iter().map(|(_, id)| id).collect()
    }

    /// Makes what is missing.
    pub(super) fn fill(&mut self, now: Ms, actions: &mut Vec<Action>) {
        if now < self.hold {
            return;
        }
        let in_place = self.settings.surge == 0;
        let stays = self.count(|replica| {
            let leaves = replica.leaving && !(in_place && replica.state == State::Serving);
            !leaves && replica.state <= State::Serving
        });
        let coming = self.count(|replica| replica.state.comes());
        // While starts fail one is tried at a time.
        let at_once = if self.failures > 1 { 1 } else { AT_ONCE };
        let needed = (self.settings.replicas as usize).saturating_sub(stays);
        let needed = needed.min(at_once.saturating_sub(coming));
        let missing = self.spares_now(stays + needed, coming + needed, at_once);
        let begun = self.settings.replicas + self.settings.spares;
        let first = self.next <= begun && self.settings.every.is_some();
        for _ in 0..needed + missing {
            let id = self.next;
            self.next = self.next.wrapping_add(1);
            // Those of the beginning are all of one age: spread, so that they do not leave at once.
            let share = if first && id <= begun && id > 0 {
                500 + 500 * u64::from(id) / u64::from(begun)
            } else {
                1000
            };
            self.replicas
                .insert(id, Replica::new(now, self.settings.grace, share));
            actions.push(Action::Make(id));
        }
    }

    /// How many spares are made now, where so many are or will be there, of which so many come up.
    ///
    /// With the replacement, not after it: of faults that come faster than replicas, each then begins
    /// a start at once. But starts slow one another. So a spare is begun beside at most as many others as
    /// there are to be spares, and beside none while nobody serves.
    fn spares_now(&self, there: usize, coming: usize, at_once: usize) -> usize {
        if self.serving() == 0 {
            return 0;
        }
        let spares = self.settings.spares as usize;
        let missing = (self.settings.replicas as usize + spares).saturating_sub(there);
        let most = at_once.min(spares + 1);
        missing.min(most.saturating_sub(coming))
    }

    pub(super) fn checks(&mut self, now: Ms, actions: &mut Vec<Action>) {
        for (id, replica) in &mut self.replicas {
            let checked = replica.state == State::Checking || replica.state.is_up();
            if checked && !replica.checking && replica.next_check.is_some_and(|at| now >= at) {
                replica.checking = true;
                actions.push(Action::Check(*id));
            }
        }
    }
}
