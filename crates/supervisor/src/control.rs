//! What the command line and a VM's supervisor say to each other: one JSON value per line, over the
//! pipe `\\.\pipe\pinion-ctl-<id>`.
//!
//! Only the messages; `client` sends them, `server` answers them. A connection carries any number of
//! requests, one after the other, each with one reply; [`Request::Wait`] is answered when the VM ends.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use pinion_store::{Limits, PortMapping, VmId, VmName};

/// The longest line either side accepts, in bytes: a request carries a command line and an environment.
pub const LONGEST_LINE: usize = 4 << 20;

/// The hidden verb with which `pinion.exe` becomes a supervisor: `pinion supervise NAME`. On its
/// standard output it writes one line, a [`Reply`] ([`Reply::Status`] when the VM is up,
/// [`Reply::Error`] when it could not be started), and closes it.
pub const VERB: &str = "supervise";

/// What a supervisor is started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A run of the VM, which is kept on record.
    Run,
    /// A run that ends with the process that starts it.
    Owned,
    /// Something to be done in a VM that does not run: no port is published, and the record of its last
    /// run stays.
    AtRest,
}

/// The control pipe of a VM, as a Win32 path.
#[must_use]
pub fn pipe_path(id: VmId) -> String {
    format!(r"\\.\pipe\pinion-ctl-{id}")
}

/// What goes before the names of the VM's pipes and mailslots, below their device.
#[must_use]
pub fn pipe_prefix(id: VmId) -> String {
    format!(r"pinion-{id}\")
}

/// A request to the supervisor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// How the VM is. Answered by [`Reply::Status`].
    Status,
    /// Let the caller create a process of the VM in its own console. Answered by [`Reply::Admitted`].
    /// What it creates and does not hand over by [`Request::Adopt`] before the connection ends, is ended.
    Admit,
    /// Confine a process that the caller, having been admitted, created suspended in the VM's job, and let
    /// it run. Answered by [`Reply::Adopted`]; on an error the process is ended. It must not have run yet.
    Adopt {
        /// Process id.
        pid: u32,
        /// Whether it is the VM's main program, whose end is the VM's end. One per run.
        main: bool,
        /// The program that it makes, when it is a helper ([`crate::inside`]): that one is the VM's then.
        makes: Option<String>,
    },
    /// Start a program inside without a console, its output to the VM's output log. Answered by
    /// [`Reply::Started`].
    Start {
        /// What to start.
        program: Program,
        /// Whether it is the VM's main program.
        main: bool,
    },
    /// Ask services and programs to end, then end what is left after the time. Answered by
    /// [`Reply::Ended`] at the VM's end.
    Stop {
        /// Milliseconds to wait before the rest is killed.
        timeout_ms: u64,
    },
    /// End all processes at once. Answered by [`Reply::Ended`].
    Kill,
    /// What the VM uses, without what it has changed, which takes a look at its layers. Answered by
    /// [`Reply::Stats`].
    Usage,
    /// Record events for that long from now: whoever looks at them asks again in time. Answered by
    /// [`Reply::Done`].
    Record {
        /// Milliseconds, a minute at most.
        time_ms: u64,
    },
    /// Suspend all processes. Answered by [`Reply::Done`].
    Pause,
    /// Resume all processes. Answered by [`Reply::Done`].
    Unpause,
    /// Set the limits. Answered by [`Reply::Limits`]. The record is the caller's to change.
    SetLimits {
        /// All of them; none lifts a limit.
        limits: Limits,
    },
    /// Answered by [`Reply::Ended`] when the VM ends.
    Wait,
    /// What the VM uses. Answered by [`Reply::Stats`].
    Stats,
    /// The processes of the VM. Answered by [`Reply::Processes`].
    Processes,
    /// The services of the VM that run or ran. Answered by [`Reply::Services`].
    Services,
    /// All services that the VM has. Answered by [`Reply::Services`].
    AllServices,
    /// Start a service and wait until it runs. Answered by [`Reply::Services`] with that one.
    StartService {
        /// Its name.
        name: String,
        /// What its main function is given after its name.
        arguments: Vec<String>,
        /// Milliseconds to wait.
        timeout_ms: u64,
    },
    /// Stop a service and wait until it has stopped. Answered by [`Reply::Services`] with that one.
    StopService {
        /// Its name.
        name: String,
        /// Milliseconds to wait.
        timeout_ms: u64,
    },
}

impl Request {
    /// Whether the answer comes at the VM's end.
    #[must_use]
    pub fn waits_for_end(&self) -> bool {
        matches!(self, Self::Stop { .. } | Self::Kill | Self::Wait)
    }
}

/// A program to start inside a VM.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// Program and arguments, not empty. The program is a path or a name to look up in PATH.
    pub command: Vec<String>,
    /// The whole environment of the program.
    pub env: Vec<(String, String)>,
    /// Current directory; none means the supervisor's.
    pub cwd: Option<String>,
}

/// The supervisor's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// The request was carried out; nothing to tell.
    Done,
    /// The VM's status.
    Status(Status),
    /// The caller may create one process, in the VM's job and suspended.
    Admitted {
        /// A handle of the job in the caller's process, the caller's to close.
        job: u64,
    },
    /// The process runs in the VM.
    Adopted {
        /// A handle, in the caller's process, of the program that a helper made: it may be waited for, asked
        /// for its exit code and ended.
        program: Option<u64>,
    },
    /// The program runs.
    Started {
        /// Its process id.
        pid: u32,
    },
    /// The VM has ended.
    Ended {
        /// The main program's exit code.
        code: i32,
        /// Why, for people: "the program ended", "stopped", "killed".
        why: String,
    },
    /// The limits, as they are enforced now.
    Limits {
        /// One by one.
        limits: LimitsStatus,
    },
    /// What the VM uses.
    Stats(Stats),
    /// The processes of the VM.
    Processes {
        /// In the order of their ids.
        processes: Vec<ProcessInfo>,
    },
    /// The services of the VM.
    Services {
        /// In the order of their names.
        services: Vec<ServiceInfo>,
    },
    /// The request failed.
    Error {
        /// The exit code for `pinion.exe` (`pinion_store::exit_code`).
        code: i32,
        /// One line: what failed, on what, why and what to do.
        message: String,
    },
}

/// Whether a VM runs its programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The VM is up.
    Running,
    /// All its processes are suspended.
    Paused,
    /// It is being stopped.
    Stopping,
}

/// A VM's status.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Identity.
    pub id: VmId,
    /// Name.
    pub name: VmName,
    /// State.
    pub state: State,
    /// The supervisor's process id.
    pub supervisor_pid: u32,
    /// The main program's process id; none before it is started.
    pub main_pid: Option<u32>,
    /// Since when it runs: milliseconds since 1970-01-01 UTC.
    pub started_ms: u64,
    /// The VM's loopback address.
    pub address: Ipv4Addr,
    /// Published ports, all of them listening.
    pub ports: Vec<PortMapping>,
    /// The limits and who enforces them.
    pub limits: LimitsStatus,
    /// Whether its members' events are recorded now.
    #[serde(default)]
    pub recording: bool,
    /// The VM's object directory, an NT path.
    pub object_directory: String,
    /// The VM's registry layer, an NT path.
    pub registry_layer: String,
}

/// The limits of a running VM.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct LimitsStatus {
    /// Bytes of memory.
    pub memory: LimitStatus,
    /// Processors in thousandths.
    pub cpus_milli: LimitStatus,
    /// Processes at one time.
    pub processes: LimitStatus,
}

/// One limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct LimitStatus {
    /// The value; none means unlimited.
    pub value: Option<u64>,
    /// Who enforces it.
    pub enforced_by: EnforcedBy,
}

/// Who enforces a limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnforcedBy {
    /// Nobody: there is no limit, or it cannot be enforced on this system.
    #[default]
    None,
    /// The job object: the kernel.
    Job,
    /// The supervisor: it looks a few times a second and ends the newest process over the limit, or
    /// binds processes to fewer processors.
    Supervisor,
}

/// What a VM uses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// Processes now.
    pub processes: u32,
    /// Processes since the start.
    pub processes_ever: u32,
    /// Processor time of its living processes, in milliseconds.
    pub cpu_ms: u64,
    /// Private memory of its living processes, in bytes.
    pub memory: u64,
    /// Names of kernel objects, pipes and sections that the agents made private.
    pub names_private: u64,
    /// Files changed, made or hidden in the VM's layer.
    pub files_changed: u64,
    /// Keys changed, made or hidden in the VM's layer.
    pub keys_changed: u64,
    /// Opens that confinement refused.
    #[serde(default)]
    pub refused: u64,
    /// Handles of its living processes; 0 where the system does not tell (Wine 8 and Wine 10).
    #[serde(default)]
    pub handles: u64,
    /// Events recorded since the start.
    #[serde(default)]
    pub events: u64,
    /// Events that were lost.
    #[serde(default)]
    pub events_lost: u64,
}

/// One process of a VM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessInfo {
    /// Process id, the host's.
    pub pid: u32,
    /// The program's path as far as it can be asked for, else empty.
    pub image: String,
    /// Whether it is the main program.
    pub main: bool,
    /// The service it runs, if the VM's service controller started it.
    pub service: Option<String>,
    /// Processor time in milliseconds.
    pub cpu_ms: u64,
    /// Private memory in bytes.
    pub memory: u64,
    /// Handles; 0 where the system does not tell.
    #[serde(default)]
    pub handles: u32,
}

/// One service of a VM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceInfo {
    /// The service's name.
    pub name: String,
    /// State in the words of the service API: "running", "stopped", "start_pending".
    pub state: String,
    /// Its process, while it runs.
    pub pid: Option<u32>,
    /// The last Win32 exit code.
    pub exit_code: u32,
}

/// One message as a line, its end included.
///
/// # Errors
/// The message cannot be written as JSON; none of ours is such.
pub fn to_line(message: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    Ok(line)
}

/// The message in a line, with or without its end.
///
/// # Errors
/// What is wrong with it.
pub fn from_line<'a, T: Deserialize<'a>>(line: &'a [u8]) -> serde_json::Result<T> {
    serde_json::from_slice(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn limits() -> impl Strategy<Value = Limits> {
        let option = proptest::option::of(any::<u32>());
        (proptest::option::of(any::<u64>()), option.clone(), option).prop_map(
            |(memory, cpus_milli, processes)| Limits {
                memory,
                cpus_milli,
                processes,
            },
        )
    }

    fn program() -> impl Strategy<Value = Program> {
        let texts = proptest::collection::vec("\\PC*", 1..4);
        let env = proptest::collection::vec(("\\PC*", "\\PC*"), 0..4);
        (texts, env, proptest::option::of("\\PC*")).prop_map(|(command, env, cwd)| Program {
            command,
            env,
            cwd,
        })
    }

    fn request() -> impl Strategy<Value = Request> {
        prop_oneof![
            Just(Request::Status),
            Just(Request::Wait),
            (any::<u32>(), any::<bool>(), any::<Option<String>>())
                .prop_map(|(pid, main, makes)| Request::Adopt { pid, main, makes }),
            (program(), any::<bool>()).prop_map(|(program, main)| Request::Start { program, main }),
            any::<u64>().prop_map(|timeout_ms| Request::Stop { timeout_ms }),
            any::<u64>().prop_map(|time_ms| Request::Record { time_ms }),
            limits().prop_map(|limits| Request::SetLimits { limits }),
        ]
    }

    proptest! {
        #[test]
        fn requests_survive_and_stay_on_one_line(request in request()) {
            let line = to_line(&request).unwrap();
            prop_assert_eq!(line.iter().filter(|b| **b == b'\n').count(), 1);
            prop_assert_eq!(from_line::<Request>(&line).unwrap(), request);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = from_line::<Request>(&bytes);
            let _ = from_line::<Reply>(&bytes);
        }
    }

    #[test]
    fn replies_have_the_documented_form() {
        let line = to_line(&Reply::Error {
            code: 121,
            message: "no".into(),
        })
        .unwrap();
        assert_eq!(
            line,
            b"{\"reply\":\"error\",\"code\":121,\"message\":\"no\"}\n"
        );
        let stats = Reply::Stats(Stats {
            processes: 2,
            ..Stats::default()
        });
        assert_eq!(
            from_line::<Reply>(&to_line(&stats).unwrap()).unwrap(),
            stats
        );
    }

    #[test]
    fn unknown_requests_are_refused() {
        assert!(from_line::<Request>(b"{\"op\":\"fly\"}").is_err());
        assert!(from_line::<Request>(b"{\"op\":\"stop\",\"timeout_ms\":-1}").is_err());
    }
}
