//! The tables of calls, one file for each family.

mod ntdll;
mod win32u;

use crate::call::{Call, Group, Module};

/// The tables with the DLL that exports their calls.
pub(crate) const TABLES: &[(Module, &[Group])] = &[
    (Module::Ntdll, ntdll::OBJECTS),
    (Module::Ntdll, ntdll::FILES),
    (Module::Ntdll, ntdll::REGISTRY),
    (Module::Ntdll, ntdll::PROCESSES),
    (Module::Ntdll, ntdll::PORTS),
    (Module::Ntdll, ntdll::MACHINE),
    (Module::Ntdll, ntdll::WINE),
    (Module::Win32u, win32u::WINDOWS),
    (Module::Win32u, win32u::INPUT),
    (Module::Win32u, win32u::DESKTOP),
    (Module::Win32u, win32u::SCREEN),
    (Module::Win32u, win32u::DRAWING),
    (Module::Win32u, win32u::GRAPHICS),
];

/// All groups of calls, with the DLL that exports them.
pub fn groups() -> impl Iterator<Item = (Module, &'static Group)> {
    TABLES
        .iter()
        .flat_map(|&(module, groups)| groups.iter().map(move |group| (module, group)))
}

/// All calls.
pub fn calls() -> impl Iterator<Item = Call> {
    groups().flat_map(|(module, group)| {
        group.names.iter().map(move |&name| Call {
            name,
            module,
            group,
        })
    })
}
