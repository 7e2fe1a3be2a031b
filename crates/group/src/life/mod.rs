//! The life of replicas: a function of state, event and time.
//!
//! [`Life::step`] takes what happened and gives what is to be done; nothing happens here. Times are
//! milliseconds since any fixed moment and never go back.
//!
//! ```text
//! cloned ─► starting ─► warming ─► checking ─► ready ─► serving ─► draining ─► discarded
//!    └──────────┴───────────┴──────────┴─────────┴─────────┴──────────┴───────────▲
//!            a crash, a failed check, a disagreement, …: at once
//! ```
//!
//! One that is ready serves at once where one is missing; `spares` of them wait for that.
//!
//! Two promises hold whatever happens:
//! - a replacement by age or number of requests never leaves fewer than `min_live` that serve,
//!   as long as the bound of the next lets it;
//! - no replica lives longer than `exposure`: it drains in time, and where both cannot be had
//!   (no replacement comes up), this one goes first.

mod replica;
mod rolling;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::config::Config;
pub use replica::{Event, Replica, State, What, Why};

/// Milliseconds.
pub type Ms = u64;

/// What a group goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// So many are to serve.
    pub replicas: u32,
    /// So many more are to be ready.
    pub spares: u32,
    /// A replacement by age or requests leaves at least so many that serve.
    pub min_live: u32,
    /// So many above `replicas` may be there meanwhile.
    pub surge: u32,
    /// Whether replicas are warmed up.
    pub warms: bool,
    /// Time between checks of one that serves.
    pub interval: Ms,
    /// Time between checks of one that comes up.
    pub start_interval: Ms,
    /// Good checks in a row until it serves.
    pub rise: u32,
    /// Bad checks in a row until it is replaced.
    pub fall: u32,
    /// From its making until it serves.
    pub grace: Ms,
    /// Replaced at this age.
    pub every: Option<Ms>,
    /// Replaced after so many requests.
    pub requests: Option<u64>,
    /// The longest life.
    pub exposure: Option<Ms>,
    /// The longest time to drain.
    pub drain: Ms,
    /// First and longest pause after failed starts.
    pub backoff: (Ms, Ms),
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Clone a new replica; then [`Event::Made`].
    Make(u32),
    /// Start its program; then [`Event::Started`].
    Start(u32),
    /// Warm it up; then [`Event::Warmed`].
    Warm(u32),
    /// Check it once; then [`Event::Checked`].
    Check(u32),
    /// It is ready, which is told; it may serve at the same moment.
    Ready(u32),
    /// Let it have requests.
    Serve(u32),
    /// Give it no further requests; when it has none, [`Event::Drained`].
    Drain(u32),
    /// Take it from the front, end and remove it, and keep evidence unless it left in peace; then
    /// [`Event::Gone`].
    Discard(u32, Why),
    /// Starts fail again and again: the next is tried in so many milliseconds.
    BackOff {
        /// Failed starts in a row.
        failures: u32,
        /// The pause.
        pause: Ms,
    },
}

/// A replica that failed within this time after it was ready counts as a failed start.
const STABLE: Ms = 500;
/// The most that are made at one time.
const AT_ONCE: usize = 8;

/// The group's state.
#[derive(Debug, Clone)]
pub struct Life {
    settings: Settings,
    replicas: BTreeMap<u32, Replica>,
    next: u32,
    failures: u32,
    hold: Ms,
    down: bool,
}

impl Settings {
    /// As the file says.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let ms = |time: std::time::Duration| Ms::try_from(time.as_millis()).unwrap_or(Ms::MAX / 4);
        let (check, replace) = (&config.check, &config.replace);
        Self {
            replicas: config.replicas,
            spares: config.spares,
            min_live: replace.min_live,
            surge: replace.surge,
            warms: config.warm.is_some(),
            interval: ms(check.interval),
            start_interval: ms(check.start_interval),
            rise: check.rise,
            fall: check.fall,
            grace: ms(check.grace),
            every: replace.every.map(ms),
            requests: replace.requests,
            exposure: replace.exposure.map(ms),
            drain: ms(replace.drain),
            backoff: (ms(replace.backoff), ms(replace.backoff_most)),
        }
    }
}

impl Life {
    /// A group without replicas yet, the next of which has the number `first`. [`Life::step`] with
    /// [`Event::Tick`] begins it.
    #[must_use]
    pub fn new(settings: Settings, first: u32) -> Self {
        Self {
            settings,
            replicas: BTreeMap::new(),
            next: first,
            failures: 0,
            hold: 0,
            down: false,
        }
    }

    /// The replicas that are there, those that are being discarded too.
    #[must_use]
    pub fn replicas(&self) -> &BTreeMap<u32, Replica> {
        &self.replicas
    }

    /// How many are to serve.
    #[must_use]
    pub fn target(&self) -> u32 {
        self.settings.replicas
    }

    /// Failed starts in a row, and until when the next one is put off.
    #[must_use]
    pub fn backing_off(&self) -> (u32, Ms) {
        (self.failures, self.hold)
    }

    /// How many serve.
    #[must_use]
    pub fn serving(&self) -> usize {
        self.count(|replica| replica.state == State::Serving)
    }

    /// How many are ready to.
    #[must_use]
    pub fn ready(&self) -> usize {
        self.count(|replica| replica.state == State::Ready)
    }

    fn count(&self, what: impl Fn(&Replica) -> bool) -> usize {
        self.replicas
            .values()
            .filter(|replica| what(replica))
            .count()
    }

    /// Takes what happened at `now`, and gives what is to be done. What is said of a replica that is
    /// gone, or that does not fit its state, changes nothing.
    pub fn step(&mut self, event: &Event, now: Ms) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::Tick => {}
            Event::Down => self.take_down(&mut actions),
            Event::Scale(replicas) => self.scale(*replicas),
            Event::Rejuvenate => {
                // Those that are still coming up are as clean as their successors would be.
                for replica in self.replicas.values_mut() {
                    replica.due = replica.state.is_up();
                }
            }
            Event::Of(id, what) => self.replica_event(*id, what, now, &mut actions),
        }
        self.deadlines(now, &mut actions);
        if !self.down {
            self.shrink(&mut actions);
            self.mark(now);
            self.promote(now, &mut actions);
            self.let_go(now, &mut actions);
            self.fill(now, &mut actions);
        }
        self.checks(now, &mut actions);
        actions
    }

    /// When [`Event::Tick`] is wanted at the latest; none: not before something happens.
    #[must_use]
    pub fn wakes_at(&self, now: Ms) -> Option<Ms> {
        let settings = &self.settings;
        let times = self.replicas.values().flat_map(|replica| {
            let check = replica.next_check.filter(|_| !replica.checking);
            [
                check,
                replica.deadline,
                replica.due_at(settings),
                replica.leaves_at(settings),
            ]
        });
        let hold = (self.hold > now).then_some(self.hold);
        times.flatten().chain(hold).filter(|at| *at > now).min()
    }

    /// Whether all is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.down && self.replicas.is_empty()
    }

    fn take_down(&mut self, actions: &mut Vec<Action>) {
        self.down = true;
        for (id, replica) in &mut self.replicas {
            if replica.state != State::Discarded {
                replica.discard();
                actions.push(Action::Discard(*id, Why::Down));
            }
        }
    }

    fn scale(&mut self, replicas: u32) {
        self.settings.replicas = replicas.max(1);
        self.settings.min_live = self.settings.min_live.min(self.settings.replicas);
    }
}
