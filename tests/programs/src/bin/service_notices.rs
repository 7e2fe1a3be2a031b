//! A client of the service API that asks to be told of changes: `service_notices WORKER.EXE NAME FILE`
//! makes a service of `service_worker.exe`, which writes to FILE, takes it through its life and prints
//! one JSON object with what it was told.
#![cfg(windows)]

use core::ffi::c_void;
use core::ptr::{null, null_mut};
use pinion_test_programs::{arguments, last_error, say, usage, wide};
use serde_json::{Value, json};
use windows_sys::Win32::Foundation::LocalFree;
use windows_sys::Win32::System::Services::{
    CloseServiceHandle, ControlService, CreateServiceW, DeleteService, NotifyServiceStatusChangeW,
    OpenSCManagerW, OpenServiceW, SC_HANDLE, SC_MANAGER_ALL_ACCESS, SERVICE_ALL_ACCESS,
    SERVICE_CONTROL_STOP, SERVICE_DEMAND_START, SERVICE_ERROR_NORMAL, SERVICE_NOTIFY_2W,
    SERVICE_NOTIFY_CREATED, SERVICE_NOTIFY_DELETE_PENDING, SERVICE_NOTIFY_DELETED,
    SERVICE_NOTIFY_RUNNING, SERVICE_NOTIFY_STOPPED, SERVICE_STATUS, SERVICE_WIN32_OWN_PROCESS,
    StartServiceW,
};
use windows_sys::Win32::System::Threading::SleepEx;

const STATES: u32 = SERVICE_NOTIFY_STOPPED | SERVICE_NOTIFY_RUNNING | SERVICE_NOTIFY_DELETE_PENDING;

unsafe extern "system" fn called(buffer: *const c_void) {
    let buffer = buffer.cast::<SERVICE_NOTIFY_2W>().cast_mut();
    // SAFETY: the structure that was given, whose context is its caller's flag.
    unsafe { (*buffer).pContext.cast::<bool>().write(true) };
}

/// One request: what it gave, and what was told within two seconds after `then`.
fn told(handle: SC_HANDLE, mask: u32, then: impl FnOnce()) -> Value {
    // A request may be answered later, when nobody looks any more.
    let was_called: *mut bool = Box::leak(Box::new(false));
    let buffer = Box::leak(Box::new(SERVICE_NOTIFY_2W {
        dwVersion: 2,
        pfnNotifyCallback: Some(called),
        pContext: was_called.cast(),
        ..SERVICE_NOTIFY_2W::default()
    }));
    let buffer: *mut SERVICE_NOTIFY_2W = buffer;
    // SAFETY: structure and flag live for ever.
    let error = unsafe { NotifyServiceStatusChangeW(handle, mask, buffer) };
    then();
    for _ in 0..20 {
        // SAFETY: takes numbers only.
        unsafe { SleepEx(100, 1) };
        // SAFETY: a live flag, which a callback on this thread may have set.
        if unsafe { was_called.read_volatile() } || error != 0 {
            break;
        }
    }
    // SAFETY: as above.
    let (called, buffer) = unsafe { (was_called.read_volatile(), buffer.read_volatile()) };
    let names = names(buffer.pszServiceNames);
    let state = buffer.ServiceStatus.dwCurrentState;
    json!({
        "error": error, "called": called, "status": buffer.dwNotificationStatus,
        "triggered": buffer.dwNotificationTriggered, "state": state, "names": names,
    })
}

/// The list of strings, which is freed.
fn names(list: *mut u16) -> Vec<String> {
    let mut names = Vec::new();
    let mut at = list.cast_const();
    while !at.is_null() {
        // SAFETY: strings that end with zeros, the last one empty.
        let text = unsafe {
            let length = (0..).take_while(|&unit| *at.add(unit) != 0).count();
            std::slice::from_raw_parts(at, length)
        };
        if text.is_empty() {
            break;
        }
        names.push(String::from_utf16_lossy(text));
        at = at.wrapping_add(text.len() + 1);
    }
    // SAFETY: the API's own memory, or null.
    unsafe { LocalFree(list.cast()) };
    names
}

fn create(manager: SC_HANDLE, name: &str, command: &str) -> SC_HANDLE {
    let (name, command) = (wide(name), wide(command));
    // SAFETY: zero-terminated strings.
    unsafe {
        CreateServiceW(
            manager,
            name.as_ptr(),
            null(),
            SERVICE_ALL_ACCESS,
            SERVICE_WIN32_OWN_PROCESS,
            SERVICE_DEMAND_START,
            SERVICE_ERROR_NORMAL,
            command.as_ptr(),
            null(),
            null_mut(),
            null(),
            null(),
            null(),
        )
    }
}

fn main() {
    let arguments = arguments();
    let [worker, name, file] = &arguments[..] else {
        usage("service_notices WORKER.EXE NAME FILE");
    };
    // SAFETY: no strings.
    let manager = unsafe { OpenSCManagerW(null(), null(), SC_MANAGER_ALL_ACCESS) };
    let mut service = null_mut();
    let made = told(
        manager,
        SERVICE_NOTIFY_CREATED | SERVICE_NOTIFY_DELETED,
        || {
            service = create(manager, name, &format!("\"{worker}\" {name} \"{file}\""));
        },
    );
    // SAFETY: a zero-terminated name; handles of this process; locals.
    let (second, start, stop, close) = unsafe {
        let second = OpenServiceW(manager, wide(name).as_ptr(), SERVICE_ALL_ACCESS);
        let start = || assert_ne!(StartServiceW(service, 0, null()), 0, "{}", last_error());
        let stop = || {
            let mut status = SERVICE_STATUS::default();
            ControlService(service, SERVICE_CONTROL_STOP, &raw mut status);
        };
        let close = move |handle| CloseServiceHandle(handle);
        (second, start, stop, close)
    };
    let answer = json!({
        "made": made,
        "at_once": told(service, STATES, || {}),
        "started": told(service, STATES, start),
        "twice": told(service, STATES, || {}),
        "again": told(service, STATES, || {}),
        "closed": told(second, SERVICE_NOTIFY_STOPPED, || {
            close(second);
            stop();
        }),
        "deleted": told(service, SERVICE_NOTIFY_DELETE_PENDING, || {
            // SAFETY: a handle of this process.
            unsafe { DeleteService(service) };
        }),
        "refused": told(manager, STATES, || {}),
    });
    say(&answer);
}
