//! Who is a member, by the kernel's word: a process is one when it is in the
//! VM's membership job. Never by a name, nor by what a process says of itself.
//!
//! An id means another process when its own has gone, so an id alone decides
//! nothing: the process is held open, with the right to ask and nothing else,
//! while it is judged and used. What is not even in the job's list of ids is not
//! opened at all.

use crate::hooks::{self, kept};
use crate::region::Region;
use crate::state;
use core::ffi::c_void;
use pinion_nt::calls::{NtIsProcessInJob, NtQueryInformationJobObject, NtQueryInformationThread};
use pinion_nt::status::{
    STATUS_ACCESS_DENIED, STATUS_BUFFER_OVERFLOW, STATUS_MORE_ENTRIES, STATUS_PROCESS_IN_JOB,
    success,
};
use pinion_nt::{CLIENT_ID, CURRENT_PROCESS, HANDLE, NTSTATUS, object_attributes};
use pinion_processes::members::Members;

/// How many members are listed on the stack.
const FEW: usize = 126;
/// The most members that are listed at all.
const MANY: usize = 1 << 20;

/// A process or thread held open: until this is dropped its id is its own.
pub(crate) struct Held(pub(super) HANDLE);

impl Drop for Held {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: the handle is this value's own.
            unsafe { kept::NtClose(self.0) };
        }
    }
}

/// `PROCESS_QUERY_LIMITED_INFORMATION`, enough on Windows to ask for jobs
/// (IsProcessInJob documentation); on Wine `PROCESS_QUERY_INFORMATION` (observed
/// on Wine 8 and 10).
pub(super) fn query_access() -> u32 {
    if hooks::is_wine() { 0x400 } else { 0x1000 }
}

/// The id of this process.
pub(crate) fn own_process() -> u64 {
    let id;
    // SAFETY: gs:[0x40] is the process's id in every x64 TEB.
    unsafe {
        core::arch::asm!("mov {}, gs:[0x40]", out(reg) id, options(nostack, pure, readonly));
    }
    id
}

/// The id of this thread.
pub(crate) fn own_thread() -> u64 {
    let id;
    // SAFETY: gs:[0x48] is the thread's id in every x64 TEB.
    unsafe {
        core::arch::asm!("mov {}, gs:[0x48]", out(reg) id, options(nostack, pure, readonly));
    }
    id
}

/// The membership job, by a handle that is good for queries.
pub(super) fn job() -> HANDLE {
    state::boot().membership_job as HANDLE
}

/// Whether the process of this handle, which has the right to query, is a
/// member.
pub(crate) fn holds(process: HANDLE) -> bool {
    // SAFETY: no pointers; the job came with the boot block.
    let status = unsafe { NtIsProcessInJob(process, job()) };
    status == STATUS_PROCESS_IN_JOB
}

/// Whether the process of this handle, whatever its rights, is a member.
///
/// # Errors
/// `STATUS_ACCESS_DENIED` when it is none; the kernel's status when the handle is
/// not of a process.
pub(crate) fn check(process: HANDLE) -> Result<(), NTSTATUS> {
    let held = duplicate(process, query_access())?;
    if holds(held.0) {
        Ok(())
    } else {
        Err(STATUS_ACCESS_DENIED)
    }
}

/// A handle of the agent's own of the same object, with this access.
///
/// # Errors
/// The kernel's status.
pub(super) fn duplicate(handle: HANDLE, access: u32) -> Result<Held, NTSTATUS> {
    let mut own: HANDLE = core::ptr::null_mut();
    // SAFETY: duplicates within this process into a local.
    let status = unsafe {
        kept::NtDuplicateObject(
            CURRENT_PROCESS,
            handle,
            CURRENT_PROCESS,
            &raw mut own,
            access,
            0,
            0,
        )
    };
    if success(status) {
        Ok(Held(own))
    } else {
        Err(status)
    }
}

/// Runs `work` with the members that live now; `None` when the kernel does not
/// list them.
pub(crate) fn with_members<R>(work: impl FnOnce(&Members<'_>) -> R) -> Option<R> {
    let mut few = [0; FEW + 1];
    if list(&mut few)? {
        return Members::listed(&mut few).map(|members| work(&members));
    }
    let mut room = FEW;
    while room < MANY {
        room *= 8;
        let mut region = Region::new(room * 8).ok()?;
        if list(region.words())? {
            return Members::listed(region.words()).map(|members| work(&members));
        }
    }
    None
}

/// Lists the job's processes (`JobObjectBasicProcessIdList`); whether all had
/// room. A list that is cut short is `STATUS_BUFFER_OVERFLOW` on Windows and
/// `STATUS_MORE_ENTRIES` on Wine.
fn list(words: &mut [u64]) -> Option<bool> {
    const LIST: u32 = 3;
    let job = job();
    let size = u32::try_from(size_of_val(words)).ok()?;
    let none = core::ptr::null_mut();
    // SAFETY: the buffer is a live slice of that size, aligned for the structure.
    let status =
        unsafe { NtQueryInformationJobObject(job, LIST, words.as_mut_ptr().cast(), size, none) };
    match status {
        STATUS_BUFFER_OVERFLOW | STATUS_MORE_ENTRIES => Some(false),
        status => success(status).then_some(true),
    }
}

/// Whether the process of this id is a member now.
pub(crate) fn lists(id: u64) -> bool {
    id == own_process() || with_members(|members| members.contains(id)).unwrap_or(false)
}

/// Holds the member of this id; `None` when there is none. `access` is what the
/// caller wants of it: it serves where the member lets nobody query it.
pub(crate) fn hold(id: u64, access: u32) -> Option<Held> {
    if id == own_process() {
        return Some(Held(core::ptr::null_mut()));
    }
    if !lists(id) {
        return None;
    }
    match open(id, query_access()) {
        Ok(held) => holds(held.0).then_some(held),
        // Held, it keeps its id, so that the list now tells of this process.
        Err(STATUS_ACCESS_DENIED) => open(id, access).ok().filter(|_| lists(id)),
        Err(_) => None,
    }
}

fn open(id: u64, access: u32) -> Result<Held, NTSTATUS> {
    let id = CLIENT_ID {
        process: id,
        thread: 0,
    };
    let attributes = object_attributes(core::ptr::null_mut(), core::ptr::null(), 0);
    let mut handle: HANDLE = core::ptr::null_mut();
    // SAFETY: all pointers are to locals.
    let status = unsafe {
        kept::NtOpenProcess(
            &raw mut handle,
            access,
            &raw const attributes,
            &raw const id,
        )
    };
    if success(status) {
        Ok(Held(handle))
    } else {
        Err(status)
    }
}

/// The id of the process of this handle, whatever its rights.
///
/// # Errors
/// The kernel's status when it is not of a process.
pub(crate) fn id_of(process: HANDLE) -> Result<u64, NTSTATUS> {
    let held = duplicate(process, query_access())?;
    let mut basic = [0_u64; 6];
    // SAFETY: class 0 takes a structure of six words (winternl.h), of which the
    // fifth is the id.
    let status = unsafe {
        let size = size_of_val(&basic) as u32;
        let none = core::ptr::null_mut();
        kept::NtQueryInformationProcess(held.0, 0, basic.as_mut_ptr().cast(), size, none)
    };
    if success(status) {
        Ok(basic[4])
    } else {
        Err(status)
    }
}

/// Whether the thread of this handle, which has the right to query, is of a
/// member that lives. A thread keeps its process, so its id is its own here.
pub(crate) fn holds_thread(thread: HANDLE) -> bool {
    /// `THREAD_BASIC_INFORMATION` (phnt, ntpsapi.h).
    #[repr(C)]
    #[derive(Default)]
    struct Basic {
        status: u64,
        teb: u64,
        id: CLIENT_ID,
        affinity: u64,
        priorities: u64,
    }
    let mut basic = Basic::default();
    // SAFETY: class 0 takes the structure above.
    let status = unsafe {
        let place = (&raw mut basic).cast::<c_void>();
        let size = size_of::<Basic>() as u32;
        NtQueryInformationThread(thread, 0, place, size, core::ptr::null_mut())
    };
    success(status) && lists(basic.id.process)
}
