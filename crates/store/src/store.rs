//! The set of VMs below one root folder: open, create, find, list, remove.

use std::collections::HashSet;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::address;
use crate::error::{Error, Result};
use crate::id::VmId;
use crate::lock::{RunLock, StoreLock};
use crate::name::VmName;
use crate::record::{FORMAT, Limits, PortMapping, VmRecord};
use crate::removal;
use crate::vm::Vm;

/// How the folders of VMs half made begin; no name of a VM does.
const HALF_MADE: &str = ".new-";
/// How the folders of VMs half removed begin.
const HALF_GONE: &str = ".gone-";

/// The store below one root folder.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
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
    /// Remove it when its main program ends.
    pub remove_at_end: bool,
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
        Ok(Self { root })
    }

    /// The root folder, absolute.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn vms(&self) -> PathBuf {
        self.root.join("vms")
    }

    fn folder(&self, name: &VmName) -> PathBuf {
        self.vms().join(name.as_str())
    }

    fn lock(&self) -> Result<StoreLock> {
        StoreLock::take(&self.root.join("store.lock"))
    }

    /// Creates a VM: all of it, or nothing.
    ///
    /// # Errors
    /// [`Error::NameTaken`], no free address, no room.
    pub fn create(&self, new: NewVm) -> Result<Vm> {
        let _lock = self.lock()?;
        let known = self.list()?;
        let id = VmId::random().map_err(|e| Error::io("create", &self.vms(), e))?;
        let name = match new.name {
            Some(name) => name,
            None => crate::name::made_up(id, |name| !self.folder(name).exists()),
        };
        let folder = self.folder(&name);
        if folder.exists() {
            return Err(Error::NameTaken {
                name: name.to_string(),
            });
        }
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
            address: address::allocate(id, &addresses(&known)).ok_or(Error::NoAddress)?,
            layers: Vec::new(),
            remove_at_end: new.remove_at_end,
        };
        self.write_new(&folder, &record)?;
        Vm::load(folder, name.as_str())
    }

    /// Makes the folder under a passing name and renames it, so that a failure leaves nothing.
    fn write_new(&self, folder: &Path, record: &VmRecord) -> Result<()> {
        let vms = self.vms();
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
        Vm::load(folder, name.as_str())
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
        let vms = self.vms();
        let mut entries = Vec::new();
        for item in fs::read_dir(&vms).map_err(|e| Error::io("list", &vms, e))? {
            let item = item.map_err(|e| Error::io("list", &vms, e))?;
            let file_name = item.file_name();
            let Some(name) = file_name.to_str().and_then(|text| VmName::check(text).ok()) else {
                continue;
            };
            match Vm::load(item.path(), name.as_str()) {
                Ok(vm) => entries.push(Entry::Vm(vm)),
                // Removed between the listing and the reading.
                Err(_) if !item.path().exists() => (),
                Err(error) => entries.push(Entry::Damaged { name, error }),
            }
        }
        entries.sort_by(|a, b| a.name().cmp(b.name()));
        Ok(entries)
    }

    /// Removes a VM that does not run, damaged or not: its folder and its keys.
    ///
    /// # Errors
    /// [`Error::NoSuchVm`], [`Error::Running`], or what could not be removed.
    pub fn remove(&self, name: &VmName) -> Result<()> {
        let _lock = self.lock()?;
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
        let gone = self.vms().join(format!("{HALF_GONE}{name}-{}", now_ms()));
        removal::rename(&folder, &gone)?;
        removal::remove_vm(&gone)
    }

    /// Takes away what broken-off creations and removals left, and `--rm` VMs whose supervisor was
    /// killed. Every command that changes the set of VMs may call it; failures are left for the next
    /// time.
    pub fn sweep(&self) {
        for entry in self.list().unwrap_or_default() {
            if let Entry::Vm(vm) = entry
                && vm.record().remove_at_end
                && matches!(vm.last_exit(), Ok(Some(_)))
            {
                let _ = self.remove(vm.name());
            }
        }
        let Ok(_lock) = self.lock() else { return };
        let Ok(items) = fs::read_dir(self.vms()) else {
            return;
        };
        for item in items.flatten() {
            let name = item.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(HALF_MADE) || name.starts_with(HALF_GONE) {
                let _ = removal::remove_vm(&item.path());
            }
        }
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

fn addresses(entries: &[Entry]) -> HashSet<Ipv4Addr> {
    let address = |entry: &Entry| match entry {
        Entry::Vm(vm) => Some(vm.record().address),
        Entry::Damaged { .. } => None,
    };
    entries.iter().filter_map(address).collect()
}

fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
