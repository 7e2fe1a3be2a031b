//! The service's reports and its control handler.

use core::ffi::c_void;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::thread::sleep;
use std::time::Duration;
use windows_sys::Win32::Foundation::ERROR_CALL_NOT_IMPLEMENTED;
use windows_sys::Win32::System::Services::{
    RegisterServiceCtrlHandlerExW, SERVICE_ACCEPT_STOP, SERVICE_CONTROL_INTERROGATE,
    SERVICE_CONTROL_STOP, SERVICE_RUNNING, SERVICE_START_PENDING, SERVICE_STATUS,
    SERVICE_STATUS_HANDLE, SERVICE_STOPPED, SERVICE_WIN32_SHARE_PROCESS, SetServiceStatus,
};

/// One service's.
pub(crate) struct Status {
    handle: SERVICE_STATUS_HANDLE,
    stopping: &'static AtomicBool,
}

impl Status {
    /// Registers the handler of the service of this name.
    pub(crate) fn register(name: &str) -> Option<Self> {
        let name = pinion_test_programs::wide(name);
        let stopping: &'static AtomicBool = Box::leak(Box::new(AtomicBool::new(false)));
        let context: *const AtomicBool = stopping;
        // SAFETY: the name ends in a zero; the context lives as long as the process.
        let handle = unsafe {
            RegisterServiceCtrlHandlerExW(name.as_ptr(), Some(handler), context.cast_mut().cast())
        };
        if handle.is_null() {
            return None;
        }
        let status = Self { handle, stopping };
        status.report(SERVICE_START_PENDING, 0);
        Some(status)
    }

    pub(crate) fn running(&self) {
        self.report(SERVICE_RUNNING, 0);
    }

    pub(crate) fn stopped(&self, error: u32) {
        self.report(SERVICE_STOPPED, error);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(SeqCst)
    }

    pub(crate) fn wait_for_stop(&self) {
        while !self.is_stopping() {
            sleep(Duration::from_millis(30));
        }
    }

    fn report(&self, state: u32, exit: u32) {
        let status = SERVICE_STATUS {
            dwServiceType: SERVICE_WIN32_SHARE_PROCESS,
            dwCurrentState: state,
            dwControlsAccepted: if state == SERVICE_RUNNING {
                SERVICE_ACCEPT_STOP
            } else {
                0
            },
            dwWin32ExitCode: exit,
            dwServiceSpecificExitCode: 0,
            dwCheckPoint: 0,
            dwWaitHint: 3000,
        };
        // SAFETY: the handle of this service's registration; a live structure.
        unsafe { SetServiceStatus(self.handle, &raw const status) };
    }
}

unsafe extern "system" fn handler(
    control: u32,
    _event: u32,
    _data: *mut c_void,
    context: *mut c_void,
) -> u32 {
    // SAFETY: the context that `register` gave.
    let stopping = unsafe { &*context.cast::<AtomicBool>() };
    match control {
        SERVICE_CONTROL_INTERROGATE => 0,
        SERVICE_CONTROL_STOP => {
            stopping.store(true, SeqCst);
            0
        }
        _ => ERROR_CALL_NOT_IMPLEMENTED,
    }
}
