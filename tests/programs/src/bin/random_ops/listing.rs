//! Listing a directory by `NtQueryDirectoryFile`, in every class.

use super::chance::Chance;
use super::nt::{Buffer, IoStatus, NtQueryDirectoryFile, hex, string, time};
use core::ptr::null_mut;
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS};

/// A class of entries: its number, and where attributes and the name's length
/// and the name lie.
#[derive(Clone, Copy, Debug)]
pub struct Class {
    number: u32,
    attributes: Option<usize>,
    name_length: usize,
    name: usize,
}

/// `FileDirectory-`, `FileFullDirectory-`, `FileBothDirectory-`, `FileNames-`,
/// `FileIdBothDirectory-` and `FileIdFullDirectoryInformation` (ntifs.h).
const CLASSES: [Class; 6] = [
    class(1, Some(56), 60, 64),
    class(2, Some(56), 60, 68),
    class(3, Some(56), 60, 94),
    class(12, None, 8, 12),
    class(37, Some(56), 60, 104),
    class(38, Some(56), 60, 80),
];

const fn class(number: u32, attributes: Option<usize>, name_length: usize, name: usize) -> Class {
    Class {
        number,
        attributes,
        name_length,
        name,
    }
}

const PATTERNS: [Option<&str>; 9] = [
    None,
    Some("*"),
    Some("*.txt"),
    Some("A*"),
    Some("?"),
    Some("d1"),
    Some("*.*"),
    Some("<.\"*"),
    Some("none such"),
];

/// One way to ask.
pub struct Question {
    class: Class,
    pattern: Option<&'static str>,
    single: bool,
    room: u32,
}

impl Question {
    /// Any.
    pub fn new(chance: &mut Chance) -> Self {
        Self {
            class: *chance.one(&CLASSES),
            pattern: *chance.one(&PATTERNS),
            single: chance.percent(25),
            room: *chance.one(&[320, 1024, 8192]),
        }
    }

    /// In words.
    pub fn words(&self) -> String {
        let one = if self.single { " single" } else { "" };
        format!(
            "class {} for {:?} in {}{one}",
            self.class.number, self.pattern, self.room
        )
    }

    /// Asks once.
    pub fn once(&self, directory: HANDLE, restart: bool) -> (NTSTATUS, String) {
        let mut buffer = Buffer::new(self.room);
        let mut io = IoStatus::default();
        let units: Vec<u16> = self.pattern.unwrap_or("").encode_utf16().collect();
        let pattern = string(&units);
        let asked = self
            .pattern
            .map_or(null_mut(), |_| (&raw const pattern).cast_mut());
        // SAFETY: the buffer is as long as told; the pattern outlives the call.
        let status = unsafe {
            NtQueryDirectoryFile(
                directory,
                null_mut(),
                null_mut(),
                null_mut(),
                &raw mut io,
                buffer.pointer(),
                buffer.length(),
                self.class.number,
                u8::from(self.single),
                asked,
                u8::from(restart),
            )
        };
        let told = if status == 0 {
            self.entries(&buffer)
        } else {
            String::new()
        };
        (status, told)
    }

    /// Asks until nothing more comes.
    pub fn all(&self, directory: HANDLE) -> String {
        let mut told = String::new();
        for _ in 0..300 {
            let (status, entries) = self.once(directory, false);
            told += &entries;
            if status != 0 {
                return format!("{told}{}", hex(status));
            }
        }
        told + "without end"
    }

    fn entries(&self, buffer: &Buffer) -> String {
        let mut told = String::new();
        let mut at = 0;
        loop {
            told += &self.entry(buffer, at);
            match buffer.number::<4>(at) {
                0 => return told,
                next => at += usize::try_from(next).unwrap_or(usize::MAX / 2),
            }
        }
    }

    fn entry(&self, buffer: &Buffer, at: usize) -> String {
        let class = self.class;
        let length = usize::try_from(buffer.number::<4>(at + class.name_length)).unwrap_or(0);
        let name = buffer.text(at + class.name, length);
        let Some(attributes) = class.attributes.filter(|_| name != "." && name != "..") else {
            return format!("{name:?} ");
        };
        let attributes = buffer.number::<4>(at + attributes);
        let changed = time(buffer.number::<8>(at + 24));
        let short = self.short_name(buffer, at);
        if attributes & 0x10 != 0 {
            return format!("{name:?}{short}[{attributes:x}] ");
        }
        let size = buffer.number::<8>(at + 40);
        format!("{name:?}{short}[{attributes:x} {size} {changed}] ")
    }

    fn short_name(&self, buffer: &Buffer, at: usize) -> String {
        if ![3, 37].contains(&self.class.number) {
            return String::new();
        }
        let length = usize::try_from(buffer.number::<1>(at + 68)).unwrap_or(0);
        format!("~{:?}", buffer.text(at + 70, length))
    }
}
