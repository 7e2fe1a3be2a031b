//! Operations on files: a few open handles, and calls by name.
//!
//! While one handle is open on a file for reading, and another is opened that
//! can change it, a VM may show the first the content from before
//! (docs/LIMITS.md): such handles are closed before.

use super::chance::Chance;
use super::listing::Question;
use super::nt::{
    self, Buffer, How, IoStatus, NtCreateSection, NtDeleteFile, NtFlushBuffersFile, NtLockFile,
    NtMapViewOfSection, NtQueryAttributesFile, NtQueryFullAttributesFile, NtQueryInformationFile,
    NtQueryVolumeInformationFile, NtReadFile, NtSetInformationFile, NtUnlockFile,
    NtUnmapViewOfSection, NtWriteFile, Owned, create_file, hex,
};
use super::paths::{self, folded, related};
use core::ptr::{null, null_mut};
use pinion_test_programs::nt::with_attributes;
use pinion_test_programs::{last_error, wide};
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS};
use windows_sys::Win32::Storage::FileSystem::{
    CopyFileW, CreateDirectoryW, CreateHardLinkW, DeleteFileW, GetFileAttributesW,
    GetFinalPathNameByHandleW, MoveFileExW, RemoveDirectoryW, ReplaceFileW, SetFileAttributesW,
};

/// How many handles are kept open.
const SLOTS: usize = 5;
const SYNCHRONIZE: u32 = 0x10_0000;
const DELETE: u32 = 0x1_0000;
const READ: u32 = 0x12_0089;
const WRITE: u32 = 0x12_0116;
const MAXIMUM_ALLOWED: u32 = 0x200_0000;
const DIRECTORY_FILE: u32 = 1;
const SYNCHRONOUS: u32 = 0x20;
const DELETE_ON_CLOSE: u32 = 0x1000;

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
    can_change: bool,
    /// Whether it has `FILE_WRITE_ATTRIBUTES`.
    sets_attributes: bool,
}

/// The state of one process.
pub struct Files {
    /// Such as `C:\x\0`.
    folder: String,
    slots: [Option<Slot>; SLOTS],
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
    pub fn new(folder: &str) -> Self {
        Self {
            folder: folder.into(),
            slots: [const { None }; SLOTS],
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

    /// Closes every handle on `path`, above it and below it.
    fn quiet(&mut self, path: &str) {
        let path = folded(path);
        for slot in &mut self.slots {
            if slot.as_ref().is_some_and(|open| related(&open.path, &path)) {
                *slot = None;
            }
        }
    }

    /// Closes what reads the file of `path` before something can change it.
    fn close_readers(&mut self, path: &str) {
        let path = folded(path);
        for slot in &mut self.slots {
            let reads = |open: &Slot| open.path == path && !open.can_change;
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

    fn open(&mut self, chance: &mut Chance) -> String {
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
        let at = chance.below(SLOTS as u32) as usize;
        self.slots[at] = None;
        let relative = chance.percent(20);
        let root = self.root_of(&path).filter(|_| relative);
        let can_change = how.access & !(READ | 0x8000_0000) != 0
            || how.options & DELETE_ON_CLOSE != 0
            || how.disposition != 1;
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
            can_change,
            sets_attributes: how.access & (0x100 | 0x1000_0000) != 0,
        });
        let done = if status >= 0 { done } else { 0 };
        format!("{words} in {at}: {} {done}", hex(status))
    }

    /// As [`Files::close_readers`], but for the handle that names are relative to.
    fn close_readers_but(&mut self, path: &str, root: HANDLE) {
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
    fn root_of(&self, path: &str) -> Option<(HANDLE, String)> {
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

    fn close(&mut self, chance: &mut Chance) -> String {
        let at = self.any(chance).map(|(at, _)| at);
        if let Some(at) = at {
            self.slots[at] = None;
        }
        format!("close {at:?}")
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

    fn write(&mut self, chance: &mut Chance) -> String {
        self.with_any(chance, "write", |chance, slot| {
            let data_length = *chance.one(&[0, 1, 5, 40, 700, 5000]);
            let data = chance.bytes(data_length);
            let offset = *chance.one(&[-2_i64, -2, 0, 3, 100, 6000, -1]);
            let mut io = IoStatus::default();
            // SAFETY: the data is as long as told; `-2` and `-1` in the offset
            // mean the current position and the end (ntifs.h).
            let status = unsafe {
                NtWriteFile(
                    slot.handle.0,
                    null_mut(),
                    null_mut(),
                    null_mut(),
                    &raw mut io,
                    data.as_ptr(),
                    data.len() as u32,
                    &offset_of(offset),
                    null_mut(),
                )
            };
            let written = if status == 0 { io.information } else { 0 };
            format!("{data_length} at {offset}: {} {written}", hex(status))
        })
    }

    fn read(&mut self, chance: &mut Chance) -> String {
        self.with_any(chance, "read", |chance, slot| {
            let mut buffer = Buffer::new(*chance.one(&[0, 4, 64, 9000]));
            let offset = *chance.one(&[-2_i64, 0, 2, 90, 100_000]);
            let mut io = IoStatus::default();
            // SAFETY: the buffer is as long as told.
            let status = unsafe {
                NtReadFile(
                    slot.handle.0,
                    null_mut(),
                    null_mut(),
                    null_mut(),
                    &raw mut io,
                    buffer.pointer(),
                    buffer.length(),
                    &offset_of(offset),
                    null_mut(),
                )
            };
            let length = if status == 0 { io.information } else { 0 };
            let read = buffer.bytes().get(..length).unwrap_or(&[]);
            format!(
                "{} at {offset}: {} {length} {}",
                buffer.length(),
                hex(status),
                content(read)
            )
        })
    }

    fn query(&mut self, chance: &mut Chance) -> String {
        self.with_any(chance, "query", |chance, slot| {
            // Basic, standard, access, name, position, mode, end of file by all, network open, attribute tag, bad.
            let class = *chance.one(&[4, 4, 5, 5, 8, 9, 14, 16, 18, 34, 35, 999]);
            let mut buffer = Buffer::new(*chance.one(&[1024, 1024, 1024, 24, 6]));
            let status = query_file(slot.handle.0, &mut buffer, class);
            let told = if status == 0 {
                self.told(class, &buffer)
            } else {
                String::new()
            };
            format!(
                "class {class} in {}: {} {told}",
                buffer.length(),
                hex(status)
            )
        })
    }

    /// What a class tells that does not differ from tree to tree.
    fn told(&self, class: u32, buffer: &Buffer) -> String {
        let basic = |at: usize| {
            format!(
                "{} {:x}",
                nt::time(buffer.number::<8>(at + 16)),
                buffer.number::<4>(at + 32)
            )
        };
        let standard = |at: usize| {
            let directory = buffer.number::<1>(at + 21) != 0;
            let size = if directory {
                0
            } else {
                buffer.number::<8>(at + 8)
            };
            format!(
                "size {size} links {} gone {} directory {directory}",
                buffer.number::<4>(at + 16),
                buffer.number::<1>(at + 20)
            )
        };
        match class {
            4 => basic(0),
            5 => standard(0),
            8 | 16 => format!("{:x}", buffer.number::<4>(0)),
            9 => {
                let length = usize::try_from(buffer.number::<4>(0)).unwrap_or(0);
                self.told_path(&buffer.text(4, length))
            }
            14 => format!("{}", buffer.number::<8>(0)),
            // Basic, standard, number, extended attributes, access, position, mode, alignment, name.
            18 => {
                let length = usize::try_from(buffer.number::<4>(96)).unwrap_or(0);
                let name = self.told_path(&buffer.text(100, length));
                format!("{} {} {name}", basic(0), standard(40))
            }
            34 => format!(
                "{} {:x}",
                nt::time(buffer.number::<8>(16)),
                buffer.number::<4>(48)
            ),
            35 => format!("{:x} {:x}", buffer.number::<4>(0), buffer.number::<4>(4)),
            _ => String::new(),
        }
    }

    fn set(&mut self, chance: &mut Chance) -> String {
        let Some((at, slot)) = self.any(chance) else {
            return "set: no handle".into();
        };
        let (handle, path, sets) = (slot.handle.0, slot.path.clone(), slot.sets_attributes);
        let words = format!("set {at} ({path:?})");
        match chance.below(8) {
            0 => {
                let size = *chance.one(&[0_i64, 1, 10, 8000]);
                let status = set_file(handle, 20, &size.to_le_bytes());
                format!("{words} end of file {size}: {}", hex(status))
            }
            1 => {
                let position = *chance.one(&[0_i64, 2, 50]);
                let status = set_file(handle, 14, &position.to_le_bytes());
                format!("{words} position {position}: {}", hex(status))
            }
            // Wine lets every handle do it, NT one with the access.
            2 if !sets => format!("{words}: lacks the access"),
            2 => {
                let (day, attributes) = (
                    i64::from(chance.below(300)),
                    *chance.one(&[0_u32, 0x80, 0x1, 0x2, 0x20]),
                );
                let mut basic = [0; 40];
                let ticks = 126_000_000_000_000_000 + day * 864_000_000_000;
                basic[16..24].copy_from_slice(&ticks.to_le_bytes());
                basic[32..36].copy_from_slice(&attributes.to_le_bytes());
                let status = set_file(handle, 4, &basic);
                format!(
                    "{words} time {day} attributes {attributes:x}: {}",
                    hex(status)
                )
            }
            3 => {
                let gone = chance.percent(70);
                let status = set_file(handle, 13, &[u8::from(gone)]);
                format!("{words} disposition {gone}: {}", hex(status))
            }
            4 => {
                let size = *chance.one(&[0_i64, 3, 5000]);
                let status = set_file(handle, 19, &size.to_le_bytes());
                format!("{words} allocation {size}: {}", hex(status))
            }
            _ => self.rename(chance, at, &words),
        }
    }

    /// By `FileRenameInformation` or `FileLinkInformation`.
    fn rename(&mut self, chance: &mut Chance, at: usize, words: &str) -> String {
        let Some(slot) = self.slots[at].take() else {
            return String::new();
        };
        let to = if chance.percent(50) {
            paths::folder(chance)
        } else {
            paths::file(chance)
        };
        let (class, replace) = (*chance.one(&[10, 10, 10, 11]), chance.percent(50));
        self.quiet(&slot.path);
        self.quiet(&to);
        let simple = chance.percent(25) && !slot.path.is_empty();
        let name = if simple {
            paths::new_name(chance, false)
        } else {
            self.nt(&to)
        };
        let status = set_file(slot.handle.0, class, &rename_information(&name, replace));
        let shown = if simple { name } else { to };
        let moved = status >= 0 && class == 10;
        // Where a handle leads after its file has moved is asked by name.
        let now = if moved {
            name_of(slot.handle.0)
        } else {
            String::new()
        };
        if !moved {
            self.slots[at] = Some(slot);
        }
        format!(
            "{words} class {class} to {shown:?} replace {replace}: {} {}",
            hex(status),
            self.told_path(&now)
        )
    }

    fn by_name(&mut self, chance: &mut Chance) -> String {
        let path = paths::file(chance);
        let units: Vec<u16> = self.nt(&path).encode_utf16().collect();
        let mut buffer = Buffer::new(56);
        let full = chance.percent(50);
        // SAFETY: the buffer has room for either structure.
        let status = with_attributes(null_mut(), &units, |attributes| unsafe {
            if full {
                NtQueryFullAttributesFile(attributes, buffer.pointer())
            } else {
                NtQueryAttributesFile(attributes, buffer.pointer())
            }
        });
        let attributes = buffer.number::<4>(if full { 48 } else { 32 });
        let size = buffer.number::<8>(40);
        let told = match (status == 0, full && attributes & 0x10 == 0) {
            (false, _) => String::new(),
            (true, false) => format!("{attributes:x}"),
            (true, true) => format!("{attributes:x} {size}"),
        };
        format!("attributes of {path:?}: {} {told}", hex(status))
    }

    fn list(&mut self, chance: &mut Chance) -> String {
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

    fn list_some(&mut self, chance: &mut Chance) -> String {
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

    fn name(&mut self, chance: &mut Chance) -> String {
        self.with_any(chance, "final name of", |_, slot| {
            let mut buffer = [0; 1024];
            // SAFETY: the buffer is as long as told.
            let length =
                unsafe { GetFinalPathNameByHandleW(slot.handle.0, buffer.as_mut_ptr(), 1024, 0) };
            match buffer.get(..length as usize) {
                Some([]) | None => format!("error {}", last_error()),
                Some(name) => self.told_path(&String::from_utf16_lossy(name)),
            }
        })
    }

    fn map(&mut self, chance: &mut Chance) -> String {
        self.with_any(chance, "map", |chance, slot| {
            let (writes, data) = (chance.percent(50), chance.bytes(6));
            let (status, told) = map(slot.handle.0, writes, &data);
            format!("to write {writes}: {} {told}", hex(status))
        })
    }

    fn lock(&mut self, chance: &mut Chance) -> String {
        self.with_any(chance, "lock", |chance, slot| {
            let (from, length) = (i64::from(chance.below(20)), i64::from(chance.below(9)));
            let (exclusive, keeps) = (u8::from(chance.percent(50)), chance.percent(50));
            let mut io = IoStatus::default();
            // SAFETY: all pointers are to locals that outlive the calls.
            unsafe {
                let locked = NtLockFile(
                    slot.handle.0,
                    null_mut(),
                    null_mut(),
                    null_mut(),
                    &raw mut io,
                    &raw const from,
                    &raw const length,
                    0,
                    1,
                    exclusive,
                );
                let unlocked = if keeps {
                    0
                } else {
                    NtUnlockFile(
                        slot.handle.0,
                        &raw mut io,
                        &raw const from,
                        &raw const length,
                        0,
                    )
                };
                let flushed = NtFlushBuffersFile(slot.handle.0, &raw mut io);
                format!(
                    "{from}+{length} {exclusive} {keeps}: {} {} {}",
                    hex(locked),
                    hex(unlocked),
                    hex(flushed)
                )
            }
        })
    }

    fn make_directory(&mut self, chance: &mut Chance) -> String {
        let path = paths::folder(chance);
        // SAFETY: the path ends in a zero.
        let made = unsafe { CreateDirectoryW(self.win32(&path).as_ptr(), null()) };
        format!("make directory {path:?}: {}", error(made))
    }

    fn remove_directory(&mut self, chance: &mut Chance) -> String {
        let path = paths::file(chance);
        self.quiet(&path);
        // SAFETY: the path ends in a zero.
        let gone = unsafe { RemoveDirectoryW(self.win32(&path).as_ptr()) };
        format!("remove directory {path:?}: {}", error(gone))
    }

    fn delete(&mut self, chance: &mut Chance) -> String {
        let path = paths::file(chance);
        self.quiet(&path);
        if chance.percent(60) {
            // SAFETY: the path ends in a zero.
            let gone = unsafe { DeleteFileW(self.win32(&path).as_ptr()) };
            return format!("delete {path:?}: {}", error(gone));
        }
        let units: Vec<u16> = self.nt(&path).encode_utf16().collect();
        // SAFETY: the attributes are read only.
        let status = with_attributes(null_mut(), &units, |attributes| unsafe {
            NtDeleteFile(attributes)
        });
        format!("NtDeleteFile {path:?}: {}", hex(status))
    }

    fn two(&mut self, chance: &mut Chance) -> (String, String) {
        let pick = |chance: &mut Chance| {
            if chance.percent(40) {
                paths::folder(chance)
            } else {
                paths::file(chance)
            }
        };
        let (from, to) = (pick(chance), pick(chance));
        self.quiet(&from);
        self.quiet(&to);
        (from, to)
    }

    fn rename_by_name(&mut self, chance: &mut Chance) -> String {
        let ((from, to), flags) = (self.two(chance), *chance.one(&[0, 1, 2, 3]));
        if from.is_empty() || to.is_empty() {
            return "rename nothing".into();
        }
        // SAFETY: the paths end in a zero.
        let moved =
            unsafe { MoveFileExW(self.win32(&from).as_ptr(), self.win32(&to).as_ptr(), flags) };
        format!("move {from:?} to {to:?} flags {flags}: {}", error(moved))
    }

    fn copy(&mut self, chance: &mut Chance) -> String {
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

    fn replace(&mut self, chance: &mut Chance) -> String {
        let (replaced, by) = self.two(chance);
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
        format!("replace {replaced:?} by {by:?}: {}", error(done))
    }

    fn link(&mut self, chance: &mut Chance) -> String {
        let (from, to) = self.two(chance);
        // SAFETY: the paths end in a zero.
        let linked = unsafe {
            CreateHardLinkW(self.win32(&to).as_ptr(), self.win32(&from).as_ptr(), null())
        };
        format!("link {to:?} to {from:?}: {}", error(linked))
    }

    fn set_attributes(&mut self, chance: &mut Chance) -> String {
        let (path, attributes) = (paths::file(chance), chance.weighed(ATTRIBUTES));
        self.close_readers(&path);
        let name = self.win32(&path);
        // SAFETY: the path ends in a zero.
        let (set, now) = unsafe {
            let set = SetFileAttributesW(name.as_ptr(), attributes);
            let told = error(set);
            (told, GetFileAttributesW(name.as_ptr()))
        };
        format!("set attributes of {path:?} to {attributes:x}: {set} {now:x}")
    }

    fn volume(&mut self, chance: &mut Chance) -> String {
        self.with_any(chance, "volume of", |chance, slot| {
            // Size, device, attributes, full size.
            let class = *chance.one(&[3, 4, 5, 7]);
            let mut buffer = Buffer::new(512);
            let mut io = IoStatus::default();
            // SAFETY: the buffer is as long as told.
            let status = unsafe {
                NtQueryVolumeInformationFile(
                    slot.handle.0,
                    &raw mut io,
                    buffer.pointer(),
                    buffer.length(),
                    class,
                )
            };
            let told = match class {
                4 => format!("{:x} {:x}", buffer.number::<4>(0), buffer.number::<4>(4)),
                5 => format!("{:x} {}", buffer.number::<4>(0), buffer.number::<4>(4)),
                _ => String::new(),
            };
            format!("class {class}: {} {told}", hex(status))
        })
    }
}

/// `offset` as NT takes it: -2 is the current position, -1 the end.
fn offset_of(offset: i64) -> i64 {
    const HIGH: i64 = -1 << 32;
    match offset {
        -2 => HIGH | 0xffff_fffe,
        -1 => HIGH | 0xffff_ffff,
        other => other,
    }
}

fn query_file(handle: HANDLE, buffer: &mut Buffer, class: u32) -> NTSTATUS {
    let mut io = IoStatus::default();
    // SAFETY: the buffer is as long as told.
    unsafe {
        NtQueryInformationFile(
            handle,
            &raw mut io,
            buffer.pointer(),
            buffer.length(),
            class,
        )
    }
}

/// `FileNameInformation` of `handle`.
fn name_of(handle: HANDLE) -> String {
    let mut buffer = Buffer::new(2048);
    let status = query_file(handle, &mut buffer, 9);
    let length = usize::try_from(buffer.number::<4>(0)).unwrap_or(0);
    if status == 0 {
        buffer.text(4, length)
    } else {
        hex(status)
    }
}

fn set_file(handle: HANDLE, class: u32, data: &[u8]) -> NTSTATUS {
    let mut buffer = Buffer::new(data.len() as u32);
    let mut io = IoStatus::default();
    // SAFETY: the buffer has room for the data, and is aligned for any class.
    unsafe {
        core::ptr::copy_nonoverlapping(data.as_ptr(), buffer.pointer(), data.len());
        NtSetInformationFile(
            handle,
            &raw mut io,
            buffer.pointer(),
            buffer.length(),
            class,
        )
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

/// Maps the whole file, shows how it begins, and writes `data` there.
fn map(file: HANDLE, writes: bool, data: &[u8]) -> (NTSTATUS, String) {
    const SECTION_MAP_READ_WRITE: u32 = 0x6;
    const SEC_COMMIT: u32 = 0x800_0000;
    let protection = if writes { 4 } else { 2 };
    let mut section = null_mut();
    // SAFETY: all pointers are to locals that outlive the calls; the view is at
    // least as long as the file, and is used before it is unmapped.
    unsafe {
        let access = if writes { SECTION_MAP_READ_WRITE } else { 4 };
        let status = NtCreateSection(
            &raw mut section,
            access,
            null(),
            null(),
            protection,
            SEC_COMMIT,
            file,
        );
        if status < 0 {
            return (status, String::new());
        }
        let section = Owned(section);
        let (mut base, mut size) = (null_mut(), 0);
        let process = -1_isize as HANDLE;
        let status = NtMapViewOfSection(
            section.0,
            process,
            &raw mut base,
            0,
            0,
            null_mut(),
            &raw mut size,
            1,
            0,
            protection,
        );
        if status < 0 {
            return (status, "no view".into());
        }
        let begin = core::slice::from_raw_parts(base, 16).to_vec();
        if writes {
            let mut standard = Buffer::new(24);
            query_file(file, &mut standard, 5);
            let room = usize::try_from(standard.number::<8>(8)).unwrap_or(0);
            core::ptr::copy_nonoverlapping(data.as_ptr(), base, data.len().min(room));
        }
        NtUnmapViewOfSection(process, base);
        (status, format!("{size} {}", content(&begin)))
    }
}

/// What bytes are, shortly.
pub fn content(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("#{hash:x}")
}

fn error(done: i32) -> String {
    if done != 0 {
        "done".into()
    } else {
        format!("error {}", last_error())
    }
}
