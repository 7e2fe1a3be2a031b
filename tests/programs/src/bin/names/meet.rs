//! Two programs meet at a name: over a pipe, a mailslot, a section; and the status
//! of a connection to an LPC port.

use core::ptr::{null, null_mut};
use pinion_test_programs::{last_error, say, usage, wide};
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::windows::io::{FromRawHandle, OwnedHandle};
use std::time::Duration;
use windows_sys::Win32::Foundation::{
    ERROR_PIPE_CONNECTED, HANDLE, INVALID_HANDLE_VALUE, UNICODE_STRING,
};
use windows_sys::Win32::Storage::FileSystem::PIPE_ACCESS_DUPLEX;
use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress};
use windows_sys::Win32::System::Mailslots::CreateMailslotW;
use windows_sys::Win32::System::Memory::{
    CreateFileMappingW, FILE_MAP_WRITE, MapViewOfFile, PAGE_READWRITE,
};
use windows_sys::Win32::System::Pipes::{ConnectNamedPipe, CreateNamedPipeW, WaitNamedPipeW};
use windows_sys::core::w;

/// `serve PIPE WORD`: says the word to one client, and tells what it said.
pub fn serve(name: &str, word: &str) {
    let wide = wide(name);
    // SAFETY: the name ends in a zero; no security attributes.
    let pipe =
        unsafe { CreateNamedPipeW(wide.as_ptr(), PIPE_ACCESS_DUPLEX, 0, 1, 512, 512, 0, null()) };
    let Some(mut pipe) = file(pipe) else {
        return say(&json!({ "error": last_error() }));
    };
    say(&json!({ "error": 0 }));
    // SAFETY: the pipe is open, and connected without overlapping.
    let connected = unsafe { ConnectNamedPipe(handle(&pipe), null_mut()) };
    if connected == 0 && last_error() != ERROR_PIPE_CONNECTED {
        return say(&json!({ "error": last_error() }));
    }
    let told = pipe
        .write_all(word.as_bytes())
        .and_then(|()| heard(&mut pipe));
    say(&answer(told));
}

/// `call PIPE WORD`: waits for a server, says the word and tells what it said.
pub fn call(name: &str, word: &str) {
    let wide = wide(name);
    // SAFETY: the name ends in a zero.
    let waited = unsafe { WaitNamedPipeW(wide.as_ptr(), 3000) };
    let wait = if waited == 0 { last_error() } else { 0 };
    let told = OpenOptions::new()
        .read(true)
        .write(true)
        .open(name)
        .and_then(|mut pipe| {
            let heard = heard(&mut pipe)?;
            pipe.write_all(word.as_bytes())?;
            Ok(heard)
        });
    let mut answer = answer(told);
    answer["wait"] = json!(wait);
    say(&answer);
}

/// `read MAILSLOT`: tells the first message that comes.
pub fn read(name: &str) {
    let wide = wide(name);
    // SAFETY: the name ends in a zero; no security attributes; ten seconds.
    let mailslot = unsafe { CreateMailslotW(wide.as_ptr(), 0, 10_000, null()) };
    let Some(mut mailslot) = file(mailslot) else {
        return say(&json!({ "error": last_error() }));
    };
    say(&json!({ "error": 0 }));
    say(&answer(heard(&mut mailslot)));
}

/// `write MAILSLOT WORD`.
pub fn write(name: &str, word: &str) {
    let opened = OpenOptions::new().write(true).open(name);
    let told = opened.and_then(|mut file| file.write_all(word.as_bytes()));
    say(&answer(told.map(|()| String::new())));
}

/// `section NAME WORD`: puts the word into the section and tells what was there.
pub fn section(name: &str, word: &str, seconds: Option<String>) {
    const SIZE: usize = 4096;
    let wide = wide(name);
    // SAFETY: the name ends in a zero; the section is of the page file.
    let section = unsafe {
        CreateFileMappingW(
            INVALID_HANDLE_VALUE,
            null(),
            PAGE_READWRITE,
            0,
            SIZE as u32,
            wide.as_ptr(),
        )
    };
    // SAFETY: a section of that size, or none: then the call fails.
    let view = unsafe { MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, SIZE) }
        .Value
        .cast::<u8>();
    if view.is_null() || word.len() > SIZE {
        return say(&json!({ "error": last_error() }));
    }
    // SAFETY: the view has SIZE bytes and is never unmapped; other programs write
    // to it only before this one looks, or after.
    let bytes = unsafe { std::slice::from_raw_parts_mut(view, SIZE) };
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(SIZE);
    let heard = String::from_utf8_lossy(&bytes[..end]).into_owned();
    bytes.fill(0);
    bytes[..word.len()].copy_from_slice(word.as_bytes());
    say(&json!({ "error": 0, "heard": heard }));
    pinion_test_programs::hold(seconds);
}

/// `port NAME`: the status of connecting to it.
pub fn port(name: &str) -> Value {
    type Connect = unsafe extern "system" fn(
        *mut HANDLE,
        *const UNICODE_STRING,
        *const [u32; 3],
        usize,
        usize,
        usize,
        usize,
        usize,
    ) -> i32;
    let units: Vec<u16> = name.encode_utf16().collect();
    let Ok(length) = u16::try_from(units.len() * 2) else {
        usage(super::USAGE)
    };
    let string = UNICODE_STRING {
        Length: length,
        MaximumLength: length,
        Buffer: units.as_ptr().cast_mut(),
    };
    // SECURITY_QUALITY_OF_SERVICE (winnt.h): its length, impersonation, no flags.
    let quality = [12, 2, 0];
    // SAFETY: ntdll is always loaded, and exports NtConnectPort with these arguments
    // (phnt, ntlpcapi.h).
    let connect = unsafe {
        let found = GetProcAddress(
            GetModuleHandleW(w!("ntdll")),
            c"NtConnectPort".as_ptr().cast(),
        );
        found.map(|found| std::mem::transmute::<_, Connect>(found))
    };
    let mut port = null_mut();
    // SAFETY: the pointers are to locals; the others may be null.
    let status = connect.map(|connect| unsafe {
        connect(
            &raw mut port,
            &raw const string,
            &raw const quality,
            0,
            0,
            0,
            0,
            0,
        )
    });
    json!({ "status": status.map(i32::cast_unsigned) })
}

fn file(handle: HANDLE) -> Option<std::fs::File> {
    // SAFETY: a fresh handle of this process.
    (handle != INVALID_HANDLE_VALUE).then(|| unsafe { OwnedHandle::from_raw_handle(handle) }.into())
}

fn handle(file: &std::fs::File) -> HANDLE {
    std::os::windows::io::AsRawHandle::as_raw_handle(file)
}

fn heard(from: &mut impl Read) -> std::io::Result<String> {
    let mut room = [0; 100];
    let length = from.read(&mut room)?;
    Ok(String::from_utf8_lossy(&room[..length]).into_owned())
}

fn answer(told: std::io::Result<String>) -> Value {
    match told {
        Ok(heard) => {
            // A pipe's end takes what was not read with it.
            std::thread::sleep(Duration::from_millis(100));
            json!({ "error": 0, "heard": heard })
        }
        Err(error) => json!({ "error": error.raw_os_error() }),
    }
}
