//! Carries out what `pinion_group::life` decides: hands work to threads, tells the front, writes events.
//!
//! One task owns all of it; threads and the front send it messages.

mod status;
mod tasks;

use crate::group::control::{Question, Reply, Request};
use crate::group::events::{Events, Told, now_ms};
use crate::group::evidence::{self, Answer, Case, MOST_ANSWERS};
use crate::group::look::{self, Due, Traces};
use crate::group::work::{self, Common};
use pinion_front::{Front, Report};
use pinion_group::config::{MOST_REPLICAS, Mode};
use pinion_group::life::{Action, Event, Life, Ms, Settings, What, Why};
use pinion_store::{Vm, exit_code};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::time::sleep;

/// The longest pause between two looks at the group.
const LOOK: Duration = Duration::from_millis(250);
/// The pause between two requests that warm up, when one failed.
const AGAIN: Duration = Duration::from_millis(50);

/// What the driver is told.
pub enum Message {
    /// A replica's VM is there.
    Made(u32, Vm),
    /// Something happened to a replica.
    Of(u32, What),
    /// The front saw something.
    Front(Report),
    /// The command line asks.
    Ask(Question),
    /// A replica's VM could not be removed; the next start of the group, or its end, does so.
    NotRemoved(u32, String),
    /// A look at all replicas is over.
    Looked(Traces),
}

/// A replica, besides its life.
#[derive(Default)]
struct Known {
    vm: Option<Vm>,
    answers: Vec<Answer>,
    turn: Turn,
}

/// Whose turn it is with a replica: it is not removed while it is made or started, and neither afterwards.
#[derive(Debug, Clone, Default)]
struct Turn(Arc<Mutex<bool>>);

impl Turn {
    /// The turn to make or start it; none when it was removed.
    fn take(&self) -> Option<MutexGuard<'_, bool>> {
        Some(self.last()).filter(|removed| !**removed)
    }

    /// The turn to remove it, once what is under way has ended.
    fn last(&self) -> MutexGuard<'_, bool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The group.
pub struct Driver {
    common: Arc<Common>,
    life: Life,
    begun: Instant,
    front: Front,
    events: Events,
    known: BTreeMap<u32, Known>,
    send: UnboundedSender<Message>,
    /// Away while a look is under way.
    traces: Option<Traces>,
    compared: Instant,
    traced: Instant,
    looked: Instant,
    down: Vec<Sender<Reply>>,
    faults: u64,
    longest_life: Ms,
    started_ms: u64,
    short: bool,
}

impl Driver {
    /// A group without replicas yet.
    pub fn new(common: Arc<Common>, front: Front, send: UnboundedSender<Message>) -> Self {
        let now = Instant::now();
        Self {
            life: Life::new(Settings::of(&common.config), 1),
            events: Events::open(common.place.events()),
            common,
            begun: now,
            front,
            known: BTreeMap::new(),
            send,
            traces: Some(Traces::new()),
            compared: now,
            traced: now,
            looked: now,
            down: Vec::new(),
            faults: 0,
            longest_life: 0,
            started_ms: now_ms(),
            short: true,
        }
    }

    fn now(&self) -> Ms {
        Ms::try_from(self.begun.elapsed().as_millis()).unwrap_or(Ms::MAX / 4)
    }

    /// Keeps the group until it is down.
    pub async fn run(mut self, mut heard: UnboundedReceiver<Message>) {
        self.events.write(&Told::now("up"));
        self.step(&Event::Tick);
        while !self.life.is_over() {
            let now = self.now();
            let wake = self.life.wakes_at(now).map_or(LOOK, |at| {
                Duration::from_millis(at.saturating_sub(now)).min(LOOK)
            });
            tokio::select! {
                Some(message) = heard.recv() => self.hear(message),
                () = sleep(wake) => {}
            }
            // After messages, too: a command that asks again and again must not put off what is due.
            self.step(&Event::Tick);
            self.count();
            self.look();
        }
        self.events.write(&Told::now("down"));
        for reply in self.down.drain(..) {
            let _ = reply.send(Reply::Done);
        }
    }

    fn hear(&mut self, message: Message) {
        match message {
            Message::Made(id, vm) => {
                if let Some(known) = self.known.get_mut(&id) {
                    known.vm = Some(vm);
                }
                self.step(&Event::Of(id, What::Made));
            }
            Message::Of(id, what) => {
                if what == What::Gone {
                    self.events.write(&Told::of("gone", id));
                    self.known.remove(&id);
                }
                self.step(&Event::Of(id, what));
            }
            Message::NotRemoved(id, why) => {
                self.events.write(&Told::of("not_removed", id).detail(&why));
            }
            Message::Front(report) => self.report(report),
            Message::Ask(question) => self.ask(question),
            Message::Looked(traces) => self.traces = Some(traces),
        }
    }

    fn report(&mut self, report: Report) {
        match report {
            Report::Disagreed {
                replica,
                request,
                answer,
                majority,
            } => {
                if let Some(known) = self.known.get_mut(&replica)
                    && known.answers.len() < MOST_ANSWERS
                {
                    known.answers.push(Answer {
                        request: request.clone(),
                        answer,
                        majority,
                    });
                }
                self.step(&Event::Of(replica, What::Fault(Why::Disagreed(request))));
            }
            Report::Late { replica, why } => {
                self.step(&Event::Of(replica, What::Fault(Why::Late(why))));
            }
            Report::Drained { replica } => self.step(&Event::Of(replica, What::Drained)),
            Report::Undecided { request, answers } => {
                let detail = format!("{request}: {answers} answers");
                self.events.write(&Told::now("undecided").detail(&detail));
            }
        }
    }

    fn ask(&mut self, Question { request, reply }: Question) {
        let answer = match request {
            Request::Status => Reply::Status(Box::new(self.status())),
            Request::Down => {
                self.front.leave();
                self.down.push(reply);
                self.step(&Event::Down);
                return;
            }
            Request::Scale { replicas } => match self.may_scale(replicas) {
                Ok(()) => {
                    self.events
                        .write(&Told::now("scaled").detail(&replicas.to_string()));
                    self.step(&Event::Scale(replicas));
                    Reply::Done
                }
                Err(message) => Reply::Error {
                    code: exit_code::CONFLICT,
                    message,
                },
            },
            Request::Rejuvenate => {
                self.events.write(&Told::now("rejuvenate"));
                self.step(&Event::Rejuvenate);
                Reply::Done
            }
        };
        let _ = reply.send(answer);
    }

    /// A vote's quorum is of the number in the file: with another one, its promise would be another.
    fn may_scale(&self, replicas: u32) -> Result<(), String> {
        if self.common.config.front.mode == Mode::Vote {
            let text = "a group that votes keeps its number of replicas, of which the majority is reckoned; change it in the file";
            return Err(text.into());
        }
        if replicas == 0 || replicas > MOST_REPLICAS {
            return Err(format!("a group has 1 to {MOST_REPLICAS} replicas"));
        }
        Ok(())
    }

    fn step(&mut self, event: &Event) {
        let now = self.now();
        for action in self.life.step(event, now) {
            self.perform(action, now);
        }
        let short = self.life.serving() < self.common.config.replace.min_live as usize;
        if short && !self.short {
            let detail = format!("{} serve", self.life.serving());
            self.events
                .write(&Told::now("below_minimum").detail(&detail));
        }
        self.short = short;
    }

    fn perform(&mut self, action: Action, now: Ms) {
        match action {
            Action::Make(id) => self.make(id),
            Action::Start(id) => self.start(id),
            Action::Warm(id) => self.warm(id),
            Action::Check(id) => self.check(id),
            Action::Ready(id) => self.tell("ready", id, now),
            Action::Serve(id) => {
                if let Some(address) = self.address(id) {
                    self.front.add(id, address);
                }
                self.tell("serving", id, now);
            }
            Action::Drain(id) => {
                self.tell("draining", id, now);
                self.front.drain(id);
            }
            Action::Discard(id, why) => self.discard(id, why, now),
            Action::BackOff { failures, pause } => {
                let detail = format!("{failures} failed starts in a row; the next in {pause} ms");
                self.events.write(&Told::now("backoff").detail(&detail));
            }
        }
    }

    fn tell(&mut self, event: &str, id: u32, now: Ms) {
        let made = self.life.replicas().get(&id).map(|replica| replica.made);
        let told = Told {
            age_ms: made.map(|made| now.saturating_sub(made)),
            ..Told::of(event, id)
        };
        self.events.write(&told);
    }

    fn vm(&self, id: u32) -> Option<Vm> {
        self.known.get(&id)?.vm.clone()
    }

    fn turn(&self, id: u32) -> Option<Turn> {
        Some(self.known.get(&id)?.turn.clone())
    }

    fn address(&self, id: u32) -> Option<SocketAddr> {
        let vm = self.vm(id)?;
        Some(SocketAddr::from((
            vm.record().address,
            self.common.config.port,
        )))
    }

    fn discard(&mut self, id: u32, why: Why, now: Ms) {
        self.front.remove(id);
        let age = self
            .life
            .replicas()
            .get(&id)
            .map(|replica| now.saturating_sub(replica.made));
        self.longest_life = self.longest_life.max(age.unwrap_or(0));
        let root = self.common.place.evidence();
        let kept = why.is_fault() && self.common.config.evidence.keep > 0;
        let folder = if kept {
            evidence::folder(&root, id, &why).display().to_string()
        } else {
            String::new()
        };
        self.events.write(&Told {
            why: why.word().into(),
            evidence: folder,
            age_ms: age,
            ..Told::of("discarded", id).detail(why.detail())
        });
        self.faults += u64::from(why.is_fault());
        let known = self.known.get_mut(&id);
        let answers = known
            .map(|known| std::mem::take(&mut known.answers))
            .unwrap_or_default();
        let case = why.is_fault().then(|| Case {
            replica: id,
            why,
            noticed_ms: now_ms(),
            answers,
        });
        let (common, send) = (Arc::clone(&self.common), self.send.clone());
        let turn = self.turn(id).unwrap_or_default();
        tokio::task::spawn_blocking(move || {
            *turn.last() = true;
            // By its name, as it may have been in the making until now.
            let name = work::vm_name(&common.place.name, id).ok();
            let vm = name.and_then(|name| common.place.store.load(&name).ok());
            if let Some(vm) = vm
                && let Err(failure) = work::discard(&common, &vm, case.as_ref())
            {
                let _ = send.send(Message::NotRemoved(id, failure.to_string()));
            }
            let _ = send.send(Message::Of(id, What::Gone));
        });
    }

    /// Tells the life how many requests replicas have had.
    fn count(&mut self) {
        if self.common.config.replace.requests.is_none() || self.looked.elapsed() < LOOK {
            return;
        }
        for (id, requests, _) in self.front.requests() {
            self.step(&Event::Of(id, What::Served(requests)));
        }
    }

    /// Looks at those that are up, when it is time.
    fn look(&mut self) {
        let config = &self.common.config;
        let is_due = |since: Instant, every: Option<Duration>| {
            every.is_some_and(|every| since.elapsed() >= every)
        };
        let due = Due {
            changes: is_due(self.compared, config.changes.as_ref().map(|of| of.interval)),
            denied: is_due(self.traced, config.denied.as_ref().map(|of| of.interval)),
        };
        let any =
            due.changes || due.denied || is_due(self.looked, Some(config.check.interval.max(LOOK)));
        let Some(mut traces) = self.traces.take_if(|_| any) else {
            return;
        };
        self.looked = Instant::now();
        if due.changes {
            self.compared = self.looked;
        }
        if due.denied {
            self.traced = self.looked;
        }
        let up = self.life.replicas().iter();
        let up = up.filter(|(_, replica)| replica.state.is_up());
        let vms: Vec<(u32, Vm)> = up
            .filter_map(|(id, _)| Some((*id, self.vm(*id)?)))
            .collect();
        let (common, send) = (Arc::clone(&self.common), self.send.clone());
        tokio::task::spawn_blocking(move || {
            traces.retain(|id, _| vms.iter().any(|(other, _)| other == id));
            for (id, vm) in vms {
                if let Some(why) = look::at(&common, id, &vm, due, &mut traces) {
                    let _ = send.send(Message::Of(id, What::Fault(why)));
                }
            }
            let _ = send.send(Message::Looked(traces));
        });
    }
}
