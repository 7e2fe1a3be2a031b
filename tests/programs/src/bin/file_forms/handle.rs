//! What is set, and asked, by a handle that was opened for deletion.

pub use super::calls::DELETE_ON_CLOSE;
use super::calls::{OPEN, block, open, open_sharing, units};
use core::ffi::c_void;
use pinion_test_programs::nt::hex;
use pinion_test_programs::usage;
use serde_json::{Value, json};
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    fn NtSetInformationFile(
        file: HANDLE,
        io: *mut IO_STATUS_BLOCK,
        information: *const c_void,
        length: u32,
        class: u32,
    ) -> NTSTATUS;
    fn NtQueryInformationFile(
        file: HANDLE,
        io: *mut IO_STATUS_BLOCK,
        buffer: *mut u8,
        length: u32,
        class: u32,
    ) -> NTSTATUS;
}

/// `DELETE`, `FILE_READ_ATTRIBUTES` (winnt.h).
const ACCESS: u32 = 0x1_0080;
/// `FileRenameInformation`, `FileDispositionInformation`, `FileNameInformation` (wdm.h).
const RENAME: u32 = 10;
const DISPOSITION: u32 = 13;
const NAME: u32 = 9;
/// `FileLinkInformation`, `FilePositionInformation` (wdm.h).
const LINK: u32 = 11;
const POSITION: u32 = 14;

/// `FileDispositionInformationEx`, `FileRenameInformationEx`, `FileLinkInformationEx` (ntifs.h).
const DISPOSITION_EX: u32 = 64;
const RENAME_EX: u32 = 65;
const LINK_EX: u32 = 72;

/// `by-handle NAME STEP…`: opens it for deletion, with `options` more, and takes the steps `delete`,
/// `keep`, `disposition:FLAGS`, `rename:TO`, `rename-over:TO`, `rename-ex:TO`, `link:TO`, `link-ex:TO`,
/// `link-over:TO`, `go:POSITION`, `position`, `name`.
pub fn steps(name: &str, options: u32, steps: &[&str]) -> Value {
    match open(None, name, ACCESS, OPEN, options) {
        Ok((file, _)) => taken(file.0, steps),
        Err(status) => json!([hex(status)]),
    }
}

/// `by-handle-alone NAME STEP…`: the same with a handle for reading that shares with nobody.
pub fn steps_alone(name: &str, steps: &[&str]) -> Value {
    /// `FILE_READ_DATA`, `FILE_READ_ATTRIBUTES` (winnt.h).
    const READ: u32 = 0x81;
    match open_sharing(None, name, READ, OPEN, 0, 0) {
        Ok((file, _)) => taken(file.0, steps),
        Err(status) => json!([hex(status)]),
    }
}

fn taken(file: HANDLE, steps: &[&str]) -> Value {
    let told = steps.iter().map(|step| match step.split_once(':') {
        Some(("rename", to)) => hex(set(file, RENAME, &renaming(to, false))),
        Some(("rename-over", to)) => hex(set(file, RENAME, &renaming(to, true))),
        Some(("rename-ex", to)) => hex(set(file, RENAME_EX, &renaming(to, false))),
        Some(("link", to)) => hex(set(file, LINK, &renaming(to, false))),
        Some(("go", position)) => {
            let position: u64 = position
                .parse()
                .unwrap_or_else(|_| usage("POSITION is no number"));
            hex(set(file, POSITION, &position.to_le_bytes()))
        }
        Some(("link-ex", to)) => hex(set(file, LINK_EX, &renaming(to, false))),
        Some(("link-over", to)) => hex(set(file, LINK_EX, &renaming(to, true))),
        Some(("disposition", flags)) => {
            let flags: u32 = flags
                .parse()
                .unwrap_or_else(|_| usage("FLAGS is no number"));
            hex(set(file, DISPOSITION_EX, &flags.to_le_bytes()))
        }
        _ if *step == "delete" => hex(set(file, DISPOSITION, &[1])),
        _ if *step == "keep" => hex(set(file, DISPOSITION, &[0])),
        _ if *step == "position" => position_of(file),
        _ => name_of(file),
    });
    json!(told.collect::<Vec<_>>())
}

fn set(file: HANDLE, class: u32, information: &[u8]) -> NTSTATUS {
    let mut io = block();
    #[allow(clippy::cast_possible_truncation)]
    let length = information.len() as u32;
    // SAFETY: the buffer is as long as told.
    unsafe {
        NtSetInformationFile(
            file,
            &raw mut io,
            information.as_ptr().cast(),
            length,
            class,
        )
    }
}

/// `FILE_RENAME_INFORMATION` (wdm.h): flags, of which the first says to replace what is there, the
/// root, the length of the name, the name.
fn renaming(to: &str, over: bool) -> Vec<u8> {
    let name: Vec<u8> = units(to)
        .iter()
        .flat_map(|unit| unit.to_le_bytes())
        .collect();
    let mut all = vec![0; 16];
    all[0] = u8::from(over);
    #[allow(clippy::cast_possible_truncation)]
    all.extend((name.len() as u32).to_le_bytes());
    all.extend(name);
    all.resize(all.len().max(24), 0);
    all
}

/// Where the handle reads next.
fn position_of(file: HANDLE) -> String {
    let (mut position, mut io) = (0_u64, block());
    // SAFETY: the class has one such number.
    let status = unsafe {
        NtQueryInformationFile(file, &raw mut io, (&raw mut position).cast(), 8, POSITION)
    };
    format!("{} {position}", hex(status))
}

/// The last part of the file's name.
fn name_of(file: HANDLE) -> String {
    let (mut buffer, mut io) = (vec![0_u32; 1024], block());
    // SAFETY: the buffer is as long as told.
    let status = unsafe {
        NtQueryInformationFile(file, &raw mut io, buffer.as_mut_ptr().cast(), 4096, NAME)
    };
    if status < 0 {
        return hex(status);
    }
    let pairs = buffer.iter().skip(1);
    #[allow(clippy::cast_possible_truncation)]
    let units: Vec<u16> = pairs
        .flat_map(|word| [*word as u16, (*word >> 16) as u16])
        .collect();
    let name = units.get(..buffer[0] as usize / 2).unwrap_or(&[]);
    let name = String::from_utf16_lossy(name);
    name.rsplit('\\').next().unwrap_or_default().to_owned()
}
