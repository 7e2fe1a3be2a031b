//! The service controller of a VM as a state machine.
//!
//! Owns the database of services, what each one is doing, the handles that
//! programs hold on them and the rules of the service API. It has no threads,
//! no clock and makes no system calls: the driver (the VM's supervisor) tells
//! it what happened and when, and carries out the [`Effect`]s that it asks
//! for. Everything that comes from a program is taken as hostile.
//!
//! The rules are those of the Windows documentation; error codes that the
//! documentation leaves open follow Wine's controller.
#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

pub mod access;
mod automatic;
mod config;
mod control;
mod controller;
mod database;
mod effect;
mod error;
mod failure;
mod handles;
mod notices;
mod process;
mod query;
mod record;
mod security;
mod shutdown;
mod start;
mod status;
mod text;
mod trigger;

pub use controller::{Controller, Settings};
pub use effect::{Effect, Failure, Message, Millis, Outcome, Ticket};
pub use error::{Result, Win32Error};
pub use failure::{Action, FailureActions, MAX_ACTIONS};
pub use handles::{Client, HandleId, ServiceId};
pub use notices::{MAX_NAMES, Notice};
pub use process::ProcessId;
pub use query::{Filter, Listed};
pub use record::{Change, MAX_DEPENDENCIES, MAX_NAME, MAX_TEXT, MAX_UNITS, Record, check_name};
pub use security::{Descriptor, MAX_SECURITY, Sid};
pub use start::{MAX_ARGUMENT_UNITS, MAX_ARGUMENTS};
pub use status::{Report, State, Status};
pub use text::Text;
pub use trigger::{Data, MAX_DATA, MAX_TRIGGERS, Trigger};
