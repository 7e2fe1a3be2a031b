//! A world that carries out what a group's life decides, and judges it.

use super::super::*;

/// A world that carries out actions: some time after each its event comes.
pub(super) struct World {
    pub(super) life: Life,
    pub(super) now: Ms,
    to_come: Vec<(Ms, Event)>,
    pub(super) told: Vec<Action>,
    /// How long starting takes.
    pub(super) slow: Ms,
    /// Whether nothing can be started.
    pub(super) broken: bool,
    /// Replicas that forced leaving took below `min_live`.
    pub(super) forced: bool,
    /// When a replica began to serve.
    pub(super) served: Vec<Ms>,
}

impl World {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            life: Life::new(settings, 1),
            now: 0,
            to_come: Vec::new(),
            told: Vec::new(),
            slow: 100,
            broken: false,
            forced: false,
            served: Vec::new(),
        }
    }

    pub(super) fn step(&mut self, event: &Event) {
        let before = self.life.clone();
        let actions = self.life.step(event, self.now);
        self.judge_spares();
        for action in &actions {
            self.judge(&before, action);
            let of = |id: &u32, what| Event::Of(*id, what);
            let (after, event) = match action {
                Action::Make(id) => (self.slow / 2, of(id, What::Made)),
                Action::Start(id) if self.broken => {
                    let why = Why::NotStarted("broken".into());
                    (self.slow / 2, of(id, What::Fault(why)))
                }
                Action::Start(id) => (self.slow / 2, of(id, What::Started)),
                Action::Warm(id) => (20, of(id, What::Warmed)),
                Action::Check(id) => (5, of(id, What::Checked(Ok(())))),
                Action::Drain(id) => (50, of(id, What::Drained)),
                Action::Discard(id, _) => (80, of(id, What::Gone)),
                Action::Serve(_) => {
                    self.served.push(self.now);
                    continue;
                }
                Action::Ready(_) | Action::BackOff { .. } => continue,
            };
            self.to_come.push((self.now + after, event));
        }
        self.told.extend(actions);
    }

    /// Whether the action keeps the promises.
    fn judge(&mut self, before: &Life, action: &Action) {
        let settings = &self.life.settings;
        if let Action::Drain(id) = action {
            let replica = &before.replicas[id];
            let bound = settings
                .exposure
                .map_or(Ms::MAX, |bound| replica.made + bound - settings.drain);
            let left = self.life.count(|replica| replica.state == State::Serving);
            if self.now < bound {
                assert!(
                    left >= settings.min_live as usize,
                    "left {left} of {before:#?}"
                );
            } else if left < settings.min_live as usize {
                self.forced = true;
            }
        }
    }

    /// Nobody waits as a spare while one that serves is missing.
    fn judge_spares(&self) {
        let life = &self.life;
        let waits = life.count(|replica| replica.state == State::Ready);
        assert!(
            life.down || waits == 0 || life.serving() >= life.settings.replicas as usize,
            "{life:#?}"
        );
        let most = life.settings.replicas + life.settings.spares;
        let there = life.count(|replica| !replica.leaving && replica.state <= State::Serving);
        assert!(there <= most as usize, "{life:#?}");
    }

    /// Lets time go by until then.
    pub(super) fn until(&mut self, end: Ms) {
        loop {
            let next = self.to_come.iter().map(|(at, _)| *at).min();
            let wake = self.life.wakes_at(self.now);
            let at = next.into_iter().chain(wake).min().unwrap_or(end).min(end);
            self.now = self.now.max(at);
            let place = self.to_come.iter().position(|(at, _)| *at <= self.now);
            let event = place.map_or(Event::Tick, |place| self.to_come.swap_remove(place).1);
            self.step(&event);
            for (id, replica) in &self.life.replicas {
                let bound = self.life.settings.exposure.unwrap_or(Ms::MAX);
                let age = self.now - replica.made;
                assert!(
                    replica.state == State::Discarded || age <= bound,
                    "{id} is {age} ms old: {replica:?}"
                );
            }
            if self.now >= end && self.to_come.iter().all(|(at, _)| *at > end) {
                return;
            }
        }
    }

    pub(super) fn discards(&self, word: &str) -> usize {
        let all = self.told.iter();
        all.filter(|action| matches!(action, Action::Discard(_, why) if why.word() == word))
            .count()
    }
}
