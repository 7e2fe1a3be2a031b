//! Serving the class.

use std::ptr::null_mut;
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use pinion_test_programs::com::shown;
use pinion_test_programs::{last_error, say, wide};
use serde_json::{Value, json};
use windows_sys::Win32::System::Com::{
    CLSCTX_LOCAL_SERVER, CoRegisterClassObject, REGCLS_MULTIPLEUSE,
};
use windows_sys::Win32::System::Ole::{ACTIVEOBJECT_STRONG, RegisterActiveObject};
use windows_sys::Win32::System::Services::{
    RegisterServiceCtrlHandlerW, SERVICE_ACCEPT_STOP, SERVICE_CONTROL_STOP, SERVICE_RUNNING,
    SERVICE_STATUS, SERVICE_STATUS_HANDLE, SERVICE_STOPPED, SERVICE_TABLE_ENTRYW,
    SERVICE_WIN32_OWN_PROCESS, SetServiceStatus, StartServiceCtrlDispatcherW,
};
use windows_sys::core::GUID;

use crate::object::{TAG, factory, object};

/// Registers the class and the active object; the two results.
fn register(class: &GUID, tag: &str) -> (i32, i32) {
    let _ = TAG.set(tag.to_owned());
    let (mut class_cookie, mut active_cookie) = (0, 0);
    // SAFETY: an id of ours, objects that live as long as the process, locals.
    unsafe {
        (
            CoRegisterClassObject(
                class,
                factory(),
                CLSCTX_LOCAL_SERVER,
                REGCLS_MULTIPLEUSE as u32,
                &raw mut class_cookie,
            ),
            RegisterActiveObject(object(), class, ACTIVEOBJECT_STRONG, &raw mut active_cookie),
        )
    }
}

/// Serves for so long.
pub fn serve(class: &GUID, tag: &str, time: Duration) -> Value {
    let (registered, active) = register(class, tag);
    say(&json!({
        "pid": std::process::id(),
        "registered": shown(registered),
        "active": shown(active),
    }));
    std::thread::sleep(time);
    json!({ "end": true })
}

/// What the service's main function needs to know.
static SERVICE: OnceLock<(String, GUID, String)> = OnceLock::new();
static STOP: OnceLock<Sender<()>> = OnceLock::new();

unsafe extern "system" fn handler(control: u32) {
    if control == SERVICE_CONTROL_STOP
        && let Some(stop) = STOP.get()
    {
        let _ = stop.send(());
    }
}

fn report(handle: SERVICE_STATUS_HANDLE, state: u32) {
    let status = SERVICE_STATUS {
        dwServiceType: SERVICE_WIN32_OWN_PROCESS,
        dwCurrentState: state,
        dwControlsAccepted: SERVICE_ACCEPT_STOP,
        ..Default::default()
    };
    // SAFETY: the registration's handle and a local.
    unsafe { SetServiceStatus(handle, &raw const status) };
}

unsafe extern "system" fn run(_count: u32, _arguments: *mut windows_sys::core::PWSTR) {
    let Some((name, class, tag)) = SERVICE.get() else {
        return;
    };
    let (stop, stopped) = channel();
    let _ = STOP.set(stop);
    // SAFETY: a zero-terminated name and a handler of the documented type.
    let handle = unsafe { RegisterServiceCtrlHandlerW(wide(name).as_ptr(), Some(handler)) };
    register(class, tag);
    report(handle, SERVICE_RUNNING);
    let _ = stopped.recv();
    report(handle, SERVICE_STOPPED);
}

/// Serves as a service's process.
pub fn as_service(name: &str, class: &GUID, tag: &str) -> Value {
    let _ = SERVICE.set((name.to_owned(), *class, tag.to_owned()));
    let mut name = wide(name);
    let table = [
        SERVICE_TABLE_ENTRYW {
            lpServiceName: name.as_mut_ptr(),
            lpServiceProc: Some(run),
        },
        SERVICE_TABLE_ENTRYW {
            lpServiceName: null_mut(),
            lpServiceProc: None,
        },
    ];
    // SAFETY: a table that ends with an entry of nulls and outlives the call.
    if unsafe { StartServiceCtrlDispatcherW(table.as_ptr()) } == 0 {
        return json!({ "error": last_error() });
    }
    json!({ "end": true })
}
