//! The service API of a service process: the dispatcher, the control handlers
//! and the reports.
//!
//! The dispatcher's thread has one connection to the controller for itself: it
//! asks for an order, carries it out and answers it, one after the other. As on
//! Windows, control handlers run in this thread and every `ServiceMain` in a
//! thread of its own.

use super::call::{ROOM, Result, boolean, call, done, set_last_error};
use super::{arguments, driver, table, text};
use crate::api::driver as host;
use crate::api::heap::Block;
use crate::supervisor::Connection;
use core::ffi::c_void;
use pinion_wire::message::{Reply, Request};
use pinion_wire::services::{Order, ServiceReply, ServiceRequest, ServiceStatus};
use table::{Handler, Service};
use windows_sys::Win32::Foundation::{
    ERROR_CALL_NOT_IMPLEMENTED, ERROR_FAILED_SERVICE_CONTROLLER_CONNECT, ERROR_INVALID_ADDRESS,
    ERROR_INVALID_HANDLE, ERROR_NOT_ENOUGH_MEMORY, ERROR_SERVICE_DOES_NOT_EXIST,
    ERROR_SERVICE_NOT_IN_EXE,
};
use windows_sys::Win32::System::Services::{
    SERVICE_CONTROL_INTERROGATE, SERVICE_RUNNING, SERVICE_STATUS, SERVICE_STOPPED,
    SERVICE_TABLE_ENTRYA, SERVICE_TABLE_ENTRYW,
};

/// As `StartServiceCtrlDispatcherW`.
pub(super) unsafe extern "system" fn dispatch(entries: *const SERVICE_TABLE_ENTRYW) -> i32 {
    // SAFETY: the program's own table.
    boolean(unsafe { table::set_wide(entries) }.and_then(|()| serve()))
}

/// As `StartServiceCtrlDispatcherA`.
pub(super) unsafe extern "system" fn dispatch_ansi(entries: *const SERVICE_TABLE_ENTRYA) -> i32 {
    // SAFETY: the program's own table.
    boolean(unsafe { table::set_ansi(entries) }.and_then(|()| serve()))
}

/// Carries out orders until the controller says that it is over, or is gone.
fn serve() -> Result<()> {
    const LOST: u32 = ERROR_FAILED_SERVICE_CONTROLLER_CONNECT;
    let served = || {
        let mut block = Block::new(ROOM).ok_or(ERROR_NOT_ENOUGH_MEMORY)?;
        let buffer = block.bytes();
        let connection = Connection::open().ok_or(LOST)?;
        let mut say = ServiceRequest::Dispatch;
        loop {
            let request = Request::Service(say);
            let reply = connection
                .send(&request, buffer)
                .and_then(|()| connection.receive(buffer));
            let order = match reply {
                Some(Reply::Service(ServiceReply::Order(order))) => order,
                Some(Reply::Service(ServiceReply::Error(error))) => return Err(error),
                _ => return Err(LOST),
            };
            let Some((sequence, result)) = obey(&order) else {
                break;
            };
            say = ServiceRequest::Answer { sequence, result };
        }
        Ok(())
    };
    let result = served();
    if result.is_err() {
        table::forget();
    }
    result
}

/// Carries out one order; its number and its end. `None` for the last order.
fn obey(order: &Order<'_>) -> Option<(u32, u32)> {
    match *order {
        Order::Start {
            sequence,
            service,
            status_handle,
            arguments,
        } => {
            let result = start(service, status_handle, arguments);
            Some((sequence, result.err().unwrap_or(0)))
        }
        Order::Control {
            sequence,
            service,
            control,
        } => {
            let found = table::find(service);
            let result = found.map_or(ERROR_SERVICE_NOT_IN_EXE, |found| handle(found, control));
            Some((sequence, result))
        }
        Order::Exit => None,
    }
}

fn start(name: &[u8], status_handle: u32, list: &[u8]) -> Result<()> {
    let service = table::find(name).ok_or(ERROR_SERVICE_NOT_IN_EXE)?;
    service.begin(status_handle);
    if host::is_host() {
        driver::begin(name);
    }
    arguments::run(service, name, list)
}

/// Calls the service's control handler in this thread. What one with a result
/// gives is not told to who sent the control (Wine's own tests, which pass on
/// Windows, have a handler that stops and gives an error).
fn handle(service: &Service, control: u32) -> u32 {
    match service.handler() {
        // SAFETY: the program registered a function of this type for controls.
        Handler::Plain(handler) => unsafe {
            handler(control);
            0
        },
        // SAFETY: as above; there is no event data for these controls.
        Handler::Extended(handler, context) => unsafe {
            handler(control, 0, core::ptr::null_mut(), context);
            0
        },
        Handler::None if control == SERVICE_CONTROL_INTERROGATE => 0,
        Handler::None => ERROR_CALL_NOT_IMPLEMENTED,
    }
}

/// As `RegisterServiceCtrlHandlerW`.
pub(super) unsafe extern "system" fn register(
    name: *const u16,
    handler: *const c_void,
) -> *mut c_void {
    // SAFETY: the program's own string.
    let found = unsafe { text::required(name) }.map(table::find);
    registered(found, Handler::plain(handler))
}

/// As `RegisterServiceCtrlHandlerExW`.
pub(super) unsafe extern "system" fn register_ex(
    name: *const u16,
    handler: *const c_void,
    context: *mut c_void,
) -> *mut c_void {
    // SAFETY: the program's own string.
    let found = unsafe { text::required(name) }.map(table::find);
    registered(found, Handler::extended(handler, context))
}

/// As `RegisterServiceCtrlHandlerA`.
pub(super) unsafe extern "system" fn register_ansi(
    name: *const u8,
    handler: *const c_void,
) -> *mut c_void {
    // SAFETY: the program's own string.
    let found = unsafe { table::find_ansi(name) };
    registered(found, Handler::plain(handler))
}

/// As `RegisterServiceCtrlHandlerExA`.
pub(super) unsafe extern "system" fn register_ex_ansi(
    name: *const u8,
    handler: *const c_void,
    context: *mut c_void,
) -> *mut c_void {
    // SAFETY: the program's own string.
    let found = unsafe { table::find_ansi(name) };
    registered(found, Handler::extended(handler, context))
}

/// Keeps the handler and gives the status handle of the service's start.
fn registered(found: Result<Option<&Service>>, handler: Handler) -> *mut c_void {
    let error = match (found, handler) {
        (Err(error), _) => error,
        (_, Handler::None) => ERROR_INVALID_ADDRESS,
        (Ok(None), _) => ERROR_SERVICE_DOES_NOT_EXIST,
        (Ok(Some(service)), handler) => {
            service.set_handler(handler);
            return service.status_handle() as usize as *mut c_void;
        }
    };
    set_last_error(error);
    core::ptr::null_mut()
}

/// As `SetServiceStatus`.
pub(super) unsafe extern "system" fn set_status(
    status_handle: *mut c_void,
    status: *const SERVICE_STATUS,
) -> i32 {
    let report = || {
        let status_handle =
            u32::try_from(status_handle as usize).map_err(|_| ERROR_INVALID_HANDLE)?;
        if status.is_null() {
            return Err(ERROR_INVALID_ADDRESS);
        }
        // SAFETY: the program's own structure.
        let status = unsafe { status.read_unaligned() };
        let mut status = ServiceStatus {
            service_type: status.dwServiceType,
            state: status.dwCurrentState,
            controls_accepted: status.dwControlsAccepted,
            win32_exit_code: status.dwWin32ExitCode,
            specific_exit_code: status.dwServiceSpecificExitCode,
            check_point: status.dwCheckPoint,
            wait_hint: status.dwWaitHint,
            process_id: 0,
        };
        if host::is_host()
            && status.state == SERVICE_RUNNING
            && let Some(service) = table::of_status_handle(status_handle)
        {
            let error = driver::load(service);
            if error != 0 {
                status.state = SERVICE_STOPPED;
                status.win32_exit_code = error;
            }
        }
        let request = ServiceRequest::Report {
            status_handle,
            status,
        };
        call(request, done)
    };
    boolean(report())
}
