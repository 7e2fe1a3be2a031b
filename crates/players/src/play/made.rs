//! Objects that are made by name and cannot be opened by it: that the name is
//! taken shows that the server's is there.

use super::objects::{base_directory, base_path};
use super::{Held, Player, Served};
use crate::imports;
use crate::win::{Handle, Step, nt, status, with_attributes};
use core::mem::ManuallyDrop;
use core::ptr::null_mut;
use pinion_probes::{Ask, Seen};
use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS};

imports! {
    "ntdll.dll" {
        fn NtCreateDebugObject(h: *mut HANDLE, access: u32, oa: *const OBJECT_ATTRIBUTES, flags: u32) -> NTSTATUS;
    }
}

const MAXIMUM_ALLOWED: u32 = 0x0200_0000;

pub fn player(probe: &str) -> Option<Player> {
    (probe == "debug-object").then_some(Player::new(serve, reach))
}

fn make(ask: &Ask) -> Step<(NTSTATUS, Handle)> {
    let base = ManuallyDrop::new(base_directory()?);
    let (root, name) = match ask.way.as_str() {
        "create-global" => (base.0, format!(r"Global\{}", ask.name)),
        "create-path" => (null_mut(), format!(r"{}\{}", base_path(), ask.name)),
        _ => (base.0, ask.name.clone()),
    };
    let mut h: HANDLE = null_mut();
    // SAFETY: all pointers are to locals that outlive the call.
    let status = with_attributes(root, &name, |oa| unsafe {
        NtCreateDebugObject(&raw mut h, MAXIMUM_ALLOWED, oa, 0)
    })?;
    nt("create", status)?;
    Ok((status, Handle(h)))
}

fn serve(ask: &Ask) -> Step<Box<dyn Served>> {
    Ok(Box::new(Held(make(ask)?.1)))
}

fn reach(ask: &Ask) -> Step<()> {
    match make(ask) {
        // STATUS_OBJECT_NAME_EXISTS
        Ok((0x4000_0000, _)) => Ok(()),
        Ok((made, _)) => Err(status("made anew", made)),
        Err(Seen::Refused(text)) if text.contains("0xc0000035") => Ok(()),
        Err(seen) => Err(seen),
    }
}
