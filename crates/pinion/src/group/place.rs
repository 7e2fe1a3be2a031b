//! What lies in a group's folder of the store.
//!
//! ```text
//! groups\<name>\run.lock          held by the group's process (the store's)
//! groups\<name>\plan.json         what it runs (Plan)
//! groups\<name>\run.json          the run: its id, its snapshot (Run)
//! groups\<name>\vms\<vm>          an empty file for each VM that the group made, from before it is made
//! groups\<name>\events.jsonl      what happened, a line each
//! groups\<name>\evidence\<n>-<why>\     what is kept of removed replicas
//! ```

use crate::failure::Failure;
use crate::vms;
use pinion_store::{RunLock, Source, Store, VmId, VmName};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

use super::plan::Plan;

/// One run of the group, as its file tells.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Run {
    /// The run's identity, which its pipe carries.
    pub id: VmId,
    /// The snapshot that the group made for itself.
    pub snapshot: Option<VmName>,
    /// When it began, in ms since 1970.
    pub started_ms: u64,
}

/// A group's folder.
#[derive(Debug, Clone)]
pub struct Place {
    /// The store.
    pub store: Store,
    /// The group's name.
    pub name: VmName,
    folder: PathBuf,
}

fn failed(what: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::pinion(format!("cannot {what} {}: {error}", path.display()))
}

impl Place {
    /// The folder of the group `name`, which may not be there.
    pub fn new(store: Store, name: VmName) -> Self {
        let folder = store.group_folder(&name);
        Self {
            store,
            name,
            folder,
        }
    }

    /// The folder of a group that was up at least once.
    pub fn find(name: &str) -> Result<Self, Failure> {
        let store = vms::store()?;
        let name: VmName = name.parse()?;
        let place = Self::new(store, name);
        if place.folder.join("plan.json").exists() {
            return Ok(place);
        }
        let text = format!(
            "there is no group '{}'; 'pinion group ls' lists them",
            place.name
        );
        Err(Failure::new(pinion_store::exit_code::NO_SUCH_VM, text))
    }

    /// Claims the group's run; none: it runs already.
    pub fn claim(&self) -> Result<Option<RunLock>, Failure> {
        Ok(self.store.claim_group(&self.name)?)
    }

    /// Whether the group's process runs.
    pub fn runs(&self) -> bool {
        self.store.group_runs(&self.name).unwrap_or(false)
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of evidence.
    pub fn evidence(&self) -> PathBuf {
        self.folder.join("evidence")
    }

    /// The file of events.
    pub fn events(&self) -> PathBuf {
        self.folder.join("events.jsonl")
    }

    pub fn plan(&self) -> Result<Plan, Failure> {
        self.read("plan.json")
    }

    pub fn set_plan(&self, plan: &Plan) -> Result<(), Failure> {
        self.write("plan.json", plan)
    }

    pub fn run(&self) -> Result<Run, Failure> {
        self.read("run.json")
    }

    pub fn set_run(&self, run: &Run) -> Result<(), Failure> {
        self.write("run.json", run)
    }

    fn read<T: for<'a> Deserialize<'a>>(&self, file: &str) -> Result<T, Failure> {
        let path = self.folder.join(file);
        let text = fs::read(&path).map_err(|error| failed("read", &path, &error))?;
        serde_json::from_slice(&text)
            .map_err(|error| failed("understand", &path, &std::io::Error::other(error)))
    }

    fn write(&self, file: &str, value: &impl Serialize) -> Result<(), Failure> {
        let path = self.folder.join(file);
        let new = self.folder.join(format!("{file}.new"));
        let text = serde_json::to_vec_pretty(value).map_err(std::io::Error::other);
        let written = text.and_then(|text| fs::write(&new, text));
        written
            .and_then(|()| fs::rename(&new, &path))
            .map_err(|error| failed("write", &path, &error))
    }

    fn mark(&self, vm: &VmName) -> PathBuf {
        self.folder.join("vms").join(vm.as_str())
    }

    /// Notes a VM that is about to be made, so that it is found again whatever happens.
    pub fn note(&self, vm: &VmName) -> Result<(), Failure> {
        let mark = self.mark(vm);
        fs::create_dir_all(self.folder.join("vms"))
            .and_then(|()| fs::write(&mark, ""))
            .map_err(|error| failed("write", &mark, &error))
    }

    /// The VM is gone.
    pub fn forget(&self, vm: &VmName) {
        // One that stays is looked for in vain at the next start.
        let _ = fs::remove_file(self.mark(vm));
    }

    /// Ends and removes what an earlier run left: its VMs and its snapshot. The caller has the claim.
    pub fn sweep(&self) -> Result<(), Failure> {
        let marks = fs::read_dir(self.folder.join("vms"));
        for mark in marks.into_iter().flatten().flatten() {
            let name = mark.file_name();
            let Some(name) = name.to_str().and_then(|name| VmName::check(name).ok()) else {
                continue;
            };
            if let Ok(vm) = self.store.load(&name)
                && let Some(mut client) = vms::connect(&vm)?
            {
                // It may be ending by itself, having lost its owner.
                let _ = client.kill();
            }
            vms::remove_ended(&self.store, &name)?;
            self.forget(&name);
        }
        if let Ok(mut run) = self.run()
            && let Some(snapshot) = run.snapshot.take()
        {
            match self.store.remove_snapshot(&snapshot, true) {
                Ok(()) | Err(pinion_store::Error::NoSuchSnapshot { .. }) => self.set_run(&run)?,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// What replicas are made from: a snapshot, or a VM, of which one is taken now, so that all replicas
    /// are of one state.
    pub fn source(&self, run: &mut Run, from: Option<&str>) -> Result<Option<Source>, Failure> {
        let Some(from) = from else {
            return Ok(None);
        };
        let Source::Vm(vm) = self.store.source(from)? else {
            return Ok(Some(self.store.source(from)?));
        };
        let name = VmName::check(&format!("{}.base", self.name));
        let name = name.map_err(|why| Failure::pinion(why.to_string()))?;
        // Noted first, so that it is found again whatever happens.
        run.snapshot = Some(name.clone());
        self.set_run(run)?;
        match self.store.take_snapshot(vm.name(), name) {
            Ok(snapshot) => Ok(Some(Source::Snapshot(snapshot))),
            Err(error) => {
                run.snapshot = None;
                self.set_run(run)?;
                Err(error.into())
            }
        }
    }
}
