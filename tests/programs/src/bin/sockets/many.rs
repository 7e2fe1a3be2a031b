//! What reaches many at once, or hears all: groups, broadcasts, raw sockets.

use serde_json::{Value, json};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, UdpSocket};
use std::ptr::null;
use windows_sys::Win32::Networking::WinSock::{
    AF_INET, INVALID_SOCKET, SOCK_RAW, WSAGetLastError, WSASocketW, closesocket,
};

/// A group of documentation (RFC 5771).
const GROUP: Ipv4Addr = Ipv4Addr::new(233, 252, 0, 7);
/// A group of this interface alone (RFC 4291).
const GROUP_6: Ipv6Addr = Ipv6Addr::new(0xff01, 0, 0, 0, 0, 0, 0, 0x77);
/// ICMP.
const PROTOCOL: i32 = 1;

/// The error of each that was tried; null where there was none.
pub fn all(port: u16) -> Value {
    json!({
        "to-group": code(plain().and_then(|socket| socket.send_to(b"all", (GROUP, port)))),
        "to-all": code(plain().and_then(|socket| {
            socket.set_broadcast(true)?;
            socket.send_to(b"all", (Ipv4Addr::BROADCAST, port))
        })),
        "join": code(plain().and_then(|socket| {
            socket.join_multicast_v4(&GROUP, &Ipv4Addr::UNSPECIFIED)
        })),
        "join-6": code(UdpSocket::bind("[::]:0").and_then(|socket| {
            socket.join_multicast_v6(&GROUP_6, 0)
        })),
        "raw": raw(),
    })
}

fn plain() -> io::Result<UdpSocket> {
    UdpSocket::bind("0.0.0.0:0")
}

fn code<T>(outcome: io::Result<T>) -> Option<i32> {
    outcome.err().and_then(|why| why.raw_os_error())
}

/// After the others, with which the standard library has started Winsock.
fn raw() -> Option<i32> {
    // SAFETY: no pointer is given; the socket is closed again.
    unsafe {
        let socket = WSASocketW(AF_INET.into(), SOCK_RAW, PROTOCOL, null(), 0, 0);
        if socket == INVALID_SOCKET {
            return Some(WSAGetLastError());
        }
        closesocket(socket);
    }
    None
}
