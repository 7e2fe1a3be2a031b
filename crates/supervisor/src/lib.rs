//! The supervisor: the process that keeps one VM.
//!
//! Owns the VM's job, its object directory, its log, its published ports and its service controller,
//! from the start of the VM to its end. There is one supervisor process per VM and no daemon; when it
//! dies, the job closes and the VM dies with it. The command line talks to it over one pipe
//! ([`control`]), programs inside over another (`requests`). All that comes from inside the VM is
//! hostile input.
//!
//! | module | idea |
//! | --- | --- |
//! | `run`, `finish` | one run from start to end |
//! | `keeper`, `lifecycle` | what a running VM is made of, and the states of its life |
//! | `job`, `process`, `names`, `section`, `pipe`, `attributes`, `desktop`, `system` | kernel objects |
//! | `agent`, `start`, `creation`, `admission`, `again` | take processes into the VM |
//! | [`search`], [`program`], [`inside`] | which file a program's name means to the VM, and the start of one that the host has not |
//! | `page`, `namespace`, [`policy`], `shares` | what members are told of their VM, the layout of their names, their policy, and which folders may be shared |
//! | `server`, `requests` | the two pipes |
//! | [`lines`] | questions and answers over a pipe |
//! | `owner` | the process that a run ends with |
//! | `pause`, `limits`, `victims`, `usage`, `cpu`, `ports`, `addresses`, `log` | what the name says |
//! | `recorder`, [`events`] | takes what members record of their decisions, and keeps it in a file |
//! | `services` | the VM's service controller |
//! | [`survey`], `examine` | what must hold of the system before a VM may start |
//! | `client`, `spawn`, `suspended`, `control` | the command line's side |

#![cfg_attr(
    not(windows),
    allow(
        dead_code,
        reason = "elsewhere only the pure parts are built, for their tests"
    )
)]

mod cap;
pub mod control;
mod error;
pub mod events;
mod lifecycle;
mod log;
mod namespace;
mod page;
pub mod policy;
mod ports;
pub mod quote;
pub mod search;
#[cfg_attr(not(windows), allow(dead_code, reason = "who asks runs on Windows"))]
mod served;
pub mod survey;
mod victims;

#[cfg(windows)]
mod addresses;
#[cfg(windows)]
mod admission;
#[cfg(windows)]
pub mod again;
#[cfg(windows)]
mod agent;
#[cfg(windows)]
pub mod attributes;
#[cfg(windows)]
pub mod client;
#[cfg(windows)]
mod cpu;
#[cfg(windows)]
mod creation;
#[cfg(windows)]
mod desktop;
#[cfg(windows)]
mod devices;
#[cfg(windows)]
pub mod examine;
#[cfg(windows)]
mod finish;
#[cfg(windows)]
pub mod inside;
#[cfg(windows)]
mod job;
#[cfg(windows)]
mod keeper;
#[cfg(windows)]
mod limits;
#[cfg(windows)]
pub mod lines;
#[cfg(windows)]
mod membership;
#[cfg(windows)]
mod names;
#[cfg(windows)]
mod owner;
#[cfg(windows)]
mod pause;
#[cfg(windows)]
pub mod pipe;
#[cfg(windows)]
mod process;
#[cfg(windows)]
pub mod program;
#[cfg(windows)]
mod recorder;
#[cfg(windows)]
mod requests;
#[cfg(windows)]
mod run;
#[cfg(windows)]
mod section;
#[cfg(windows)]
mod server;
#[cfg(windows)]
mod services;
#[cfg(windows)]
pub mod shares;
#[cfg(windows)]
mod sockets;
#[cfg(windows)]
pub mod spawn;
#[cfg(windows)]
mod start;
#[cfg(windows)]
pub mod suspended;
#[cfg(windows)]
mod system;
#[cfg(windows)]
mod unix;
#[cfg(windows)]
mod usage;
#[cfg(windows)]
mod wine_folder;

pub use error::{Error, Result};
#[cfg(windows)]
pub use run::run;
