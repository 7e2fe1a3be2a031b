//! Directories: made, removed, listed.

use super::super::chance::Chance;
use super::super::listing::Question;
use super::super::nt::{How, create_file, hex};
use super::super::paths;
use super::{Files, error};
use core::ptr::{null, null_mut};
use windows_sys::Win32::Storage::FileSystem::{CreateDirectoryW, RemoveDirectoryW};

const READ: u32 = 0x12_0089;
const SYNCHRONIZE: u32 = 0x10_0000;
const DIRECTORY_FILE: u32 = 1;
const SYNCHRONOUS: u32 = 0x20;

impl Files {
    pub(super) fn make_directory(&mut self, chance: &mut Chance) -> String {
        let path = paths::folder(chance);
        // SAFETY: the path ends in a zero.
        let made = unsafe { CreateDirectoryW(self.win32(&path).as_ptr(), null()) };
        format!("make directory {path:?}: {}", error(made))
    }

    pub(super) fn remove_directory(&mut self, chance: &mut Chance) -> String {
        let path = paths::file(chance);
        self.quiet(&path);
        // SAFETY: the path ends in a zero.
        let gone = unsafe { RemoveDirectoryW(self.win32(&path).as_ptr()) };
        format!("remove directory {path:?}: {}", error(gone))
    }

    pub(super) fn list(&mut self, chance: &mut Chance) -> String {
        let (path, question) = (paths::folder(chance), Question::new(chance));
        let how = How {
            access: *chance.one(&[0x1, 0x1, 0x81, READ]) | SYNCHRONIZE,
            attributes: 0,
            share: 7,
            disposition: 1,
            options: DIRECTORY_FILE | SYNCHRONOUS,
        };
        let (status, _, handle) = create_file(null_mut(), &self.nt(&path), how);
        let told = handle.map_or_else(|| hex(status), |handle| question.all(handle.0));
        format!("list {path:?} by {}: {told}", question.words())
    }

    pub(super) fn list_some(&mut self, chance: &mut Chance) -> String {
        self.with_any(chance, "list some of", |chance, slot| {
            let (question, restart) = (Question::new(chance), chance.percent(25));
            let (status, told) = question.once(slot.handle.0, restart);
            format!(
                "{} restart {restart}: {} {told}",
                question.words(),
                hex(status)
            )
        })
    }
}
