//! What a VM may reach outside itself, and why: the pass list.
//!
//! Default deny: what is not here is the VM's own. Each line names the exact
//! object and its reason. [`rules`] are what a user adds for one VM. Pure data and
//! comparison; the agent acts on it.
#![no_std]
#![forbid(unsafe_code)]

pub mod control;
pub mod device;
pub mod object;
pub mod port;
pub mod refused;
pub mod rules;
pub mod setting;
pub mod shared_desktop;
pub mod state_name;
pub mod user;
