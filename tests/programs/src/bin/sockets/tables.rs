//! The system's tables of TCP connections and UDP endpoints, by every call that
//! tells them.

use core::ffi::c_void;
use serde_json::{Map, Value, json};
use std::net::{TcpListener, TcpStream, UdpSocket};

#[link(name = "iphlpapi", kind = "raw-dylib")]
unsafe extern "system" {
    fn GetTcpTable(table: *mut c_void, size: *mut u32, order: i32) -> u32;
    fn GetUdpTable(table: *mut c_void, size: *mut u32, order: i32) -> u32;
    fn GetExtendedTcpTable(
        table: *mut c_void,
        size: *mut u32,
        order: i32,
        family: u32,
        class: u32,
        reserved: u32,
    ) -> u32;
    fn GetExtendedUdpTable(
        table: *mut c_void,
        size: *mut u32,
        order: i32,
        family: u32,
        class: u32,
        reserved: u32,
    ) -> u32;
}

/// Listens, connects and binds, and tells what the tables have then: the ports
/// of all entries, and the lines of this program's own ports.
pub fn all() -> Value {
    let listener = TcpListener::bind("0.0.0.0:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let client = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    let (_served, _) = listener.accept().expect("a client");
    let from = client.local_addr().expect("an address").port();
    let endpoint = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let bound = endpoint.local_addr().expect("an address").port();
    let mut told = Map::new();
    for table in TABLES {
        let (name, _, local, ..) = table;
        let lines = lines(table);
        let port_of = |line: &[u8]| u16::from_be_bytes([line[local + 4], line[local + 5]]);
        let ip = |line: &[u8]| format!("{:?}", &line[local..local + 4]);
        let mut own: Vec<(&str, String)> = lines
            .iter()
            .filter_map(|line| {
                let names = [(port, "server"), (from, "client"), (bound, "endpoint")];
                let name = names.into_iter().find(|(port, _)| *port == port_of(line))?;
                Some((name.1, ip(line)))
            })
            .collect();
        own.sort_unstable();
        let ports: Vec<u16> = lines.iter().map(|line| port_of(line)).collect();
        told.insert(name.into(), json!({"own": own, "ports": ports}));
    }
    Value::Object(told)
}

/// A table: its name here, the size of a line, where the local address is in
/// it, whether of UDP, and the class of the extended call.
type Table = (&'static str, usize, usize, bool, Option<u32>);

const TABLES: [Table; 6] = [
    ("GetTcpTable", 20, 4, false, None),
    ("GetUdpTable", 8, 0, true, None),
    // TCP_TABLE_BASIC_LISTENER, TCP_TABLE_OWNER_PID_CONNECTIONS,
    // TCP_TABLE_OWNER_PID_ALL, UDP_TABLE_OWNER_PID.
    ("listeners", 20, 4, false, Some(0)),
    ("connections", 24, 4, false, Some(4)),
    ("all", 24, 4, false, Some(5)),
    ("endpoints", 12, 0, true, Some(1)),
];

/// The lines of a table.
fn lines((_, row, _, udp, class): Table) -> Vec<Vec<u8>> {
    const INET: u32 = 2;
    let mut size = 0;
    loop {
        let mut words = vec![0_u32; size as usize / 4 + 2];
        size = (words.len() * 4) as u32;
        let (table, size_at) = (words.as_mut_ptr().cast(), &raw mut size);
        // SAFETY: the buffer has the size told.
        let status = unsafe {
            match (udp, class) {
                (false, None) => GetTcpTable(table, size_at, 1),
                (true, None) => GetUdpTable(table, size_at, 1),
                (false, Some(class)) => GetExtendedTcpTable(table, size_at, 1, INET, class, 0),
                (true, Some(class)) => GetExtendedUdpTable(table, size_at, 1, INET, class, 0),
            }
        };
        match status {
            0 => {
                let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
                let lines = bytes[4..].chunks_exact(row).take(words[0] as usize);
                return lines.map(<[u8]>::to_vec).collect();
            }
            // ERROR_INSUFFICIENT_BUFFER: the size that it needs is told.
            122 => size += 1024,
            _ => return Vec::new(),
        }
    }
}
