//! The VM's service controller: drives `pinion_scm`'s state machine with processes, pipes and time.
//!
//! What the supervisor needs of it is what is public to the crate here; nothing else is looked at. One
//! lock is around the machine; whoever waits, waits for its condition, never with the lock.

mod answer;
mod config;
mod convert;
mod core;
mod drivers;
mod environment;
mod identity;
mod outside;
mod process;
mod registry;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use pinion_scm::{
    Client, HandleId, Message, Notice, Outcome, ProcessId, Status, Text, Ticket, Win32Error,
};
use pinion_wire::message::{Reply, encode};
use pinion_wire::services::{ServiceReply, ServiceRequest};

use crate::control::ServiceInfo;
use crate::keeper::Keeper;
use crate::requests::Caller;
use crate::services::answer::Room;
use crate::services::core::Core;

/// How often a waiting connection looks whether its member is still there.
const LOOK: Duration = Duration::from_millis(500);
/// The same for one that waits for an order, for as long as its service runs: its process's end is told
/// (`core`), and what it asks for in vain costs nobody anything.
const LOOK_FOR_ORDERS: Duration = Duration::from_secs(30);

/// The longest that one request waits for a state.
const WAIT: u32 = 5_000;

/// How often is looked whether the main program runs, where services are to start with it.
const FIRST: Duration = Duration::from_millis(20);

/// How long the machine's time stands still when nothing is due.
const IDLE: Duration = Duration::from_secs(60);

/// The supervisor itself as a client of the machine: no process of the VM has this id.
const SELF: Client = Client::DRIVER;

/// The service controller of one VM.
pub(crate) struct Services {
    shared: Arc<Shared>,
}

/// The lock and its condition.
struct Shared {
    core: Mutex<Core>,
    changed: Condvar,
}

impl Shared {
    /// Takes the lock; the first to do so reads the services in. That is the thread of the time,
    /// unless a member is faster, so that it costs the start of the VM nothing.
    fn lock(&self) -> MutexGuard<'_, Core> {
        let mut core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
        core.load();
        core
    }

    /// Waits for a change. Whoever waits for a member looks every so often whether it is still there, which
    /// is a question to the system: not each time that something has changed.
    fn wait_for<'g>(
        &self,
        core: MutexGuard<'g, Core>,
        caller: &Caller<'_>,
        every: Duration,
        looked: &mut Instant,
    ) -> Option<MutexGuard<'g, Core>> {
        let core = self.wait(core, every.saturating_sub(looked.elapsed()));
        if looked.elapsed() < every {
            return Some(core);
        }
        *looked = Instant::now();
        caller.is_there().then_some(core)
    }

    fn wait<'g>(&self, core: MutexGuard<'g, Core>, time: Duration) -> MutexGuard<'g, Core> {
        self.changed
            .wait_timeout(core, time)
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }
}

impl Services {
    /// A controller without a running service.
    pub(crate) fn new(keeper: Weak<Keeper>) -> Self {
        let stack = keeper.upgrade().map(|keeper| keeper.vm().stack());
        let layers: Vec<String> = stack
            .iter()
            .flatten()
            .filter_map(|layer| layer.keys().ok())
            .collect();
        let config = Box::new(registry::Registry::new(&layers));
        let shared = Arc::new_cyclic(|shared: &Weak<Shared>| Shared {
            core: Mutex::new(Core::new(config, keeper, Weak::clone(shared))),
            changed: Condvar::new(),
        });
        keep_time(&shared);
        Self { shared }
    }

    /// Answers one request of a member; the answer is an encoded [`Reply`] in `buffer`. May block, as
    /// each connection has a thread of its own, but looks at [`Caller::is_there`] meanwhile.
    pub(crate) fn answer<'b>(
        &self,
        caller: &Caller<'_>,
        request: ServiceRequest<'_>,
        buffer: &'b mut [u8],
    ) -> Option<&'b [u8]> {
        let mut room = Room::default();
        let (mut name, mut list) = (Vec::new(), Vec::new());
        let reply = match request {
            ServiceRequest::Start { service, arguments } => {
                let arguments = convert::texts(arguments);
                finished(self.wait_for(caller, |core, ticket| {
                    let (now, client) = (core.now(), Client(caller.pid()));
                    core.machine
                        .start(now, client, HandleId(service), arguments, ticket);
                })?)
            }
            ServiceRequest::Control { service, control } => {
                finished(self.wait_for(caller, |core, ticket| {
                    let (now, client) = (core.now(), Client(caller.pid()));
                    core.machine
                        .control(now, client, HandleId(service), control, ticket);
                })?)
            }
            ServiceRequest::Dispatch => {
                let connected = self.shared.lock().connect(caller.pid());
                match connected {
                    Ok(process) => {
                        let (sequence, message) = self.next_order(caller, process)?;
                        ServiceReply::Order(convert::order(
                            sequence, &message, &mut name, &mut list,
                        ))
                    }
                    Err(error) => ServiceReply::Error(error.0),
                }
            }
            ServiceRequest::Answer { sequence, result } => {
                let process = self.take_answer(caller.pid(), sequence, result)?;
                let (sequence, message) = self.next_order(caller, process)?;
                ServiceReply::Order(convert::order(sequence, &message, &mut name, &mut list))
            }
            ServiceRequest::WaitState {
                service,
                mask,
                time,
            } => match self.wait_state(caller, HandleId(service), mask, time)? {
                Ok(status) => ServiceReply::Status(convert::status(&status)),
                Err(error) => ServiceReply::Error(error.0),
            },
            ServiceRequest::AwaitNotice { handle, number } => {
                match self.await_notice(caller, HandleId(handle), number)? {
                    Ok(notice) => convert::notice(&notice, &mut list),
                    Err(error) => ServiceReply::Error(error.0),
                }
            }
            _ => {
                let mut core = self.shared.lock();
                let reply = answer::answer(&mut core, Client(caller.pid()), &request, &mut room);
                core.carry_out();
                drop(core);
                reply.unwrap_or_else(|error| ServiceReply::Error(error.0))
            }
        };
        encode(&Reply::Service(reply), buffer)
    }

    /// Begins an operation and waits for its end; none when the member went away.
    fn wait_for(
        &self,
        caller: &Caller<'_>,
        begin: impl FnOnce(&mut Core, Ticket),
    ) -> Option<Outcome> {
        let mut core = self.shared.lock();
        let ticket = core.ticket();
        begin(&mut core, ticket);
        core.carry_out();
        let mut looked = Instant::now();
        loop {
            if let Some(outcome) = core.take_outcome(ticket) {
                return Some(outcome);
            }
            let waited = self.shared.wait_for(core, caller, LOOK, &mut looked);
            let Some(still) = waited else {
                self.shared.lock().abandon(ticket);
                return None;
            };
            core = still;
        }
    }

    /// Waits until a service is in one of the states of a mask, or the time is over; its status then.
    fn wait_state(
        &self,
        caller: &Caller<'_>,
        service: HandleId,
        mask: u32,
        time: u32,
    ) -> Option<Result<Status, Win32Error>> {
        let end = Instant::now() + Duration::from_millis(time.min(WAIT).into());
        let mut core = self.shared.lock();
        loop {
            let status = match core.machine.status(Client(caller.pid()), service) {
                Ok(status) => status,
                Err(error) => return Some(Err(error)),
            };
            let left = end.saturating_duration_since(Instant::now());
            if mask & status.state.notify_bit() != 0 || left.is_zero() {
                return Some(Ok(status));
            }
            core = self.shared.wait(core, left.min(LOOK));
            if !caller.is_there() {
                return None;
            }
        }
    }

    /// Waits for the news that a member has asked for; none when it went away.
    fn await_notice(
        &self,
        caller: &Caller<'_>,
        handle: HandleId,
        number: u32,
    ) -> Option<Result<Notice, Win32Error>> {
        let mut core = self.shared.lock();
        let mut looked = Instant::now();
        loop {
            let client = Client(caller.pid());
            match core.machine.take_notice(client, handle, number) {
                Ok(Some(notice)) => return Some(Ok(notice)),
                Err(error) => return Some(Err(error)),
                // The handle goes with the member, and the request with the handle.
                Ok(None) => {
                    core = self
                        .shared
                        .wait_for(core, caller, LOOK_FOR_ORDERS, &mut looked)?;
                }
            }
        }
    }

    /// Takes the end of an order; the service process that it comes from.
    fn take_answer(&self, pid: u32, sequence: u32, result: u32) -> Option<ProcessId> {
        let mut core = self.shared.lock();
        let process = core.process_of(pid)?;
        let now = core.now();
        core.machine.answered(now, process, sequence, result);
        core.carry_out();
        Some(process)
    }

    /// Waits for the next order of a service process; none when there will be none.
    fn next_order(&self, caller: &Caller<'_>, process: ProcessId) -> Option<(u32, Message)> {
        let mut core = self.shared.lock();
        let mut looked = Instant::now();
        loop {
            if let Some(order) = core.take_order(process)? {
                return Some(order);
            }
            core = self
                .shared
                .wait_for(core, caller, LOOK_FOR_ORDERS, &mut looked)?;
        }
    }

    /// A connection of the process with this id has ended; it may have others. Nothing hangs on a
    /// connection: handles go with the process.
    pub(crate) fn disconnected(&self, _pid: u32) {}

    /// Ends all services in order and waits until they have stopped, at most until the deadline.
    pub(crate) fn stop_all(&self, deadline: Instant) {
        let mut core = self.shared.lock();
        let now = core.now();
        core.machine.shut_down(now);
        core.carry_out();
        while !core.machine.is_shut_down() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                tracing::info!("some services have not stopped in time");
                break;
            }
            core = self.shared.wait(core, left.min(LOOK));
        }
    }

    /// The services that run or ran, by name.
    pub(crate) fn list(&self) -> Vec<ServiceInfo> {
        let core = self.shared.lock();
        let info = |name| core.info(name);
        let mut services: Vec<ServiceInfo> = core.ran.iter().filter_map(info).collect();
        services.sort_by(|a, b| a.name.cmp(&b.name));
        services
    }

    /// The service that the process with this id runs, if any.
    pub(crate) fn service_of(&self, pid: u32) -> Option<String> {
        let core = self.shared.lock();
        let runs = |name: &&Text| {
            let found = core.machine.find(name);
            pid != 0 && found.is_some_and(|(_, status)| status.process_id == pid)
        };
        core.ran.iter().find(runs).map(ToString::to_string)
    }
}

/// The reply to an operation that has ended.
fn finished(outcome: Outcome) -> ServiceReply<'static> {
    match outcome {
        Ok(status) => ServiceReply::Status(convert::status(&status)),
        Err(failure) => match failure.status {
            Some(status) => ServiceReply::Refused {
                error: failure.error.0,
                status: convert::status(&status),
            },
            None => ServiceReply::Error(failure.error.0),
        },
    }
}

/// Lets the machine's time pass, as long as the controller lives.
fn keep_time(shared: &Arc<Shared>) {
    let weak = Arc::downgrade(shared);
    let thread = thread::Builder::new().stack_size(64 * 1024).spawn(move || {
        let mut begun = false;
        while let Some(shared) = weak.upgrade() {
            let mut core = shared.lock();
            if !begun {
                begun = core.start_automatic();
                if !begun {
                    drop(shared.wait(core, FIRST));
                    continue;
                }
            }
            let now = core.now();
            let due = core.machine.next_deadline();
            if due.is_some_and(|due| due <= now) {
                core.machine.tick(now);
                core.carry_out();
                continue;
            }
            // Whatever sets a deadline tells so.
            let wait = due.map_or(IDLE, |due| Duration::from_millis(due - now));
            drop(shared.wait(core, wait));
        }
    });
    if let Err(error) = thread {
        tracing::warn!(%error, "no thread for the services' time");
    }
}
