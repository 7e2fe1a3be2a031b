//! A file by its short name and by its number; its volume; control codes.

use crate::calls::{
    DIRECTORY, NtCreateFile, NtQueryDirectoryFile, OPEN, SHARE_ALL, SYNCHRONIZE, SYNCHRONOUS,
    block, open, told, units,
};
use core::ptr::{null, null_mut};
use pinion_test_programs::nt::{Handle, name_of, with_attributes};
use serde_json::{Value, json};
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS, UNICODE_STRING};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    fn NtQueryInformationFile(
        file: HANDLE,
        io: *mut IO_STATUS_BLOCK,
        buffer: *mut u8,
        length: u32,
        class: u32,
    ) -> NTSTATUS;
    fn NtQueryVolumeInformationFile(
        file: HANDLE,
        io: *mut IO_STATUS_BLOCK,
        buffer: *mut u8,
        length: u32,
        class: u32,
    ) -> NTSTATUS;
    fn NtFsControlFile(
        file: HANDLE,
        event: HANDLE,
        apc: *const u8,
        context: *const u8,
        io: *mut IO_STATUS_BLOCK,
        code: u32,
        input: *const u8,
        input_size: u32,
        output: *mut u8,
        output_size: u32,
    ) -> NTSTATUS;
}

/// The short name that the directory tells for `name`.
pub fn short(directory: &str, name: &str) -> Value {
    told(
        open(None, directory, 1, OPEN, DIRECTORY).and_then(|(directory, _)| {
            let name = units(name);
            #[allow(clippy::cast_possible_truncation)]
            let bytes = (name.len() * 2) as u16;
            let pattern = UNICODE_STRING {
                Length: bytes,
                MaximumLength: bytes,
                Buffer: name.as_ptr().cast_mut(),
            };
            let (mut record, mut io) = (vec![0_u16; 512], block());
            // SAFETY: the buffer has 1024 bytes; the pattern outlives the call.
            let status = unsafe {
                NtQueryDirectoryFile(
                    directory.0,
                    null_mut(),
                    null(),
                    null(),
                    &raw mut io,
                    record.as_mut_ptr().cast(),
                    1024,
                    3,
                    1,
                    &raw const pattern,
                    1,
                )
            };
            if status != 0 {
                return Err(status);
            }
            // FILE_BOTH_DIR_INFORMATION: the short name's length at 68, itself at 70.
            let length = usize::from(record[34] & 0xff) / 2;
            Ok(json!(String::from_utf16_lossy(&record[35..35 + length])))
        }),
    )
}

/// Opens the file of `name` by its number; its name then.
pub fn by_id(name: &str, access: &str) -> Value {
    const ASK: u32 = 0x80;
    const BY_ID: u32 = 0x2000;
    const INTERNAL: u32 = 6;
    let access = u32::from_str_radix(access, 16).unwrap_or(0);
    told(open(None, name, ASK, OPEN, 0).and_then(|(file, _)| {
        let (mut number, mut io) = (0_u64, block());
        // SAFETY: the class gives eight bytes.
        let status = unsafe {
            NtQueryInformationFile(file.0, &raw mut io, (&raw mut number).cast(), 8, INTERNAL)
        };
        if status != 0 {
            return Err(status);
        }
        drop(file);
        let root = open(None, name.get(..7).unwrap_or(name), ASK, OPEN, 0)?.0;
        let number: Vec<u16> = (0..4).map(|at| (number >> (at * 16)) as u16).collect();
        let mut handle: HANDLE = null_mut();
        // SAFETY: all pointers are to locals that outlive the call.
        let status = with_attributes(root.0, &number, |attributes| unsafe {
            NtCreateFile(
                &raw mut handle,
                access | SYNCHRONIZE,
                attributes,
                &raw mut io,
                null(),
                0,
                SHARE_ALL,
                OPEN,
                BY_ID | SYNCHRONOUS,
                null(),
                0,
            )
        });
        if status < 0 {
            return Err(status);
        }
        Ok(json!(name_of(&Handle(handle)).unwrap_or_default()))
    }))
}

/// What is told of the volume of `name`, as bytes; of sizes only the whole, since
/// what is free changes all the time.
pub fn volume(name: &str, class: &str) -> Value {
    const ASK: u32 = 0x80;
    let class: u32 = class.parse().unwrap_or(0);
    told(open(None, name, ASK, OPEN, 0).and_then(|(file, _)| {
        let (mut bytes, mut io) = (vec![0_u8; 512], block());
        // SAFETY: the buffer has 512 bytes.
        let status = unsafe {
            NtQueryVolumeInformationFile(file.0, &raw mut io, bytes.as_mut_ptr(), 512, class)
        };
        if status != 0 {
            return Err(status);
        }
        bytes.truncate(if class == 3 || class == 7 {
            8
        } else {
            io.Information
        });
        Ok(json!(bytes))
    }))
}

/// The status of a file system control code with an empty buffer.
pub fn control(name: &str, code: &str) -> Value {
    const WRITE: u32 = 0x2;
    let code = u32::from_str_radix(code, 16).unwrap_or(0);
    told(open(None, name, WRITE, OPEN, 0).and_then(|(file, _)| {
        let (mut bytes, mut io) = ([0_u64; 64], block());
        // SAFETY: the buffer has 512 bytes.
        let status = unsafe {
            NtFsControlFile(
                file.0,
                null_mut(),
                null(),
                null(),
                &raw mut io,
                code,
                bytes.as_ptr().cast(),
                64,
                bytes.as_mut_ptr().cast(),
                512,
            )
        };
        if status < 0 {
            Err(status)
        } else {
            Ok(Value::Null)
        }
    }))
}
