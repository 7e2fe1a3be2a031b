//! Looks at what replicas have changed, what they were refused, and how far they have grown.

use super::work::Common;
use pinion_group::config::{Changes, Denied, Growth};
use pinion_group::life::Why;
use pinion_store::changes::FileKind;
use pinion_store::{Vm, commit, diff, registry};
use pinion_supervisor::client::Client;
use pinion_supervisor::events::{Piece, Reader};
use pinion_trace::event::Entry;
use pinion_trace::pattern::Pattern;
use pinion_trace::{Verdict, calls};
use std::collections::BTreeMap;

/// What is to be looked at, besides growth.
#[derive(Debug, Clone, Copy)]
pub struct Due {
    /// Changes.
    pub changes: bool,
    /// What was refused.
    pub denied: bool,
}

/// How far the traces of replicas were read.
pub type Traces = BTreeMap<u32, Reader>;

/// What is wrong with a replica, if something is.
pub fn at(common: &Common, replica: u32, vm: &Vm, due: Due, traces: &mut Traces) -> Option<Why> {
    if let Some(why) = grown(&common.config.growth, vm) {
        return Some(Why::Grown(why));
    }
    if let Some(denied) = common.config.denied.as_ref().filter(|_| due.denied) {
        let trace = traces.entry(replica).or_insert_with(|| Reader::of(vm));
        if let Some(why) = refused(denied, trace) {
            return Some(Why::Denied(why));
        }
    }
    let changes = common.config.changes.as_ref().filter(|_| due.changes)?;
    changed(changes, vm).map(Why::Changed)
}

fn grown(growth: &Growth, vm: &Vm) -> Option<String> {
    if *growth == Growth::default() {
        return None;
    }
    let stats = Client::connect(vm).ok()?.stats().ok()?;
    let over = |what: &str, now: u64, most: Option<u64>| {
        let most = most.filter(|most| now > *most)?;
        Some(format!("{now} {what}, where {most} are allowed"))
    };
    over("bytes of memory", stats.memory, growth.memory)
        .or_else(|| {
            over(
                "processes",
                stats.processes.into(),
                growth.processes.map(u64::from),
            )
        })
        .or_else(|| over("changed files", stats.files_changed, growth.files))
}

/// The first call that was refused and is not to be ignored, of those since the last look.
fn refused(denied: &Denied, trace: &mut Reader) -> Option<String> {
    let ignore: Vec<Pattern> = denied
        .ignore
        .iter()
        .map(|text| Pattern::new(text))
        .collect();
    let mut first = None;
    let mut look = |entry: &Entry<'_>| {
        let Entry::Event(event) = entry else { return };
        let ignored = || ignore.iter().any(|pattern| pattern.has(event.name()));
        if first.is_none() && event.verdict() == Verdict::Refused && !ignored() {
            let call = calls::name(event.call).unwrap_or("a call");
            first = Some(format!("{call} {}", event.name()).trim_end().to_owned());
        }
    };
    // A file that cannot be read, or is damaged, tells nothing.
    while matches!(trace.read(&mut look), Ok(Piece::More)) {}
    first
}

/// The first change that is not allowed. What cannot be compared at this moment, as it is being written,
/// is looked at the next time.
fn changed(changes: &Changes, vm: &Vm) -> Option<String> {
    let allowed = &changes.allowed;
    let files = diff::files(vm, false).into_iter().flatten().flatten();
    let mut files = files.filter_map(|file| {
        let node = file.now.as_ref().or(file.was.as_ref());
        let directory = node.is_some_and(|node| node.kind == FileKind::Directory);
        let name = commit::file_name(&file.path);
        (!allowed.has_file(&name, directory)).then_some(name)
    });
    if let Some(name) = files.next() {
        return Some(format!("the file {name}"));
    }
    let user = registry::user_key_path().ok()?;
    let user = user.rsplit('\\').next().unwrap_or_default().to_owned();
    let keys = diff::keys(vm).into_iter().flatten().flatten();
    let mut keys = keys
        .map(|key| commit::key_name(&key.path, &user))
        .filter(|name| !allowed.has_key(name));
    keys.next().map(|name| format!("the key {name}"))
}
