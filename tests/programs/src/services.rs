//! What programs that try the service API share.

// A service's handle is looked up by the API, and no pointer.
#![allow(clippy::not_unsafe_ptr_arg_deref)]

use std::ptr::{null, null_mut};
use std::time::{Duration, Instant};

use windows_sys::Win32::System::Services::{
    CreateServiceW, OpenSCManagerW, OpenServiceW, QueryServiceStatusEx, SC_HANDLE,
    SC_MANAGER_ALL_ACCESS, SC_STATUS_PROCESS_INFO, SERVICE_ALL_ACCESS, SERVICE_DEMAND_START,
    SERVICE_ERROR_NORMAL, SERVICE_STATUS_PROCESS, SERVICE_WIN32_OWN_PROCESS, StartServiceW,
};

use crate::{last_error, wide};

/// 0 for success, else the last error.
#[must_use]
pub fn code(done: i32) -> u32 {
    if done == 0 { last_error() } else { 0 }
}

/// The handle, or the last error for none.
///
/// # Errors
/// The last error.
pub fn handle(handle: SC_HANDLE) -> Result<SC_HANDLE, u32> {
    if handle.is_null() {
        Err(last_error())
    } else {
        Ok(handle)
    }
}

/// The manager with all rights.
#[must_use]
pub fn manager() -> SC_HANDLE {
    // SAFETY: no names.
    unsafe { OpenSCManagerW(null(), null(), SC_MANAGER_ALL_ACCESS) }
}

/// What a service is made of; the rest is as usual.
#[derive(Clone, Copy)]
pub struct Made<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its command line.
    pub command: &'a str,
    /// `SERVICE_WIN32_OWN_PROCESS` and so on.
    pub kind: u32,
    /// `SERVICE_DEMAND_START` and so on.
    pub start: u32,
    /// Its load order group.
    pub group: &'a str,
    /// One name that it depends on; nothing when empty.
    pub needs: &'a str,
}

impl<'a> Made<'a> {
    /// One of its own process, started on demand.
    #[must_use]
    pub fn new(name: &'a str, command: &'a str) -> Self {
        Self {
            name,
            command,
            kind: SERVICE_WIN32_OWN_PROCESS,
            start: SERVICE_DEMAND_START,
            group: "",
            needs: "",
        }
    }

    /// Makes it.
    ///
    /// # Errors
    /// The last error.
    pub fn create(&self, manager: SC_HANDLE) -> Result<SC_HANDLE, u32> {
        let (name, command) = (wide(self.name), wide(self.command));
        let (group, needs) = (wide(self.group), [wide(self.needs), vec![0]].concat());
        // SAFETY: zero-terminated strings, and a list that ends with an empty one.
        handle(unsafe {
            CreateServiceW(
                manager,
                name.as_ptr(),
                null(),
                SERVICE_ALL_ACCESS,
                self.kind,
                self.start,
                SERVICE_ERROR_NORMAL,
                command.as_ptr(),
                group.as_ptr(),
                null_mut(),
                needs.as_ptr(),
                null(),
                null(),
            )
        })
    }
}

/// Opens a service.
///
/// # Errors
/// The last error.
pub fn open(manager: SC_HANDLE, name: &str, rights: u32) -> Result<SC_HANDLE, u32> {
    // SAFETY: a zero-terminated name.
    handle(unsafe { OpenServiceW(manager, wide(name).as_ptr(), rights) })
}

/// Starts a service without arguments; the error, or 0.
#[must_use]
pub fn start(service: SC_HANDLE) -> u32 {
    // SAFETY: no arguments.
    code(unsafe { StartServiceW(service, 0, null()) })
}

/// A service's status; zeros when it is not told.
#[must_use]
pub fn status(service: SC_HANDLE) -> SERVICE_STATUS_PROCESS {
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

/// Waits up to thirty seconds.
pub fn until(mut there: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(30);
    while Instant::now() < end {
        if there() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}
