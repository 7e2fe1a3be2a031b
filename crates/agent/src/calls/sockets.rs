//! Sockets, at the device controls of `\Device\Afd`: every local address means
//! the VM's own.
//!
//! [`local`] gives sockets their own address, [`peer`] those they reach,
//! [`facts`] remembers what was asked, [`listening`] keeps servers of the host
//! out that are at every address. What a member is told: an address equal
//! to the VM's own is reported as the one that the member asked for on that
//! socket, else as plain loopback. Not undone: addresses that an overlapped
//! receive or `AcceptEx` writes after the call has returned, and packet
//! information; there the VM's own address shows, and can be used.
//!
//! The codes are those of Wine (include/wine/afd.h, the same in 8.0 and 10.0;
//! all used here were observed) and those of Windows (ReactOS's and phnt's
//! afd.h), which never ran.

mod address;
mod datagram;
mod facts;
mod host;
mod listening;
mod local;
mod peer;
mod pool;

use super::controls::Control;
use crate::hooks::kept;
use crate::{guard, state};
use pinion_names::socket::Network;
use pinion_nt::calls::{NtClose, NtWaitForSingleObject};
use pinion_nt::status::{STATUS_PENDING, success};
use pinion_nt::{HANDLE, IO_STATUS_BLOCK, NTSTATUS};

/// Both: `int`, then the address; the output is the address bound.
const BIND: u32 = 0x12003;
/// Both.
const LISTEN: u32 = 0x1200b;
/// Both: the output is the address.
const GET_NAME: u32 = 0x1202f;
/// Wine.
const CREATE: u32 = 0x12_0320;
/// Wine: the output is a 32-bit handle.
const ACCEPT: u32 = 0x12_0324;
/// Wine, `AcceptEx`: a 32-bit handle first.
const ACCEPT_INTO: u32 = 0x12_0328;
/// Wine: length of the address, `int`, the address, data.
const CONNECT: u32 = 0x12_032c;
/// Wine.
const RECEIVE: u32 = 0x12_0334;
/// Wine.
const SEND: u32 = 0x12_0338;
/// Wine: completes a request as the program asked, with the status given.
const COMPLETE: u32 = 0x12_0348;
/// Wine: the output is the socket's family, type and protocol, an `int` each.
const GET_INFO: u32 = 0x12_0368;
/// Wine: the host's interfaces.
const INTERFACES: u32 = 0x12_0354;
/// Wine: the output is the address.
const GET_PEER: u32 = 0x12_0360;
/// Wine: the output is the option's value.
const GET_V6ONLY: u32 = 0x12_045c;
/// Wine: `IP_ADD_MEMBERSHIP`, `IP_ADD_SOURCE_MEMBERSHIP`, `IPV6_ADD_MEMBERSHIP`.
const JOIN: u32 = 0x12_03bc;
const JOIN_SOURCE: u32 = 0x12_03c0;
const JOIN_6: u32 = 0x12_0424;
/// Wine: an `int` of input.
const SET_V6ONLY: u32 = 0x12_0460;

/// Windows' own codes.
mod windows {
    /// Three words, then the address.
    pub(super) const CONNECT: u32 = 0x12007;
    /// The output is `int`, then the peer's address.
    pub(super) const WAIT_FOR_LISTEN: u32 = 0x1200c;
    /// `AFD_RECV_DATAGRAM_INFO`.
    pub(super) const RECEIVE_FROM: u32 = 0x1201b;
    /// `AFD_SEND_DATAGRAM_INFO`.
    pub(super) const SEND_TO: u32 = 0x12023;
    /// The output is the address.
    pub(super) const GET_PEER: u32 = 0x1203f;
    /// `ConnectEx`. Its layout is not known well enough.
    pub(super) const SUPER_CONNECT: u32 = 0x120c7;
}

/// `STATUS_INVALID_ADDRESS` (ntstatus.h): Winsock's WSAEADDRNOTAVAIL; what an
/// address of an unknown family gets.
const STATUS_INVALID_ADDRESS: NTSTATUS = 0xC000_0141_u32 as i32;
/// `STATUS_INVALID_ADDRESS_COMPONENT` (ntstatus.h): Winsock's
/// WSAEADDRNOTAVAIL; what NT says to an address that is not the machine's.
const STATUS_INVALID_ADDRESS_COMPONENT: NTSTATUS = 0xC000_0207_u32 as i32;
/// `STATUS_NETWORK_UNREACHABLE` (ntstatus.h): Winsock's WSAENETUNREACH.
pub(super) const STATUS_NETWORK_UNREACHABLE: NTSTATUS = 0xC000_023C_u32 as i32;
/// `STATUS_CONNECTION_REFUSED` (ntstatus.h): Winsock's WSAECONNREFUSED.
const STATUS_CONNECTION_REFUSED: NTSTATUS = 0xC000_0236_u32 as i32;
/// `STATUS_ADDRESS_ALREADY_ASSOCIATED` (ntstatus.h): the socket is bound.
const STATUS_ADDRESS_ALREADY_ASSOCIATED: NTSTATUS = 0xC000_0238_u32 as i32;
/// `STATUS_SHARING_VIOLATION` (ntstatus.h): Winsock's WSAEADDRINUSE.
const STATUS_SHARING_VIOLATION: NTSTATUS = 0xC000_0043_u32 as i32;

impl Control {
    /// The system call with another input, which the kernel reads before it
    /// returns.
    fn call_with(&self, input: &[u8]) -> NTSTATUS {
        let Ok(input_size) = u32::try_from(input.len()) else {
            return self.call();
        };
        Self {
            input: input.as_ptr().cast(),
            input_size,
            ..*self
        }
        .call()
    }

    /// The `T` at byte `at` of the input; `None` when it is not all there.
    fn input<T: Copy>(&self, at: usize) -> Option<T> {
        if at + size_of::<T>() > self.input_size as usize {
            return None;
        }
        // SAFETY: callers read integers; a bad pointer is a return value.
        unsafe { guard::read(self.input.cast::<u8>().wrapping_add(at).cast()) }.ok()
    }

    /// Waits for the end of a pending call as its caller would; the final
    /// status, or `STATUS_PENDING` when there is no event to wait for.
    fn wait(&self, alertable: bool) -> NTSTATUS {
        /// `STATUS_USER_APC` and `STATUS_ALERTED` (ntstatus.h).
        const INTERRUPTED: [NTSTATUS; 2] = [0xc0, 0x101];
        if self.event.is_null() {
            return STATUS_PENDING;
        }
        loop {
            // SAFETY: waits without end on the handle that the caller gave.
            let waited = unsafe {
                NtWaitForSingleObject(self.event, u8::from(alertable), core::ptr::null())
            };
            if !INTERRUPTED.contains(&waited) {
                break;
            }
        }
        // SAFETY: plain data; a bad pointer is a return value.
        unsafe { guard::read(self.io.cast::<NTSTATUS>()) }.unwrap_or(STATUS_PENDING)
    }

    /// A call of the agent's own on `socket`.
    fn of(socket: HANDLE, code: u32) -> Self {
        Self {
            file: socket,
            event: core::ptr::null_mut(),
            apc: core::ptr::null(),
            context: core::ptr::null(),
            io: core::ptr::null_mut(),
            code,
            input: core::ptr::null(),
            input_size: 0,
            output: core::ptr::null_mut(),
            output_size: 0,
        }
    }

    /// Makes the call, of a code that ends before it returns.
    fn ask(self, input: &[u8], output: &mut [u8]) -> NTSTATUS {
        let mut io = IO_STATUS_BLOCK::default();
        Self {
            io: &raw mut io,
            output: output.as_mut_ptr().cast(),
            output_size: u32::try_from(output.len()).unwrap_or(0),
            ..self
        }
        .call_with(input)
    }

    /// Makes the call and waits for its end.
    fn ask_and_wait(self, input: &[u8], output: &mut [u8]) -> NTSTATUS {
        const EVENT_ALL_ACCESS: u32 = 0x1f_0003;
        const NOTIFICATION: u32 = 0;
        let mut event: HANDLE = core::ptr::null_mut();
        // SAFETY: the pointer is to a local; the event has no name.
        let made = unsafe {
            kept::NtCreateEvent(
                &raw mut event,
                EVENT_ALL_ACCESS,
                core::ptr::null(),
                NOTIFICATION,
                0,
            )
        };
        if !success(made) {
            return made;
        }
        let mut io = IO_STATUS_BLOCK::default();
        let call = Self {
            event,
            io: &raw mut io,
            output: output.as_mut_ptr().cast(),
            output_size: u32::try_from(output.len()).unwrap_or(0),
            ..self
        };
        let mut status = call.call_with(input);
        if status == STATUS_PENDING {
            status = call.wait(false);
        }
        // SAFETY: the event was made above.
        unsafe { NtClose(event) };
        status
    }
}

/// What members reach.
pub(super) fn network() -> Network {
    Network::from_code(state::page().network)
}

/// Answers a control of a socket; all others are the kernel's.
pub(super) fn control(call: &Control) -> NTSTATUS {
    if network() == Network::Host {
        return call.call();
    }
    match call.code {
        SEND => peer::send(call, &peer::SEND),
        RECEIVE => peer::receive(call, &peer::RECEIVE),
        BIND => local::bind(call),
        LISTEN => local::listen(call),
        GET_NAME => local::name(call),
        GET_V6ONLY => local::get_v6only(call),
        CREATE => local::create(call),
        // Who has joined a group hears all of this machine that send to it.
        JOIN | JOIN_SOURCE | JOIN_6 => STATUS_INVALID_ADDRESS_COMPONENT,
        CONNECT => peer::connect(call),
        ACCEPT => peer::accept(call),
        ACCEPT_INTO => peer::accept_into(call),
        GET_PEER | windows::GET_PEER => peer::name(call, 0),
        windows::SEND_TO => peer::send(call, &peer::SEND_TO),
        windows::RECEIVE_FROM => peer::receive(call, &peer::RECEIVE_FROM),
        windows::CONNECT => peer::connect_windows(call),
        windows::WAIT_FOR_LISTEN => peer::name(call, 4),
        windows::SUPER_CONNECT => pinion_nt::status::STATUS_NOT_SUPPORTED,
        _ => call.call(),
    }
}
