//! The state machine and what the driver keeps for it, behind one lock: processes, orders on their way
//! and the ends that somebody waits for. Carries out the machine's effects; waits for nothing.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Weak};
use std::time::Instant;

use pinion_scm::{
    Action, Client, Controller, Effect, Message, Millis, Outcome, ProcessId, Settings, State, Text,
    Ticket, Win32Error,
};

use super::Shared;
use super::config::ServiceConfig;
use super::process::ServiceProcesses;
use super::{drivers, identity};
use crate::control::ServiceInfo;
use crate::keeper::Keeper;
use crate::lifecycle::Main;
use crate::process::Process;
use crate::system::is_wine;

/// Most processes of the VM that may hold handles at one time.
const MOST_CLIENTS: usize = 1024;

/// What the lock protects.
pub(super) struct Core {
    pub(super) machine: Controller,
    pub(super) config: Box<dyn ServiceConfig>,
    pub(super) keeper: Weak<Keeper>,
    pub(super) shared: Weak<Shared>,
    zero: Instant,
    pub(super) processes: ServiceProcesses,
    pub(super) orders: HashMap<ProcessId, VecDeque<(u32, Message)>>,
    /// Operations that somebody waits for, with their end once they have one.
    waiting: HashMap<Ticket, Option<Outcome>>,
    last_ticket: u64,
    loaded: bool,
    pub(super) clients: HashSet<u32>,
    /// Services that went in the operation under way.
    pub(super) deleted: Vec<Text>,
    /// Services that have run, for the list that people see.
    pub(super) ran: Vec<Text>,
}

impl Core {
    pub(super) fn new(
        config: Box<dyn ServiceConfig>,
        keeper: Weak<Keeper>,
        shared: Weak<Shared>,
    ) -> Self {
        Self {
            machine: Controller::new(Settings::default()),
            config,
            keeper,
            shared,
            zero: Instant::now(),
            processes: ServiceProcesses::default(),
            orders: HashMap::new(),
            waiting: HashMap::new(),
            last_ticket: 0,
            loaded: false,
            clients: HashSet::new(),
            deleted: Vec::new(),
            ran: Vec::new(),
        }
    }

    /// Takes the services of the registry in, once.
    pub(super) fn load(&mut self) {
        if std::mem::replace(&mut self.loaded, true) {
            return;
        }
        match self.config.load() {
            Ok(records) => {
                let is_wine = is_wine();
                for mut record in records {
                    drivers::give_host(&mut record, is_wine);
                    let name = record.name.clone();
                    if let Err(error) = self.machine.load(record) {
                        tracing::debug!(service = %name, %error, "a service's key is passed over");
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "the VM's services cannot be read"),
        }
        self.machine.set_identity(identity::own_sids());
    }

    /// Starts the services that start by themselves, if there are any; false as long as the VM's program,
    /// which comes first, does not run.
    pub(super) fn start_automatic(&mut self) -> bool {
        if !self.machine.has_automatic() {
            return true;
        }
        let runs = |keeper: Arc<Keeper>| matches!(keeper.life().main, Main::Runs(_));
        if !self.keeper.upgrade().is_some_and(runs) {
            return false;
        }
        let (order, delay) = self.config.start_order();
        let delay = Millis::try_from(delay.as_millis()).unwrap_or(Millis::MAX);
        let now = self.now();
        self.machine.start_automatic(now, &order, delay);
        self.carry_out();
        true
    }

    /// The machine's time.
    pub(super) fn now(&self) -> Millis {
        u64::try_from(self.zero.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// A ticket for an operation that will be waited for.
    pub(super) fn ticket(&mut self) -> Ticket {
        self.last_ticket += 1;
        let ticket = Ticket(self.last_ticket);
        self.waiting.insert(ticket, None);
        ticket
    }

    /// The end of an operation, once.
    pub(super) fn take_outcome(&mut self, ticket: Ticket) -> Option<Outcome> {
        let outcome = (*self.waiting.get(&ticket)?)?;
        self.waiting.remove(&ticket);
        Some(outcome)
    }

    /// What people are told of the service of this name.
    pub(super) fn info(&self, name: &Text) -> Option<ServiceInfo> {
        let (record, status) = self.machine.find(name)?;
        Some(ServiceInfo {
            name: record.name.to_string(),
            state: state_name(status.state).into(),
            pid: (status.process_id != 0).then_some(status.process_id),
            exit_code: status.win32_exit_code,
        })
    }

    /// Nobody waits for the operation any more.
    pub(super) fn abandon(&mut self, ticket: Ticket) {
        self.waiting.remove(&ticket);
    }

    /// The next order for a service process; an error when there will be none.
    pub(super) fn take_order(&mut self, process: ProcessId) -> Option<Option<(u32, Message)>> {
        let orders = self.orders.get_mut(&process)?;
        Some(orders.pop_front())
    }

    /// The process's dispatcher has connected: it may be given orders.
    pub(super) fn connect(&mut self, pid: u32) -> Result<ProcessId, Win32Error> {
        let now = self.now();
        let process = self.machine.dispatcher_connected(now, Client(pid))?;
        self.orders.entry(process).or_default();
        self.carry_out();
        Ok(process)
    }

    /// The service process of this process id.
    pub(super) fn process_of(&self, pid: u32) -> Option<ProcessId> {
        self.processes.of(pid)
    }

    /// Notes a process that makes requests, so that its handles go with it.
    pub(super) fn note_client(&mut self, pid: u32) -> Result<(), Win32Error> {
        if self.clients.contains(&pid) {
            return Ok(());
        }
        let process = Process::open_to_wait(pid).map_err(|_| Win32Error::ACCESS_DENIED)?;
        if self.clients.len() >= MOST_CLIENTS {
            return Err(Win32Error::NOT_ENOUGH_SERVER_MEMORY);
        }
        self.watch(process, move |core| {
            core.clients.remove(&pid);
            core.machine.client_gone(Client(pid));
        })?;
        self.clients.insert(pid);
        Ok(())
    }

    /// Does what the machine asks for, until it asks for nothing more.
    pub(super) fn carry_out(&mut self) {
        loop {
            let effects = self.machine.take_effects();
            if effects.is_empty() {
                break;
            }
            for effect in effects {
                self.carry_out_one(effect);
            }
        }
        if let Some(shared) = self.shared.upgrade() {
            shared.changed.notify_all();
        }
    }

    fn carry_out_one(&mut self, effect: Effect) {
        match effect {
            Effect::StartProcess {
                process,
                service,
                image_path,
                ..
            } => {
                self.start_process(process, service, image_path);
            }
            Effect::Send {
                process,
                sequence,
                message,
            } => {
                self.orders
                    .entry(process)
                    .or_default()
                    .push_back((sequence, message));
            }
            Effect::KillProcess { process } => self.processes.end(process),
            // The program that asked for it writes the key.
            Effect::WriteConfig(_) => {}
            Effect::FailureAction {
                service,
                kind,
                command,
            } => self.act_on_failure(service, kind, command),
            Effect::DeleteConfig(name) => {
                self.ran.retain(|ran| *ran != name);
                self.deleted.push(name);
            }
            Effect::Finished { ticket, outcome } => {
                if let Some(end) = self.waiting.get_mut(&ticket) {
                    *end = Some(outcome);
                }
            }
            Effect::Changed {
                service, status, ..
            } => {
                let (pid, code) = (status.process_id, status.win32_exit_code);
                tracing::info!(%service, state = state_name(status.state), pid, code, "service");
                if !self.ran.contains(&service) {
                    self.ran.push(service);
                }
            }
        }
    }

    /// What is left to do of a failure's action.
    fn act_on_failure(&self, service: Text, kind: u32, command: Text) {
        match kind {
            Action::RESTART => tracing::info!(%service, "a service that failed is started again"),
            Action::RUN_COMMAND => self.run_command(service, command),
            _ => tracing::warn!(%service, "a service failed; a VM does not start the machine anew"),
        }
    }
}

/// A state in the words of the service API.
pub(super) fn state_name(state: State) -> &'static str {
    match state {
        State::Stopped => "stopped",
        State::StartPending => "start_pending",
        State::StopPending => "stop_pending",
        State::Running => "running",
        State::ContinuePending => "continue_pending",
        State::PausePending => "pause_pending",
        State::Paused => "paused",
    }
}
