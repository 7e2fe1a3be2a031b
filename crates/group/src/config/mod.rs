//! The group's file, checked: what a group is to be, with a default for all that it does not say.
//!
//! `written` has the file's form, `values` reads single values, `read` makes this of them and tells what
//! is wrong.

mod fault;
mod read;
pub mod units;
mod values;
mod written;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

pub use fault::Fault;

use crate::allowed::Allowed;
use crate::normal::Rules;

/// The longest file in bytes.
pub const LONGEST: usize = 64 * 1024;

/// The most replicas of a group.
pub const MOST_REPLICAS: u32 = 200;

/// A group's file that was checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The group's name; none: the file's own, without its ending.
    pub name: Option<String>,
    /// The VM or snapshot that replicas are clones of; none: the host as it is.
    pub from: Option<String>,
    /// Services of `from`, a profile, that are started before the program.
    pub services: Vec<String>,
    /// Rules of `from`, a profile, as a policy's text; empty: none.
    pub rules: String,
    /// Program and arguments; empty: those of `from`.
    pub command: Vec<String>,
    /// The program's current folder; none: that of `from`, or of the command line.
    pub workdir: Option<String>,
    /// Variables set for it.
    pub env: BTreeMap<String, String>,
    /// `outbound`, `loopback` or `none`, as `run --network` has it; with `host` replicas would meet at one port.
    pub network: String,
    /// Folders that all replicas share with the host, as `run -v` takes them.
    pub shares: Vec<String>,
    /// A file of rules for names, as `run --policy` takes it.
    pub policy: Option<String>,
    /// How many.
    pub replicas: u32,
    /// So many more are up, checked, and have no requests: the next fault's replacement.
    pub spares: u32,
    /// The port that each listens on, at its own address.
    pub port: u16,
    /// The front.
    pub front: Front,
    /// How a replica is checked.
    pub check: Check,
    /// What is asked of a replica before its checks, to warm it up.
    pub warm: Option<Warm>,
    /// When replicas are replaced.
    pub replace: Replace,
    /// How answers are compared; what it says counts in vote mode only.
    pub vote: Vote,
    /// What a replica may change; none: this is not looked at.
    pub changes: Option<Changes>,
    /// Attempts to reach out of the VM; none: they are not looked at.
    pub denied: Option<Denied>,
    /// How far a replica may grow.
    pub growth: Growth,
    /// What is kept of removed replicas.
    pub evidence: Evidence,
}

/// How requests go to replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Each to one, that with the fewest.
    Balance,
    /// Each to all; the majority's answer goes out.
    Vote,
}

/// What the front understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1 and 1.0.
    Http,
    /// Bytes.
    Tcp,
}

/// The front.
#[derive(Debug, Clone)]
pub struct Front {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where it tells how the group is: 200 as long as enough replicas serve, else 503, 404 while it goes
    /// down; none: nowhere.
    pub status: Option<SocketAddr>,
    /// How requests go to replicas.
    pub mode: Mode,
    /// What it understands.
    pub protocol: Protocol,
    /// The most connections of clients at one time.
    pub connections: usize,
    /// The most requests that one replica has at one time.
    pub per_replica: usize,
    /// The most requests that wait; further ones get 503.
    pub queue: usize,
    /// How long a request may wait.
    pub queue_time: Duration,
    /// The most bytes of a request's line and headers.
    pub head: usize,
    /// The most headers of a request.
    pub headers: usize,
    /// The most bytes of a request's body.
    pub body: u64,
    /// How long a request's head may take to come, and the pause between two requests.
    pub head_time: Duration,
    /// How long a body, or a client that does not read, may stand still.
    pub idle_time: Duration,
    /// How long a replica may take to begin its answer.
    pub answer_time: Duration,
    /// Answers up to so many bytes go out only when they are whole, so that a replica that dies
    /// in the middle of one is not seen.
    pub whole: u64,
}

/// How a replica is checked. All that are given must pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Path of a GET; none: no HTTP check.
    pub http: Option<String>,
    /// The status that is expected of it.
    pub status: u16,
    /// What its body must hold.
    pub body: Option<String>,
    /// A program inside that must end with 0.
    pub command: Vec<String>,
    /// How often a replica that serves is checked.
    pub interval: Duration,
    /// How often one that is coming up is.
    pub start_interval: Duration,
    /// How long one check may take.
    pub timeout: Duration,
    /// So many good ones in a row, and it serves.
    pub rise: u32,
    /// So many bad ones in a row, and it is replaced.
    pub fall: u32,
    /// How long it may take from its making until it serves.
    pub grace: Duration,
}

/// Requests before the checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warm {
    /// Path of the GETs.
    pub path: String,
    /// How many.
    pub requests: u32,
}

/// When replicas are replaced, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replace {
    /// After so long; none: not by age.
    pub every: Option<Duration>,
    /// After so many requests; none: not by requests.
    pub requests: Option<u64>,
    /// No replica lives longer than this.
    pub exposure: Option<Duration>,
    /// A replacement by age or requests leaves at least so many that serve.
    pub min_live: u32,
    /// How many may be there above `replicas` while they are replaced. With 0, one leaves before the next comes.
    pub surge: u32,
    /// How long a replica that leaves may go on with the requests that it has.
    pub drain: Duration,
    /// The pause after a first failed start, doubled with each further one.
    pub backoff: Duration,
    /// The longest such pause.
    pub backoff_most: Duration,
}

/// How answers are compared.
#[derive(Debug, Clone)]
pub struct Vote {
    /// What is left out of the comparison.
    pub rules: Rules,
    /// The most bytes of an answer.
    pub answer: u64,
    /// How much longer than the majority a replica may take.
    pub late: Duration,
}

/// What a replica may change.
#[derive(Debug, Clone)]
pub struct Changes {
    /// Patterns of files and keys.
    pub allowed: Allowed,
    /// How often is looked.
    pub interval: Duration,
}

/// What a replica may be refused without being taken for an intruder's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// Names that do not count: a text that is somewhere in one, or, with `*` or `?` in it, a pattern of all of it.
    pub ignore: Vec<String>,
    /// How often is looked.
    pub interval: Duration,
}

/// How far a replica may grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Growth {
    /// Private memory of its processes in bytes.
    pub memory: Option<u64>,
    /// Processes at one time.
    pub processes: Option<u32>,
    /// Changed files.
    pub files: Option<u64>,
}

/// What is kept of removed replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// The most bytes of one replica's.
    pub size: u64,
    /// So many replicas' are kept.
    pub keep: u32,
}

impl Config {
    /// Equal answers that decide a vote: more than half of all replicas.
    #[must_use]
    pub fn quorum(&self) -> u32 {
        self.replicas / 2 + 1
    }
}
