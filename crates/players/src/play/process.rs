//! A process whose ids and addresses are known: what can be opened, read,
//! written, started and ended in it.

use super::window::fact;
use super::{Player, Served};
use crate::imports;
use crate::win::{self, Handle, Step, handle, last, nt};
use core::ffi::c_void;
use core::ptr::{null, null_mut};
use pinion_probes::{Ask, Facts, Seen};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS};

/// A process's and a thread's number, as NT takes them.
pub type ClientId = [usize; 2];

imports! {
    "kernel32.dll" {
        fn OpenProcess(access: u32, inherit: i32, process: u32) -> HANDLE;
        fn OpenThread(access: u32, inherit: i32, thread: u32) -> HANDLE;
        fn GetCurrentThreadId() -> u32;
        fn GetProcessId(process: HANDLE) -> u32;
        fn SleepEx(milliseconds: u32, alertable: i32) -> u32;
        fn CreateEventW(security: *const c_void, manual: i32, set: i32, name: *const u16) -> HANDLE;
        fn WaitForSingleObject(object: HANDLE, milliseconds: u32) -> u32;
    }
    "ntdll.dll" {
        fn NtOpenProcess(h: *mut HANDLE, access: u32, oa: *const OBJECT_ATTRIBUTES, id: *const ClientId) -> NTSTATUS;
        fn NtOpenThread(h: *mut HANDLE, access: u32, oa: *const OBJECT_ATTRIBUTES, id: *const ClientId) -> NTSTATUS;
    }
}

/// Where clients write, or what their code in this process writes to.
static CELL: AtomicU32 = AtomicU32::new(0);
/// What clients read.
static SECRET: AtomicU32 = AtomicU32::new(0);

/// What an APC or a thread that a client starts runs: it leaves its argument.
unsafe extern "system" fn leave(token: usize) -> u32 {
    CELL.store(token as u32, Ordering::SeqCst);
    0
}

pub fn player(probe: &str) -> Option<Player> {
    let reach: fn(&Ask) -> Step<()> = match probe {
        "process" => super::process_open::reach,
        "victim" => super::process_victim::reach,
        "thread" => super::process_code::reach,
        "thread-handle" => super::process_threads::reach,
        "memory-read" | "memory-write" | "memory-make" => super::process_memory::reach,
        "handle" | "handle-given" => super::process_handles::reach,
        "token" => super::process_handles::token,
        "process-list" => super::process_lists::reach,
        "console" => super::process_open::console,
        _ => return None,
    };
    Some(Player::new(serve, reach))
}

struct Process {
    victim: Child,
    event: Handle,
    stop: &'static AtomicBool,
    alertable: Option<JoinHandle<()>>,
    facts: Facts,
}

impl Served for Process {
    fn facts(&self) -> Facts {
        self.facts.clone()
    }

    fn felt(&mut self, token: u32) -> bool {
        // A handle that was taken has set the event; one that was closed is none.
        // SAFETY: an event of this value's own.
        let event = unsafe { WaitForSingleObject(self.event.0, 0) };
        CELL.load(Ordering::SeqCst) == token || !matches!(event, Ok(258))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.alertable.take() {
            let _ = thread.join();
        }
        let _ = self.victim.kill();
        let _ = self.victim.wait();
    }
}

static STOP: AtomicBool = AtomicBool::new(false);

fn serve(ask: &Ask) -> Step<Box<dyn Served>> {
    SECRET.store(ask.secret, Ordering::SeqCst);
    CELL.store(0, Ordering::SeqCst);
    STOP.store(false, Ordering::SeqCst);
    let failed = |error: std::io::Error| Seen::Refused(format!("the victim: {error}"));
    let own = std::env::current_exe().map_err(failed)?;
    let mut victim = Command::new(own);
    victim
        .arg("keep")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let victim = victim.spawn().map_err(failed)?;
    // SAFETY: no pointer but none.
    let event = handle("the event", unsafe { CreateEventW(null(), 1, 0, null())? })?;
    let (tell, told) = std::sync::mpsc::channel();
    let alertable = std::thread::spawn(move || {
        // SAFETY: no pointer is given.
        let _ = tell.send(unsafe { GetCurrentThreadId() }.unwrap_or(0));
        while !STOP.load(Ordering::SeqCst) {
            // SAFETY: no pointer is given.
            let _ = unsafe { SleepEx(10, 1) };
        }
    });
    let facts = [
        ("process", std::process::id() as usize),
        ("thread", told.recv().unwrap_or(0) as usize),
        ("victim", victim.id() as usize),
        ("cell", CELL.as_ptr() as usize),
        ("secret", SECRET.as_ptr() as usize),
        ("leave", leave as *const () as usize),
        ("event", event.0 as usize),
    ];
    let facts = facts.map(|(name, number)| (name.to_owned(), number.to_string()));
    Ok(Box::new(Process {
        victim,
        event,
        stop: &STOP,
        alertable: Some(alertable),
        facts: Facts::from(facts),
    }))
}

/// The server's process.
pub fn open(ask: &Ask, access: u32) -> Step<Handle> {
    open_id(fact(ask, "process") as u32, access)
}

/// A process by its id.
pub fn open_id(process: u32, access: u32) -> Step<Handle> {
    // SAFETY: only numbers are given.
    handle("open", unsafe { OpenProcess(access, 0, process)? })
}

/// The server's alertable thread.
pub fn open_thread(ask: &Ask, access: u32) -> Step<Handle> {
    // SAFETY: only numbers are given.
    handle("open", unsafe {
        OpenThread(access, 0, fact(ask, "thread") as u32)?
    })
}

/// A process by NT's own call.
pub fn open_native(id: ClientId, access: u32) -> Step<Handle> {
    let mut h: HANDLE = null_mut();
    // SAFETY: all pointers are to locals that outlive the call.
    let status = win::with_attributes(null_mut(), "", |oa| unsafe {
        let mut oa = *oa;
        oa.ObjectName = null();
        NtOpenProcess(&raw mut h, access, &raw const oa, &raw const id)
    })?;
    nt("open", status)?;
    Ok(Handle(h))
}

/// A thread by NT's own call.
pub fn open_thread_native(id: ClientId, access: u32) -> Step<Handle> {
    let mut h: HANDLE = null_mut();
    // SAFETY: all pointers are to locals that outlive the call.
    let status = win::with_attributes(null_mut(), "", |oa| unsafe {
        let mut oa = *oa;
        oa.ObjectName = null();
        NtOpenThread(&raw mut h, access, &raw const oa, &raw const id)
    })?;
    nt("open", status)?;
    Ok(Handle(h))
}

/// That the handle is of the server's process.
pub fn is_server(process: &Handle, ask: &Ask) -> Step<()> {
    // SAFETY: a live handle.
    let id = unsafe { GetProcessId(process.0)? };
    if id == 0 {
        return Err(last("ask for its id"));
    }
    win::token(id, fact(ask, "process") as u32)
}
