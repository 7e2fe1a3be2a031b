//! The request pipe: what members ask of the supervisor.
//!
//! Everything here is hostile input. A connection counts only if the kernel says that its client is a
//! member of the job; messages have a bounded length; a connection that breaks the rules is closed.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use pinion_wire::message::{MESSAGE, Reply, Request, Transport, decode, encode};

use crate::cap::Cap;
use crate::error::Result;
use crate::keeper::Keeper;
use crate::log::guest_line;
use crate::page::request_pipe;
use crate::pipe::{Connection, Listener};
use crate::policy;
use crate::sockets;

/// The most connections served at one time; a member keeps one as long as it lives.
const MOST: usize = 2048;
/// Bytes of a message's length.
const HEAD: usize = 4;
/// How many instances wait for clients at least: members do not try again when they find none.
const LISTENING: usize = 4;
/// How many wait at most, left over from busier times.
const SPARE: usize = 8;
/// After a failed accept: resources are short, and trying again at once would spin.
const PAUSE: Duration = Duration::from_millis(100);

/// Whose request is answered.
pub struct Caller<'a> {
    pid: u32,
    connection: &'a Connection,
}

impl Caller<'_> {
    /// The member's process id, from the kernel.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether the member still waits for the answer.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.connection.is_open()
    }
}

/// What the threads of the request pipe share.
struct Pool {
    keeper: Arc<Keeper>,
    listener: Listener,
    cap: Cap,
    /// How many threads wait for a client, or are about to.
    waiting: AtomicUsize,
}

/// Serves the request pipe from now on.
pub(crate) fn serve(keeper: &Arc<Keeper>) -> Result<()> {
    let pool = Arc::new(Pool {
        keeper: Arc::clone(keeper),
        listener: Listener::bind(&request_pipe(keeper.vm().id()))?,
        cap: Cap::new(MOST),
        waiting: AtomicUsize::new(0),
    });
    for _ in 0..LISTENING {
        pool.grow();
    }
    Ok(())
}

impl Pool {
    /// One more thread that waits for clients; whether there is one.
    fn grow(self: &Arc<Self>) -> bool {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let pool = Arc::clone(self);
        let spawned = thread::Builder::new()
            .stack_size(256 * 1024)
            .spawn(move || pool.work());
        if let Err(error) = &spawned {
            self.waiting.fetch_sub(1, Ordering::SeqCst);
            tracing::warn!(%error, "no thread for connections from inside");
        }
        spawned.is_ok()
    }

    /// Waits for clients and serves them, one after the other, as long as there are not too many
    /// threads that do so. A thread is dear on Wine, most connections are short, and so it is kept.
    fn work(self: &Arc<Self>) {
        let mut room = Room::new();
        loop {
            match self.listener.accept() {
                Ok(connection) => {
                    // Another waits in this thread's place meanwhile, or nobody is served.
                    let left = self.waiting.fetch_sub(1, Ordering::SeqCst) - 1;
                    if left >= LISTENING || self.grow() {
                        self.serve(&connection, &mut room);
                    }
                    drop(connection);
                    if self.waiting.fetch_add(1, Ordering::SeqCst) >= SPARE {
                        self.waiting.fetch_sub(1, Ordering::SeqCst);
                        return;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "a member could not connect");
                    thread::sleep(PAUSE);
                }
            }
        }
    }

    fn serve(&self, connection: &Connection, room: &mut Room) {
        let Some(_place) = self.cap.enter() else {
            tracing::warn!("too many connections from inside; one was closed");
            return;
        };
        match connection.client_pid() {
            Ok(pid) if self.keeper.job().contains_pid(pid) => {
                serve_member(&self.keeper, pid, connection, room)
            }
            Ok(pid) => tracing::warn!(pid, "a process outside the VM used its request pipe"),
            Err(error) => tracing::warn!(%error, "a client of the request pipe is unknown"),
        }
    }
}

/// Room for one question and its answer.
struct Room {
    question: Vec<u8>,
    answer: Vec<u8>,
}

impl Room {
    fn new() -> Self {
        Self {
            question: vec![0; HEAD + MESSAGE],
            answer: vec![0; MESSAGE],
        }
    }
}

fn serve_member(keeper: &Keeper, pid: u32, connection: &Connection, room: &mut Room) {
    let caller = Caller { pid, connection };
    // Any end of the connection is the member's right, and its process's end.
    while let Ok(message) = read_message(&mut connection.file(), &mut room.question) {
        let Some(reply) = respond(keeper, &caller, message, &mut room.answer) else {
            break;
        };
        if write_message(&mut connection.file(), reply).is_err() {
            break;
        }
    }
    if let Some(services) = keeper.services() {
        services.disconnected(pid);
    }
}

fn respond<'b>(
    keeper: &Keeper,
    caller: &Caller<'_>,
    message: &[u8],
    answer: &'b mut [u8],
) -> Option<&'b [u8]> {
    match decode::<Request<'_>>(message) {
        Some(Request::Refused { what, why, status }) => {
            guest_line(caller.pid, &text(what), why, status);
            encode(&Reply::Noted, answer)
        }
        Some(Request::Denied { rule, what, status }) => {
            let why = policy::refusal(keeper.policy(), rule);
            guest_line(caller.pid, &text(what), &why, status);
            encode(&Reply::Noted, answer)
        }
        Some(Request::Service(request)) => keeper
            .services()
            .and_then(|services| services.answer(caller, request, answer)),
        Some(Request::Device { name, target }) => {
            let status = keeper.define_device(&units(name), &units(target));
            encode(&Reply::Device { status }, answer)
        }
        Some(Request::Socket { port, transport }) => {
            let own = keeper.vm().record().address;
            let of_http = transport != Transport::Datagrams && keeper.served().has(port);
            let is_so =
                sockets::has(own, port, transport) || of_http && sockets::is_of_system(port);
            encode(&Reply::Answer { is_so }, answer)
        }
        Some(Request::Host { address }) => {
            let is_so = sockets::is_host(address.into());
            encode(&Reply::Answer { is_so }, answer)
        }
        Some(Request::Served { url }) => {
            keeper.served().note(keeper.policy(), &units(url));
            encode(&Reply::Noted, answer)
        }
        None => encode(&Reply::Malformed, answer),
    }
}

/// The text in UTF-16 little-endian bytes, whatever they are.
fn text(bytes: &[u8]) -> String {
    String::from_utf16_lossy(&units(bytes))
}

/// The units in UTF-16 little-endian bytes.
fn units(bytes: &[u8]) -> Vec<u16> {
    let pairs = bytes.chunks_exact(2);
    pairs
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect()
}

/// One message: its length as `u32`, little endian, and its bytes. As a rule one read brings all of it; who
/// sends more before the answer breaks the rules.
fn read_message<'b>(from: &mut impl Read, buffer: &'b mut [u8]) -> io::Result<&'b [u8]> {
    let broken = |why| io::Error::new(io::ErrorKind::InvalidData, why);
    let mut got = 0;
    loop {
        let room = buffer.get_mut(got..).filter(|room| !room.is_empty());
        let room = room.ok_or_else(|| broken("a message is too long"))?;
        match from.read(room)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            more => got += more,
        }
        let Some((head, body)) = buffer.get(..got).and_then(<[u8]>::split_first_chunk) else {
            continue;
        };
        let length = u32::from_le_bytes(*head) as usize;
        if length > MESSAGE || body.len() > length {
            return Err(broken("a message of another length than it tells"));
        }
        if body.len() == length {
            return Ok(buffer.get(HEAD..got).unwrap_or_default());
        }
    }
}

/// Writes length and bytes in one piece.
fn write_message(to: &mut impl Write, message: &[u8]) -> io::Result<()> {
    let length = u32::try_from(message.len()).map_err(io::Error::other)?;
    to.write_all(&[&length.to_le_bytes(), message].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pipe that gives its bytes in these pieces.
    struct Pieces<'a>(Vec<&'a [u8]>);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Ok(0);
            }
            let piece = self.0.remove(0);
            let (now, later) = piece.split_at(piece.len().min(buffer.len()));
            buffer[..now.len()].copy_from_slice(now);
            if !later.is_empty() {
                self.0.insert(0, later);
            }
            Ok(now.len())
        }
    }

    fn read(pieces: &[&[u8]]) -> std::result::Result<Vec<u8>, io::ErrorKind> {
        let mut room = Room::new();
        let message = read_message(&mut Pieces(pieces.to_vec()), &mut room.question);
        message.map(<[u8]>::to_vec).map_err(|error| error.kind())
    }

    #[test]
    fn a_message_comes_whole_in_any_pieces() {
        let whole = [3, 0, 0, 0, 7, 8, 9];
        assert_eq!(read(&[&whole]), Ok(vec![7, 8, 9]));
        for at in 1..whole.len() {
            let (first, second) = whole.split_at(at);
            assert_eq!(read(&[first, second]), Ok(vec![7, 8, 9]), "{at}");
        }
        assert_eq!(read(&[&[0; 4]]), Ok(vec![]));
        let longest = [&(MESSAGE as u32).to_le_bytes()[..], &[5; MESSAGE]].concat();
        assert_eq!(read(&[&longest]), Ok(vec![5; MESSAGE]));
    }

    #[test]
    fn what_breaks_the_rules_is_an_error() {
        assert_eq!(read(&[]), Err(io::ErrorKind::UnexpectedEof));
        assert_eq!(read(&[&[3, 0, 0, 0, 7]]), Err(io::ErrorKind::UnexpectedEof));
        let more = read(&[&[1, 0, 0, 0, 7, 1, 0, 0, 0, 7]]);
        assert_eq!(more, Err(io::ErrorKind::InvalidData), "before the answer");
        let endless = [0xff; 4 + MESSAGE];
        assert_eq!(read(&[&endless]), Err(io::ErrorKind::InvalidData));
    }
}
