//! The agent's first instructions, in place of `LdrInitializeThunk`.
//!
//! System calls work here; the heap and the loader do not yet.

use crate::{hooks, state};
use core::ffi::c_void;
use core::sync::atomic::{AtomicU8, AtomicU16, AtomicU64, Ordering};
use pinion_nt::calls::{
    NtDelayExecution, NtMapViewOfSection, NtProtectVirtualMemory, NtSetInformationObject,
    NtTerminateProcess, NtYieldExecution,
};
use pinion_nt::status::{STATUS_DLL_INIT_FAILED, success};
use pinion_nt::{
    CURRENT_PROCESS, HANDLE, PAGE_EXECUTE_READ, PAGE_READONLY, PAGE_READWRITE, PAGE_WRITECOPY,
};
use pinion_wire::boot::MAGIC;
use pinion_wire::page::Page;
use pinion_wire::tally::Tally;

/// Where the entry goes when it is done: `LdrInitializeThunk`, restored.
static THUNK: AtomicU64 = AtomicU64::new(0);

/// How far [`start`] is: a thread that another process makes in this one may
/// come here beside the first.
static STAGE: AtomicU8 = AtomicU8::new(FRESH);
const FRESH: u8 = 0;
const RUNNING: u8 = 1;
const DONE: u8 = 2;

/// Entered by the jump over `LdrInitializeThunk` with its four register
/// arguments; runs [`early`] once and goes on there as if nothing had been.
///
/// # Safety
/// Only the patched `LdrInitializeThunk` may jump here.
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub unsafe extern "system" fn pinion_entry() {
    core::arch::naked_asm!(
        "push rcx",
        "push rdx",
        "push r8",
        "push r9",
        "push rbx",
        "mov rbx, rsp",
        "and rsp, -16",
        "sub rsp, 32",
        "call {early}",
        "mov rsp, rbx",
        "pop rbx",
        "pop r9",
        "pop r8",
        "pop rdx",
        "pop rcx",
        "jmp qword ptr [rip + {thunk}]",
        early = sym early,
        thunk = sym THUNK,
    );
}

/// Ends the process.
pub(crate) fn end(status: i32) -> ! {
    loop {
        // SAFETY: ends the calling process; no memory is involved.
        unsafe { NtTerminateProcess(CURRENT_PROCESS, status) };
    }
}

extern "system" fn early() {
    /// A millisecond in 100 ns.
    static PAUSE: i64 = -10_000;
    let first = STAGE.compare_exchange(FRESH, RUNNING, Ordering::Acquire, Ordering::Acquire);
    if first.is_err() {
        while STAGE.load(Ordering::Acquire) != DONE {
            // SAFETY: the pointer is to a static.
            unsafe { NtDelayExecution(0, &raw const PAUSE) };
        }
        return;
    }
    if start().is_none() {
        end(STATUS_DLL_INIT_FAILED);
    }
    STAGE.store(DONE, Ordering::Release);
}

fn start() -> Option<()> {
    let boot = state::boot();
    if boot.magic != MAGIC || boot.version != pinion_wire::VERSION {
        return None;
    }
    let page = map(boot.page_section, PAGE_READONLY)?.cast::<Page>();
    let tally = map(boot.tally_section, PAGE_READWRITE)?.cast::<Tally>();
    state::set(page, tally);
    for handle in [
        boot.page_section,
        boot.tally_section,
        boot.agent_section,
        boot.membership_job,
        boot.trace_section,
    ] {
        keep_open(handle);
    }
    protect_own_sections()?;
    if !state::page().is_sound() || !hooks::install() {
        return None;
    }
    Tally::count(&state::tally().processes);
    restore_thunk()
}

/// Gives each of the agent's sections the protection that its header says: the
/// starter left them executable and writable.
fn protect_own_sections() -> Option<()> {
    let base = state::boot().agent_base;
    // SAFETY: the starter wrote the agent's headers, checked by `launch`, to the
    // page at `base`.
    let headers = unsafe { core::slice::from_raw_parts(base as *const u8, 0x1000) };
    let word = |at: usize| Some(u32::from_le_bytes(*headers.get(at..)?.first_chunk()?));
    let header = word(0x3c)? as usize;
    let (count, optional) = (word(header + 6)? & 0xffff, word(header + 20)? & 0xffff);
    for index in 0..count as usize {
        let at = header + 24 + optional as usize + index * 40;
        let flags = word(at + 36)?;
        let protection = match (flags & 0x2000_0000, flags & 0x8000_0000) {
            (0, 0) => PAGE_READONLY,
            // Mapped to be copied when written: no more may be asked for.
            (0, _) => PAGE_WRITECOPY,
            _ => PAGE_EXECUTE_READ,
        };
        let address = base + u64::from(word(at + 12)?);
        protect(address, word(at + 8)? as usize, protection)?;
    }
    protect(base, headers.len(), PAGE_READONLY)
}

/// Maps all of `section`.
fn map(section: u64, protection: u32) -> Option<*mut c_void> {
    let (mut base, mut size) = (core::ptr::null_mut(), 0);
    // SAFETY: the pointers are to locals; the section came with the boot block.
    let status = unsafe {
        NtMapViewOfSection(
            section as HANDLE,
            CURRENT_PROCESS,
            &raw mut base,
            0,
            0,
            core::ptr::null_mut(),
            &raw mut size,
            2,
            0,
            protection,
        )
    };
    success(status).then_some(base)
}

/// Keeps the program from closing `handle` by accident: NtClose then answers
/// `STATUS_HANDLE_NOT_CLOSABLE`. Best effort: children need the handles, this
/// process is confined without them.
fn keep_open(handle: u64) {
    let flags = [0_u8, 1];
    // SAFETY: class 4, `ObjectHandleFlagInformation`, takes two bytes: inherit
    // and protect from close (phnt, ntobapi.h).
    unsafe { NtSetInformationObject(handle as HANDLE, 4, flags.as_ptr().cast(), 2) };
}

/// Puts `LdrInitializeThunk` back as it was. A thread that begins meanwhile
/// waits at its first two bytes.
fn restore_thunk() -> Option<()> {
    /// `jmp` to itself, little endian.
    const WAIT: u16 = 0xfeeb;
    let boot = state::boot();
    THUNK.store(boot.thunk, Ordering::Relaxed);
    let ([low, high, rest @ ..], place) = (&boot.thunk_bytes, boot.thunk as *mut u8);
    // SAFETY: the starter made these bytes writable and saved their content; a
    // function begins at an even address. Who is in the jump already is through
    // it when this thread has been to the kernel and back.
    unsafe {
        let head = AtomicU16::from_ptr(place.cast());
        head.store(WAIT, Ordering::Release);
        NtYieldExecution();
        core::ptr::copy_nonoverlapping(rest.as_ptr(), place.add(2), rest.len());
        head.store(u16::from_le_bytes([*low, *high]), Ordering::Release);
    }
    protect(boot.thunk, boot.thunk_bytes.len(), PAGE_EXECUTE_READ)
}

/// Changes the protection of `size` bytes of this process at `at`.
pub(crate) fn protect(at: u64, size: usize, protection: u32) -> Option<()> {
    let (mut base, mut size, mut old) = (at as *mut c_void, size, 0);
    // SAFETY: the pointers are to locals; the callers own the code there.
    let status = unsafe {
        NtProtectVirtualMemory(
            CURRENT_PROCESS,
            &raw mut base,
            &raw mut size,
            protection,
            &raw mut old,
        )
    };
    success(status).then_some(())
}
