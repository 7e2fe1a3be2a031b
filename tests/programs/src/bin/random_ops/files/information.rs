//! What a handle tells, and what is set by it.

use super::super::chance::Chance;
use super::super::nt::{
    self, Buffer, IoStatus, NtQueryInformationFile, NtQueryVolumeInformationFile,
    NtSetInformationFile, hex,
};
use super::super::paths;
use super::Files;
use pinion_test_programs::last_error;
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS};
use windows_sys::Win32::Storage::FileSystem::GetFinalPathNameByHandleW;

impl Files {
    pub(super) fn query(&mut self, chance: &mut Chance) -> String {
        self.with_any(chance, "query", |chance, slot| {
            // Basic, standard, access, name, position, mode, end of file by all, network open, attribute tag, bad.
            let class = *chance.one(&[4, 4, 5, 5, 8, 9, 14, 16, 18, 34, 35, 999]);
            let mut buffer = Buffer::new(*chance.one(&[1024, 1024, 1024, 24, 6]));
            let status = query_file(slot.handle.0, &mut buffer, class);
            // Wine looks into a directory by its own handle, and moves that.
            let moves = class == 14 && is_directory(slot.handle.0);
            let told = if status == 0 && !moves {
                self.told(class, &buffer, paths::is_dotted(&slot.path))
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
    pub(super) fn told(&self, class: u32, buffer: &Buffer, dotted: bool) -> String {
        // Wine hides by the dot, but not when asked by a handle; a copy is told to
        // be hidden (docs/LIMITS.md).
        const HIDDEN: u64 = 2;
        let attributes =
            |at: usize| buffer.number::<4>(at) & if dotted { !HIDDEN } else { u64::MAX };
        let basic = |at: usize| {
            format!(
                "{} {:x}",
                nt::time(buffer.number::<8>(at + 16)),
                attributes(at + 32)
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
            34 => format!("{} {:x}", nt::time(buffer.number::<8>(16)), attributes(48)),
            35 => format!("{:x} {:x}", attributes(0), buffer.number::<4>(4)),
            _ => String::new(),
        }
    }

    pub(super) fn set(&mut self, chance: &mut Chance) -> String {
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

    pub(super) fn name(&mut self, chance: &mut Chance) -> String {
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

    pub(super) fn volume(&mut self, chance: &mut Chance) -> String {
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

pub(super) fn query_file(handle: HANDLE, buffer: &mut Buffer, class: u32) -> NTSTATUS {
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
pub(super) fn name_of(handle: HANDLE) -> String {
    let mut buffer = Buffer::new(2048);
    let status = query_file(handle, &mut buffer, 9);
    let length = usize::try_from(buffer.number::<4>(0)).unwrap_or(0);
    if status == 0 {
        buffer.text(4, length)
    } else {
        hex(status)
    }
}

pub(super) fn set_file(handle: HANDLE, class: u32, data: &[u8]) -> NTSTATUS {
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

fn is_directory(file: HANDLE) -> bool {
    /// `FileStandardInformation` (wdm.h), and where it says so.
    const STANDARD: u32 = 5;
    const DIRECTORY: usize = 21;
    let mut buffer = Buffer::new(24);
    query_file(file, &mut buffer, STANDARD) == 0 && buffer.number::<1>(DIRECTORY) != 0
}
