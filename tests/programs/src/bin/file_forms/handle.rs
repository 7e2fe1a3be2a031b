//! What is set, and asked, by a handle that was opened for deletion.

pub use super::calls::DELETE_ON_CLOSE;
use super::calls::{OPEN, block, open, units};
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

/// `FileDispositionInformationEx`, `FileRenameInformationEx`, `FileLinkInformationEx` (ntifs.h).
const DISPOSITION_EX: u32 = 64;
const RENAME_EX: u32 = 65;
const LINK_EX: u32 = 72;

/// `by-handle NAME STEP…`: opens it for deletion, with `options` more, and takes the steps `delete`,
/// `keep`, `disposition:FLAGS`, `rename:TO`, `rename-over:TO`, `rename-ex:TO`, `link-ex:TO`,
/// `link-over:TO`, `name`.
pub fn steps(name: &str, options: u32, steps: &[&str]) -> Value {
    let file = match open(None, name, ACCESS, OPEN, options) {
        Ok((file, _)) => file,
        Err(status) => return json!([hex(status)]),
    };
    let told = steps.iter().map(|step| match step.split_once(':') {
        Some(("rename", to)) => hex(set(file.0, RENAME, &renaming(to, false))),
        Some(("rename-over", to)) => hex(set(file.0, RENAME, &renaming(to, true))),
        Some(("rename-ex", to)) => hex(set(file.0, RENAME_EX, &renaming(to, false))),
        Some(("link-ex", to)) => hex(set(file.0, LINK_EX, &renaming(to, false))),
        Some(("link-over", to)) => hex(set(file.0, LINK_EX, &renaming(to, true))),
        Some(("disposition", flags)) => {
            let flags: u32 = flags
                .parse()
                .unwrap_or_else(|_| usage("FLAGS is no number"));
            hex(set(file.0, DISPOSITION_EX, &flags.to_le_bytes()))
        }
        _ if *step == "delete" => hex(set(file.0, DISPOSITION, &[1])),
        _ if *step == "keep" => hex(set(file.0, DISPOSITION, &[0])),
        _ => name_of(file.0),
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
