//! Where the VM's programs have sockets, by the system's tables, and which addresses are the machine's.
//!
//! A server of the host on 0.0.0.0 is at every loopback address, the VM's own among them. Members' sockets are bound
//! to the VM's address itself, and the system prefers those: where none is bound so, who answers is no member. The
//! tables are asked without owners, which Wine has to look for in all processes.

use std::ffi::{CStr, c_void};
use std::net::{Ipv4Addr, Ipv6Addr, UdpSocket};

use pinion_names::socket::second;
use pinion_wire::message::Transport;

use crate::system::at_run_time;

/// The most bytes that a table is asked for with.
const MOST: u32 = 64 << 20;
/// `WSAEADDRNOTAVAIL`.
const NO_SUCH_ADDRESS: i32 = 10049;
/// `ERROR_INSUFFICIENT_BUFFER`.
const TOO_SMALL: u32 = 122;

/// `GetExtendedTcpTable` and `GetExtendedUdpTable` (iphlpapi.h): table, size in bytes, whether ordered, family, class,
/// zero.
type Table = unsafe extern "system" fn(*mut c_void, *mut u32, i32, u32, u32, u32) -> u32;

/// How a table is asked for, and where in its rows the local end is. Bytes.
#[derive(Clone, Copy)]
struct Layout {
    function: &'static CStr,
    family: u32,
    class: u32,
    row: usize,
    address: usize,
    port: usize,
}

/// `MIB_TCPROW` by `TCP_TABLE_BASIC_LISTENER`, `MIB_TCP6ROW_OWNER_PID` by `TCP_TABLE_OWNER_PID_LISTENER`: for IPv6 there
/// is no basic one.
const STREAMS: [Layout; 2] = [
    Layout {
        function: c"GetExtendedTcpTable",
        family: 2,
        class: 0,
        row: 20,
        address: 4,
        port: 8,
    },
    Layout {
        function: c"GetExtendedTcpTable",
        family: 23,
        class: 3,
        row: 56,
        address: 0,
        port: 20,
    },
];

/// `MIB_UDPROW` by `UDP_TABLE_BASIC`, `MIB_UDP6ROW_OWNER_PID` by `UDP_TABLE_OWNER_PID`.
const DATAGRAMS: [Layout; 2] = [
    Layout {
        function: c"GetExtendedUdpTable",
        family: 2,
        class: 0,
        row: 8,
        address: 0,
        port: 4,
    },
    Layout {
        function: c"GetExtendedUdpTable",
        family: 23,
        class: 1,
        row: 28,
        address: 0,
        port: 20,
    },
];

/// `MIB_TCPROW_OWNER_PID` and `MIB_TCP6ROW_OWNER_PID` by `TCP_TABLE_OWNER_PID_LISTENER`, and where their owner is.
const OWNED: [(Layout, usize); 2] = [
    (
        Layout {
            class: 3,
            row: 24,
            ..STREAMS[0]
        },
        20,
    ),
    (STREAMS[1], 52),
];

/// The id of the process that the kernel's own threads are in (documented for debuggers; of Windows since XP).
const SYSTEM: u32 = 4;

/// Whether the system's own process, as which drivers have their sockets, listens at `port` of any address.
pub(crate) fn is_of_system(port: u16) -> bool {
    OWNED.iter().any(|(layout, owner)| {
        let table = ask(layout).unwrap_or_default();
        is_systems_in(&table, layout, *owner, port)
    })
}

/// Whether a row of `table` has the port at any address, and the system as the owner at byte `owner`.
fn is_systems_in(table: &[u8], layout: &Layout, owner: usize, port: u16) -> bool {
    let Some((count, rows)) = table.split_first_chunk() else {
        return false;
    };
    let count = u32::from_le_bytes(*count) as usize;
    rows.chunks_exact(layout.row).take(count).any(|row| {
        let at = row.get(layout.port..).and_then(|rest| rest.first_chunk());
        let of = row.get(owner..).and_then(|rest| rest.first_chunk());
        let size = if layout.family == 2 { 4 } else { 16 };
        let address = row.get(layout.address..layout.address + size);
        at.copied().map(u16::from_be_bytes) == Some(port)
            && of.copied().map(u32::from_le_bytes) == Some(SYSTEM)
            && address.is_some_and(|address| address.iter().all(|&byte| byte == 0))
    })
}

/// Whether a socket is bound to `port` of the VM's address `own` (or the second one that goes with it), and listens
/// where it is one of streams. `false` when the system does not tell.
pub(crate) fn has(own: Ipv4Addr, port: u16, transport: Transport) -> bool {
    let tables: &[&[Layout]] = match transport {
        Transport::Streams => &[&STREAMS],
        Transport::Datagrams => &[&DATAGRAMS],
        Transport::Either => &[&STREAMS, &DATAGRAMS],
    };
    tables.iter().copied().flatten().any(|layout| {
        let table = ask(layout).unwrap_or_default();
        is_in(&table, layout, own, port)
    })
}

/// Whether `ip` is an address of this machine: a socket can be bound to no other.
pub(crate) fn is_host(ip: Ipv6Addr) -> bool {
    let unassigned = Some(NO_SUCH_ADDRESS);
    match UdpSocket::bind((ip, 0)) {
        Ok(_) => true,
        Err(error) => error.raw_os_error() != unassigned,
    }
}

/// Whether the rows of `table`, behind their number, have the port at one of the two addresses.
fn is_in(table: &[u8], layout: &Layout, own: Ipv4Addr, port: u16) -> bool {
    let Some((count, rows)) = table.split_first_chunk() else {
        return false;
    };
    let count = u32::from_le_bytes(*count) as usize;
    rows.chunks_exact(layout.row).take(count).any(|row| {
        let at = row.get(layout.port..).and_then(|rest| rest.first_chunk());
        let address = row.get(layout.address..).unwrap_or_default();
        let ip = if layout.family == 2 {
            address.first_chunk().copied().map(Ipv4Addr::from)
        } else {
            let six = address.first_chunk::<16>().copied().map(Ipv6Addr::from);
            six.and_then(|six| six.to_ipv4_mapped())
        };
        at.copied().map(u16::from_be_bytes) == Some(port)
            && ip.is_some_and(|ip| ip == own || ip == second(own))
    })
}

/// The table, its number of rows first; `None` when it cannot be had.
fn ask(layout: &Layout) -> Option<Vec<u8>> {
    let table = function(layout.function)?;
    let mut size: u32 = 16 * 1024;
    loop {
        // Whole words, which the rows consist of.
        let mut words = vec![0_u32; size.div_ceil(4) as usize];
        size = (words.len() * 4) as u32;
        // SAFETY: the buffer has the size told.
        let status = unsafe {
            table(
                words.as_mut_ptr().cast(),
                &raw mut size,
                0,
                layout.family,
                layout.class,
                0,
            )
        };
        match status {
            0 => return Some(words.iter().flat_map(|word| word.to_le_bytes()).collect()),
            // There may be more by the next time.
            TOO_SMALL if size < MOST => size = size.saturating_add(size / 2),
            _ => return None,
        }
    }
}

fn function(name: &CStr) -> Option<Table> {
    let found = at_run_time("iphlpapi.dll", name)?;
    // SAFETY: both functions have this type (iphlpapi.h).
    Some(unsafe { std::mem::transmute::<unsafe extern "system" fn() -> isize, Table>(found) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Ipv4Addr = Ipv4Addr::new(127, 77, 3, 4);

    fn table(rows: &[Vec<u8>]) -> Vec<u8> {
        let count = (rows.len() as u32).to_le_bytes().to_vec();
        [count, rows.concat()].concat()
    }

    fn row(layout: &Layout, address: &[u8], port: u16) -> Vec<u8> {
        let mut row = vec![0; layout.row];
        row[layout.address..][..address.len()].copy_from_slice(address);
        row[layout.port..][..2].copy_from_slice(&port.to_be_bytes());
        row
    }

    #[test]
    fn a_socket_of_the_vm_is_found_by_address_and_port() {
        for layout in [&STREAMS[0], &DATAGRAMS[0]] {
            let rows = [row(layout, &[0; 4], 80), row(layout, &OWN.octets(), 81)];
            let table = table(&rows);
            assert!(is_in(&table, layout, OWN, 81));
            assert!(
                !is_in(&table, layout, OWN, 80),
                "the host's, on any address"
            );
            assert!(!is_in(&table, layout, Ipv4Addr::new(127, 77, 3, 9), 81));
        }
    }

    #[test]
    fn so_is_one_of_ipv6_and_one_at_the_second_address() {
        for layout in [&STREAMS[1], &DATAGRAMS[1]] {
            let mapped = second(OWN).to_ipv6_mapped().octets();
            let table = table(&[row(layout, &[0; 16], 80), row(layout, &mapped, 81)]);
            assert!(is_in(&table, layout, OWN, 81));
            assert!(!is_in(&table, layout, OWN, 80));
        }
    }

    #[test]
    fn a_listener_of_the_system_at_any_address_is_told_by_its_owner() {
        for (layout, owner) in &OWNED {
            let of = |address: &[u8], port: u16, id: u32| {
                let mut row = row(layout, address, port);
                row[*owner..][..4].copy_from_slice(&id.to_le_bytes());
                row
            };
            let any = [0; 16];
            let other = [1; 16];
            let (any, other) = match layout.family {
                2 => (&any[..4], &other[..4]),
                _ => (&any[..], &other[..]),
            };
            let table = table(&[of(any, 80, 4), of(any, 81, 40), of(other, 82, 4)]);
            let found = |port| is_systems_in(&table, layout, *owner, port);
            assert_eq!([80, 81, 82, 83].map(found), [true, false, false, false]);
            assert!(!is_systems_in(&[], layout, *owner, 80));
        }
    }

    #[test]
    fn a_table_that_is_cut_short_has_what_is_whole() {
        let layout = &STREAMS[0];
        let mut table = table(&[
            row(layout, &OWN.octets(), 81),
            row(layout, &OWN.octets(), 82),
        ]);
        table.pop();
        assert!(is_in(&table, layout, OWN, 81));
        assert!(!is_in(&table, layout, OWN, 82));
        assert!(!is_in(&[], layout, OWN, 81));
    }

    #[test]
    fn the_system_tells_of_a_socket_that_there_is() {
        let own = Ipv4Addr::LOCALHOST;
        let streams = std::net::TcpListener::bind((own, 0)).expect("a listener");
        let port = streams.local_addr().expect("an address").port();
        assert!(has(own, port, Transport::Streams));
        assert!(has(own, port, Transport::Either));
        drop(streams);
        assert!(!has(own, port, Transport::Streams));
        let everywhere = std::net::TcpListener::bind(("0.0.0.0", 0)).expect("a listener");
        let port = everywhere.local_addr().expect("an address").port();
        assert!(!has(own, port, Transport::Streams));
        let datagrams = std::net::UdpSocket::bind((own, 0)).expect("a socket");
        let port = datagrams.local_addr().expect("an address").port();
        assert!(has(own, port, Transport::Datagrams));
    }

    #[test]
    fn an_address_of_documents_is_no_machines() {
        assert!(!is_host(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 77)));
        assert!(is_host(Ipv6Addr::LOCALHOST));
    }
}
