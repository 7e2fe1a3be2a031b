//! Owns the processes that run services: what they run, whether their
//! dispatcher is connected, and the messages under way to each, one at a time.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use crate::effect::{Effect, Message, Millis, Ticket};
use crate::handles::ServiceId;
use crate::text::Text;

/// A service process. Numbers are never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessId(pub u32);

/// What a message under way is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The start of a service.
    Start(ServiceId),
    /// A control, and who waits for its end.
    Control(ServiceId, Option<Ticket>),
    /// Nobody waits for the answer any more.
    Abandoned,
}

/// A message to a process, waiting or sent.
#[derive(Debug)]
pub(crate) struct Errand {
    pub purpose: Purpose,
    pub message: Message,
    pub deadline: Millis,
}

/// One service process.
#[derive(Debug)]
pub(crate) struct Process {
    /// As the driver told it; 0 until then.
    pub pid: u32,
    pub image_path: Text,
    pub account: Text,
    pub shared: bool,
    pub connected: bool,
    /// No further service may be started in it.
    pub ending: bool,
    pub services: Vec<ServiceId>,
    pub sent: Option<(u32, Errand)>,
    pub waiting: VecDeque<Errand>,
    next_sequence: u32,
}

/// Most messages waiting for one process.
pub(crate) const MAX_WAITING: usize = 64;

impl Process {
    /// Sends the next waiting message, if none is under way.
    pub fn pump(&mut self, id: ProcessId, effects: &mut Vec<Effect>) {
        if !self.connected || self.sent.is_some() {
            return;
        }
        let Some(errand) = self.waiting.pop_front() else {
            return;
        };
        self.next_sequence = self.next_sequence.wrapping_add(1);
        let sequence = self.next_sequence;
        effects.push(Effect::Send {
            process: id,
            sequence,
            message: errand.message.clone(),
        });
        // Nobody answers an exit.
        if errand.message != Message::Exit {
            self.sent = Some((sequence, errand));
        }
    }
}

/// All service processes that have not ended.
#[derive(Debug, Default)]
pub(crate) struct Processes {
    live: BTreeMap<ProcessId, Process>,
    next: u32,
}

impl Processes {
    /// Notes a process that is about to be started.
    pub fn add(&mut self, image_path: &Text, account: &Text, shared: bool) -> ProcessId {
        self.next = self.next.wrapping_add(1);
        let id = ProcessId(self.next);
        self.live.insert(
            id,
            Process {
                pid: 0,
                image_path: image_path.clone(),
                account: account.clone(),
                shared,
                connected: false,
                ending: false,
                services: Vec::new(),
                sent: None,
                waiting: VecDeque::new(),
                next_sequence: 0,
            },
        );
        id
    }

    /// The process that another service of the same image may be started in.
    pub fn sharing(&self, image_path: &Text, account: &Text) -> Option<ProcessId> {
        self.live
            .iter()
            .find(|(_, p)| {
                p.shared
                    && !p.ending
                    && p.image_path.same_name(image_path)
                    && p.account.same_name(account)
            })
            .map(|(&id, _)| id)
    }

    /// The process with this process id.
    pub fn by_pid(&self, pid: u32) -> Option<ProcessId> {
        self.live
            .iter()
            .find(|(_, p)| pid != 0 && p.pid == pid)
            .map(|(&id, _)| id)
    }

    pub fn get_mut(&mut self, id: ProcessId) -> Option<&mut Process> {
        self.live.get_mut(&id)
    }

    pub fn remove(&mut self, id: ProcessId) -> Option<Process> {
        self.live.remove(&id)
    }

    pub fn iter(&self) -> impl Iterator<Item = (ProcessId, &Process)> {
        self.live.iter().map(|(&id, process)| (id, process))
    }
}
