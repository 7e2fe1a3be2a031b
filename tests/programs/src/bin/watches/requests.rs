//! Handles of directories and requests on them. What the kernel writes to lives
//! as long as the process.

use core::ffi::c_void;
use core::ptr::{null, null_mut};
use pinion_test_programs::nt::{Handle, NtCreateEvent, NtCreateIoCompletion, hex};
use pinion_test_programs::{last_error, wide};
use serde_json::{Value, json};
use std::collections::HashMap;
use windows_sys::Win32::Foundation::{
    DUPLICATE_SAME_ACCESS, DuplicateHandle, HANDLE, INVALID_HANDLE_VALUE, NTSTATUS, WAIT_OBJECT_0,
};
use windows_sys::Win32::Storage::FileSystem::{
    CreateFileW, FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OVERLAPPED, FILE_LIST_DIRECTORY,
    FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE, OPEN_EXISTING,
};
use windows_sys::Win32::System::IO::{
    CreateIoCompletionPort, GetQueuedCompletionStatus, OVERLAPPED,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, SleepEx, WaitForSingleObject};

type Io = [usize; 2];

#[link(name = "ntdll", kind = "raw-dylib")]
unsafe extern "system" {
    fn NtNotifyChangeDirectoryFile(
        file: HANDLE,
        event: HANDLE,
        apc: *const c_void,
        context: *const c_void,
        io: *mut Io,
        buffer: *mut c_void,
        length: u32,
        filter: u32,
        subtree: u8,
    ) -> NTSTATUS;
    fn NtCancelIoFile(file: HANDLE, io: *mut Io) -> NTSTATUS;
    fn NtCancelIoFileEx(file: HANDLE, request: *mut Io, io: *mut Io) -> NTSTATUS;
}

const ALL: u32 = 0x1F_0003;
const PENDING: usize = 0x103;
const KEY: usize = 77;
/// How long a change that must come may take, in milliseconds.
const LONG: u32 = 30_000;

/// Handles and requests by their names.
#[derive(Default)]
pub struct Watches {
    handles: HashMap<String, Handle>,
    ports: HashMap<String, Handle>,
    requests: HashMap<String, Request>,
}

/// What the kernel writes of a request.
struct Block {
    io: Io,
    /// What the APC was given: its context, and the block's status then.
    apc: Option<(usize, usize)>,
    buffer: [u32; 0x400],
}

struct Request {
    handle: String,
    filter: (u32, bool),
    how: String,
    length: Option<u32>,
    event: Handle,
    block: *mut Block,
}

unsafe extern "system" fn completed(context: *mut c_void, io: *mut Io, _: u32) {
    let block = context.cast::<Block>();
    // SAFETY: the context is a block, which lives for ever.
    unsafe { (*block).apc = Some((io as usize, (*io)[0])) };
}

impl Watches {
    fn handle(&self, name: &str) -> HANDLE {
        self.handles.get(name).map_or(null_mut(), |handle| handle.0)
    }

    /// Opens a directory, to be waited for later or at once.
    pub fn open(&mut self, name: &str, path: &str, sync: bool) -> Value {
        const SYNCHRONIZE: u32 = 0x10_0000;
        let later = if sync { 0 } else { FILE_FLAG_OVERLAPPED };
        let path = wide(path);
        // SAFETY: the name ends with a zero; no template.
        let handle = unsafe {
            CreateFileW(
                path.as_ptr(),
                FILE_LIST_DIRECTORY | SYNCHRONIZE,
                FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                null(),
                OPEN_EXISTING,
                FILE_FLAG_BACKUP_SEMANTICS | later,
                null_mut(),
            )
        };
        if handle == INVALID_HANDLE_VALUE {
            return json!(last_error());
        }
        self.handles.insert(name.to_owned(), Handle(handle));
        json!("open")
    }

    /// Gives the handle a completion port.
    pub fn port(&mut self, name: &str) -> Value {
        let mut port = null_mut();
        // SAFETY: the output is a local; the port has no name.
        let status = unsafe { NtCreateIoCompletion(&raw mut port, ALL, null(), 0) };
        self.ports.insert(name.to_owned(), Handle(port));
        // SAFETY: both are handles.
        let joined = unsafe { CreateIoCompletionPort(self.handle(name), port, KEY, 0) };
        json!([hex(status), joined == port])
    }

    pub fn duplicate(&mut self, copy: &str, name: &str) -> Value {
        let mut second = null_mut();
        // SAFETY: the output is a local.
        let done = unsafe {
            let own = GetCurrentProcess();
            let same = DUPLICATE_SAME_ACCESS;
            DuplicateHandle(own, self.handle(name), own, &raw mut second, 0, 0, same)
        };
        self.handles.insert(copy.to_owned(), Handle(second));
        json!(done)
    }

    pub fn close(&mut self, name: &str) -> Value {
        json!(self.handles.remove(name).is_some())
    }

    /// Makes a request: `length` bytes of memory, or none.
    pub fn watch(
        &mut self,
        name: &str,
        handle: &str,
        filter: (u32, bool),
        how: &str,
        length: Option<u32>,
    ) -> Value {
        let mut event = null_mut();
        // SAFETY: the output is a local; the event has no name, and is set.
        unsafe { NtCreateEvent(&raw mut event, ALL, null(), 0, 1) };
        let request = Request {
            handle: handle.to_owned(),
            filter,
            how: how.to_owned(),
            length,
            event: Handle(event),
            block: Box::into_raw(Box::new(Block {
                io: [PENDING, 0x55],
                apc: None,
                buffer: [0; 0x400],
            })),
        };
        let status = self.ask(&request);
        self.requests.insert(name.to_owned(), request);
        json!(hex(status))
    }

    fn ask(&self, request: &Request) -> NTSTATUS {
        let block = request.block;
        let event = if request.how == "event" {
            request.event.0
        } else {
            null_mut()
        };
        let (apc, context) = match request.how.as_str() {
            "apc" => (completed as *const c_void, block.cast_const().cast()),
            "port" => (null(), block.cast_const().cast()),
            _ => (null(), null()),
        };
        // SAFETY: block and memory live for ever.
        unsafe {
            (*block).io = [PENDING, 0x55];
            (*block).apc = None;
            let buffer = (&raw mut (*block).buffer).cast();
            NtNotifyChangeDirectoryFile(
                self.handle(&request.handle),
                event,
                apc,
                context,
                &raw mut (*block).io,
                request.length.map_or(null_mut(), |_| buffer),
                request.length.unwrap_or(0),
                request.filter.0,
                request.filter.1.into(),
            )
        }
    }

    /// Waits for the request's end, as it was asked for.
    fn wait(&self, request: &Request, milliseconds: u32) -> Value {
        let block = request.block;
        let signalled = |handle| {
            // SAFETY: a handle of the program's.
            json!(unsafe { WaitForSingleObject(handle, milliseconds) } == WAIT_OBJECT_0)
        };
        match request.how.as_str() {
            "event" => signalled(request.event.0),
            "handle" => signalled(self.handle(&request.handle)),
            "apc" => {
                // SAFETY: waits for APCs.
                unsafe { SleepEx(milliseconds, 1) };
                // SAFETY: the block lives for ever.
                let told = unsafe { (*block).apc };
                // SAFETY: as above; no reference is made.
                let own = unsafe { &raw const (*block).io } as usize;
                json!(told.map(|(io, status)| (io == own, hex(status as NTSTATUS))))
            }
            _ => self.packet(request, milliseconds),
        }
    }

    fn packet(&self, request: &Request, milliseconds: u32) -> Value {
        let (mut bytes, mut key) = (0, 0);
        let mut overlapped: *mut OVERLAPPED = null_mut();
        let port = self
            .ports
            .get(&request.handle)
            .map_or(null_mut(), |port| port.0);
        // SAFETY: all outputs are locals.
        let done = unsafe {
            GetQueuedCompletionStatus(
                port,
                &raw mut bytes,
                &raw mut key,
                &raw mut overlapped,
                milliseconds,
            )
        };
        if overlapped.is_null() {
            return json!(false);
        }
        json!([
            done,
            key,
            core::ptr::eq(overlapped.cast(), request.block),
            bytes
        ])
    }

    /// What the request's end tells.
    pub fn told(&self, name: &str) -> Value {
        let Some(request) = self.requests.get(name) else {
            return Value::Null;
        };
        let waited = self.wait(request, LONG);
        // SAFETY: the block lives for ever.
        let [status, bytes] = unsafe { (*request.block).io };
        let told = if status as NTSTATUS == 0 {
            records(request, bytes)
        } else {
            Vec::new()
        };
        json!([waited, hex(status as NTSTATUS), bytes, told])
    }

    /// Whether the request waits still.
    pub fn pending(&self, name: &str) -> Value {
        let Some(request) = self.requests.get(name) else {
            return Value::Null;
        };
        let waited = self.wait(request, 300);
        // SAFETY: the block lives for ever.
        let [status, _] = unsafe { (*request.block).io };
        json!([waited, hex(status as NTSTATUS)])
    }

    /// All that is told until the file `last` is made, asking again and again;
    /// what is told twice in a row is one.
    pub fn until(&self, name: &str, last: &str) -> Value {
        let Some(request) = self.requests.get(name) else {
            return Value::Null;
        };
        let mut all: Vec<String> = Vec::new();
        loop {
            let waited = self.wait(request, LONG);
            // SAFETY: the block lives for ever.
            let [status, bytes] = unsafe { (*request.block).io };
            if status as NTSTATUS != 0 {
                return json!([waited, hex(status as NTSTATUS), all]);
            }
            all.extend(records(request, bytes));
            all.dedup();
            if all.iter().any(|told| told == &format!("+{last}")) {
                return json!(all);
            }
            self.ask(request);
        }
    }

    pub fn cancel(&self, name: &str) -> Value {
        let mut io: Io = [0; 2];
        // SAFETY: the block is a local.
        json!(hex(unsafe {
            NtCancelIoFile(self.handle(name), &raw mut io)
        }))
    }

    pub fn cancel_one(&self, name: &str) -> Value {
        let Some(request) = self.requests.get(name) else {
            return Value::Null;
        };
        let mut io: Io = [0; 2];
        let file = self.handle(&request.handle);
        // SAFETY: the blocks are a local and one that lives for ever.
        let status = unsafe { NtCancelIoFileEx(file, &raw mut (*request.block).io, &raw mut io) };
        json!(hex(status))
    }
}

/// The records that the kernel wrote: a sign for the action, and the name.
fn records(request: &Request, bytes: usize) -> Vec<String> {
    // SAFETY: the block lives for ever; so many bytes of it were written.
    let memory = unsafe {
        let buffer = (&raw const (*request.block).buffer).cast::<u8>();
        core::slice::from_raw_parts(buffer, bytes.min(0x1000))
    };
    let mut all = Vec::new();
    let mut rest = memory;
    loop {
        let word = |at: usize| {
            rest.get(at..at + 4)
                .and_then(|b| Some(u32::from_le_bytes(b.try_into().ok()?)))
        };
        let (Some(next), Some(action), Some(length)) = (word(0), word(4), word(8)) else {
            return all;
        };
        let units = rest.get(12..12 + length as usize).unwrap_or(&[]);
        let units: Vec<u16> = units
            .chunks(2)
            .map(|b| u16::from_le_bytes([b[0], b[1]]))
            .collect();
        let sign = match action {
            1 => '+',
            2 => '-',
            3 => '~',
            4 => '<',
            5 => '>',
            _ => '?',
        };
        all.push(format!("{sign}{}", String::from_utf16_lossy(&units)));
        if next == 0 {
            return all;
        }
        rest = rest.get(next as usize..).unwrap_or(&[]);
    }
}
