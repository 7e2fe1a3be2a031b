//! Snapshots: named stacks of read-only layers, from which VMs are made.
//!
//! Owns their records and what becomes of a VM's upper: it is not copied and not moved. It becomes a
//! read-only layer by a new record of the VM, in which another upper stands over it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::atomic;
use crate::error::{Error, Result};
use crate::id::{LayerId, SnapshotId};
use crate::layer::Layer;
use crate::lock::{RunLock, StoreLock};
use crate::name::VmName;
use crate::record::{FORMAT, MOST_LAYERS, SnapshotRecord};
use crate::store::{Store, now_ms};
use crate::vm::{Vm, read_record};

/// A snapshot of the store.
#[derive(Debug, Clone)]
pub struct Snapshot {
    root: PathBuf,
    record: SnapshotRecord,
}

/// One entry of a listing.
#[derive(Debug)]
pub enum SnapshotEntry {
    /// A snapshot in order.
    Snapshot(Snapshot),
    /// One whose record cannot be read.
    Damaged {
        /// The name of its file.
        name: VmName,
        /// What is wrong, naming the file.
        error: Error,
    },
}

/// What a VM can be made from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A VM that does not run, as it is now.
    Vm(Vm),
    /// A snapshot.
    Snapshot(Snapshot),
}

/// What a new snapshot is made of.
#[derive(Debug, Clone)]
pub struct NewSnapshot {
    /// The name.
    pub name: VmName,
    /// The VM that it is made of, if it is made of one.
    pub vm: Option<VmName>,
    /// The layers, the newest first.
    pub layers: Vec<LayerId>,
    /// Program and arguments of VMs made from it.
    pub command: Vec<String>,
    /// Their variables.
    pub env: Vec<(String, String)>,
    /// Their current directory.
    pub cwd: Option<String>,
    /// Their policy.
    pub policy: Option<String>,
}

impl Snapshot {
    fn load(path: &Path, name: &str, root: PathBuf) -> Result<Self> {
        let damaged = |why| Error::DamagedSnapshot {
            path: path.into(),
            why,
        };
        let record: SnapshotRecord = read_record(path, damaged)?;
        match record.fault(name) {
            Some(why) => Err(damaged(why)),
            None => Ok(Self { root, record }),
        }
    }

    /// The record.
    #[must_use]
    pub fn record(&self) -> &SnapshotRecord {
        &self.record
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &VmName {
        &self.record.name
    }

    /// The layers, the newest first.
    #[must_use]
    pub fn stack(&self) -> Vec<Layer> {
        let at = |id: &LayerId| Layer::at(&self.root, *id);
        self.record.layers.iter().map(at).collect()
    }
}

impl Source {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &VmName {
        match self {
            Source::Vm(vm) => vm.name(),
            Source::Snapshot(snapshot) => snapshot.name(),
        }
    }

    /// The layers of a VM made from it below its own, the newest first.
    #[must_use]
    pub fn stack(&self) -> Vec<Layer> {
        match self {
            Source::Vm(vm) => vm.stack(),
            Source::Snapshot(snapshot) => snapshot.stack(),
        }
    }

    /// Program, variables and current directory of a VM made from it, where it is told no others.
    #[must_use]
    pub fn program(&self) -> (&[String], &[(String, String)], Option<&str>) {
        match self {
            Source::Vm(vm) => {
                let record = vm.record();
                (&record.command, &record.env, record.cwd.as_deref())
            }
            Source::Snapshot(snapshot) => {
                let record = snapshot.record();
                (&record.command, &record.env, record.cwd.as_deref())
            }
        }
    }

    /// The policy of a VM made from it, where it is given no other.
    #[must_use]
    pub fn policy(&self) -> Option<&str> {
        match self {
            Source::Vm(vm) => vm.record().policy.as_deref(),
            Source::Snapshot(snapshot) => snapshot.record().policy.as_deref(),
        }
    }
}

impl SnapshotEntry {
    /// The snapshot's name.
    #[must_use]
    pub fn name(&self) -> &VmName {
        match self {
            SnapshotEntry::Snapshot(snapshot) => snapshot.name(),
            SnapshotEntry::Damaged { name, .. } => name,
        }
    }
}

impl Store {
    pub(crate) fn snapshots_folder(&self) -> PathBuf {
        self.root().join("snapshots")
    }

    fn snapshot_path(&self, name: &VmName) -> PathBuf {
        self.snapshots_folder().join(format!("{name}.json"))
    }

    /// All snapshots by name, the damaged ones too.
    ///
    /// # Errors
    /// Their folder cannot be read.
    pub fn snapshots(&self) -> Result<Vec<SnapshotEntry>> {
        let folder = self.snapshots_folder();
        let mut all = Vec::new();
        let items = match fs::read_dir(&folder) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(all),
            items => items.map_err(|e| Error::io("list", &folder, e))?,
        };
        for item in items {
            let item = item.map_err(|e| Error::io("list", &folder, e))?;
            let file = item.file_name();
            let stem = file.to_str().and_then(|text| text.strip_suffix(".json"));
            let Some(name) = stem.and_then(|stem| VmName::check(stem).ok()) else {
                continue;
            };
            match self.snapshot(&name) {
                Ok(snapshot) => all.push(SnapshotEntry::Snapshot(snapshot)),
                // Removed between the listing and the reading.
                Err(Error::NoSuchSnapshot { .. }) => {}
                Err(error) => all.push(SnapshotEntry::Damaged { name, error }),
            }
        }
        all.sort_by(|a, b| a.name().cmp(b.name()));
        Ok(all)
    }

    /// The snapshot of this name.
    ///
    /// # Errors
    /// [`Error::NoSuchSnapshot`], [`Error::DamagedSnapshot`], [`Error::NewerFormat`].
    pub fn snapshot(&self, name: &VmName) -> Result<Snapshot> {
        let path = self.snapshot_path(name);
        if !path.exists() {
            return Err(Error::NoSuchSnapshot {
                name: name.to_string(),
            });
        }
        Snapshot::load(&path, name.as_str(), self.root().to_owned())
    }

    /// The snapshot of this name, or else the one whose id is, or begins with, these digits.
    ///
    /// # Errors
    /// As [`Store::snapshot`]; [`Error::AmbiguousId`]; [`Error::BadName`] when it can be neither.
    pub fn find_snapshot(&self, name_or_id: &str) -> Result<Snapshot> {
        let name: VmName = name_or_id.parse()?;
        match self.snapshot(&name) {
            Err(Error::NoSuchSnapshot { .. }) => (),
            other => return other,
        }
        let mut found = self
            .snapshots()?
            .into_iter()
            .filter_map(|entry| match entry {
                SnapshotEntry::Snapshot(found)
                    if found.record.id.to_string().starts_with(name.as_str()) =>
                {
                    Some(found)
                }
                _ => None,
            });
        match (found.next(), found.next()) {
            (Some(snapshot), None) => Ok(snapshot),
            (Some(_), Some(_)) => Err(Error::AmbiguousId {
                id: name_or_id.into(),
            }),
            _ => Err(Error::NoSuchSnapshot {
                name: name_or_id.into(),
            }),
        }
    }

    /// The VM or the snapshot of this name or id.
    ///
    /// # Errors
    /// [`Error::NoSuchSource`], or as [`Store::find`] and [`Store::find_snapshot`].
    pub fn source(&self, name_or_id: &str) -> Result<Source> {
        match self.find_snapshot(name_or_id) {
            Ok(snapshot) => return Ok(Source::Snapshot(snapshot)),
            Err(Error::NoSuchSnapshot { .. }) => (),
            Err(error) => return Err(error),
        }
        match self.find(name_or_id) {
            Ok(vm) => Ok(Source::Vm(vm)),
            Err(Error::NoSuchVm { .. }) => Err(Error::NoSuchSource {
                name: name_or_id.into(),
            }),
            Err(error) => Err(error),
        }
    }

    /// Makes a snapshot of a VM that does not run, in constant time.
    ///
    /// # Errors
    /// [`Error::NotAtRest`], [`Error::TooDeep`], a taken name.
    pub fn take_snapshot(&self, vm: &VmName, name: VmName) -> Result<Snapshot> {
        let lock = self.lock()?;
        self.refuse_taken(&name)?;
        let vm = self.load(vm)?;
        let (vm, _at_rest) = self.freeze(&lock, vm, "take a snapshot of")?;
        let record = vm.record();
        let new = NewSnapshot {
            name,
            vm: Some(record.name.clone()),
            layers: record.layers.clone(),
            command: record.command.clone(),
            env: record.env.clone(),
            cwd: record.cwd.clone(),
            policy: record.policy.clone(),
        };
        self.add_snapshot(&lock, new)
    }

    /// Writes the record of a new snapshot, the last step of its making.
    pub(crate) fn add_snapshot(&self, _lock: &StoreLock, new: NewSnapshot) -> Result<Snapshot> {
        self.refuse_taken(&new.name)?;
        let folder = self.snapshots_folder();
        fs::create_dir_all(&folder).map_err(|e| Error::io("create", &folder, e))?;
        let path = self.snapshot_path(&new.name);
        let record = SnapshotRecord {
            format: FORMAT,
            id: SnapshotId::random().map_err(|e| Error::io("create", &path, e))?,
            name: new.name,
            created_ms: now_ms(),
            vm: new.vm,
            layers: new.layers,
            command: new.command,
            env: new.env,
            cwd: new.cwd,
            policy: new.policy,
        };
        atomic::write_json(&path, &record)?;
        let root = self.root().to_owned();
        Ok(Snapshot { root, record })
    }

    /// Turns the upper of a VM at rest into a read-only layer, unless nothing was changed in it: the
    /// record names a fresh upper then, over the former one. Broken off after that, the VM is as it was,
    /// with one more layer. Gives the VM and the claim that keeps it from being started.
    pub(crate) fn freeze(
        &self,
        lock: &StoreLock,
        mut vm: Vm,
        what: &'static str,
    ) -> Result<(Vm, RunLock)> {
        let at_rest = vm.at_rest(what)?;
        for layer in vm.lower() {
            layer.check()?;
        }
        if vm.upper().is_empty()? {
            return Ok((vm, at_rest));
        }
        vm.upper().check()?;
        if vm.record().layers.len() >= MOST_LAYERS {
            return Err(Error::TooDeep {
                name: vm.name().to_string(),
            });
        }
        let fresh = self.fresh_layer()?.id();
        vm.update_locked(lock, |record| {
            let frozen = std::mem::replace(&mut record.upper, fresh);
            record.layers.insert(0, frozen);
        })?;
        Ok((vm, at_rest))
    }

    /// Removes a snapshot and the layers that nothing else has; with `force` also one that VMs were made
    /// from, which keep its layers.
    ///
    /// # Errors
    /// [`Error::NoSuchSnapshot`], [`Error::SnapshotInUse`].
    pub fn remove_snapshot(&self, name: &VmName, force: bool) -> Result<()> {
        let lock = self.lock()?;
        let path = self.snapshot_path(name);
        let layers = match self.snapshot(name) {
            Ok(snapshot) => {
                if !force && let Some(vm) = self.made_from(snapshot.record.id)? {
                    return Err(Error::SnapshotInUse {
                        name: name.to_string(),
                        vm,
                    });
                }
                snapshot.record.layers
            }
            // What its layers were cannot be known; they stay until all records can be read.
            Err(Error::DamagedSnapshot { .. }) => self.all_layers(),
            Err(error) => return Err(error),
        };
        self.suspect(&lock, &layers)?;
        fs::remove_file(&path).map_err(|e| Error::io("remove", &path, e))?;
        self.collect(lock, &[], None)
    }

    /// A VM that was made from the snapshot.
    fn made_from(&self, id: SnapshotId) -> Result<Option<String>> {
        let mut vms = self.vms()?;
        let user = vms.find_map(|vm| vm.ok().filter(|vm| vm.record().base == Some(id)));
        Ok(user.map(|vm| vm.name().to_string()))
    }

    /// Fails when a VM or a snapshot has the name: what `--from` takes must mean one thing.
    pub(crate) fn refuse_taken(&self, name: &VmName) -> Result<()> {
        let name_text = || name.to_string();
        if self.snapshot_path(name).exists() {
            return Err(Error::SnapshotTaken { name: name_text() });
        }
        if self.folder(name).exists() {
            return Err(Error::NameTaken { name: name_text() });
        }
        Ok(())
    }
}
