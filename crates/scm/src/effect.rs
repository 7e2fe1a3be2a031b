//! Owns the words that the controller and its driver exchange: what the driver
//! must do, and how an operation that takes time ends.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::error::Win32Error;
use crate::handles::HandleId;
use crate::process::ProcessId;
use crate::record::Record;
use crate::status::{State, Status};
use crate::text::Text;

/// Time in milliseconds from any fixed point, never going back.
pub type Millis = u64;

/// The driver's name for an operation that it wants to be answered later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Why an operation failed, and the status that `ControlService` fills in
/// even then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The last error that the program sees.
    pub error: Win32Error,
    /// The service's status, where the API gives it back on this error.
    pub status: Option<Status>,
}

/// How an operation that takes time ended.
pub type Outcome = core::result::Result<Status, Failure>;

/// What a service process is told over its dispatcher's connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Run `ServiceMain` of a service in a thread of its own.
    Start {
        /// The service's name as configured.
        service: Text,
        /// The handle that `RegisterServiceCtrlHandler` gives for it.
        status_handle: HandleId,
        /// Arguments of `StartService`, without the name that comes first.
        arguments: Vec<Text>,
    },
    /// Call the service's control handler.
    Control {
        /// The service's name as configured.
        service: Text,
        /// `SERVICE_CONTROL_*`, or a user's own from 128 to 255.
        control: u32,
    },
    /// The last service has stopped: `StartServiceCtrlDispatcher` returns.
    Exit,
}

/// What the driver must do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Start a process confined in the VM, then call
    /// `Controller::process_started` or `process_failed`.
    StartProcess {
        /// The name for it until it has ended.
        process: ProcessId,
        /// The first service that it is started for.
        service: Text,
        /// The command line as configured, environment not expanded.
        image_path: Text,
        /// The account as configured.
        account: Text,
        /// The service's type: a service that is not interactive gets no desktop.
        service_type: u32,
    },
    /// Send a message over the dispatcher's connection of a process. All but
    /// `Exit` are answered with `Controller::answered` and the same sequence.
    Send {
        /// Whom to send it to.
        process: ProcessId,
        /// The number of the message within its process.
        sequence: u32,
        /// What to say.
        message: Message,
    },
    /// End a process that did not do what a service must. One that is not there yet is not let run: the
    /// driver then calls `process_failed`.
    KillProcess {
        /// Which one.
        process: ProcessId,
    },
    /// A service has failed, and this is what its configuration says of it. A
    /// restart is under way already; a command is the driver's to run, and so is
    /// what it makes of `SC_ACTION_REBOOT`.
    FailureAction {
        /// The service's name.
        service: Text,
        /// `SC_ACTION_*`
        kind: u32,
        /// The command line for `SC_ACTION_RUN_COMMAND`.
        command: Text,
    },
    /// Write a service's key.
    WriteConfig(Box<Record>),
    /// Delete a service's key with everything below it.
    DeleteConfig(Text),
    /// An operation with a ticket has ended.
    Finished {
        /// Which operation.
        ticket: Ticket,
        /// How it ended.
        outcome: Outcome,
    },
    /// For the log: a service went from one state to another.
    Changed {
        /// The service's name.
        service: Text,
        /// The state before.
        from: State,
        /// The status now.
        status: Status,
    },
}
