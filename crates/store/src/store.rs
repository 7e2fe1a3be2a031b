//! The set of VMs below one root folder: open, create, find, list. Removal is `garbage`'s.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{SystemTime, UNIX_EPOCH};

use pinion_names::socket::Network;

use crate::address::Claims;
use crate::desktop::Desktop;
use crate::error::{Error, Result};
use crate::garbage::HALF_MADE;
use crate::id::{LayerId, SnapshotId, VmId};
use crate::layer::Layer;
use crate::lock::StoreLock;
use crate::name::VmName;
use crate::record::{FORMAT, Limits, PortMapping, VmRecord};
use crate::share::{self, Share};
use crate::snapshot::Source;
use crate::vm::Vm;

/// The store below one root folder.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
    removed: Arc<AtomicU64>,
}

/// What a new VM is made from; the store adds id, address and time.
#[derive(Debug, Clone, Default)]
pub struct NewVm {
    /// The name; none lets the store make one up.
    pub name: Option<VmName>,
    /// Program and arguments.
    pub command: Vec<String>,
    /// Additional variables.
    pub env: Vec<(String, String)>,
    /// Current directory.
    pub cwd: Option<String>,
    /// Limits.
    pub limits: Limits,
    /// Published ports.
    pub ports: Vec<PortMapping>,
    /// Folders that are the host's own.
    pub shares: Vec<Share>,
    /// What its members reach by sockets.
    pub network: Network,
    /// How it is on the user's desktop; none means a desktop of its own.
    pub desktop: Option<Desktop>,
    /// Its policy, which is sound.
    pub policy: Option<String>,
    /// Remove it when its main program ends.
    pub remove_at_end: bool,
    /// Record what its programs are given and refused, from the start on.
    pub trace: bool,
    /// Confine nothing, and only record.
    pub watch: bool,
    /// What it is made from; none means the host alone.
    pub from: Option<Source>,
}

/// One entry of a listing.
#[derive(Debug)]
pub enum Entry {
    /// A VM in order.
    Vm(Vm),
    /// A VM whose record cannot be read; `remove` takes it away.
    Damaged {
        /// The name of its folder.
        name: VmName,
        /// What is wrong, naming the file.
        error: Error,
    },
}

impl Store {
    /// The store at `PINION_ROOT`, else at `%LOCALAPPDATA%\Pinion`; made when it is not there.
    ///
    /// # Errors
    /// No place is known, or it cannot be made.
    pub fn open_default() -> Result<Self> {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let root = set("PINION_ROOT")
            .map(PathBuf::from)
            .or_else(|| set("LOCALAPPDATA").map(|base| PathBuf::from(base).join("Pinion")));
        Self::open(root.ok_or(Error::NoRoot)?)
    }

    /// The store at `root`; made when it is not there.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self> {
        let root = root.into();
        let root = std::path::absolute(&root).map_err(|e| Error::io("open", &root, e))?;
        let vms = root.join("vms");
        fs::create_dir_all(&vms).map_err(|e| Error::io("create", &vms, e))?;
        Ok(Self {
            root,
            removed: Arc::default(),
        })
    }

    /// The root folder, absolute.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// How many files and keys this value and its clones have removed, which rises as they do.
    #[must_use]
    pub fn removed(&self) -> &Arc<AtomicU64> {
        &self.removed
    }

    pub(crate) fn vms_folder(&self) -> PathBuf {
        self.root.join("vms")
    }

    pub(crate) fn folder(&self, name: &VmName) -> PathBuf {
        self.vms_folder().join(name.as_str())
    }

    /// The mark of a VM that is removed at its end.
    pub(crate) fn passing(&self, name: &VmName) -> PathBuf {
        self.root.join("passing").join(name.as_str())
    }

    pub(crate) fn lock(&self) -> Result<StoreLock> {
        StoreLock::take(&self.root.join("store.lock"))
    }

    pub(crate) fn claims(&self) -> Result<Claims> {
        Claims::open(self.root.join("addresses"), || {
            let vms = self.vms()?.flatten();
            Ok(vms.map(|vm| vm.record().address).collect())
        })
    }

    /// A layer that does not exist yet, under an identity of its own.
    pub(crate) fn fresh_layer(&self) -> Result<Layer> {
        let id = LayerId::random().map_err(|e| Error::io("create", &self.root, e))?;
        Ok(Layer::at(&self.root, id))
    }

    /// Creates a VM: all of it, or nothing. How much its source holds makes no difference.
    ///
    /// # Errors
    /// A taken name, [`Error::BadShare`], no free address, no room; with a source [`Error::NotAtRest`],
    /// [`Error::TooDeep`], [`Error::DamagedLayer`].
    pub fn create(&self, new: NewVm) -> Result<Vm> {
        let lock = self.lock()?;
        self.create_locked(&lock, new, None)
    }

    /// Creates a VM over layers that are there: its own upper, then those below, the newest first.
    pub(crate) fn create_over(&self, new: NewVm, stack: Vec<LayerId>) -> Result<Vm> {
        let lock = self.lock()?;
        self.create_locked(&lock, new, Some(stack))
    }

    fn create_locked(
        &self,
        lock: &StoreLock,
        new: NewVm,
        stack: Option<Vec<LayerId>>,
    ) -> Result<Vm> {
        let id = VmId::random().map_err(|e| Error::io("create", &self.vms_folder(), e))?;
        let name = match new.name {
            Some(name) => name,
            None => crate::name::made_up(id, |name| self.refuse_taken(name).is_ok()),
        };
        self.refuse_taken(&name)?;
        let (upper, layers, base) = match stack.as_deref() {
            Some([upper, below @ ..]) => (*upper, below.to_vec(), None),
            _ => {
                let (layers, base) = self.layers_of(lock, new.from)?;
                (self.fresh_layer()?.id(), layers, base)
            }
        };
        if let Some(why) = share::fault(&new.shares) {
            return Err(Error::BadShare { why });
        }
        let claims = self.claims()?;
        let record = VmRecord {
            format: FORMAT,
            id,
            name: name.clone(),
            created_ms: now_ms(),
            command: new.command,
            env: new.env,
            cwd: new.cwd,
            limits: new.limits,
            ports: new.ports,
            shares: new.shares,
            network: new.network,
            desktop: new.desktop,
            policy: new.policy,
            address: claims.take(id)?,
            upper,
            base_layers: layers.len(),
            layers,
            base,
            remove_at_end: new.remove_at_end,
            trace: new.trace,
            watch: new.watch,
        };
        let folder = self.folder(&name);
        if let Err(error) = self.write_new(&folder, &record) {
            claims.release(record.address);
            let _ = fs::remove_file(self.passing(&name));
            return Err(error);
        }
        Vm::load(folder, name.as_str(), self.root.clone())
    }

    /// The read-only layers of a VM made from `source`, which is as it was found or else refused.
    fn layers_of(
        &self,
        lock: &StoreLock,
        source: Option<Source>,
    ) -> Result<(Vec<LayerId>, Option<SnapshotId>)> {
        match source {
            None => Ok((Vec::new(), None)),
            Some(Source::Snapshot(found)) => {
                let snapshot = self.snapshot(found.name())?;
                for layer in snapshot.stack() {
                    layer.check()?;
                }
                let record = snapshot.record();
                Ok((record.layers.clone(), Some(record.id)))
            }
            Some(Source::Vm(found)) => {
                let vm = self.load(found.name())?;
                let (vm, _at_rest) = self.freeze(lock, vm, "clone")?;
                Ok((vm.record().layers.clone(), None))
            }
        }
    }

    /// Makes the folder under a passing name and renames it, so that a failure leaves nothing.
    fn write_new(&self, folder: &Path, record: &VmRecord) -> Result<()> {
        if record.remove_at_end {
            let mark = self.passing(&record.name);
            let made = fs::create_dir_all(self.root.join("passing"));
            made.and_then(|()| fs::write(&mark, ""))
                .map_err(|e| Error::io("create", &mark, e))?;
        }
        let vms = self.vms_folder();
        let half = tempfile::Builder::new()
            .prefix(HALF_MADE)
            .tempdir_in(&vms)
            .map_err(|e| Error::io("create", folder, e))?;
        Vm::write_new(half.path(), record)?;
        fs::rename(half.path(), folder).map_err(|e| Error::io("create", folder, e))?;
        let _ = half.keep();
        Ok(())
    }

    /// The VM of this name.
    ///
    /// # Errors
    /// [`Error::NoSuchVm`], [`Error::Damaged`], [`Error::NewerFormat`].
    pub fn load(&self, name: &VmName) -> Result<Vm> {
        let folder = self.folder(name);
        if !folder.is_dir() {
            return Err(Error::NoSuchVm {
                name: name.to_string(),
            });
        }
        Vm::load(folder, name.as_str(), self.root.clone())
    }

    /// The VM of this name, or else the one whose id is, or begins with, these hexadecimal digits.
    ///
    /// # Errors
    /// As [`Store::load`]; [`Error::AmbiguousId`]; [`Error::BadName`] when it can be neither.
    pub fn find(&self, name_or_id: &str) -> Result<Vm> {
        let name: VmName = name_or_id.parse()?;
        match self.load(&name) {
            Err(Error::NoSuchVm { .. }) => (),
            other => return other,
        }
        let fits = |vm: &Vm| vm.id().to_string().starts_with(name.as_str());
        let mut found = self.list()?.into_iter().filter_map(|entry| match entry {
            Entry::Vm(vm) if fits(&vm) => Some(vm),
            _ => None,
        });
        match (found.next(), found.next()) {
            (Some(vm), None) => Ok(vm),
            (Some(_), Some(_)) => Err(Error::AmbiguousId {
                id: name_or_id.into(),
            }),
            _ => Err(Error::NoSuchVm {
                name: name_or_id.into(),
            }),
        }
    }

    /// All VMs by name, the damaged ones too.
    ///
    /// # Errors
    /// The folder of the VMs cannot be read.
    pub fn list(&self) -> Result<Vec<Entry>> {
        let mut entries: Vec<_> = self
            .named_vms()?
            .map(|(name, vm)| vm.map_or_else(|error| Entry::Damaged { name, error }, Entry::Vm))
            .collect();
        entries.sort_by(|a, b| a.name().cmp(b.name()));
        Ok(entries)
    }

    /// All VMs, one after another.
    pub(crate) fn vms(&self) -> Result<impl Iterator<Item = Result<Vm>>> {
        Ok(self.named_vms()?.map(|(_, vm)| vm))
    }

    fn named_vms(&self) -> Result<impl Iterator<Item = (VmName, Result<Vm>)>> {
        let vms = self.vms_folder();
        let items = fs::read_dir(&vms).map_err(|e| Error::io("list", &vms, e))?;
        let root = self.root.clone();
        Ok(items.flatten().filter_map(move |item| {
            let name = VmName::check(item.file_name().to_str()?).ok()?;
            let vm = Vm::load(item.path(), name.as_str(), root.clone());
            // Removed between the listing and the reading.
            (vm.is_ok() || item.path().exists()).then_some((name, vm))
        }))
    }
}

impl Entry {
    /// The VM's name.
    #[must_use]
    pub fn name(&self) -> &VmName {
        match self {
            Entry::Vm(vm) => vm.name(),
            Entry::Damaged { name, .. } => name,
        }
    }
}

/// Milliseconds since 1970-01-01 UTC.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
