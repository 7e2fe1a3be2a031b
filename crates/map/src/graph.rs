//! What a picture shows.

use pinion_channels::Channel;
use serde::Serialize;

/// A picture's content.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Graph {
    /// The VMs' names.
    pub vms: Vec<String>,
    /// Processes, and what lies outside of the VMs.
    pub nodes: Vec<Node>,
    /// Who talks to whom.
    pub edges: Vec<Edge>,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A process of a VM.
    Process,
    /// Something of the host's, by the pass list or as it shows through.
    Host,
    /// Something of the host's or another VM's, by a rule of the policy.
    Rule,
    /// An address outside.
    Address,
    /// Names of a channel that were refused, or processes that do not exist for the VM.
    Refused,
}

/// A process, or something outside.
#[derive(Debug, Clone, Serialize)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// The VM of a process, by its place in [`Graph::vms`].
    pub vm: Option<usize>,
    /// Its name: a program's, or what it is outside.
    pub title: String,
    /// More of it: the process's id and service, a rule's number.
    pub more: String,
    /// The whole path of a program, or empty.
    pub path: String,
    /// How many events it has.
    pub events: u64,
    /// How many of them were refused.
    pub refused: u64,
    /// Files and keys of the host's that it opened: every program does, so that no line tells of it.
    pub shown: u64,
    /// Files and keys of the VM's layers that it opened.
    pub changed: u64,
}

/// What goes on between two nodes.
#[derive(Debug, Clone, Serialize)]
pub struct Edge {
    /// Who opens, by its place in [`Graph::nodes`].
    pub from: usize,
    /// Who has made what is opened.
    pub to: usize,
    /// Over what.
    pub talks: Vec<Talk>,
    /// Whether all of it was refused.
    pub refused: bool,
}

/// What goes on over one name.
#[derive(Debug, Clone, Serialize)]
pub struct Talk {
    /// The channel's word.
    #[serde(serialize_with = "word")]
    pub channel: Option<Channel>,
    /// The name.
    pub name: String,
    /// The verdict's word.
    pub verdict: &'static str,
    /// How many events.
    pub count: u64,
    /// The last event's number.
    pub last: u64,
    /// The last event's call.
    pub call: &'static str,
    /// The last event's status.
    pub status: u32,
}

fn word<S: serde::Serializer>(channel: &Option<Channel>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(channel.map_or("?", |channel| channel.word()))
}

impl Edge {
    /// What is written at it: the channels, those with most events first.
    #[must_use]
    pub fn label(&self) -> String {
        let mut counts: Vec<(&str, u64)> = Vec::new();
        for talk in &self.talks {
            let word = talk.channel.map_or("?", |channel| channel.word());
            match counts.iter_mut().find(|(known, _)| *known == word) {
                Some((_, count)) => *count += talk.count,
                None => counts.push((word, talk.count)),
            }
        }
        counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let more = counts.len().saturating_sub(2);
        let mut parts: Vec<String> = counts
            .iter()
            .take(2)
            .map(|(word, count)| format!("{word} {count}"))
            .collect();
        if more > 0 {
            parts.push(format!("+{more}"));
        }
        parts.join(", ")
    }
}
