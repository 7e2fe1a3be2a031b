//! Whom a socket reaches, and what it is told of the other side.

use super::address::{Sockaddr, own, undo_at};
use super::facts::{self, Local};
use super::local::{self, Way};
use super::{Control, STATUS_CONNECTION_REFUSED, STATUS_INVALID_ADDRESS};
use super::{STATUS_NETWORK_UNREACHABLE, host, listening, pool};
use crate::{guard, hooks, scratch, trace};
use core::ffi::c_void;
use pinion_names::socket::{self, Asked, INET_LENGTH, INET6_LENGTH, UNSPECIFIED, Verdict};
use pinion_nt::status::{
    STATUS_BUFFER_OVERFLOW, STATUS_INSUFFICIENT_RESOURCES, STATUS_PENDING, STATUS_SUCCESS,
};
use pinion_nt::{HANDLE, NTSTATUS};
use pinion_wire::trace::{Peer, Verdict as Told};

/// Where a send's parameters hold the address. Bytes from their start.
pub(super) struct Send {
    address: usize,
    length: usize,
    size: usize,
}

/// Wine's `afd_sendmsg_params`.
pub(super) const SEND: Send = Send {
    address: 0,
    length: 8,
    size: 32,
};

/// Windows' `AFD_SEND_DATAGRAM_INFO`.
pub(super) const SEND_TO: Send = Send {
    address: 96,
    length: 88,
    size: 104,
};

/// Where a receive's parameters hold the address.
pub(super) struct Receive {
    address: usize,
    length: usize,
    /// A word that is 0 when the caller waits for the end at once.
    overlapped: Option<usize>,
}

/// Wine's `afd_recvmsg_params`.
pub(super) const RECEIVE: Receive = Receive {
    address: 8,
    length: 16,
    overlapped: Some(32),
};

/// Windows' `AFD_RECV_DATAGRAM_INFO`.
pub(super) const RECEIVE_FROM: Receive = Receive {
    address: 24,
    length: 32,
    overlapped: None,
};

/// Whether `socket` may reach `asked`.
///
/// # Errors
/// The status for an address of another family, which is no way out.
fn reach(socket: HANDLE, asked: &Sockaddr) -> Result<Verdict, NTSTATUS> {
    if asked.family() == Some(UNSPECIFIED) {
        return Ok(Verdict::Pass);
    }
    let ip = asked.ip().filter(|_| asked.is_whole());
    let ip = ip.ok_or(STATUS_INVALID_ADDRESS)?;
    Ok(socket::reach(super::network(), ip, |ip| {
        host::has(socket, ip)
    }))
}

/// Records what was decided of a socket's peer.
fn told(reached: Result<Verdict, NTSTATUS>) {
    trace::verdict(match reached {
        Ok(Verdict::Own) => Told::Private,
        Ok(Verdict::Pass) => Told::Host,
        Ok(Verdict::Refuse) | Err(_) => Told::Refused,
    });
}

/// As `connect` and `ConnectEx` on Wine.
pub(super) fn connect(call: &Control) -> NTSTATUS {
    match call.input::<u32>(0) {
        Some(length) => connect_at(call, 8, length as usize),
        None => call.call(),
    }
}

/// As `connect` on Windows.
pub(super) fn connect_windows(call: &Control) -> NTSTATUS {
    const AT: usize = 24;
    connect_at(call, AT, (call.input_size as usize).saturating_sub(AT))
}

fn connect_at(call: &Control, at: usize, length: usize) -> NTSTATUS {
    if at + length > call.input_size as usize {
        // The kernel refuses it as it stands.
        return call.call();
    }
    let source = call.input.cast::<u8>().wrapping_add(at).cast();
    let Some(asked) = Sockaddr::read(source, length) else {
        return call.call();
    };
    let reached = reach(call.file, &asked);
    told(reached);
    match reached {
        Err(status) => status,
        Ok(Verdict::Refuse) => STATUS_NETWORK_UNREACHABLE,
        Ok(Verdict::Own) => {
            local::ensure_inside(call.file, asked.is_six());
            local::connected(call.file);
            facts::set_peer(call.file, asked.ip().and_then(Asked::new));
            let mut address = asked;
            address.put(own());
            if !listening::is_for(call.file, asked.port()) {
                if !hooks::is_wine() {
                    return STATUS_CONNECTION_REFUSED;
                }
                // Nobody has port 0: the kernel refuses in its own time and way.
                address.put_port(0);
            }
            with_address(call, at, &address)
        }
        Ok(Verdict::Pass) => {
            local::settle_if_open(call.file, Way::Outside);
            facts::set_peer(call.file, None);
            call.call()
        }
    }
}

/// The call with `address` at byte `at` of its input, which is copied: data to
/// send may follow.
fn with_address(call: &Control, at: usize, address: &Sockaddr) -> NTSTATUS {
    let size = call.input_size as usize;
    scratch::with(size.div_ceil(2), |buffer| {
        let buffer = buffer.as_mut_ptr().cast::<u8>();
        // SAFETY: the buffer has room for `size` bytes and is all initialised.
        let input = unsafe { core::slice::from_raw_parts_mut(buffer, size) };
        // SAFETY: the target has `size` bytes; the source may be bad.
        if unsafe { guard::copy(input.as_mut_ptr().cast(), call.input, size) }.is_err() {
            return call.call();
        }
        let bytes = address.as_bytes();
        if let Some(place) = input.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
        call.call_with(input)
    })
    .unwrap_or(STATUS_INSUFFICIENT_RESOURCES)
}

/// As `send` and `sendto`.
pub(super) fn send(call: &Control, layout: &Send) -> NTSTATUS {
    let address = call.input::<*const c_void>(layout.address);
    let Some(address) = address.filter(|address| !address.is_null()) else {
        return call.call();
    };
    let length = call.input::<u32>(layout.length).unwrap_or(0);
    let Some(asked) = Sockaddr::read(address, length as usize) else {
        return call.call();
    };
    match reach(call.file, &asked) {
        Err(status) => status,
        Ok(Verdict::Refuse) => refused(&asked, STATUS_NETWORK_UNREACHABLE, Told::Refused),
        Ok(Verdict::Own) if !listening::gets_datagrams(asked.port()) => {
            refused(&asked, STATUS_CONNECTION_REFUSED, Told::Private)
        }
        Ok(Verdict::Own) => {
            local::ensure_inside(call.file, asked.is_six());
            send_inside(call, layout, &asked)
        }
        Ok(Verdict::Pass) => {
            local::settle_if_open(call.file, Way::Outside);
            call.call()
        }
    }
}

/// Records that nothing was sent to `asked`, and why; gives `status`.
fn refused(asked: &Sockaddr, status: NTSTATUS, verdict: Told) -> NTSTATUS {
    let number = const { trace::call("NtDeviceIoControlFile") };
    let peer = Peer::Address(asked.ip_six(), asked.port());
    trace::alone(number, status, verdict, peer);
    status
}

fn send_inside(call: &Control, layout: &Send, asked: &Sockaddr) -> NTSTATUS {
    let Some(lasting) = pool::lasting(asked) else {
        return STATUS_INSUFFICIENT_RESOURCES;
    };
    let length = if asked.is_six() {
        INET6_LENGTH
    } else {
        INET_LENGTH
    };
    let mut input = [0_u8; SEND_TO.size];
    let Some(input) = input.get_mut(..layout.size.min(call.input_size as usize)) else {
        return call.call();
    };
    // SAFETY: the target has the bytes of the slice; the source may be bad.
    if unsafe { guard::copy(input.as_mut_ptr().cast(), call.input, input.len()) }.is_err() {
        return call.call();
    }
    let pointer = (lasting as usize).to_le_bytes();
    let length = (length as u32).to_le_bytes();
    for (at, bytes) in [(layout.address, &pointer[..]), (layout.length, &length[..])] {
        if let Some(place) = input.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }
    call.call_with(input)
}

/// As `recv` and `recvfrom`.
pub(super) fn receive(call: &Control, layout: &Receive) -> NTSTATUS {
    local::settle_if_open(call.file, Way::Inside);
    let address = call.input::<*mut c_void>(layout.address);
    let Some(address) = address.filter(|address| !address.is_null()) else {
        return call.call();
    };
    let length = call.input::<*const u32>(layout.length);
    let overlapped = layout.overlapped.and_then(|at| call.input::<u32>(at));
    let mut status = call.call();
    if status == STATUS_PENDING && overlapped == Some(0) {
        // The caller waits so itself; the address can be undone only afterwards.
        status = call.wait(true);
    }
    let arrived = matches!(status, STATUS_SUCCESS | STATUS_BUFFER_OVERFLOW);
    if let (true, Some(length)) = (arrived, length) {
        // SAFETY: plain data; a bad pointer is a return value.
        let length = unsafe { guard::read(length) }.unwrap_or(0);
        undo_at(address, length as usize, stranger(call.file));
    }
    status
}

/// How a socket sees the VM's own address where it did not ask for it: as it is
/// when the program bound the socket to it by that name, else as loopback.
fn stranger(socket: HANDLE) -> Asked {
    let named = |asked: &Asked| asked.is(own());
    let local = || facts::local(socket).asked.filter(named);
    facts::peer(socket)
        .or_else(local)
        .unwrap_or(Asked::LOOPBACK)
}

/// As `accept`.
pub(super) fn accept(call: &Control) -> NTSTATUS {
    let mut status = call.call();
    if status == STATUS_PENDING {
        // The caller waits so itself; the new handle is known only afterwards.
        status = call.wait(false);
    }
    if status == STATUS_SUCCESS && call.output_size >= 4 {
        // SAFETY: plain data; a bad pointer is a return value.
        if let Ok(handle) = unsafe { guard::read(call.output.cast::<u32>()) } {
            inherit(call.file, handle as usize as HANDLE);
        }
    }
    status
}

/// As `AcceptEx`.
pub(super) fn accept_into(call: &Control) -> NTSTATUS {
    if let Some(handle) = call.input::<u32>(0) {
        inherit(call.file, handle as usize as HANDLE);
    }
    call.call()
}

/// An accepted socket answers for the address that its listener asked for.
fn inherit(listener: HANDLE, socket: HANDLE) {
    let held = facts::local(listener);
    let asked = held.asked.filter(|asked| !asked.is_any());
    let local = Local {
        asked,
        bound: true,
        six: held.six,
        six_only: held.six_only,
        ..Local::default()
    };
    facts::set_local(socket, local);
    facts::set_peer(socket, asked.filter(|asked| asked.is(own())));
}

/// As `getpeername`; the address is at byte `at` of the output.
pub(super) fn name(call: &Control, at: usize) -> NTSTATUS {
    let status = call.call();
    if status == STATUS_SUCCESS {
        let length = (call.output_size as usize).saturating_sub(at);
        let target = call.output.cast::<u8>().wrapping_add(at).cast();
        undo_at(target, length, stranger(call.file));
    }
    status
}
