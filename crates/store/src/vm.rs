//! One VM on disk: its record, its files and whether it runs.

use std::path::{Path, PathBuf};

use crate::atomic;
use crate::error::{Error, Result};
use crate::id::VmId;
use crate::lock::RunLock;
use crate::name::VmName;
use crate::record::{ExitRecord, FORMAT, VmRecord};

/// A VM of the store. A snapshot of the record at the time of loading: not kept in step.
#[derive(Debug, Clone)]
pub struct Vm {
    folder: PathBuf,
    record: VmRecord,
}

impl Vm {
    /// Reads the VM kept in `folder`, whose last part must be `name`.
    pub(crate) fn load(folder: PathBuf, name: &str) -> Result<Self> {
        let path = folder.join("vm.json");
        let damaged = |why: String| Error::Damaged {
            name: name.into(),
            path: path.clone(),
            why,
        };
        let text = atomic::read(&path)?.ok_or_else(|| damaged("the file is missing".into()))?;
        let value: serde_json::Value =
            serde_json::from_str(&text).map_err(|e| damaged(e.to_string()))?;
        match value.get("format").and_then(serde_json::Value::as_u64) {
            Some(found) if found > u64::from(FORMAT) => {
                let found = u32::try_from(found).unwrap_or(u32::MAX);
                return Err(Error::NewerFormat {
                    path,
                    found,
                    known: FORMAT,
                });
            }
            Some(1) => (),
            _ => return Err(damaged("it has no known format number".into())),
        }
        let record: VmRecord = serde_json::from_value(value).map_err(|e| damaged(e.to_string()))?;
        match record.fault(name) {
            Some(why) => Err(damaged(why)),
            None => Ok(Self { folder, record }),
        }
    }

    /// Writes a new VM into an existing, empty folder.
    pub(crate) fn write_new(folder: &Path, record: &VmRecord) -> Result<()> {
        for part in ["upper", "logs"] {
            let path = folder.join(part);
            std::fs::create_dir(&path).map_err(|e| Error::io("create", &path, e))?;
        }
        write_json(&folder.join("vm.json"), record)
    }

    /// The record.
    #[must_use]
    pub fn record(&self) -> &VmRecord {
        &self.record
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &VmName {
        &self.record.name
    }

    /// The identity.
    #[must_use]
    pub fn id(&self) -> VmId {
        self.record.id
    }

    /// The VM's folder in the store.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of changed files: `upper\C\...` by drive letter.
    #[must_use]
    pub fn upper(&self) -> PathBuf {
        self.folder.join("upper")
    }

    /// Where the next line of the upper's file of bases goes, in bytes
    /// ([`pinion_wire::base`]); it may be torn at its end.
    #[must_use]
    pub fn base_end(&self) -> u64 {
        let file = std::fs::metadata(self.upper().join(pinion_wire::base::NAME));
        file.map_or(0, |file| file.len().next_multiple_of(2))
    }

    /// The supervisor's log.
    #[must_use]
    pub fn supervisor_log(&self) -> PathBuf {
        self.folder.join("logs").join("supervisor.log")
    }

    /// What detached programs wrote to their standard output and error.
    #[must_use]
    pub fn output_log(&self) -> PathBuf {
        self.folder.join("logs").join("output.log")
    }

    /// How many files the VM has changed, made or hidden, running or not: all in its upper layer that
    /// is no folder. A figure for people: it ends at a bound.
    #[must_use]
    pub fn changed_files(&self) -> u64 {
        crate::count::files(self.upper())
    }

    /// How many keys the VM has changed, made or hidden: those of its registry layer that have no keys
    /// below.
    ///
    /// # Errors
    /// The registry's refusal.
    #[cfg(windows)]
    pub fn changed_keys(&self) -> Result<u64> {
        crate::registry::count_layer(self.id())
    }

    /// Changes the record on disk and here; neither on failure.
    ///
    /// # Errors
    /// The record cannot be written.
    pub fn update(&mut self, change: impl FnOnce(&mut VmRecord)) -> Result<()> {
        let mut record = self.record.clone();
        change(&mut record);
        write_json(&self.folder.join("vm.json"), &record)?;
        self.record = record;
        Ok(())
    }

    /// How the last run ended; none when it never did, or when the file is unreadable (it is of no
    /// weight, and is written anew at the next end).
    ///
    /// # Errors
    /// The file exists and cannot be read.
    pub fn last_exit(&self) -> Result<Option<ExitRecord>> {
        let text = atomic::read(&self.folder.join("exit.json"))?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Keeps how the run ended; `None` forgets it, as a start does.
    ///
    /// # Errors
    /// The file cannot be written or removed.
    pub fn set_last_exit(&self, exit: Option<&ExitRecord>) -> Result<()> {
        let path = self.folder.join("exit.json");
        match exit {
            Some(exit) => write_json(&path, exit),
            None => match std::fs::remove_file(&path) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    Err(Error::io("remove", &path, e))
                }
                _ => Ok(()),
            },
        }
    }

    /// Whether a supervisor keeps the VM now.
    ///
    /// # Errors
    /// The lock file cannot be looked at.
    pub fn is_running(&self) -> Result<bool> {
        RunLock::is_held(&self.folder.join("run.lock"))
    }

    /// Claims the run of the VM until the lock is dropped. Only a supervisor does so.
    ///
    /// # Errors
    /// [`Error::Running`] when another supervisor has it.
    pub fn lock_run(&self) -> Result<RunLock> {
        RunLock::try_take(&self.folder.join("run.lock"))?.ok_or_else(|| Error::Running {
            name: self.record.name.to_string(),
        })
    }
}

fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<()> {
    let mut text = serde_json::to_vec_pretty(value)
        .map_err(|e| Error::io("write", path, std::io::Error::other(e)))?;
    text.push(b'\n');
    atomic::write(path, &text)
}
