//! What the store no longer needs: VMs that are removed, layers that nothing has any more, and what
//! broken-off commands left.
//!
//! Whatever may become unused is first written down as a suspect; then the record that used it goes.
//! Then each suspect is looked for in all records, and is renamed out of sight if none has it. The slow
//! part, taking away what is out of sight, comes last and without the store's lock. So at each instant
//! the next command can go on where one was broken off, and a layer that some record has is never
//! touched.

use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::{Error, Result};
use crate::id::LayerId;
use crate::layer::{FORMER_PLACE, Layer};
use crate::lock::{RemovalLock, RunLock, StoreLock};
use crate::name::VmName;
use crate::removal;
use crate::snapshot::SnapshotEntry;
use crate::store::{Store, now_ms};
use crate::vm::Vm;

/// How the folders of VMs half made begin; no name of a VM does.
pub(crate) const HALF_MADE: &str = ".new-";
/// How the folders of VMs and layers half removed begin.
pub(crate) const HALF_GONE: &str = ".gone-";
/// A VM of `run --rm` this old that neither runs nor has ended is one whose supervisor was killed, and
/// no longer one that is about to start.
const ABANDONED: Duration = Duration::from_secs(120);

impl Store {
    /// Removes a VM that does not run, damaged or not, with its upper layer and the layers that nothing
    /// else has.
    ///
    /// # Errors
    /// [`Error::NoSuchVm`], [`Error::Running`], or what could not be removed.
    pub fn remove(&self, name: &VmName) -> Result<()> {
        let lock = self.lock()?;
        let folder = self.folder(name);
        if !folder.is_dir() {
            return Err(Error::NoSuchVm {
                name: name.to_string(),
            });
        }
        // Looked at, not taken: a lock file that is not there cannot be made on a full disk, and removing is what makes room.
        if RunLock::is_held(&folder.join("run.lock"))? {
            return Err(Error::Running {
                name: name.to_string(),
            });
        }
        let vm = self.load(name);
        let layers = match &vm {
            Ok(vm) => vm.record().layers.clone(),
            // What its layers were cannot be known: each is looked for in the other records.
            Err(_) => self.all_layers(),
        };
        match self.suspect(&lock, &layers) {
            // Removing is what makes room: done without the safety of what is written down.
            Ok(()) | Err(Error::DiskFull { .. }) => {}
            Err(error) => return Err(error),
        }
        let gone = self
            .vms_folder()
            .join(format!("{HALF_GONE}{name}-{}", now_ms()));
        removal::rename(&folder, &gone)?;
        if let Ok(vm) = vm {
            self.claims()?.release(vm.record().address);
        }
        let _ = fs::remove_file(self.passing(name));
        self.collect(lock, &layers, Some(gone))
    }

    /// Takes a VM at rest back to what it was made from: an empty upper over the layers that it was made
    /// with. Its own layers are removed where nothing else has them.
    ///
    /// # Errors
    /// [`Error::NotAtRest`], or what could not be removed; then the VM is reset all the same.
    pub fn reset(&self, name: &VmName) -> Result<()> {
        let lock = self.lock()?;
        let mut vm = self.load(name)?;
        let at_rest = vm.at_rest("reset")?;
        let fresh = self.fresh_layer()?.id();
        let record = vm.record();
        let own = record.layers.len() - record.base_layers.min(record.layers.len());
        let mut going = record.layers[..own].to_vec();
        going.push(record.upper);
        self.suspect(&lock, &going)?;
        vm.update_locked(&lock, |record| {
            record.upper = fresh;
            record.layers.drain(..own);
        })?;
        drop(at_rest);
        self.collect(lock, &[], None)
    }

    /// Takes away what broken-off commands left, and `--rm` VMs whose supervisor was killed. Every
    /// command that changes what the store has may call it; failures are left for the next time.
    pub fn sweep(&self) {
        crate::archive::sweep(self);
        for name in self.names_in("passing") {
            let Ok(name) = VmName::check(&name) else {
                continue;
            };
            match self.load(&name) {
                Ok(vm) if is_over(&vm) => drop(self.remove(&name)),
                Err(Error::NoSuchVm { .. }) => self.forget_passing(&name),
                _ => {}
            }
        }
        let Ok(lock) = self.lock() else { return };
        self.hide_half_made(&lock);
        if self.set_aside(&lock, &[]).is_err() {
            return;
        }
        drop(lock);
        if let Ok(Some(_alone)) = RemovalLock::try_alone(&self.root().join("removal.lock")) {
            let _ = self.take_away(&self.gone());
        }
    }

    /// Writes down layers that a record is about to let go.
    pub(crate) fn suspect(&self, _lock: &StoreLock, layers: &[LayerId]) -> Result<()> {
        let folder = self.suspects_folder();
        if layers.is_empty() {
            return Ok(());
        }
        fs::create_dir_all(&folder).map_err(|e| Error::io("create", &folder, e))?;
        for id in layers {
            let path = folder.join(id.to_string());
            fs::write(&path, "").map_err(|e| Error::io("create", &path, e))?;
        }
        Ok(())
    }

    fn suspects_folder(&self) -> PathBuf {
        self.root().join("suspects")
    }

    /// A fresh layer for a command that fills it before some record has it: a suspect that is held, so
    /// that it is taken away if the command is killed, and not before.
    pub(crate) fn claimed_layer(&self) -> Result<(Layer, RunLock)> {
        let _lock = self.lock()?;
        let layer = self.fresh_layer()?;
        let folder = self.suspects_folder();
        fs::create_dir_all(&folder).map_err(|e| Error::io("create", &folder, e))?;
        let path = folder.join(layer.id().to_string());
        match RunLock::try_take(&path)? {
            Some(claim) => Ok((layer, claim)),
            None => Err(Error::io(
                "lock",
                &path,
                std::io::ErrorKind::WouldBlock.into(),
            )),
        }
    }

    /// Forgets that a layer is a suspect: a record has it now.
    pub(crate) fn trust(&self, layer: LayerId) {
        // One that stays is looked for in all records once more, and found.
        let _ = fs::remove_file(self.suspects_folder().join(layer.to_string()));
    }

    /// Takes away, after letting go of the lock, the folder `vm` of a VM, and of the suspects and `also`
    /// what no record has. It looks for nothing else that is gone: that is [`Store::sweep`]'s, once for each
    /// command and not for each VM.
    pub(crate) fn collect(
        &self,
        lock: StoreLock,
        also: &[LayerId],
        vm: Option<PathBuf>,
    ) -> Result<()> {
        let mut gone = self.set_aside(&lock, also)?;
        gone.extend(vm);
        // Without it, which a full disk may deny, another command helps.
        let _removing = RemovalLock::share(&self.root().join("removal.lock")).ok();
        drop(lock);
        self.take_away(&gone)
    }

    /// Renames each suspect that no record has, and forgets the others. While a record cannot be read,
    /// all stay suspects. Gives where the renamed are now.
    fn set_aside(&self, _lock: &StoreLock, also: &[LayerId]) -> Result<Vec<PathBuf>> {
        let mut aside = Vec::new();
        let mut suspects: HashSet<LayerId> = self
            .names_in("suspects")
            .iter()
            .filter_map(|name| name.parse().ok())
            .collect();
        suspects.extend(also);
        // One that is held is being made.
        let note = |id: &LayerId| self.suspects_folder().join(id.to_string());
        suspects.retain(|id| !RunLock::is_held(&note(id)).unwrap_or(true));
        if suspects.is_empty() {
            return Ok(aside);
        }
        let used = self.strike_used(&mut suspects)?;
        let Some(used) = used else { return Ok(aside) };
        for id in suspects.iter().chain(&used) {
            let name = id.to_string();
            let folder = Layer::at(self.root(), *id).folder().to_owned();
            if !used.contains(id) && folder.exists() {
                let gone = folder.with_file_name(format!("{HALF_GONE}{name}"));
                removal::rename(&folder, &gone)?;
                aside.push(gone);
            }
            let path = self.suspects_folder().join(&name);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(Error::io("remove", &path, error));
                }
                _ => {}
            }
        }
        Ok(aside)
    }

    /// Strikes the layers that some record has, and gives them; none when a record cannot be read.
    fn strike_used(&self, suspects: &mut HashSet<LayerId>) -> Result<Option<HashSet<LayerId>>> {
        let mut used = HashSet::new();
        let mut strike = |id: &LayerId, suspects: &mut HashSet<LayerId>| {
            if suspects.remove(id) {
                used.insert(*id);
            }
        };
        for entry in self.snapshots()? {
            let SnapshotEntry::Snapshot(snapshot) = entry else {
                return Ok(None);
            };
            for id in &snapshot.record().layers {
                strike(id, suspects);
            }
        }
        for vm in self.vms()? {
            // Most often the first few have them all.
            if suspects.is_empty() {
                break;
            }
            let Ok(vm) = vm else { return Ok(None) };
            for id in &vm.record().layers {
                strike(id, suspects);
            }
            strike(&vm.record().upper, suspects);
        }
        Ok(Some(used))
    }

    /// Renames folders that a broken-off creation left, so that they are removed.
    fn hide_half_made(&self, _lock: &StoreLock) {
        for name in self.names_in("vms") {
            if name.starts_with(HALF_MADE) {
                let vms = self.vms_folder();
                let _ = fs::rename(vms.join(&name), vms.join(format!("{HALF_GONE}{name}")));
            }
        }
        // Records are written under such names, and always under the lock.
        for name in self.names_in("snapshots") {
            if name.starts_with(HALF_MADE) {
                let _ = fs::remove_file(self.snapshots_folder().join(name));
            }
        }
    }

    /// All folders out of sight: of layers, then of VMs.
    fn gone(&self) -> Vec<PathBuf> {
        let mut all = Vec::new();
        for kind in ["", FORMER_PLACE, "vms"] {
            let mut names = self.names_in(kind);
            names.retain(|name| name.starts_with(HALF_GONE));
            all.extend(names.iter().map(|name| self.root().join(kind).join(name)));
        }
        all
    }

    /// Removes folders that are out of sight, with the keys of layers and the uppers of VMs.
    fn take_away(&self, gone: &[PathBuf]) -> Result<()> {
        for folder in gone {
            if let Some(upper) = removal::upper_of(folder) {
                let layer = Layer::at(self.root(), upper);
                let hidden = layer.folder().with_file_name(format!("{HALF_GONE}{upper}"));
                // The folder may not be there: nothing was ever changed, or it is out of sight already.
                let _ = removal::rename(layer.folder(), &hidden);
                removal::layer(&hidden, upper, self.removed())?;
            }
            match folder.file_name().and_then(|name| layer_of(name.to_str()?)) {
                Some(id) => removal::layer(folder, id, self.removed())?,
                None => removal::folder(folder, self.removed())?,
            }
        }
        Ok(())
    }

    fn forget_passing(&self, name: &VmName) {
        // Under the lock: a VM that is being made has its mark before its folder.
        if let Ok(_lock) = self.lock()
            && !self.folder(name).exists()
        {
            let _ = fs::remove_file(self.passing(name));
        }
    }

    /// The identities of all layers that have a folder.
    pub(crate) fn all_layers(&self) -> Vec<LayerId> {
        let folders = self.layer_folders();
        folders
            .iter()
            .filter_map(|name| name.parse().ok())
            .collect()
    }

    /// The names of all folders of layers, of those that are being removed too.
    #[must_use]
    pub fn layer_folders(&self) -> Vec<String> {
        let places = ["", FORMER_PLACE].map(|place| self.names_in(place));
        let mut names = places.concat();
        names.retain(|name| name.parse::<LayerId>().is_ok() || layer_of(name).is_some());
        names
    }

    /// The names in a folder of the store; none when it is not there.
    fn names_in(&self, folder: &str) -> Vec<String> {
        let items = fs::read_dir(self.root().join(folder))
            .into_iter()
            .flatten()
            .flatten();
        items
            .filter_map(|item| item.file_name().into_string().ok())
            .collect()
    }
}

/// The layer that a folder out of sight was.
fn layer_of(name: &str) -> Option<LayerId> {
    name.strip_prefix(HALF_GONE)?.parse().ok()
}

/// Whether a VM of `run --rm` has had its run.
fn is_over(vm: &Vm) -> bool {
    let created = UNIX_EPOCH + Duration::from_millis(vm.record().created_ms);
    let age = SystemTime::now()
        .duration_since(created)
        .unwrap_or_default();
    vm.record().remove_at_end
        && matches!(vm.is_running(), Ok(false))
        && (age > ABANDONED || matches!(vm.last_exit(), Ok(Some(_))))
}
