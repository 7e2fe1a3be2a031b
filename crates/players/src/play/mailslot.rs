//! A mailslot that looks for the client's token.

use super::pipe::{nt_name, open_nt, open_win32, win32_name};
use super::{Player, Served};
use crate::imports;
use crate::win::{self, Handle, Step, handle, wide, yes};
use core::ffi::c_void;
use core::ptr::{null, null_mut};
use pinion_probes::Ask;
use windows_sys::Win32::Foundation::HANDLE;

imports! {
    "kernel32.dll" {
        fn CreateMailslotW(name: *const u16, most: u32, timeout: u32, security: *const c_void) -> HANDLE;
        fn ReadFile(file: HANDLE, buffer: *mut c_void, length: u32, count: *mut u32, overlapped: *mut c_void) -> i32;
        fn WriteFile(file: HANDLE, buffer: *const c_void, length: u32, count: *mut u32, overlapped: *mut c_void) -> i32;
    }
}

const GENERIC_WRITE: u32 = 0x4000_0000;

pub fn player(probe: &str) -> Option<Player> {
    (probe == "mailslot").then_some(Player::new(serve, reach))
}

struct Mailslot {
    slot: Handle,
    heard: Vec<u32>,
}

impl Served for Mailslot {
    fn felt(&mut self, token: u32) -> bool {
        let (mut read, mut count) = (0_u32, 0);
        // SAFETY: the pointers are to locals; nothing waits, the slot's timeout is none.
        while let Ok(1) = unsafe {
            ReadFile(
                self.slot.0,
                (&raw mut read).cast(),
                4,
                &raw mut count,
                null_mut(),
            )
        } {
            self.heard.push(read);
        }
        self.heard.contains(&token)
    }
}

fn serve(ask: &Ask) -> Step<Box<dyn Served>> {
    let name = wide(&format!(r"\\.\mailslot\{}", ask.name));
    // SAFETY: the name ends in a zero.
    let slot = handle("create", unsafe {
        CreateMailslotW(name.as_ptr(), 0, 0, null())?
    })?;
    Ok(Box::new(Mailslot {
        slot,
        heard: Vec::new(),
    }))
}

fn reach(ask: &Ask) -> Step<()> {
    let (name, real) = (ask.name.as_str(), ask.place.pipes.as_str());
    let names = (
        win32_name("mailslot", &ask.way, name),
        nt_name("mailslot", &ask.way, name, real),
    );
    let slot = match (ask.way.as_str(), names) {
        (_, (Some(name), _)) => open_win32(&name, GENERIC_WRITE)?,
        (_, (_, Some(name))) => open_nt(null_mut(), &name, GENERIC_WRITE)?,
        ("relative", _) => below(name)?,
        ("real-relative", _) => below(&format!("{real}{name}"))?,
        (way, _) => return win::unknown(way),
    };
    let mut count = 0;
    // SAFETY: the pointers are to the caller's token and a local.
    yes("write", unsafe {
        WriteFile(
            slot.0,
            (&raw const ask.token).cast(),
            4,
            &raw mut count,
            null_mut(),
        )?
    })?;
    Err(pinion_probes::Seen::Other("written".into()))
}

fn below(name: &str) -> Step<Handle> {
    let root = open_nt(null_mut(), r"\Device\MailSlot\", 1)?;
    open_nt(root.0, name, GENERIC_WRITE)
}
