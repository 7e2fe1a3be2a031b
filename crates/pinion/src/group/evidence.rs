//! What is kept of a replica that was removed for a fault: why, what it changed, its log, and answers that
//! were not the majority's. All of it comes from inside a VM: names of files here are of our own making.

use super::events::now_ms;
use super::work::Common;
use pinion_group::life::Why;
use pinion_group::shares::{Shares, last_lines};
use pinion_store::changes::FileKind;
use pinion_store::{Vm, commit, diff, registry};
use pinion_trace::calls;
use pinion_trace::filter::Filter;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// The most changes that are listed.
const MOST_CHANGES: usize = 10_000;
/// The most events of a trace that are kept.
const MOST_EVENTS: usize = 5_000;
/// Answers, two logs, the trace, changed files: each has its share of the room.
const PARTS: u64 = 5;
/// The most answers that are kept of a replica.
pub const MOST_ANSWERS: usize = 8;

/// An answer that was not the majority's.
#[derive(Debug, Clone)]
pub struct Answer {
    pub request: String,
    pub answer: Vec<u8>,
    pub majority: Vec<u8>,
}

/// A fault.
#[derive(Debug, Clone)]
pub struct Case {
    pub replica: u32,
    pub why: Why,
    pub noticed_ms: u64,
    pub answers: Vec<Answer>,
}

/// The folder of a fault's evidence.
pub fn folder(root: &Path, replica: u32, why: &Why) -> PathBuf {
    root.join(format!("{replica}-{}", why.word()))
}

/// What may still be written.
struct Room<'a> {
    folder: &'a Path,
    shares: Shares,
    cut: bool,
}

impl Room<'_> {
    fn room(&self) -> usize {
        usize::try_from(self.shares.room()).unwrap_or(usize::MAX)
    }

    /// Writes as much of it as there is room for.
    fn write(&mut self, name: &str, bytes: &[u8]) {
        let fits = self.room().min(bytes.len());
        self.cut |= fits < bytes.len();
        if fits > 0 && fs::write(self.folder.join(name), &bytes[..fits]).is_ok() {
            self.shares.take(fits as u64);
        }
    }

    /// A part of one file: the end of a log.
    fn write_end(&mut self, name: &str, log: &Path) {
        let (bytes, cut) = tail(log, self.shares.room());
        self.cut |= cut;
        self.write(name, &bytes);
        self.shares.next_part();
    }
}

/// Keeps the evidence of a replica that has ended. What cannot be kept is left out: a replica's removal
/// does not fail for it.
pub fn keep(common: &Common, vm: &Vm, case: &Case) {
    let bounds = common.config.evidence;
    if bounds.keep == 0 {
        return;
    }
    let root = common.place.evidence();
    let folder = folder(&root, case.replica, &case.why);
    let _ = fs::remove_dir_all(&folder);
    if fs::create_dir_all(&folder).is_err() {
        return;
    }
    let mut room = Room {
        folder: &folder,
        shares: Shares::new(bounds.size, PARTS),
        cut: false,
    };
    for (number, answer) in (1..).zip(&case.answers) {
        room.write(&format!("answer-{number}.txt"), &answer.answer);
        room.write(&format!("majority-{number}.txt"), &answer.majority);
    }
    room.shares.next_part();
    room.write_end("output.log", &vm.output_log());
    room.write_end("supervisor.log", &vm.supervisor_log());
    let events = trace(vm);
    let last = last_lines(&events, room.room());
    room.cut |= last.len() < events.len();
    room.write("trace.jsonl", last);
    room.shares.next_part();
    let changes = changes(vm, &mut room);
    let about = json!({
        "group": common.place.name.to_string(),
        "replica": case.replica,
        "vm": vm.name().to_string(),
        "why": case.why.word(),
        "detail": case.why.detail(),
        "noticed_ms": case.noticed_ms,
        "kept_ms": now_ms(),
        "exit": vm.last_exit().ok().flatten().map(|exit| json!({"code": exit.code, "why": exit.why})),
        "requests": case.answers.iter().map(|answer| answer.request.clone()).collect::<Vec<_>>(),
        "cut": room.cut,
        "files": changes.0,
        "keys": changes.1,
    });
    if let Ok(text) = serde_json::to_vec_pretty(&about) {
        let _ = fs::write(folder.join("about.json"), text);
    }
    prune(&root, bounds.keep as usize);
}

/// The changed files, of which contents are kept while there is room, and keys. One file has at most half of
/// the room that is left: a large one must not hide those after it.
fn changes(vm: &Vm, room: &mut Room<'_>) -> (Vec<Value>, Vec<Value>) {
    let mut files = Vec::new();
    let found = diff::files(vm, false).into_iter().flatten().flatten();
    for file in found.take(MOST_CHANGES) {
        let mut kept = Value::Null;
        let now = file.now.as_ref().filter(|node| node.kind == FileKind::File);
        if let Some(node) = now
            && let most = room.shares.room().div_ceil(2)
            && most > 0
            && let Ok(mut content) = diff::content(node, most)
        {
            content.truncate(usize::try_from(most).unwrap_or(usize::MAX));
            let name = format!("file-{}", files.len() + 1);
            room.cut |= node.size > most;
            room.write(&name, &content);
            kept = json!(name);
        }
        files.push(json!({
            "what": file.became,
            "name": commit::file_name(&file.path),
            "size": now.map(|node| node.size),
            "kept_as": kept,
        }));
    }
    let user = registry::user_key_path().unwrap_or_default();
    let user = user.rsplit('\\').next().unwrap_or_default().to_owned();
    let keys = diff::keys(vm).into_iter().flatten().flatten();
    let keys = keys.take(MOST_CHANGES).map(|key| {
        json!({
            "what": key.became,
            "name": commit::key_name(&key.path, &user),
            "values": key.values.len(),
        })
    });
    (files, keys.collect())
}

/// The last of what was recorded of its calls, if it was, a line each.
fn trace(vm: &Vm) -> Vec<u8> {
    let events = pinion_supervisor::events::since(vm, &Filter::default(), MOST_EVENTS);
    let lines = events.unwrap_or_default().into_iter().map(|event| {
        let told = json!({
            "number": event.number,
            "time_us": event.time,
            "pid": event.process,
            "call": calls::name(event.call),
            "verdict": event.verdict().word(),
            "status": event.status.cast_unsigned(),
            "name": event.asked.text,
            "given": event.given.text,
        });
        format!("{told}\n")
    });
    lines.collect::<String>().into_bytes()
}

/// The last bytes of a file, and whether there are others.
fn tail(path: &Path, most: u64) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    let Ok(mut file) = File::open(path) else {
        return (bytes, false);
    };
    let length = file.metadata().map_or(0, |file| file.len());
    let _ = file.seek(SeekFrom::Start(length.saturating_sub(most)));
    let _ = file.take(most).read_to_end(&mut bytes);
    (bytes, length > most)
}

/// Removes the oldest above `most`.
fn prune(root: &Path, most: usize) {
    let items = fs::read_dir(root).into_iter().flatten().flatten();
    let mut all: Vec<_> = items
        .map(|item| {
            let written = item.metadata().and_then(|item| item.modified());
            (written.unwrap_or(UNIX_EPOCH), item.path())
        })
        .collect();
    all.sort();
    let extra = all.len().saturating_sub(most);
    for (_, path) in all.into_iter().take(extra) {
        let _ = fs::remove_dir_all(path);
    }
}
