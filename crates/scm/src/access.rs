//! Owns the access rights of the controller's handles: how a requested mask
//! becomes a granted one. Grants to everybody inside the VM what an
//! administrator has: the VM's programs are its administrators.

use windows_sys::Win32::Foundation::{GENERIC_ALL, GENERIC_EXECUTE, GENERIC_READ, GENERIC_WRITE};
use windows_sys::Win32::Storage::FileSystem::{
    DELETE, READ_CONTROL, STANDARD_RIGHTS_REQUIRED, WRITE_DAC, WRITE_OWNER,
};
use windows_sys::Win32::System::Services as services;
use windows_sys::Win32::System::SystemServices::{ACCESS_SYSTEM_SECURITY, MAXIMUM_ALLOWED};

use crate::error::{Result, Win32Error};

/// How generic rights map to specific ones for one kind of object.
struct Mapping {
    read: u32,
    write: u32,
    execute: u32,
    all: u32,
}

/// `SC_MANAGER_*`, as documented in "Service Security and Access Rights".
const MANAGER: Mapping = Mapping {
    read: READ_CONTROL
        | services::SC_MANAGER_ENUMERATE_SERVICE
        | services::SC_MANAGER_QUERY_LOCK_STATUS,
    write: READ_CONTROL
        | services::SC_MANAGER_CREATE_SERVICE
        | services::SC_MANAGER_MODIFY_BOOT_CONFIG,
    execute: READ_CONTROL | services::SC_MANAGER_CONNECT | services::SC_MANAGER_LOCK,
    all: services::SC_MANAGER_ALL_ACCESS,
};

/// `SERVICE_*`, as documented in "Service Security and Access Rights".
const SERVICE: Mapping = Mapping {
    read: READ_CONTROL
        | services::SERVICE_QUERY_CONFIG
        | services::SERVICE_QUERY_STATUS
        | services::SERVICE_INTERROGATE
        | services::SERVICE_ENUMERATE_DEPENDENTS,
    write: READ_CONTROL | services::SERVICE_CHANGE_CONFIG,
    execute: READ_CONTROL
        | services::SERVICE_START
        | services::SERVICE_STOP
        | services::SERVICE_PAUSE_CONTINUE
        | services::SERVICE_USER_DEFINED_CONTROL,
    all: services::SERVICE_ALL_ACCESS,
};

/// Rights that every kind of object knows.
const STANDARD: u32 = STANDARD_RIGHTS_REQUIRED
    | DELETE
    | READ_CONTROL
    | WRITE_DAC
    | WRITE_OWNER
    | ACCESS_SYSTEM_SECURITY;

/// `SERVICE_SET_STATUS`: not documented, held by status handles only; asked
/// for by Wine's own dispatcher and granted as on Windows.
pub const SERVICE_SET_STATUS: u32 = 0x8000;

/// The rights of a manager handle for a requested mask. Connecting is always
/// part of them, as documented.
pub fn manager(requested: u32) -> Result<u32> {
    map(requested, &MANAGER, 0).map(|granted| granted | services::SC_MANAGER_CONNECT)
}

/// The rights of a service handle for a requested mask.
pub fn service(requested: u32) -> Result<u32> {
    map(requested, &SERVICE, SERVICE_SET_STATUS)
}

/// The specific rights of an access list's entry on a service.
pub(crate) fn specific(mask: u32) -> u32 {
    spell_out(mask & !MAXIMUM_ALLOWED, &SERVICE)
}

fn map(requested: u32, mapping: &Mapping, extra: u32) -> Result<u32> {
    let granted = spell_out(requested, mapping);
    if granted & !(mapping.all | STANDARD | extra) != 0 {
        return Err(Win32Error::ACCESS_DENIED);
    }
    Ok(granted)
}

/// A mask with its generic rights spelled out.
fn spell_out(requested: u32, mapping: &Mapping) -> u32 {
    let generic = GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE | GENERIC_ALL | MAXIMUM_ALLOWED;
    let mut granted = requested & !generic;
    for (right, specific) in [
        (GENERIC_READ, mapping.read),
        (GENERIC_WRITE, mapping.write),
        (GENERIC_EXECUTE, mapping.execute),
        (GENERIC_ALL, mapping.all),
        (MAXIMUM_ALLOWED, mapping.all),
    ] {
        if requested & right != 0 {
            granted |= specific;
        }
    }
    granted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generic_rights_become_specific_ones() {
        let read = service(GENERIC_READ).unwrap();
        assert_ne!(read & services::SERVICE_QUERY_STATUS, 0);
        assert_eq!(read & services::SERVICE_START, 0);
        assert_eq!(
            service(MAXIMUM_ALLOWED).unwrap(),
            services::SERVICE_ALL_ACCESS
        );
    }

    #[test]
    fn a_manager_handle_may_always_connect() {
        assert_eq!(manager(0).unwrap(), services::SC_MANAGER_CONNECT);
    }

    #[test]
    fn unknown_rights_are_refused() {
        assert_eq!(service(0x4000), Err(Win32Error::ACCESS_DENIED));
        assert_eq!(manager(0x8000), Err(Win32Error::ACCESS_DENIED));
    }
}
