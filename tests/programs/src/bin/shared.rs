//! What programs do to files beyond reading and writing: `shared OPERATION [ ; OPERATION ]…` with `;`
//! as an argument of its own. Prints a line of JSON for each operation with its Win32 error. See
//! `do_one` for the operations.

use core::ptr::{null, null_mut};
use pinion_test_programs::{arguments, last_error, say, usage, wide};
use serde_json::{Value, json};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::AsRawHandle;
use std::time::Duration;
use windows_sys::Win32::Foundation::{CloseHandle, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Storage::FileSystem::{
    CreateFileW, FILE_FLAG_BACKUP_SEMANTICS, FILE_NOTIFY_CHANGE_FILE_NAME, LOCKFILE_EXCLUSIVE_LOCK,
    LOCKFILE_FAIL_IMMEDIATELY, LockFileEx, ReadDirectoryChangesW, SetFileAttributesW,
};
use windows_sys::Win32::System::IO::OVERLAPPED;
use windows_sys::Win32::System::Memory::{
    CreateFileMappingW, FILE_MAP_WRITE, MapViewOfFile, PAGE_READWRITE, UnmapViewOfFile,
};

fn main() {
    for operation in arguments().split(|argument| argument == ";") {
        let words: Vec<&str> = operation.iter().map(String::as_str).collect();
        let answer = match do_one(&words) {
            Ok(value) => json!({"error": 0, "value": value}),
            Err(error) => json!({"error": error.raw_os_error().unwrap_or(-1)}),
        };
        say(&answer);
    }
}

fn do_one(words: &[&str]) -> io::Result<Value> {
    match *words {
        ["link", from, to] => fs::hard_link(from, to).map(|()| Value::Null),
        ["set-attributes", path, attributes] => set_attributes(path, number(attributes)),
        ["open", path, access, disposition] => open(path, number(access), number(disposition)),
        ["write-by-section", path, text] => write_by_section(path, text),
        ["watch", folder] => watch(folder),
        ["lock", path, seconds] => lock(path, seconds),
        ["try-lock", path] => locked(path).map(|_| Value::Null),
        _ => usage(
            "link P Q | set-attributes P HEX | open P HEXACCESS HEXDISPOSITION | write-by-section P TEXT | \
             watch FOLDER | lock P SECONDS | try-lock P",
        ),
    }
}

fn number(hex: &str) -> u32 {
    u32::from_str_radix(hex, 16).unwrap_or(0)
}

fn system() -> io::Error {
    io::Error::from_raw_os_error(last_error().cast_signed())
}

fn set_attributes(path: &str, attributes: u32) -> io::Result<Value> {
    // SAFETY: the path ends in a zero.
    match unsafe { SetFileAttributesW(wide(path).as_ptr(), attributes) } {
        0 => Err(system()),
        _ => Ok(Value::Null),
    }
}

/// Opens as `CreateFileW` does, sharing all.
fn open(path: &str, access: u32, disposition: u32) -> io::Result<Value> {
    const SHARE_ALL: u32 = 7;
    // SAFETY: the path ends in a zero; the pointers left out may be null.
    let opened = unsafe {
        CreateFileW(
            wide(path).as_ptr(),
            access,
            SHARE_ALL,
            null(),
            disposition,
            FILE_FLAG_BACKUP_SEMANTICS,
            null_mut(),
        )
    };
    if opened == INVALID_HANDLE_VALUE {
        return Err(system());
    }
    // SAFETY: opened above and closed once.
    unsafe { CloseHandle(opened) };
    Ok(Value::Null)
}

/// Writes over the beginning of a file by a view of its section.
fn write_by_section(path: &str, text: &str) -> io::Result<Value> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    // SAFETY: a live handle; the pointers left out may be null.
    let section =
        unsafe { CreateFileMappingW(file.as_raw_handle(), null(), PAGE_READWRITE, 0, 0, null()) };
    if section.is_null() {
        return Err(system());
    }
    // SAFETY: a live section of the whole file.
    let view = unsafe { MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0) };
    if view.Value.is_null() {
        return Err(system());
    }
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(0);
    // SAFETY: the view has the length of the file, and no more is written.
    unsafe {
        let place = core::slice::from_raw_parts_mut(view.Value.cast::<u8>(), length);
        for (place, byte) in place.iter_mut().zip(text.bytes()) {
            *place = byte;
        }
        UnmapViewOfFile(view);
        CloseHandle(section);
    }
    Ok(Value::Null)
}

/// Says that it watches; then the first name that comes or goes in the folder.
fn watch(folder: &str) -> io::Result<Value> {
    let folder = OpenOptions::new()
        .read(true)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS)
        .open(folder)?;
    say(&json!({"watching": true}));
    let (mut buffer, mut length) = ([0_u32; 256], 0);
    // SAFETY: a live handle for synchronous use; the buffer is as long as told.
    let done = unsafe {
        ReadDirectoryChangesW(
            folder.as_raw_handle(),
            buffer.as_mut_ptr().cast(),
            1024,
            0,
            FILE_NOTIFY_CHANGE_FILE_NAME,
            &raw mut length,
            null_mut(),
            None,
        )
    };
    if done == 0 {
        return Err(system());
    }
    // FILE_NOTIFY_INFORMATION: next, action, the name's length in bytes, the name.
    let bytes: Vec<u8> = buffer.iter().flat_map(|word| word.to_le_bytes()).collect();
    let name = bytes.get(12..12 + buffer[2] as usize).unwrap_or(&[]);
    let name: Vec<u16> = name
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    Ok(json!(String::from_utf16_lossy(&name)))
}

fn locked(path: &str) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut at = OVERLAPPED::default();
    let how = LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY;
    // SAFETY: a live handle; the structure is a local.
    match unsafe { LockFileEx(file.as_raw_handle(), how, 0, 16, 0, &raw mut at) } {
        0 => Err(system()),
        _ => Ok(file),
    }
}

/// Keeps the first bytes of a file locked, and says so at once.
fn lock(path: &str, seconds: &str) -> io::Result<Value> {
    let file = locked(path)?;
    say(&json!({"locked": path}));
    io::stdout().flush()?;
    std::thread::sleep(Duration::from_secs(seconds.parse().unwrap_or(1)));
    drop(file);
    Ok(Value::Null)
}
