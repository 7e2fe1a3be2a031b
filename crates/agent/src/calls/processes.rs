//! Process creation: every child has the agent before its first instruction,
//! or it does not run. Membership itself is the kernel's: the child inherits
//! the VM's job, which lets nothing break away.

use super::{files, membership};
use crate::hooks::{self, kept};
use crate::{guard, state, supervisor, trace};
use core::ffi::c_void;
use pinion_launch::image::Image;
use pinion_launch::place::{Legacy, Ntdll, PlaceError, place};
use pinion_nt::calls::{
    NtClose, NtDuplicateObject, NtMapViewOfSection, NtQueryInformationProcess, NtResumeThread,
    NtTerminateProcess, NtUnmapViewOfSection,
};
use pinion_nt::status::{STATUS_ACCESS_DENIED, STATUS_NOT_SUPPORTED, success};
use pinion_nt::{CURRENT_PROCESS, HANDLE, NTSTATUS, OBJECT_ATTRIBUTES, PAGE_READONLY};
use pinion_wire::trace::Verdict;

/// `THREAD_CREATE_FLAGS_CREATE_SUSPENDED` (phnt, ntpsapi.h).
const CREATE_SUSPENDED: u32 = 1;
/// `PS_ATTRIBUTE_PARENT_PROCESS` (phnt, ntpsapi.h).
const PARENT_PROCESS: usize = 0x6_0000;
/// `PROCESS_DUP_HANDLE | PROCESS_QUERY_INFORMATION | PROCESS_VM_READ |
/// PROCESS_VM_WRITE | PROCESS_VM_OPERATION | PROCESS_TERMINATE`.
const PLACE_ACCESS: u32 = 0x0479;
/// Where `RTL_USER_PROCESS_PARAMETERS` has `ImagePathName` (winternl.h).
const IMAGE_PATH: usize = 0x60;
/// How often a creation is tried again that Wine failed: now and then a process
/// of Wine 8 dies before it has told the server of itself (observed inside and
/// outside of VMs). Nothing of the program has run then.
const AGAIN: usize = 2;
/// `STATUS_INTERNAL_ERROR` (ntstatus.h), Wine's answer then.
const STATUS_INTERNAL_ERROR: NTSTATUS = 0xC000_00E5_u32 as i32;
/// `THREAD_SUSPEND_RESUME`.
const RESUME_ACCESS: u32 = 2;

/// As `NtCreateUserProcess`: the child starts with the agent in place.
#[allow(clippy::too_many_arguments)]
pub(crate) unsafe fn create_user_process(
    process: *mut HANDLE,
    thread: *mut HANDLE,
    process_access: u32,
    thread_access: u32,
    process_attributes: *const OBJECT_ATTRIBUTES,
    thread_attributes: *const OBJECT_ATTRIBUTES,
    process_flags: u32,
    thread_flags: u32,
    parameters: *mut c_void,
    info: *mut c_void,
    list: *mut c_void,
) -> NTSTATUS {
    let watches = state::watches();
    if !watches
        && let Some(parent) = chosen_parent(list)
        && let Err(status) = membership::check(parent)
    {
        trace::verdict(Verdict::Refused);
        supervisor::refused(&[], "a child of a process that is no member", status);
        return status;
    }
    trace::asked(parameters.wrapping_byte_add(IMAGE_PATH));
    let mut child = Child::default();
    let mut make = |list| {
        // SAFETY: the program's arguments but for the two handles, which are
        // local, the suspension, which is undone below, and the list.
        let mut create = || unsafe {
            kept::NtCreateUserProcess(
                &raw mut child.process,
                &raw mut child.thread,
                process_access | PLACE_ACCESS,
                thread_access | RESUME_ACCESS,
                process_attributes,
                thread_attributes,
                process_flags,
                thread_flags | CREATE_SUSPENDED,
                parameters,
                info,
                list,
            )
        };
        let mut status = create();
        for _ in 0..AGAIN {
            if status == STATUS_INTERNAL_ERROR && hooks::is_wine() {
                status = create();
            }
        }
        (status, child.process)
    };
    let status = if watches {
        make(list).0
    } else {
        files::with_program(list, parameters, &mut make)
    };
    if !success(status) {
        return status;
    }
    // The child is in its parent's jobs, and which parent the kernel took is
    // the kernel's word alone.
    let held = if membership::holds(child.process) {
        confine(child.process)
    } else {
        Err(Unconfined::Outside)
    };
    if let Err(why) = held
        && !watches
    {
        return child.end(why);
    }
    trace::made(child.process);
    child.narrow(process_access, thread_access);
    if thread_flags & CREATE_SUSPENDED == 0 {
        // SAFETY: the thread was created suspended just now.
        unsafe { NtResumeThread(child.thread, core::ptr::null_mut()) };
    }
    child.give(process, thread, status)
}

/// As `NtCreateProcess`, which makes a process without a thread, of a section
/// or a copy of another process: nothing that Windows 10 or Wine programs use.
#[allow(clippy::too_many_arguments)]
pub(crate) unsafe fn create_process(
    _process: *mut HANDLE,
    _access: u32,
    _attributes: *const OBJECT_ATTRIBUTES,
    _parent: HANDLE,
    _inherit: u8,
    _section: HANDLE,
    _debug: HANDLE,
    _token: HANDLE,
) -> NTSTATUS {
    supervisor::refused(
        &[],
        "a process made by NtCreateProcess",
        STATUS_NOT_SUPPORTED,
    );
    STATUS_NOT_SUPPORTED
}

/// As `NtCreateProcessEx`; refused like `NtCreateProcess`.
#[allow(clippy::too_many_arguments)]
pub(crate) unsafe fn create_process_ex(
    _process: *mut HANDLE,
    _access: u32,
    _attributes: *const OBJECT_ATTRIBUTES,
    _parent: HANDLE,
    _flags: u32,
    _section: HANDLE,
    _debug: HANDLE,
    _token: HANDLE,
    _reserved: u32,
) -> NTSTATUS {
    supervisor::refused(
        &[],
        "a process made by NtCreateProcessEx",
        STATUS_NOT_SUPPORTED,
    );
    STATUS_NOT_SUPPORTED
}

/// The fresh child's handles.
struct Child {
    process: HANDLE,
    thread: HANDLE,
}

impl Default for Child {
    fn default() -> Self {
        Self {
            process: core::ptr::null_mut(),
            thread: core::ptr::null_mut(),
        }
    }
}

impl Child {
    /// Ends a child that could not be confined, and says why to the log.
    fn end(self, why: Unconfined) -> NTSTATUS {
        // A program of Unix that took the image's place is none (`files::unix`), and
        // no handle means the calling process.
        if !self.process.is_null() {
            // SAFETY: both handles are this value's own.
            unsafe {
                NtTerminateProcess(self.process, STATUS_ACCESS_DENIED);
                NtClose(self.process);
                NtClose(self.thread);
            }
        }
        trace::verdict(Verdict::Refused);
        supervisor::refused(&[], why.text(), why.status());
        STATUS_ACCESS_DENIED
    }

    /// Gives the program handles of just the access that it asked for.
    fn narrow(&mut self, process: u32, thread: u32) {
        const MAXIMUM_ALLOWED: u32 = 0x0200_0000;
        const GENERIC_ALL: u32 = 0x1000_0000;
        let wide = |access: u32, need: u32| {
            access & (MAXIMUM_ALLOWED | GENERIC_ALL) != 0 || access & need == need
        };
        if !wide(process, PLACE_ACCESS) {
            narrow(&mut self.process, process);
        }
        if !wide(thread, RESUME_ACCESS) {
            narrow(&mut self.thread, thread);
        }
    }

    /// Writes the handles to the program's places.
    fn give(self, process: *mut HANDLE, thread: *mut HANDLE, status: NTSTATUS) -> NTSTATUS {
        // SAFETY: the program's pointers, under guard.
        let written = unsafe {
            guard::write(process, self.process).and_then(|()| guard::write(thread, self.thread))
        };
        match written {
            Ok(()) => status,
            Err(code) => {
                // SAFETY: both handles are this value's own.
                unsafe {
                    NtTerminateProcess(self.process, code);
                    NtClose(self.process);
                    NtClose(self.thread);
                }
                code
            }
        }
    }
}

fn narrow(handle: &mut HANDLE, access: u32) {
    const CLOSE_SOURCE: u32 = 1;
    let mut narrowed: HANDLE = core::ptr::null_mut();
    // SAFETY: duplicates the child's own handle within this process.
    let status = unsafe {
        NtDuplicateObject(
            CURRENT_PROCESS,
            *handle,
            CURRENT_PROCESS,
            &raw mut narrowed,
            access,
            0,
            CLOSE_SOURCE,
        )
    };
    if success(status) {
        *handle = narrowed;
    }
}

/// Why a child cannot be confined.
enum Unconfined {
    /// It is not in the VM's job.
    Outside,
    /// A 32-bit program.
    Wow64,
    /// The agent's file could not be mapped.
    Agent(NTSTATUS),
    /// The agent could not be placed.
    Place(PlaceError),
}

impl Unconfined {
    fn text(&self) -> &'static str {
        match self {
            Self::Outside => "a child of a process that is no member",
            Self::Wow64 => "a child that is a 32-bit program, which is not supported yet",
            Self::Agent(_) => "a child: the agent's section could not be mapped",
            Self::Place(PlaceError::Image(_)) => "a child: the agent's file is damaged",
            Self::Place(PlaceError::Ntdll) => "a child: ntdll lacks what the agent needs",
            Self::Place(PlaceError::Call(step, _)) => step,
        }
    }

    fn status(&self) -> NTSTATUS {
        match self {
            Self::Agent(status) | Self::Place(PlaceError::Call(_, status)) => *status,
            _ => STATUS_NOT_SUPPORTED,
        }
    }
}

fn confine(process: HANDLE) -> Result<(), Unconfined> {
    if is_wow64(process) {
        return Err(Unconfined::Wow64);
    }
    let boot = state::boot();
    let legacy = Legacy {
        page_section: boot.page_section as HANDLE,
        tally_section: boot.tally_section as HANDLE,
        agent_section: boot.agent_section as HANDLE,
        membership_job: boot.membership_job as HANDLE,
        trace_section: boot.trace_section as HANDLE,
    };
    let ntdll = Ntdll {
        base: boot.ntdll,
        bytes: hooks::ntdll(),
    };
    with_agent(|agent| {
        let image = Image::laid_out(agent).map_err(|e| Unconfined::Place(e.into()))?;
        // SAFETY: the process handle and the sections are live.
        unsafe { place(process, &image, ntdll, legacy) }.map_err(Unconfined::Place)
    })
}

/// `ProcessWow64Information` (26, winternl.h): the 32-bit PEB, or zero.
fn is_wow64(process: HANDLE) -> bool {
    let mut peb = 0_usize;
    // SAFETY: the class takes one pointer-sized word.
    let status = unsafe {
        NtQueryInformationProcess(process, 26, (&raw mut peb).cast(), 8, core::ptr::null_mut())
    };
    success(status) && peb != 0
}

/// Runs `work` with the agent as the supervisor laid it out.
fn with_agent<R>(work: impl FnOnce(&[u8]) -> Result<R, Unconfined>) -> Result<R, Unconfined> {
    let boot = state::boot();
    let (mut base, mut size) = (core::ptr::null_mut::<c_void>(), 0);
    // SAFETY: the pointers are to locals; the section came with the boot block.
    let status = unsafe {
        NtMapViewOfSection(
            boot.agent_section as HANDLE,
            CURRENT_PROCESS,
            &raw mut base,
            0,
            0,
            core::ptr::null_mut(),
            &raw mut size,
            2,
            0,
            PAGE_READONLY,
        )
    };
    if !success(status) {
        return Err(Unconfined::Agent(status));
    }
    // SAFETY: the view has at least the agent's size, and lives until below.
    let agent = unsafe { core::slice::from_raw_parts(base.cast::<u8>(), boot.agent_size as usize) };
    let result = work(agent);
    // SAFETY: nothing borrows the view any more.
    unsafe { NtUnmapViewOfSection(CURRENT_PROCESS, base) };
    result
}

/// The parent process that the attribute list names, in whose jobs the child
/// will be.
fn chosen_parent(list: *const c_void) -> Option<HANDLE> {
    const HEADER: usize = 8;
    const ENTRY: usize = 32;
    const VALUE: usize = 16;
    if list.is_null() {
        return None;
    }
    // SAFETY: plain data; a bad pointer is a return value.
    let word = |at: usize| unsafe { guard::read(list.wrapping_byte_add(at).cast::<usize>()) }.ok();
    let count = word(0)?.saturating_sub(HEADER) / ENTRY;
    let mut entries = (0..count.min(64)).map(|index| HEADER + index * ENTRY);
    let entry = entries.find(|at| {
        word(*at).is_some_and(|attribute| {
            attribute & 0xffff == PARENT_PROCESS & 0xffff && attribute & 0x6_0000 == PARENT_PROCESS
        })
    })?;
    Some(word(entry + VALUE)? as HANDLE)
}
