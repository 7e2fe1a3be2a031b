//! Operations on files: a few open handles, and calls by name.
//!
//! While one handle is open on a file for reading, and another is opened that
//! can change it, a VM may show the first the content from before
//! (docs/LIMITS.md): such handles are closed before.

mod bytes;
mod directories;
mod information;
mod moving;
mod named;
mod opening;

use super::chance::Chance;
use super::nt::Owned;
use super::paths::{folded, related};
use pinion_test_programs::{last_error, wide};

/// How many handles are kept open.
const SLOTS: usize = 5;
/// `FILE_ATTRIBUTE_NORMAL`, 0, read-only, hidden, archive, system, temporary.
const ATTRIBUTES: &[(u32, u32)] = &[
    (20, 0x80),
    (6, 0),
    (2, 0x1),
    (3, 0x2),
    (4, 0x20),
    (1, 0x4),
    (1, 0x100),
];

/// An open handle.
struct Slot {
    handle: Owned,
    /// Folded.
    path: String,
    /// Whether it has no access but for reading.
    only_reads: bool,
    /// Whether it is given no other name: its own ends with a space, which Wine does not tell by a handle
    /// (docs/LIMITS.md).
    keeps_its_name: bool,
    /// Whether it has `FILE_WRITE_ATTRIBUTES`.
    sets_attributes: bool,
    /// Whether it has `DELETE`.
    deletes: bool,
}

/// The state of one process.
pub struct Files {
    /// Such as `C:\x\0`.
    folder: String,
    slots: [Option<Slot>; SLOTS],
    /// Has other processes close what they have open at a path: `quiet` all that
    /// is related to it, `readers` what only reads it.
    others: fn(&str, &str),
}

type Act = fn(&mut Files, &mut Chance) -> String;

const ACTS: &[(u32, Act)] = &[
    (22, Files::open),
    (6, Files::close),
    (9, Files::write),
    (7, Files::read),
    (8, Files::query),
    (7, Files::set),
    (6, Files::by_name),
    (7, Files::list),
    (5, Files::list_some),
    (3, Files::name),
    (4, Files::map),
    (2, Files::lock),
    (3, Files::make_directory),
    (2, Files::remove_directory),
    (3, Files::delete),
    (5, Files::rename_by_name),
    (2, Files::copy),
    (1, Files::replace),
    (1, Files::link),
    (3, Files::set_attributes),
    (1, Files::volume),
];

impl Files {
    /// No handle is open.
    pub fn new(folder: &str, others: fn(&str, &str)) -> Self {
        Self {
            folder: folder.into(),
            slots: [const { None }; SLOTS],
            others,
        }
    }

    /// Any operation; what it was and what was answered.
    pub fn act(&mut self, chance: &mut Chance) -> String {
        let act = chance.weighed(ACTS);
        act(self, chance)
    }

    fn win32(&self, path: &str) -> Vec<u16> {
        wide(&format!("{}\\{path}", self.folder))
    }

    fn nt(&self, path: &str) -> String {
        if path.is_empty() {
            format!("\\??\\{}", self.folder)
        } else {
            format!("\\??\\{}\\{path}", self.folder)
        }
    }

    /// The rest of `path` behind this process's folder.
    fn told_path(&self, path: &str) -> String {
        let tail = &self.folder[2..];
        match path.find(tail) {
            Some(at) => format!("@{}", &path[at + tail.len()..]),
            None => path.to_owned(),
        }
    }

    /// Closes every handle on `path`, above it and below it, in every process.
    fn quiet(&mut self, path: &str) {
        (self.others)("quiet", path);
        self.close_all(path);
    }

    /// The same of this process alone.
    pub fn close_all(&mut self, path: &str) {
        let path = folded(path);
        for slot in &mut self.slots {
            if slot.as_ref().is_some_and(|open| related(&open.path, &path)) {
                *slot = None;
            }
        }
    }

    /// Closes what reads the file of `path` before something can change it, in
    /// every process.
    fn close_readers(&mut self, path: &str) {
        (self.others)("readers", path);
        self.close_own_readers(path);
    }

    /// The same of this process alone.
    pub fn close_own_readers(&mut self, path: &str) {
        let path = folded(path);
        for slot in &mut self.slots {
            let reads = |open: &Slot| open.path == path && open.only_reads;
            if slot.as_ref().is_some_and(reads) {
                *slot = None;
            }
        }
    }

    fn any(&self, chance: &mut Chance) -> Option<(usize, &Slot)> {
        let at = chance.below(SLOTS as u32) as usize;
        let turned = (0..SLOTS).map(|step| (at + step) % SLOTS);
        turned
            .filter_map(|at| Some((at, self.slots[at].as_ref()?)))
            .next()
    }

    /// Does `work` with a handle, and tells which.
    fn with_any(
        &self,
        chance: &mut Chance,
        words: &str,
        work: impl FnOnce(&mut Chance, &Slot) -> String,
    ) -> String {
        match self.any(chance) {
            Some((at, slot)) => {
                let told = work(chance, slot);
                format!("{words} {at} ({:?}): {told}", slot.path)
            }
            None => format!("{words}: no handle"),
        }
    }
}

fn error(done: i32) -> String {
    if done != 0 {
        "done".into()
    } else {
        format!("error {}", last_error())
    }
}
