//! The host's own IPv4 addresses, and those by which it and its neighbours are
//! reached at once (broadcast), asked for once in the life of a process.
//! Those that the host gets later are not known. Of IPv6 the supervisor knows.

use super::{Control, INTERFACES};
use crate::held::Held;
use crate::{supervisor, time};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use pinion_nt::HANDLE;
use pinion_nt::status::success;

/// The most interfaces that are asked for.
const INTERFACES_MOST: usize = 32;
/// The bytes of an `INTERFACE_INFO` (ws2ipdef.h): flags, then the address, the
/// broadcast address and the mask, 24 bytes each.
const INTERFACE: usize = 76;
/// Where the IPv4 address and that of its broadcasts are in it.
const ADDRESSES: [usize; 2] = [8, 32];

static KNOWN: AtomicBool = AtomicBool::new(false);
/// 0.0.0.0 where there is none.
static ADDRESS_OF: [AtomicU32; ADDRESSES.len() * INTERFACES_MOST] =
    [const { AtomicU32::new(0) }; ADDRESSES.len() * INTERFACES_MOST];

/// What the supervisor said of an address of IPv6, and when.
struct Said {
    of: Ipv6Addr,
    when: u64,
    is_host: bool,
}

/// How long it holds, in milliseconds: datagrams ask as often as they are sent.
const HOLDS: u64 = 1000;

static SAID: Held<Said> = Held::new(Said {
    of: Ipv6Addr::UNSPECIFIED,
    when: 0,
    is_host: true,
});

/// Whether `ip` is one of the host's; `socket` is any open socket.
pub(super) fn has(socket: HANDLE, ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => has_four(socket, ip),
        IpAddr::V6(ip) => has_six(ip),
    }
}

fn has_six(ip: Ipv6Addr) -> bool {
    let now = time::milliseconds();
    let said = SAID.with(|said| {
        let fresh = said.of == ip && now.wrapping_sub(said.when) < HOLDS;
        fresh.then_some(said.is_host)
    });
    if let Some(is_host) = said.flatten() {
        return is_host;
    }
    let is_host = supervisor::is_host(ip);
    let _ = SAID.with(|said| {
        *said = Said {
            of: ip,
            when: now,
            is_host,
        };
    });
    is_host
}

fn has_four(socket: HANDLE, ip: Ipv4Addr) -> bool {
    if !KNOWN.load(Ordering::Acquire) {
        ask(socket);
    }
    let held = |place: &AtomicU32| place.load(Ordering::Relaxed) == u32::from(ip);
    !ip.is_unspecified() && ADDRESS_OF.iter().any(held)
}

#[cold]
fn ask(socket: HANDLE) {
    let mut list = [0_u8; INTERFACES_MOST * INTERFACE];
    let call = Control::of(socket, INTERFACES);
    // Wine says STATUS_PENDING when the list is there already (8 and 10).
    if !success(call.ask(&[], &mut list)) {
        return;
    }
    let addresses = list
        .chunks_exact(INTERFACE)
        .flat_map(|interface| ADDRESSES.map(|at| interface.get(at..)?.first_chunk()));
    for (place, bytes) in ADDRESS_OF.iter().zip(addresses) {
        let address = bytes.copied().map_or(0, u32::from_be_bytes);
        place.store(address, Ordering::Relaxed);
    }
    KNOWN.store(true, Ordering::Release);
}
