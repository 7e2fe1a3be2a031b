//! One replica: its states and what may happen to it.

use super::{Ms, Settings};

/// The states of a replica, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Its VM is made.
    Cloned,
    /// Its program is started.
    Starting,
    /// It is warmed up.
    Warming,
    /// It is checked, and has no requests yet.
    Checking,
    /// It is as good as one that serves, and waits to take the place of one.
    Ready,
    /// It has requests.
    Serving,
    /// It gets no more requests, and finishes those that it has.
    Draining,
    /// It is ended and removed.
    Discarded,
}

impl State {
    /// Its word in tables, JSON and events.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Cloned => "cloned",
            Self::Starting => "starting",
            Self::Warming => "warming",
            Self::Checking => "checking",
            Self::Ready => "ready",
            Self::Serving => "serving",
            Self::Draining => "draining",
            Self::Discarded => "discarded",
        }
    }

    /// On its way to be ready.
    pub(super) fn comes(self) -> bool {
        self < Self::Ready
    }

    /// It has passed its checks, and is checked on and on.
    #[must_use]
    pub fn is_up(self) -> bool {
        matches!(self, Self::Ready | Self::Serving)
    }
}

/// Why a replica is discarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// The group goes down, or has too many.
    Down,
    /// It was replaced by age, number of requests, or on request.
    Rejuvenated,
    /// Its VM or program could not be made or started.
    NotStarted(String),
    /// Its program ended.
    Crashed(String),
    /// It did not serve in the time of grace.
    NotHealthy(String),
    /// Its checks failed.
    Unhealthy(String),
    /// It answered otherwise than the majority.
    Disagreed(String),
    /// It answered too late, or not at all, where the majority did.
    Late(String),
    /// It changed what it may not.
    Changed(String),
    /// It was refused what it tried to reach outside.
    Denied(String),
    /// It grew past a limit.
    Grown(String),
}

impl Why {
    /// Its word in tables, JSON and events.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Rejuvenated => "rejuvenated",
            Self::NotStarted(_) => "not_started",
            Self::Crashed(_) => "crashed",
            Self::NotHealthy(_) => "not_healthy",
            Self::Unhealthy(_) => "unhealthy",
            Self::Disagreed(_) => "disagreed",
            Self::Late(_) => "late",
            Self::Changed(_) => "changed",
            Self::Denied(_) => "denied",
            Self::Grown(_) => "grown",
        }
    }

    /// What was seen.
    #[must_use]
    pub fn detail(&self) -> &str {
        match self {
            Self::Down | Self::Rejuvenated => "",
            Self::NotStarted(why)
            | Self::Crashed(why)
            | Self::NotHealthy(why)
            | Self::Unhealthy(why)
            | Self::Disagreed(why)
            | Self::Late(why)
            | Self::Changed(why)
            | Self::Denied(why)
            | Self::Grown(why) => why,
        }
    }

    /// Whether it is a fault, and evidence is kept of it.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        !matches!(self, Self::Down | Self::Rejuvenated)
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Time went by.
    Tick,
    /// The group is to go down.
    Down,
    /// So many replicas are to serve from now on.
    Scale(u32),
    /// All replicas are to be replaced, rolling.
    Rejuvenate,
    /// Of one replica.
    Of(u32, What),
}

/// What happened to a replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Its VM is there.
    Made,
    /// Its program runs.
    Started,
    /// It is warm.
    Warmed,
    /// A check ended: well, or why not.
    Checked(Result<(), String>),
    /// It has had so many requests in all.
    Served(u64),
    /// It has no more requests.
    Drained,
    /// It is gone, with its VM.
    Gone,
    /// It is to be replaced at once.
    Fault(Why),
}

/// A replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replica {
    /// Its state.
    pub state: State,
    /// Since when it is in it.
    pub since: Ms,
    /// When it was made: from here its exposure counts.
    pub made: Ms,
    /// Since when its checks are good enough to serve, or were.
    pub ready_since: Option<Ms>,
    /// Requests that it has had.
    pub requests: u64,
    /// Good checks in a row.
    pub good: u32,
    /// Bad checks in a row.
    pub bad: u32,
    /// What the last bad one said.
    pub last_bad: String,
    pub(super) checking: bool,
    pub(super) next_check: Option<Ms>,
    /// The end of grace, or of draining.
    pub(super) deadline: Option<Ms>,
    /// The share of `every` after which it is due, in thousandths: the first ones leave one after another.
    pub(super) share: u64,
    /// To be replaced on request.
    pub(super) due: bool,
    /// It was up long enough to end a row of failed starts.
    pub(super) proved: bool,
    /// Being replaced: its successor is on the way.
    pub leaving: bool,
}

impl Replica {
    pub(super) fn new(now: Ms, grace: Ms, share: u64) -> Self {
        Self {
            state: State::Cloned,
            since: now,
            made: now,
            ready_since: None,
            requests: 0,
            good: 0,
            bad: 0,
            last_bad: String::new(),
            checking: false,
            next_check: None,
            deadline: Some(now + grace),
            share,
            due: false,
            proved: false,
            leaving: false,
        }
    }

    pub(super) fn go(&mut self, state: State, now: Ms) {
        self.state = state;
        self.since = now;
    }

    pub(super) fn discard(&mut self) {
        self.state = State::Discarded;
        self.next_check = None;
        self.deadline = None;
    }

    /// When it is to be replaced by its age.
    pub(super) fn due_at(&self, settings: &Settings) -> Option<Ms> {
        let every = settings.every?;
        (self.state.is_up() && !self.leaving)
            .then(|| self.made + every.saturating_mul(self.share) / 1000)
    }

    /// When it must begin to drain so that it is gone by its bound.
    pub(super) fn leaves_at(&self, settings: &Settings) -> Option<Ms> {
        let bound = settings.exposure?;
        (self.state <= State::Serving).then(|| self.made + bound.saturating_sub(settings.drain))
    }

    pub(super) fn is_due(&self, settings: &Settings, now: Ms) -> bool {
        let worn = settings.requests.is_some_and(|most| self.requests >= most);
        let old = self.due_at(settings).is_some_and(|at| now >= at);
        self.state.is_up() && (self.due || worn || old)
    }
}
