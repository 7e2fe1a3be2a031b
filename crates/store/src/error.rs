//! The store's errors: what failed, on what, why and what to do, each with its exit code.
//!
//! Owns the table of exit codes that all of Pinion uses.

use std::io;
use std::path::{Path, PathBuf};

use crate::name::NameError;

/// The exit codes of `pinion.exe` where Pinion itself has something to say. Every other code is the
/// confined program's own. 125, 126 and 127 are docker's.
pub mod exit_code {
    /// A VM of that name, or with that id, does not exist.
    pub const NO_SUCH_VM: i32 = 120;
    /// The VM, its name or its port is in use: taken, running already, or still running.
    pub const CONFLICT: i32 = 121;
    /// The VM's record cannot be read.
    pub const DAMAGED: i32 = 122;
    /// The VM does not run, and the command needs a running one.
    pub const NOT_RUNNING: i32 = 123;
    /// Something did not happen in the time allowed.
    pub const TIMEOUT: i32 = 124;
    /// Pinion itself failed.
    pub const PINION: i32 = 125;
    /// The program exists, but cannot be run (not a 64-bit Windows program, or not confinable).
    pub const CANNOT_RUN: i32 = 126;
    /// The program was not found.
    pub const NOT_FOUND: i32 = 127;
}

/// Whatever can go wrong in the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The name breaks the rules of names.
    #[error("'{name}' cannot be the name of a VM: {why}")]
    BadName {
        /// The name as given.
        name: String,
        /// The broken rule.
        why: NameError,
    },
    /// Another VM has the name.
    #[error(
        "a VM named '{name}' exists already; choose another name or remove it with 'pinion rm {name}'"
    )]
    NameTaken {
        /// The name.
        name: String,
    },
    /// No VM has that name or id.
    #[error("there is no VM '{name}'; 'pinion ls' lists the VMs")]
    NoSuchVm {
        /// The name or id as given.
        name: String,
    },
    /// Several VMs have an id that begins so.
    #[error("the id '{id}' fits several; give more of its digits or a name")]
    AmbiguousId {
        /// The digits as given.
        id: String,
    },
    /// The VM runs, and the operation needs it stopped.
    #[error("the VM '{name}' is running; stop it first with 'pinion stop {name}'")]
    Running {
        /// The name.
        name: String,
    },
    /// The VM runs, and what is asked needs its layers at rest.
    #[error(
        "cannot {what} the VM '{name}' while it runs: its programs hold files of its layer open; stop it first with 'pinion stop {name}', or take one of its snapshots"
    )]
    NotAtRest {
        /// What was asked, as a verb: "clone", "take a snapshot of".
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A folder cannot be shared.
    #[error("cannot share: {why}; give HOSTDIR:VMDIR of folders that are apart from all others")]
    BadShare {
        /// What is wrong.
        why: String,
    },
    /// The VM shares no such folder.
    #[error("the VM '{name}' shares no folder {folder}; 'pinion share {name}' lists them")]
    NoSuchShare {
        /// The VM.
        name: String,
        /// The folder in the VM.
        folder: String,
    },
    /// Another snapshot has the name.
    #[error(
        "a snapshot named '{name}' exists already; choose another name or remove it with 'pinion snapshot rm {name}'"
    )]
    SnapshotTaken {
        /// The name.
        name: String,
    },
    /// No snapshot has that name or id.
    #[error("there is no snapshot '{name}'; 'pinion snapshots' lists them")]
    NoSuchSnapshot {
        /// The name or id as given.
        name: String,
    },
    /// Neither a VM nor a snapshot has that name or id.
    #[error(
        "there is no VM and no snapshot '{name}'; 'pinion ls' and 'pinion snapshots' list them"
    )]
    NoSuchSource {
        /// The name or id as given.
        name: String,
    },
    /// VMs were made from the snapshot.
    #[error(
        "the snapshot '{name}' is in use by the VM '{vm}'; remove the VM first, or give -f to remove only the name"
    )]
    SnapshotInUse {
        /// The snapshot.
        name: String,
        /// One of the VMs.
        vm: String,
    },
    /// One more layer would be too many.
    #[error(
        "the VM '{name}' stands on {most} layers already, the most there can be; merge them with 'pinion commit {name} --into NAME' and go on with a VM made from that snapshot", most = crate::record::MOST_LAYERS
    )]
    TooDeep {
        /// The VM.
        name: String,
    },
    /// A layer is not as it must be.
    #[error(
        "the layer {folder} is damaged: {why}; restore it, or remove the VMs and snapshots made of it", folder = .folder.display()
    )]
    DamagedLayer {
        /// Its folder.
        folder: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A snapshot's record is unreadable.
    #[error("the record {path} of a snapshot is damaged: {why}; restore the file, or remove the snapshot with 'pinion snapshot rm'", path = .path.display())]
    DamagedSnapshot {
        /// The damaged file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A record is unreadable.
    #[error("the record {path} of VM '{name}' is damaged: {why}; remove the VM with 'pinion rm {name}' or restore the file", path = .path.display())]
    Damaged {
        /// The name of the VM's folder.
        name: String,
        /// The damaged file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A record was written by a newer Pinion.
    #[error("the record {path} has format {found}, this Pinion knows format {known}; use the Pinion that made the VM", path = .path.display())]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// The format in the file.
        found: u32,
        /// The newest format understood here.
        known: u32,
    },
    /// An archive is damaged, too large, or holds what no export of Pinion holds.
    #[error("the archive {path} is refused: {why}", path = .path.display())]
    BadArchive {
        /// The archive.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Something of a VM cannot be in an archive, nor be merged.
    #[error("cannot take {what} out of the VM: {why}; remove it inside the VM and try again")]
    NotExportable {
        /// The file or key.
        what: String,
        /// Why not.
        why: String,
    },
    /// The host has some of what a merge was to bring, and the journal knows of the rest.
    #[error(
        "the merge of the VM '{vm}' into the host is not finished: {why}; mend that, and the next command goes on"
    )]
    CommitUnfinished {
        /// The VM.
        vm: String,
        /// What stopped it.
        why: String,
    },
    /// The journal of a merge cannot be read.
    #[error("the journal {path} of a merge into the host is damaged: {why}; restore or remove the file", path = .path.display())]
    DamagedJournal {
        /// The journal.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The volume is full.
    #[error("cannot {what} {path}: no room on the disk; free some space and try again", path = .path.display())]
    DiskFull {
        /// What was attempted, as a verb: "write", "create".
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
    },
    /// Every address of 127.77.0.0/16 is taken.
    #[error("no loopback address in 127.77.0.0/16 is free; remove VMs that are not needed")]
    NoAddress,
    /// Neither PINION_ROOT nor LOCALAPPDATA is set.
    #[error(
        "cannot find a place for the VMs: LOCALAPPDATA is not set; set PINION_ROOT to a folder"
    )]
    NoRoot,
    /// Any other failure of the file system.
    #[error("cannot {what} {path}: {source}", path = .path.display())]
    Io {
        /// What was attempted, as a verb: "write", "create".
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A registry call failed.
    #[error("cannot {what} the registry key {key}: status {status:#010x}")]
    Registry {
        /// What was attempted, as a verb.
        what: &'static str,
        /// The key's NT path.
        key: String,
        /// The NTSTATUS.
        status: i32,
    },
}

/// The store's result.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// The exit code that `pinion.exe` ends with on this error.
    #[must_use]
    pub fn exit_code(&self) -> i32 {
        match self {
            Error::NoSuchVm { .. }
            | Error::NoSuchSnapshot { .. }
            | Error::NoSuchSource { .. }
            | Error::NoSuchShare { .. }
            | Error::AmbiguousId { .. } => exit_code::NO_SUCH_VM,
            Error::NameTaken { .. }
            | Error::SnapshotTaken { .. }
            | Error::SnapshotInUse { .. }
            | Error::NotAtRest { .. }
            | Error::BadShare { .. }
            | Error::Running { .. } => exit_code::CONFLICT,
            Error::Damaged { .. }
            | Error::DamagedLayer { .. }
            | Error::DamagedSnapshot { .. }
            | Error::BadArchive { .. }
            | Error::DamagedJournal { .. }
            | Error::NewerFormat { .. } => exit_code::DAMAGED,
            _ => exit_code::PINION,
        }
    }

    /// An I/O failure while doing `what` on `path`; a full disk is told apart.
    pub(crate) fn io(what: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Error::DiskFull { what, path }
            }
            _ => Error::Io { what, path, source },
        }
    }
}
