//! The front's limits.

use std::time::Duration;

use pinion_group::Config;
use pinion_group::config::{Mode, Protocol};
use pinion_group::normal::Rules;

/// What a front goes by.
#[derive(Debug, Clone)]
pub struct Settings {
    /// One replica for each request, or all.
    pub mode: Mode,
    /// HTTP or bytes.
    pub protocol: Protocol,
    /// Equal answers that decide a vote.
    pub quorum: usize,
    /// Replicas of the whole group.
    pub replicas: usize,
    /// The most connections of clients.
    pub connections: usize,
    /// The most requests of one replica at one time.
    pub per_replica: usize,
    /// The most requests that wait.
    pub queue: usize,
    /// How long one waits.
    pub queue_time: Duration,
    /// The most bytes of a request's head.
    pub head: usize,
    /// The most headers.
    pub headers: usize,
    /// The most bytes of a request's body.
    pub body: u64,
    /// How long a head may take.
    pub head_time: Duration,
    /// How long a body or a reader may stand still.
    pub idle_time: Duration,
    /// How long an answer may take to begin.
    pub answer_time: Duration,
    /// Answers up to this size go out whole.
    pub whole: u64,
    /// What is compared of answers.
    pub rules: Rules,
    /// The most bytes of an answer in a vote.
    pub answer: u64,
    /// How much later than the majority an answer may come.
    pub late: Duration,
}

impl Settings {
    /// As the group's file says.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let front = &config.front;
        Self {
            mode: front.mode,
            protocol: front.protocol,
            quorum: config.quorum() as usize,
            replicas: config.replicas as usize,
            connections: front.connections,
            per_replica: front.per_replica,
            queue: front.queue,
            queue_time: front.queue_time,
            head: front.head,
            headers: front.headers,
            body: front.body,
            head_time: front.head_time,
            idle_time: front.idle_time,
            answer_time: front.answer_time,
            whole: front.whole,
            rules: config.vote.rules.clone(),
            answer: config.vote.answer,
            late: config.vote.late,
        }
    }
}
