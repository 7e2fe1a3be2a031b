//! The supervisor of the server's VM: its process, and its pipes.

use super::pipe::open_win32;
use super::process::open_id;
use super::{Held, Player, Served};
use crate::imports;
use crate::win::{self, Handle, Step, handle, last};
use core::ffi::c_void;
use core::ptr::null_mut;
use pinion_probes::Ask;
use windows_sys::Win32::Foundation::HANDLE;

imports! {
    "kernel32.dll" {
        fn ReadProcessMemory(process: HANDLE, at: usize, buffer: *mut c_void, length: usize, count: *mut usize) -> i32;
        fn DuplicateHandle(from: HANDLE, source: HANDLE, to: HANDLE, target: *mut HANDLE, access: u32, inherit: i32, options: u32) -> i32;
        fn GetModuleHandleW(name: *const u16) -> usize;
    }
}

pub fn player(probe: &str) -> Option<Player> {
    Some(match probe {
        "supervisor" => Player::new(nothing, process),
        "supervisor-pipe" => Player::new(nothing, pipe),
        _ => return None,
    })
}

fn nothing(_: &Ask) -> Step<Box<dyn Served>> {
    Ok(Box::new(Held(())))
}

fn process(ask: &Ask) -> Step<()> {
    let id = ask.place.supervisor;
    // SAFETY: live handles, numbers and locals are given.
    unsafe {
        match ask.way.as_str() {
            "open" => open_id(id, 0x1F_FFFF).map(drop),
            "read-memory" => {
                // ntdll is at the same place in every process.
                let name = win::wide("ntdll.dll");
                let (at, mut read, mut count) = (GetModuleHandleW(name.as_ptr())?, 0_u16, 0);
                let process = open_id(id, 0x10)?;
                let into = (&raw mut read).cast();
                win::yes(
                    "read",
                    ReadProcessMemory(process.0, at, into, 2, &raw mut count)?,
                )?;
                win::token(read.into(), 0x5A4D)
            }
            "take-a-handle" => take(&open_id(id, 0x40)?),
            way => win::unknown(way),
        }
    }
}

/// Any of the first handles that the process has.
fn take(process: &Handle) -> Step<()> {
    for number in (4..400_usize).step_by(4) {
        let mut taken: HANDLE = null_mut();
        let own: HANDLE = -1_isize as HANDLE;
        // SAFETY: a live handle, a number and a local.
        let ok =
            unsafe { DuplicateHandle(process.0, number as HANDLE, own, &raw mut taken, 0, 0, 2)? };
        if let Ok(handle) = handle("take", taken)
            && ok != 0
        {
            drop(handle);
            return Ok(());
        }
    }
    Err(last("take"))
}

fn pipe(ask: &Ask) -> Step<()> {
    let id = &ask.place.id;
    let name = match ask.way.as_str() {
        "request" => format!(r"\\.\pipe\pinion-sv-{id}"),
        "control" => format!(r"\\.\pipe\pinion-ctl-{id}"),
        way => return win::unknown(way),
    };
    open_win32(&name, 0xC000_0000).map(drop)
}
