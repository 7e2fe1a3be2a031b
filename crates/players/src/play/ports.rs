//! LPC and ALPC ports by name.

use super::{Held, Player, Served};
use crate::imports;
use crate::win::{self, Handle, Step, nt, status, with_attributes};
use core::ffi::c_void;
use core::ptr::{null, null_mut};
use pinion_probes::{Ask, Seen};
use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS, UNICODE_STRING};

imports! {
    "ntdll.dll" {
        fn NtCreatePort(h: *mut HANDLE, oa: *const OBJECT_ATTRIBUTES, info: u32, message: u32, pool: u32) -> NTSTATUS;
        fn NtAlpcCreatePort(h: *mut HANDLE, oa: *const OBJECT_ATTRIBUTES, attributes: *const c_void) -> NTSTATUS;
        fn NtAlpcConnectPort(h: *mut HANDLE, name: *const UNICODE_STRING, oa: *const c_void, attributes: *const c_void, flags: u32, sid: *const c_void, message: *const c_void, length: *const c_void, out: *const c_void, into: *const c_void, timeout: *const i64) -> NTSTATUS;
        fn NtAlpcConnectPortEx(h: *mut HANDLE, server: *const OBJECT_ATTRIBUTES, client: *const c_void, attributes: *const c_void, flags: u32, security: *const c_void, message: *const c_void, length: *const c_void, out: *const c_void, into: *const c_void, timeout: *const i64) -> NTSTATUS;
    }
}

/// The server never answers: a connection that is waited for is one to it.
const STATUS_TIMEOUT: NTSTATUS = 0x102;

pub fn player(probe: &str) -> Option<Player> {
    matches!(probe, "port" | "alpc-port").then_some(Player::new(serve, reach))
}

fn path(ask: &Ask) -> String {
    format!(r"\RPC Control\{}", ask.name)
}

fn make(ask: &Ask) -> Step<Handle> {
    let mut h: HANDLE = null_mut();
    // SAFETY: all pointers are to locals that outlive the call.
    let made = with_attributes(null_mut(), &path(ask), |oa| unsafe {
        match ask.probe.as_str() {
            "port" => NtCreatePort(&raw mut h, oa, 0, 256, 0),
            _ => NtAlpcCreatePort(&raw mut h, oa, null()),
        }
    })?;
    nt("create", made)?;
    if h.is_null() {
        return Err(Seen::Missing("a port: the call made none".into()));
    }
    Ok(Handle(h))
}

fn serve(ask: &Ask) -> Step<Box<dyn Served>> {
    Ok(Box::new(Held(make(ask)?)))
}

fn reach(ask: &Ask) -> Step<()> {
    let path = path(ask);
    let units: Vec<u16> = path.encode_utf16().collect();
    let (name, mut h) = (win::unicode(&units), null_mut());
    // A tenth of a second.
    let timeout = -1_000_000_i64;
    // SAFETY: all pointers are to locals that outlive the calls.
    let told = unsafe {
        match ask.way.as_str() {
            "create" => {
                return match make(ask) {
                    Ok(_) => Err(Seen::Refused("made anew".into())),
                    Err(Seen::Refused(text)) if text.contains("0xc0000035") => Ok(()),
                    Err(seen) => Err(seen),
                };
            }
            "connect" => NtAlpcConnectPort(
                &raw mut h,
                &raw const name,
                null(),
                null(),
                0,
                null(),
                null(),
                null(),
                null(),
                null(),
                &raw const timeout,
            )?,
            "connect-ex" => with_attributes(null_mut(), &path, |oa| {
                NtAlpcConnectPortEx(
                    &raw mut h,
                    oa,
                    null(),
                    null(),
                    0,
                    null(),
                    null(),
                    null(),
                    null(),
                    null(),
                    &raw const timeout,
                )
            })?,
            way => return win::unknown(way),
        }
    };
    match told {
        0 | STATUS_TIMEOUT => Ok(()),
        other => Err(status("connect", other)),
    }
}
