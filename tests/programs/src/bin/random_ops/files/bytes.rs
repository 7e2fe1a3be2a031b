//! Reading, writing, mapping and locking what a file holds.

use super::super::chance::Chance;
use super::super::nt::{
    Buffer, IoStatus, NtCreateSection, NtFlushBuffersFile, NtLockFile, NtMapViewOfSection,
    NtReadFile, NtUnlockFile, NtUnmapViewOfSection, NtWriteFile, Owned, content, hex,
};
use super::Files;
use super::information::query_file;
use core::ptr::{null, null_mut};
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS};

impl Files {
    pub(super) fn write(&mut self, chance: &mut Chance) -> String {
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

    pub(super) fn read(&mut self, chance: &mut Chance) -> String {
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
                hex(of_directory(status)),
                content(read)
            )
        })
    }

    pub(super) fn map(&mut self, chance: &mut Chance) -> String {
        self.with_any(chance, "map", |chance, slot| {
            let (writes, data) = (chance.percent(50), chance.bytes(6));
            let (status, told) = map(slot.handle.0, writes, &data);
            format!("to write {writes}: {} {told}", hex(status))
        })
    }

    pub(super) fn lock(&mut self, chance: &mut Chance) -> String {
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
}

/// `offset` as NT takes it: -2 is the current position, -1 the end.
/// Reading a directory fails in either of two ways on Wine, by where Linux's own position in it is: that of
/// whoever listed it last, Wine's server included (observed on Wine 10). One stands for both.
fn of_directory(status: NTSTATUS) -> NTSTATUS {
    const STATUS_INVALID_PARAMETER: u32 = 0xc000_000d;
    const STATUS_INVALID_DEVICE_REQUEST: u32 = 0xc000_0010;
    if status.cast_unsigned() == STATUS_INVALID_PARAMETER {
        STATUS_INVALID_DEVICE_REQUEST.cast_signed()
    } else {
        status
    }
}

fn offset_of(offset: i64) -> i64 {
    const HIGH: i64 = -1 << 32;
    match offset {
        -2 => HIGH | 0xffff_fffe,
        -1 => HIGH | 0xffff_ffff,
        other => other,
    }
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
