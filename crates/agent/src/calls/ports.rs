//! LPC and ALPC ports: created and connected to by the VM's own name, or
//! connected to on the host by the pass list of ports.
//!
//! The declarations are phnt's (ntlpcapi.h). Wine has no ALPC, and its calls of
//! LPC make nothing (observed on Wine 8 and 10); never run on Windows.
#![allow(clippy::too_many_arguments, reason = "NT's own declarations")]

use super::objects::{Intent, NO_ROOM, with_private, with_unless};
use super::rules::{self, Decided};
use crate::hooks::kept;
use crate::{decode, scratch, state};
use core::ffi::c_void;
use pinion_names::{object, pipe};
use pinion_nt::status::{STATUS_ACCESS_DENIED, STATUS_NAME_TOO_LONG};
use pinion_nt::{HANDLE, NTSTATUS, OBJECT_ATTRIBUTES, UNICODE_STRING, unicode_string};
use pinion_policy::port;
use pinion_policy::rules::{Action, Channel, places};
use pinion_wire::tally::Tally;

/// Runs `call` with the name of the VM's own port, or of the host's where the
/// pass list has it.
fn with_port(
    channel: Channel,
    name: *const UNICODE_STRING,
    call: impl Fn(*const UNICODE_STRING) -> NTSTATUS,
) -> NTSTATUS {
    let decided = decode::with_string(name, |given| {
        let given = pipe::unroot(given);
        if given.first() != Some(&u16::from(b'\\')) {
            return with_string(given, &call);
        }
        let decided = if rules::concern(channel) {
            rules::decide(channel, Action::Open, places::ANY, given)
        } else {
            Decided::Default
        };
        match decided {
            Decided::Host => with_string(given, &call),
            Decided::Default if port::passes(given).is_some() => with_string(given, &call),
            Decided::Default | Decided::Own => mapped(given, &call),
            Decided::Refused(status) => status,
            // No rule about ports leads to another VM.
            Decided::Peer(_) => STATUS_ACCESS_DENIED,
        }
    });
    decided.unwrap_or_else(|| call(name))
}

fn mapped(name: &[u16], call: &impl Fn(*const UNICODE_STRING) -> NTSTATUS) -> NTSTATUS {
    let directory = state::page().object_directory.as_units();
    let room = directory.len() + name.len();
    scratch::with(room, |out| match object::map(directory, name, out) {
        Ok(length) => {
            Tally::count(&state::tally().names_private);
            with_string(out.get(..length).unwrap_or(&[]), call)
        }
        Err(pinion_names::TooLong) => NO_ROOM,
    })
    .unwrap_or(NO_ROOM)
}

/// Runs `call` with `name` as the kernel takes it.
fn with_string(name: &[u16], call: impl Fn(*const UNICODE_STRING) -> NTSTATUS) -> NTSTATUS {
    match unicode_string(name) {
        Some(string) => call(&raw const string),
        None => STATUS_NAME_TOO_LONG,
    }
}

/// Runs `call` with the attributes of a port that is made: the VM's own, or refused
/// by a rule.
fn with_made(
    channel: Channel,
    attributes: *const OBJECT_ATTRIBUTES,
    call: impl Fn(*const OBJECT_ATTRIBUTES) -> NTSTATUS,
) -> NTSTATUS {
    if rules::concern(channel)
        && let Some(status) = rules::port(channel, attributes, Action::Make, &call)
    {
        return status;
    }
    with_private(attributes, Intent::Create, call)
}

/// As `NtCreatePort`, in the VM's own namespace.
pub(crate) unsafe fn create(
    port: *mut HANDLE,
    attributes: *const OBJECT_ATTRIBUTES,
    connection: u32,
    message: u32,
    pool: u32,
) -> NTSTATUS {
    with_made(Channel::Ports, attributes, |attributes| {
        // SAFETY: the program's arguments but for the name.
        unsafe { kept::NtCreatePort(port, attributes, connection, message, pool) }
    })
}

/// As `NtCreateWaitablePort`, in the VM's own namespace.
pub(crate) unsafe fn create_waitable(
    port: *mut HANDLE,
    attributes: *const OBJECT_ATTRIBUTES,
    connection: u32,
    message: u32,
    pool: u32,
) -> NTSTATUS {
    with_made(Channel::Ports, attributes, |attributes| {
        // SAFETY: the program's arguments but for the name.
        unsafe { kept::NtCreateWaitablePort(port, attributes, connection, message, pool) }
    })
}

/// As `NtConnectPort`, to the VM's own port or by the pass list.
pub(crate) unsafe fn connect(
    port: *mut HANDLE,
    name: *const UNICODE_STRING,
    quality: *const c_void,
    client: *mut c_void,
    server: *mut c_void,
    longest: *mut u32,
    information: *mut c_void,
    length: *mut u32,
) -> NTSTATUS {
    with_port(Channel::Ports, name, |name| {
        // SAFETY: the program's arguments but for the name.
        unsafe {
            kept::NtConnectPort(
                port,
                name,
                quality,
                client,
                server,
                longest,
                information,
                length,
            )
        }
    })
}

/// As `NtSecureConnectPort`, to the VM's own port or by the pass list.
pub(crate) unsafe fn connect_secure(
    port: *mut HANDLE,
    name: *const UNICODE_STRING,
    quality: *const c_void,
    client: *mut c_void,
    sid: *const c_void,
    server: *mut c_void,
    longest: *mut u32,
    information: *mut c_void,
    length: *mut u32,
) -> NTSTATUS {
    with_port(Channel::Ports, name, |name| {
        // SAFETY: the program's arguments but for the name.
        unsafe {
            kept::NtSecureConnectPort(
                port,
                name,
                quality,
                client,
                sid,
                server,
                longest,
                information,
                length,
            )
        }
    })
}

/// As `NtAlpcCreatePort`, in the VM's own namespace.
pub(crate) unsafe fn create_advanced(
    port: *mut HANDLE,
    attributes: *const OBJECT_ATTRIBUTES,
    port_attributes: *const c_void,
) -> NTSTATUS {
    with_made(Channel::Alpc, attributes, |attributes| {
        // SAFETY: the program's arguments but for the name.
        unsafe { kept::NtAlpcCreatePort(port, attributes, port_attributes) }
    })
}

/// As `NtAlpcConnectPort`, to the VM's own port or by the pass list. A name
/// that the client's end is given is the VM's own.
pub(crate) unsafe fn connect_advanced(
    port: *mut HANDLE,
    name: *const UNICODE_STRING,
    attributes: *const OBJECT_ATTRIBUTES,
    port_attributes: *const c_void,
    flags: u32,
    sid: *const c_void,
    message: *mut c_void,
    length: *mut usize,
    outbound: *mut c_void,
    inbound: *mut c_void,
    timeout: *const i64,
) -> NTSTATUS {
    with_port(Channel::Alpc, name, |name| {
        with_private(attributes, Intent::Create, |attributes| {
            // SAFETY: the program's arguments but for the names.
            unsafe {
                kept::NtAlpcConnectPort(
                    port,
                    name,
                    attributes,
                    port_attributes,
                    flags,
                    sid,
                    message,
                    length,
                    outbound,
                    inbound,
                    timeout,
                )
            }
        })
    })
}

/// As `NtAlpcConnectPortEx`, which names the port by object attributes.
pub(crate) unsafe fn connect_advanced_ex(
    port: *mut HANDLE,
    server: *const OBJECT_ATTRIBUTES,
    attributes: *const OBJECT_ATTRIBUTES,
    port_attributes: *const c_void,
    flags: u32,
    security: *const c_void,
    message: *mut c_void,
    length: *mut usize,
    outbound: *mut c_void,
    inbound: *mut c_void,
    timeout: *const i64,
) -> NTSTATUS {
    let connect = |server: *const OBJECT_ATTRIBUTES| {
        with_private(attributes, Intent::Create, |attributes| {
            // SAFETY: the program's arguments but for the names.
            unsafe {
                kept::NtAlpcConnectPortEx(
                    port,
                    server,
                    attributes,
                    port_attributes,
                    flags,
                    security,
                    message,
                    length,
                    outbound,
                    inbound,
                    timeout,
                )
            }
        })
    };
    if rules::concern(Channel::Alpc)
        && let Some(status) = rules::port(Channel::Alpc, server, Action::Open, &connect)
    {
        return status;
    }
    let passes = |name: &[u16]| port::passes(name).is_some();
    with_unless(passes, 0, server, connect)
}
