//! Asking the VM's supervisor over its request pipe. Not for hot paths.

use crate::hooks::kept;
use crate::state;
use core::ffi::c_void;
use core::net::Ipv6Addr;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};
use pinion_nt::calls::{
    NtClose, NtDelayExecution, NtReadFile, NtSetInformationObject, NtWriteFile,
};
use pinion_nt::status::{STATUS_PIPE_NOT_AVAILABLE, success};
use pinion_nt::{HANDLE, IO_STATUS_BLOCK, object_attributes, unicode_string};
use pinion_wire::message::{self, MESSAGE, Reply, Request, Transport};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK_0;

/// How often is tried when other members take all that listens: about a second.
const TRIES: u32 = 100;
/// The pause between, 10 ms in 100 ns.
static PAUSE: i64 = -100_000;

/// From how many questions on a process keeps its connection for the next one.
/// Most ask once or twice, and each connection is a thread of the supervisor's.
const OFTEN: u32 = 16;

/// How many questions were answered.
static ANSWERED: AtomicU32 = AtomicU32::new(0);

/// The connection that waits for the next question; null while it is in use.
static KEPT: AtomicPtr<c_void> = AtomicPtr::new(core::ptr::null_mut());

/// One open connection to the supervisor.
pub(crate) struct Connection {
    handle: HANDLE,
    /// Whether it was kept, and so is protected from being closed by the program:
    /// another object's handle in its place would get questions.
    is_kept: bool,
}

impl Connection {
    /// The connection that was kept, if there is one and no thread uses it.
    pub(crate) fn kept() -> Option<Self> {
        let handle = KEPT.swap(core::ptr::null_mut(), Ordering::AcqRel);
        (!handle.is_null()).then_some(Self {
            handle,
            is_kept: true,
        })
    }

    /// Keeps it for the next question, where that is worth it. Its last one must
    /// have been answered.
    pub(crate) fn keep(mut self) {
        let often = ANSWERED.fetch_add(1, Ordering::Relaxed) >= OFTEN;
        if !often || !(self.is_kept || self.protect(true)) {
            return;
        }
        self.is_kept = true;
        let none = core::ptr::null_mut();
        let order = Ordering::AcqRel;
        if KEPT
            .compare_exchange(none, self.handle, order, Ordering::Relaxed)
            .is_ok()
        {
            core::mem::forget(self);
        }
    }

    /// Forbids or allows that the handle is closed; whether that was done.
    fn protect(&self, is_protected: bool) -> bool {
        /// `ObjectHandleFlagInformation` (phnt, ntobapi.h): inherit, protect from close.
        const HANDLE_FLAGS: u32 = 4;
        let flags = [0_u8, u8::from(is_protected)];
        // SAFETY: the class takes two bytes, which are a local; the handle is this value's own.
        let status =
            unsafe { NtSetInformationObject(self.handle, HANDLE_FLAGS, flags.as_ptr().cast(), 2) };
        success(status)
    }

    /// Connects; `None` when the supervisor is gone or overloaded.
    pub(crate) fn open() -> Option<Self> {
        const ACCESS: u32 = 0xC010_0000;
        const SHARE_ALL: u32 = 7;
        const OPEN: u32 = 1;
        const SYNCHRONOUS: u32 = 0x20;
        let name = unicode_string(state::page().request_pipe.as_units())?;
        let attributes = object_attributes(core::ptr::null_mut(), &raw const name, 0x40);
        let mut handle: HANDLE = core::ptr::null_mut();
        let mut io = block();
        // SAFETY: all pointers are to locals; GENERIC_READ | GENERIC_WRITE |
        // SYNCHRONIZE on an existing pipe.
        let mut open = || unsafe {
            kept::NtCreateFile(
                &raw mut handle,
                ACCESS,
                &raw const attributes,
                &raw mut io,
                core::ptr::null(),
                0,
                SHARE_ALL,
                OPEN,
                SYNCHRONOUS,
                core::ptr::null(),
                0,
            )
        };
        let mut status = open();
        for _ in 0..TRIES {
            if status == STATUS_PIPE_NOT_AVAILABLE {
                // SAFETY: the time is a constant.
                unsafe { NtDelayExecution(0, &raw const PAUSE) };
                status = open();
            }
        }
        success(status).then_some(Self {
            handle,
            is_kept: false,
        })
    }

    /// Sends `request`; `None` when it is too long or the supervisor is gone.
    /// `buffer` is room to encode in.
    pub(crate) fn send(&self, request: &Request<'_>, buffer: &mut [u8]) -> Option<()> {
        let (head, body) = buffer.split_at_mut_checked(4)?;
        let size = message::encode(request, body)?.len();
        head.copy_from_slice(&u32::try_from(size).ok()?.to_le_bytes());
        self.write(buffer.get(..4 + size)?)
    }

    /// Receives one reply into `buffer`, which has room for its length too, waiting
    /// for it. As a rule one read brings all of it.
    pub(crate) fn receive<'b>(&self, buffer: &'b mut [u8]) -> Option<Reply<'b>> {
        const HEAD: usize = 4;
        let mut got = 0;
        let whole = loop {
            got += self.read(buffer.get_mut(got..)?)?;
            if let Some(head) = buffer.get(..got)?.first_chunk::<HEAD>() {
                let whole = HEAD + usize::try_from(u32::from_le_bytes(*head)).ok()?;
                if whole > HEAD + MESSAGE || got > whole {
                    return None;
                }
                if got == whole {
                    break whole;
                }
            }
        };
        message::decode(buffer.get(HEAD..whole)?)
    }

    fn write(&self, bytes: &[u8]) -> Option<()> {
        let mut io = block();
        // SAFETY: the pipe is opened for synchronous use; the slice is live.
        let status = unsafe {
            NtWriteFile(
                self.handle,
                core::ptr::null_mut(),
                core::ptr::null(),
                core::ptr::null(),
                &raw mut io,
                bytes.as_ptr().cast(),
                u32::try_from(bytes.len()).ok()?,
                core::ptr::null(),
                core::ptr::null(),
            )
        };
        success(status).then_some(())
    }

    /// Reads at least one byte; how many.
    fn read(&self, bytes: &mut [u8]) -> Option<usize> {
        let mut io = block();
        // SAFETY: the pipe is opened for synchronous use; the slice is live.
        let status = unsafe {
            NtReadFile(
                self.handle,
                core::ptr::null_mut(),
                core::ptr::null(),
                core::ptr::null(),
                &raw mut io,
                bytes.as_mut_ptr().cast::<c_void>(),
                u32::try_from(bytes.len()).ok()?,
                core::ptr::null(),
                core::ptr::null(),
            )
        };
        (success(status) && io.Information != 0).then_some(io.Information)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.is_kept {
            self.protect(false);
        }
        // SAFETY: the handle is this value's own.
        unsafe { NtClose(self.handle) };
    }
}

fn block() -> IO_STATUS_BLOCK {
    IO_STATUS_BLOCK {
        Anonymous: IO_STATUS_BLOCK_0 { Status: 0 },
        Information: 0,
    }
}

/// Tells the supervisor's log that `what` was refused. Best effort.
pub(crate) fn refused(what: &[u16], why: &str, status: i32) {
    let mut room = [0_u8; 512];
    let what = beginning(what, &mut room);
    tell(&Request::Refused { what, why, status });
}

/// Tells it that the policy's rule of this number has refused `what`. Best effort.
pub(crate) fn denied(rule: usize, what: &[u16], status: i32) {
    let mut room = [0_u8; 512];
    let what = beginning(what, &mut room);
    let rule = u32::try_from(rule).unwrap_or(u32::MAX);
    tell(&Request::Denied { rule, what, status });
}

/// Tells it that http.sys serves this URL of the VM's. Best effort: where it does not arrive, members
/// do not reach the URL.
pub(crate) fn served(url: &[u16]) {
    let mut room = [0_u8; 512];
    let url = beginning(url, &mut room);
    tell(&Request::Served { url });
}

/// Whether a program of the VM has a socket at `port` of the VM's own address;
/// `false` when the supervisor does not answer.
pub(crate) fn has_socket(port: u16, transport: Transport) -> bool {
    answer(&Request::Socket { port, transport }) == Some(true)
}

/// Whether `ip` is an address of this machine; `true` when the supervisor does
/// not answer.
pub(crate) fn is_host(ip: Ipv6Addr) -> bool {
    let address = ip.octets();
    answer(&Request::Host { address }) != Some(false)
}

/// The answer to a question for yes or no.
fn answer(question: &Request<'_>) -> Option<bool> {
    let mut buffer = [0_u8; 64];
    let connection = Connection::open()?;
    connection.send(question, &mut buffer)?;
    match connection.receive(&mut buffer)? {
        Reply::Answer { is_so } => Some(is_so),
        _ => None,
    }
}

/// As much of `name` as `room` takes, in bytes.
fn beginning<'b>(name: &[u16], room: &'b mut [u8; 512]) -> &'b [u8] {
    let mut size = 0;
    for (place, unit) in room.chunks_exact_mut(2).zip(name) {
        place.copy_from_slice(&unit.to_le_bytes());
        size += 2;
    }
    room.get(..size).unwrap_or(&[])
}

fn tell(request: &Request<'_>) {
    let mut buffer = [0_u8; 1024];
    if let Some(connection) = Connection::open()
        && connection.send(request, &mut buffer).is_some()
    {
        let _ = connection.receive(&mut buffer);
    }
}
