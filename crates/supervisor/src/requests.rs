//! The request pipe: what members ask of the supervisor.
//!
//! Everything here is hostile input. A connection counts only if the kernel says that its client is a
//! member of the job; messages have a bounded length; a connection that breaks the rules is closed.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use pinion_wire::message::{MESSAGE, Reply, Request, decode, encode};

use crate::cap::Cap;
use crate::error::Result;
use crate::keeper::Keeper;
use crate::log::guest_line;
use crate::page::request_pipe;
use crate::pipe::{Connection, Listener};

/// The most connections served at one time; a member keeps one as long as it lives.
const MOST: usize = 2048;
/// How many instances wait for clients: members do not try again when they find none.
const LISTENING: u32 = 4;
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

/// Serves the request pipe from now on.
pub(crate) fn serve(keeper: &Arc<Keeper>) -> Result<()> {
    let listener = Arc::new(Listener::bind(&request_pipe(keeper.vm().id()))?);
    let cap = Cap::new(MOST);
    for _ in 0..LISTENING {
        let (keeper, listener, cap) = (Arc::clone(keeper), Arc::clone(&listener), cap.clone());
        thread::spawn(move || listen(&keeper, &listener, &cap));
    }
    Ok(())
}

fn listen(keeper: &Arc<Keeper>, listener: &Listener, cap: &Cap) {
    loop {
        match listener.accept() {
            Ok(connection) => accept(keeper, cap, connection),
            Err(error) => {
                tracing::warn!(%error, "a member could not connect");
                thread::sleep(PAUSE);
            }
        }
    }
}

fn accept(keeper: &Arc<Keeper>, cap: &Cap, connection: Connection) {
    let Some(place) = cap.enter() else {
        tracing::warn!("too many connections from inside; one was closed");
        return;
    };
    let keeper = Arc::clone(keeper);
    let spawned = thread::Builder::new()
        .stack_size(256 * 1024)
        .spawn(move || {
            let _place = place;
            match connection.client_pid() {
                Ok(pid) if keeper.job().contains_pid(pid) => {
                    serve_member(&keeper, pid, &connection)
                }
                Ok(pid) => tracing::warn!(pid, "a process outside the VM used its request pipe"),
                Err(error) => tracing::warn!(%error, "a client of the request pipe is unknown"),
            }
        });
    if let Err(error) = spawned {
        tracing::warn!(%error, "no thread for a connection from inside");
    }
}

fn serve_member(keeper: &Keeper, pid: u32, connection: &Connection) {
    let caller = Caller { pid, connection };
    let (mut question, mut answer) = (vec![0; MESSAGE], vec![0; MESSAGE]);
    // Any end of the connection is the member's right, and its process's end.
    while let Ok(message) = read_message(&mut connection.file(), &mut question) {
        let Some(reply) = respond(keeper, &caller, message, &mut answer) else {
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
        Some(Request::Service(request)) => keeper
            .services()
            .and_then(|services| services.answer(caller, request, answer)),
        None => encode(&Reply::Malformed, answer),
    }
}

/// The text in UTF-16 little-endian bytes, whatever they are.
fn text(bytes: &[u8]) -> String {
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    String::from_utf16_lossy(&units)
}

/// One message: its length as `u32`, little endian, and its bytes.
fn read_message<'b>(from: &mut impl Read, buffer: &'b mut [u8]) -> io::Result<&'b [u8]> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length) as usize;
    let message = buffer
        .get_mut(..length)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a message is too long"))?;
    from.read_exact(message)?;
    Ok(message)
}

/// Writes length and bytes in one piece.
fn write_message(to: &mut impl Write, message: &[u8]) -> io::Result<()> {
    let length = u32::try_from(message.len()).map_err(io::Error::other)?;
    to.write_all(&[&length.to_le_bytes(), message].concat())
}
