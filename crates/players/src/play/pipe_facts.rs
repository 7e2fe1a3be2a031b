//! What a pipe's server learns: that it is the first, and who its client is.

use super::pipe::{create, open_win32};
use super::{Held, Player, Served};
use crate::imports;
use crate::win::{Handle, Step, nt, with_attributes, yes};
use core::ptr::null_mut;
use pinion_probes::{Ask, Seen};
use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;

imports! {
    "ntdll.dll" {
        fn NtCreateNamedPipeFile(h: *mut HANDLE, access: u32, oa: *const OBJECT_ATTRIBUTES, io: *mut IO_STATUS_BLOCK, share: u32, disposition: u32, options: u32, kind: u32, read_mode: u32, completion: u32, instances: u32, inbound: u32, outbound: u32, timeout: *const i64) -> NTSTATUS;
    }
    "kernel32.dll" {
        fn GetNamedPipeClientProcessId(pipe: HANDLE, process: *mut u32) -> i32;
        fn ConnectNamedPipe(pipe: HANDLE, overlapped: *mut u8) -> i32;
    }
}

/// Both ways, overlapped, FILE_FLAG_FIRST_PIPE_INSTANCE.
const FIRST: u32 = 0x4008_0003;

pub fn player(probe: &str) -> Option<Player> {
    Some(match probe {
        "first-instance" => Player::new(serve, reach_first),
        "client-process" => Player::new(serve, reach_client),
        _ => return None,
    })
}

fn path(ask: &Ask) -> String {
    format!(r"\\.\pipe\{}", ask.name)
}

fn serve(ask: &Ask) -> Step<Box<dyn Served>> {
    Ok(Box::new(Held::<Handle>(create(&path(ask), FIRST, 4)?)))
}

/// A second server that wants to be the first is refused.
fn reach_first(ask: &Ask) -> Step<()> {
    if ask.way == "native" {
        return match create_native(&format!(r"\??\pipe\{}", ask.name)) {
            Ok(_) => Err(Seen::Other("a second first instance was made".into())),
            Err(Seen::Refused(text)) if text.ends_with("0xc0000022") => Ok(()),
            Err(seen) => Err(seen),
        };
    }
    match create(&path(ask), FIRST, 4) {
        Ok(_) => Err(Seen::Other("a second first instance was made".into())),
        Err(Seen::Refused(text)) if text.ends_with(" 5") => Ok(()),
        Err(seen) => Err(seen),
    }
}

/// A pipe that must not be there yet.
fn create_native(name: &str) -> Step<Handle> {
    const CREATE: u32 = 2;
    let (mut handle, mut io) = (null_mut(), IO_STATUS_BLOCK::default());
    let timeout = -10_000_000_i64;
    let made = with_attributes(null_mut(), name, |attributes| {
        let (handle, io) = (&raw mut handle, &raw mut io);
        // SAFETY: all pointers are to locals. To read and write, shared so, synchronous.
        unsafe {
            NtCreateNamedPipeFile(
                handle,
                0xC010_0000,
                attributes,
                io,
                3,
                CREATE,
                0x20,
                0,
                0,
                0,
                4,
                512,
                512,
                &raw const timeout,
            )
        }
    })?;
    nt("create", made).map(|()| Handle(handle))
}

/// A pipe of the client's own tells who is at its other end.
fn reach_client(ask: &Ask) -> Step<()> {
    let own = format!("{}-own", path(ask));
    let server = create(&own, 3, 1)?;
    let _client = open_win32(&own, 0xC000_0000)?;
    let mut process = 0;
    // SAFETY: the pointer is to a local; a client is connected, so that nothing waits.
    unsafe {
        let _ = ConnectNamedPipe(server.0, null_mut())?;
        yes(
            "ask",
            GetNamedPipeClientProcessId(server.0, &raw mut process)?,
        )?;
    }
    crate::win::token(process, std::process::id())
}
