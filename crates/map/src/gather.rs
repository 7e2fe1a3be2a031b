//! Events become a graph: who made a name, and who opened it.
//!
//! Two processes of a VM talk when both have the same name of the kernel's: whoever made
//! it is the one that is talked to. The host's files and keys are counted at each process:
//! all read them, and lines to them would hide the others.

use std::collections::{BTreeMap, HashMap};

use pinion_channels::Channel;
use pinion_trace::event::Peer;
use pinion_trace::{Entry, Event, Verdict, calls};

use crate::graph::{Edge, Graph, Kind, Node, Talk};

/// The most talks of one edge that are told one by one.
const TALKS: usize = 200;
/// The most nodes outside of the VMs of one kind: the others are one node.
const OUTSIDE: usize = 12;

/// A VM to be gathered from.
#[derive(Debug, Default)]
pub struct Gather {
    vm: String,
    images: HashMap<u32, String>,
    services: HashMap<u32, String>,
    events: BTreeMap<Key, Seen>,
    /// Who is bound to a port of the VM's own address.
    ports: HashMap<u16, u32>,
    /// Who made a name, and how: by its channel and the kernel's name.
    makers: HashMap<(Option<Channel>, String), u32>,
}

/// Events that are alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    process: u32,
    channel: Option<Channel>,
    /// The kernel's name, without regard to case; a peer's text where there is none.
    name: String,
    verdict: u8,
}

#[derive(Debug)]
struct Seen {
    shown: String,
    count: u64,
    last: u64,
    call: &'static str,
    status: i32,
    rule: Option<u32>,
    peer: Option<Peer>,
}

/// The most groups of events that are kept of a VM, so that none fills the memory.
const MOST: usize = 200_000;

impl Gather {
    /// Of a VM of this name. `services` are the services that its processes run.
    #[must_use]
    pub fn new(vm: &str, services: HashMap<u32, String>) -> Self {
        Self {
            vm: vm.into(),
            services,
            ..Self::default()
        }
    }

    /// Takes an entry.
    pub fn add(&mut self, entry: &Entry<'_>) {
        match entry {
            Entry::Process { process, image } if !image.is_empty() => {
                self.images.insert(*process, image.to_string());
            }
            Entry::Event(event) => self.event(event),
            _ => (),
        }
    }

    fn event(&mut self, event: &Event<'_>) {
        let channel = calls::channel(event);
        let call = calls::name(event.call).unwrap_or("?");
        let name = if event.given.is_empty() {
            &event.asked.text
        } else {
            &event.given.text
        };
        // Of what has a name the process at the other end tells more; of all else it is the name.
        let is_named = |peer| {
            matches!(peer, Peer::Process(_)) && !name.is_empty() && call != "NtCreateUserProcess"
        };
        let name = match event.peer {
            Some(peer) if is_named(peer) => format!("{} [{peer}]", name.to_lowercase()),
            Some(peer) => peer.to_string(),
            None => name.to_lowercase(),
        };
        if let (Some(Peer::Process(id)), "NtCreateUserProcess") = (event.peer, call) {
            let image = || event.asked.text.trim_start_matches(r"\??\").to_owned();
            self.images.entry(id).or_insert_with(image);
        }
        if let (Some(Peer::Address(address)), Verdict::Private) = (event.peer, event.verdict()) {
            // Whoever is bound to a port is seen before anybody reaches it.
            if address.port() != 0 {
                self.ports.entry(address.port()).or_insert(event.process);
            }
        }
        let makes = call.starts_with("NtCreate") && call != "NtCreateFile";
        if event.status >= 0 && makes && event.peer.is_none() {
            let key = (channel, name.clone());
            self.makers.entry(key).or_insert(event.process);
        }
        let key = Key {
            process: event.process,
            channel,
            name,
            verdict: event.verdict() as u8,
        };
        if self.events.len() >= MOST && !self.events.contains_key(&key) {
            return;
        }
        let seen = self.events.entry(key).or_insert_with(|| Seen {
            shown: match event.peer.filter(|peer| !is_named(*peer)) {
                Some(peer) => peer.to_string(),
                None => event.name().to_owned(),
            },
            count: 0,
            last: 0,
            call,
            status: 0,
            rule: None,
            peer: None,
        });
        seen.count += 1;
        (seen.last, seen.call, seen.status) = (event.number, call, event.status);
        (seen.rule, seen.peer) = (event.rule, event.peer);
    }
}

/// The graph of these VMs.
#[must_use]
pub fn gather(vms: &[Gather]) -> Graph {
    let mut maker = Maker::default();
    for (number, vm) in vms.iter().enumerate() {
        maker.graph.vms.push(vm.vm.clone());
        maker.vm(number, vm);
    }
    maker.done()
}

#[derive(Default)]
struct Maker {
    graph: Graph,
    processes: HashMap<(usize, u32), usize>,
    outside: HashMap<(u8, String), usize>,
    edges: HashMap<(usize, usize), usize>,
}

/// Who is at the other end.
enum End {
    Process(u32),
    Outside(Kind, String, String),
    /// Nobody else.
    Own,
}

impl Maker {
    fn vm(&mut self, number: usize, vm: &Gather) {
        for (key, seen) in &vm.events {
            let from = self.process(number, vm, key.process);
            let verdict = Verdict::of(key.verdict);
            let refused = matches!(verdict, Verdict::Refused | Verdict::Absent);
            let node = &mut self.graph.nodes[from];
            node.events += seen.count;
            node.refused += if refused { seen.count } else { 0 };
            match (key.channel, verdict) {
                (Some(Channel::Files | Channel::Registry), Verdict::Host) => {
                    node.shown += seen.count
                }
                (_, Verdict::Layer | Verdict::CopiedUp) => node.changed += seen.count,
                _ => (),
            }
            let to = match end(vm, key, seen, verdict) {
                End::Own => continue,
                End::Process(process) => self.process(number, vm, process),
                End::Outside(kind, title, more) => self.outside(kind, title, more),
            };
            if to != from {
                self.talk(from, to, key, seen, verdict, refused);
            }
        }
    }

    fn process(&mut self, number: usize, vm: &Gather, process: u32) -> usize {
        if let Some(known) = self.processes.get(&(number, process)) {
            return *known;
        }
        let path = vm.images.get(&process).cloned().unwrap_or_default();
        let title = match path.rsplit('\\').next() {
            Some(name) if !name.is_empty() => name.to_owned(),
            _ => "(ended)".into(),
        };
        let more = match vm.services.get(&process) {
            Some(service) => format!("{process}, service {service}"),
            None => process.to_string(),
        };
        let node = self.node(Kind::Process, Some(number), title, more, path);
        self.processes.insert((number, process), node);
        node
    }

    /// A node outside; of many of one kind the later ones are one.
    fn outside(&mut self, kind: Kind, title: String, more: String) -> usize {
        let key = (kind as u8, title.to_lowercase());
        if let Some(known) = self.outside.get(&key) {
            return *known;
        }
        let count = self
            .outside
            .keys()
            .filter(|known| known.0 == kind as u8)
            .count();
        if count >= OUTSIDE {
            let rest = (kind as u8, "all others".to_owned());
            if let Some(known) = self.outside.get(&rest) {
                return *known;
            }
            let node = self.node(
                kind,
                None,
                "all others".into(),
                String::new(),
                String::new(),
            );
            self.outside.insert(rest, node);
            return node;
        }
        let node = self.node(kind, None, title, more, String::new());
        self.outside.insert(key, node);
        node
    }

    fn node(
        &mut self,
        kind: Kind,
        vm: Option<usize>,
        title: String,
        more: String,
        path: String,
    ) -> usize {
        self.graph.nodes.push(Node {
            kind,
            vm,
            title,
            more,
            path,
            events: 0,
            refused: 0,
            shown: 0,
            changed: 0,
        });
        self.graph.nodes.len() - 1
    }

    fn talk(
        &mut self,
        from: usize,
        to: usize,
        key: &Key,
        seen: &Seen,
        verdict: Verdict,
        refused: bool,
    ) {
        let edges = &mut self.graph.edges;
        let at = *self.edges.entry((from, to)).or_insert_with(|| {
            edges.push(Edge {
                from,
                to,
                talks: Vec::new(),
                refused: true,
            });
            edges.len() - 1
        });
        let edge = &mut edges[at];
        edge.refused &= refused;
        if edge.talks.len() >= TALKS {
            if let Some(last) = edge.talks.last_mut() {
                last.name = "(all others)".into();
                last.count += seen.count;
            }
            return;
        }
        edge.talks.push(Talk {
            channel: key.channel,
            name: seen.shown.clone(),
            verdict: verdict.word(),
            count: seen.count,
            last: seen.last,
            call: seen.call,
            status: seen.status.cast_unsigned(),
        });
    }

    fn done(mut self) -> Graph {
        for edge in &mut self.graph.edges {
            edge.talks
                .sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
        }
        for edge in &self.graph.edges {
            let count: u64 = edge.talks.iter().map(|talk| talk.count).sum();
            if self.graph.nodes[edge.to].kind != Kind::Process {
                self.graph.nodes[edge.to].events += count;
                self.graph.nodes[edge.to].refused += if edge.refused { count } else { 0 };
            }
        }
        self.graph
    }
}

fn end(vm: &Gather, key: &Key, seen: &Seen, verdict: Verdict) -> End {
    let word = key.channel.map_or("?", |channel| channel.word());
    let rule = || {
        seen.rule
            .map_or_else(String::new, |rule| format!("rule {rule}"))
    };
    match (verdict, seen.peer) {
        (Verdict::Refused | Verdict::Absent, _) => {
            End::Outside(Kind::Refused, format!("{word}: {}", seen.shown), rule())
        }
        (Verdict::Shared, Some(Peer::Process(_))) => {
            End::Outside(Kind::Rule, format!("{word}: {}", seen.shown), rule())
        }
        (_, Some(Peer::Process(id))) => End::Process(id),
        (_, Some(Peer::Thread(_))) => End::Own,
        (Verdict::Private, Some(Peer::Address(address))) => match vm.ports.get(&address.port()) {
            Some(process) => End::Process(*process),
            None => End::Own,
        },
        (_, Some(Peer::Address(address))) => {
            End::Outside(Kind::Address, address.to_string(), word.into())
        }
        (Verdict::Shared, None) => {
            End::Outside(Kind::Rule, format!("{word}: {}", seen.shown), rule())
        }
        (Verdict::Host, None) => match key.channel {
            Some(Channel::Files | Channel::Registry) => End::Own,
            Some(Channel::Devices | Channel::Sockets) => {
                End::Outside(Kind::Host, "the host's devices".into(), String::new())
            }
            _ => End::Outside(
                Kind::Host,
                format!("{word}: {}", seen.shown),
                "pass list".into(),
            ),
        },
        (Verdict::Private, None) => {
            let made = (key.channel, key.name.clone());
            match vm.makers.get(&made) {
                Some(process) => End::Process(*process),
                None => End::Own,
            }
        }
        _ => End::Own,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use pinion_trace::event::Name;
    use pinion_wire::trace::{Record, call};
    use std::borrow::Cow;

    /// An event of a process.
    pub(crate) fn event(
        process: u32,
        name: &str,
        asked: &str,
        verdict: Verdict,
        peer: pinion_wire::trace::Peer,
    ) -> Entry<'static> {
        let record = Record {
            call: call(name),
            verdict,
            peer,
            ..Record::EMPTY
        };
        let mut event = Event::of(&record, process, 1, 1, 1);
        event.asked = Name {
            text: Cow::Owned(asked.into()),
            missing: 0,
        };
        Entry::Event(event)
    }

    fn vm(events: &[Entry<'_>]) -> Gather {
        let mut vm = Gather::new("web", HashMap::from([(9, "Spooler".into())]));
        for (process, image) in [(8, r"C:\a\server.exe"), (9, r"C:\a\client.exe")] {
            vm.add(&Entry::Process {
                process,
                image: image.into(),
            });
        }
        events.iter().for_each(|event| vm.add(event));
        vm
    }

    const NONE: pinion_wire::trace::Peer = pinion_wire::trace::Peer::None;

    #[test]
    fn who_opens_talks_to_who_made() {
        let all = [
            event(
                8,
                "NtCreateNamedPipeFile",
                r"\??\pipe\x",
                Verdict::Private,
                NONE,
            ),
            event(9, "NtCreateFile", r"\??\pipe\X", Verdict::Private, NONE),
            event(9, "NtCreateFile", r"\??\pipe\x", Verdict::Private, NONE),
        ];
        let graph = gather(&[vm(&all)]);
        let [edge] = &graph.edges[..] else {
            panic!("{graph:#?}")
        };
        let title = |node: usize| graph.nodes[node].title.as_str();
        assert_eq!(
            (title(edge.from), title(edge.to)),
            ("client.exe", "server.exe")
        );
        assert_eq!(edge.talks[0].count, 2);
        assert!(!edge.refused);
        assert_eq!(edge.label(), "pipes 2");
        assert_eq!(graph.nodes[edge.from].more, "9, service Spooler");
    }

    #[test]
    fn what_is_refused_is_red_and_what_is_shared_is_by_its_rule() {
        let process = pinion_wire::trace::Peer::Process(77);
        let all = [
            event(8, "NtOpenMutant", "no", Verdict::Refused, NONE),
            event(8, "NtOpenProcess", "", Verdict::Absent, process),
            event(8, "NtOpenMutant", "both", Verdict::Shared, NONE),
            event(8, "NtOpenSection", r"\KernelObjects\x", Verdict::Host, NONE),
        ];
        let graph = gather(&[vm(&all)]);
        let kinds: Vec<_> = graph
            .edges
            .iter()
            .map(|edge| (graph.nodes[edge.to].kind, edge.refused))
            .collect();
        assert_eq!(
            kinds
                .iter()
                .filter(|kind| **kind == (Kind::Refused, true))
                .count(),
            2
        );
        assert!(kinds.contains(&(Kind::Rule, false)) && kinds.contains(&(Kind::Host, false)));
    }

    #[test]
    fn a_socket_reaches_who_is_bound() {
        let at = |port| pinion_wire::trace::Peer::Address([0; 16], port);
        let all = [
            event(8, "NtDeviceIoControlFile", "", Verdict::Private, at(80)),
            event(9, "NtDeviceIoControlFile", "", Verdict::Private, at(80)),
            event(9, "NtDeviceIoControlFile", "", Verdict::Host, at(443)),
        ];
        let graph = gather(&[vm(&all)]);
        assert_eq!(graph.edges.len(), 2);
        let to = graph.edges.iter().map(|edge| graph.nodes[edge.to].kind);
        let to: Vec<Kind> = to.collect();
        assert!(to.contains(&Kind::Process) && to.contains(&Kind::Address));
    }
}
