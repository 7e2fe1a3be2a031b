//! A named pipe whose server writes the token to whoever connects, in every
//! form of the name.

use super::{Player, Served};
use crate::imports;
use crate::win::{self, Handle, Step, handle, last, nt, wide, with_attributes, yes};
use core::ffi::c_void;
use core::ptr::{null, null_mut};
use pinion_probes::{Ask, Seen};
use std::thread::JoinHandle;
use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS};
use windows_sys::Win32::System::IO::{IO_STATUS_BLOCK, OVERLAPPED};

imports! {
    "ntdll.dll" {
        fn NtOpenFile(h: *mut HANDLE, access: u32, oa: *const OBJECT_ATTRIBUTES, io: *mut IO_STATUS_BLOCK, share: u32, options: u32) -> NTSTATUS;
    }
    "kernel32.dll" {
        fn CreateNamedPipeW(name: *const u16, mode: u32, kind: u32, most: u32, out: u32, into: u32, timeout: u32, security: *const c_void) -> HANDLE;
        fn ConnectNamedPipe(pipe: HANDLE, overlapped: *mut OVERLAPPED) -> i32;
        fn CreateEventW(security: *const c_void, manual: i32, set: i32, name: *const u16) -> HANDLE;
        fn SetEvent(event: HANDLE) -> i32;
        fn WaitForMultipleObjects(count: u32, handles: *const HANDLE, all: i32, milliseconds: u32) -> u32;
        fn GetOverlappedResult(file: HANDLE, overlapped: *mut OVERLAPPED, count: *mut u32, wait: i32) -> i32;
        fn CancelIo(file: HANDLE) -> i32;
        fn CreateFileW(name: *const u16, access: u32, share: u32, security: *const c_void, disposition: u32, flags: u32, template: HANDLE) -> HANDLE;
        fn ReadFile(file: HANDLE, buffer: *mut c_void, length: u32, count: *mut u32, overlapped: *mut OVERLAPPED) -> i32;
        fn WriteFile(file: HANDLE, buffer: *const c_void, length: u32, count: *mut u32, overlapped: *mut OVERLAPPED) -> i32;
        fn CallNamedPipeW(name: *const u16, send: *const c_void, length: u32, receive: *mut c_void, room: u32, count: *mut u32, timeout: u32) -> i32;
        fn WaitNamedPipeW(name: *const u16, timeout: u32) -> i32;
    }
}

const ERROR_IO_PENDING: u32 = 997;
const ERROR_PIPE_CONNECTED: u32 = 535;
const ERROR_PIPE_BUSY: u32 = 231;
const GENERIC_READ_WRITE: u32 = 0xC000_0000;

pub fn player(probe: &str) -> Option<Player> {
    (probe == "pipe").then_some(Player::new(serve, reach))
}

/// The server; its thread ends with it.
struct Pipe {
    stop: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Served for Pipe {}

impl Drop for Pipe {
    fn drop(&mut self) {
        // SAFETY: an event of this value's own.
        let _ = unsafe { SetEvent(self.stop.0) };
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// An event of no name.
pub fn event() -> Step<Handle> {
    // SAFETY: no pointer but none.
    handle("an event", unsafe { CreateEventW(null(), 1, 0, null())? })
}

/// A message pipe of one instance.
pub fn create(name: &str, mode: u32, most: u32) -> Step<Handle> {
    let name = wide(name);
    // SAFETY: the name ends in a zero. Messages, read as such.
    handle("create", unsafe {
        CreateNamedPipeW(name.as_ptr(), mode, 6, most, 512, 512, 1000, null())?
    })
}

fn serve(ask: &Ask) -> Step<Box<dyn Served>> {
    // Both ways, overlapped.
    let pipe = create(&format!(r"\\.\pipe\{}", ask.name), 0x4000_0003, 1)?;
    let (stop, token, replies) = (event()?, ask.secret, ask.way == "call");
    let stop_here = stop.0 as usize;
    let thread = std::thread::spawn(move || {
        let _ = talk(&pipe, stop_here as HANDLE, token, replies);
        // The client reads on until the server goes.
        // SAFETY: an event that outlives the thread.
        let _ =
            unsafe { WaitForMultipleObjects(1, &raw const stop_here as *const HANDLE, 1, 10_000) };
        drop(pipe);
    });
    Ok(Box::new(Pipe {
        stop,
        thread: Some(thread),
    }))
}

/// Waits for one client, hears it if it speaks first, and tells it the token.
fn talk(pipe: &Handle, stop: HANDLE, token: u32, replies: bool) -> Step<()> {
    let done = event()?;
    let mut overlapped = OVERLAPPED {
        hEvent: done.0,
        ..OVERLAPPED::default()
    };
    let (mut heard, mut count) = ([0_u8; 16], 0);
    let at = &raw mut overlapped;
    // SAFETY: every pointer is to a local that outlives the request: `finished` waits for it or cancels it.
    unsafe {
        let connected = ConnectNamedPipe(pipe.0, at)?;
        finished(pipe, at, stop, connected)?;
        if replies {
            let read = ReadFile(pipe.0, heard.as_mut_ptr().cast(), 16, &raw mut count, at)?;
            finished(pipe, at, stop, read)?;
        }
        let written = WriteFile(pipe.0, (&raw const token).cast(), 4, &raw mut count, at)?;
        finished(pipe, at, stop, written)
    }
}

/// Waits until the request is done, or the server is given up.
///
/// # Safety
/// `overlapped` is the request's, with an event.
unsafe fn finished(
    pipe: &Handle,
    overlapped: *mut OVERLAPPED,
    stop: HANDLE,
    done: i32,
) -> Step<()> {
    // SAFETY: the caller's promise; reads a field of the calling thread.
    unsafe {
        if done != 0 {
            return Ok(());
        }
        match windows_sys::Win32::Foundation::GetLastError() {
            ERROR_PIPE_CONNECTED => return Ok(()),
            ERROR_IO_PENDING => {}
            code => return Err(win::error("serve", code)),
        }
        let both = [(*overlapped).hEvent, stop];
        let woken = WaitForMultipleObjects(2, both.as_ptr(), 0, 20_000)?;
        let mut count = 0;
        if woken != 0 {
            let _ = CancelIo(pipe.0);
            let _ = GetOverlappedResult(pipe.0, overlapped, &raw mut count, 1);
            return Err(Seen::Refused("given up".into()));
        }
        yes(
            "serve",
            GetOverlappedResult(pipe.0, overlapped, &raw mut count, 0)?,
        )
    }
}

/// The name of this machine, without its domain.
pub fn machine() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}

/// The Win32 name of a pipe or mailslot (`what`) in a form of the name.
pub fn win32_name(what: &str, way: &str, name: &str) -> Option<String> {
    let device = if what == "pipe" {
        "NamedPipe"
    } else {
        "MailSlot"
    };
    Some(match way {
        "open" | "call" | "wait" => format!(r"\\.\{what}\{name}"),
        "upper-case" => format!(r"\\.\{}\{}", what.to_uppercase(), name.to_uppercase()),
        "long-form" => format!(r"\\?\{what}\{name}"),
        "localhost" => format!(r"\\localhost\{what}\{name}"),
        "loopback-address" => format!(r"\\127.0.0.1\{what}\{name}"),
        "machine-name" => format!(r"\\{}\{what}\{name}", machine()),
        "broadcast" => format!(r"\\*\{what}\{name}"),
        "global-root" => format!(r"\\?\GLOBALROOT\Device\{device}\{name}"),
        "dots" => format!(r"\\.\{what}\x\..\{name}"),
        _ => return None,
    })
}

/// The NT name of it.
pub fn nt_name(what: &str, way: &str, name: &str, real: &str) -> Option<String> {
    let device = if what == "pipe" {
        "NamedPipe"
    } else {
        "MailSlot"
    };
    Some(match way {
        "nt-path" => format!(r"\??\{what}\{name}"),
        "device" => format!(r"\Device\{device}\{name}"),
        "unc" => format!(r"\??\UNC\localhost\{what}\{name}"),
        "real-name" => format!(r"\??\{what}\{real}{name}"),
        "real-device" => format!(r"\Device\{device}\{real}{name}"),
        "real-dots" => format!(r"\??\{what}\x\..\..\{real}{name}"),
        _ => return None,
    })
}

/// Opens a file by its NT name below `root`, to read and write in turn.
pub fn open_nt(root: HANDLE, name: &str, access: u32) -> Step<Handle> {
    let mut h: HANDLE = null_mut();
    let mut io = IO_STATUS_BLOCK::default();
    // SAFETY: all pointers are to locals that outlive the call. Synchronous.
    let status = with_attributes(root, name, |oa| unsafe {
        NtOpenFile(&raw mut h, access | 0x10_0000, oa, &raw mut io, 7, 0x20)
    })?;
    nt("open", status)?;
    Ok(Handle(h))
}

/// Opens a file by its Win32 name.
pub fn open_win32(name: &str, access: u32) -> Step<Handle> {
    let name = wide(name);
    // SAFETY: the name ends in a zero. OPEN_EXISTING.
    handle("open", unsafe {
        CreateFileW(name.as_ptr(), access, 3, null(), 3, 0, null_mut())?
    })
}

fn reach(ask: &Ask) -> Step<()> {
    let (name, real) = (ask.name.as_str(), ask.place.pipes.as_str());
    match ask.way.as_str() {
        "call" => call(&format!(r"\\.\pipe\{name}"), ask),
        "wait" => {
            let name = wide(&format!(r"\\.\pipe\{name}"));
            // SAFETY: the name ends in a zero.
            yes("wait", unsafe { WaitNamedPipeW(name.as_ptr(), 200)? })
        }
        "relative" => relative(r"\Device\NamedPipe\", name, ask),
        "real-relative" => {
            let below = real.trim_end_matches('\\');
            relative(&format!(r"\Device\NamedPipe\{below}"), name, ask)
                .or_else(|_| relative(r"\Device\NamedPipe\", &format!("{real}{name}"), ask))
        }
        "listed" => listed(name),
        "real-listed" => listed(&format!("{real}{name}")),
        "create" => match create(&format!(r"\\.\pipe\{name}"), 0x4000_0003, 1) {
            Ok(_) => Err(Seen::Refused("made anew".into())),
            Err(Seen::Refused(text)) if text.ends_with(&format!(" {ERROR_PIPE_BUSY}")) => Ok(()),
            Err(seen) => Err(seen),
        },
        way => {
            let opened = match (
                win32_name("pipe", way, name),
                nt_name("pipe", way, name, real),
            ) {
                (Some(name), _) => open_win32(&name, GENERIC_READ_WRITE)?,
                (_, Some(name)) => open_nt(null_mut(), &name, GENERIC_READ_WRITE)?,
                _ => return win::unknown(way),
            };
            heard(&opened, ask)
        }
    }
}

fn relative(directory: &str, name: &str, ask: &Ask) -> Step<()> {
    let root = open_nt(null_mut(), directory, 1)?;
    heard(&open_nt(root.0, name, GENERIC_READ_WRITE)?, ask)
}

/// What the server says first.
fn heard(pipe: &Handle, ask: &Ask) -> Step<()> {
    let (mut token, mut count) = (0_u32, 0);
    // SAFETY: the pointers are to locals that outlive the call.
    yes("read", unsafe {
        ReadFile(
            pipe.0,
            (&raw mut token).cast(),
            4,
            &raw mut count,
            null_mut(),
        )?
    })?;
    win::token(token, ask.secret)
}

fn call(name: &str, ask: &Ask) -> Step<()> {
    let name = wide(name);
    let (mut token, mut count) = (0_u32, 0);
    // SAFETY: the name ends in a zero; the other pointers are to locals.
    yes("call", unsafe {
        CallNamedPipeW(
            name.as_ptr(),
            b"x".as_ptr().cast(),
            1,
            (&raw mut token).cast(),
            4,
            &raw mut count,
            300,
        )?
    })?;
    win::token(token, ask.secret)
}

fn listed(name: &str) -> Step<()> {
    let all = std::fs::read_dir(r"\\.\pipe\")
        .map_err(|_| last("list"))?
        .filter_map(Result::ok);
    let found = all.into_iter().any(|entry| {
        let entry = entry.file_name();
        entry.to_string_lossy().eq_ignore_ascii_case(name)
    });
    if found {
        Ok(())
    } else {
        Err(Seen::Refused("the name is in no list".into()))
    }
}
