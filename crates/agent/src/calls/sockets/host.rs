//! The host's own IPv4 addresses, asked for once in the life of a process.
//! Those that the host gets later, and its IPv6 addresses, are not known.

use super::{Control, INTERFACES};
use core::net::Ipv4Addr;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use pinion_nt::HANDLE;
use pinion_nt::status::success;

/// The most addresses that are kept.
const ADDRESSES: usize = 32;
/// The bytes of an `INTERFACE_INFO` (ws2ipdef.h): flags, then the address, the
/// broadcast address and the mask, 24 bytes each.
const INTERFACE: usize = 76;
/// Where the IPv4 address is in it.
const ADDRESS: usize = 8;

static KNOWN: AtomicBool = AtomicBool::new(false);
/// 0.0.0.0 where there is none.
static ADDRESS_OF: [AtomicU32; ADDRESSES] = [const { AtomicU32::new(0) }; ADDRESSES];

/// Whether `ip` is one of the host's; `socket` is any open socket.
pub(super) fn has(socket: HANDLE, ip: Ipv4Addr) -> bool {
    if !KNOWN.load(Ordering::Acquire) {
        ask(socket);
    }
    let held = |place: &AtomicU32| place.load(Ordering::Relaxed) == u32::from(ip);
    !ip.is_unspecified() && ADDRESS_OF.iter().any(held)
}

#[cold]
fn ask(socket: HANDLE) {
    let mut list = [0_u8; ADDRESSES * INTERFACE];
    let call = Control::of(socket, INTERFACES);
    // Wine says STATUS_PENDING when the list is there already (8 and 10).
    if !success(call.ask(&[], &mut list)) {
        return;
    }
    for (place, interface) in ADDRESS_OF.iter().zip(list.chunks_exact(INTERFACE)) {
        let bytes = interface.get(ADDRESS..).and_then(|rest| rest.first_chunk());
        if let Some(bytes) = bytes {
            place.store(u32::from_be_bytes(*bytes), Ordering::Relaxed);
        }
    }
    KNOWN.store(true, Ordering::Release);
}
