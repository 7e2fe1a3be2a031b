//! Device controls of sockets with pointers and sizes that are wrong.

use crate::winsock::Socket;
use serde_json::{Value, json};
use std::ffi::c_void;
use std::io::Result;
use std::ptr::{null, null_mut, without_provenance, without_provenance_mut};
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    fn NtDeviceIoControlFile(
        file: HANDLE,
        event: HANDLE,
        apc: *const c_void,
        context: *const c_void,
        io: *mut IO_STATUS_BLOCK,
        code: u32,
        input: *const c_void,
        input_size: u32,
        output: *mut c_void,
        output_size: u32,
    ) -> NTSTATUS;
}

/// Bind, name, connect, receive, send, peer.
const CODES: [u32; 6] = [0x12003, 0x1202f, 0x12_032c, 0x12_0334, 0x12_0338, 0x12_0360];

/// The status of every code with every wrong buffer, as hexadecimal.
pub fn all() -> Value {
    seen().unwrap_or_else(|why| json!(why.to_string()))
}

fn seen() -> Result<Value> {
    let mut rows = Vec::new();
    for code in CODES {
        let mut row = Vec::new();
        for at in [0, 0x10, 0xffff_8000_0000_0000] {
            for size in [0, 3, 16, 0x40] {
                row.push(ask(code, at, size, 0)?);
                row.push(ask(code, at, size, 0x40)?);
            }
        }
        rows.push(row);
    }
    let no_socket = CODES.map(|code| status(null_mut(), code, null(), 0, 0));
    Ok(json!([
        rows,
        no_socket.map(|status| format!("{status:08x}"))
    ]))
}

fn ask(code: u32, at: usize, size: u32, output_size: u32) -> Result<String> {
    let socket = Socket::stream(false)?;
    let input = without_provenance(at);
    let status = status(socket.handle(), code, input, size, output_size);
    Ok(format!("{status:08x}"))
}

fn status(
    socket: HANDLE,
    code: u32,
    input: *const c_void,
    size: u32,
    output_size: u32,
) -> NTSTATUS {
    let mut io = IO_STATUS_BLOCK::default();
    let output = without_provenance_mut(0x10);
    // SAFETY: the block is a local; the kernel checks the buffers, which is
    // what is asked about.
    unsafe {
        NtDeviceIoControlFile(
            socket,
            null_mut(),
            null(),
            null(),
            &raw mut io,
            code,
            input,
            size,
            output,
            output_size,
        )
    }
}
