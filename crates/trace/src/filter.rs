//! Which events are wanted.

use std::collections::{HashMap, HashSet};

use pinion_channels::Channel;
use pinion_wire::trace::Verdict;

use crate::calls;
use crate::event::{Entry, Event};
use crate::pattern::Pattern;

/// What is wanted; an empty list wants all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Channels.
    pub channels: Vec<Channel>,
    /// Verdicts.
    pub verdicts: Vec<Verdict>,
    /// Processes by id, or by what their program's path has.
    pub processes: Vec<Process>,
    /// Patterns of the name, as asked or as given.
    pub names: Vec<Pattern>,
    /// Patterns of the peer: an address, or `process 123`.
    pub peers: Vec<Pattern>,
    /// Only events with a higher number.
    pub after: u64,
    /// Only calls that failed.
    pub failed: bool,
}

/// A process that is wanted.
#[derive(Debug, Clone)]
pub enum Process {
    /// By its id.
    Id(u32),
    /// By a pattern of its program's path.
    Program(Pattern),
}

/// What has to be known of entries before, to tell which are wanted.
#[derive(Debug, Default)]
pub struct State {
    wanted: HashSet<u32>,
    images: HashMap<u32, String>,
}

impl State {
    /// Takes note of an entry.
    pub fn note(&mut self, filter: &Filter, entry: &Entry<'_>) {
        let Entry::Process { process, image } = entry else {
            return;
        };
        self.images.insert(*process, image.to_string());
        let wants = |wanted: &Process| match wanted {
            Process::Id(id) => id == process,
            Process::Program(pattern) => pattern.has(image),
        };
        if filter.processes.iter().any(wants) {
            self.wanted.insert(*process);
        } else {
            self.wanted.remove(process);
        }
    }

    /// The path of a process's program; empty where it is not known.
    #[must_use]
    pub fn image(&self, process: u32) -> &str {
        self.images.get(&process).map_or("", String::as_str)
    }
}

impl Filter {
    /// Whether the event is wanted.
    #[must_use]
    pub fn wants(&self, state: &State, event: &Event<'_>) -> bool {
        event.number > self.after
            && (!self.failed || event.status < 0)
            && (self.verdicts.is_empty() || self.verdicts.contains(&event.verdict()))
            && (self.processes.is_empty() || self.wants_process(state, event.process))
            && (self.channels.is_empty()
                || calls::channel(event).is_some_and(|channel| self.channels.contains(&channel)))
            && (self.names.is_empty() || self.names.iter().any(|name| named(event, name)))
            && (self.peers.is_empty() || self.peers.iter().any(|peer| with_peer(event, peer)))
    }

    fn wants_process(&self, state: &State, process: u32) -> bool {
        let by_id = |wanted: &Process| matches!(wanted, Process::Id(id) if *id == process);
        state.wanted.contains(&process) || self.processes.iter().any(by_id)
    }
}

fn named(event: &Event<'_>, name: &Pattern) -> bool {
    name.has(&event.asked.text) || name.has(&event.given.text)
}

fn with_peer(event: &Event<'_>, pattern: &Pattern) -> bool {
    event
        .peer
        .is_some_and(|peer| pattern.has(&peer.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Peer;
    use crate::event::tests::event;

    fn wants(filter: &Filter, event: &Event<'_>) -> bool {
        let mut state = State::default();
        let image = r"C:\srv\Nginx.exe".into();
        state.note(filter, &Entry::Process { process: 8, image });
        filter.wants(&state, event)
    }

    #[test]
    fn each_part_counts_and_all_must_hold() {
        let mutant =
            event("NtCreateMutant", r"\BaseNamedObjects\App", "x").decided(Verdict::Private);
        let all = Filter::default();
        assert!(wants(&all, &mutant));
        let name = |text: &str| Filter {
            names: vec![Pattern::new(text)],
            ..all.clone()
        };
        assert!(wants(&name("app"), &mutant) && !wants(&name("other"), &mutant));
        let process = |process| Filter {
            processes: vec![process],
            ..all.clone()
        };
        assert!(wants(&process(Process::Id(8)), &mutant));
        assert!(!wants(&process(Process::Id(9)), &mutant));
        let program = |text| process(Process::Program(Pattern::new(text)));
        assert!(wants(&program("nginx"), &mutant) && !wants(&program("node"), &mutant));
        let both = Filter {
            channels: vec![Channel::Objects],
            verdicts: vec![Verdict::Refused],
            ..all.clone()
        };
        assert!(!wants(&both, &mutant));
        assert!(wants(&both, &mutant.clone().decided(Verdict::Refused)));
        let after = Filter {
            after: 1,
            ..all.clone()
        };
        assert!(!wants(&after, &mutant));
        let peers = Filter {
            peers: vec![Pattern::new("process 7")],
            ..all
        };
        let opened = Event {
            peer: Some(Peer::Process(7)),
            ..mutant.clone()
        };
        assert!(wants(&peers, &opened) && !wants(&peers, &mutant));
    }
}
