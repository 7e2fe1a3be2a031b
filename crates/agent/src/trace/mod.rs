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

use crate::calls::membership;
use crate::{guard, state};
use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::sync::atomic::{AtomicU64, Ordering};
use pinion_nt::{CLIENT_ID, HANDLE, NTSTATUS};
use pinion_wire::trace::{Peer, Record, Verdict};

/// How many records can be under way at one time.
const PLACES: usize = 32;
/// How many places a thread's record may be in.
const PROBES: usize = 8;

/// Room for a record under way.
struct Place {
    /// The thread that has it; 0 when nobody has.
    thread: AtomicU64,
    record: UnsafeCell<Record>,
}

// SAFETY: the record is touched by the thread only that has the place.
unsafe impl Sync for Place {}

static UNDER_WAY: [Place; PLACES] = [const {
    Place {
        thread: AtomicU64::new(0),
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

/// Codes of controls that are told: a pipe that is waited for, a link that is refused,
/// a socket's bind and connect (`calls::pipes`, `calls::sockets`).
const CODES: [u32; 5] = [0x0011_0018, 0x0009_00a4, 0x12003, 0x12_032c, 0x12007];

/// Begins a record of the call of this number; none when the call names nothing.
#[cold]
#[inline(never)]
pub(crate) fn begin(call: u32, arguments: &Arguments) -> Begun {
    let begin = stamp();
    if arguments.code.is_some_and(|code| !CODES.contains(&code)) {
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
    // SAFETY: the place is this thread's until it is given up.
    let record = unsafe { &mut *place.record.get() };
    record.duration = stamp().wrapping_sub(record.begin);
    record.status = status;
    if record.verdict == Verdict::Unknown {
        record.verdict = of_name(record);
    }
    ring::put(record);
    give_up(place);
}

/// What the name that the kernel got tells of the decision.
fn of_name(record: &Record) -> Verdict {
    let name = record.given.units();
    if name.is_empty() {
        return match record.peer {
            Peer::None if !record.asked.units().is_empty() => Verdict::Answered,
            _ => Verdict::Unknown,
        };
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

/// Notes the address that a socket is bound to or reaches.
#[inline]
pub(crate) fn address(ip: [u8; 16], port: u16) {
    if is_on() {
        with(|record| record.peer = Peer::Address(ip, port));
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
        if record.verdict != Verdict::Refused && is_like(record.call, number) {
            arguments.name(&mut record.given);
        }
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
    if !is_on() {
        return;
    }
    let begun = begin(number, &Arguments::default());
    if let Some(place) = begun.0 {
        // SAFETY: the place is this thread's until it is given up.
        let record = unsafe { &mut *place.record.get() };
        (record.verdict, record.peer) = (verdict, peer);
    }
    end(begun, status);
}
