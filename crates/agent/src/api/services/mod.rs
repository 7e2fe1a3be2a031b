//! The service API: its entries in sechost.dll jump here, and the VM's own
//! service controller answers. Nothing of it reaches the host's.
//!
//! Observed on Wine 8 and 10: advapi32's service functions jump to sechost's
//! or call them, and sechost's A forms call the W ones, so that the W and Ex
//! bodies are enough. On Windows the A forms make calls of their own; they
//! then end at the `svcctl` pipe, which a VM has none of.

mod arguments;
mod call;
mod client;
mod config;
mod driver;
mod failure;
mod keys;
mod lists;
mod lock;
mod notices;
mod pack;
mod process;
mod security;
mod table;
mod text;
mod trigger;
mod wait;

use crate::entry::protect;
use core::ffi::c_void;
use pinion_intercept::export::Module;
use pinion_intercept::jump;
use pinion_nt::{PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE};

/// One replaced export.
struct Replacement {
    name: &'static [u8],
    with: *const c_void,
}

// SAFETY: both fields are addresses of static code and data.
unsafe impl Sync for Replacement {}

macro_rules! replacements {
    ($($name:ident => $with:path;)*) => {
        static REPLACEMENTS: &[Replacement] = &[
            $(Replacement { name: stringify!($name).as_bytes(), with: $with as *const c_void }),*
        ];
    };
}

replacements! {
    OpenSCManagerW => client::open_manager;
    OpenServiceW => client::open_service;
    CreateServiceW => client::create_service;
    DeleteService => client::delete_service;
    CloseServiceHandle => client::close_handle;
    StartServiceW => client::start_service;
    ControlService => client::control_service;
    QueryServiceStatus => client::query_status;
    QueryServiceStatusEx => client::query_status_ex;
    QueryServiceConfigW => config::query;
    ChangeServiceConfigW => config::change;
    QueryServiceConfig2W => config::query_extra;
    ChangeServiceConfig2W => config::change_extra;
    GetServiceDisplayNameW => config::display_name;
    GetServiceKeyNameW => config::key_name;
    EnumServicesStatusExW => lists::services;
    EnumDependentServicesW => lists::dependents;
    StartServiceCtrlDispatcherW => process::dispatch;
    StartServiceCtrlDispatcherA => process::dispatch_ansi;
    RegisterServiceCtrlHandlerW => process::register;
    RegisterServiceCtrlHandlerA => process::register_ansi;
    RegisterServiceCtrlHandlerExW => process::register_ex;
    RegisterServiceCtrlHandlerExA => process::register_ex_ansi;
    SetServiceStatus => process::set_status;
    ControlServiceExW => client::control_service_ex;
    ControlServiceExA => client::control_service_ex;
    QueryServiceObjectSecurity => security::query;
    SetServiceObjectSecurity => security::set;
    NotifyServiceStatusChange => notices::notify;
    NotifyServiceStatusChangeA => notices::notify_ansi;
    NotifyServiceStatusChangeW => notices::notify;
    WaitServiceState => wait::state;
}

/// What advapi32 has a body of its own for.
static IN_ADVAPI32: &[Replacement] = &[
    Replacement {
        name: b"LockServiceDatabase",
        with: lock::lock as *const c_void,
    },
    Replacement {
        name: b"UnlockServiceDatabase",
        with: lock::unlock as *const c_void,
    },
    Replacement {
        name: b"QueryServiceLockStatusW",
        with: lock::status as *const c_void,
    },
    Replacement {
        name: b"QueryServiceLockStatusA",
        with: lock::status as *const c_void,
    },
];

/// Replaces the exports in the sechost.dll mapped at `base`. An export that
/// this sechost lacks is nobody's to call.
pub(super) fn replace(base: u64, size: usize) {
    replace_all(REPLACEMENTS, base, size);
}

/// The same for the advapi32.dll mapped at `base`.
pub(super) fn replace_in_advapi32(base: u64, size: usize) {
    replace_all(IN_ADVAPI32, base, size);
}

fn replace_all(replacements: &[Replacement], base: u64, size: usize) {
    // SAFETY: the loader says that `size` bytes of the module are mapped there.
    let bytes = unsafe { core::slice::from_raw_parts(base as *const u8, size) };
    let Some(module) = Module::new(bytes) else {
        return;
    };
    for replacement in replacements {
        if let Some(rva) = module.find(replacement.name) {
            patch(base + u64::from(rva), replacement.with as u64);
        }
    }
}

/// Writes a jump to `target` over the function at `at`. Observed on Wine 8 and
/// 10: every function of the table is longer than the jump.
fn patch(at: u64, target: u64) {
    let jump = jump::encode(target);
    if protect(at, jump.len(), PAGE_EXECUTE_READWRITE).is_none() {
        return;
    }
    // SAFETY: the pages were made writable, and the module's code does not run
    // before its load is reported.
    unsafe { core::ptr::copy_nonoverlapping(jump.as_ptr(), at as *mut u8, jump.len()) };
    protect(at, jump.len(), PAGE_EXECUTE_READ);
}
