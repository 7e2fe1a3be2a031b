//! The supervisor's errors: what failed, on what, why and what to do, each with its exit code.

use std::io;

use pinion_store::exit_code;

/// Whatever can go wrong in starting and keeping a VM, or in talking to its supervisor.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store's own error.
    #[error(transparent)]
    Store(#[from] pinion_store::Error),
    /// The VM has no supervisor.
    #[error("the VM '{name}' is not running; start it with 'pinion start {name}'")]
    NotRunning {
        /// The VM's name.
        name: String,
    },
    /// The supervisor answered with an error; its words and its code are passed on.
    #[error("{message}")]
    Refused {
        /// The exit code.
        code: i32,
        /// One line.
        message: String,
    },
    /// The supervisor did not come up, or went away in the middle of a request.
    #[error("the supervisor of the VM '{name}' {what}; see 'pinion logs --supervisor {name}'")]
    SupervisorGone {
        /// The VM's name.
        name: String,
        /// What happened: "ended before it was ready", "broke off".
        what: &'static str,
    },
    /// Something did not happen in time.
    #[error("{what} did not happen within {seconds} s; {remedy}")]
    Timeout {
        /// What was waited for.
        what: String,
        /// The time allowed.
        seconds: u64,
        /// What to do.
        remedy: &'static str,
    },
    /// The program does not exist.
    #[error("cannot find the program '{program}'; give its full path or put its folder on PATH")]
    ProgramNotFound {
        /// The program as given.
        program: String,
    },
    /// The program exists and cannot be run inside.
    #[error("cannot run '{program}': {why}")]
    CannotRun {
        /// The program.
        program: String,
        /// The reason, with the remedy.
        why: String,
    },
    /// The current directory of a program does not exist.
    #[error("cannot use '{path}' as the current directory: {why}; give an existing folder with -w")]
    BadDirectory {
        /// The folder.
        path: String,
        /// The system's reason.
        why: io::Error,
    },
    /// The agent's file is missing or unfit.
    #[error(
        "cannot use the agent {path}: {why}; put the pinion_agent.dll of this Pinion ({version}) beside pinion.exe"
    )]
    Agent {
        /// The file.
        path: String,
        /// What is wrong.
        why: String,
        /// Our version.
        version: &'static str,
    },
    /// The system exports calls that the catalogue does not know and that may lead out.
    #[error(
        "this system has system calls that this Pinion does not know and that may lead out of a VM ({names}): use a newer Pinion, or set PINION_ALLOW_UNKNOWN_CALLS=1 to run without confining them; see 'pinion doctor'"
    )]
    UnknownCalls {
        /// Their names.
        names: String,
    },
    /// The policy in the VM's record is no policy.
    #[error(
        "the policy of the VM '{name}' is damaged: {why}; give it a sound one with 'pinion update --policy FILE {name}'"
    )]
    Policy {
        /// The VM's name.
        name: String,
        /// What is wrong with it, with line and column.
        why: String,
    },
    /// A host port cannot be published.
    #[error("cannot publish the port {host}: {why}; choose another host port with -p")]
    Port {
        /// Host address and port.
        host: String,
        /// The system's reason.
        why: io::Error,
    },
    /// The VM has a main program already.
    #[error(
        "the VM '{name}' has its main program already; use 'pinion exec {name}' to run another"
    )]
    MainTaken {
        /// The VM's name.
        name: String,
    },
    /// The VM has as many processes as its limit allows.
    #[error(
        "the VM '{name}' is at its limit of {limit} processes; raise it with 'pinion update --processes N {name}'"
    )]
    ProcessLimit {
        /// The VM's name.
        name: String,
        /// The limit.
        limit: u64,
    },
    /// The VM is in a state that does not allow the request.
    #[error("the VM '{name}' is {state}; {remedy}")]
    State {
        /// The VM's name.
        name: String,
        /// Its state, for people.
        state: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// The volume is full.
    #[error("cannot {what}: no room on the disk; free some space and try again")]
    DiskFull {
        /// What was attempted, on what.
        what: String,
    },
    /// A system call of the supervisor failed.
    #[error("cannot {what}: {why}")]
    System {
        /// What was attempted, on what.
        what: String,
        /// The system's reason.
        why: io::Error,
    },
    /// The VM's service controller refused what was asked from outside, or it did not happen in time.
    #[error("cannot {what} the service '{service}': {why}")]
    Service {
        /// "start" or "stop".
        what: &'static str,
        /// The service's name.
        service: String,
        /// The reason, with what to do.
        why: String,
        /// The exit code.
        code: i32,
    },
    /// A peer broke the protocol.
    #[error("the message is not understood: {why}; use one version of Pinion throughout")]
    Protocol {
        /// What is wrong with it.
        why: String,
    },
}

/// The supervisor's result.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A system call's failure while doing `what`; a full disk is told apart.
    pub(crate) fn system(what: impl Into<String>, why: io::Error) -> Self {
        let what = what.into();
        match why.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { what },
            _ => Self::System { what, why },
        }
    }

    /// The exit code that `pinion.exe` ends with on this error.
    #[must_use]
    pub fn exit_code(&self) -> i32 {
        match self {
            Error::Store(error) => error.exit_code(),
            Error::Refused { code, .. } | Error::Service { code, .. } => *code,
            Error::NotRunning { .. } => exit_code::NOT_RUNNING,
            Error::Policy { .. } => exit_code::DAMAGED,
            Error::Timeout { .. } => exit_code::TIMEOUT,
            Error::ProgramNotFound { .. } => exit_code::NOT_FOUND,
            Error::CannotRun { .. } | Error::BadDirectory { .. } => exit_code::CANNOT_RUN,
            Error::Port { .. }
            | Error::MainTaken { .. }
            | Error::ProcessLimit { .. }
            | Error::State { .. } => exit_code::CONFLICT,
            _ => exit_code::PINION,
        }
    }
}
