//! Servers of this machine's addresses, and the tables that they are in.

use super::window::fact;
use super::{Player, Served};
use crate::imports;
use crate::win::{self, Step};
use core::ffi::c_void;
use pinion_probes::{Ask, Facts, Seen};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

imports! {
    "iphlpapi.dll" {
        fn GetTcpTable(table: *mut c_void, size: *mut u32, order: i32) -> u32;
        fn GetExtendedTcpTable(table: *mut c_void, size: *mut u32, order: i32, family: u32, class: u32, zero: u32) -> u32;
        fn GetExtendedUdpTable(table: *mut c_void, size: *mut u32, order: i32, family: u32, class: u32, zero: u32) -> u32;
    }
    "ws2_32.dll" {
        fn socket(family: i32, kind: i32, protocol: i32) -> usize;
        fn bind(socket: usize, address: *const [u8; 110], length: i32) -> i32;
        fn connect(socket: usize, address: *const [u8; 110], length: i32) -> i32;
        fn listen(socket: usize, most: i32) -> i32;
        fn closesocket(socket: usize) -> i32;
    }
}

const PATIENCE: Duration = Duration::from_millis(500);

pub fn player(probe: &str) -> Option<Player> {
    Some(match probe {
        "stream" => Player::new(serve, reach),
        "outward" => Player::new(serve, outward),
        "socket-table" => Player::new(serve, listed),
        "datagram" => Player::new(serve_datagram, send),
        "unix-socket" => Player::new(serve_unix, reach_unix),
        _ => return None,
    })
}

/// A refusal in words.
pub fn io(error: &std::io::Error) -> Seen {
    Seen::Refused(error.to_string())
}

struct Server {
    facts: Facts,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Served for Server {
    fn facts(&self) -> Facts {
        self.facts.clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The address of this machine by which it goes out.
fn machine_address() -> String {
    let found = UdpSocket::bind("0.0.0.0:0").and_then(|socket| {
        // Nothing is sent.
        socket.connect("192.0.2.1:9")?;
        socket.local_addr()
    });
    found.map_or(String::new(), |address| address.ip().to_string())
}

fn serve(ask: &Ask) -> Step<Box<dyn Served>> {
    let at = match (ask.probe.as_str(), ask.way.as_str()) {
        ("outward", _) | (_, "any-server" | "machine-name") => "0.0.0.0:0",
        (_, "loopback-6") => "[::1]:0",
        _ => "127.0.0.1:0",
    };
    let listener = TcpListener::bind(at).map_err(|error| io(&error))?;
    let port = listener.local_addr().map_err(|error| io(&error))?.port();
    // The table of datagrams is asked for the same number.
    let datagrams = UdpSocket::bind(("127.0.0.1", port));
    listener.set_nonblocking(true).map_err(|error| io(&error))?;
    let (stop, secret) = (Arc::new(AtomicBool::new(false)), ask.secret);
    let ends = Arc::clone(&stop);
    let thread = std::thread::spawn(move || {
        let _datagrams = datagrams;
        let mut clients = Vec::new();
        while !ends.load(Ordering::SeqCst) {
            match listener.accept() {
                Ok((mut client, _)) => {
                    let _ = client.write_all(&secret.to_le_bytes());
                    clients.push(client);
                }
                Err(_) => std::thread::sleep(Duration::from_millis(4)),
            }
        }
    });
    Ok(Box::new(Server {
        facts: Facts::from([
            ("port".into(), port.to_string()),
            ("machine".into(), machine_address()),
        ]),
        stop,
        thread: Some(thread),
    }))
}

fn reach(ask: &Ask) -> Step<()> {
    let port = fact(ask, "port") as u16;
    let to = match ask.way.as_str() {
        "loopback" | "any-server" => "127.0.0.1".into(),
        "other-loopback" => "127.0.0.9".into(),
        "localhost" => "localhost".into(),
        "mapped" => "::ffff:127.0.0.1".into(),
        "loopback-6" => "::1".into(),
        "machine-name" => super::pipe::machine(),
        "real-address" => ask.place.address.clone(),
        "taken-port" => {
            return match TcpListener::bind(("127.0.0.1", port)) {
                Ok(_) => Err(Seen::Refused("it was free".into())),
                Err(error) if error.kind() == ErrorKind::AddrInUse => Ok(()),
                Err(error) => Err(io(&error)),
            };
        }
        way => return win::unknown(way),
    };
    heard(&to, port, ask)
}

fn heard(to: &str, port: u16, ask: &Ask) -> Step<()> {
    let mut last = Seen::Refused(format!("{to} has no address"));
    let all = (to, port).to_socket_addrs().map_err(|error| io(&error))?;
    for address in all {
        let told = TcpStream::connect_timeout(&address, PATIENCE).and_then(|mut stream| {
            let mut token = [0; 4];
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.read_exact(&mut token)?;
            Ok(u32::from_le_bytes(token))
        });
        match told {
            Ok(told) => return win::token(told, ask.secret),
            Err(error) => last = io(&error),
        }
    }
    Err(last)
}

/// Whether somebody listens there.
pub fn connects(to: &str, port: u16) -> Step<()> {
    TcpStream::connect((to, port))
        .map(drop)
        .map_err(|error| io(&error))
}

/// The host's server at the machine's own address.
fn outward(ask: &Ask) -> Step<()> {
    match ask.facts.get("machine").map(String::as_str) {
        None | Some("") => Err(Seen::Missing("an address of this machine".into())),
        Some(address) => heard(address, fact(ask, "port") as u16, ask),
    }
}

struct Datagrams(UdpSocket, Vec<u32>);

impl Served for Datagrams {
    fn facts(&self) -> Facts {
        let port = self.0.local_addr().map_or(0, |address| address.port());
        Facts::from([("port".into(), port.to_string())])
    }

    fn felt(&mut self, token: u32) -> bool {
        let mut came = [0; 4];
        while self.0.recv(&mut came).is_ok() {
            self.1.push(u32::from_le_bytes(came));
        }
        self.1.contains(&token)
    }
}

fn serve_datagram(ask: &Ask) -> Step<Box<dyn Served>> {
    let at = if ask.way == "any-server" {
        "0.0.0.0:0"
    } else {
        "127.0.0.1:0"
    };
    let socket = UdpSocket::bind(at)
        .and_then(|socket| socket.set_nonblocking(true).map(|()| socket))
        .map_err(|error| io(&error))?;
    Ok(Box::new(Datagrams(socket, Vec::new())))
}

fn send(ask: &Ask) -> Step<()> {
    let to = match ask.way.as_str() {
        "real-address" => ask.place.address.as_str(),
        _ => "127.0.0.1",
    };
    let port = fact(ask, "port") as u16;
    UdpSocket::bind("127.0.0.1:0")
        .and_then(|socket| socket.send_to(&ask.token.to_le_bytes(), (to, port)))
        .map_err(|error| io(&error))?;
    Err(Seen::Other("sent".into()))
}

/// The tables have the port in network order at these places of their rows.
fn listed(ask: &Ask) -> Step<()> {
    let port = (fact(ask, "port") as u16).to_be_bytes();
    let mut buffer = vec![0_u32; 0x4_0000];
    let (at, mut size) = (buffer.as_mut_ptr().cast(), 0x10_0000);
    // SAFETY: the buffer has the room told. AF_INET.
    let (status, row, place) = unsafe {
        match ask.way.as_str() {
            "tcp" => (GetTcpTable(at, &raw mut size, 0)?, 5, 2),
            "tcp-with-owners" => (GetExtendedTcpTable(at, &raw mut size, 0, 2, 5, 0)?, 6, 2),
            "udp" => (GetExtendedUdpTable(at, &raw mut size, 0, 2, 1, 0)?, 3, 1),
            way => return win::unknown(way),
        }
    };
    if status != 0 {
        return Err(win::error("list", status));
    }
    let rows = buffer[1..].chunks_exact(row).take(buffer[0] as usize);
    let is_there = rows
        .into_iter()
        .any(|row| row[place].to_le_bytes()[..2] == port);
    if is_there {
        Ok(())
    } else {
        Err(Seen::Refused("the port is in no row".into()))
    }
}

struct UnixSocket(usize, std::path::PathBuf);

impl Served for UnixSocket {}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        // SAFETY: a socket of this value's own.
        let _ = unsafe { closesocket(self.0) };
        let _ = std::fs::remove_file(&self.1);
    }
}

/// A socket of the family AF_UNIX and its address.
fn unix(ask: &Ask) -> Step<(UnixSocket, [u8; 110])> {
    // Starts Winsock.
    let _ = UdpSocket::bind("127.0.0.1:0");
    let path = std::env::temp_dir().join(&ask.name);
    let mut address = [0; 110];
    address[0] = 1;
    for (to, byte) in address[2..109]
        .iter_mut()
        .zip(path.to_string_lossy().bytes())
    {
        *to = byte;
    }
    // SAFETY: only numbers are given.
    let socket = unsafe { socket(1, 1, 0)? };
    if socket == usize::MAX {
        return Err(Seen::Missing("sockets of the family AF_UNIX".into()));
    }
    Ok((UnixSocket(socket, path), address))
}

fn serve_unix(ask: &Ask) -> Step<Box<dyn Served>> {
    let (socket, address) = unix(ask)?;
    // SAFETY: the address is a local of the length told.
    let ok = unsafe { bind(socket.0, &raw const address, 110)? | listen(socket.0, 1)? };
    if ok == 0 {
        Ok(Box::new(socket))
    } else {
        Err(win::last("the socket"))
    }
}

fn reach_unix(ask: &Ask) -> Step<()> {
    let (client, address) = unix(ask)?;
    // The file is the server's.
    let client = std::mem::ManuallyDrop::new(client);
    // SAFETY: the address is a local of the length told; the socket is closed once.
    unsafe {
        let ok = connect(client.0, &raw const address, 110)?;
        let why = win::last("connect");
        let _ = closesocket(client.0);
        if ok == 0 { Ok(()) } else { Err(why) }
    }
}
