//! Published ports: a relay from a port of the host to one of the VM's address.
//!
//! Ports are bound before any program runs, so that one in use is told in time; connections are
//! relayed by two threads each, and a half-closed one stays half-closed.

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddrV4, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use pinion_store::PortMapping;

use crate::cap::Cap;
use crate::error::{Error, Result};

/// The most connections relayed at one time for one VM; more are closed at once.
const MOST: usize = 1024;
/// How long a connection to the VM may take.
const CONNECT: Duration = Duration::from_secs(10);
/// After a failed accept: resources are short, and trying again at once would spin.
const PAUSE: Duration = Duration::from_millis(100);

/// The published ports of one VM, all bound.
#[derive(Debug)]
pub(crate) struct Ports {
    bound: Vec<(SocketAddrV4, TcpListener, SocketAddrV4)>,
}

/// The running relays.
#[derive(Debug)]
pub(crate) struct Relays {
    closing: Arc<AtomicBool>,
    threads: Vec<(SocketAddrV4, thread::JoinHandle<()>)>,
}

impl Ports {
    /// Binds all ports of the list, or none, each at what `at` makes of its address.
    pub(crate) fn bind(
        ports: &[PortMapping],
        vm: Ipv4Addr,
        at: impl Fn(Ipv4Addr) -> Vec<Ipv4Addr>,
    ) -> Result<Self> {
        let mut bound = Vec::new();
        for port in ports {
            let target = SocketAddrV4::new(vm, port.vm);
            let failed = |why| Error::Port {
                host: SocketAddrV4::new(port.host_address, port.host).to_string(),
                why: plain(why),
            };
            for address in at(port.host_address) {
                let host = SocketAddrV4::new(address, port.host);
                let listener = TcpListener::bind(host).map_err(failed)?;
                bound.push((host, listener, target));
            }
        }
        Ok(Self { bound })
    }

    /// Starts relaying.
    pub(crate) fn relay(self) -> Relays {
        let closing = Arc::new(AtomicBool::new(false));
        let cap = Cap::new(MOST);
        let mut threads = Vec::new();
        for (host, listener, target) in self.bound {
            let (closing, cap) = (Arc::clone(&closing), cap.clone());
            let thread = thread::spawn(move || accept_all(&listener, target, &closing, &cap));
            threads.push((host, thread));
        }
        Relays { closing, threads }
    }
}

/// The frequent reasons in plain words: Wine has no texts for the errors of sockets.
fn plain(why: io::Error) -> io::Error {
    let words = match why.kind() {
        io::ErrorKind::AddrInUse => "it is in use by another program",
        io::ErrorKind::AddrNotAvailable => "the address is not one of this machine",
        io::ErrorKind::PermissionDenied => "access is denied",
        _ => return why,
    };
    io::Error::new(why.kind(), words)
}

impl Relays {
    /// Closes the listening ports. Relayed connections end with their peers.
    pub(crate) fn close(self) {
        self.closing.store(true, Ordering::SeqCst);
        for (mut host, thread) in self.threads {
            if host.ip().is_unspecified() {
                host.set_ip(Ipv4Addr::LOCALHOST);
            }
            // Wakes the accept, which then sees the flag.
            if TcpStream::connect_timeout(&host.into(), CONNECT).is_ok() {
                let _ = thread.join();
            }
        }
    }
}

fn accept_all(listener: &TcpListener, target: SocketAddrV4, closing: &AtomicBool, cap: &Cap) {
    loop {
        let client = listener.accept();
        if closing.load(Ordering::SeqCst) {
            return;
        }
        let Ok((client, _)) = client else {
            thread::sleep(PAUSE);
            continue;
        };
        let Some(place) = cap.enter() else { continue };
        thread::spawn(move || {
            let _place = place;
            if let Err(error) = relay(client, target) {
                tracing::debug!(%target, %error, "a relayed connection ended");
            }
        });
    }
}

fn relay(client: TcpStream, target: SocketAddrV4) -> io::Result<()> {
    let server = TcpStream::connect_timeout(&target.into(), CONNECT)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_server) = (client.try_clone()?, server.try_clone()?);
    let up = thread::spawn(move || copy(from_client, to_server));
    copy(server, client);
    let _ = up.join();
    Ok(())
}

/// Copies until the source's end, then tells the target; on an error both ends go.
fn copy(mut from: TcpStream, mut to: TcpStream) {
    match io::copy(&mut from, &mut to) {
        Ok(_) => drop(to.shutdown(Shutdown::Write)),
        Err(_) => {
            let _ = to.shutdown(Shutdown::Both);
            let _ = from.shutdown(Shutdown::Both);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    /// A free port: bound to be sure, let go at once.
    fn free_port() -> u16 {
        TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port()
    }

    fn mapping(host: u16, vm: u16) -> PortMapping {
        PortMapping {
            host_address: Ipv4Addr::LOCALHOST,
            host,
            vm,
        }
    }

    #[test]
    fn relays_with_half_close_and_lets_the_port_go() {
        let server = TcpListener::bind("127.77.200.1:0").unwrap();
        let vm_port = server.local_addr().unwrap().port();
        let host_port = free_port();
        let vm = Ipv4Addr::new(127, 77, 200, 1);
        let relays = Ports::bind(&[mapping(host_port, vm_port)], vm, |at| vec![at])
            .unwrap()
            .relay();
        // Answers only after the client has ended its half.
        let echo = thread::spawn(move || {
            let (mut peer, _) = server.accept().unwrap();
            let mut text = String::new();
            peer.read_to_string(&mut text).unwrap();
            peer.write_all(text.to_uppercase().as_bytes()).unwrap();
        });
        let mut client = TcpStream::connect(("127.0.0.1", host_port)).unwrap();
        client.write_all(b"hello").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "HELLO");
        echo.join().unwrap();
        relays.close();
        assert!(TcpStream::connect(("127.0.0.1", host_port)).is_err());
    }

    #[test]
    fn a_port_is_published_at_each_address_and_all_go_again() {
        let (port, vm) = (free_port(), Ipv4Addr::new(127, 77, 200, 2));
        let at = |_| vec![Ipv4Addr::LOCALHOST, Ipv4Addr::new(127, 0, 0, 2)];
        let relays = Ports::bind(&[mapping(port, 80)], vm, at).unwrap().relay();
        for address in ["127.0.0.1", "127.0.0.2"] {
            assert!(TcpStream::connect((address, port)).is_ok(), "{address}");
        }
        // The VM's own address is left to it.
        assert!(TcpListener::bind((vm, port)).is_ok());
        relays.close();
        for address in ["127.0.0.1", "127.0.0.2"] {
            assert!(TcpStream::connect((address, port)).is_err(), "{address}");
        }
    }

    #[test]
    fn a_port_in_use_is_told() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let error =
            Ports::bind(&[mapping(port, 80)], Ipv4Addr::LOCALHOST, |at| vec![at]).unwrap_err();
        assert_eq!(error.exit_code(), pinion_store::exit_code::CONFLICT);
        assert!(error.to_string().contains(&port.to_string()), "{error}");
    }
}
