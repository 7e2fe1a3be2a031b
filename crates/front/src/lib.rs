//! The front of a group: one address, behind which replicas come and go.
//!
//! | module | idea |
//! | --- | --- |
//! | [`settings`] | the limits, of the group's file |
//! | `replica`, `table` | one replica as the front sees it; all of them, and who waits for one |
//! | `http`, `headers`, `body` | a client's connection; what is changed of messages; bodies and their limits |
//! | `leg` | one request to one replica |
//! | `balance`, `upgrade` | a request to the replica with the fewest; a connection that becomes another protocol |
//! | `vote` | a request to all replicas, and the majority's answer |
//! | `tcp` | connections of any protocol |
//! | `status` | a page that tells how the group is |
//! | [`probe`] | the questions of checks |
//!
//! It starts, checks and ends no replica: it is told of them ([`Front::add`], [`Front::drain`],
//! [`Front::remove`]) and tells what it sees ([`Report`]). All that clients and replicas send is
//! hostile input: every size and every time has a limit.
#![forbid(unsafe_code)]

mod balance;
mod body;
mod headers;
mod http;
mod leg;
mod patient;
pub mod probe;
mod replica;
pub mod settings;
mod status;
mod table;
mod tcp;
mod upgrade;
mod vote;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

pub use settings::Settings;
use table::Table;

/// What the front saw of a replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// It answered otherwise than the majority.
    Disagreed {
        /// Which.
        replica: u32,
        /// The request's first line.
        request: String,
        /// Its answer as it came, cut at a bound.
        answer: Vec<u8>,
        /// The majority's, cut alike.
        majority: Vec<u8>,
    },
    /// The majority answered, and it did not in the time allowed.
    Late {
        /// Which.
        replica: u32,
        /// The request's first line, and what came instead of an answer.
        why: String,
    },
    /// It drains, and has no requests any more.
    Drained {
        /// Which.
        replica: u32,
    },
    /// No answer of a vote had a majority.
    Undecided {
        /// The request's first line.
        request: String,
        /// How many answered.
        answers: usize,
    },
}

/// Takes reports; called from the front's tasks, and must not wait.
pub type Reporter = Box<dyn Fn(Report) + Send + Sync>;

/// The front of one group; clones share it.
#[derive(Clone)]
pub struct Front(Arc<Inner>);

struct Inner {
    settings: Settings,
    table: Table,
    counts: Counts,
    report: Reporter,
    leaving: AtomicBool,
}

/// What happened since the start.
#[derive(Debug, Default)]
struct Counts {
    requests: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
    retried: AtomicU64,
    odd: AtomicU64,
    undecided: AtomicU64,
    connections: AtomicU64,
}

/// The front's figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Requests, or connections of TCP.
    pub requests: u64,
    /// Requests that got 503: no replica serves, or too many wait.
    pub refused: u64,
    /// Requests that got another error of the front's own because of replicas (502, 504).
    pub failed: u64,
    /// Times that a request went to another replica.
    pub retried: u64,
    /// Answers that were not the majority's.
    pub odd: u64,
    /// Votes without a majority.
    pub undecided: u64,
    /// Connections of clients now.
    pub connections: u64,
    /// Requests that wait now.
    pub waiting: u64,
    /// The most that ever waited at once.
    pub most_waiting: u64,
}

impl Front {
    /// A front without replicas.
    #[must_use]
    pub fn new(settings: Settings, report: Reporter) -> Self {
        Self(Arc::new(Inner {
            table: Table::new(),
            settings,
            counts: Counts::default(),
            report,
            leaving: AtomicBool::new(false),
        }))
    }

    /// Accepts clients for ever. Run in a task of its own; what it accepted goes on when it is dropped.
    pub async fn serve(&self, listener: TcpListener) {
        http::accept(&self.0, listener).await;
    }

    /// Tells on a page how the group is, for ever.
    pub async fn serve_status(&self, listener: TcpListener) {
        status::accept(&self.0, listener).await;
    }

    /// A new replica, which gets requests from now on.
    pub fn add(&self, replica: u32, address: SocketAddr) {
        self.0.table.add(replica, address);
    }

    /// The replica gets no further requests; [`Report::Drained`] when it has none, which may be now.
    pub fn drain(&self, replica: u32) {
        if self.0.table.drain(replica) {
            (self.0.report)(Report::Drained { replica });
        }
    }

    /// The replica is no more: what waits for its answer is given up at once.
    pub fn remove(&self, replica: u32) {
        self.0.table.remove(replica);
    }

    /// The group goes down: the status page says so.
    pub fn leave(&self) {
        self.0.leaving.store(true, Ordering::Relaxed);
    }

    /// The requests that each replica has had, and has now.
    #[must_use]
    pub fn requests(&self) -> Vec<(u32, u64, usize)> {
        self.0.table.requests()
    }

    /// The figures.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let counts = &self.0.counts;
        let (waiting, most_waiting) = self.0.table.waiting();
        Figures {
            requests: of(&counts.requests),
            refused: of(&counts.refused),
            failed: of(&counts.failed),
            retried: of(&counts.retried),
            odd: of(&counts.odd),
            undecided: of(&counts.undecided),
            connections: of(&counts.connections),
            waiting,
            most_waiting,
        }
    }
}

impl Counts {
    fn count(of: &AtomicU64) {
        of.fetch_add(1, Ordering::Relaxed);
    }
}
