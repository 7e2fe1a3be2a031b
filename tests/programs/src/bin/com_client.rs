//! A client of COM and RPC that needs the RPCSS: it puts a moniker into the running object table, which
//! starts the RPCSS on demand, and prints which RPCSS it reached and what the table holds.
//!
//! Usage: `com_client [NAME] [--hold SECONDS]`. NAME is the item that it registers. The RPCSS's process
//! is told twice: by the service controller, and by the kernel as the server of its pipe.
#![cfg(windows)]

use std::ffi::c_void;
use std::ptr::{null, null_mut};

use pinion_test_programs::{arguments, hold, last_error, say, take_option, wide};
use serde_json::{Value, json};
use windows_sys::Win32::Foundation::{
    CloseHandle, GENERIC_READ, GENERIC_WRITE, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Storage::FileSystem::{CreateFileW, OPEN_EXISTING};
use windows_sys::Win32::System::Com::{
    COINIT_MULTITHREADED, CoInitializeEx, CoTaskMemFree, CreateBindCtx, CreateItemMoniker,
    GetRunningObjectTable,
};
use windows_sys::Win32::System::Pipes::{GetNamedPipeServerProcessId, WaitNamedPipeW};
use windows_sys::Win32::System::Services::{
    CloseServiceHandle, OpenSCManagerW, OpenServiceW, QueryServiceStatusEx, SC_MANAGER_CONNECT,
    SC_STATUS_PROCESS_INFO, SERVICE_QUERY_STATUS, SERVICE_STATUS_PROCESS,
};

/// A COM object.
type Object = *mut c_void;

/// Places in the tables of IRunningObjectTable, IEnumMoniker and IMoniker (objidl.h).
const ROT_REGISTER: usize = 3;
const ROT_ENUM_RUNNING: usize = 9;
const ENUM_NEXT: usize = 3;
const MONIKER_DISPLAY_NAME: usize = 20;

/// `ROTFLAGS_REGISTRATIONKEEPSALIVE` (objidl.h).
const KEEP_ALIVE: u32 = 1;

/// The method at a place of an object's table.
///
/// # Safety
/// `object` is a live COM object whose table has that place, with a method of the type `F`.
unsafe fn method<F: Copy>(object: Object, place: usize) -> F {
    // SAFETY: the caller's promise: a COM object begins with the address of its table.
    unsafe {
        let table = *object.cast::<*const *const c_void>();
        std::mem::transmute_copy(&*table.add(place))
    }
}

/// Registers an item in the running object table; the HRESULT and the table.
fn register(name: &str) -> (i32, Object) {
    type Register = unsafe extern "system" fn(Object, u32, Object, Object, *mut u32) -> i32;
    let (mut table, mut moniker, mut cookie) = (null_mut(), null_mut(), 0);
    // SAFETY: zero-terminated strings and locals; the methods are the interface's.
    unsafe {
        let result = GetRunningObjectTable(0, &raw mut table);
        if result < 0 {
            return (result, null_mut());
        }
        let result = CreateItemMoniker(wide("!").as_ptr(), wide(name).as_ptr(), &raw mut moniker);
        if result < 0 {
            return (result, table);
        }
        let register: Register = method(table, ROT_REGISTER);
        (
            register(table, KEEP_ALIVE, moniker, moniker, &raw mut cookie),
            table,
        )
    }
}

/// The display names of all that is running.
fn running(table: Object) -> Vec<String> {
    type Enumerate = unsafe extern "system" fn(Object, *mut Object) -> i32;
    type Next = unsafe extern "system" fn(Object, u32, *mut Object, *mut u32) -> i32;
    type Name = unsafe extern "system" fn(Object, Object, Object, *mut *mut u16) -> i32;
    let mut names = Vec::new();
    if table.is_null() {
        return names;
    }
    // SAFETY: live objects, their own methods, locals.
    unsafe {
        let (mut all, mut context) = (null_mut(), null_mut());
        let enumerate: Enumerate = method(table, ROT_ENUM_RUNNING);
        if enumerate(table, &raw mut all) < 0 || CreateBindCtx(0, &raw mut context) < 0 {
            return names;
        }
        let next: Next = method(all, ENUM_NEXT);
        let (mut moniker, mut count) = (null_mut(), 0);
        while next(all, 1, &raw mut moniker, &raw mut count) == 0 && count == 1 {
            let name: Name = method(moniker, MONIKER_DISPLAY_NAME);
            let mut text = null_mut();
            if name(moniker, context, null_mut(), &raw mut text) >= 0 && !text.is_null() {
                let length = (0..).take_while(|&at| *text.add(at) != 0).count();
                names.push(String::from_utf16_lossy(std::slice::from_raw_parts(
                    text, length,
                )));
                CoTaskMemFree(text.cast());
            }
        }
    }
    names
}

/// What the service controller says of RpcSs.
fn service() -> Value {
    let (mut status, mut needed) = (SERVICE_STATUS_PROCESS::default(), 0);
    // SAFETY: zero-terminated strings, a structure of the size told, handles of these calls.
    let done = unsafe {
        let manager = OpenSCManagerW(null(), null(), SC_MANAGER_CONNECT);
        let service = OpenServiceW(manager, wide("RpcSs").as_ptr(), SERVICE_QUERY_STATUS);
        let done = QueryServiceStatusEx(
            service,
            SC_STATUS_PROCESS_INFO,
            (&raw mut status).cast(),
            size_of_val(&status) as u32,
            &raw mut needed,
        );
        let error = last_error();
        CloseServiceHandle(service);
        CloseServiceHandle(manager);
        if done == 0 { Err(error) } else { Ok(()) }
    };
    match done {
        Ok(()) => json!({ "state": status.dwCurrentState, "pid": status.dwProcessId }),
        Err(error) => json!({ "error": error }),
    }
}

/// The process that serves a pipe, as the kernel tells it.
fn server_of(pipe: &str) -> Value {
    let path = wide(pipe);
    let mut pid = 0;
    // SAFETY: a zero-terminated path, a local; the handle is this function's own.
    unsafe {
        WaitNamedPipeW(path.as_ptr(), 2000);
        let handle = CreateFileW(
            path.as_ptr(),
            GENERIC_READ | GENERIC_WRITE,
            0,
            null(),
            OPEN_EXISTING,
            0,
            null_mut(),
        );
        if handle == INVALID_HANDLE_VALUE {
            return json!({ "error": last_error() });
        }
        let done = GetNamedPipeServerProcessId(handle, &raw mut pid);
        let error = last_error();
        CloseHandle(handle);
        if done == 0 {
            json!({ "error": error })
        } else {
            json!(pid)
        }
    }
}

fn main() {
    let mut arguments = arguments();
    let seconds = take_option(&mut arguments, "--hold");
    let name = arguments.first().map_or("item", String::as_str);
    // SAFETY: no pointer is given.
    let initialised = unsafe { CoInitializeEx(null(), COINIT_MULTITHREADED as u32) };
    let before = service();
    let begin = std::time::Instant::now();
    let (registered, table) = register(name);
    let milliseconds = begin.elapsed().as_millis() as u64;
    say(&json!({
        "pid": std::process::id(),
        "initialised": initialised,
        "before": before,
        "registered": registered,
        "register_ms": milliseconds,
        "running": running(table),
        "rpcss": service(),
        "epmapper_pid": server_of(r"\\.\pipe\epmapper"),
        "irot_pid": server_of(r"\\.\pipe\lrpc\irot"),
    }));
    hold(seconds);
}
