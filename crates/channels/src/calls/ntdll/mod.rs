//! ntdll's system calls.

mod files;
mod machine;
mod objects;
mod ports;
mod processes;
mod registry;
mod wine;

pub(in crate::calls) use files::GROUPS as FILES;
pub(in crate::calls) use machine::GROUPS as MACHINE;
pub(in crate::calls) use objects::GROUPS as OBJECTS;
pub(in crate::calls) use ports::GROUPS as PORTS;
pub(in crate::calls) use processes::GROUPS as PROCESSES;
pub(in crate::calls) use registry::GROUPS as REGISTRY;
pub(in crate::calls) use wine::GROUPS as WINE;
