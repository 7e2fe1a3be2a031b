//! The control pipe: answers the command line.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pinion_store::exit_code;

use crate::admission::Admission;
use crate::cap::Cap;
use crate::control::{Reply, Request, pipe_path};
use crate::error::{Error, Result};
use crate::keeper::Keeper;
use crate::lines;
use crate::pipe::{Connection, Listener};

/// The most connections at one time.
const MOST: usize = 256;
/// How often a waiting connection looks whether its client is still there.
const LOOK: Duration = Duration::from_secs(1);
/// The longest that is recorded for one request, in milliseconds.
const LONGEST_RECORDING: u64 = 60_000;
/// After a failed accept.
const PAUSE: Duration = Duration::from_millis(100);

/// The running server.
#[derive(Debug)]
pub(crate) struct Server {
    path: String,
    closing: Arc<AtomicBool>,
    waiting: Cap,
    thread: thread::JoinHandle<()>,
}

/// Serves the control pipe from now on.
pub(crate) fn serve(keeper: &Arc<Keeper>) -> Result<Server> {
    let path = pipe_path(keeper.vm().id());
    let listener = Listener::bind(&path)?;
    let (keeper, closing) = (Arc::clone(keeper), Arc::new(AtomicBool::new(false)));
    let (flag, waiting) = (Arc::clone(&closing), Cap::new(MOST));
    let (cap, waiters) = (Cap::new(MOST), waiting.clone());
    let thread = thread::spawn(move || {
        loop {
            let accepted = listener.accept();
            if flag.load(Ordering::SeqCst) {
                return;
            }
            match accepted {
                Ok(connection) => accept(&keeper, &cap, &waiters, connection),
                Err(error) => {
                    tracing::warn!(%error, "a command could not connect");
                    thread::sleep(PAUSE);
                }
            }
        }
    });
    Ok(Server {
        path,
        closing,
        waiting,
        thread,
    })
}

impl Server {
    /// Stops listening; gives the count of those who wait for the end and have not been told yet.
    pub(crate) fn close(self) -> Cap {
        self.closing.store(true, Ordering::SeqCst);
        // Wakes the accept, which then sees the flag.
        if std::fs::File::open(&self.path).is_ok() {
            let _ = self.thread.join();
        }
        self.waiting
    }
}

fn accept(keeper: &Arc<Keeper>, cap: &Cap, waiters: &Cap, connection: Connection) {
    let Some(place) = cap.enter() else { return };
    let (keeper, waiters) = (Arc::clone(keeper), waiters.clone());
    thread::spawn(move || {
        let _place = place;
        // A program inside cannot name the pipe; if one gets here all the same, it is not heard.
        if connection
            .client_pid()
            .is_ok_and(|pid| keeper.job().contains_pid(pid))
        {
            tracing::warn!("a program inside reached the control pipe; it was not heard");
            return;
        }
        if let Err(error) = converse(&keeper, &waiters, &connection) {
            tracing::debug!(%error, "a command's connection ended");
        }
    });
}

fn converse(keeper: &Arc<Keeper>, waiters: &Cap, connection: &Connection) -> std::io::Result<()> {
    let mut admission = None;
    lines::answer(connection, |request: serde_json::Result<Request>| {
        // Held until the reply is written: the process lives as long as somebody is to be told.
        let waiter = request
            .as_ref()
            .is_ok_and(Request::waits_for_end)
            .then(|| waiters.enter());
        let reply =
            match request.map(|request| respond(keeper, connection, &mut admission, request)) {
                Ok(Ok(reply)) => reply?,
                Ok(Err(error)) => Reply::Error {
                    code: error.exit_code(),
                    message: error.to_string(),
                },
                Err(error) => Reply::Error {
                    code: exit_code::PINION,
                    message: Error::Protocol {
                        why: error.to_string(),
                    }
                    .to_string(),
                },
            };
        Some((reply, waiter))
    })
}

/// The reply; none when the client went away while it waited.
fn respond(
    keeper: &Arc<Keeper>,
    connection: &Connection,
    admission: &mut Option<Admission>,
    request: Request,
) -> Result<Option<Reply>> {
    let reply = match request {
        Request::Status => Reply::Status(keeper.status()),
        Request::Admit => {
            let (admitted, job) = Admission::new(keeper, connection.client_pid()?)?;
            *admission = Some(admitted);
            Reply::Admitted { job }
        }
        Request::Adopt { pid, main, makes } => {
            let client = admission.as_ref().and_then(Admission::client);
            let program = match (makes, client) {
                (Some(program), Some(client)) => {
                    Some(keeper.adopt_by_helper(pid, main, &program, client)?)
                }
                (Some(_), None) => {
                    return Err(Error::Protocol {
                        why: "a helper of a command that was not admitted".into(),
                    });
                }
                (None, _) => {
                    keeper.adopt(pid, main)?;
                    None
                }
            };
            if let Some(admission) = admission.take() {
                admission.settle();
            }
            Reply::Adopted { program }
        }
        Request::Start { program, main } => Reply::Started {
            pid: keeper.start(&program, main)?,
        },
        Request::Stop { timeout_ms } => {
            let time = Duration::from_millis(timeout_ms.min(u64::from(u32::MAX)));
            keeper.life().ask_stop(Instant::now() + time);
            return Ok(wait(keeper, connection));
        }
        Request::Kill => {
            keeper.life().ask_kill();
            return Ok(wait(keeper, connection));
        }
        Request::Record { time_ms } => {
            keeper.record(Some(Duration::from_millis(time_ms.min(LONGEST_RECORDING))));
            Reply::Done
        }
        Request::Pause => keeper.pause().map(|()| Reply::Done)?,
        Request::Unpause => keeper.unpause().map(|()| Reply::Done)?,
        Request::SetLimits { limits } => Reply::Limits {
            limits: keeper.set_limits(limits),
        },
        Request::Wait => return Ok(wait(keeper, connection)),
        Request::Usage => Reply::Stats(keeper.usage()?),
        Request::Stats => Reply::Stats(keeper.stats()?),
        Request::Processes => Reply::Processes {
            processes: keeper.processes()?,
        },
        Request::Services => Reply::Services {
            services: keeper
                .services()
                .map(|services| services.list())
                .unwrap_or_default(),
        },
        Request::AllServices | Request::StartService { .. } | Request::StopService { .. } => {
            Reply::Services {
                services: keeper
                    .services()
                    .map_or_else(|| Ok(Vec::new()), |services| services.serve(&request))?,
            }
        }
    };
    Ok(Some(reply))
}

/// Waits for the end of the run, as long as the client does.
fn wait(keeper: &Keeper, connection: &Connection) -> Option<Reply> {
    keeper.notify();
    let mut life = keeper.life();
    loop {
        if let Some(end) = &life.end {
            return Some(Reply::Ended {
                code: end.code,
                why: end.why.clone(),
            });
        }
        life = keeper.wait(life, Some(Instant::now() + LOOK));
        if life.end.is_none() && !connection.is_open() {
            return None;
        }
    }
}
