//! One VM on disk: its record, its files and whether it runs.

use std::path::{Path, PathBuf};

use crate::atomic;
use crate::error::{Error, Result};
use crate::id::{LayerId, VmId};
use crate::layer::Layer;
use crate::lock::{RunLock, StoreLock};
use crate::name::VmName;
use crate::record::{ExitRecord, FORMAT, VmRecord};

/// A VM of the store. A snapshot of the record at the time of loading: not kept in step.
#[derive(Debug, Clone)]
pub struct Vm {
    folder: PathBuf,
    root: PathBuf,
    record: Box<VmRecord>,
}

impl Vm {
    /// Reads the VM kept in `folder`, whose last part must be `name`; `root` is the store's.
    pub(crate) fn load(folder: PathBuf, name: &str, root: PathBuf) -> Result<Self> {
        let path = folder.join("vm.json");
        let damaged = |why| Error::Damaged {
            name: name.into(),
            path: path.clone(),
            why,
        };
        let record: Box<VmRecord> = read_record(&path, damaged)?;
        match record.fault(name) {
            Some(why) => Err(damaged(why)),
            None => Ok(Self {
                folder,
                root,
                record,
            }),
        }
    }

    /// Writes a new VM into an existing, empty folder.
    pub(crate) fn write_new(folder: &Path, record: &VmRecord) -> Result<()> {
        let logs = folder.join("logs");
        std::fs::create_dir(&logs).map_err(|e| Error::io("create", &logs, e))?;
        atomic::write_json(&folder.join("vm.json"), record)
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

    /// The writable upper layer.
    #[must_use]
    pub fn upper(&self) -> Layer {
        Layer::at(&self.root, self.record.upper)
    }

    /// The read-only layers below the upper, the newest first.
    #[must_use]
    pub fn lower(&self) -> Vec<Layer> {
        let at = |id: &LayerId| Layer::at(&self.root, *id);
        self.record.layers.iter().map(at).collect()
    }

    /// All layers, the upper first.
    #[must_use]
    pub fn stack(&self) -> Vec<Layer> {
        let mut all = vec![self.upper()];
        all.extend(self.lower());
        all
    }

    /// The layers that hold what the VM changed since it was made, the upper first, and those that it was
    /// made with.
    #[must_use]
    pub fn own_and_below(&self) -> (Vec<Layer>, Vec<Layer>) {
        let mut own = self.stack();
        let below = own.split_off(own.len() - self.record.base_layers.min(own.len()));
        (own, below)
    }

    /// Sees to it that all layers below the upper are there and whole, and the upper if it is there: one
    /// that is not is empty.
    ///
    /// # Errors
    /// [`Error::DamagedLayer`], [`Error::NewerFormat`].
    pub fn check_layers(&self) -> Result<()> {
        for layer in self.lower() {
            layer.check()?;
        }
        let upper = self.upper();
        if upper.folder().exists() {
            upper.check()?;
        }
        Ok(())
    }

    /// Sees to it that all layers are there, and makes the upper if it is not: what a start needs.
    ///
    /// # Errors
    /// [`Error::DamagedLayer`], [`Error::NewerFormat`], or the upper cannot be made.
    pub fn prepare_layers(&self) -> Result<()> {
        for layer in self.lower() {
            layer.check()?;
        }
        self.upper().make()?;
        self.upper().check()
    }

    /// Where the next line of the upper's file of bases goes, in bytes
    /// ([`pinion_wire::base`]); it may be torn at its end.
    #[must_use]
    pub fn base_end(&self) -> u64 {
        let file = std::fs::metadata(self.upper().files().join(pinion_wire::base::NAME));
        file.map_or(0, |file| file.len().next_multiple_of(2))
    }

    /// The supervisor's log.
    #[must_use]
    pub fn supervisor_log(&self) -> PathBuf {
        self.folder.join("logs").join("supervisor.log")
    }

    /// The events that the VM's supervisor recorded (docs/TRACE.md).
    #[must_use]
    pub fn events(&self) -> PathBuf {
        self.folder.join("logs").join("events.trace")
    }

    /// Those before, when there were many.
    #[must_use]
    pub fn older_events(&self) -> PathBuf {
        self.folder.join("logs").join("events.1.trace")
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
        crate::count::files(self.upper().files())
    }

    /// How many keys the VM has changed, made or hidden: those of its registry layer that have no keys
    /// below.
    ///
    /// # Errors
    /// The registry's refusal.
    #[cfg(windows)]
    pub fn changed_keys(&self) -> Result<u64> {
        crate::registry::count_layer(self.record.upper)
    }

    /// Changes the record on disk, as it is there now, and here; neither on failure.
    ///
    /// # Errors
    /// The record cannot be read or written.
    pub fn update(&mut self, change: impl FnOnce(&mut VmRecord)) -> Result<()> {
        let lock = StoreLock::take(&self.root.join("store.lock"))?;
        self.update_locked(&lock, change)
    }

    /// The same by a change that may refuse the record as it is there now.
    pub(crate) fn try_update(
        &mut self,
        change: impl FnOnce(&mut VmRecord) -> Result<()>,
    ) -> Result<()> {
        let lock = StoreLock::take(&self.root.join("store.lock"))?;
        let name = self.record.name.as_str();
        let mut record = Self::load(self.folder.clone(), name, self.root.clone())?.record;
        change(&mut record)?;
        self.update_locked(&lock, |now| *now = *record)
    }

    /// The same for one who holds the store's lock already.
    pub(crate) fn update_locked(
        &mut self,
        _lock: &StoreLock,
        change: impl FnOnce(&mut VmRecord),
    ) -> Result<()> {
        let name = self.record.name.as_str();
        let mut record = Self::load(self.folder.clone(), name, self.root.clone())?.record;
        change(&mut record);
        atomic::write_json(&self.folder.join("vm.json"), &record)?;
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
            Some(exit) => atomic::write_json(&path, exit),
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

    /// Keeps a VM that does not run from being started, until the lock is dropped; `what` is to be done
    /// with it, as a verb.
    pub(crate) fn at_rest(&self, what: &'static str) -> Result<RunLock> {
        self.lock_run().map_err(|error| match error {
            Error::Running { name } => Error::NotAtRest { what, name },
            error => error,
        })
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

/// Reads a record of format [`FORMAT`]; `damaged` makes an error of what is wrong with it.
pub(crate) fn read_record<T: serde::de::DeserializeOwned>(
    path: &Path,
    damaged: impl Fn(String) -> Error,
) -> Result<T> {
    let text = atomic::read(path)?.ok_or_else(|| damaged("the file is missing".into()))?;
    let value: serde_json::Value =
        serde_json::from_str(&text).map_err(|e| damaged(e.to_string()))?;
    match value.get("format").and_then(serde_json::Value::as_u64) {
        Some(found) if found > u64::from(FORMAT) => Err(Error::NewerFormat {
            path: path.into(),
            found: u32::try_from(found).unwrap_or(u32::MAX),
            known: FORMAT,
        }),
        Some(found) if found == u64::from(FORMAT) => {
            serde_json::from_value(value).map_err(|e| damaged(e.to_string()))
        }
        Some(found) => Err(damaged(format!("its format {found} is no longer read"))),
        None => Err(damaged("it has no format number".into())),
    }
}
