//! Owns the comparison of what `pinion trace` tells of a confined process with what the server's log shows of it: name
//! for name and thread for thread, both ways. What stands on one side only needs a line of a list with its reason
//! ([`reasons`]).

pub mod reasons;
mod subjects;

use crate::kernel::{Access, Kernel};
use crate::vms::Vm;
use reasons::{Reasons, Side};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use subjects::Subjects;

/// Longer names are compared by so many characters: a record has no room for all of two long ones.
const COMPARED: usize = 200;

/// A named thing in the log that a confined process asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The machine, by its number in the list.
    pub vm: usize,
    /// The process.
    pub pid: u32,
    /// The thread.
    pub tid: u32,
    /// The program's file name.
    pub program: String,
    /// The request.
    pub request: String,
    /// Kind of object, see [`Access`].
    pub kind: String,
    /// The name as it stands in the request; of what is changed by its handle the name of that.
    pub name: String,
    /// The name with its root and links resolved.
    pub resolved: String,
}

impl Line {
    /// The line of the request that was completed last.
    pub fn of(vm: usize, kernel: &Kernel<'_>, access: &Access) -> Self {
        let asked = &kernel.asked;
        let name = match access.kind.as_str() {
            "connection" => access.name.clone(),
            "key" if asked.name.is_empty() => access.name.clone(),
            "process" => access.name.trim_start_matches('0').to_string(),
            _ => asked.name.clone(),
        };
        Line {
            vm,
            pid: access.pid,
            tid: asked.tid,
            program: kernel.members.program(access.pid),
            request: asked.request.clone(),
            kind: access.kind.clone(),
            name,
            resolved: access.name.clone(),
        }
    }
}

/// The other end of an event.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Peer {
    /// A process.
    Pid(u32),
    /// A thread.
    Tid(u32),
    /// A socket's address.
    Address(String),
}

/// An event as `pinion trace --json` tells it; unknown fields are ignored.
#[derive(Debug, Clone, Deserialize)]
pub struct Event {
    /// The process.
    pub pid: u32,
    /// The thread.
    pub tid: u32,
    /// The program's path.
    pub program: String,
    /// The system call.
    pub call: Option<String>,
    /// What was decided.
    pub verdict: String,
    /// The NTSTATUS.
    pub status: u32,
    /// The name as the program gave it.
    pub name: Option<String>,
    /// The name as the kernel got it.
    pub given: Option<String>,
    /// The other end.
    pub peer: Option<Peer>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Told {
    Event(Box<Event>),
    Lost { lost: u64 },
}

/// The events of one machine.
#[derive(Debug, Clone, Default)]
pub struct Events {
    /// All of them, in their order.
    pub all: Vec<Event>,
    /// How many were lost.
    pub lost: u64,
}

impl Events {
    /// Reads what `pinion trace --json` printed.
    ///
    /// # Errors
    /// A line is no event.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let mut events = Events::default();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            match serde_json::from_str(line)? {
                Told::Event(event) => events.all.push(*event),
                Told::Lost { lost } => events.lost += lost,
            }
        }
        Ok(events)
    }
}

/// What both sides have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    tid: u32,
    what: String,
}

/// Calls that change what a handle is of: the kernel's own name of that is compared, which tells nothing of case.
const BY_HANDLE: [&str; 2] = ["NtDeleteKey", "delete_key"];

impl Key {
    fn new(tid: u32, what: &str) -> Self {
        Key {
            tid,
            what: what.chars().take(COMPARED).collect(),
        }
    }

    fn of_handle(tid: u32, what: &str) -> Self {
        Key::new(tid, &format!("deleted {}", crate::names::fold(what)))
    }

    fn of_line(line: &Line) -> Self {
        match line.kind.as_str() {
            kind @ ("process" | "thread") => Key::new(line.tid, &format!("{kind} {}", line.name)),
            _ if BY_HANDLE.contains(&line.request.as_str()) => Key::of_handle(line.tid, &line.name),
            _ => Key::new(line.tid, &line.name),
        }
    }

    /// None where the kernel was asked for nothing.
    fn of_event(event: &Event) -> Option<Self> {
        let call = event.call.as_deref().unwrap_or_default();
        let what = match (&event.given, &event.peer) {
            (Some(given), _) if BY_HANDLE.contains(&call) => {
                return Some(Key::of_handle(event.tid, given));
            }
            // A deletion by a handle, whose file is told.
            _ if call == "NtSetInformationFile" && event.name.is_none() => return None,
            (Some(given), _) => given.clone(),
            _ if OF_WINDOWS.iter().any(|of| call.starts_with(of)) => return None,
            (None, Some(Peer::Pid(id))) => format!("process {id:x}"),
            (None, Some(Peer::Tid(id))) => format!("thread {id:x}"),
            (None, Some(Peer::Address(_)) | None) => return None,
        };
        Some(Key::new(event.tid, &what))
    }
}

/// Calls of win32u, which tell a window's owner.
const OF_WINDOWS: [&str; 2] = ["NtUser", "NtGdi"];

/// Whether the kernel was not asked, so that the log need not have it: what is absent, answered or refused.
fn is_unasked(event: &Event) -> bool {
    matches!(event.verdict.as_str(), "absent" | "answered" | "refused")
}

/// Whether the event may well be without a line: where nothing is opened.
fn may_lack(event: &Event) -> bool {
    let call = event.call.as_deref().unwrap_or_default();
    is_unasked(event) || call.contains("Attributes") || event.status >= 0x8000_0000
}

/// Something that stands on one side only, and for which there is no reason.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Gap {
    /// `log` has it and the record does not, or the other way round.
    pub only_in: &'static str,
    /// The machine.
    pub vm: String,
    /// The program.
    pub process: String,
    /// The request or the system call.
    pub call: String,
    /// Kind of object, or the verdict.
    pub kind: String,
    /// The name, of the log with its root and links resolved.
    pub name: String,
    /// The NTSTATUS of an event, 8 hexadecimal digits.
    pub status: String,
}

/// What the comparison found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Comparison {
    /// Lines of the log that name something.
    pub lines: u64,
    /// Of them, those that have their event.
    pub lines_matched: u64,
    /// Of them, those that the agent asked for by itself within a call that has its event.
    pub lines_within: u64,
    /// Events of which the kernel was asked by a name, an id or an address.
    pub events: u64,
    /// Of them, those that have their line.
    pub events_matched: u64,
    /// Events that were lost.
    pub lost: u64,
    /// What has no reason, with how often.
    #[serde(serialize_with = "gaps")]
    pub gaps: BTreeMap<Gap, u64>,
    /// How often each reason was needed.
    #[serde(skip)]
    pub needed: Vec<u64>,
}

fn gaps<S: serde::Serializer>(gaps: &BTreeMap<Gap, u64>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(gaps.iter())
}

impl Comparison {
    /// Nothing compared yet.
    pub fn new(reasons: &Reasons) -> Self {
        Comparison {
            needed: vec![0; reasons.all().len()],
            ..Comparison::default()
        }
    }

    /// Compares what one machine recorded with its lines of the log.
    pub fn add(&mut self, vm: &Vm, lines: &[&Line], events: &Events, reasons: &Reasons) {
        let mut subjects = Subjects::new(vm);
        let mut rest = Vec::new();
        self.lost += events.lost;
        let mut open: BTreeMap<Key, Vec<&Event>> = BTreeMap::new();
        let mut had = BTreeSet::new();
        for event in &events.all {
            if let Some(name) = &event.name {
                subjects.add(event.tid, name);
                if let Some(given) = &event.given
                    && let Some(whole) = subjects::completed(given, name, event.status)
                {
                    subjects.add(event.tid, &whole);
                }
            }
            if let Some(key) = Key::of_event(event) {
                self.events += u64::from(!is_unasked(event));
                had.insert(key.clone());
                let same = open.entry(key).or_default();
                // Taken last: what may have no line.
                let at = if may_lack(event) { 0 } else { same.len() };
                same.insert(at, event);
            }
        }
        // A handle that is opened again has no name in the request. The agent binds sockets by itself, to addresses that
        // programs connect to: what a program asked for has the first right to an event.
        let named = || lines.iter().filter(|line| !line.name.is_empty());
        let bound = |line: &&&Line| line.kind == "port";
        for line in named()
            .filter(|line| !bound(line))
            .chain(named().filter(bound))
        {
            self.lines += 1;
            let found = open.get_mut(&Key::of_line(line)).and_then(Vec::pop);
            match found {
                Some(event) => {
                    self.lines_matched += 1;
                    self.events_matched += u64::from(!is_unasked(event));
                    subjects.add(line.tid, &line.resolved);
                }
                None => rest.push(line),
            }
        }
        for line in rest {
            let is_within = match line.kind.as_str() {
                "file" | "key" => subjects.has(line.tid, &line.resolved),
                // Whose it is is asked before it is opened as the program wants.
                "process" | "thread" => had.contains(&Key::of_line(line)),
                _ => false,
            };
            if is_within {
                self.lines_within += 1;
            } else {
                self.gap(reasons, Side::Log, gap_of_line(&vm.name, line));
            }
        }
        for event in open.into_values().flatten() {
            if is_unasked(event) {
                continue;
            }
            self.gap(reasons, Side::Record, gap_of_event(&vm.name, event));
        }
    }

    fn gap(&mut self, reasons: &Reasons, side: Side, gap: Gap) {
        match reasons.find(side, &gap) {
            Some(reason) => {
                if let Some(count) = self.needed.get_mut(reason) {
                    *count += 1;
                }
            }
            None => *self.gaps.entry(gap).or_default() += 1,
        }
    }
}

fn gap_of_line(vm: &str, line: &Line) -> Gap {
    Gap {
        only_in: Side::Log.word(),
        vm: vm.to_string(),
        process: line.program.clone(),
        call: line.request.clone(),
        kind: line.kind.clone(),
        name: line.resolved.clone(),
        status: String::new(),
    }
}

fn gap_of_event(vm: &str, event: &Event) -> Gap {
    let program = event.program.rsplit('\\').next().unwrap_or_default();
    let name = match (&event.given, &event.peer) {
        (Some(given), _) => given.clone(),
        (None, peer) => format!("{peer:?}"),
    };
    Gap {
        only_in: Side::Record.word(),
        vm: vm.to_string(),
        process: program.to_string(),
        call: event.call.clone().unwrap_or_default(),
        kind: event.verdict.clone(),
        name,
        status: format!("{:08x}", event.status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = r#"
        [[gap]]
        only_in = "log"
        kind = "section"
        name = '\NLS\*'
        reason = "Unix"
    "#;

    fn vm() -> Vm {
        serde_json::from_str(
            r#"{"name": "a", "object_directory": "\\d", "pipe_prefix": "p\\", "files_upper": "C:\\P\\1",
            "registry_upper": "\\REGISTRY\\User\\S\\Pinion\\1"}"#,
        )
        .expect("a machine")
    }

    fn line(kind: &str, name: &str) -> Line {
        Line {
            vm: 0,
            pid: 8,
            tid: 9,
            program: "a.exe".into(),
            request: format!("open_{kind}"),
            kind: kind.into(),
            name: name.into(),
            resolved: name.into(),
        }
    }

    fn event(call: &str, given: &str, verdict: &str) -> String {
        let told = serde_json::json!({
            "pid": 8, "tid": 9, "program": r"C:\a.exe", "call": call, "verdict": verdict, "status": 0,
            "name": given, "given": (!given.is_empty()).then_some(given), "peer": null,
        });
        told.to_string() + "\n"
    }

    fn compared(lines: &[Line], events: &str) -> Comparison {
        let reasons = Reasons::parse(LIST, "8.0").expect("a list");
        let mut comparison = Comparison::new(&reasons);
        let events = Events::parse(events).expect("events");
        let lines: Vec<&Line> = lines.iter().collect();
        comparison.add(&vm(), &lines, &events, &reasons);
        comparison
    }

    fn sides(comparison: &Comparison) -> Vec<&'static str> {
        comparison.gaps.keys().map(|gap| gap.only_in).collect()
    }

    #[test]
    fn each_has_its_other_or_is_a_gap() {
        let events = event("NtOpenMutant", r"\d\m", "private");
        let both = compared(&[line("mutex", r"\d\m")], &events);
        assert_eq!((both.lines_matched, both.events_matched), (1, 1));
        assert!(both.gaps.is_empty(), "{both:?}");
        let twice = compared(&[line("mutex", r"\d\m"), line("mutex", r"\d\m")], &events);
        assert_eq!(sides(&twice), ["log"]);
        let none = compared(&[], &events);
        assert_eq!(sides(&none), ["record"]);
        let mut of_other = line("mutex", r"\d\m");
        of_other.tid = 10;
        assert_eq!(sides(&compared(&[of_other], &events)), ["log", "record"]);
        // Names differ by their last letter's case.
        assert_eq!(
            sides(&compared(&[line("mutex", r"\d\M")], &events)),
            ["log", "record"]
        );
    }

    #[test]
    fn what_is_asked_within_a_call_and_what_has_a_reason_is_no_gap() {
        let events = event("NtOpenKey", r"\Registry\Machine\A", "host");
        let key = |name| line("key", name);
        let within = compared(
            &[
                key(r"\REGISTRY\User\S\Pinion\1\Machine\A"),
                key(r"\Registry\Machine\A"),
                line("section", r"\NLS\x"),
            ],
            &events,
        );
        assert_eq!((within.lines_matched, within.lines_within), (1, 1));
        assert_eq!(within.needed, [1]);
        assert!(within.gaps.is_empty(), "{within:?}");
        let beside = compared(
            &[key(r"\Registry\Machine\A"), key(r"\Registry\Machine\B")],
            &events,
        );
        assert_eq!(sides(&beside), ["log"]);
    }

    #[test]
    fn a_port_that_the_agent_bound_takes_no_connections_event() {
        let events = event("NtDeviceIoControlFile", "127.77.0.1:80", "private");
        let lines = ["port", "connection"].map(|kind| line(kind, "127.77.0.1:80"));
        let told = compared(&lines, &events);
        let kinds: Vec<_> = told.gaps.keys().map(|gap| gap.kind.as_str()).collect();
        assert_eq!(kinds, ["port"]);
    }

    #[test]
    fn what_the_kernel_was_not_asked_needs_no_line_and_losses_count() {
        let events = event("NtOpenMutant", r"\d\m", "refused") + "{\"lost\": 3, \"pid\": 8}\n";
        let told = compared(&[], &events);
        assert!(told.gaps.is_empty(), "{told:?}");
        assert_eq!((told.events, told.lost), (0, 3));
        assert!(Events::parse("no event").is_err());
        assert!(Reasons::parse(&LIST.replace("Unix", " "), "8.0").is_err());
    }
}
