//! What the command line and a group's process say to each other: one JSON value per line, over the pipe
//! `\\.\pipe\pinion-group-<id>`. A connection carries any number of requests, each with one reply.

use super::place::Place;
use crate::failure::Failure;
use pinion_front::Figures;
use pinion_store::{VmId, VmName, exit_code};
use pinion_supervisor::lines::{self, Asker, Unanswered};
use pinion_supervisor::pipe::{Connection, Listener};
use serde::{Deserialize, Serialize};
use std::fs::OpenOptions;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

/// The pipe of a run.
pub fn pipe_path(id: VmId) -> String {
    format!(r"\\.\pipe\pinion-group-{id}")
}

/// A request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// How the group is.
    Status,
    /// End all replicas, and the group's process with them. Answered when it is done.
    Down,
    /// So many replicas from now on.
    Scale {
        /// How many.
        replicas: u32,
    },
    /// Replace all replicas, one after another.
    Rejuvenate,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// It is done, or under way.
    Done,
    /// How the group is.
    Status(Box<Status>),
    /// It is not done.
    Error {
        /// The exit code.
        code: i32,
        /// One line.
        message: String,
    },
}

/// How a group is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Its name.
    pub name: VmName,
    /// `up`, `starting`, `degraded` (fewer serve than are wanted), `down`, `failing` (starts fail again and again).
    pub state: String,
    /// `balance` or `vote`.
    pub mode: String,
    /// Where the front listens.
    pub front: SocketAddr,
    /// The group's process.
    pub pid: u32,
    /// When it began, in ms since 1970.
    pub started_ms: u64,
    /// Replicas wanted.
    pub wanted: u32,
    /// Replicas that serve.
    pub serving: usize,
    /// Spares wanted.
    pub spares: u32,
    /// Replicas that are ready and do not serve.
    pub ready: usize,
    /// Failed starts in a row.
    pub failures: u32,
    /// The front's figures.
    pub figures: Figures,
    /// The replicas.
    pub replicas: Vec<ReplicaTold>,
    /// Replicas that were replaced for a fault, ever.
    pub faults: u64,
    /// The longest life of a replica so far, in ms.
    pub longest_life_ms: u64,
    /// The folder of evidence.
    pub evidence: String,
}

/// A replica.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReplicaTold {
    /// Its number.
    pub replica: u32,
    /// Its VM.
    pub vm: VmName,
    /// `cloned`, `starting`, `warming`, `checking`, `ready`, `serving`, `draining`, `discarded`.
    pub state: String,
    /// Its address.
    pub address: Option<Ipv4Addr>,
    /// Its age in ms.
    pub age_ms: u64,
    /// Requests that it has had.
    pub requests: u64,
    /// Requests that it has now.
    pub in_flight: usize,
    /// Bad checks in a row, and what the last said.
    pub bad_checks: u32,
    /// What the last bad check said.
    pub last_bad: String,
}

/// Asks a running group.
pub struct Client {
    pipe: Asker,
    name: VmName,
}

/// How long a pipe may be busy.
const CONNECT: Duration = Duration::from_secs(5);

impl Client {
    /// Connects to the group's process.
    pub fn connect(place: &Place) -> Result<Self, Failure> {
        let name = place.name.clone();
        let deadline = Instant::now() + CONNECT;
        loop {
            let opened = place.run().ok().and_then(|run| {
                OpenOptions::new()
                    .read(true)
                    .write(true)
                    .open(pipe_path(run.id))
                    .ok()
            });
            match opened {
                Some(pipe) => {
                    return Ok(Self {
                        pipe: Asker::new(pipe),
                        name,
                    });
                }
                None if place.runs() && Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                None => {
                    let text =
                        format!("the group '{name}' is not up; start it with 'pinion group up'");
                    return Err(Failure::new(exit_code::NOT_RUNNING, text));
                }
            }
        }
    }

    /// One request, one reply.
    pub fn call(&mut self, request: &Request) -> Result<Reply, Failure> {
        match self.pipe.ask(request) {
            Ok(Reply::Error { code, message }) => Err(Failure::new(code, message)),
            Ok(reply) => Ok(reply),
            Err(Unanswered::Gone) => Err(Failure::pinion(format!(
                "the process of the group '{}' went away",
                self.name
            ))),
            Err(Unanswered::NotUnderstood(error)) => Err(Failure::pinion(format!(
                "the group's answer is not understood: {error}"
            ))),
        }
    }

    /// How the group is.
    pub fn status(&mut self) -> Result<Status, Failure> {
        match self.call(&Request::Status)? {
            Reply::Status(status) => Ok(*status),
            other => Err(Failure::pinion(format!("an unexpected answer {other:?}"))),
        }
    }
}

/// A question for the driver.
pub struct Question {
    /// What is asked.
    pub request: Request,
    /// Where the answer goes.
    pub reply: Sender<Reply>,
}

/// Answers the pipe in threads of its own, with what `ask` makes of each question.
pub fn serve(
    id: VmId,
    ask: impl Fn(Question) + Clone + Send + 'static,
) -> Result<(), pinion_supervisor::Error> {
    let listener = Listener::bind(&pipe_path(id))?;
    std::thread::spawn(move || {
        loop {
            match listener.accept() {
                Ok(connection) => {
                    let ask = ask.clone();
                    std::thread::spawn(move || drop(converse(&connection, &ask)));
                }
                Err(_) => std::thread::sleep(Duration::from_millis(100)),
            }
        }
    });
    Ok(())
}

fn converse(connection: &Connection, ask: &impl Fn(Question)) -> std::io::Result<()> {
    lines::answer(connection, |request| {
        let reply = match request {
            Ok(request) => {
                let (reply, answer) = channel();
                ask(Question { request, reply });
                answer.recv().unwrap_or(Reply::Error {
                    code: exit_code::NOT_RUNNING,
                    message: "the group is going down".into(),
                })
            }
            Err(error) => Reply::Error {
                code: exit_code::PINION,
                message: format!("the request is not understood: {error}"),
            },
        };
        Some((reply, ()))
    })
}
