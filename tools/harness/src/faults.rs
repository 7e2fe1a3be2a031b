//! Faults put into a group under load: one at a time into a replica that serves, and what became of each.

use crate::clients::Clients;
use crate::group::{Event, Fault, Group, now_ms};
use anyhow::Result;
use serde::Serialize;
use std::time::{Duration, Instant};

/// One fault.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// What was done.
    pub fault: String,
    /// The replica.
    pub replica: u32,
    /// When it was done, in ms since 1970.
    pub at_ms: u64,
    /// Until the replica was taken out, in ms; none: it was not noticed.
    pub noticed_after_ms: Option<u64>,
    /// As what it was noticed.
    pub noticed_as: String,
    /// From there until another served in its place, in ms.
    pub replaced_after_ms: Option<u64>,
    /// Where the evidence lies.
    pub evidence: String,
}

/// What came of a group under load.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// The group.
    pub group: String,
    /// Its mode.
    pub mode: String,
    /// Seconds of load.
    pub seconds: f64,
    /// Requests of the clients.
    pub requests: u64,
    /// Answers of status 200 with another page.
    pub wrong_answers: u64,
    /// Requests without an answer of status 200.
    pub failed_requests: u64,
    /// The longest that a client waited, in ms.
    pub slowest_ms: u64,
    /// Faults.
    pub faults: usize,
    /// Those that were noticed.
    pub noticed: usize,
    /// The longest life of a replica, in ms.
    pub longest_life_ms: u64,
    /// What failures were, the first few.
    pub told: Vec<String>,
    /// A row for each fault.
    pub rows: Vec<Row>,
}

/// So many times its time a load goes on at most for the faults that it still lacks.
const PATIENCE: u32 = 10;

/// What is done to a group.
pub struct Load<'a> {
    /// The group.
    pub group: &'a Group<'a>,
    /// `vote` or `balance`.
    pub mode: &'a str,
    /// What the page must be.
    pub page: &'a str,
    /// The file to deface, a Windows path.
    pub file: &'a str,
    /// The kinds of faults, in turn.
    pub kinds: &'a [Fault],
    /// Time between two faults.
    pub every: Duration,
    /// How long at least.
    pub time: Duration,
    /// Faults to be done at least, however long a slow machine takes to make each good.
    pub at_least: usize,
}

impl Load<'_> {
    /// Clients ask all the time; every now and then a replica is hurt, when all serve: as long as the last
    /// fault is not made good, one more could leave no majority.
    ///
    /// # Errors
    /// When the group does not come up again.
    pub fn run(&self, seed: u64) -> Result<Outcome> {
        let status = self.group.wait(Duration::from_secs(60))?;
        let clients = Clients::start(status.front, "/", self.page, 4, Duration::from_millis(10));
        let start = Instant::now();
        let mut rows = Vec::new();
        let mut random = seed | 1;
        let hurt = self.hurt_again_and_again(start, &mut random, &mut rows);
        // What was done last shall be noticed, too.
        let settled = hurt.and_then(|()| {
            std::thread::sleep(Duration::from_secs(4));
            self.group.wait(Duration::from_secs(60))
        });
        let seconds = start.elapsed().as_secs_f64();
        let seen = clients.stop();
        let (status, events) = (settled?, self.group.events()?);
        for row in &mut rows {
            find(row, &events);
        }
        // Those that were leaving when they were hit are gone, and no fault could be seen of them.
        rows.retain(|row| row.noticed_as != "rejuvenated");
        Ok(Outcome {
            group: self.group.name.clone(),
            mode: self.mode.into(),
            seconds,
            requests: seen.right + seen.wrong + seen.failed,
            wrong_answers: seen.wrong,
            failed_requests: seen.failed,
            slowest_ms: u64::try_from(seen.slowest.as_millis()).unwrap_or(u64::MAX),
            faults: rows.len(),
            noticed: rows
                .iter()
                .filter(|row| row.noticed_after_ms.is_some())
                .count(),
            longest_life_ms: status.longest_life_ms,
            told: seen.told,
            rows,
        })
    }

    fn hurt_again_and_again(
        &self,
        start: Instant,
        random: &mut u64,
        rows: &mut Vec<Row>,
    ) -> Result<()> {
        let mut next = start + self.every;
        let on = |done: usize| {
            let elapsed = start.elapsed();
            elapsed < self.time || done < self.at_least && elapsed < self.time * PATIENCE
        };
        while on(rows.len()) {
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
            next = Instant::now() + self.every;
            let status = self.group.wait(Duration::from_secs(60))?;
            let serving: Vec<_> = status
                .replicas
                .iter()
                .filter(|one| one.state == "serving")
                .collect();
            let victim = serving[(draw(random) % serving.len() as u64) as usize];
            let fault = self.kinds[rows.len() % self.kinds.len()];
            let at_ms = now_ms();
            if self.group.hurt(fault, &victim.vm, self.file)? {
                rows.push(Row {
                    fault: fault.word().into(),
                    replica: victim.replica,
                    at_ms,
                    noticed_after_ms: None,
                    noticed_as: String::new(),
                    replaced_after_ms: None,
                    evidence: String::new(),
                });
            }
        }
        Ok(())
    }
}

/// What the events tell of a fault.
fn find(row: &mut Row, events: &[Event]) {
    let of = |event: &&Event| event.event == "discarded" && event.replica == Some(row.replica);
    let Some(discarded) = events.iter().find(of) else {
        return;
    };
    row.noticed_as.clone_from(&discarded.why);
    if discarded.why == "rejuvenated" || discarded.why == "down" {
        return;
    }
    row.noticed_after_ms = Some(discarded.at_ms.saturating_sub(row.at_ms));
    row.evidence.clone_from(&discarded.evidence);
    let after = events.iter().filter(|event| event.at_ms >= discarded.at_ms);
    let mut serving =
        after.filter(|event| event.event == "serving" && event.replica != Some(row.replica));
    row.replaced_after_ms = serving.next().map(|event| event.at_ms - discarded.at_ms);
}

/// The next number of a sequence (xorshift).
fn draw(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}
