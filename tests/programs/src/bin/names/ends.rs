//! The end of a pipe that the other end has disconnected: what is told of its
//! name. Wine's server ends with a fault when it is asked outside of a VM.

use core::ptr::{null, null_mut};
use pinion_test_programs::nt::{Handle, Kind, hex, name_of, open};
use pinion_test_programs::{last_error, wide};
use serde_json::{Value, json};
use windows_sys::Win32::Foundation::INVALID_HANDLE_VALUE;
use windows_sys::Win32::Storage::FileSystem::{
    CreateFileW, FileNameInfo, GetFileInformationByHandleEx, OPEN_EXISTING, PIPE_ACCESS_DUPLEX,
    ReOpenFile,
};
use windows_sys::Win32::System::Pipes::{CreateNamedPipeW, DisconnectNamedPipe, PIPE_TYPE_BYTE};

const GENERIC_READ: u32 = 0x8000_0000;
/// `SYNCHRONIZE`: an end by which even its state may not be asked for.
const SYNCHRONIZE: u32 = 0x10_0000;

/// What is told of ends with and without the right to read attributes.
pub fn disconnected() -> Value {
    json!({
        "reader": end("reader", GENERIC_READ),
        "bare": end("bare", SYNCHRONIZE),
    })
}

fn end(name: &str, access: u32) -> Value {
    let path = wide(&format!("\\\\.\\pipe\\pinion-disconnected-{name}"));
    // SAFETY: zero-terminated names; the handles are closed with their values.
    let (server, client) = unsafe {
        let server = CreateNamedPipeW(
            path.as_ptr(),
            PIPE_ACCESS_DUPLEX,
            PIPE_TYPE_BYTE,
            1,
            64,
            64,
            0,
            null(),
        );
        let client = CreateFileW(
            path.as_ptr(),
            access,
            0,
            null(),
            OPEN_EXISTING,
            0,
            null_mut(),
        );
        (Handle(server), Handle(client))
    };
    if server.0 == INVALID_HANDLE_VALUE || client.0 == INVALID_HANDLE_VALUE {
        return json!({"error": last_error()});
    }
    let connected = name_of(&client).map_err(hex);
    // SAFETY: the handle is open.
    let done = unsafe { DisconnectNamedPipe(server.0) };
    json!({
        "connected": connected,
        "disconnected": done,
        "object_name": name_of(&client).map_err(hex),
        "file_name": file_name(&client),
        "again": again(&client),
        "object_below": hex(open(Kind::Event, client.0, &[u16::from(b'x')]).0),
        "server_name": name_of(&server).map_err(hex),
    })
}

/// The last error of a question for the file's name.
fn file_name(file: &Handle) -> u32 {
    let mut buffer = [0_u32; 128];
    // SAFETY: the buffer is as long as told.
    let told = unsafe {
        let size = size_of_val(&buffer) as u32;
        GetFileInformationByHandleEx(file.0, FileNameInfo, buffer.as_mut_ptr().cast(), size)
    };
    if told == 0 { last_error() } else { 0 }
}

/// Whether it is opened again by its handle, an open with an empty name.
fn again(file: &Handle) -> bool {
    // SAFETY: the handle is open.
    let again = unsafe { ReOpenFile(file.0, GENERIC_READ, 0, 0) };
    if again == INVALID_HANDLE_VALUE {
        return false;
    }
    drop(Handle(again));
    true
}
