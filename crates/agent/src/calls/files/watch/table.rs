//! Which directories this process watches where layers show through, and what
//! waits there. One lock for all, of this process and held for moments.
//!
//! The memory that the kernel writes records to is never freed: a watch that has
//! ended is free for another once the kernel has let go of it.

use super::helper;
use super::request::{Request, second};
use super::watched::{HANDLES, REQUESTS, Room, SOURCES, State, Watch};
use super::{STATUS_CANCELLED, raw};
use crate::hooks::{self, kept};
use core::ffi::c_void;
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};
use pinion_names::change::Sieve;
use pinion_nt::calls::{NtAllocateVirtualMemory, NtYieldExecution};
use pinion_nt::status::{STATUS_INSUFFICIENT_RESOURCES, STATUS_NO_MEMORY, STATUS_PENDING};
use pinion_nt::{
    CURRENT_PROCESS, HANDLE, IO_STATUS_BLOCK, MEM_COMMIT_RESERVE, NTSTATUS, PAGE_READWRITE,
};

/// How many directories a process can watch at once.
const WATCHES: usize = 64;
/// How many handles with completion ports are known.
const PORTS: usize = 64;
/// How often a thread lets others run while it waits for the lock; one that
/// stays taken longer was left by a thread that was ended.
const PATIENCE: u32 = 1_000_000;

/// `STATUS_NOTIFY_CLEANUP` (ntstatus.h), NT's for a handle that is closed.
const STATUS_NOTIFY_CLEANUP: NTSTATUS = 0x10B;
/// `STATUS_HANDLES_CLOSED` (ntstatus.h), Wine's (observed on Wine 8 and 10).
const STATUS_HANDLES_CLOSED: NTSTATUS = 0x8000_000A_u32 as i32;

/// A handle's completion port: the agent's own handle of it, and the key.
#[derive(Clone, Copy)]
struct Port {
    handle: usize,
    port: (HANDLE, *mut c_void),
}

/// No completion port.
pub(super) const NO_PORT: (HANDLE, *mut c_void) = (core::ptr::null_mut(), core::ptr::null_mut());

/// All of it.
pub(super) struct Table {
    /// What the helper waits at, and whether it runs.
    pub(super) port: HANDLE,
    pub(super) runs: bool,
    order: u64,
    pub(super) watches: [Watch; WATCHES],
    ports: [Port; PORTS],
}

static TABLE: AtomicPtr<Table> = AtomicPtr::new(core::ptr::null_mut());
static LOCK: AtomicU32 = AtomicU32::new(0);
/// A set of the handles in the table, by their low bits.
static KNOWN: AtomicU64 = AtomicU64::new(0);

fn bit(handle: usize) -> u64 {
    1 << (handle >> 2 & 63)
}

fn may_know(handle: HANDLE) -> bool {
    KNOWN.load(Ordering::Acquire) & bit(handle as usize) != 0
}

/// Runs `work` with the table; `None` when there is none, or it cannot be had.
pub(super) fn with<R>(work: impl FnOnce(&mut Table) -> R) -> Option<R> {
    let table = TABLE.load(Ordering::Acquire);
    if table.is_null() {
        return None;
    }
    let mut turns = 0;
    while LOCK.swap(1, Ordering::Acquire) != 0 {
        turns += 1;
        if turns == PATIENCE {
            return None;
        }
        // SAFETY: takes no argument and touches no memory.
        unsafe { NtYieldExecution() };
    }
    // SAFETY: the table is never freed, and the lock makes this thread its only
    // user.
    let result = work(unsafe { &mut *table });
    LOCK.store(0, Ordering::Release);
    Some(result)
}

/// Sees to it that there is a table.
fn make() -> Result<(), NTSTATUS> {
    if !TABLE.load(Ordering::Acquire).is_null() {
        return Ok(());
    }
    let table = allocate::<Table>()?;
    // SAFETY: the memory is new, zero and of the right size; each field that
    // zero does not suit is written before anybody sees it.
    unsafe {
        for index in 0..WATCHES {
            (&raw mut (*table).watches[index]).write(Watch::FREE);
        }
        (*table).runs = false;
    }
    let order = Ordering::AcqRel;
    let null = core::ptr::null_mut();
    // Who comes second leaves the memory unused.
    let _ = TABLE.compare_exchange(null, table, order, Ordering::Acquire);
    Ok(())
}

fn allocate<T>() -> Result<*mut T, NTSTATUS> {
    let (mut base, mut size) = (core::ptr::null_mut::<c_void>(), size_of::<T>());
    // SAFETY: the pointers are to locals; a new region is made.
    raw::check(unsafe {
        NtAllocateVirtualMemory(
            CURRENT_PROCESS,
            &raw mut base,
            0,
            &raw mut size,
            MEM_COMMIT_RESERVE,
            PAGE_READWRITE,
        )
    })
    .map_err(|_| STATUS_NO_MEMORY)?;
    Ok(base.cast())
}

impl Table {
    fn of(&mut self, handle: HANDLE) -> Option<&mut Watch> {
        let mut watches = self.watches.iter_mut();
        watches.find(|watch| watch.has(handle as usize))
    }

    fn port_of(&self, handle: usize) -> (HANDLE, *mut c_void) {
        let mut ports = self.ports.iter();
        ports
            .find(|port| port.handle == handle)
            .map_or(NO_PORT, |port| port.port)
    }

    /// Writes down anew which handles are known.
    fn know(&self) {
        let live = self
            .watches
            .iter()
            .filter(|watch| watch.state == State::Live);
        let handles = live.flat_map(|watch| watch.handles);
        let handles = handles.chain(self.ports.iter().map(|port| port.handle));
        let set = handles
            .filter(|&handle| handle != 0)
            .fold(0, |set, handle| set | bit(handle));
        KNOWN.store(set, Ordering::Release);
    }

    /// Whether nothing is watched, nor about to end.
    pub(super) fn is_idle(&self) -> bool {
        self.watches.iter().all(|watch| watch.state == State::Free)
    }
}

/// A watch that begins.
pub(super) struct Beginning<'p> {
    pub(super) file: HANDLE,
    pub(super) filter: u32,
    pub(super) subtree: u8,
    pub(super) wants_data: bool,
    pub(super) path: &'p [u16],
    /// The agent's handles of the sources, or null.
    pub(super) handles: [HANDLE; SOURCES],
}

/// Begins a watch. Returns when the kernel watches.
pub(super) fn begin(new: &Beginning<'_>) -> Result<(), NTSTATUS> {
    let begun = make().and_then(|()| {
        with(|table| table.begin(new)).unwrap_or(Err(STATUS_INSUFFICIENT_RESOURCES))
    });
    match begun {
        Ok(number) => {
            helper::start(number);
            Ok(())
        }
        Err(status) => {
            for &handle in new.handles.iter().filter(|handle| !handle.is_null()) {
                // SAFETY: the agent's own handle, which nothing else has.
                unsafe { kept::NtClose(handle) };
            }
            Err(status)
        }
    }
}

impl Table {
    fn begin(&mut self, new: &Beginning<'_>) -> Result<usize, NTSTATUS> {
        let ports = helper::run(self)?;
        let port = self.port_of(new.file as usize);
        let mut watches = self.watches.iter_mut().enumerate();
        let (number, watch) = watches
            .find(|(_, watch)| watch.state == State::Free)
            .ok_or(STATUS_INSUFFICIENT_RESOURCES)?;
        let room = if watch.room.is_null() {
            allocate::<Room>()?
        } else {
            watch.room
        };
        for &handle in new.handles.iter().filter(|handle| !handle.is_null()) {
            helper::join(handle, ports)?;
        }
        // SAFETY: the room is this watch's own, and the kernel has let go of it.
        unsafe {
            let path = (&raw mut (*room).path).cast::<u16>();
            let units = new.path.len().min(pinion_names::LONGEST);
            core::ptr::copy_nonoverlapping(new.path.as_ptr(), path, units);
            (&raw mut (*room).sieve).write(Sieve::default());
        }
        let mut handles = [0; HANDLES];
        handles[0] = new.file as usize;
        *watch = Watch {
            state: State::Live,
            handles,
            filter: new.filter,
            subtree: new.subtree,
            wants_data: new.wants_data,
            path: new.path.len().min(pinion_names::LONGEST),
            room,
            sources: new.handles,
            port,
            ..Watch::FREE
        };
        self.know();
        Ok(number)
    }
}

/// Whether the file of `handle` is watched.
pub(super) fn is_watched(handle: HANDLE) -> bool {
    may_know(handle) && with(|table| table.of(handle).is_some()).unwrap_or(false)
}

/// Lets a request wait at the watch of `file`.
pub(super) fn ask(file: HANDLE, mut request: Request) -> NTSTATUS {
    let asked = with(|table| {
        table.order += 1;
        request.order = table.order;
        let watch = table.of(file)?;
        let index = watch.requests.iter().position(Option::is_none)?;
        // SAFETY: see `Watch::end`.
        let stand_in = unsafe {
            (&raw mut (*watch.room).stand_ins)
                .cast::<IO_STATUS_BLOCK>()
                .add(index)
        };
        request.stand(file, stand_in);
        *watch.requests.get_mut(index)? = Some(request);
        watch.deliver();
        Some(STATUS_PENDING)
    });
    asked.flatten().unwrap_or(STATUS_INSUFFICIENT_RESOURCES)
}

/// Cancels the requests at the watch of `file` that are among `which`; whether
/// there was one.
pub(super) fn cancel(file: HANDLE, which: impl Fn(&Request) -> bool) -> bool {
    if !may_know(file) {
        return false;
    }
    let cancelled = with(|table| {
        let watch = table.of(file)?;
        let mut any = false;
        for index in 0..REQUESTS {
            let one = watch.requests.get(index).and_then(Option::as_ref);
            if one.is_some_and(&which) {
                watch.end(index, STATUS_CANCELLED, false);
                any = true;
            }
        }
        Some(any)
    });
    cancelled.flatten().unwrap_or(false)
}

/// `handle` is about to be closed: with the last one of a file its watch ends.
pub(crate) fn closed(handle: HANDLE) {
    if !may_know(handle) || handle.is_null() {
        return;
    }
    let ended = with(|table| {
        let ended = table.close(handle as usize);
        table.know();
        ended
    });
    if let Some(number) = ended.flatten() {
        helper::end(number);
    }
}

impl Table {
    fn close(&mut self, handle: usize) -> Option<usize> {
        for port in self.ports.iter_mut().filter(|port| port.handle == handle) {
            let watched = self.watches.iter().any(|watch| {
                watch.state == State::Live && core::ptr::eq(watch.port.0, port.port.0)
            });
            // A watch that goes on by another handle keeps the port.
            if !watched {
                // SAFETY: the agent's own handle.
                unsafe { kept::NtClose(port.port.0) };
            }
            port.handle = 0;
        }
        let mut watches = self.watches.iter_mut().enumerate();
        let (number, watch) = watches.find(|(_, watch)| watch.has(handle))?;
        if watch.handles.iter().all(|&one| one == 0 || one == handle) {
            let status = if hooks::is_wine() {
                STATUS_HANDLES_CLOSED
            } else {
                STATUS_NOTIFY_CLEANUP
            };
            watch.end_all(status);
            watch.state = State::Ending;
            let (port, _) = core::mem::replace(&mut watch.port, NO_PORT);
            if !port.is_null() {
                // SAFETY: the agent's own handle, kept for this watch.
                unsafe { kept::NtClose(port) };
            }
            return Some(number);
        }
        for one in watch.handles.iter_mut().filter(|one| **one == handle) {
            *one = 0;
        }
        None
    }
}

/// `copy` is from now on one more handle of what `handle` is of.
pub(crate) fn duplicated(handle: HANDLE, copy: HANDLE) {
    if !may_know(handle) || copy.is_null() {
        return;
    }
    with(|table| {
        if let Some(watch) = table.of(handle)
            && let Some(place) = watch.handles.iter_mut().find(|place| **place == 0)
        {
            *place = copy as usize;
        }
        let (port, key) = table.port_of(handle as usize);
        if !port.is_null()
            && let Some(port) = second(port, 0)
            && let Some(place) = table.ports.iter_mut().find(|port| port.handle == 0)
        {
            *place = Port {
                handle: copy as usize,
                port: (port, key),
            };
        }
        table.know();
    });
}

/// The directory of `handle` tells the completion port `port` from now on, with
/// `key`, of what has come to an end.
pub(crate) fn has_port(handle: HANDLE, port: HANDLE, key: *mut c_void) {
    let Some(port) = second(port, 0) else {
        return;
    };
    let kept = make().is_ok()
        && with(|table| {
            let place = table.ports.iter_mut().find(|port| port.handle == 0)?;
            *place = Port {
                handle: handle as usize,
                port: (port, key),
            };
            if let Some(watch) = table.of(handle) {
                watch.port = (port, key);
            }
            table.know();
            Some(())
        })
        .flatten()
        .is_some();
    if !kept {
        // SAFETY: the agent's own handle.
        unsafe { kept::NtClose(port) };
    }
}
