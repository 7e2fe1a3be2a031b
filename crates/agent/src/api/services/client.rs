//! The service API of a client: handles, start, control and status.

use super::call::{self, Result, boolean, call, changed, given, pointer, unexpected};
use super::{keys, text};
use crate::api::heap::Block;
use core::ffi::c_void;
use pinion_wire::services::{ServiceReply, ServiceRequest, ServiceStatus, Settings};
use windows_sys::Win32::Foundation::{
    ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_ADDRESS, ERROR_INVALID_LEVEL, ERROR_INVALID_PARAMETER,
    ERROR_NOT_ENOUGH_MEMORY,
};
use windows_sys::Win32::System::Services::{
    SERVICE_CONTROL_STATUS_REASON_INFO, SERVICE_CONTROL_STATUS_REASON_PARAMSW,
    SERVICE_CONTROL_STOP, SERVICE_STATUS, SERVICE_STATUS_PROCESS,
};

/// As `OpenSCManagerW`.
pub(super) unsafe extern "system" fn open_manager(
    machine: *const u16,
    database: *const u16,
    access: u32,
) -> *mut c_void {
    let open = || {
        // SAFETY: the program's own strings.
        let (machine, database) = unsafe { (text::optional(machine)?, text::optional(database)?) };
        let request = ServiceRequest::OpenManager {
            machine,
            database,
            access,
        };
        let handle = call(request, call::handle)?;
        // What programs find there after a success (Wine's own tests, which pass
        // on Windows).
        call::set_last_error(0);
        Ok(handle)
    };
    pointer(open())
}

/// As `OpenServiceW`.
pub(super) unsafe extern "system" fn open_service(
    manager: *mut c_void,
    name: *const u16,
    access: u32,
) -> *mut c_void {
    let open = || {
        let manager = given(manager)?;
        // SAFETY: the program's own string.
        let name = unsafe { text::required(name) }?;
        let request = ServiceRequest::OpenService {
            manager,
            name,
            access,
        };
        call(request, call::handle)
    };
    pointer(open())
}

/// As `CreateServiceW`. The password is not looked at: a VM has no accounts.
#[allow(clippy::too_many_arguments)]
pub(super) unsafe extern "system" fn create_service(
    manager: *mut c_void,
    name: *const u16,
    display_name: *const u16,
    access: u32,
    service_type: u32,
    start_type: u32,
    error_control: u32,
    image_path: *const u16,
    group: *const u16,
    tag: *mut u32,
    depend_on: *const u16,
    account: *const u16,
    _password: *const u16,
) -> *mut c_void {
    let create = || {
        let manager = given(manager)?;
        // SAFETY: the program's own strings.
        let (name, settings) = unsafe {
            let settings = Settings {
                service_type: Some(service_type),
                start_type: Some(start_type),
                error_control: Some(error_control),
                image_path: Some(text::required(image_path)?),
                group: text::optional(group)?,
                tag: 0,
                depend_on: text::list(depend_on)?,
                account: text::optional(account)?,
                display_name: text::optional(display_name)?,
            };
            (text::required(name)?, settings)
        };
        // Tags order drivers within a group; a VM loads none.
        if !tag.is_null() && settings.group.is_none_or(<[u8]>::is_empty) {
            return Err(ERROR_INVALID_PARAMETER);
        }
        let request = ServiceRequest::Create {
            manager,
            name,
            access,
            settings,
        };
        let handle = call(request, |reply| match reply {
            ServiceReply::Made { handle, change } => {
                keys::write(&change);
                Ok(handle as usize as *mut c_void)
            }
            _ => unexpected(),
        })?;
        if !tag.is_null() {
            // SAFETY: the program's own variable.
            unsafe { tag.write_unaligned(0) };
        }
        Ok(handle)
    };
    pointer(create())
}

/// As `DeleteService`.
pub(super) unsafe extern "system" fn delete_service(service: *mut c_void) -> i32 {
    boolean(given(service).and_then(|service| call(ServiceRequest::Delete { service }, changed)))
}

/// As `CloseServiceHandle`.
pub(super) unsafe extern "system" fn close_handle(handle: *mut c_void) -> i32 {
    let close = |handle| {
        call(ServiceRequest::Close { handle }, |reply| match reply {
            ServiceReply::Done => Ok(()),
            ServiceReply::Gone(service) => {
                keys::remove(service);
                Ok(())
            }
            _ => unexpected(),
        })
    };
    boolean(given(handle).and_then(close))
}

/// As `StartServiceW`.
pub(super) unsafe extern "system" fn start_service(
    service: *mut c_void,
    count: u32,
    arguments: *const *const u16,
) -> i32 {
    // SAFETY: the program's own arguments.
    boolean(unsafe { start(service, count, arguments) })
}

/// # Safety
/// `arguments` is null or points to `count` strings.
unsafe fn start(service: *mut c_void, count: u32, arguments: *const *const u16) -> Result<()> {
    let service = given(service)?;
    let count = if arguments.is_null() {
        0
    } else {
        count as usize
    };
    let mut block = Block::new(call::ROOM).ok_or(ERROR_NOT_ENOUGH_MEMORY)?;
    let room = block.bytes();
    let mut used = 0;
    for index in 0..count {
        // SAFETY: the caller's promise.
        let argument = unsafe { text::required(arguments.add(index).read_unaligned()) }?;
        let end = used + argument.len();
        room.get_mut(used..end)
            .ok_or(ERROR_INVALID_PARAMETER)?
            .copy_from_slice(argument);
        // The block is zero: the string's own zero is there already.
        used = end + 2;
    }
    let arguments = room.get(..used).ok_or(ERROR_INVALID_PARAMETER)?;
    call(
        ServiceRequest::Start { service, arguments },
        |reply| match reply {
            ServiceReply::Status(_) => Ok(()),
            _ => unexpected(),
        },
    )
}

/// As `ControlService`: errors of the service come with its status too.
pub(super) unsafe extern "system" fn control_service(
    service: *mut c_void,
    control: u32,
    status: *mut SERVICE_STATUS,
) -> i32 {
    boolean(given(service).and_then(|service| {
        send_control(service, control, |now| {
            if !status.is_null() {
                // SAFETY: the program's own structure.
                unsafe { status.write_unaligned(short(now)) };
            }
        })
    }))
}

/// As `ControlServiceExW` and `ControlServiceExA`, whose only level is 1,
/// `SERVICE_CONTROL_STATUS_REASON_INFO`. A VM has no event log for the reason; a
/// stop must have one all the same (ControlServiceEx documentation).
pub(super) unsafe extern "system" fn control_service_ex(
    service: *mut c_void,
    control: u32,
    level: u32,
    parameters: *mut SERVICE_CONTROL_STATUS_REASON_PARAMSW,
) -> i32 {
    /// `SERVICE_STOP_REASON_FLAG_MIN`, `_MAX` and the mask of the flags (winsvc.h):
    /// none or several of them say nothing.
    const FLAGS: u32 = 0xf000_0000;
    let control = || {
        if level != SERVICE_CONTROL_STATUS_REASON_INFO {
            return Err(ERROR_INVALID_LEVEL);
        }
        let service = given(service)?;
        if parameters.is_null() {
            return Err(ERROR_INVALID_PARAMETER);
        }
        // SAFETY: the program's own structure.
        let reason = unsafe { (&raw const (*parameters).dwReason).read_unaligned() };
        if control == SERVICE_CONTROL_STOP && !(reason & FLAGS).is_power_of_two() {
            return Err(ERROR_INVALID_PARAMETER);
        }
        send_control(service, control, |now| {
            // SAFETY: as above.
            unsafe { (&raw mut (*parameters).ServiceStatus).write_unaligned(full(now)) };
        })
    };
    boolean(control())
}

/// Sends a control and tells the status that comes with the answer, be it an error.
fn send_control(service: u32, control: u32, tell: impl Fn(&ServiceStatus)) -> Result<()> {
    call(
        ServiceRequest::Control { service, control },
        |reply| match reply {
            ServiceReply::Status(now) => {
                tell(&now);
                Ok(())
            }
            ServiceReply::Refused { error, status } => {
                tell(&status);
                Err(error)
            }
            _ => unexpected(),
        },
    )
}

/// As `QueryServiceStatus`.
pub(super) unsafe extern "system" fn query_status(
    service: *mut c_void,
    status: *mut SERVICE_STATUS,
) -> i32 {
    let query = || {
        let service = given(service)?;
        if status.is_null() {
            return Err(ERROR_INVALID_ADDRESS);
        }
        let now = ask(service)?;
        // SAFETY: the program's own structure.
        unsafe { status.write_unaligned(short(&now)) };
        Ok(())
    };
    boolean(query())
}

/// As `QueryServiceStatusEx`, whose only level is 0, `SC_STATUS_PROCESS_INFO`.
pub(super) unsafe extern "system" fn query_status_ex(
    service: *mut c_void,
    level: i32,
    buffer: *mut u8,
    size: u32,
    needed: *mut u32,
) -> i32 {
    let query = || {
        if level != 0 {
            return Err(ERROR_INVALID_LEVEL);
        }
        if needed.is_null() {
            return Err(ERROR_INVALID_ADDRESS);
        }
        // SAFETY: the program's own variable.
        unsafe { needed.write_unaligned(size_of::<SERVICE_STATUS_PROCESS>() as u32) };
        if (size as usize) < size_of::<SERVICE_STATUS_PROCESS>() {
            return Err(ERROR_INSUFFICIENT_BUFFER);
        }
        if buffer.is_null() {
            return Err(ERROR_INVALID_ADDRESS);
        }
        let now = ask(given(service)?)?;
        // SAFETY: the program's own buffer, large enough as it says.
        unsafe {
            buffer
                .cast::<SERVICE_STATUS_PROCESS>()
                .write_unaligned(full(&now));
        }
        Ok(())
    };
    boolean(query())
}

pub(super) fn ask(service: u32) -> Result<ServiceStatus> {
    call(ServiceRequest::Status { service }, |reply| match reply {
        ServiceReply::Status(now) => Ok(now),
        _ => unexpected(),
    })
}

/// A status without its process.
pub(super) fn short(status: &ServiceStatus) -> SERVICE_STATUS {
    SERVICE_STATUS {
        dwServiceType: status.service_type,
        dwCurrentState: status.state,
        dwControlsAccepted: status.controls_accepted,
        dwWin32ExitCode: status.win32_exit_code,
        dwServiceSpecificExitCode: status.specific_exit_code,
        dwCheckPoint: status.check_point,
        dwWaitHint: status.wait_hint,
    }
}

/// A status with its process.
pub(super) fn full(status: &ServiceStatus) -> SERVICE_STATUS_PROCESS {
    SERVICE_STATUS_PROCESS {
        dwServiceType: status.service_type,
        dwCurrentState: status.state,
        dwControlsAccepted: status.controls_accepted,
        dwWin32ExitCode: status.win32_exit_code,
        dwServiceSpecificExitCode: status.specific_exit_code,
        dwCheckPoint: status.check_point,
        dwWaitHint: status.wait_hint,
        dwProcessId: status.process_id,
        dwServiceFlags: 0,
    }
}
