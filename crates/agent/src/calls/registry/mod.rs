//! Registry keys: writes land in the VM's upper layer, reads fall through, and
//! deletes hide.
//!
//! The kernel keeps the layers as plain keys ([`pinion_names::key`] tells
//! where), so an open key is always a real one and most calls on it are native.
//! [`open`] decides which key that is; [`copy_up`] brings a key into the upper;
//! [`handles`] knows which open keys were overtaken; [`listing`] merges
//! subkeys, [`listed`] keeps that; [`names`] translates, [`links`] follows; [`recent`]
//! remembers; [`tree`] shows the stack to the overlay's
//! engine, whose rules are the only ones.
//!
//! [`notify`] waits for changes, [`security`] keeps descriptors, [`grants`]
//! judges them, [`own_links`]
//! are links of the VM's own; [`hives`] saves trees, [`load`]
//! takes them in.

mod access;
mod bells;
mod copy_up;
mod delete;
mod grants;
mod handles;
mod hives;
mod links;
mod listed;
mod listing;
mod load;
mod make;
mod marks;
mod names;
mod notify;
mod open;
mod own_links;
mod private;
mod query;
mod raw;
mod recent;
mod refused;
mod rename;
mod security;
mod transactions;
mod tree;
mod values;

pub(crate) use delete::delete_key;
pub(crate) use handles::forget;
pub(crate) use hives::{replace_key, restore_key, save_key, save_key_ex};
pub(crate) use load::{load_key, load_key_2, load_key_ex, unload_key};
pub(crate) use names::asked_name;
pub(crate) use notify::{notify_change, notify_multiple};
pub(crate) use open::{create_key, open_key, open_key_ex};
pub(crate) use query::{enumerate_key, query_key};
pub(crate) use refused::*;
pub(crate) use rename::rename_key;
pub(crate) use security::query_security;
pub(crate) use transactions::{create_transacted, open_transacted, open_transacted_ex};
pub(crate) use values::{
    delete_value, enumerate_value, flush_key, query_multiple, query_value, set_value,
};
