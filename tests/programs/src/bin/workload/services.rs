//! Services: a start with its stop, and one control with its answer.

use pinion_test_programs::services::{Made, manager, open, start, status};
use std::time::{Duration, Instant};
use windows_sys::Win32::Foundation::ERROR_SERVICE_EXISTS;
use windows_sys::Win32::System::Services::{
    CloseServiceHandle, ControlService, DeleteService, SC_HANDLE, SERVICE_ALL_ACCESS,
    SERVICE_CONTROL_INTERROGATE, SERVICE_CONTROL_STOP, SERVICE_RUNNING, SERVICE_STATUS,
    SERVICE_STOPPED,
};

const NAME: &str = "pinion-bench";
/// How long a service may take to come to a state.
const TIME: Duration = Duration::from_secs(30);

/// Starts and stops a service of the program `worker`, `count` times.
pub fn cycle(count: u32, worker: &str) {
    with(worker, |service| {
        crate::time(count, |_| {
            assert_eq!(start(service), 0);
            reach(service, SERVICE_RUNNING);
            control(service, SERVICE_CONTROL_STOP);
            reach(service, SERVICE_STOPPED);
        });
    });
}

/// Has a running service answer a control, `count` times.
pub fn controls(count: u32, worker: &str) {
    with(worker, |service| {
        assert_eq!(start(service), 0);
        reach(service, SERVICE_RUNNING);
        crate::time(count, |_| control(service, SERVICE_CONTROL_INTERROGATE));
        control(service, SERVICE_CONTROL_STOP);
        reach(service, SERVICE_STOPPED);
    });
}

/// Runs `work` with a service that is made for it.
fn with(worker: &str, work: impl FnOnce(SC_HANDLE)) {
    let manager = manager();
    let command = format!("\"{worker}\"");
    let made = Made::new(NAME, &command).create(manager);
    let service = match made {
        Err(ERROR_SERVICE_EXISTS) => open(manager, NAME, SERVICE_ALL_ACCESS),
        made => made,
    };
    let service = service.expect("a service");
    work(service);
    // SAFETY: two live handles, closed once.
    unsafe {
        DeleteService(service);
        CloseServiceHandle(service);
        CloseServiceHandle(manager);
    }
}

fn control(service: SC_HANDLE, control: u32) {
    let mut status = SERVICE_STATUS::default();
    // SAFETY: a live handle, and a local.
    let done = unsafe { ControlService(service, control, &raw mut status) };
    assert_ne!(done, 0);
}

fn reach(service: SC_HANDLE, state: u32) {
    let begin = Instant::now();
    while status(service).dwCurrentState != state {
        assert!(
            begin.elapsed() < TIME,
            "the service does not come to state {state}"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
}
