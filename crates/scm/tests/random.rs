//! Random sequences of operations: the controller never panics, states move
//! along documented transitions only, and every operation with a ticket ends
//! exactly once.

use std::collections::{BTreeMap, BTreeSet};

use pinion_scm::{
    Change, Client, Controller, Effect, HandleId, Message, ProcessId, Record, Report, Settings,
    State, Text, Ticket, Win32Error,
};
use proptest::prelude::*;
use windows_sys::Win32::System::Services::{SC_MANAGER_ALL_ACCESS, SERVICE_ALL_ACCESS};

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

#[derive(Clone, Debug)]
enum Step {
    Open(u32, usize),
    Create(u32, usize, u32, Vec<usize>),
    Delete(usize),
    Close(usize),
    Depend(usize, Vec<usize>),
    Start(usize),
    Control(usize, u32),
    ProcessStarted(usize),
    ProcessFailed(usize),
    Connect(usize),
    Answer(usize, u32),
    Report(usize, u32, u32),
    Exit(usize),
    Gone(u32),
    Later(u64),
    Automatic(u64),
    ShutDown,
}

fn step() -> impl Strategy<Value = Step> {
    let depend = || prop::collection::vec(0..NAMES.len(), 0..3);
    let kind = prop::sample::select(vec![0x10u32, 0x20, 0x1, 0x30]);
    prop_oneof![
        1 => (1..3u32, 0..6usize).prop_map(|(c, n)| Step::Open(c, n)),
        1 => (1..3u32, 0..6usize, kind, depend()).prop_map(|(c, n, k, d)| Step::Create(c, n, k, d)),
        1 => any::<usize>().prop_map(Step::Delete),
        1 => any::<usize>().prop_map(Step::Close),
        1 => (any::<usize>(), depend()).prop_map(|(h, d)| Step::Depend(h, d)),
        3 => any::<usize>().prop_map(Step::Start),
        3 => (any::<usize>(), prop::sample::select(vec![1u32, 2, 3, 4, 128]))
            .prop_map(|(h, c)| Step::Control(h, c)),
        4 => any::<usize>().prop_map(Step::ProcessStarted),
        1 => any::<usize>().prop_map(Step::ProcessFailed),
        4 => any::<usize>().prop_map(Step::Connect),
        4 => (any::<usize>(), prop::sample::select(vec![0u32, 0, 0, 1083]))
            .prop_map(|(p, r)| Step::Answer(p, r)),
        5 => (any::<usize>(), 0..9u32, 0..8u32).prop_map(|(h, s, a)| Step::Report(h, s, a)),
        1 => any::<usize>().prop_map(Step::Exit),
        1 => (1..3u32).prop_map(Step::Gone),
        1 => (0..20_000u64).prop_map(Step::Later),
        1 => (0..20_000u64).prop_map(Step::Automatic),
        1 => prop::sample::select(vec![false, false, false, false, false, false, true])
            .prop_map(|end| if end { Step::ShutDown } else { Step::Later(1) }),
    ]
}

/// The driver's side: it does what the effects say, in any order.
struct World {
    controller: Controller,
    now: u64,
    next_ticket: u64,
    next_pid: u32,
    handles: Vec<(Client, HandleId)>,
    managers: BTreeMap<u32, HandleId>,
    asked: Vec<ProcessId>,
    pids: BTreeMap<ProcessId, u32>,
    unanswered: Vec<(ProcessId, u32)>,
    statuses: Vec<(ProcessId, HandleId)>,
    states: BTreeMap<String, State>,
    open_tickets: BTreeSet<Ticket>,
}

fn pick<T: Copy>(from: &[T], index: usize) -> Option<T> {
    (!from.is_empty()).then(|| from[index % from.len()])
}

fn names(indices: &[usize]) -> Vec<Text> {
    indices.iter().map(|&i| Text::from(NAMES[i])).collect()
}

impl World {
    fn new() -> Self {
        let mut controller = Controller::new(Settings::default());
        let managers = (1..3)
            .map(|c| {
                let opened = controller.open_manager(Client(c), None, SC_MANAGER_ALL_ACCESS);
                (c, opened.unwrap())
            })
            .collect();
        Self {
            controller,
            now: 0,
            next_ticket: 0,
            next_pid: 1000,
            handles: Vec::new(),
            managers,
            asked: Vec::new(),
            pids: BTreeMap::new(),
            unanswered: Vec::new(),
            statuses: Vec::new(),
            states: BTreeMap::new(),
            open_tickets: BTreeSet::new(),
        }
    }

    fn ticket(&mut self) -> Ticket {
        self.next_ticket += 1;
        let ticket = Ticket(self.next_ticket);
        self.open_tickets.insert(ticket);
        ticket
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::Open(client, name) => {
                let manager = self.managers[&client];
                let name = Text::from(NAMES[name]);
                let opened = self.controller.open_service(
                    Client(client),
                    manager,
                    &name,
                    SERVICE_ALL_ACCESS,
                );
                self.handles
                    .extend(opened.ok().map(|h| (Client(client), h)));
            }
            Step::Create(client, name, kind, depend) => {
                let mut record = Record::new(Text::from(NAMES[name]));
                record.service_type = kind;
                record.image_path = Text::from(if kind == 0x20 {
                    "shared.exe"
                } else {
                    "own.exe"
                });
                record.depend_on = names(&depend);
                // By the place of the name: automatic, some of them delayed or of a group.
                if name % 2 == 0 {
                    record.start_type = 2;
                    record.delayed_auto_start = name == 2;
                    record.group = Text::from(["one", "", "two"][name / 2]);
                }
                if depend.len() == 2 {
                    record.depend_on.push(Text::from("+one"));
                }
                let manager = self.managers[&client];
                let made =
                    self.controller
                        .create(Client(client), manager, record, SERVICE_ALL_ACCESS);
                self.handles.extend(made.ok().map(|h| (Client(client), h)));
            }
            Step::Later(by) => {
                self.now += by;
                self.controller.tick(self.now);
                assert!(
                    self.controller
                        .next_deadline()
                        .is_none_or(|at| at > self.now)
                );
            }
            Step::Automatic(delay) => {
                let order = [Text::from("one"), Text::from("two")];
                self.controller.start_automatic(self.now, &order, delay);
            }
            Step::ShutDown => self.controller.shut_down(self.now),
            Step::Gone(client) => {
                self.controller.client_gone(Client(client));
                self.handles.retain(|(c, _)| c.0 != client);
                let manager =
                    self.controller
                        .open_manager(Client(client), None, SC_MANAGER_ALL_ACCESS);
                self.managers.insert(client, manager.unwrap());
            }
            other => self.apply_to_handle(other),
        }
    }

    fn apply_to_handle(&mut self, step: Step) {
        let (Step::Delete(at)
        | Step::Close(at)
        | Step::Depend(at, _)
        | Step::Start(at)
        | Step::Control(at, _)) = step
        else {
            return self.apply_to_process(step);
        };
        let Some((client, handle)) = pick(&self.handles, at) else {
            return;
        };
        match step {
            Step::Delete(_) => _ = self.controller.delete(client, handle),
            Step::Close(_) => _ = self.controller.close(client, handle),
            Step::Depend(_, on) => {
                let change = Change {
                    depend_on: Some(names(&on)),
                    ..Change::default()
                };
                let _ = self.controller.change(self.now, client, handle, change);
            }
            Step::Start(_) => {
                let ticket = self.ticket();
                self.controller
                    .start(self.now, client, handle, Vec::new(), ticket);
            }
            Step::Control(_, control) => {
                let ticket = self.ticket();
                self.controller
                    .control(self.now, client, handle, control, ticket);
            }
            _ => unreachable!(),
        }
    }

    fn apply_to_process(&mut self, step: Step) {
        let live: Vec<_> = self.pids.keys().copied().collect();
        match step {
            Step::ProcessStarted(at) if !self.asked.is_empty() => {
                let process = self.asked.remove(at % self.asked.len());
                self.next_pid += 4;
                self.pids.insert(process, self.next_pid);
                self.controller.process_started(process, self.next_pid);
            }
            Step::ProcessFailed(at) if !self.asked.is_empty() => {
                let process = self.asked.remove(at % self.asked.len());
                self.controller
                    .process_failed(self.now, process, Win32Error::FILE_NOT_FOUND);
            }
            Step::Connect(at) => {
                if let Some(process) = pick(&live, at) {
                    let client = Client(self.pids[&process]);
                    let _ = self.controller.dispatcher_connected(self.now, client);
                }
            }
            Step::Answer(at, result) if !self.unanswered.is_empty() => {
                let (process, sequence) = self.unanswered.remove(at % self.unanswered.len());
                self.controller
                    .answered(self.now, process, sequence, result);
            }
            Step::Report(at, state, controls_accepted) => self.report(at, state, controls_accepted),
            Step::Exit(at) => {
                if let Some(process) = pick(&live, at) {
                    self.pids.remove(&process);
                    self.controller.process_exited(self.now, process);
                }
            }
            _ => {}
        }
    }

    fn report(&mut self, at: usize, state: u32, controls_accepted: u32) {
        let Some((process, handle)) = pick(&self.statuses, at) else {
            return;
        };
        let report = Report {
            service_type: 0x10,
            state,
            controls_accepted,
            win32_exit_code: 0,
            specific_exit_code: 0,
            check_point: 0,
            wait_hint: 0,
        };
        let client = Client(self.pids.get(&process).copied().unwrap_or(0));
        let _ = self
            .controller
            .set_status(self.now, client, handle, &report);
    }

    /// Carries out what the controller asks for, and judges it.
    fn follow(&mut self) {
        for effect in self.controller.take_effects() {
            match effect {
                Effect::StartProcess { process, .. } => self.asked.push(process),
                Effect::Send {
                    process,
                    sequence,
                    message,
                } => {
                    assert!(self.pids.contains_key(&process), "sent to nobody");
                    if let Message::Start { status_handle, .. } = message {
                        self.statuses.push((process, status_handle));
                    }
                    self.unanswered.push((process, sequence));
                }
                Effect::Changed {
                    service,
                    from,
                    status,
                } => {
                    let known = self.states.insert(service.to_string(), status.state);
                    assert_eq!(known.unwrap_or(State::Stopped), from);
                    if from == State::Stopped {
                        assert_eq!(status.state, State::StartPending);
                    }
                    if status.state == State::Stopped {
                        assert_eq!((status.process_id, status.controls_accepted), (0, 0));
                    }
                }
                Effect::DeleteConfig(name) => {
                    let state = self.states.remove(&name.to_string());
                    assert_eq!(state.unwrap_or(State::Stopped), State::Stopped);
                }
                Effect::FailureAction { .. } => {}
                Effect::Finished { ticket, .. } => {
                    assert!(self.open_tickets.remove(&ticket), "answered twice");
                }
                Effect::KillProcess { .. } | Effect::WriteConfig(_) => {}
            }
        }
    }

    /// Everybody dies and time passes: nobody may be left waiting.
    fn end(&mut self) {
        for process in core::mem::take(&mut self.asked) {
            self.controller
                .process_failed(self.now, process, Win32Error::ACCESS_DENIED);
        }
        self.follow();
        for _ in 0..50 {
            self.now += 40_000;
            self.controller.tick(self.now);
            self.follow();
            for process in core::mem::take(&mut self.asked) {
                self.controller
                    .process_failed(self.now, process, Win32Error::ACCESS_DENIED);
            }
            for process in core::mem::take(&mut self.pids).into_keys() {
                self.controller.process_exited(self.now, process);
            }
            self.follow();
        }
        assert!(
            self.open_tickets.is_empty(),
            "never answered: {:?}",
            self.open_tickets
        );
        assert_eq!(self.controller.next_deadline(), None);
        assert!(self.controller.is_idle());
        assert!(self.states.values().all(|&state| state == State::Stopped));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn any_sequence_keeps_the_rules(steps in prop::collection::vec(step(), 0..120)) {
        let mut world = World::new();
        for step in steps {
            world.apply(step);
            world.follow();
        }
        world.end();
    }
}
