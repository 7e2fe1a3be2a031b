//! Recording what the boundary decides, for who looks at the VM.
//!
//! [`crate::hooks`] begins a record before a call that has a name or a peer and ends it
//! behind it; between, whoever decides adds what it knows by a line. A record under way
//! is in one of a few places of this process, found by the thread's id: nothing is
//! allocated, no lock is taken, and what has no place is counted as lost. Off, all this
//! is one load of a word that the VM shares.

mod arguments;
mod ring;

pub(crate) use arguments::{Arguments, Word, is_named, is_told, part};
pub(crate) use pinion_wire::trace::call;

use crate::calls::{membership, query_object};
use crate::hooks::kept;
use crate::{guard, state};
use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::fmt;
use core::net::{IpAddr, SocketAddr};
use core::sync::atomic::{AtomicU64, Ordering};
use pinion_names::pipe::{self, Kind};
use pinion_nt::status::success;
use pinion_nt::{CLIENT_ID, HANDLE, IO_STATUS_BLOCK, NTSTATUS};
use pinion_wire::trace::{Name, Peer, Record, Verdict};

/// How many records can be under way at one time.
const PLACES: usize = 32;
/// How many places a thread's record may be in.
const PROBES: usize = 8;

/// Room for a record under way.
struct Place {
    /// The thread that has it; 0 when nobody has.
    thread: AtomicU64,
    /// Where the call puts the handle that it makes.
    handle: AtomicU64,
    record: UnsafeCell<Record>,
}

// SAFETY: the record is touched by the thread only that has the place.
unsafe impl Sync for Place {}

static UNDER_WAY: [Place; PLACES] = [const {
    Place {
        thread: AtomicU64::new(0),
        handle: AtomicU64::new(0),
        record: UnsafeCell::new(Record::EMPTY),
    }
}; PLACES];

/// Whether the supervisor wants records.
#[inline]
pub(crate) fn is_on() -> bool {
    state::tally().recording.load(Ordering::Relaxed) != 0
}

/// The processor's time stamp.
fn stamp() -> u64 {
    // SAFETY: every x86-64 processor has the instruction.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// The places that the record of a thread may be in, the first first.
fn places(thread: u64) -> impl Iterator<Item = &'static Place> {
    let first = thread as usize >> 2;
    (0..PROBES).filter_map(move |at| UNDER_WAY.get((first + at) % PLACES))
}

/// A record that is under way; or none.
pub(crate) struct Begun(Option<&'static Place>);

impl Begun {
    /// None.
    pub(crate) const NONE: Self = Self(None);
}

/// Begins a record of the call of this number; none when the call names nothing.
#[cold]
#[inline(never)]
pub(crate) fn begin(call: u32, arguments: &Arguments) -> Begun {
    let begin = stamp();
    if !arguments.is_told() {
        return Begun::NONE;
    }
    let thread = membership::own_thread();
    if places(thread).any(|place| place.thread.load(Ordering::Relaxed) == thread) {
        // The agent's own doing in a call of the program's.
        return Begun::NONE;
    }
    let Some(place) = take(thread) else {
        ring::lost();
        return Begun::NONE;
    };
    // SAFETY: the place is this thread's until it is given up.
    let record = unsafe { &mut *place.record.get() };
    place.handle.store(arguments.handle, Ordering::Relaxed);
    record.begin = begin;
    record.call = call;
    record.thread = thread as u32;
    record.access = arguments.access;
    record.rule = pinion_wire::trace::NO_RULE;
    record.verdict = Verdict::Unknown;
    record.peer = Peer::None;
    record.given.clear();
    let is_named = arguments.name(&mut record.asked);
    if arguments.id != 0 {
        record.peer = peer_of(call, arguments.id as *const CLIENT_ID);
    }
    if let Some(address) = arguments.address() {
        record.peer = peer_at(address);
    }
    if arguments.object != 0 && !is_named {
        name_of(arguments.object as HANDLE, &mut record.given);
    }
    let is_something = is_named || record.peer != Peer::None || !arguments.may_name;
    if !is_something && !is_process(call) {
        give_up(place);
        return Begun::NONE;
    }
    Begun(Some(place))
}

/// Whether the call makes a process, whose attributes seldom have a name.
fn is_process(number: u32) -> bool {
    number == const { call("NtCreateUserProcess") }
}

fn peer_at(address: SocketAddr) -> Peer {
    let ip = match address.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    Peer::Address(ip.octets(), address.port())
}

/// The kernel's own name of what is behind a handle. It is asked for where it is harmless: a
/// question for a disconnected pipe's end would end Wine's server.
fn name_of(object: HANDLE, to: &mut Name) {
    query_object::with_real_name(object, |name| {
        to.fill(name.len(), |room| {
            room.copy_from_slice(name.get(..room.len()).unwrap_or(&[]));
            true
        });
    });
}

fn peer_of(number: u32, id: *const CLIENT_ID) -> Peer {
    // SAFETY: plain data; a bad pointer is a return value.
    match unsafe { guard::read(id) } {
        Ok(id) if number == const { call("NtOpenThread") } => Peer::Thread(id.thread as u32),
        Ok(id) => Peer::Process(id.process as u32),
        Err(_) => Peer::None,
    }
}

/// Takes a place for this thread; `None` when all are taken.
fn take(thread: u64) -> Option<&'static Place> {
    places(thread).find(|place| {
        let order = Ordering::Acquire;
        let taken = place
            .thread
            .compare_exchange(0, thread, order, Ordering::Relaxed);
        taken.is_ok()
    })
}

fn give_up(place: &Place) {
    place.thread.store(0, Ordering::Release);
}

/// Ends a record: the program gets this status.
#[inline]
pub(crate) fn end(begun: Begun, status: NTSTATUS) {
    if let Some(place) = begun.0 {
        finish(place, status);
    }
}

#[cold]
#[inline(never)]
fn finish(place: &Place, status: NTSTATUS) {
    let end = stamp();
    let server = server(place, status);
    // SAFETY: the place is this thread's until it is given up.
    let record = unsafe { &mut *place.record.get() };
    record.duration = end.wrapping_sub(record.begin);
    record.status = status;
    if record.verdict == Verdict::Unknown {
        record.verdict = of_name(record);
    }
    if let Some(server) = server {
        record.peer = Peer::Process(server);
    }
    ring::put(record);
    give_up(place);
}

/// The process that serves the pipe that the call has opened, if it has opened one.
fn server(place: &Place, status: NTSTATUS) -> Option<u32> {
    let is_of_pipe = {
        // SAFETY: the place is this thread's until it is given up.
        let record = unsafe { &*place.record.get() };
        success(status) && is_open(record.call) && is_pipe(record.given.units())
    };
    let handle = place.handle.load(Ordering::Relaxed) as *const HANDLE;
    if !is_of_pipe || handle.is_null() {
        return None;
    }
    // SAFETY: plain data; a bad pointer is a return value.
    unsafe { guard::read(handle) }.ok().and_then(server_of)
}

const fn is_open(number: u32) -> bool {
    const FILES: [u32; 2] = [call("NtOpenFile"), call("NtCreateFile")];
    number == FILES[0] || number == FILES[1]
}

fn is_pipe(name: &[u16]) -> bool {
    pipe::classify(name, &[]).is_some_and(|found| found.kind == Kind::Pipe)
}

/// The process that serves a pipe, of which this is a client's end.
fn server_of(pipe: HANDLE) -> Option<u32> {
    /// `FSCTL_PIPE_GET_CONNECTION_ATTRIBUTE` (ntifs.h; Wine's winioctl.h).
    const ATTRIBUTE: u32 = 0x0011_0030;
    const SERVER: &[u8] = b"ServerProcessId\0";
    let mut io = IO_STATUS_BLOCK::default();
    let mut process = 0_u32;
    let none = core::ptr::null_mut();
    // SAFETY: the pointers are to locals, and what is asked is answered at once.
    let status = unsafe {
        kept::NtFsControlFile(
            pipe,
            none,
            none,
            none,
            &raw mut io,
            ATTRIBUTE,
            SERVER.as_ptr().cast(),
            SERVER.len() as u32,
            (&raw mut process).cast(),
            size_of::<u32>() as u32,
        )
    };
    (status == 0 && process != 0).then_some(process)
}

/// What the name that the kernel got tells of the decision.
fn of_name(record: &Record) -> Verdict {
    let name = record.given.units();
    if name.is_empty() {
        return match record.peer {
            Peer::None if !record.asked.units().is_empty() => Verdict::Answered,
            Peer::None => Verdict::Unknown,
            _ if state::watches() => Verdict::Host,
            _ => Verdict::Unknown,
        };
    }
    if let Peer::Address(..) = record.peer {
        return Verdict::Host;
    }
    if name.first() != Some(&u16::from(b'\\')) {
        return Verdict::Relative;
    }
    let page = state::page();
    let is_below = |place: &[u16]| !place.is_empty() && name.starts_with(place);
    if is_below(page.store_files.as_units())
        || is_below(page.unix_store.as_units())
        || is_below(page.store_keys.as_units())
    {
        return Verdict::Layer;
    }
    let prefix = page.pipe_prefix.as_units();
    let is_pipe = || {
        name.windows(prefix.len())
            .take(40)
            .any(|units| units == prefix)
    };
    if is_below(page.object_directory.as_units()) || is_pipe() {
        return Verdict::Private;
    }
    Verdict::Host
}

/// Runs `work` with this thread's record; nothing when there is none.
#[cold]
#[inline(never)]
fn with(work: impl FnOnce(&mut Record)) {
    let thread = membership::own_thread();
    let place = places(thread).find(|place| place.thread.load(Ordering::Relaxed) == thread);
    if let Some(place) = place {
        // SAFETY: the place is this thread's.
        work(unsafe { &mut *place.record.get() });
    }
}

/// Notes what was decided of the call under way.
#[inline]
pub(crate) fn verdict(verdict: Verdict) {
    if is_on() {
        with(|record| record.verdict = verdict);
    }
}

/// Notes what a rule of the policy decided.
#[inline]
pub(crate) fn rule(number: usize, verdict: Verdict) {
    if is_on() {
        with(|record| (record.rule, record.verdict) = (number as u32, verdict));
    }
}

/// Notes the process that was made.
#[inline]
pub(crate) fn made(process: HANDLE) {
    if is_on() {
        let id = membership::id_of(process).unwrap_or(0);
        with(|record| (record.peer, record.verdict) = (Peer::Process(id as u32), Verdict::Member));
    }
}

/// Notes the name in the string at `at` as the one that was asked for.
#[inline]
pub(crate) fn asked(at: *const c_void) {
    if is_on() {
        with(|record| {
            arguments::string(&mut record.asked, at.cast());
        });
    }
}

/// Notes the name that a call as it was is given.
#[cold]
#[inline(never)]
pub(crate) fn given(number: u32, arguments: &Arguments) {
    with(|record| {
        // Who was refused is told of to the supervisor by a name, too; and the layers are
        // asked by other calls than the program's.
        if record.verdict == Verdict::Refused
            || !is_like(record.call, number)
            || !arguments.is_told()
        {
            return;
        }
        match arguments.address() {
            Some(address) => text(&mut record.given, format_args!("{address}")),
            None if arguments.is_of_name() => {
                arguments.name(&mut record.given);
            }
            None => {}
        }
    });
}

/// Makes a text a name, as far as there is room.
fn text(name: &mut Name, text: fmt::Arguments<'_>) {
    struct Units([u16; 80], usize);
    impl fmt::Write for Units {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            for unit in text.encode_utf16() {
                *self.0.get_mut(self.1).ok_or(fmt::Error)? = unit;
                self.1 += 1;
            }
            Ok(())
        }
    }
    let mut units = Units([0; 80], 0);
    let _ = fmt::write(&mut units, text);
    let units = units.0.get(..units.1).unwrap_or(&[]);
    name.fill(units.len(), |room| {
        room.copy_from_slice(units.get(..room.len()).unwrap_or(&[]));
        true
    });
}

/// Whether a call is carried out by the other.
fn is_like(number: u32, by: u32) -> bool {
    const FILES: [u32; 2] = [call("NtOpenFile"), call("NtCreateFile")];
    const KEYS: [u32; 7] = [
        call("NtCreateKey"),
        call("NtOpenKey"),
        call("NtOpenKeyEx"),
        call("NtOpenKeyTransacted"),
        call("NtOpenKeyTransactedEx"),
        call("NtCreateKeyTransacted"),
        call("NtLoadKeyEx"),
    ];
    let both = |calls: &[u32]| calls.contains(&number) && calls.contains(&by);
    number == by || both(&FILES) || both(&KEYS)
}

/// Records a call that was refused for the process or thread of a handle.
#[cold]
#[inline(never)]
pub(crate) fn refused(number: u32, status: NTSTATUS) {
    alone(number, status, Verdict::Refused, Peer::None);
}

/// Records a call of which nothing is under way.
#[cold]
#[inline(never)]
pub(crate) fn alone(number: u32, status: NTSTATUS, verdict: Verdict, peer: Peer) {
    about(number, status, verdict, peer, &[]);
}

/// Records a call by which something of this name was asked for, and of which nothing is
/// under way. `name` has fewer units than a record has room for, or is cut off.
#[cold]
#[inline(never)]
pub(crate) fn about(number: u32, status: NTSTATUS, verdict: Verdict, peer: Peer, name: &[u16]) {
    if !is_on() {
        return;
    }
    let begun = begin(number, &Arguments::default());
    if let Some(place) = begun.0 {
        // SAFETY: the place is this thread's until it is given up.
        let record = unsafe { &mut *place.record.get() };
        (record.verdict, record.peer) = (verdict, peer);
        record.asked.fill(name.len(), |room| {
            room.copy_from_slice(name.get(..room.len()).unwrap_or(&[]));
            true
        });
    }
    end(begun, status);
}

/// What is told of a function of the HTTP Server API.
pub(crate) struct Http<'a> {
    /// The URL or the queue's name as the program gave it.
    asked: &'a [u16],
    /// What http.sys was given.
    given: &'a [u16],
    /// The rule that decided, or `NO_RULE`.
    rule: u32,
    verdict: Verdict,
}

impl<'a> Http<'a> {
    /// What is told.
    pub(crate) fn new(asked: &'a [u16], given: &'a [u16], rule: u32, verdict: Verdict) -> Self {
        Self {
            asked,
            given,
            rule,
            verdict,
        }
    }
}

/// Records a function of the HTTP Server API. Names that are longer than a record has
/// room for are cut off.
#[cold]
#[inline(never)]
pub(crate) fn http(number: u32, status: NTSTATUS, told: Http<'_>) {
    let begun = begin(number, &Arguments::default());
    if let Some(place) = begun.0 {
        // SAFETY: the place is this thread's until it is given up.
        let record = unsafe { &mut *place.record.get() };
        (record.verdict, record.rule) = (told.verdict, told.rule);
        for (name, units) in [
            (&mut record.asked, told.asked),
            (&mut record.given, told.given),
        ] {
            name.fill(units.len(), |room| {
                room.copy_from_slice(units.get(..room.len()).unwrap_or(&[]));
                true
            });
        }
    }
    end(begun, status);
}

/// Records a call of win32u that names a window or a thread of another process.
#[cold]
#[inline(never)]
pub(crate) fn of_window(call_name: &str, window: u64, verdict: Verdict, owner: u32) {
    const STATUS_INVALID_HANDLE: NTSTATUS = 0xC000_0008_u32 as i32;
    if !is_on() {
        return;
    }
    let status = if verdict == Verdict::Absent {
        STATUS_INVALID_HANDLE
    } else {
        0
    };
    let peer = if owner == 0 {
        Peer::None
    } else {
        Peer::Process(owner)
    };
    let mut name = Name::EMPTY;
    text(&mut name, format_args!("{window:#x}"));
    about(call(call_name), status, verdict, peer, name.units());
}

/// Records a call of win32u that is refused whatever its arguments.
#[cold]
#[inline(never)]
pub(crate) fn of_call(name: &str) {
    const STATUS_ACCESS_DENIED: NTSTATUS = pinion_nt::status::STATUS_ACCESS_DENIED;
    refused(call(name), STATUS_ACCESS_DENIED);
}

/// Whether a call is followed into what it makes, even where nothing is confined.
pub(crate) const fn is_followed(name: &str) -> bool {
    arguments::same(name, "NtCreateUserProcess")
}
