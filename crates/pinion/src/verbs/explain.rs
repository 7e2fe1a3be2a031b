//! `pinion explain`: why a name was refused or renamed in a VM, or a process's names, by what was
//! recorded; what would allow it, and what that would open.

use super::policy::explain as by_policy;
use super::trace::show::{harmless, json as event_json, program};
use crate::failure::{Failure, Outcome};
use crate::options::ExplainOptions;
use crate::{output, vms};
use pinion_channels::Channel;
use pinion_store::Vm;
use pinion_supervisor::events;
use pinion_trace::event::Peer;
use pinion_trace::filter::{Process, State};
use pinion_trace::pattern::Pattern;
use pinion_trace::{Entry, Event, Filter, Verdict, calls};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const AFTER: &str = "Examples:
  pinion explain web MyServer          every name that has it, what became of it, and why
  pinion explain web 'Global\\App*'
  pinion explain web 1234              what was refused to a process, or to whom it is absent

What happened is told by the events that the VM has recorded: make it with --trace, or let 'pinion trace' run.
What would allow a name is told by the policy that counts from the VM's next start on.";

/// Tell why a name was refused or renamed in a VM, and what would allow it
#[derive(clap::Args, Debug)]
#[command(after_help = AFTER)]
pub struct Args {
    #[command(flatten)]
    of: ExplainOptions,

    /// What a name has, a pattern of one, or a process's id
    #[arg(value_name = "NAME|PID")]
    what: String,
}

/// The most cases that are told apart.
const MOST: usize = 10_000;
/// The most names that are explained.
const NAMES: usize = 20;

/// Prints what became of it.
pub fn run(args: &Args) -> Outcome {
    let vm = vms::find(&args.of.name)?;
    let cases = cases(&vm, &args.what)?;
    if cases.is_empty() {
        return unseen(&vm, args);
    }
    if args.of.json {
        let all: Vec<_> = cases.iter().map(|case| case.json(&vm)).collect();
        return output::json(&json!({ "vm": vm.name(), "asked": args.what, "cases": all }));
    }
    let mut text = String::new();
    for case in cases.iter().take(NAMES) {
        text += &case.text(&vm);
        text.push('\n');
    }
    if cases.len() > NAMES {
        text += &format!("and {} more; give more of the name\n", cases.len() - NAMES);
    }
    output::text(&text)
}

/// Events that are alike.
struct Case {
    count: usize,
    last: Event<'static>,
    programs: Vec<String>,
}

/// What was recorded of the name or of the process: refusals first, then by how often.
fn cases(vm: &Vm, what: &str) -> Result<Vec<Case>, Failure> {
    let wanted = Wanted::new(what);
    let mut state = State::default();
    let mut cases: BTreeMap<_, Case> = BTreeMap::new();
    let read = events::each(vm, |entry| {
        state.note(&wanted.filter, entry);
        let Entry::Event(event) = entry else {
            return;
        };
        if !wanted.has(&state, event) {
            return;
        }
        let key = (
            calls::channel(event),
            event.name().to_string(),
            event.verdict().word(),
            event.rule,
            event.status,
            event.peer.map(|peer| peer.to_string()),
        );
        if cases.len() == MOST && !cases.contains_key(&key) {
            return;
        }
        let program = program_of(state.image(event.process));
        let program = format!("{} ({})", harmless(program), event.process);
        let last = event.clone().into_owned();
        let case = cases.entry(key).or_insert_with(|| Case::new(&last));
        case.count += 1;
        case.last = last;
        if !case.programs.contains(&program) && case.programs.len() < 5 {
            case.programs.push(program);
        }
    });
    read.map_err(|error| {
        let name = vm.name();
        Failure::pinion(format!(
            "cannot read the file of events of '{name}': {error}"
        ))
    })?;
    let mut cases: Vec<Case> = cases.into_values().collect();
    let is_fine = |case: &Case| !matches!(case.last.verdict(), Verdict::Refused | Verdict::Absent);
    cases.sort_by_key(|case| (is_fine(case), usize::MAX - case.count));
    Ok(cases)
}

/// Which events tell of a name, or of a process.
struct Wanted {
    filter: Filter,
    /// The process as the other end.
    peer: Option<u32>,
}

impl Wanted {
    fn new(what: &str) -> Self {
        let mut filter = Filter::default();
        let peer = what.parse().ok();
        match peer {
            Some(id) => {
                filter.processes = vec![Process::Id(id)];
                filter.verdicts = vec![Verdict::Refused, Verdict::Absent, Verdict::Shared];
            }
            None => filter.names = vec![Pattern::new(what)],
        }
        Self { filter, peer }
    }

    fn has(&self, state: &State, event: &Event<'_>) -> bool {
        let of_peers = [Verdict::Absent, Verdict::Member, Verdict::Refused];
        let is_peer = |id| event.peer == Some(Peer::Process(id));
        self.filter.wants(state, event)
            || of_peers.contains(&event.verdict()) && self.peer.is_some_and(is_peer)
    }
}

fn program_of(image: &str) -> &str {
    match program(image) {
        "" => "a program that has ended",
        program => program,
    }
}

impl Case {
    fn new(event: &Event<'static>) -> Self {
        Self {
            count: 0,
            last: event.clone(),
            programs: Vec::new(),
        }
    }

    fn text(&self, vm: &Vm) -> String {
        let event = &self.last;
        let channel = calls::channel(event);
        let word = channel.map_or("?", |channel| channel.word());
        let name = match event.peer {
            Some(peer) if event.name().is_empty() => peer.to_string(),
            _ => harmless(event.name()),
        };
        let mut text = format!("{word} {name}\n");
        let times = if self.count == 1 {
            "once".into()
        } else {
            format!("{} times", self.count)
        };
        text += &format!(
            "  {times}, the last by {} of {}: status {:#010x}\n",
            calls::name(event.call).unwrap_or("?"),
            self.programs.join(", "),
            event.status,
        );
        text += &format!(
            "  {}: {}\n",
            event.verdict().word(),
            meaning(event, channel)
        );
        if !event.given.is_empty() && event.given != event.asked {
            text += &format!(
                "  the kernel was given {}\n",
                harmless(&event.given.to_string())
            );
        }
        match policy(vm, event, channel) {
            Some(Ok(answer)) => {
                for line in answer.text().lines() {
                    text += &format!("  {line}\n");
                }
            }
            _ => {
                if let Some(remedy) = remedy(channel, event.verdict()) {
                    text += &format!("  {remedy}\n");
                }
            }
        }
        text
    }

    fn json(&self, vm: &Vm) -> Value {
        let event = &self.last;
        let channel = calls::channel(event);
        let policy = policy(vm, event, channel).and_then(Result::ok);
        json!({
            "count": self.count, "programs": self.programs, "last": event_json(event, ""),
            "why": meaning(event, channel),
            "policy": policy.map(|answer| answer.json()),
            "remedy": remedy(channel, event.verdict()),
        })
    }
}

/// What a policy says of an event's name; none for what no policy is about.
fn policy(
    vm: &Vm,
    event: &Event<'_>,
    channel: Option<Channel>,
) -> Option<Result<by_policy::Answered, Failure>> {
    let word = channel?.word();
    if event.asked.is_empty() || event.asked.missing > 0 {
        return None;
    }
    pinion_policy::rules::Channel::named(word)?;
    Some(by_policy::answered(vm, word, &event.asked.text))
}

/// What a verdict means, for people.
fn meaning(event: &Event<'_>, channel: Option<Channel>) -> String {
    if let Some(rule) = event.rule {
        return match event.verdict() {
            Verdict::Refused => format!("rule {rule} of the VM's policy refuses the name"),
            Verdict::Shared => {
                format!("rule {rule} of the VM's policy makes the name the host's or another VM's")
            }
            _ => format!("rule {rule} of the VM's policy makes the name the VM's own"),
        };
    }
    match event.verdict() {
        Verdict::Private => "the name is the VM's own, under a name of the VM's".into(),
        Verdict::Layer => "the VM has changed it, and its own is in the VM's layers".into(),
        Verdict::CopiedUp => {
            "it was to be written to, and was copied from the host into the VM's layer".into()
        }
        Verdict::Host => match channel {
            Some(Channel::Files | Channel::Registry) => {
                "the VM has not changed it, so that the host's shows through".into()
            }
            Some(Channel::Sockets) => {
                "an address outside the VM, which its network lets it reach".into()
            }
            _ => "the pass list lets it through to the host's".into(),
        },
        Verdict::Shared => "a rule of the VM's policy".into(),
        Verdict::Relative => "relative to a handle, and decided when that was opened".into(),
        Verdict::Answered => {
            "answered in the VM: there is none, or it is hidden by the VM's layer".into()
        }
        Verdict::Refused => match channel.map(Channel::about) {
            Some(about) => format!(
                "the VM refuses it; {}: {}",
                about.title,
                about.treatment.word()
            ),
            None => "the VM refuses it".into(),
        },
        Verdict::Member => "a process or thread of the VM".into(),
        Verdict::Absent => "of another VM or of the host: to the VM it does not exist".into(),
        Verdict::Unknown => "nothing was decided by a name".into(),
    }
}

/// What else than a policy would change it.
fn remedy(channel: Option<Channel>, verdict: Verdict) -> Option<&'static str> {
    Some(match (channel?, verdict) {
        (Channel::Files, Verdict::Layer | Verdict::CopiedUp | Verdict::Refused) => {
            "to have the host's own, share its folder ('pinion share'): programs inside and on the host then change the same files"
        }
        (Channel::Sockets, Verdict::Refused) => {
            "to reach it, give the VM another network ('pinion update --network'): 'outbound' opens the outer network, 'host' all that programs of the host reach"
        }
        (Channel::Processes | Channel::Threads, _) => {
            "no policy lets a VM reach processes of others; run both programs in one VM ('pinion exec')"
        }
        (Channel::Registry, Verdict::CopiedUp | Verdict::Layer) => {
            "keys are never shared; 'pinion commit --key' merges what the VM has changed into the host"
        }
        _ => return None,
    })
}

/// Of a name that no event has, what the policy says of it.
fn unseen(vm: &Vm, args: &Args) -> Outcome {
    let what = args.what.as_str();
    let no_event = format!(
        "the VM '{}' has recorded no event with '{what}'; make it with --trace, or let 'pinion trace {}' run meanwhile",
        vm.name(),
        vm.name()
    );
    let is_pipe = what.to_lowercase().contains(r"\pipe\");
    let channel = if is_pipe { "pipes" } else { "objects" };
    let is_name = what.parse::<u32>().is_err() && !what.contains(['*', '?', ':']);
    let answer = is_name.then(|| by_policy::answered(vm, channel, what));
    if args.of.json {
        let policy = answer.and_then(Result::ok).map(|answer| answer.json());
        return output::json(&json!({
            "vm": vm.name(), "asked": what, "cases": [], "channel": channel, "policy": policy,
        }));
    }
    match answer {
        Some(Ok(answer)) => output::text(&format!(
            "{no_event}\nas a name of the channel '{channel}' it would be\n{}",
            answer.text()
        )),
        _ => output::line(no_event),
    }
}
