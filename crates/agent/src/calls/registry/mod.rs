//! Registry keys: writes land in the VM's upper layer, reads fall through, and
//! deletes hide.
//!
//! The kernel keeps the layers as plain keys ([`pinion_names::key`] tells
//! where), so an open key is always a real one and most calls on it are native.
//! [`open`] decides which key that is; [`copy_up`] brings a key into the upper;
//! [`handles`] knows which open keys were overtaken; [`listing`] merges
//! subkeys; [`names`] translates, [`links`] follows; [`recent`]
//! remembers; [`tree`] shows the stack to the overlay's
//! engine, whose rules are the only ones.
//!
//! What this does not give: a change notification on a host key does not tell
//! of changes that the VM makes to it later; a key's security descriptor and
//! last-write time are the copy's own once it is copied up; link keys are not
//! made; hives and transactions are refused ([`refused`]).

mod access;
mod copy_up;
mod delete;
mod handles;
mod links;
mod listing;
mod names;
mod open;
mod query;
mod raw;
mod recent;
mod refused;
mod rename;
mod tree;
mod values;

pub(crate) use delete::delete_key;
pub(crate) use handles::forget;
pub(crate) use names::asked_name;
pub(crate) use open::{create_key, open_key, open_key_ex};
pub(crate) use query::{enumerate_key, query_key};
pub(crate) use refused::*;
pub(crate) use rename::rename_key;
pub(crate) use values::{enumerate_value, query_multiple, query_value};
