//! Whether a member has a socket where another wants to reach it.
//!
//! A server of the host on 0.0.0.0 is at the VM's address, too: it would answer
//! where no member's socket is. The supervisor tells by the system's tables. A
//! connection asks each time; for datagrams an answer holds for a second.

use super::{Control, GET_INFO};
use crate::{supervisor, time};
use core::sync::atomic::{AtomicU64, Ordering};
use pinion_nt::HANDLE;
use pinion_nt::status::STATUS_SUCCESS;
use pinion_wire::message::Transport;

/// How long a port of datagrams is known to be a member's, in milliseconds.
const KNOWN: u64 = 1000;
/// How many such ports are kept.
const PORTS: usize = 64;
/// Each: the port, above the milliseconds since the system's start when it was
/// asked for. No port is 0.
static MEMBERS: [AtomicU64; PORTS] = [const { AtomicU64::new(0) }; PORTS];
const TIME: u32 = 48;

/// What `socket` carries.
fn transport(socket: HANDLE) -> Transport {
    const DATAGRAMS: [u8; 4] = 2_i32.to_le_bytes();
    let mut info = [0; 12];
    if Control::of(socket, GET_INFO).ask(&[], &mut info) != STATUS_SUCCESS {
        return Transport::Either;
    }
    if info.get(4..8) == Some(&DATAGRAMS) {
        Transport::Datagrams
    } else {
        Transport::Streams
    }
}

/// Whether a member is there for `socket` to connect to.
pub(super) fn is_for(socket: HANDLE, port: u16) -> bool {
    supervisor::has_socket(port, transport(socket))
}

/// Whether a member is there to get a datagram.
pub(super) fn gets_datagrams(port: u16) -> bool {
    let Some(place) = MEMBERS.get(usize::from(port) % PORTS) else {
        return false;
    };
    let now = time::milliseconds() & ((1 << TIME) - 1);
    let known = place.load(Ordering::Relaxed);
    let then = known & ((1 << TIME) - 1);
    if known >> TIME == u64::from(port) && now.wrapping_sub(then) < KNOWN {
        return true;
    }
    let is_there = supervisor::has_socket(port, Transport::Datagrams);
    if is_there {
        place.store(u64::from(port) << TIME | now, Ordering::Relaxed);
    }
    is_there
}
