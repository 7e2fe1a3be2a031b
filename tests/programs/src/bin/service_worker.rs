//! A service of its own process. The first argument of StartService is a file into which it writes, one
//! JSON line each, its arguments and the controls that it gets. Control 130 is taken note of, 200 ends
//! the process at once as a crash would, 201 makes it stop with exit code 1066 and specific code 7.
//!
//! Usage, by the service controller only: `service_worker [--file FILE] [--accept N] [--do WHAT]`. Of the
//! file's two places the argument of StartService counts; N are further controls that it accepts, at whose
//! end of the machine it stops. WHAT is `crash` (it ends when it runs) or `nonsense` (it first reports what
//! no service should, and notes what came of it).
#![cfg(windows)]

use std::fs::OpenOptions;
use std::io::Write;
use std::ptr::null;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Sender, channel};

use pinion_test_programs::{arguments, last_error, take_option, usage, wide};
use serde_json::json;
use windows_sys::Win32::Foundation::{
    CloseHandle, ERROR_CALL_NOT_IMPLEMENTED, ERROR_SERVICE_SPECIFIC_ERROR,
};
use windows_sys::Win32::System::Services::{
    RegisterServiceCtrlHandlerExW, SERVICE_ACCEPT_STOP, SERVICE_CONTROL_INTERROGATE,
    SERVICE_CONTROL_PRESHUTDOWN, SERVICE_CONTROL_SHUTDOWN, SERVICE_CONTROL_STOP, SERVICE_RUNNING,
    SERVICE_START_PENDING, SERVICE_STATUS, SERVICE_STATUS_HANDLE, SERVICE_STOP_PENDING,
    SERVICE_STOPPED, SERVICE_TABLE_ENTRYW, SERVICE_WIN32_OWN_PROCESS, SetServiceStatus,
    StartServiceCtrlDispatcherW,
};
use windows_sys::Win32::System::Threading::{
    CreateMutexW, INFINITE, ReleaseMutex, WaitForSingleObject,
};

/// The file to write to, and the way to the main function for controls that end it.
static FILE: OnceLock<String> = OnceLock::new();
static ACCEPTED: AtomicU32 = AtomicU32::new(SERVICE_ACCEPT_STOP);
static DOES: OnceLock<String> = OnceLock::new();
static CONTROLS: Mutex<Option<Sender<u32>>> = Mutex::new(None);

fn note(value: &serde_json::Value) {
    let Some(path) = FILE.get() else { return };
    if let Ok(mut file) = OpenOptions::new().create(true).append(true).open(path) {
        // Wine looks for the end of the file before it writes there: two at once would meet.
        let _ = alone(|| file.write_all(format!("{value}\n").as_bytes()));
    }
}

/// Does `work` while no other worker of this machine does.
fn alone<R>(work: impl FnOnce() -> R) -> R {
    let name = wide("pinion-service-worker");
    // SAFETY: a zero-terminated name; a live handle, released and closed once.
    unsafe {
        let mutant = CreateMutexW(null(), 0, name.as_ptr());
        WaitForSingleObject(mutant, INFINITE);
        let done = work();
        ReleaseMutex(mutant);
        CloseHandle(mutant);
        done
    }
}

fn report(handle: SERVICE_STATUS_HANDLE, state: u32, exit: (u32, u32)) {
    let status = SERVICE_STATUS {
        dwServiceType: SERVICE_WIN32_OWN_PROCESS,
        dwCurrentState: state,
        dwControlsAccepted: if state == SERVICE_RUNNING {
            ACCEPTED.load(Ordering::Relaxed)
        } else {
            0
        },
        dwWin32ExitCode: exit.0,
        dwServiceSpecificExitCode: exit.1,
        dwCheckPoint: 0,
        dwWaitHint: if state == SERVICE_START_PENDING {
            3000
        } else {
            0
        },
    };
    // SAFETY: the handle of the control handler's registration; a live structure.
    if unsafe { SetServiceStatus(handle, &raw const status) } == 0 {
        note(&json!({ "report": state, "error": last_error() }));
    }
}

unsafe extern "system" fn handler(
    control: u32,
    _event: u32,
    _data: *mut core::ffi::c_void,
    context: *mut core::ffi::c_void,
) -> u32 {
    note(&json!({ "control": control, "context": context as usize }));
    match control {
        SERVICE_CONTROL_INTERROGATE | 130 => 0,
        200 => std::process::exit(3),
        SERVICE_CONTROL_STOP | SERVICE_CONTROL_SHUTDOWN | SERVICE_CONTROL_PRESHUTDOWN | 201 => {
            if let Ok(guard) = CONTROLS.lock()
                && let Some(sender) = guard.as_ref()
            {
                let _ = sender.send(control);
            }
            0
        }
        _ => ERROR_CALL_NOT_IMPLEMENTED,
    }
}

/// The strings of ServiceMain's arguments.
fn strings(count: u32, vector: *mut windows_sys::core::PWSTR) -> Vec<String> {
    let string = |index: usize| {
        // SAFETY: the dispatcher gives `count` zero-terminated strings.
        unsafe {
            let text = *vector.add(index);
            let length = (0..).take_while(|&at| *text.add(at) != 0).count();
            String::from_utf16_lossy(std::slice::from_raw_parts(text, length))
        }
    };
    (0..count as usize).map(string).collect()
}

unsafe extern "system" fn main_function(count: u32, vector: *mut windows_sys::core::PWSTR) {
    let arguments = strings(count, vector);
    if let Some(path) = arguments.get(1) {
        let _ = FILE.set(path.clone());
    }
    note(&json!({ "arguments": arguments, "pid": std::process::id() }));
    let name = wide(arguments.first().map_or("", String::as_str));
    let context = 0x1234_usize as *const core::ffi::c_void;
    let (sender, controls) = channel();
    if let Ok(mut guard) = CONTROLS.lock() {
        *guard = Some(sender);
    }
    // SAFETY: a zero-terminated name and a handler of the documented type.
    let handle = unsafe { RegisterServiceCtrlHandlerExW(name.as_ptr(), Some(handler), context) };
    if handle.is_null() {
        note(&json!({ "register_error": last_error() }));
        return;
    }
    let does = DOES.get().map_or("", String::as_str);
    if does == "nonsense" {
        nonsense(handle);
    }
    report(handle, SERVICE_START_PENDING, (0, 0));
    report(handle, SERVICE_RUNNING, (0, 0));
    if does == "crash" {
        std::process::exit(3);
    }
    let control = controls.recv().unwrap_or(SERVICE_CONTROL_STOP);
    report(handle, SERVICE_STOP_PENDING, (0, 0));
    let exit = if control == 201 {
        (ERROR_SERVICE_SPECIFIC_ERROR, 7)
    } else {
        (0, 0)
    };
    note(&json!({ "stopping": control }));
    report(handle, SERVICE_STOPPED, exit);
}

/// Reports what makes no sense, and notes the errors.
fn nonsense(handle: SERVICE_STATUS_HANDLE) {
    let status = SERVICE_STATUS {
        dwServiceType: u32::MAX,
        dwCurrentState: 99,
        dwControlsAccepted: u32::MAX,
        dwWin32ExitCode: u32::MAX,
        dwServiceSpecificExitCode: u32::MAX,
        dwCheckPoint: u32::MAX,
        dwWaitHint: u32::MAX,
    };
    let pending = SERVICE_STATUS {
        dwCurrentState: SERVICE_START_PENDING,
        ..status
    };
    // SAFETY: live structures; handles that are none are what is tried.
    let errors = unsafe {
        [
            (handle, &raw const status),
            (handle, &raw const pending),
            (
                0x7777_0000_usize as SERVICE_STATUS_HANDLE,
                &raw const pending,
            ),
            (std::ptr::null_mut(), &raw const pending),
        ]
        .map(|(handle, status)| {
            if SetServiceStatus(handle, status) == 0 {
                last_error()
            } else {
                0
            }
        })
    };
    note(&json!({ "nonsense": errors }));
}

fn main() {
    let mut given = arguments();
    if let Some(file) = take_option(&mut given, "--file") {
        let _ = FILE.set(file);
    }
    if let Some(more) = take_option(&mut given, "--accept").and_then(|n| n.parse().ok()) {
        ACCEPTED.fetch_or(more, Ordering::Relaxed);
    }
    if let Some(does) = take_option(&mut given, "--do") {
        let _ = DOES.set(does);
    }
    let mut name = wide("worker");
    let table = [
        SERVICE_TABLE_ENTRYW {
            lpServiceName: name.as_mut_ptr(),
            lpServiceProc: Some(main_function),
        },
        SERVICE_TABLE_ENTRYW::default(),
    ];
    // SAFETY: a table that ends with an entry of nulls and outlives the call.
    if unsafe { StartServiceCtrlDispatcherW(table.as_ptr()) } == 0 {
        usage(&format!(
            "only a service controller can start it (error {})",
            last_error()
        ));
    }
    note(&json!({ "dispatcher": "returned" }));
}
