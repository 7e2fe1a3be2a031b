//! One watched directory: its sources, what was heard of them and not told yet,
//! and the requests that wait.

use super::helper;
use super::request::{End, Request};
use super::table::NO_PORT;
use crate::hooks::{self, kept};
use core::ffi::c_void;
use pinion_names::change::{Chain, Sieve};
use pinion_nt::status::STATUS_PENDING;
use pinion_nt::{HANDLE, IO_STATUS_BLOCK, NTSTATUS};

/// How many requests can wait at one of them.
pub(super) const REQUESTS: usize = 8;
/// How many handles of one file object are known.
pub(super) const HANDLES: usize = 4;
/// The upper's directory and the host's.
pub(super) const SOURCES: usize = 2;
/// Units for the kernel's records of one of them.
pub(super) const RAW: usize = 0x4000;
/// Units for records between two requests.
const QUEUE: usize = 0x8000;
/// `STATUS_NOTIFY_ENUM_DIR` (ntstatus.h): look for yourself.
pub(super) const STATUS_NOTIFY_ENUM_DIR: NTSTATUS = 0x10C;

/// What the kernel reads and writes while it works for a watch.
pub(super) struct Room {
    pub(super) io: [IO_STATUS_BLOCK; SOURCES],
    pub(super) stand_ins: [IO_STATUS_BLOCK; REQUESTS],
    pub(super) sieve: Sieve,
    pub(super) raw: [[u16; RAW]; SOURCES],
    pub(super) queue: [u16; QUEUE],
    pub(super) path: [u16; pinion_names::LONGEST],
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Free,
    Live,
    /// No handle is left; the kernel's requests come back.
    Ending,
}

pub(super) struct Watch {
    pub(super) state: State,
    /// The program's handles of the file object, 0 for none.
    pub(super) handles: [usize; HANDLES],
    pub(super) filter: u32,
    pub(super) subtree: u8,
    pub(super) wants_data: bool,
    /// Units of the room's path.
    pub(super) path: usize,
    pub(super) room: *mut Room,
    pub(super) chain: Chain,
    /// Whether something has changed of which there is no record.
    pub(super) lost: bool,
    pub(super) requests: [Option<Request>; REQUESTS],
    pub(super) sources: [HANDLE; SOURCES],
    /// On which of them the kernel has a request.
    pub(super) asked: [bool; SOURCES],
    pub(super) port: (HANDLE, *mut c_void),
}

impl Watch {
    /// None.
    pub(super) const FREE: Self = Self {
        state: State::Free,
        handles: [0; HANDLES],
        filter: 0,
        subtree: 0,
        wants_data: false,
        path: 0,
        room: core::ptr::null_mut(),
        chain: Chain::EMPTY,
        lost: false,
        requests: [const { None }; REQUESTS],
        sources: [core::ptr::null_mut(); SOURCES],
        asked: [false; SOURCES],
        port: NO_PORT,
    };

    pub(super) fn has(&self, handle: usize) -> bool {
        self.state == State::Live && self.handles.contains(&handle)
    }

    /// Ends the request at `index`.
    pub(super) fn end(&mut self, index: usize, status: NTSTATUS, with_data: bool) {
        let Some(request) = self.requests.get_mut(index).and_then(Option::take) else {
            return;
        };
        let units = if with_data { self.chain.bytes() / 2 } else { 0 };
        let file = self.handles.iter().find(|&&handle| handle != 0);
        let file = file.map_or(core::ptr::null_mut(), |&handle| handle as HANDLE);
        // SAFETY: the room lives as long as the process; the lock keeps others
        // from the queue, and no reference to a block that the kernel writes is
        // made.
        let (queue, stand_in) = unsafe {
            (
                &(*self.room).queue,
                (&raw mut (*self.room).stand_ins)
                    .cast::<IO_STATUS_BLOCK>()
                    .add(index),
            )
        };
        request.end(&End {
            status,
            data: queue.get(..units).unwrap_or(&[]),
            file,
            stand_in,
            port: self.port,
        });
    }

    /// Gives what was heard to the requests that wait, first come first served.
    pub(super) fn deliver(&mut self) {
        while self.lost || !self.chain.is_empty() {
            let waiting = self.requests.iter().enumerate();
            let waiting = waiting.filter_map(|(index, one)| Some((one.as_ref()?, index)));
            let Some((request, index)) = waiting.min_by_key(|(request, _)| request.order) else {
                return;
            };
            let fits = self.chain.room(hooks::is_wine()) <= request.room();
            if self.lost || !self.wants_data || !fits {
                self.end(index, STATUS_NOTIFY_ENUM_DIR, false);
            } else {
                self.end(index, 0, true);
            }
            self.lost = false;
            self.chain = Chain::EMPTY;
        }
    }

    /// Takes note of a change.
    pub(super) fn add(&mut self, action: u32, name: &[&[u16]]) {
        if self.lost {
            return;
        }
        if !self.wants_data {
            self.lost = true;
            return;
        }
        // Wine puts records one behind the other (observed on Wine 8 and 10).
        let alignment = if hooks::is_wine() { 1 } else { 2 };
        // SAFETY: see `end`.
        let queue = unsafe { &mut (*self.room).queue };
        if self.chain.add(queue, action, name, alignment).is_err() {
            self.lost = true;
        }
    }

    /// Has the kernel tell of changes of a source from here on.
    pub(super) fn ask(&mut self, number: usize, source: usize) {
        let (Some(&handle), Some(asked)) = (self.sources.get(source), self.asked.get_mut(source))
        else {
            return;
        };
        if handle.is_null() || *asked || self.state != State::Live {
            return;
        }
        let (null, none) = (core::ptr::null_mut(), core::ptr::null());
        // SAFETY: block and memory are the room's, for this source alone; the
        // helper reads them when the request has come back.
        let status = unsafe {
            kept::NtNotifyChangeDirectoryFile(
                handle,
                null,
                none,
                helper::mark(number, source),
                (&raw mut (*self.room).io)
                    .cast::<IO_STATUS_BLOCK>()
                    .add(source),
                (&raw mut (*self.room).raw)
                    .cast::<[u16; RAW]>()
                    .add(source)
                    .cast(),
                (RAW * 2) as u32,
                self.filter,
                self.subtree,
            )
        };
        *asked = status == STATUS_PENDING;
    }

    /// Lets go of what has come back, and frees the watch when all has.
    pub(super) fn let_go(&mut self) {
        for (handle, asked) in self.sources.iter_mut().zip(self.asked) {
            if !asked && !handle.is_null() {
                // SAFETY: the agent's own handle.
                unsafe { kept::NtClose(*handle) };
                *handle = core::ptr::null_mut();
            }
        }
        if self.sources.iter().all(|handle| handle.is_null()) {
            self.state = State::Free;
        }
    }

    pub(super) fn end_all(&mut self, status: NTSTATUS) {
        for index in 0..REQUESTS {
            self.end(index, status, false);
        }
    }
}
