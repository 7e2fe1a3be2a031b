//! The NT calls. Names are NT's own (`\??\C:\…`); each answer has the status.

use core::ptr::{null, null_mut};
use pinion_test_programs::nt::{Handle, hex, with_attributes};
use serde_json::{Value, json};
use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS, UNICODE_STRING};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    pub fn NtCreateFile(
        handle: *mut HANDLE,
        access: u32,
        attributes: *const OBJECT_ATTRIBUTES,
        io: *mut IO_STATUS_BLOCK,
        size: *const i64,
        kind: u32,
        share: u32,
        disposition: u32,
        options: u32,
        ea: *const u8,
        ea_size: u32,
    ) -> NTSTATUS;
    pub fn NtReadFile(
        file: HANDLE,
        event: HANDLE,
        apc: *const u8,
        context: *const u8,
        io: *mut IO_STATUS_BLOCK,
        buffer: *mut u8,
        length: u32,
        offset: *const i64,
        key: *const u32,
    ) -> NTSTATUS;
    fn NtWriteFile(
        file: HANDLE,
        event: HANDLE,
        apc: *const u8,
        context: *const u8,
        io: *mut IO_STATUS_BLOCK,
        buffer: *const u8,
        length: u32,
        offset: *const i64,
        key: *const u32,
    ) -> NTSTATUS;
    fn NtQueryAttributesFile(attributes: *const OBJECT_ATTRIBUTES, out: *mut u64) -> NTSTATUS;
    fn NtDeleteFile(attributes: *const OBJECT_ATTRIBUTES) -> NTSTATUS;
    pub fn NtQueryDirectoryFile(
        file: HANDLE,
        event: HANDLE,
        apc: *const u8,
        context: *const u8,
        io: *mut IO_STATUS_BLOCK,
        buffer: *mut u8,
        length: u32,
        class: u32,
        single: u8,
        pattern: *const UNICODE_STRING,
        restart: u8,
    ) -> NTSTATUS;
}

pub const GENERIC_READ: u32 = 0x8000_0000;
const GENERIC_WRITE: u32 = 0x4000_0000;
const DELETE: u32 = 0x1_0000;
pub const SYNCHRONIZE: u32 = 0x10_0000;
pub const SHARE_ALL: u32 = 7;
pub const OPEN: u32 = 1;
const OVERWRITE_IF: u32 = 5;
pub const DIRECTORY: u32 = 1;
pub const SYNCHRONOUS: u32 = 0x20;
pub const DELETE_ON_CLOSE: u32 = 0x1000;

pub fn block() -> IO_STATUS_BLOCK {
    // SAFETY: a structure of plain words.
    unsafe { core::mem::zeroed() }
}

pub fn units(name: &str) -> Vec<u16> {
    name.encode_utf16().collect()
}

/// Opens `name`, relative to the directory `root` if there is one. Gives the
/// handle and what was done (`IoStatusBlock.Information`).
pub fn open(
    root: Option<&str>,
    name: &str,
    access: u32,
    disposition: u32,
    options: u32,
) -> Result<(Handle, usize), NTSTATUS> {
    open_sharing(root, name, access, disposition, options, SHARE_ALL)
}

/// As [`open`], sharing as told.
pub fn open_sharing(
    root: Option<&str>,
    name: &str,
    access: u32,
    disposition: u32,
    options: u32,
    share: u32,
) -> Result<(Handle, usize), NTSTATUS> {
    let root = match root {
        Some(root) => Some(open(None, root, 1, OPEN, DIRECTORY)?.0),
        None => None,
    };
    let root = root.as_ref().map_or(null_mut(), |root| root.0);
    let (mut handle, mut io): (HANDLE, _) = (null_mut(), block());
    // SAFETY: all pointers are to locals that outlive the call.
    let status = with_attributes(root, &units(name), |attributes| unsafe {
        NtCreateFile(
            &raw mut handle,
            access | SYNCHRONIZE,
            attributes,
            &raw mut io,
            null(),
            0,
            share,
            disposition,
            options | SYNCHRONOUS,
            null(),
            0,
        )
    });
    if status < 0 {
        return Err(status);
    }
    Ok((Handle(handle), io.Information))
}

pub fn told(result: Result<Value, NTSTATUS>) -> Value {
    match result {
        Ok(value) => json!({"status": hex(0), "value": value}),
        Err(status) => json!({"status": hex(status)}),
    }
}

pub fn read(root: Option<&str>, name: &str) -> Value {
    told(
        open(root, name, GENERIC_READ, OPEN, 0).and_then(|(file, _)| {
            let (mut buffer, mut io) = (vec![0_u8; 4096], block());
            // SAFETY: the buffer is as long as told.
            let status = unsafe {
                NtReadFile(
                    file.0,
                    null_mut(),
                    null(),
                    null(),
                    &raw mut io,
                    buffer.as_mut_ptr(),
                    4096,
                    null(),
                    null(),
                )
            };
            if status < 0 {
                return Err(status);
            }
            buffer.truncate(io.Information);
            Ok(json!(String::from_utf8_lossy(&buffer)))
        }),
    )
}

pub fn write(root: Option<&str>, name: &str, text: &str) -> Value {
    told(
        open(root, name, GENERIC_WRITE, OVERWRITE_IF, 0).and_then(|(file, done)| {
            let mut io = block();
            #[allow(clippy::cast_possible_truncation)]
            let length = text.len() as u32;
            // SAFETY: the buffer is as long as told.
            let status = unsafe {
                NtWriteFile(
                    file.0,
                    null_mut(),
                    null(),
                    null(),
                    &raw mut io,
                    text.as_ptr(),
                    length,
                    null(),
                    null(),
                )
            };
            if status < 0 {
                Err(status)
            } else {
                Ok(json!(done))
            }
        }),
    )
}

pub fn open_for(name: &str, access: &str) -> Value {
    let access = u32::from_str_radix(access, 16).unwrap_or(0);
    told(open(None, name, access, OPEN, 0).map(|(_, done)| json!(done)))
}

pub fn attributes(name: &str) -> Value {
    let mut basic = [0_u64; 5];
    // SAFETY: a FILE_BASIC_INFORMATION has 40 bytes.
    let status = with_attributes(null_mut(), &units(name), |attributes| unsafe {
        NtQueryAttributesFile(attributes, basic.as_mut_ptr())
    });
    #[allow(clippy::cast_possible_truncation)]
    let attributes = basic[4] as u32;
    told(if status < 0 {
        Err(status)
    } else {
        Ok(json!(attributes))
    })
}

pub fn delete(name: &str) -> Value {
    // SAFETY: the attributes outlive the call.
    let status = with_attributes(null_mut(), &units(name), |attributes| unsafe {
        NtDeleteFile(attributes)
    });
    told(if status < 0 {
        Err(status)
    } else {
        Ok(Value::Null)
    })
}

pub fn delete_on_close(name: &str) -> Value {
    told(open(None, name, DELETE, OPEN, DELETE_ON_CLOSE).map(|_| Value::Null))
}

/// The names that a listing gives, in its order, and the status that ended it.
pub fn list(directory: &str, class: &str, pattern: &str, single: bool) -> Value {
    let class: u32 = class.parse().unwrap_or(0);
    let directory = match open(None, directory, 1, OPEN, DIRECTORY) {
        Ok((directory, _)) => directory,
        Err(status) => return told(Err(status)),
    };
    let pattern = units(pattern);
    #[allow(clippy::cast_possible_truncation)]
    let bytes = (pattern.len() * 2) as u16;
    let pattern = UNICODE_STRING {
        Length: bytes,
        MaximumLength: bytes,
        Buffer: pattern.as_ptr().cast_mut(),
    };
    let mut names = Vec::new();
    loop {
        let (mut buffer, mut io) = (vec![0_u64; 128], block());
        // SAFETY: the buffer has 1024 bytes; the pattern outlives the call.
        let status = unsafe {
            NtQueryDirectoryFile(
                directory.0,
                null_mut(),
                null(),
                null(),
                &raw mut io,
                buffer.as_mut_ptr().cast(),
                1024,
                class,
                u8::from(single),
                if bytes == 0 {
                    null()
                } else {
                    &raw const pattern
                },
                0,
            )
        };
        if status != 0 {
            return json!({"status": hex(status), "value": names});
        }
        let bytes: Vec<u8> = buffer.iter().flat_map(|word| word.to_le_bytes()).collect();
        names.extend(entries(&bytes, class));
    }
}

/// The names in one buffer of a listing.
fn entries(bytes: &[u8], class: u32) -> Vec<String> {
    let (length_at, name_at) = match class {
        1 => (60, 64),
        2 => (60, 68),
        3 => (60, 94),
        12 => (8, 12),
        37 => (60, 104),
        _ => (60, 80),
    };
    let word = |at: usize| {
        bytes
            .get(at..at + 4)
            .and_then(|b| b.try_into().ok())
            .map_or(0, u32::from_le_bytes) as usize
    };
    let (mut at, mut names) = (0, Vec::new());
    loop {
        let length = word(at + length_at);
        let text: Vec<u16> = bytes
            .get(at + name_at..at + name_at + length)
            .unwrap_or(&[])
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .collect();
        names.push(String::from_utf16_lossy(&text));
        match word(at) {
            0 => return names,
            next => at += next,
        }
    }
}
