//! The journal of a merge into the host: `commits\<id>.json`, and a lock that its command holds.
//!
//! It is written before anything else is, and says how far the work is: while it is *staging* nothing of
//! the host is changed, and what is left of it is taken back; from *applying* on it is finished.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use pinion_wire::base::{HEAD, Kind, NAME, Stamp};
use serde::{Deserialize, Serialize};

use super::apply::Field;
use super::base;
use super::plan::{Drop, Plan, Step};
use crate::atomic;
use crate::changes::FileTree;
use crate::error::{Error, Result};
use crate::id::LayerId;
use crate::layer::Layer;
use crate::lock::RunLock;
use crate::name::VmName;
use crate::store::Store;
use crate::vm::Vm;

/// Where journals are.
const FOLDER: &str = "commits";
/// The format of journals.
const FORMAT: u32 = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Staging,
    Applying,
    Clearing,
}

#[derive(Debug, Serialize, Deserialize)]
struct Record {
    format: u32,
    vm: VmName,
    upper: LayerId,
    /// The VM stands on snapshots: its upper keeps what is merged, with the host's new state as base.
    keep: bool,
    state: State,
    steps: Vec<Step>,
    drops: Vec<Drop>,
    rebased: Vec<Vec<u16>>,
}

/// A merge under way.
pub(super) struct Journal {
    path: PathBuf,
    record: Record,
    field: Field,
    upper: PathBuf,
    _lock: RunLock,
}

impl Journal {
    /// Writes the journal of a plan; nothing else is done yet.
    pub(super) fn begin(store: &Store, vm: &Vm, plan: &Plan) -> Result<Self> {
        let folder = store.root().join(FOLDER);
        fs::create_dir_all(&folder).map_err(|e| Error::io("create", &folder, e))?;
        let id = LayerId::random().map_err(|e| Error::io("create", &folder, e))?;
        let path = folder.join(format!("{id}.json"));
        let lock = lock(&path)?.ok_or_else(|| busy(&path))?;
        let field = field(&vm.upper())?;
        let mut steps = plan.steps.clone();
        let mut files = HashMap::new();
        for (index, step) in steps.iter_mut().enumerate() {
            let passing = |path: &str| field.staged(path, &format!(".pinion-{id}-{index}"));
            match step {
                Step::WriteFile { path, staged } => {
                    *staged = passing(path)?;
                    files.insert(path.clone(), staged.clone());
                }
                Step::LinkFile {
                    path,
                    to,
                    from,
                    staged,
                } => {
                    *staged = passing(path)?;
                    // What is written in this merge is linked before it is in its place.
                    from.clone_from(files.get(to).unwrap_or(to));
                }
                _ => (),
            }
        }
        let record = Record {
            format: FORMAT,
            vm: vm.name().clone(),
            upper: vm.upper().id(),
            keep: !vm.record().layers.is_empty(),
            state: State::Staging,
            steps,
            drops: plan.drops.clone(),
            rebased: plan.rebased.clone(),
        };
        atomic::write_json(&path, &record)?;
        Ok(Self {
            path,
            record,
            field,
            upper: vm.upper().files(),
            _lock: lock,
        })
    }

    /// Does all of it, for a VM at rest; or nothing, or leaves the rest to a later command.
    pub(super) fn carry_out(mut self, _store: &Store, _at_rest: &RunLock) -> Result<()> {
        let staged = self.stage().and_then(|()| self.enter(State::Applying));
        if let Err(error) = staged {
            self.take_back()?;
            return Err(error);
        }
        self.apply()
            .and_then(|()| self.clear())
            .map_err(|error| Error::CommitUnfinished {
                vm: self.record.vm.to_string(),
                why: error.to_string(),
            })
    }

    fn enter(&mut self, state: State) -> Result<()> {
        let before = std::mem::replace(&mut self.record.state, state);
        atomic::write_json(&self.path, &self.record).inspect_err(|_| self.record.state = before)
    }

    fn stage(&self) -> Result<()> {
        self.record
            .steps
            .iter()
            .try_for_each(|step| self.field.stage(step))
    }

    fn take_back(&self) -> Result<()> {
        for step in &self.record.steps {
            self.field.unstage(step)?;
        }
        self.end()
    }

    fn apply(&mut self) -> Result<()> {
        for step in &self.record.steps {
            self.field.apply(step)?;
        }
        // A key that gets one more below it is written once more.
        #[cfg(windows)]
        for step in &self.record.steps {
            if let Step::WriteKey { key } = step {
                self.field.keys.write_time(key);
            }
        }
        self.enter(State::Clearing)
    }

    /// Takes from the upper what the host has now. The VM must be at rest.
    fn clear(&self) -> Result<()> {
        let gone: HashSet<Vec<u16>> = self.record.rebased.iter().cloned().collect();
        let bases = self.upper.join(NAME);
        if self.record.keep {
            base::forget(&bases, &gone)?;
        } else {
            for drop in self.drops() {
                self.field.drop_from_upper(drop)?;
            }
            base::forget(&bases, &gone)?;
        }
        self.rebase(&bases)?;
        self.end()
    }

    /// What the upper no longer needs, in the order in which it goes: first the whiteouts, which would hide
    /// what the host has by now of what goes then; then what is in a directory before the directory.
    fn drops(&self) -> impl Iterator<Item = &Drop> {
        let hides = |drop: &&Drop| matches!(drop, Drop::Whiteout { .. } | Drop::HiddenKey { .. });
        let all = &self.record.drops;
        let rest = all.iter().rev().filter(move |drop| !hides(drop));
        all.iter().filter(hides).chain(rest)
    }

    /// Keeps what the host has now as the base of what was merged.
    fn rebase(&self, bases: &Path) -> Result<()> {
        let mut text = match fs::read(bases) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            text => text.map_err(|e| Error::io("read", bases, e))?,
        };
        let mut add = |stamp: &Stamp, path: &[u16]| {
            let mut line = vec![0; HEAD + path.len() + 1];
            if pinion_wire::base::write(stamp, path, &mut line).is_some() {
                text.extend(line.iter().flat_map(|unit| unit.to_le_bytes()));
            }
        };
        let kept = |step: &&Step| self.record.keep || matches!(step, Step::DescribeFolder { .. });
        for step in self.record.steps.iter().filter(kept) {
            match step {
                // The VM's own stays as long as something is in it.
                Step::DescribeFolder { path, made, .. } => {
                    if let Some([attributes, rights]) = self.field.folder(path)? {
                        let units: Vec<u16> = path.encode_utf16().collect();
                        add(
                            &Stamp {
                                kind: Kind::Directory,
                                numbers: [attributes, rights, *made],
                            },
                            &units,
                        );
                    }
                }
                Step::WriteFile { path, .. } | Step::LinkFile { path, .. } => {
                    if let Some(numbers) = self.field.stamp(path)? {
                        let units: Vec<u16> = path.encode_utf16().collect();
                        add(
                            &Stamp {
                                kind: Kind::File,
                                numbers,
                            },
                            &units,
                        );
                    }
                }
                #[cfg(windows)]
                Step::WriteKey { key } | Step::WriteLink { key } | Step::WriteRights { key } => {
                    let numbers = self.field.keys.host_figures(key)?;
                    add(
                        &Stamp {
                            kind: Kind::Key,
                            numbers,
                        },
                        &super::keys::whole(key),
                    );
                }
                _ => (),
            }
        }
        if text.is_empty() {
            Ok(())
        } else {
            atomic::write(bases, &text)
        }
    }

    fn end(&self) -> Result<()> {
        fs::remove_file(&self.path).map_err(|e| Error::io("remove", &self.path, e))?;
        // Held still; one that stays says nothing.
        let _ = fs::remove_file(self.path.with_extension("lock"));
        Ok(())
    }
}

fn field(upper: &Layer) -> Result<Field> {
    Ok(Field {
        upper: upper.file_tree(),
        host: host(),
        #[cfg(windows)]
        keys: super::keys::Field::new(upper)?,
    })
}

#[cfg(any(not(test), windows))]
fn host() -> FileTree {
    FileTree::host()
}

/// On the build machine a folder stands for the host.
#[cfg(all(test, not(windows)))]
fn host() -> FileTree {
    super::tests::HOST.with_borrow(|host| FileTree::layer(host))
}

fn lock(path: &Path) -> Result<Option<RunLock>> {
    RunLock::try_take(&path.with_extension("lock"))
}

fn busy(path: &Path) -> Error {
    Error::io("lock", path, std::io::ErrorKind::WouldBlock.into())
}

/// See [`super::finish`].
pub(super) fn finish_all(store: &Store) -> Result<()> {
    let items = fs::read_dir(store.root().join(FOLDER))
        .into_iter()
        .flatten()
        .flatten();
    let mut result = Ok(());
    for item in items {
        let path = item.path();
        if path.extension().is_some_and(|end| end == "json")
            && let Err(error) = finish_one(store, &path)
        {
            result = Err(error);
        }
    }
    result
}

fn finish_one(store: &Store, path: &Path) -> Result<()> {
    let Some(lock) = lock(path)? else {
        return Ok(());
    };
    // Finished by another command meanwhile.
    let Some(text) = atomic::read(path)? else {
        let _ = fs::remove_file(path.with_extension("lock"));
        return Ok(());
    };
    let damaged = |why: String| Error::DamagedJournal {
        path: path.into(),
        why,
    };
    let record: Record = serde_json::from_str(&text).map_err(|e| damaged(e.to_string()))?;
    if record.format != FORMAT {
        return Err(damaged(format!("it has format {}", record.format)));
    }
    let layer = Layer::at(store.root(), record.upper);
    let mut journal = Journal {
        path: path.into(),
        field: field(&layer)?,
        upper: layer.files(),
        record,
        _lock: lock,
    };
    let unfinished = |vm: &VmName, error: Error| Error::CommitUnfinished {
        vm: vm.to_string(),
        why: error.to_string(),
    };
    let name = journal.record.vm.clone();
    if journal.record.state == State::Staging {
        return journal
            .take_back()
            .map_err(|error| unfinished(&name, error));
    }
    if journal.record.state == State::Applying {
        journal.apply().map_err(|error| unfinished(&name, error))?;
    }
    match store.load(&name) {
        Ok(vm) if vm.upper().id() == layer.id() => match vm.at_rest("merge") {
            // While it runs its upper is its own; the host has all of it.
            Err(Error::NotAtRest { .. }) => Ok(()),
            at_rest => at_rest.and_then(|_at_rest| journal.clear()),
        },
        // Its upper is another by now, or gone.
        _ => journal.end(),
    }
}

#[cfg(all(test, not(windows)))]
impl Journal {
    /// Does so many of the single things that are done, in their order, and then no more.
    pub(super) fn stop_after(mut self, mut count: usize) {
        let mut next = || {
            let goes = count > 0;
            count = count.saturating_sub(1);
            goes
        };
        for step in &self.record.steps {
            if !next() {
                return;
            }
            self.field.stage(step).expect("staged");
        }
        if !next() {
            return;
        }
        self.enter(State::Applying).expect("written");
        for step in &self.record.steps {
            if !next() {
                return;
            }
            self.field.apply(step).expect("applied");
        }
        if !next() {
            return;
        }
        self.enter(State::Clearing).expect("written");
        for drop in self.drops() {
            if !next() {
                return;
            }
            self.field.drop_from_upper(drop).expect("dropped");
        }
    }
}
