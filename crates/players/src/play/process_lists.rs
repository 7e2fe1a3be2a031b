//! Lists of all processes, threads and handles.

use super::window::fact;
use crate::imports;
use crate::win::{self, Handle, Step, handle, last, nt, yes};
use core::ffi::{CStr, c_void};
use core::ptr::null_mut;
use pinion_probes::{Ask, Seen};
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS};

imports! {
    "kernel32.dll" {
        fn CreateToolhelp32Snapshot(flags: u32, process: u32) -> HANDLE;
        fn Process32FirstW(list: HANDLE, entry: *mut [u32; 142]) -> i32;
        fn Process32NextW(list: HANDLE, entry: *mut [u32; 142]) -> i32;
        fn Thread32First(list: HANDLE, entry: *mut [u32; 7]) -> i32;
        fn Thread32Next(list: HANDLE, entry: *mut [u32; 7]) -> i32;
        fn K32EnumProcesses(list: *mut u32, size: u32, used: *mut u32) -> i32;
    }
    "wtsapi32.dll" {
        fn WTSEnumerateProcessesW(server: HANDLE, zero: u32, version: u32, list: *mut *mut [u32; 6], count: *mut u32) -> i32;
        fn WTSFreeMemory(list: *mut [u32; 6]) -> i32;
    }
    "ntdll.dll" {
        fn wine_get_version() -> *const core::ffi::c_char;
        fn NtQuerySystemInformation(class: u32, buffer: *mut c_void, length: u32, returned: *mut u32) -> NTSTATUS;
    }
}

const STATUS_INFO_LENGTH_MISMATCH: u32 = 0xC000_0004;

pub fn reach(ask: &Ask) -> Step<()> {
    let (process, thread) = (fact(ask, "process") as u32, fact(ask, "thread") as u32);
    let found = match ask.way.as_str() {
        "toolhelp" => {
            let (list, mut entry) = (snapshot(2, 0)?, [0; 142]);
            entry[0] = 568;
            // SAFETY: a live handle; the entry has the size that it tells.
            walk(|first| unsafe {
                let more = match first {
                    true => Process32FirstW(list.0, &raw mut entry)?,
                    false => Process32NextW(list.0, &raw mut entry)?,
                };
                Ok((more, entry[2] == process))
            })?
        }
        "toolhelp-threads" => {
            let (list, mut entry) = (snapshot(4, 0)?, [0; 7]);
            entry[0] = 28;
            // SAFETY: as above.
            walk(|first| unsafe {
                let more = match first {
                    true => Thread32First(list.0, &raw mut entry)?,
                    false => Thread32Next(list.0, &raw mut entry)?,
                };
                Ok((more, entry[2] == thread))
            })?
        }
        "toolhelp-modules" => return snapshot(8, process).map(drop),
        "psapi" => {
            let (mut list, mut used) = (vec![0; 4096], 0);
            // SAFETY: the buffer has the room told.
            yes("list", unsafe {
                K32EnumProcesses(list.as_mut_ptr(), 16_384, &raw mut used)?
            })?;
            list.iter()
                .take(used as usize / 4)
                .any(|one| *one == process)
        }
        "wtsapi" => wts(process)?,
        way => return system(way, process),
    };
    if found {
        Ok(())
    } else {
        Err(Seen::Refused("it is in no list".into()))
    }
}

fn snapshot(flags: u32, process: u32) -> Step<Handle> {
    // SAFETY: only numbers are given.
    handle("list", unsafe { CreateToolhelp32Snapshot(flags, process)? })
}

/// Asks for one after another until it is the one, or there are no more.
fn walk(mut next: impl FnMut(bool) -> Step<(i32, bool)>) -> Step<bool> {
    let mut first = true;
    loop {
        match next(first)? {
            (0, _) if first => return Err(last("list")),
            (0, _) => return Ok(false),
            (_, true) => return Ok(true),
            _ => first = false,
        }
    }
}

fn wts(process: u32) -> Step<bool> {
    let (mut list, mut count) = (null_mut(), 0);
    // SAFETY: locals; the list has as many entries as told and is given back once.
    unsafe {
        let told = WTSEnumerateProcessesW(null_mut(), 0, 1, &raw mut list, &raw mut count)?;
        yes("list", told)?;
        let found = (0..count as usize).any(|index| (*list.add(index))[1] == process);
        let _ = WTSFreeMemory(list);
        Ok(found)
    }
}

/// The system's own lists. All but that of handles have records of a length that
/// they tell, with the id at one place.
fn system(way: &str, process: u32) -> Step<()> {
    let found = match way {
        "system-processes" => chain(&query(5)?, process),
        "system-extended" => chain(&query(57)?, process),
        "system-full" => chain(&query(148)?, process),
        "system-session" => session(process)?,
        "system-handles" | "system-handles-ex" if is_old_wine() => {
            let why = "a question that Wine's server before 10 may end at";
            return Err(Seen::Missing(why.into()));
        }
        "system-handles" => {
            let told = query(16)?;
            let entries = told.get(8..).unwrap_or(&[]).chunks_exact(24);
            let id = |entry: &[u8]| u32::from(u16::from_le_bytes([entry[0], entry[1]]));
            entries
                .into_iter()
                .any(|entry| id(entry) == process & 0xffff)
        }
        "system-handles-ex" => {
            let told = query(64)?;
            let mut entries = told.get(16..).unwrap_or(&[]).chunks_exact(40);
            entries.any(|entry| number(entry, 8) == process)
        }
        "image-by-id" => return image(process),
        way => return win::unknown(way),
    };
    if found {
        Ok(())
    } else {
        Err(Seen::Refused("it is in no list".into()))
    }
}

/// Whether this is a Wine before 10, whose server ends when it is asked for all
/// handles while some process has none (seen on Wine 8).
fn is_old_wine() -> bool {
    // SAFETY: the export gives a static text that ends in a zero.
    let version = unsafe { wine_get_version().map(|text| CStr::from_ptr(text)) };
    let major = version
        .ok()
        .and_then(|text| text.to_str().ok()?.split('.').next()?.parse().ok());
    major.is_some_and(|major: u32| major < 10)
}

fn number(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
    four.map_or(0, u32::from_le_bytes)
}

fn query(class: u32) -> Step<Vec<u8>> {
    let (mut room, mut returned) = (0x2_0000_u32, 0);
    loop {
        let mut buffer = vec![0_u8; room as usize];
        let at = buffer.as_mut_ptr().cast();
        // SAFETY: the buffer has the room told.
        let status = unsafe { NtQuerySystemInformation(class, at, room, &raw mut returned)? };
        if status.cast_unsigned() == STATUS_INFO_LENGTH_MISMATCH && room < 0x400_0000 {
            room *= 4;
            continue;
        }
        nt("list", status)?;
        buffer.truncate(returned as usize);
        return Ok(buffer);
    }
}

/// SYSTEM_PROCESS_INFORMATION: the next one's distance first, the id at 80.
fn chain(told: &[u8], process: u32) -> bool {
    let mut at = 0;
    loop {
        if number(told, at + 80) == process {
            return true;
        }
        match number(told, at) {
            0 => return false,
            next => at += next as usize,
        }
    }
}

/// The processes of this process's session (class 53), in a buffer of its own.
fn session(process: u32) -> Step<bool> {
    let mut told = vec![0_u8; 0x10_0000];
    let mut ask = [0_u64; 2];
    ask[0] = u64::from(super::objects::session()) | (told.len() as u64) << 32;
    ask[1] = told.as_mut_ptr() as u64;
    let mut returned = 0;
    // SAFETY: the structure and the buffer that it names are locals of the sizes told.
    nt("list", unsafe {
        NtQuerySystemInformation(53, ask.as_mut_ptr().cast(), 16, &raw mut returned)?
    })?;
    Ok(chain(&told, process))
}

/// The image's name by the id alone (class 88).
fn image(process: u32) -> Step<()> {
    let mut name = [0_u16; 512];
    let mut ask = [u64::from(process), 1024 << 16, name.as_mut_ptr() as u64];
    let mut returned = 0;
    // SAFETY: the structure and the buffer that it names are locals of the sizes told.
    nt("ask", unsafe {
        NtQuerySystemInformation(88, ask.as_mut_ptr().cast(), 24, &raw mut returned)?
    })
}
