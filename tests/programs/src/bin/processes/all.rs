//! All that one process can do to another by its id, done to children of its
//! own: a JSON object of what each gave, the same inside a VM and outside.

use crate::lists;
use crate::nt::{self, ClientId};
use core::ffi::c_void;
use core::ptr::{null, null_mut};
use pinion_test_programs::{last_error, wide};
use serde_json::{Map, Value, json};
use windows_sys::Win32::Foundation::{
    CloseHandle, DUPLICATE_SAME_ACCESS, DuplicateHandle, HANDLE, WAIT_OBJECT_0,
};
use windows_sys::Win32::Security::TOKEN_QUERY;
use windows_sys::Win32::System::Diagnostics::Debug::{
    CONTEXT, GetThreadContext, ReadProcessMemory, WriteProcessMemory,
};
use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, IsProcessInJob,
};
use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress};
use windows_sys::Win32::System::Memory::{MEM_COMMIT, PAGE_READWRITE, VirtualAllocEx};
use windows_sys::Win32::System::Threading::{
    BELOW_NORMAL_PRIORITY_CLASS, CREATE_SUSPENDED, CreateEventW, CreateProcessW,
    CreateRemoteThread, DeleteProcThreadAttributeList, EXTENDED_STARTUPINFO_PRESENT,
    GetCurrentProcess, GetExitCodeProcess, GetExitCodeThread, GetPriorityClass, GetProcessId,
    InitializeProcThreadAttributeList, OpenProcess, OpenProcessToken, OpenThread,
    PROC_THREAD_ATTRIBUTE_PARENT_PROCESS, PROCESS_ALL_ACCESS, PROCESS_CREATE_PROCESS,
    PROCESS_INFORMATION, PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_SYNCHRONIZE, QueueUserAPC,
    ResumeThread, STARTUPINFOEXW, STARTUPINFOW, SetEvent, SetPriorityClass, SuspendThread,
    THREAD_ALL_ACCESS, TerminateProcess, UpdateProcThreadAttribute, WaitForSingleObject,
};

const WAIT_MS: u32 = 20_000;

/// A child that waits, or has not begun.
struct Child {
    process: HANDLE,
    thread: HANDLE,
    pid: u32,
    tid: u32,
}

impl Drop for Child {
    fn drop(&mut self) {
        // SAFETY: handles of ours, closed once.
        unsafe {
            TerminateProcess(self.process, 1);
            CloseHandle(self.process);
            CloseHandle(self.thread);
        }
    }
}

/// Starts a child of `parent`, when there is one, else of this process.
fn start(words: &str, flags: u32, parent: Option<HANDLE>) -> Result<Child, u32> {
    let exe = std::env::current_exe().expect("a program knows its path");
    let mut line = wide(&format!("\"{}\" {words}", exe.display()));
    let mut startup = STARTUPINFOEXW::default();
    startup.StartupInfo.cb = size_of::<STARTUPINFOW>() as u32;
    let mut list = [0_usize; 32];
    let mut made = PROCESS_INFORMATION::default();
    let mut flags = flags;
    // SAFETY: all strings end in a zero; the list has room for one attribute;
    // everything outlives the call.
    let done = unsafe {
        if let Some(parent) = &parent {
            let mut size = size_of_val(&list);
            startup.StartupInfo.cb = size_of::<STARTUPINFOEXW>() as u32;
            startup.lpAttributeList = list.as_mut_ptr().cast();
            flags |= EXTENDED_STARTUPINFO_PRESENT;
            InitializeProcThreadAttributeList(startup.lpAttributeList, 1, 0, &raw mut size);
            UpdateProcThreadAttribute(
                startup.lpAttributeList,
                0,
                PROC_THREAD_ATTRIBUTE_PARENT_PROCESS as usize,
                core::ptr::from_ref(parent).cast(),
                size_of::<HANDLE>(),
                null_mut(),
                null_mut(),
            );
        }
        let done = CreateProcessW(
            null(),
            line.as_mut_ptr(),
            null(),
            null(),
            0,
            flags,
            null(),
            null(),
            (&raw const startup).cast(),
            &raw mut made,
        );
        let error = last_error();
        if parent.is_some() {
            DeleteProcThreadAttributeList(startup.lpAttributeList);
        }
        if done == 0 { Err(error) } else { Ok(()) }
    };
    done.map(|()| Child {
        process: made.hProcess,
        thread: made.hThread,
        pid: made.dwProcessId,
        tid: made.dwThreadId,
    })
}

/// Everything, by name.
pub fn all() -> Value {
    let child = match start("hold 60", 0, None) {
        Ok(child) => child,
        Err(error) => return json!({"child": error}),
    };
    let mut told = Map::new();
    // SAFETY: no pointers; closed below.
    let opened = unsafe { OpenProcess(PROCESS_ALL_ACCESS, 0, child.pid) };
    told.insert(
        "open".into(),
        json!(if opened.is_null() { last_error() } else { 0 }),
    );
    told.insert("memory".into(), memory(opened));
    told.insert("remote thread".into(), remote_thread(opened));
    told.insert("handles".into(), handles(opened));
    told.insert("token".into(), token(opened));
    told.insert("priority".into(), priority(opened));
    told.insert("suspend".into(), suspend(opened, &child));
    told.insert("thread".into(), thread(&child));
    told.insert("apc".into(), apc());
    told.insert("job".into(), job());
    told.insert("lists".into(), in_lists(&child));
    told.insert("ids".into(), ids(&child));
    told.insert("parents".into(), parents(&child));
    told.insert("end".into(), end(opened, &child));
    // SAFETY: the handle is ours.
    unsafe { CloseHandle(opened) };
    Value::Object(told)
}

/// Writes to a child's memory and reads it back.
fn memory(process: HANDLE) -> Value {
    let (text, mut back, mut done) = (*b"written from outside", [0; 20], 0);
    // SAFETY: the buffers are locals of the sizes told.
    unsafe {
        let at = VirtualAllocEx(process, null(), 4096, MEM_COMMIT, PAGE_READWRITE);
        let wrote = WriteProcessMemory(process, at, text.as_ptr().cast(), 20, &raw mut done);
        let read = ReadProcessMemory(process, at, back.as_mut_ptr().cast(), 20, &raw mut done);
        json!([!at.is_null(), wrote, read, back == text])
    }
}

/// An export of kernel32, which has one address in all processes.
fn kernel32(name: &core::ffi::CStr) -> Option<unsafe extern "system" fn() -> isize> {
    let module = wide("kernel32.dll");
    // SAFETY: both names end in a zero.
    unsafe { GetProcAddress(GetModuleHandleW(module.as_ptr()), name.as_ptr().cast()) }
}

/// Asks a child for its own id by a thread in it; whether it is the right one.
fn remote_thread(process: HANDLE) -> Value {
    let Some(start) = kernel32(c"GetCurrentProcessId") else {
        return Value::Null;
    };
    let mut code = 0;
    // SAFETY: the function takes no argument and returns 32 bits, so it serves as
    // a thread's; the handles are locals.
    unsafe {
        let start: unsafe extern "system" fn(*mut c_void) -> u32 = core::mem::transmute(start);
        let thread = CreateRemoteThread(process, null(), 0, Some(start), null(), 0, null_mut());
        let waited = WaitForSingleObject(thread, WAIT_MS);
        GetExitCodeThread(thread, &raw mut code);
        CloseHandle(thread);
        json!([waited == WAIT_OBJECT_0, code == GetProcessId(process)])
    }
}

/// Duplicates an event there and back; the one that comes back is the same.
fn handles(process: HANDLE) -> Value {
    let (mut there, mut back) = (null_mut(), null_mut());
    // SAFETY: all handles are ours; the pointers are to locals.
    unsafe {
        let own = GetCurrentProcess();
        let event = CreateEventW(null(), 1, 0, null());
        let out = DuplicateHandle(
            own,
            event,
            process,
            &raw mut there,
            0,
            0,
            DUPLICATE_SAME_ACCESS,
        );
        let home = DuplicateHandle(
            process,
            there,
            own,
            &raw mut back,
            0,
            0,
            DUPLICATE_SAME_ACCESS,
        );
        let set = SetEvent(back);
        json!([
            out,
            home,
            set,
            WaitForSingleObject(event, 0) == WAIT_OBJECT_0
        ])
    }
}

fn token(process: HANDLE) -> Value {
    let mut token = null_mut();
    // SAFETY: the pointer is to a local.
    let done = unsafe { OpenProcessToken(process, TOKEN_QUERY, &raw mut token) };
    json!(done)
}

fn priority(process: HANDLE) -> Value {
    // SAFETY: no pointers.
    unsafe {
        let set = SetPriorityClass(process, BELOW_NORMAL_PRIORITY_CLASS);
        json!([
            set,
            GetPriorityClass(process) == BELOW_NORMAL_PRIORITY_CLASS
        ])
    }
}

fn suspend(process: HANDLE, child: &Child) -> Value {
    // SAFETY: no pointers.
    unsafe {
        let whole = [nt::NtSuspendProcess(process), nt::NtResumeProcess(process)];
        json!([
            whole,
            SuspendThread(child.thread),
            ResumeThread(child.thread)
        ])
    }
}

/// Opens a child's thread by its id, in every form of the id, and looks at it.
fn thread(child: &Child) -> Value {
    /// `CONTEXT` must lie at 16 bytes.
    #[repr(align(16))]
    #[derive(Default)]
    struct Aligned(CONTEXT);
    let mut context = Aligned::default();
    context.0.ContextFlags = 0x10_0001;
    let (process, tid) = (child.pid as usize, child.tid as usize);
    // SAFETY: the structure is a local; handles are closed once.
    unsafe {
        let thread = OpenThread(THREAD_ALL_ACCESS, 0, child.tid);
        let suspended = SuspendThread(thread);
        let got = GetThreadContext(thread, &raw mut context.0);
        let resumed = ResumeThread(thread);
        CloseHandle(thread);
        let own = ClientId {
            process: 0,
            thread: nt::own_thread() as usize,
        };
        json!([
            !thread.is_null(),
            suspended,
            got,
            context.0.Rip != 0,
            resumed,
            nt::open(
                true,
                0x800,
                ClientId {
                    process: 0,
                    thread: tid
                }
            ),
            nt::open(
                true,
                0x800,
                ClientId {
                    process,
                    thread: tid
                }
            ),
            nt::open(true, 0x1f_ffff, own),
        ])
    }
}

/// Queues a call to a child that has not begun; it ends by it.
fn apc() -> Value {
    let child = match start("hold 60", CREATE_SUSPENDED, None) {
        Ok(child) => child,
        Err(error) => return json!(error),
    };
    let Some(exit) = kernel32(c"ExitProcess") else {
        return Value::Null;
    };
    let mut code = 0;
    // SAFETY: `ExitProcess` takes one argument, as an APC does.
    unsafe {
        let exit: unsafe extern "system" fn(usize) = core::mem::transmute(exit);
        let thread = OpenThread(THREAD_ALL_ACCESS, 0, child.tid);
        let queued = QueueUserAPC(Some(exit), thread, 33);
        CloseHandle(thread);
        ResumeThread(child.thread);
        let waited = WaitForSingleObject(child.process, WAIT_MS);
        GetExitCodeProcess(child.process, &raw mut code);
        json!([queued != 0, waited == WAIT_OBJECT_0, code])
    }
}

/// Puts a child into a job of this program's own.
fn job() -> Value {
    let child = match start("hold 60", CREATE_SUSPENDED, None) {
        Ok(child) => child,
        Err(error) => return json!(error),
    };
    let mut inside = 0;
    // SAFETY: no name; the pointers are to locals.
    unsafe {
        let job = CreateJobObjectW(null(), null());
        let process = OpenProcess(PROCESS_ALL_ACCESS, 0, child.pid);
        let done = AssignProcessToJobObject(job, process);
        IsProcessInJob(process, job, &raw mut inside);
        let still = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, child.pid);
        json!([done, inside, !still.is_null()])
    }
}

/// Whether the child is in every list, and this program.
fn in_lists(child: &Child) -> Value {
    let told = lists::all();
    let own = std::process::id();
    let has = |way: &str, id: u32| {
        let ids = told["lists"][way].as_array();
        ids.is_some_and(|ids| ids.contains(&json!(id)))
    };
    let ways = ["toolhelp", "threads", "psapi", "wts", "class 5", "class 57"];
    let both = ways.map(|way| has(way, own) && has(way, child.pid));
    let parents = told["parents"].as_array();
    let parent = parents.is_some_and(|all| all.contains(&json!([child.pid, own])));
    let thread = lists::threads().contains(&(child.tid, child.pid));
    let named = told["names"].as_array();
    let named = named.is_some_and(|names| names.contains(&json!("processes.exe")));
    json!([both, parent, thread, named])
}

/// Odd ids, and the image by an id, which Wine 8 does not tell.
fn ids(child: &Child) -> Value {
    let process = |id| {
        nt::open(
            false,
            0x1000,
            ClientId {
                process: id,
                thread: 0,
            },
        )
    };
    let image = lists::image_of_id(child.pid).map(|path| lists::file_name(&path));
    json!([
        process(0),
        process(usize::MAX),
        process(child.tid as usize),
        nt::open(
            true,
            0x800,
            ClientId {
                process: 0,
                thread: 0
            }
        ),
        nt::open(
            true,
            0x800,
            ClientId {
                process: 0,
                thread: child.pid as usize
            }
        ),
        image,
        lists::image_of_id(0).err(),
        lists::image_of_id(0xfff0).err(),
    ])
}

/// Children whose parent is this program, by its pseudo handle and by one that
/// creates only, and whose parent is another child.
fn parents(child: &Child) -> Value {
    let run = |parent: HANDLE| -> Value {
        let mut code = 0;
        match start("hold 0.1", 0, Some(parent)) {
            Err(error) => json!(error),
            // SAFETY: the pointer is to a local.
            Ok(made) => unsafe {
                let waited = WaitForSingleObject(made.process, WAIT_MS);
                GetExitCodeProcess(made.process, &raw mut code);
                json!([waited == WAIT_OBJECT_0, code])
            },
        }
    };
    // SAFETY: no pointers.
    unsafe {
        let own = OpenProcess(PROCESS_CREATE_PROCESS, 0, std::process::id());
        let other = OpenProcess(PROCESS_ALL_ACCESS, 0, child.pid);
        json!([
            run(GetCurrentProcess()),
            run(own),
            run(other),
            run(null_mut::<c_void>().wrapping_byte_add(0x7ff0))
        ])
    }
}

/// Ends a child by its id.
fn end(process: HANDLE, child: &Child) -> Value {
    let mut code = 0;
    // SAFETY: the pointer is to a local.
    unsafe {
        let waiter = OpenProcess(PROCESS_SYNCHRONIZE, 0, child.pid);
        let ended = TerminateProcess(process, 77);
        let waited = WaitForSingleObject(waiter, WAIT_MS);
        GetExitCodeProcess(child.process, &raw mut code);
        json!([!waiter.is_null(), ended, waited == WAIT_OBJECT_0, code])
    }
}
