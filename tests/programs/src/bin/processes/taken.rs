//! Handles of processes and threads that somebody else gave: all that can be
//! done by them, as statuses.

use crate::nt;
use core::ffi::{CStr, c_void};
use core::ptr::{null, null_mut};
use pinion_test_programs::{say, wide};
use serde_json::{Map, Value, json};
use std::process::{Command, Stdio};
use std::time::Duration;
use windows_sys::Win32::Foundation::{
    CloseHandle, DUPLICATE_SAME_ACCESS, DuplicateHandle, HANDLE, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::System::JobObjects::CreateJobObjectW;
use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress};
use windows_sys::Win32::System::Memory::{CreateFileMappingW, PAGE_READWRITE};
use windows_sys::Win32::System::Threading::{
    CreateEventW, GetCurrentProcess, OpenProcess, OpenThread, PROCESS_ALL_ACCESS, THREAD_ALL_ACCESS,
};

/// `NtCurrentProcess()`.
const OWN: usize = usize::MAX;

/// Says its id, waits until the file tells the values of handles, and uses them.
pub fn take(file: &str) -> Value {
    say(&json!({"pid": std::process::id()}));
    loop {
        let told = std::fs::read_to_string(file).unwrap_or_default();
        if let [process, thread] = told.split_whitespace().collect::<Vec<_>>()[..] {
            let number = |text: &str| text.parse().unwrap_or(0);
            return all(number(process), number(thread));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Gives a process handles of another's process and thread; their values there.
pub fn give(process: u32, thread: u32, to: u32) -> Value {
    // SAFETY: the handles are ours, and the process's end closes them.
    unsafe {
        let target = OpenProcess(PROCESS_ALL_ACCESS, 0, to);
        let given = [
            OpenProcess(PROCESS_ALL_ACCESS, 0, process),
            OpenThread(THREAD_ALL_ACCESS, 0, thread),
        ];
        let values = given.map(|handle| {
            let mut there = null_mut();
            let own = GetCurrentProcess();
            DuplicateHandle(
                own,
                handle,
                target,
                &raw mut there,
                0,
                0,
                DUPLICATE_SAME_ACCESS,
            );
            there.addr()
        });
        json!(values)
    }
}

/// The same by handles of a child of this program's own.
pub fn of_child() -> Value {
    let exe = std::env::current_exe().expect("a program knows its path");
    let child = Command::new(exe)
        .args(["hold", "60"])
        .stdout(Stdio::piped())
        .spawn();
    let mut child = child.expect("the program runs");
    let mut line = String::new();
    let mut output = std::io::BufReader::new(child.stdout.take().expect("piped"));
    std::io::BufRead::read_line(&mut output, &mut line).expect("a line");
    let said: Value = serde_json::from_str(&line).expect("JSON");
    let id = |name: &str| said[name].as_u64().unwrap_or(0) as u32;
    // SAFETY: handles of ours, closed once.
    let told = unsafe {
        let process = OpenProcess(PROCESS_ALL_ACCESS, 0, id("pid"));
        let thread = OpenThread(THREAD_ALL_ACCESS, 0, id("tid"));
        let told = all(process.addr(), thread.addr());
        CloseHandle(process);
        CloseHandle(thread);
        told
    };
    let _ = child.wait();
    told
}

/// The status of a system call by its name; `None` when this ntdll lacks it.
fn call(name: &CStr, arguments: &[usize]) -> Option<i32> {
    type Call = unsafe extern "system" fn(
        usize,
        usize,
        usize,
        usize,
        usize,
        usize,
        usize,
        usize,
        usize,
        usize,
        usize,
    ) -> i32;
    let module = wide("ntdll.dll");
    let word = |index: usize| arguments.get(index).copied().unwrap_or(0);
    // SAFETY: both names end in a zero; a system call reads no more arguments
    // than it has, and these are handles, numbers, and places that live.
    unsafe {
        let found = GetProcAddress(GetModuleHandleW(module.as_ptr()), name.as_ptr().cast())?;
        let call: Call = core::mem::transmute(found);
        Some(call(
            word(0),
            word(1),
            word(2),
            word(3),
            word(4),
            word(5),
            word(6),
            word(7),
            word(8),
            word(9),
            word(10),
        ))
    }
}

/// What each call gave, by its name.
struct Told(Map<String, Value>);

impl Told {
    fn ask(&mut self, name: &CStr, arguments: &[usize]) {
        let status = call(name, arguments).map(|status| format!("{:x}", status.cast_unsigned()));
        let name = name.to_str().expect("ASCII").to_owned();
        let again = self.0.contains_key(&name);
        self.0
            .insert(if again { name + " again" } else { name }, json!(status));
    }
}

/// Everything, the end last.
fn all(process: usize, thread: usize) -> Value {
    let mut told = Told(Map::new());
    memory(&mut told, process);
    sections(&mut told, process);
    others(&mut told, process);
    threads(&mut told, process, thread);
    told.ask(c"NtSuspendProcess", &[process]);
    told.ask(c"NtResumeProcess", &[process]);
    told.ask(c"NtTerminateThread", &[thread, 7]);
    told.ask(c"NtTerminateProcess", &[process, 7]);
    Value::Object(told.0)
}

fn place<T>(of: &mut T) -> usize {
    core::ptr::from_mut(of).addr()
}

fn memory(told: &mut Told, process: usize) {
    let (mut base, mut size, mut done, mut old) = (0_usize, 4096_usize, 0_usize, 0_u32);
    let mut buffer = [0_u64; 4];
    let (at, length, buffer) = (place(&mut base), place(&mut size), place(&mut buffer));
    told.ask(
        c"NtAllocateVirtualMemory",
        &[process, at, 0, length, 0x3000, 4],
    );
    // What is written is this program's own when there is no memory there.
    let there = if base == 0 { buffer } else { base };
    let done = place(&mut done);
    told.ask(c"NtWriteVirtualMemory", &[process, there, buffer, 32, done]);
    told.ask(c"NtReadVirtualMemory", &[process, there, buffer, 32, done]);
    told.ask(
        c"NtProtectVirtualMemory",
        &[process, at, length, 4, place(&mut old)],
    );
    size = 0;
    told.ask(
        c"NtFreeVirtualMemory",
        &[process, at, place(&mut size), 0x8000],
    );
    (base, size) = (0, 4096);
    let (at, length) = (place(&mut base), place(&mut size));
    told.ask(
        c"NtAllocateVirtualMemoryEx",
        &[process, at, length, 0x3000, 4, 0, 0],
    );
}

fn sections(told: &mut Told, process: usize) {
    // SAFETY: no name, no file; the handle is ours until the process ends.
    let section = unsafe {
        CreateFileMappingW(
            INVALID_HANDLE_VALUE,
            null(),
            PAGE_READWRITE,
            0,
            4096,
            null(),
        )
    };
    let (mut base, mut size) = (0_usize, 0_usize);
    let (at, length) = (place(&mut base), place(&mut size));
    let section = section.addr();
    told.ask(
        c"NtMapViewOfSection",
        &[section, process, at, 0, 0, 0, length, 2, 0, 4],
    );
    told.ask(c"NtUnmapViewOfSection", &[process, base]);
    (base, size) = (0, 0);
    let (at, length) = (place(&mut base), place(&mut size));
    told.ask(
        c"NtMapViewOfSectionEx",
        &[section, process, at, 0, length, 0, 4, 0, 0],
    );
    told.ask(c"NtUnmapViewOfSectionEx", &[process, base, 0]);
}

fn others(told: &mut Told, process: usize) {
    let (mut there, mut back, mut token) = (0_usize, 0_usize, 0_usize);
    // SAFETY: no name; the handles are ours until the process ends.
    let (event, job) = unsafe {
        let event: HANDLE = CreateEventW(null(), 1, 0, null());
        (event.addr(), CreateJobObjectW(null(), null()).addr())
    };
    let same = DUPLICATE_SAME_ACCESS as usize;
    told.ask(
        c"NtDuplicateObject",
        &[OWN, event, process, place(&mut there), 0, 0, same],
    );
    told.ask(
        c"NtDuplicateObject",
        &[process, there, OWN, place(&mut back), 0, 0, same],
    );
    told.ask(c"NtOpenProcessToken", &[process, 8, place(&mut token)]);
    told.ask(c"NtOpenProcessTokenEx", &[process, 8, 0, place(&mut token)]);
    let mut class = [0_u8, 2];
    // ProcessPriorityClass: normal.
    told.ask(
        c"NtSetInformationProcess",
        &[process, 18, place(&mut class), 2],
    );
    told.ask(c"NtAssignProcessToJobObject", &[job, process]);
    let (mut debug, mut attributes) = (0_usize, nt::plain());
    let attributes = place(&mut attributes);
    let made = call(
        c"NtCreateDebugObject",
        &[place(&mut debug), 0x1f_000f, attributes, 0],
    );
    assert_eq!(made, Some(0), "a debug object of its own");
    told.ask(c"NtDebugActiveProcess", &[process, debug]);
    told.ask(c"NtRemoveProcessDebug", &[process, debug]);
}

fn threads(told: &mut Told, process: usize, thread: usize) {
    /// `CONTEXT` must lie at 16 bytes; the flags are at 0x30.
    #[repr(align(16))]
    struct Context([u32; 400]);
    let (mut made, mut next, mut token) = (0_usize, 0_usize, 0_usize);
    let mut context = Context([0; 400]);
    context.0[12] = 0x10_0001;
    let context = place(&mut context);
    let mut priority = 0_i32;
    let module = wide("kernel32.dll");
    // SAFETY: both names end in a zero.
    let start = unsafe {
        let found = GetProcAddress(
            GetModuleHandleW(module.as_ptr()),
            c"GetCurrentThreadId".as_ptr().cast(),
        );
        found.map_or(0, |found| found as *const c_void as usize)
    };
    told.ask(
        c"NtCreateThreadEx",
        &[
            place(&mut made),
            0x1f_ffff,
            0,
            process,
            start,
            0,
            0,
            0,
            0,
            0,
            0,
        ],
    );
    told.ask(
        c"NtGetNextThread",
        &[process, 0, 0x800, 0, 0, place(&mut next)],
    );
    told.ask(c"NtSuspendThread", &[thread, 0]);
    told.ask(c"NtGetContextThread", &[thread, context]);
    told.ask(c"NtSetContextThread", &[thread, context]);
    told.ask(c"NtResumeThread", &[thread, 0]);
    told.ask(c"NtQueueApcThread", &[thread, start, 0, 0, 0]);
    told.ask(c"NtQueueApcThreadEx", &[thread, 0, start, 0, 0, 0]);
    told.ask(c"NtQueueApcThreadEx2", &[thread, 0, 0, start, 0, 0, 0]);
    // ThreadBasePriority.
    told.ask(
        c"NtSetInformationThread",
        &[thread, 3, place(&mut priority), 4],
    );
    told.ask(c"NtOpenThreadToken", &[thread, 8, 1, place(&mut token)]);
    told.ask(
        c"NtOpenThreadTokenEx",
        &[thread, 8, 1, 0, place(&mut token)],
    );
    told.ask(c"NtAlertThread", &[thread]);
    told.ask(c"NtAlertResumeThread", &[thread, 0]);
}
