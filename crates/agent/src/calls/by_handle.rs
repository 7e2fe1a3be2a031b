//! What is done to a process or a thread by its handle: to members only.
//!
//! A member opens members only ([`super::opening`]); this judges handles that
//! came otherwise, as one that a host process duplicated into the member. A call
//! on the caller itself costs a comparison, any other a question to the kernel.
//!
//! Runs under whatever locks the program holds, the heap's too: it takes none and
//! writes nowhere but to its stack.

use super::membership::{self, Held};
use crate::hooks::kept;
use core::ffi::c_void;
use pinion_nt::calls::{NtIsProcessInJob, NtQueryInformationThread};
use pinion_nt::status::{
    STATUS_ACCESS_DENIED, STATUS_PENDING, STATUS_PROCESS_IN_JOB, STATUS_PROCESS_NOT_IN_JOB, success,
};
use pinion_nt::{CLIENT_ID, CURRENT_PROCESS, CURRENT_THREAD, HANDLE, NTSTATUS};

/// `THREAD_QUERY_LIMITED_INFORMATION`.
const QUERY_THREAD: u32 = 0x800;

/// Whether a call may act on the process of this handle. One that has ended may
/// be acted on: nothing can be done to it. A handle that is none is the kernel's
/// to refuse.
///
/// # Errors
/// `STATUS_ACCESS_DENIED` when the process is no member.
#[inline]
pub(crate) fn process(handle: HANDLE) -> Result<(), NTSTATUS> {
    if handle == CURRENT_PROCESS || handle.is_null() {
        return Ok(());
    }
    other_process(handle)
}

/// The same for a thread.
///
/// # Errors
/// `STATUS_ACCESS_DENIED` when the thread is of no member.
#[inline]
pub(crate) fn thread(handle: HANDLE) -> Result<(), NTSTATUS> {
    if handle == CURRENT_THREAD || handle.is_null() {
        return Ok(());
    }
    other_thread(handle)
}

#[inline(never)]
fn other_process(handle: HANDLE) -> Result<(), NTSTATUS> {
    match in_job(handle) {
        STATUS_PROCESS_IN_JOB => return Ok(()),
        STATUS_PROCESS_NOT_IN_JOB => return ended(handle),
        STATUS_ACCESS_DENIED => {}
        _ => return Ok(()),
    }
    // The handle lacks the right to ask; one of the agent's own has it.
    let held = with_access(handle, membership::query_access())?;
    match in_job(held.0) {
        STATUS_PROCESS_IN_JOB => Ok(()),
        _ => ended(held.0),
    }
}

fn in_job(process: HANDLE) -> NTSTATUS {
    // SAFETY: no pointers; the job came with the boot block.
    unsafe { NtIsProcessInJob(process, membership::job()) }
}

/// Passes a process that has ended, which Wine no longer has in its job.
fn ended(process: HANDLE) -> Result<(), NTSTATUS> {
    let mut basic = [0_u64; 6];
    // SAFETY: class 0 takes a structure of six words (winternl.h), which begins
    // with the exit status.
    let status = unsafe {
        let size = size_of_val(&basic) as u32;
        let none = core::ptr::null_mut();
        kept::NtQueryInformationProcess(process, 0, basic.as_mut_ptr().cast(), size, none)
    };
    if success(status) && basic[0] as NTSTATUS != STATUS_PENDING {
        Ok(())
    } else {
        Err(STATUS_ACCESS_DENIED)
    }
}

#[inline(never)]
fn other_thread(handle: HANDLE) -> Result<(), NTSTATUS> {
    let basic = match about(handle) {
        Ok(basic) => basic,
        Err(STATUS_ACCESS_DENIED) => {
            let held = with_access(handle, QUERY_THREAD)?;
            about(held.0).map_err(|_| STATUS_ACCESS_DENIED)?
        }
        Err(_) => return Ok(()),
    };
    let process = basic.id.process;
    // A thread keeps its process, so the id is its own.
    if process == membership::own_process()
        || basic.status != STATUS_PENDING
        || membership::lists(process)
    {
        Ok(())
    } else {
        Err(STATUS_ACCESS_DENIED)
    }
}

/// `THREAD_BASIC_INFORMATION` (phnt, ntpsapi.h).
#[repr(C)]
#[derive(Default)]
struct Basic {
    status: NTSTATUS,
    teb: u64,
    id: CLIENT_ID,
    affinity: u64,
    priorities: u64,
}

fn about(thread: HANDLE) -> Result<Basic, NTSTATUS> {
    let mut basic = Basic::default();
    // SAFETY: class 0 takes the structure above.
    let status = unsafe {
        let place = (&raw mut basic).cast::<c_void>();
        let size = size_of::<Basic>() as u32;
        NtQueryInformationThread(thread, 0, place, size, core::ptr::null_mut())
    };
    if success(status) {
        Ok(basic)
    } else {
        Err(status)
    }
}

/// A handle of the agent's own with this access, of the same object.
fn with_access(handle: HANDLE, access: u32) -> Result<Held, NTSTATUS> {
    membership::duplicate(handle, access).map_err(|_| STATUS_ACCESS_DENIED)
}
