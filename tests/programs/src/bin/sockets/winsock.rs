//! Winsock where the standard library has no way: sockets made step by step,
//! `select`, `WSAPoll`, and overlapped calls.

use std::io::{Error, Read, Result};
use std::mem::{size_of, zeroed};
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6, TcpListener};
use std::ptr::{null, null_mut, without_provenance_mut};
use std::sync::Once;
use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::Networking::WinSock::{
    AF_INET, AF_INET6, AcceptEx, FD_SET, FIONBIO, GetAcceptExSockaddrs as AcceptExSockaddrs,
    INVALID_SOCKET, IPPROTO_IPV6, IPV6_V6ONLY, LPFN_CONNECTEX, POLLRDNORM,
    SIO_GET_EXTENSION_FUNCTION_POINTER, SO_UPDATE_ACCEPT_CONTEXT, SO_UPDATE_CONNECT_CONTEXT,
    SOCK_DGRAM, SOCK_STREAM, SOCKADDR, SOCKADDR_IN, SOCKADDR_IN6, SOCKADDR_STORAGE, SOCKET,
    SOCKET_ERROR, SOL_SOCKET, TIMEVAL, WSA_FLAG_OVERLAPPED, WSA_IO_PENDING, WSABUF, WSADATA,
    WSAGetLastError, WSAGetOverlappedResult, WSAID_CONNECTEX, WSAIoctl, WSAPOLLFD, WSAPoll,
    WSARecvFrom, WSASocketW, WSAStartup, accept, bind, closesocket, connect, getpeername,
    getsockname, getsockopt, ioctlsocket, listen, recv, select, sendto, setsockopt,
};
use windows_sys::Win32::System::IO::OVERLAPPED;
use windows_sys::Win32::System::Threading::CreateEventW;

/// A socket; closed when dropped.
pub struct Socket(SOCKET);

fn failed() -> Error {
    // SAFETY: reads the calling thread's last error.
    Error::from_raw_os_error(unsafe { WSAGetLastError() })
}

fn check(outcome: i32) -> Result<()> {
    if outcome == SOCKET_ERROR {
        Err(failed())
    } else {
        Ok(())
    }
}

/// A port that nobody had a moment ago.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// The address as Winsock wants it, and its length.
fn raw(address: SocketAddr) -> (SOCKADDR_STORAGE, i32) {
    // SAFETY: plain data, valid when zeroed.
    let mut storage: SOCKADDR_STORAGE = unsafe { zeroed() };
    let length = match address {
        SocketAddr::V4(four) => {
            // SAFETY: the storage is large enough and aligned for any address.
            let place = unsafe { &mut *(&raw mut storage).cast::<SOCKADDR_IN>() };
            place.sin_family = AF_INET;
            place.sin_port = four.port().to_be();
            place.sin_addr.S_un.S_addr = u32::from_ne_bytes(four.ip().octets());
            size_of::<SOCKADDR_IN>()
        }
        SocketAddr::V6(six) => {
            // SAFETY: as above.
            let place = unsafe { &mut *(&raw mut storage).cast::<SOCKADDR_IN6>() };
            place.sin6_family = AF_INET6;
            place.sin6_port = six.port().to_be();
            place.sin6_addr.u.Byte = six.ip().octets();
            size_of::<SOCKADDR_IN6>()
        }
    };
    (storage, length as i32)
}

/// Reads an address that Winsock wrote.
fn cooked(storage: *const SOCKADDR_STORAGE) -> SocketAddr {
    // SAFETY: callers pass a storage that Winsock filled; the fields read are
    // those of its family.
    unsafe {
        if (*storage).ss_family == AF_INET6 {
            let six = &*storage.cast::<SOCKADDR_IN6>();
            SocketAddrV6::new(
                six.sin6_addr.u.Byte.into(),
                u16::from_be(six.sin6_port),
                0,
                0,
            )
            .into()
        } else {
            let four = &*storage.cast::<SOCKADDR_IN>();
            let ip = four.sin_addr.S_un.S_addr.to_ne_bytes();
            SocketAddrV4::new(ip.into(), u16::from_be(four.sin_port)).into()
        }
    }
}

impl Socket {
    fn new(six: bool, kind: i32) -> Result<Self> {
        static STARTED: Once = Once::new();
        STARTED.call_once(|| {
            // SAFETY: the structure is written whole; it is not needed again.
            unsafe { WSAStartup(0x202, &raw mut *Box::<WSADATA>::new(zeroed())) };
        });
        let family = if six { AF_INET6 } else { AF_INET };
        // SAFETY: no pointers but null are passed.
        let socket = unsafe { WSASocketW(family.into(), kind, 0, null(), 0, WSA_FLAG_OVERLAPPED) };
        if socket == INVALID_SOCKET {
            Err(failed())
        } else {
            Ok(Self(socket))
        }
    }

    /// An unbound socket of TCP.
    pub fn stream(six: bool) -> Result<Self> {
        Self::new(six, SOCK_STREAM)
    }

    /// An unbound socket of UDP over IPv4.
    pub fn datagrams() -> Result<Self> {
        Self::new(false, SOCK_DGRAM)
    }

    pub fn handle(&self) -> HANDLE {
        without_provenance_mut(self.0)
    }

    pub fn bind(&self, to: &str) -> Result<()> {
        let (storage, length) = raw(to.parse().expect("an address"));
        // SAFETY: the address is a local.
        check(unsafe { bind(self.0, (&raw const storage).cast(), length) })
    }

    pub fn connect(&self, to: &str) -> Result<()> {
        let (storage, length) = raw(to.parse().expect("an address"));
        // SAFETY: the address is a local.
        check(unsafe { connect(self.0, (&raw const storage).cast(), length) })
    }

    pub fn listen(&self) -> Result<()> {
        // SAFETY: passes no pointer.
        check(unsafe { listen(self.0, 16) })
    }

    pub fn accept(&self) -> Result<(Self, SocketAddr)> {
        // SAFETY: plain data, valid when zeroed.
        let mut storage: SOCKADDR_STORAGE = unsafe { zeroed() };
        let mut length = size_of::<SOCKADDR_STORAGE>() as i32;
        // SAFETY: the pointers are to locals.
        let socket = unsafe { accept(self.0, (&raw mut storage).cast(), &raw mut length) };
        if socket == INVALID_SOCKET {
            return Err(failed());
        }
        Ok((Self(socket), cooked(&raw const storage)))
    }

    fn ask(
        &self,
        call: unsafe extern "system" fn(SOCKET, *mut SOCKADDR, *mut i32) -> i32,
    ) -> Result<SocketAddr> {
        // SAFETY: plain data, valid when zeroed.
        let mut storage: SOCKADDR_STORAGE = unsafe { zeroed() };
        let mut length = size_of::<SOCKADDR_STORAGE>() as i32;
        // SAFETY: the pointers are to locals.
        check(unsafe { call(self.0, (&raw mut storage).cast(), &raw mut length) })?;
        Ok(cooked(&raw const storage))
    }

    pub fn name(&self) -> Result<SocketAddr> {
        self.ask(getsockname)
    }

    pub fn peer(&self) -> Result<SocketAddr> {
        self.ask(getpeername)
    }

    pub fn set_nonblocking(&self) -> Result<()> {
        let mut on = 1;
        // SAFETY: the pointer is to a local.
        check(unsafe { ioctlsocket(self.0, FIONBIO, &raw mut on) })
    }

    pub fn set_six_only(&self, on: bool) -> Result<()> {
        self.set(IPPROTO_IPV6, IPV6_V6ONLY, &i32::from(on).to_ne_bytes())
    }

    pub fn six_only(&self) -> Result<bool> {
        let (mut value, mut length) = ([0_u8; 4], 4);
        // SAFETY: the pointers are to locals of the given size.
        check(unsafe {
            getsockopt(
                self.0,
                IPPROTO_IPV6,
                IPV6_V6ONLY,
                value.as_mut_ptr(),
                &raw mut length,
            )
        })?;
        Ok(value[0] != 0)
    }

    fn set(&self, level: i32, option: i32, value: &[u8]) -> Result<()> {
        // SAFETY: the pointer and length are of a slice.
        check(unsafe { setsockopt(self.0, level, option, value.as_ptr(), value.len() as i32) })
    }

    pub fn update_accept(&self, listener: &Self) -> Result<()> {
        let handle = listener.0.to_ne_bytes();
        self.set(SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, &handle)
    }

    pub fn update_connect(&self) -> Result<()> {
        self.set(SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, &[])
    }

    pub fn send_to(&self, text: &[u8], to: SocketAddr) -> Result<()> {
        let (storage, length) = raw(to);
        let (data, size) = (text.as_ptr(), text.len() as i32);
        // SAFETY: the pointers are to a slice and a local.
        check(unsafe { sendto(self.0, data, size, 0, (&raw const storage).cast(), length) })
    }

    /// `AcceptEx` with room for data.
    pub fn accept_ex(&self, socket: &Self, pending: &mut Pending) -> Result<()> {
        let buffer = pending.room.buffer.as_mut_ptr().cast();
        let overlapped = &raw mut pending.room.overlapped;
        let mut received = 0;
        // SAFETY: the buffer has room for data and two addresses, and lives
        // until the wait is over.
        let done = unsafe {
            AcceptEx(
                self.0,
                socket.0,
                buffer,
                DATA as u32,
                NAME as u32,
                NAME as u32,
                &raw mut received,
                overlapped,
            )
        };
        begun(done != 0)
    }

    /// `ConnectEx` with data.
    pub fn connect_ex(&self, to: &str, text: &[u8], pending: &mut Pending) -> Result<()> {
        let (storage, length) = raw(to.parse().expect("an address"));
        let call = self.connect_ex_pointer()?.expect("ConnectEx");
        let overlapped = &raw mut pending.room.overlapped;
        // SAFETY: Winsock copies address and data, and the overlapped lives
        // until the wait is over.
        let done = unsafe {
            call(
                self.0,
                (&raw const storage).cast(),
                length,
                text.as_ptr().cast(),
                text.len() as u32,
                null_mut(),
                overlapped,
            )
        };
        begun(done != 0)
    }

    fn connect_ex_pointer(&self) -> Result<LPFN_CONNECTEX> {
        let (id, mut call, mut size) = (WSAID_CONNECTEX, None, 0);
        // SAFETY: the pointers are to locals of the given sizes.
        check(unsafe {
            WSAIoctl(
                self.0,
                SIO_GET_EXTENSION_FUNCTION_POINTER,
                (&raw const id).cast(),
                size_of_val(&id) as u32,
                (&raw mut call).cast(),
                size_of::<LPFN_CONNECTEX>() as u32,
                &raw mut size,
                null_mut(),
                None,
            )
        })?;
        Ok(call)
    }

    /// An overlapped `WSARecvFrom`.
    pub fn receive_from(&self, pending: &mut Pending) -> Result<()> {
        let room = &mut *pending.room;
        room.data = WSABUF {
            len: DATA as u32,
            buf: room.buffer.as_mut_ptr(),
        };
        // SAFETY: everything pointed to lives until the wait is over.
        let outcome = unsafe {
            WSARecvFrom(
                self.0,
                &raw const room.data,
                1,
                null_mut(),
                &raw mut room.flags,
                (&raw mut room.from).cast(),
                &raw mut room.from_length,
                &raw mut room.overlapped,
                None,
            )
        };
        begun(outcome == 0)
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        // SAFETY: the pointer and length are of a slice.
        let length = unsafe { recv(self.0, buffer.as_mut_ptr(), buffer.len() as i32, 0) };
        check(length)?;
        Ok(length as usize)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // SAFETY: this value owns the socket.
        unsafe { closesocket(self.0) };
    }
}

/// Whether an overlapped call is under way.
fn begun(done: bool) -> Result<()> {
    // SAFETY: reads the calling thread's last error.
    if done || unsafe { WSAGetLastError() } == WSA_IO_PENDING {
        Ok(())
    } else {
        Err(failed())
    }
}

const DATA: usize = 64;
const NAME: usize = size_of::<SOCKADDR_STORAGE>() + 16;

struct Room {
    overlapped: OVERLAPPED,
    buffer: [u8; DATA + 2 * NAME],
    data: WSABUF,
    flags: u32,
    from: SOCKADDR_STORAGE,
    from_length: i32,
}

/// An overlapped call and all that it writes.
pub struct Pending {
    room: Box<Room>,
}

impl Pending {
    pub fn new() -> Result<Self> {
        // SAFETY: plain data, valid when zeroed.
        let mut room: Box<Room> = Box::new(unsafe { zeroed() });
        room.from_length = size_of::<SOCKADDR_STORAGE>() as i32;
        // SAFETY: no pointers but null are passed.
        room.overlapped.hEvent = unsafe { CreateEventW(null(), 1, 0, null()) };
        Ok(Self { room })
    }

    /// Waits for the end; the bytes moved.
    pub fn wait(&mut self, socket: &Socket) -> Result<usize> {
        let (mut moved, mut flags) = (0, 0);
        let overlapped = &raw const self.room.overlapped;
        // SAFETY: the overlapped is the one of the call under way.
        let done = unsafe {
            WSAGetOverlappedResult(socket.0, overlapped, &raw mut moved, 1, &raw mut flags)
        };
        if done == 0 {
            return Err(failed());
        }
        Ok(moved as usize)
    }

    pub fn buffer(&self) -> &[u8] {
        &self.room.buffer
    }

    /// The sender of what was received.
    pub fn from(&self) -> SocketAddr {
        cooked(&raw const self.room.from)
    }

    /// The local and the peer's address that `AcceptEx` wrote.
    pub fn accepted_names(&self) -> (std::net::IpAddr, std::net::IpAddr) {
        let (mut local, mut peer) = (null_mut(), null_mut());
        let (mut local_length, mut peer_length) = (0, 0);
        // SAFETY: the buffer is the one that AcceptEx filled, with these sizes.
        unsafe {
            AcceptExSockaddrs(
                self.room.buffer.as_ptr().cast(),
                DATA as u32,
                NAME as u32,
                NAME as u32,
                &raw mut local,
                &raw mut local_length,
                &raw mut peer,
                &raw mut peer_length,
            );
        }
        (cooked(local.cast()).ip(), cooked(peer.cast()).ip())
    }
}

/// Whether `select` finds the socket readable within the time in ms.
pub fn select_readable(socket: &Socket, time: i32) -> Result<bool> {
    // SAFETY: plain data, valid when zeroed.
    let mut set: FD_SET = unsafe { zeroed() };
    set.fd_count = 1;
    set.fd_array[0] = socket.0;
    let time = TIMEVAL {
        tv_sec: time / 1000,
        tv_usec: time % 1000 * 1000,
    };
    // SAFETY: the pointers are to locals.
    let count = unsafe { select(0, &raw mut set, null_mut(), null_mut(), &raw const time) };
    check(count)?;
    Ok(count == 1)
}

/// Whether `WSAPoll` finds the socket readable within the time in ms.
pub fn poll_readable(socket: &Socket, time: i32) -> Result<bool> {
    let mut poll = WSAPOLLFD {
        fd: socket.0,
        events: POLLRDNORM,
        revents: 0,
    };
    // SAFETY: the pointer is to a local.
    let count = unsafe { WSAPoll(&raw mut poll, 1, time) };
    check(count)?;
    Ok(poll.revents & POLLRDNORM != 0)
}
