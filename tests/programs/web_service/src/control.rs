//! The control pipe: one client at a time, one command each.

use pinion_test_programs::score::{Board, PIPE};
use std::fs::File;
use std::io::{Read, Write};
use std::os::windows::io::FromRawHandle;
use std::sync::atomic::Ordering::SeqCst;
use windows_sys::Win32::Foundation::{ERROR_PIPE_CONNECTED, GetLastError, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Storage::FileSystem::{FlushFileBuffers, PIPE_ACCESS_DUPLEX};
use windows_sys::Win32::System::Pipes::{ConnectNamedPipe, CreateNamedPipeW, PIPE_TYPE_BYTE};

/// Answers `state`, `recycle` (workers end after their next request) and `stop`
/// in a thread of its own.
pub(crate) fn serve(board: &'static Board) {
    std::thread::spawn(move || while one(board).is_some() {});
}

fn one(board: &Board) -> Option<()> {
    let name = pinion_test_programs::wide(PIPE);
    // SAFETY: the name ends in a zero; default security.
    let pipe = unsafe {
        CreateNamedPipeW(
            name.as_ptr(),
            PIPE_ACCESS_DUPLEX,
            PIPE_TYPE_BYTE,
            4,
            4096,
            4096,
            0,
            std::ptr::null(),
        )
    };
    if pipe == INVALID_HANDLE_VALUE {
        return None;
    }
    // SAFETY: this function's own handle, which the file closes.
    let (connected, mut file) = unsafe {
        let connected = ConnectNamedPipe(pipe, std::ptr::null_mut()) != 0
            || GetLastError() == ERROR_PIPE_CONNECTED;
        (connected, File::from_raw_handle(pipe))
    };
    let mut room = [0; 64];
    if !connected {
        return Some(());
    }
    let Ok(length) = file.read(&mut room) else {
        return Some(());
    };
    match &room[..length] {
        b"recycle" => {
            board.generation.fetch_add(1, SeqCst);
        }
        b"stop" => crate::STOP.store(true, SeqCst),
        _ => {}
    }
    let _ = file.write_all(crate::told(board).to_string().as_bytes());
    // SAFETY: the file's own handle: the client shall have read before it closes.
    unsafe { FlushFileBuffers(pipe) };
    Some(())
}
