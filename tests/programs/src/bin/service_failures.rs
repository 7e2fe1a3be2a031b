//! Gives a service of `service_worker.exe` failure actions, lets it crash twice and tells what became of
//! it; then stops it by `ControlServiceEx`. Prints one JSON object.
//!
//! Usage: `service_failures WORKER.EXE NAME FILE`, where FILE is made by the command of the second action.
#![cfg(windows)]

use core::ffi::c_void;
use std::path::Path;
use std::ptr::{null, null_mut};
use std::time::{Duration, Instant};

use pinion_test_programs::{arguments, last_error, say, usage, wide};
use serde_json::{Value, json};
use windows_sys::Win32::System::LibraryLoader::{GetProcAddress, LoadLibraryW};
use windows_sys::Win32::System::Services::{
    ChangeServiceConfig2W, ControlService, CreateServiceW, DeleteService, OpenSCManagerW,
    QueryServiceConfig2W, QueryServiceStatusEx, SC_ACTION, SC_ACTION_RESTART,
    SC_ACTION_RUN_COMMAND, SC_HANDLE, SC_MANAGER_ALL_ACCESS, SC_STATUS_PROCESS_INFO,
    SERVICE_ALL_ACCESS, SERVICE_CONFIG_FAILURE_ACTIONS, SERVICE_CONTROL_STATUS_REASON_INFO,
    SERVICE_CONTROL_STATUS_REASON_PARAMSW, SERVICE_CONTROL_STOP, SERVICE_DEMAND_START,
    SERVICE_ERROR_NORMAL, SERVICE_FAILURE_ACTIONSW, SERVICE_RUNNING, SERVICE_STATUS,
    SERVICE_STATUS_PROCESS, SERVICE_STOPPED, SERVICE_WIN32_OWN_PROCESS, StartServiceW,
};
use windows_sys::{s, w};

/// The control at which the worker crashes.
const CRASH: u32 = 200;

/// 0 for success, else the last error.
fn code(done: i32) -> u32 {
    if done == 0 { last_error() } else { 0 }
}

fn status(service: SC_HANDLE) -> SERVICE_STATUS_PROCESS {
    let (mut status, mut needed) = (SERVICE_STATUS_PROCESS::default(), 0);
    let size = size_of::<SERVICE_STATUS_PROCESS>() as u32;
    // SAFETY: a structure of the size told, and a local.
    unsafe {
        let place = (&raw mut status).cast();
        QueryServiceStatusEx(
            service,
            SC_STATUS_PROCESS_INFO,
            place,
            size,
            &raw mut needed,
        );
    }
    status
}

/// Waits up to twenty seconds.
fn until(mut there: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(20);
    while Instant::now() < end {
        if there() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

fn configure(service: SC_HANDLE, command: &str) -> u32 {
    let mut command = wide(command);
    let action = |kind, delay| SC_ACTION {
        Type: kind,
        Delay: delay,
    };
    let mut actions = [
        action(SC_ACTION_RESTART, 50),
        action(SC_ACTION_RUN_COMMAND, 50),
    ];
    let given = SERVICE_FAILURE_ACTIONSW {
        dwResetPeriod: 3600,
        lpRebootMsg: null_mut(),
        lpCommand: command.as_mut_ptr(),
        cActions: 2,
        lpsaActions: actions.as_mut_ptr(),
    };
    let place = (&raw const given).cast();
    // SAFETY: a structure whose pointers are to locals.
    code(unsafe { ChangeServiceConfig2W(service, SERVICE_CONFIG_FAILURE_ACTIONS, place) })
}

fn configured(service: SC_HANDLE) -> Value {
    let (mut buffer, mut needed) = (vec![0_u64; 512], 0);
    let small = (null_mut(), 0);
    let level = SERVICE_CONFIG_FAILURE_ACTIONS;
    // SAFETY: no buffer, then one of the size told.
    let (small, error) = unsafe {
        let small = QueryServiceConfig2W(service, level, small.0, small.1, &raw mut needed);
        let small = code(small);
        let place = buffer.as_mut_ptr().cast();
        let done = QueryServiceConfig2W(service, level, place, 4096, &raw mut needed);
        (small, code(done))
    };
    if error != 0 {
        return json!({ "error": error });
    }
    // SAFETY: the API has filled the structure in, with so many actions behind it.
    let (told, actions) = unsafe {
        let told = &*buffer.as_ptr().cast::<SERVICE_FAILURE_ACTIONSW>();
        let count = told.cActions as usize;
        (told, std::slice::from_raw_parts(told.lpsaActions, count))
    };
    let actions: Vec<_> = actions.iter().map(|a| (a.Type, a.Delay)).collect();
    json!({ "small": small, "period": told.dwResetPeriod, "actions": actions })
}

/// `ControlServiceExW` (winsvc.h).
type ControlEx = unsafe extern "system" fn(SC_HANDLE, u32, u32, *mut c_void) -> i32;

/// Stops it with that reason; the error and the state that came with it. By
/// sechost, since advapi32 has no code for it on Wine 8 and 10.
fn stop_ex(service: SC_HANDLE, reason: u32) -> Value {
    let mut parameters = SERVICE_CONTROL_STATUS_REASON_PARAMSW {
        dwReason: reason,
        ..Default::default()
    };
    let level = SERVICE_CONTROL_STATUS_REASON_INFO;
    let place = (&raw mut parameters).cast();
    // SAFETY: names that end in zeros; the function is of this type, and the
    // structure a local one of that level.
    let error = unsafe {
        let sechost = LoadLibraryW(w!("sechost.dll"));
        let Some(found) = GetProcAddress(sechost, s!("ControlServiceExW")) else {
            return json!({ "absent": true });
        };
        let control_ex =
            std::mem::transmute::<unsafe extern "system" fn() -> isize, ControlEx>(found);
        code(control_ex(service, SERVICE_CONTROL_STOP, level, place))
    };
    json!({ "error": error, "state": parameters.ServiceStatus.dwCurrentState })
}

fn main() {
    let arguments = arguments();
    let [worker, name, file] = &arguments[..] else {
        usage("service_failures WORKER.EXE NAME FILE");
    };
    let (name, worker) = (wide(name), wide(worker));
    // SAFETY: zero-terminated strings.
    let service = unsafe {
        let manager = OpenSCManagerW(null(), null(), SC_MANAGER_ALL_ACCESS);
        CreateServiceW(
            manager,
            name.as_ptr(),
            null(),
            SERVICE_ALL_ACCESS,
            SERVICE_WIN32_OWN_PROCESS,
            SERVICE_DEMAND_START,
            SERVICE_ERROR_NORMAL,
            worker.as_ptr(),
            null(),
            null_mut(),
            null(),
            null(),
            null(),
        )
    };
    let configure = configure(service, &format!("cmd.exe /c echo failed>{file}"));
    let configured = configured(service);
    let start = || {
        // SAFETY: no arguments.
        let error = code(unsafe { StartServiceW(service, 0, null()) });
        until(|| status(service).dwCurrentState == SERVICE_RUNNING);
        error
    };
    let crash = || {
        let mut now = SERVICE_STATUS::default();
        // SAFETY: a local.
        unsafe { ControlService(service, CRASH, &raw mut now) }
    };
    let started = start();
    let first = status(service).dwProcessId;
    crash();
    let again = until(|| {
        let now = status(service);
        now.dwCurrentState == SERVICE_RUNNING && now.dwProcessId != first
    });
    let second = status(service).dwProcessId;
    crash();
    let stopped = until(|| status(service).dwCurrentState == SERVICE_STOPPED);
    let command = until(|| Path::new(file).exists());
    let exit = status(service).dwWin32ExitCode;
    let third = start();
    let unreasoned = stop_ex(service, 0);
    // SERVICE_STOP_REASON_FLAG_PLANNED, _MAJOR_NONE, _MINOR_NONE.
    let reasoned = stop_ex(service, 0x4006_0023);
    // SAFETY: the service's own handle.
    let deleted = code(unsafe { DeleteService(service) });
    say(&json!({
        "configure": configure,
        "configured": configured,
        "started": started,
        "again": again,
        "pids": [first, second],
        "stopped": stopped,
        "exit": exit,
        "command": command,
        "third": third,
        "unreasoned": unreasoned,
        "reasoned": reasoned,
        "deleted": deleted,
    }));
}
