//! New names for files: renamed, copied, replaced, linked.

use super::super::chance::Chance;
use super::super::nt::hex;
use super::super::paths;
use super::information::{name_of, set_file};
use super::{Files, error};
use core::ptr::null;
use pinion_test_programs::wide;
use std::fs;
use std::path::Path;
use windows_sys::Win32::Storage::FileSystem::{
    CopyFileW, CreateHardLinkW, MoveFileExW, ReplaceFileW, SetFileAttributesW,
};

impl Files {
    /// By `FileRenameInformation` or `FileLinkInformation`.
    pub(super) fn rename(&mut self, chance: &mut Chance, at: usize, words: &str) -> String {
        let Some(slot) = self.slots[at].take() else {
            return String::new();
        };
        let to = if chance.percent(50) {
            paths::folder(chance)
        } else {
            paths::file(chance)
        };
        let (class, replace) = (*chance.one(&[10, 10, 10, 11]), chance.percent(50));
        // Wine lets every handle move its file, NT one with the access.
        let class = if slot.deletes { class } else { 11 };
        let simple = chance.percent(25) && !slot.path.is_empty();
        let shown = if simple {
            paths::new_name(chance, false)
        } else {
            to
        };
        // See `two`.
        if paths::is_dotted(&slot.path) != paths::is_dotted(&shown) || slot.keeps_its_name {
            self.slots[at] = Some(slot);
            return format!("{words} to {shown:?}: not tried");
        }
        self.quiet(&slot.path);
        self.quiet(&shown);
        let name = if simple {
            shown.clone()
        } else {
            self.nt(&shown)
        };
        let status = set_file(slot.handle.0, class, &rename_information(&name, replace));
        let moved = status >= 0 && class == 10;
        // Where a handle leads after its file has moved is asked by name.
        let now = if moved {
            name_of(slot.handle.0)
        } else {
            String::new()
        };
        // Its copy has the new name: a handle for reading stays the host's (docs/LIMITS.md).
        let stays_behind = status >= 0 && slot.only_reads;
        if !moved && !stays_behind {
            self.slots[at] = Some(slot);
        }
        format!(
            "{words} class {class} to {shown:?} replace {replace}: {} {}",
            hex(status),
            self.told_path(&now)
        )
    }

    pub(super) fn two(&mut self, chance: &mut Chance) -> (String, String) {
        let pick = |chance: &mut Chance| {
            if chance.percent(40) {
                paths::folder(chance)
            } else {
                paths::file(chance)
            }
        };
        let (from, mut to) = (pick(chance), pick(chance));
        // Wine hides by the dot, and keeps what it was told of a file's attributes
        // under its next name; a copy's it is always told (docs/LIMITS.md).
        if paths::is_dotted(&from) != paths::is_dotted(&to) {
            to.clone_from(&from);
        }
        self.quiet(&from);
        self.quiet(&to);
        (from, to)
    }

    pub(super) fn rename_by_name(&mut self, chance: &mut Chance) -> String {
        let ((from, to), flags) = (self.two(chance), *chance.one(&[0, 1, 2, 3]));
        if from.is_empty() || to.is_empty() {
            return "rename nothing".into();
        }
        // SAFETY: the paths end in a zero.
        let moved =
            unsafe { MoveFileExW(self.win32(&from).as_ptr(), self.win32(&to).as_ptr(), flags) };
        format!("move {from:?} to {to:?} flags {flags}: {}", error(moved))
    }

    pub(super) fn copy(&mut self, chance: &mut Chance) -> String {
        let ((from, to), fail) = (self.two(chance), chance.percent(30));
        // SAFETY: the paths end in a zero.
        let copied = unsafe {
            CopyFileW(
                self.win32(&from).as_ptr(),
                self.win32(&to).as_ptr(),
                i32::from(fail),
            )
        };
        format!("copy {from:?} to {to:?} {fail}: {}", error(copied))
    }

    pub(super) fn replace(&mut self, chance: &mut Chance) -> String {
        let (replaced, by) = self.two(chance);
        // Wine moves a directory aside under a name made of the time, and leaves it.
        if Path::new(&self.folder).join(&replaced).is_dir() {
            return format!("replace {replaced:?}: not tried");
        }
        // SAFETY: the paths end in a zero; the others may be null.
        let done = unsafe {
            ReplaceFileW(
                self.win32(&replaced).as_ptr(),
                self.win32(&by).as_ptr(),
                null(),
                0,
                null(),
                null(),
            )
        };
        let told = error(done);
        self.clear_temporaries(&replaced);
        format!("replace {replaced:?} by {by:?}: {told}")
    }

    /// Takes away what a `ReplaceFile` that failed may leave beside `replaced`: the
    /// name tells the time.
    fn clear_temporaries(&self, replaced: &str) {
        let above = replaced
            .trim_end_matches('\\')
            .rsplit_once('\\')
            .map_or("", |(above, _)| above);
        let folder = Path::new(&self.folder).join(above);
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().to_lowercase();
            if name.starts_with("rf") && name.ends_with(".tmp") {
                // SAFETY: the path ends in a zero.
                unsafe { SetFileAttributesW(wide(&entry.path().to_string_lossy()).as_ptr(), 0x80) };
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    pub(super) fn link(&mut self, chance: &mut Chance) -> String {
        let (from, to) = self.two(chance);
        // SAFETY: the paths end in a zero.
        let linked = unsafe {
            CreateHardLinkW(self.win32(&to).as_ptr(), self.win32(&from).as_ptr(), null())
        };
        format!("link {to:?} to {from:?}: {}", error(linked))
    }
}

/// `FILE_RENAME_INFORMATION`, which is `FILE_LINK_INFORMATION` too (ntifs.h).
fn rename_information(name: &str, replace: bool) -> Vec<u8> {
    let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut data = vec![0; 20];
    data[0] = u8::from(replace);
    data[16..20].copy_from_slice(&(units.len() as u32).to_le_bytes());
    data.extend(units);
    data.resize(data.len().max(24), 0);
    data
}
