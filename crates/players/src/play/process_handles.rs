//! Handles taken from the server's process and given to it, and its tokens.

use super::process::{open, open_thread};
use super::window::fact;
use crate::imports;
use crate::win::{self, Handle, Step, handle, nt, yes};
use core::ffi::c_void;
use core::ptr::{null, null_mut};
use pinion_probes::{Ask, Seen};
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS};

imports! {
    "kernel32.dll" {
        fn DuplicateHandle(from: HANDLE, source: HANDLE, to: HANDLE, target: *mut HANDLE, access: u32, inherit: i32, options: u32) -> i32;
        fn SetEvent(event: HANDLE) -> i32;
        fn CreateEventW(security: *const c_void, manual: i32, set: i32, name: *const u16) -> HANDLE;
    }
    "ntdll.dll" {
        fn NtDuplicateObject(from: HANDLE, source: HANDLE, to: HANDLE, target: *mut HANDLE, access: u32, attributes: u32, options: u32) -> NTSTATUS;
        fn NtOpenProcessToken(process: HANDLE, access: u32, token: *mut HANDLE) -> NTSTATUS;
        fn NtOpenProcessTokenEx(process: HANDLE, access: u32, attributes: u32, token: *mut HANDLE) -> NTSTATUS;
        fn NtOpenThreadToken(thread: HANDLE, access: u32, own: u8, token: *mut HANDLE) -> NTSTATUS;
    }
}

const DUPLICATE: u32 = 0x40;
const QUERY: u32 = 0x400;
const OWN: HANDLE = -1_isize as HANDLE;
const SAME_ACCESS: u32 = 2;
const CLOSE_SOURCE: u32 = 1;
/// The status that a thread without a token gives.
const NO_TOKEN: u32 = 0xC000_007C;

pub fn reach(ask: &Ask) -> Step<()> {
    let event = fact(ask, "event") as HANDLE;
    let server = open(ask, DUPLICATE)?;
    let mut taken: HANDLE = null_mut();
    // SAFETY: live handles and locals; the server's handle is a number.
    unsafe {
        match ask.way.as_str() {
            "take" => {
                let out = &raw mut taken;
                yes(
                    "take",
                    DuplicateHandle(server.0, event, OWN, out, 0, 0, SAME_ACCESS)?,
                )?;
            }
            "native-take" => {
                let out = &raw mut taken;
                let status = NtDuplicateObject(server.0, event, OWN, out, 0, 0, SAME_ACCESS)?;
                nt("take", status)?;
            }
            "take-and-close" => {
                let (out, options) = (&raw mut taken, SAME_ACCESS | CLOSE_SOURCE);
                yes(
                    "take",
                    DuplicateHandle(server.0, event, OWN, out, 0, 0, options)?,
                )?;
            }
            "give" => {
                let own: Handle = handle("an event", CreateEventW(null(), 1, 0, null())?)?;
                let out = &raw mut taken;
                return yes(
                    "give",
                    DuplicateHandle(OWN, own.0, server.0, out, 0, 0, SAME_ACCESS)?,
                );
            }
            way => return win::unknown(way),
        }
        let taken = Handle(taken);
        yes("set", SetEvent(taken.0)?)?;
    }
    Err(Seen::Other("taken and set".into()))
}

pub fn token(ask: &Ask) -> Step<()> {
    let mut token: HANDLE = null_mut();
    let out = &raw mut token;
    // SAFETY: live handles and a local. TOKEN_QUERY.
    unsafe {
        let status = match ask.way.as_str() {
            "of-process" => NtOpenProcessToken(open(ask, QUERY)?.0, 8, out)?,
            "of-process-ex" => NtOpenProcessTokenEx(open(ask, QUERY)?.0, 8, 0, out)?,
            "of-thread" => {
                let status = NtOpenThreadToken(open_thread(ask, 0x40)?.0, 8, 1, out)?;
                // Who is told that there is none has got to the thread.
                if status.cast_unsigned() == NO_TOKEN {
                    return Ok(());
                }
                status
            }
            way => return win::unknown(way),
        };
        nt("open", status)?;
    }
    drop(Handle(token));
    Ok(())
}
