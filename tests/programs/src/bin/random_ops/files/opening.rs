//! Opening, by absolute names and relative to a handle, and closing.

use super::super::chance::Chance;
use super::super::nt::{How, create_file, hex};
use super::super::paths::{self, folded};
use super::{ATTRIBUTES, Files, SLOTS, Slot};
use core::ptr::null_mut;
use std::fs;
use std::path::Path;
use windows_sys::Win32::Foundation::HANDLE;

const SYNCHRONIZE: u32 = 0x10_0000;
const DELETE: u32 = 0x1_0000;
const READ: u32 = 0x12_0089;
const WRITE: u32 = 0x12_0116;
const MAXIMUM_ALLOWED: u32 = 0x200_0000;
const DIRECTORY_FILE: u32 = 1;
const SYNCHRONOUS: u32 = 0x20;
const DELETE_ON_CLOSE: u32 = 0x1000;
/// A file of more bytes is not copied to be deleted.
const LARGE: u64 = 0x1_0000;

const ACCESS: &[(u32, u32)] = &[
    (6, READ),
    (4, WRITE | SYNCHRONIZE),
    (6, READ | WRITE),
    (4, READ | WRITE | DELETE),
    (3, DELETE | SYNCHRONIZE),
    (2, DELETE | SYNCHRONIZE | 0x80),
    (3, 0x80 | SYNCHRONIZE),
    (1, 0x100 | SYNCHRONIZE),
    (1, 0x4 | SYNCHRONIZE),
    (2, 0x1 | SYNCHRONIZE),
    (1, MAXIMUM_ALLOWED | SYNCHRONIZE),
    (1, 0x1000_0000),
    (1, 0x8000_0000),
];
/// `FILE_OPEN`, `_CREATE`, `_OPEN_IF`, `_OVERWRITE`, `_OVERWRITE_IF`, `_SUPERSEDE`, and one that is none.
const DISPOSITIONS: &[(u32, u32)] = &[(50, 1), (14, 2), (14, 3), (7, 4), (8, 5), (6, 0), (1, 6)];
const OPTIONS: &[(u32, u32)] = &[
    (30, 0),
    (22, 0x40),
    (16, DIRECTORY_FILE),
    (4, DELETE_ON_CLOSE),
    (3, DELETE_ON_CLOSE | 0x40),
    (2, DELETE_ON_CLOSE | DIRECTORY_FILE),
    (3, 0x4000),
    (2, 0x2),
    (2, 0x20_0000),
    (1, DIRECTORY_FILE | 0x40),
];

impl Files {
    pub(super) fn open(&mut self, chance: &mut Chance) -> String {
        let path = if chance.percent(15) {
            paths::folder(chance)
        } else {
            paths::file(chance)
        };
        let mut how = How {
            access: chance.weighed(ACCESS),
            attributes: chance.weighed(ATTRIBUTES),
            share: *chance.one(&[7, 7, 7, 3, 1, 0]),
            disposition: chance.weighed(DISPOSITIONS),
            options: chance.weighed(OPTIONS) | SYNCHRONOUS,
        };
        if how.options & DELETE_ON_CLOSE != 0 && !chance.percent(10) {
            how.access |= DELETE;
        }
        if path.is_empty() {
            how.access &= !DELETE;
            how.options &= !DELETE_ON_CLOSE;
        }
        // A large file that goes when it is closed is gone at once (docs/LIMITS.md).
        if fs::metadata(Path::new(&self.folder).join(&path)).is_ok_and(|file| file.len() > LARGE) {
            how.options &= !DELETE_ON_CLOSE;
        }
        let at = chance.below(SLOTS as u32) as usize;
        self.slots[at] = None;
        let relative = chance.percent(20);
        let root = self.root_of(&path).filter(|_| relative);
        let only_reads = how.access & !(READ | 0x8000_0000) == 0;
        let can_change = !only_reads || how.options & DELETE_ON_CLOSE != 0 || how.disposition != 1;
        let words = format!(
            "open {path:?} access {:x} attributes {:x} share {} disposition {} options {:x}{}",
            how.access,
            how.attributes,
            how.share,
            how.disposition,
            how.options,
            if root.is_some() { " relative" } else { "" }
        );
        let (root, name) = root.unwrap_or((null_mut(), self.nt(&path)));
        if can_change {
            self.close_readers_but(&path, root);
        }
        let (status, done, handle) = create_file(root, &name, how);
        self.slots[at] = handle.map(|handle| Slot {
            handle,
            path: folded(&path),
            only_reads,
            keeps_its_name: path.ends_with(' '),
            sets_attributes: how.access & (0x100 | 0x1000_0000) != 0,
            deletes: how.access & (DELETE | 0x1000_0000) != 0,
        });
        let done = if status >= 0 { done } else { 0 };
        format!("{words} in {at}: {} {done}", hex(status))
    }

    /// As [`Files::close_readers`], but for the handle that names are relative to.
    pub(super) fn close_readers_but(&mut self, path: &str, root: HANDLE) {
        let is_root = |slot: &Option<Slot>| slot.as_ref().is_some_and(|open| open.handle.0 == root);
        if let Some(at) = self.slots.iter().position(is_root) {
            let kept = self.slots[at].take();
            self.close_readers(path);
            self.slots[at] = kept;
        } else {
            self.close_readers(path);
        }
    }

    /// An open handle above `path`, and the rest of the name.
    pub(super) fn root_of(&self, path: &str) -> Option<(HANDLE, String)> {
        let lower = path.to_lowercase();
        self.slots.iter().flatten().find_map(|open| {
            let rest = lower.strip_prefix(&open.path)?;
            let rest = if open.path.is_empty() {
                rest
            } else {
                rest.strip_prefix('\\')?
            };
            let name = path.get(path.len() - rest.len()..)?;
            (!name.is_empty()).then(|| (open.handle.0, name.to_owned()))
        })
    }

    pub(super) fn close(&mut self, chance: &mut Chance) -> String {
        let at = self.any(chance).map(|(at, _)| at);
        if let Some(at) = at {
            self.slots[at] = None;
        }
        format!("close {at:?}")
    }
}
