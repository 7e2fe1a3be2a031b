//! Handles of a process and of a thread that another process put into this one:
//! the server hands both to every player that it sees, which on the host are all.

use super::window::fact;
use super::{Player, Served};
use crate::imports;
use crate::win::{self, Handle, Step, handle, nt};
use core::ffi::c_void;
use core::ptr::{null, null_mut};
use pinion_probes::{Ask, Facts, Seen};
use std::os::windows::io::AsRawHandle;
use std::process::{Child, Command, Stdio};
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS};
use windows_sys::Win32::System::Diagnostics::Debug::CONTEXT;
use windows_sys::Win32::System::Diagnostics::ToolHelp::{
    CreateToolhelp32Snapshot, PROCESSENTRY32W, Process32FirstW, Process32NextW, TH32CS_SNAPPROCESS,
};

imports! {
    "kernel32.dll" {
        fn OpenProcess(access: u32, inherit: i32, process: u32) -> HANDLE;
        fn CreateFileMappingW(file: HANDLE, security: *const c_void, protection: u32, high: u32, low: u32, name: *const u16) -> HANDLE;
        fn CreateJobObjectW(security: *const c_void, name: *const u16) -> HANDLE;
        fn DuplicateHandle(from: HANDLE, it: HANDLE, to: HANDLE, at: *mut HANDLE, access: u32, inherit: i32, options: u32) -> i32;
        fn VirtualAllocEx(process: HANDLE, at: usize, length: usize, kind: u32, protection: u32) -> *mut c_void;
    }
    "ntdll.dll" {
        fn NtReadVirtualMemory(process: HANDLE, at: usize, buffer: *mut c_void, length: usize, count: *mut usize) -> NTSTATUS;
        fn NtWriteVirtualMemory(process: HANDLE, at: usize, buffer: *const c_void, length: usize, count: *mut usize) -> NTSTATUS;
        fn NtAllocateVirtualMemory(process: HANDLE, at: *mut usize, zero: usize, size: *mut usize, kind: u32, protection: u32) -> NTSTATUS;
        fn NtAllocateVirtualMemoryEx(process: HANDLE, at: *mut usize, size: *mut usize, kind: u32, protection: u32, parameters: *const c_void, count: u32) -> NTSTATUS;
        fn NtFreeVirtualMemory(process: HANDLE, at: *mut usize, size: *mut usize, kind: u32) -> NTSTATUS;
        fn NtProtectVirtualMemory(process: HANDLE, at: *mut usize, size: *mut usize, protection: u32, old: *mut u32) -> NTSTATUS;
        fn NtMapViewOfSection(section: HANDLE, process: HANDLE, at: *mut usize, zero: usize, commit: usize, offset: *mut i64, size: *mut usize, inherit: u32, kind: u32, protection: u32) -> NTSTATUS;
        fn NtMapViewOfSectionEx(section: HANDLE, process: HANDLE, at: *mut usize, offset: *mut i64, size: *mut usize, kind: u32, protection: u32, parameters: *const c_void, count: u32) -> NTSTATUS;
        fn NtUnmapViewOfSection(process: HANDLE, at: usize) -> NTSTATUS;
        fn NtUnmapViewOfSectionEx(process: HANDLE, at: usize, flags: u32) -> NTSTATUS;
        fn NtTerminateProcess(process: HANDLE, status: NTSTATUS) -> NTSTATUS;
        fn NtSuspendProcess(process: HANDLE) -> NTSTATUS;
        fn NtResumeProcess(process: HANDLE) -> NTSTATUS;
        fn NtSetInformationProcess(process: HANDLE, class: u32, value: *const c_void, size: u32) -> NTSTATUS;
        fn NtAssignProcessToJobObject(job: HANDLE, process: HANDLE) -> NTSTATUS;
        fn NtCreateDebugObject(debug: *mut HANDLE, access: u32, attributes: *const c_void, flags: u32) -> NTSTATUS;
        fn NtDebugActiveProcess(process: HANDLE, debug: HANDLE) -> NTSTATUS;
        fn NtRemoveProcessDebug(process: HANDLE, debug: HANDLE) -> NTSTATUS;
        fn NtOpenProcessToken(process: HANDLE, access: u32, token: *mut HANDLE) -> NTSTATUS;
        fn NtOpenProcessTokenEx(process: HANDLE, access: u32, attributes: u32, token: *mut HANDLE) -> NTSTATUS;
        fn NtOpenThreadToken(thread: HANDLE, access: u32, own: u8, token: *mut HANDLE) -> NTSTATUS;
        fn NtOpenThreadTokenEx(thread: HANDLE, access: u32, own: u8, attributes: u32, token: *mut HANDLE) -> NTSTATUS;
        fn NtCreateThreadEx(h: *mut HANDLE, access: u32, oa: *const c_void, process: HANDLE, start: usize, data: usize, flags: u32, zero: usize, stack: usize, most: usize, list: *const c_void) -> NTSTATUS;
        fn NtGetNextThread(process: HANDLE, thread: HANDLE, access: u32, attributes: u32, flags: u32, next: *mut HANDLE) -> NTSTATUS;
        fn NtTerminateThread(thread: HANDLE, status: NTSTATUS) -> NTSTATUS;
        fn NtSuspendThread(thread: HANDLE, count: *mut u32) -> NTSTATUS;
        fn NtResumeThread(thread: HANDLE, count: *mut u32) -> NTSTATUS;
        fn NtAlertThread(thread: HANDLE) -> NTSTATUS;
        fn NtAlertResumeThread(thread: HANDLE, count: *mut u32) -> NTSTATUS;
        fn NtGetContextThread(thread: HANDLE, context: *mut CONTEXT) -> NTSTATUS;
        fn NtSetContextThread(thread: HANDLE, context: *const CONTEXT) -> NTSTATUS;
        fn NtSetInformationThread(thread: HANDLE, class: u32, value: *const c_void, size: u32) -> NTSTATUS;
        fn NtQueueApcThread(thread: HANDLE, call: usize, a: usize, b: usize, c: usize) -> NTSTATUS;
        fn NtDuplicateObject(from: HANDLE, it: HANDLE, to: HANDLE, at: *mut HANDLE, access: u32, attributes: u32, options: u32) -> NTSTATUS;
    }
}

const OWN: HANDLE = -1_isize as HANDLE;
const ALL: u32 = 0x1F_FFFF;
const COMMIT_RESERVE: u32 = 0x3000;
const READ_WRITE: u32 = 4;

pub fn player(probe: &str) -> Option<Player> {
    probe
        .starts_with("given-")
        .then_some(Player::new(serve, reach))
}

/// A process that nobody minds, and what was told of its handles.
struct Victim(Child, Facts);

impl Served for Victim {
    fn facts(&self) -> Facts {
        self.1.clone()
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve(_: &Ask) -> Step<Box<dyn Served>> {
    let failed = |error: std::io::Error| Seen::Refused(format!("the victim: {error}"));
    let own = std::env::current_exe().map_err(failed)?;
    let mut command = Command::new(own);
    command
        .arg("keep")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let mut victim = Victim(command.spawn().map_err(failed)?, Facts::new());
    let process = victim.0.as_raw_handle().cast();
    let mut thread: HANDLE = null_mut();
    // SAFETY: live handles, locals, and a page of the victim's.
    let page = unsafe {
        let status = NtGetNextThread(process, null_mut(), ALL, 0, 0, &raw mut thread)?;
        nt("its thread", status)?;
        VirtualAllocEx(process, 0, 0x1_0000, COMMIT_RESERVE, READ_WRITE)?
    };
    let thread = Handle(thread);
    victim.1.insert("page".into(), (page as usize).to_string());
    for player in players() {
        for (what, it) in [("process", process), ("thread", thread.0)] {
            if let Ok(given) = give(player, it) {
                victim
                    .1
                    .insert(format!("{what}-{player}"), given.to_string());
            }
        }
    }
    Ok(Box::new(victim))
}

/// The players that this process sees.
fn players() -> Vec<u32> {
    let mut entry = PROCESSENTRY32W {
        dwSize: size_of::<PROCESSENTRY32W>() as u32,
        ..PROCESSENTRY32W::default()
    };
    let mut all = Vec::new();
    // SAFETY: the structure is a local with its size told.
    unsafe {
        let list = Handle(CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0));
        let mut more = Process32FirstW(list.0, &raw mut entry);
        while more != 0 {
            let name = String::from_utf16_lossy(&entry.szExeFile);
            if name.starts_with("pinion_probe") {
                all.push(entry.th32ProcessID);
            }
            more = Process32NextW(list.0, &raw mut entry);
        }
    }
    all
}

/// Puts a handle into a process; its value there.
fn give(player: u32, it: HANDLE) -> Step<usize> {
    const DUPLICATE: u32 = 0x40;
    const SAME_ACCESS: u32 = 2;
    let mut given: HANDLE = null_mut();
    // SAFETY: live handles, and a local.
    unsafe {
        let process = handle("open", OpenProcess(DUPLICATE, 0, player)?)?;
        let done = DuplicateHandle(OWN, it, process.0, &raw mut given, 0, 0, SAME_ACCESS)?;
        win::yes("give", done)?;
    }
    Ok(given as usize)
}

fn reach(ask: &Ask) -> Step<()> {
    let own = std::process::id();
    let given = |what: &str| match fact(ask, &format!("{what}-{own}")) {
        0 => Err(Seen::Refused("it was given none".into())),
        value => Ok(value as usize as HANDLE),
    };
    let (process, thread) = (given("process")?, given("thread")?);
    let page = fact(ask, "page") as usize;
    let status = match ask.probe.as_str() {
        "given-memory" => memory(&ask.way, process, page)?,
        "given-section" => section(&ask.way, process)?,
        "given-thread" => of_thread(&ask.way, process, thread)?,
        _ => of_process(&ask.way, process, thread)?,
    };
    nt("the call", status)
}

fn memory(way: &str, process: HANDLE, page: usize) -> Step<NTSTATUS> {
    let (mut word, mut count, mut at, mut size, mut old) = (0_u32, 0, page, 0x1000, 0);
    let (mut none, place) = (0, (&raw mut word).cast::<c_void>());
    // SAFETY: addresses of the victim's, and locals that have the room told.
    unsafe {
        match way {
            "read" => NtReadVirtualMemory(process, page, place, 4, &raw mut count),
            "write" => NtWriteVirtualMemory(process, page, place, 4, &raw mut count),
            "allocate" => {
                let (none, size) = (&raw mut none, &raw mut size);
                NtAllocateVirtualMemory(process, none, 0, size, COMMIT_RESERVE, READ_WRITE)
            }
            "allocate-ex" => {
                let (at, size) = (&raw mut none, &raw mut size);
                NtAllocateVirtualMemoryEx(process, at, size, COMMIT_RESERVE, READ_WRITE, null(), 0)
            }
            "free" => NtFreeVirtualMemory(process, &raw mut at, &raw mut size, 0x4000),
            "protect" => {
                NtProtectVirtualMemory(process, &raw mut at, &raw mut size, 2, &raw mut old)
            }
            way => win::unknown(way),
        }
    }
}

fn section(way: &str, process: HANDLE) -> Step<NTSTATUS> {
    /// There is no view at the address: the call was let through.
    const NOT_MAPPED: NTSTATUS = 0xC000_0019_u32.cast_signed();
    let (mut at, mut size) = (0, 0);
    // SAFETY: live handles, and locals.
    let status = unsafe {
        let none = OWN;
        let section = CreateFileMappingW(none, null(), READ_WRITE, 0, 0x1000, null())?;
        let section = handle("the section", section)?;
        let (at, size) = (&raw mut at, &raw mut size);
        match way {
            "map" => {
                let offset = null_mut();
                NtMapViewOfSection(section.0, process, at, 0, 0, offset, size, 2, 0, READ_WRITE)?
            }
            "map-ex" => {
                let offset = null_mut();
                NtMapViewOfSectionEx(
                    section.0,
                    process,
                    at,
                    offset,
                    size,
                    0,
                    READ_WRITE,
                    null(),
                    0,
                )?
            }
            "unmap" => NtUnmapViewOfSection(process, 0x1_0000)?,
            "unmap-ex" => NtUnmapViewOfSectionEx(process, 0x1_0000, 0)?,
            way => return win::unknown(way),
        }
    };
    Ok(if status == NOT_MAPPED { 0 } else { status })
}

fn of_process(way: &str, process: HANDLE, thread: HANDLE) -> Step<NTSTATUS> {
    /// The thread has no token of its own: the call was let through.
    const NO_TOKEN: NTSTATUS = 0xC000_007C_u32.cast_signed();
    /// Nobody debugs the process by that object.
    const NOT_DEBUGGED: NTSTATUS = 0xC000_0353_u32.cast_signed();
    const QUERY: u32 = 8;
    let mut got: HANDLE = null_mut();
    let at = &raw mut got;
    // SAFETY: live handles, and locals of the sizes told.
    let status = unsafe {
        match way {
            "terminate" => NtTerminateProcess(process, 7)?,
            "suspend" => NtSuspendProcess(process)?,
            "resume" => NtResumeProcess(process)?,
            "affinity" => {
                let mask = 1_usize;
                NtSetInformationProcess(process, 21, (&raw const mask).cast(), 8)?
            }
            "assign" => {
                let job = handle("the job", CreateJobObjectW(null(), null())?)?;
                NtAssignProcessToJobObject(job.0, process)?
            }
            "debug" | "remove" => {
                nt("the debug object", NtCreateDebugObject(at, ALL, null(), 0)?)?;
                let debug = Handle(got);
                if way == "debug" {
                    NtDebugActiveProcess(process, debug.0)?
                } else {
                    NtRemoveProcessDebug(process, debug.0)?
                }
            }
            "take" => NtDuplicateObject(process, 4 as HANDLE, OWN, at, 0, 0, 2)?,
            "of-process" => NtOpenProcessToken(process, QUERY, at)?,
            "of-process-ex" => NtOpenProcessTokenEx(process, QUERY, 0, at)?,
            "of-thread" => NtOpenThreadToken(thread, QUERY, 1, at)?,
            "of-thread-ex" => NtOpenThreadTokenEx(thread, QUERY, 1, 0, at)?,
            way => return win::unknown(way),
        }
    };
    Ok(if matches!(status, NO_TOKEN | NOT_DEBUGGED) {
        0
    } else {
        status
    })
}

fn of_thread(way: &str, process: HANDLE, thread: HANDLE) -> Step<NTSTATUS> {
    const CONTROL: u32 = 0x10_0001;
    let (mut count, mut made, priority) = (0, null_mut(), 1_u32);
    // Aligned as the system wants it.
    let mut context = Box::new(CONTEXT {
        ContextFlags: CONTROL,
        ..CONTEXT::default()
    });
    // SAFETY: live handles, and locals of the sizes told. The new thread never runs.
    unsafe {
        match way {
            "suspend" => NtSuspendThread(thread, &raw mut count),
            "resume" => NtResumeThread(thread, &raw mut count),
            "alert" => NtAlertThread(thread),
            "alert-resume" => NtAlertResumeThread(thread, &raw mut count),
            "context" => NtGetContextThread(thread, &raw mut *context),
            "set-context" => {
                // Nothing of it is set.
                context.ContextFlags = 0x10_0000;
                NtSetContextThread(thread, &raw const *context)
            }
            "priority" => NtSetInformationThread(thread, 3, (&raw const priority).cast(), 4),
            "queue-apc" => NtQueueApcThread(thread, 0x1000, 0, 0, 0),
            "terminate" => NtTerminateThread(thread, 7),
            "next" => NtGetNextThread(process, null_mut(), ALL, 0, 0, &raw mut made),
            "create" => {
                let at = &raw mut made;
                NtCreateThreadEx(at, ALL, null(), process, 0x1000, 0, 1, 0, 0, 0, null())
            }
            way => win::unknown(way),
        }
    }
}
