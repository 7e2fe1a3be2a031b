//! What the catalogue says of a channel between programs.

use crate::about::ABOUT;
use crate::call::{Treatment, words};

/// A way from one program to another, or to what they share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "each has its record in `about/`")]
pub enum Channel {
    Objects,
    Sections,
    Jobs,
    Completions,
    Directories,
    KnownDlls,
    DosDevices,
    Namespaces,
    Sessions,
    Transactions,
    DebugObjects,
    Partitions,
    Wnf,
    Tracing,
    Pipes,
    Mailslots,
    Ports,
    Alpc,
    Rpc,
    Windows,
    Hooks,
    Input,
    InputState,
    Dde,
    Clipboard,
    DragDrop,
    Accessibility,
    Atoms,
    UserHandles,
    Stations,
    Processes,
    Threads,
    Memory,
    Handles,
    Tokens,
    ProcessLists,
    Console,
    Sockets,
    SocketTables,
    Outward,
    Files,
    FileNotices,
    Registry,
    Environment,
    Services,
    Com,
    Http,
    Printers,
    Tasks,
    Wmi,
    ShellExecute,
    Credentials,
    Settings,
    Screen,
    Fonts,
    Graphics,
    Devices,
    Machine,
    Unix,
    Local,
}

words! { Channel {
    Objects "objects",
    Sections "sections",
    Jobs "jobs",
    Completions "completions",
    Directories "directories",
    KnownDlls "known-dlls",
    DosDevices "dos-devices",
    Namespaces "namespaces",
    Sessions "sessions",
    Transactions "transactions",
    DebugObjects "debug-objects",
    Partitions "partitions",
    Wnf "wnf",
    Tracing "tracing",
    Pipes "pipes",
    Mailslots "mailslots",
    Ports "ports",
    Alpc "alpc",
    Rpc "rpc",
    Windows "windows",
    Hooks "hooks",
    Input "input",
    InputState "input-state",
    Dde "dde",
    Clipboard "clipboard",
    DragDrop "drag-drop",
    Accessibility "accessibility",
    Atoms "atoms",
    UserHandles "user-handles",
    Stations "stations",
    Processes "processes",
    Threads "threads",
    Memory "memory",
    Handles "handles",
    Tokens "tokens",
    ProcessLists "process-lists",
    Console "console",
    Sockets "sockets",
    SocketTables "socket-tables",
    Outward "outward",
    Files "files",
    FileNotices "file-notices",
    Registry "registry",
    Environment "environment",
    Services "services",
    Com "com",
    Http "http",
    Printers "printers",
    Tasks "tasks",
    Wmi "wmi",
    ShellExecute "shell-execute",
    Credentials "credentials",
    Settings "settings",
    Screen "screen",
    Fonts "fonts",
    Graphics "graphics",
    Devices "devices",
    Machine "machine",
    Unix "unix",
    Local "local",
} }

/// How far a channel is confined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// All of it that is known, with proof.
    Confined,
    /// In part, with proof of that part.
    Partly,
    /// Not yet.
    Open,
}

words! { State {
    Confined "confined",
    Partly "partly",
    Open "open",
} }

/// The record of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// Which.
    pub channel: Channel,
    /// What it consists of.
    pub title: &'static str,
    /// How a VM treats it, mainly.
    pub treatment: Treatment,
    /// How far that is done.
    pub state: State,
    /// What it means on Windows (by documentation; never run there).
    pub windows: &'static str,
    /// What it means on Wine.
    pub wine: &'static str,
    /// The tests and probes that hold it to this: `e2e file::test` is a test of
    /// `tests/e2e`, `crates/name file::test` a unit test of that crate.
    pub proofs: &'static [&'static str],
    /// What is known not to hold; empty when nothing is.
    pub gaps: &'static str,
}

impl Channel {
    /// Its record.
    #[must_use]
    pub fn about(self) -> &'static About {
        &ABOUT[self as usize]
    }
}
