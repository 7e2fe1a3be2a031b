//! Looks at what replicas have changed, and how far they have grown.

use super::work::Common;
use pinion_group::config::{Changes, Growth};
use pinion_group::life::Why;
use pinion_store::changes::FileKind;
use pinion_store::{Vm, commit, diff, registry};
use pinion_supervisor::client::Client;

/// What is wrong with a replica, if something is. `changes` are compared only when it is time.
pub fn at(common: &Common, vm: &Vm, compare: bool) -> Option<Why> {
    if let Some(why) = grown(&common.config.growth, vm) {
        return Some(Why::Grown(why));
    }
    let changes = common.config.changes.as_ref().filter(|_| compare)?;
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
