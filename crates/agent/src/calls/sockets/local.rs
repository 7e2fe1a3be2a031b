//! A socket's own side: what it is bound to and what it is told of it.
//!
//! "Any" and every loopback address become the VM's own. A socket bound to any
//! address and port 0 may be about to serve inside or to call out, and one bound
//! to loopback can do only the first: on Wine its bind waits for the next call,
//! which tells. IPv6 lands on the mapped form of the VM's address, so
//! `IPV6_V6ONLY` is taken off, and still reported as the program set it.

use super::address::{Sockaddr, own, undo_at};
use super::datagram;
use super::facts::{self, Local};
use super::{BIND, COMPLETE, Control, GET_NAME, GET_V6ONLY, SET_V6ONLY};
use super::{
    STATUS_ADDRESS_ALREADY_ASSOCIATED, STATUS_INVALID_ADDRESS, STATUS_INVALID_ADDRESS_COMPONENT,
    STATUS_SHARING_VIOLATION,
};
use crate::{guard, trace};
use core::net::Ipv4Addr;
use pinion_names::socket::{self, Asked, Verdict};
use pinion_nt::status::{STATUS_INVALID_PARAMETER, STATUS_SUCCESS, success};
use pinion_nt::{HANDLE, NTSTATUS};
use pinion_wire::trace::Verdict as Told;

/// Which way an undecided socket goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// It serves, or reaches the VM itself.
    Inside,
    /// It reaches the outer network.
    Outside,
}

/// As `bind`.
pub(super) fn bind(call: &Control) -> NTSTATUS {
    let length = (call.input_size as usize).saturating_sub(4);
    let source = call.input.cast::<u8>().wrapping_add(4).cast();
    if (call.output_size as usize) < length || length < size_of::<u16>() {
        // The kernel refuses it as it stands (observed on Wine 8 and 10).
        return call.call();
    }
    let Some(asked) = Sockaddr::read(source, length) else {
        return call.call();
    };
    let Some(ip) = asked.ip().filter(|_| asked.is_whole()) else {
        return STATUS_INVALID_ADDRESS;
    };
    trace::verdict(Told::Private);
    if socket::bind(super::network(), ip) != Verdict::Own {
        trace::verdict(Told::Refused);
        return STATUS_INVALID_ADDRESS_COMPONENT;
    }
    let held = facts::local(call.file);
    if held.open {
        settle(call.file, held, Way::Inside);
    }
    let local = Local {
        asked: Asked::new(ip),
        six: asked.is_six(),
        port: asked.port(),
        ..Local::default()
    };
    let status = if may_wait(call.file, local) {
        STATUS_SUCCESS
    } else {
        bind_asked(call.file, local, &asked)
    };
    if success(status) {
        complete(call, &asked)
    } else {
        status
    }
}

/// Leaves the bind of an unbound socket to any address and port undecided.
fn may_wait(socket: HANDLE, local: Local) -> bool {
    let any = local.port == 0 && local.asked.is_some_and(Asked::is_any);
    let mut name = [0; 32];
    let mut unbound =
        || Control::of(socket, GET_NAME).ask(&[], &mut name) == STATUS_INVALID_PARAMETER;
    any && crate::hooks::is_wine()
        && unbound()
        && facts::set_local(
            socket,
            Local {
                open: true,
                ..local
            },
        )
}

/// Binds to the VM's address and the port of `asked`.
fn bind_asked(socket: HANDLE, local: Local, asked: &Sockaddr) -> NTSTATUS {
    let six_only = local.six && take_off_v6only(socket);
    let mut address = *asked;
    address.put(own());
    let mut status = bind_now(socket, &address);
    let alone = !local.six || six_only;
    if status == STATUS_SHARING_VIOLATION
        && alone
        && facts::other_version_has(local.port, local.six)
    {
        // The versions of IP share no ports, so NT lets both be bound.
        address.put(socket::second(own()));
        status = bind_now(socket, &address);
    }
    if success(status) {
        let bound = true;
        facts::set_local(
            socket,
            Local {
                bound,
                six_only,
                ..local
            },
        );
    } else if six_only {
        set_v6only(socket, 1);
    }
    status
}

/// Decides an undecided socket.
pub(super) fn settle(socket: HANDLE, held: Local, way: Way) -> NTSTATUS {
    let local = Local {
        open: false,
        ..held
    };
    let status = match way {
        Way::Inside => bind_asked(socket, local, &Sockaddr::new(held.six, own(), 0)),
        Way::Outside => {
            let any = Sockaddr::new(held.six, Ipv4Addr::UNSPECIFIED, 0);
            bind_now(socket, &any)
        }
    };
    if success(status) && way == Way::Outside {
        let bound = true;
        facts::set_local(socket, Local { bound, ..local });
    }
    status
}

/// Decides `socket` if it is undecided. An error is the socket's own: the call
/// that comes next meets an unbound socket.
pub(super) fn settle_if_open(socket: HANDLE, way: Way) {
    if facts::any_open() {
        let held = facts::local(socket);
        if held.open {
            settle(socket, held, way);
        }
    }
}

/// Sees to it that a socket that reaches the VM itself has the VM's address, so
/// that the other side can answer it.
pub(super) fn ensure_inside(socket: HANDLE, six: bool) {
    let held = facts::local(socket);
    if held.bound {
        return;
    }
    if held.open {
        settle(socket, held, Way::Inside);
        return;
    }
    let local = Local {
        six,
        ..Local::default()
    };
    let status = bind_asked(socket, local, &Sockaddr::new(six, own(), 0));
    if status == STATUS_ADDRESS_ALREADY_ASSOCIATED {
        let bound = true;
        facts::set_local(socket, Local { bound, ..local });
    }
}

/// A connection leaves "any" for the address that it goes out by.
pub(super) fn connected(socket: HANDLE) {
    let held = facts::local(socket);
    if held.asked.is_some_and(Asked::is_any) {
        let asked = None;
        facts::set_local(socket, Local { asked, ..held });
    }
}

/// Binds and waits for it.
fn bind_now(socket: HANDLE, address: &Sockaddr) -> NTSTATUS {
    if let Some(status) = datagram::bind(socket, address) {
        return status;
    }
    let bytes = address.as_bytes();
    let mut input = [0; 4 + 28];
    let mut output = [0; 28];
    let (Some(input), Some(output)) = (
        input.get_mut(..4 + bytes.len()),
        output.get_mut(..bytes.len()),
    ) else {
        return STATUS_INVALID_PARAMETER;
    };
    if let Some(place) = input.get_mut(4..) {
        place.copy_from_slice(bytes);
    }
    Control::of(socket, BIND).ask_and_wait(input, output)
}

/// Tells the program that its bind is done.
fn complete(call: &Control, asked: &Sockaddr) -> NTSTATUS {
    asked.write(call.output);
    let status = STATUS_SUCCESS.to_le_bytes();
    Control {
        code: COMPLETE,
        output: core::ptr::null_mut(),
        output_size: 0,
        ..*call
    }
    .call_with(&status)
}

/// Takes `IPV6_V6ONLY` off; whether it was on.
fn take_off_v6only(socket: HANDLE) -> bool {
    let mut value = [0; 4];
    let asked = Control::of(socket, GET_V6ONLY).ask(&[], &mut value);
    let on = asked == STATUS_SUCCESS && value != [0; 4];
    on && set_v6only(socket, 0) == STATUS_SUCCESS
}

fn set_v6only(socket: HANDLE, value: u32) -> NTSTATUS {
    Control::of(socket, SET_V6ONLY).ask(&value.to_le_bytes(), &mut [])
}

/// As `getsockopt(IPV6_V6ONLY)`.
pub(super) fn get_v6only(call: &Control) -> NTSTATUS {
    let status = call.call();
    if status == STATUS_SUCCESS && call.output_size >= 1 && facts::local(call.file).six_only {
        // The kernel wrote a 0 of as many bytes as there is room, at most 4;
        // Wine's ws2_32 asks for one.
        // SAFETY: the program's buffer, under guard.
        let _ = unsafe { guard::write(call.output.cast::<u8>(), 1) };
    }
    status
}

/// As `socket`. A raw one would hear what all programs of the machine are sent.
pub(super) fn create(call: &Control) -> NTSTATUS {
    /// Where Wine's `afd_create_params` have the type, after the family.
    const KIND: usize = 4;
    const RAW: i32 = 3;
    /// What Wine's server says to a user who may not: Winsock's error as a status.
    const WSAEACCES: NTSTATUS = 0xC001_271D_u32 as i32;
    if call.input::<i32>(KIND) == Some(RAW) {
        trace::verdict(Told::Refused);
        return WSAEACCES;
    }
    let status = call.call();
    if success(status) {
        facts::clear(call.file);
    }
    status
}

/// As `listen`.
pub(super) fn listen(call: &Control) -> NTSTATUS {
    settle_if_open(call.file, Way::Inside);
    call.call()
}

/// As `getsockname`.
pub(super) fn name(call: &Control) -> NTSTATUS {
    settle_if_open(call.file, Way::Inside);
    let status = call.call();
    if status == STATUS_SUCCESS {
        let asked = facts::local(call.file).asked.unwrap_or(Asked::LOOPBACK);
        undo_at(call.output, call.output_size as usize, asked);
    }
    status
}
