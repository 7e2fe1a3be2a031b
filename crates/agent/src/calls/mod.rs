//! What takes the place of the intercepted system calls, a file per kind of
//! object. Each function has the system call's own arguments, which may be any
//! bits, and the call as it was in [`crate::hooks::kept`].

pub(crate) mod atoms;
pub(crate) mod by_handle;
mod connections;
mod console;
pub(crate) mod controls;
pub(crate) mod denied;
mod device;
pub(crate) mod dos_devices;
pub(crate) mod files;
pub(crate) mod first_instance;
mod handle_tables;
pub(crate) mod handles;
pub(crate) mod links;
pub(crate) mod membership;
pub(crate) mod namespaces;
pub(crate) mod notices;
pub(crate) mod objects;
pub(crate) mod open;
pub(crate) mod opening;
pub(crate) mod pipes;
pub(crate) mod ports;
pub(crate) mod processes;
pub(crate) mod query_object;
pub(crate) mod registry;
pub(crate) mod rules;
pub(crate) mod seldom_named;
pub(crate) mod sockets;
pub(crate) mod tables;
pub(crate) mod transactions;
pub(crate) mod wine_server;
