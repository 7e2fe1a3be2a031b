//! Writing a VM into one file.
//!
//! The file is written under a passing name beside its place and renamed at the end. Its name is kept in
//! the store meanwhile (`exports`), so that a later command takes it away if this one is killed.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::Progress;
use super::manifest::VmFacts;
use super::pack::{Gathered, archive};
use crate::error::{Error, Result};
use crate::id::LayerId;
use crate::lock::RunLock;
use crate::store::Store;
use crate::vm::Vm;

/// Where the names of unfinished archives are kept.
const FOLDER: &str = "exports";

/// Writes the VM, which does not run, with all its layers to `out`, in place of what is there.
///
/// # Errors
/// [`Error::NotAtRest`], [`Error::NotExportable`], or what cannot be read or written; then what was at
/// `out` is still there.
pub fn export(store: &Store, vm: &Vm, out: &Path, progress: Progress<'_>) -> Result<()> {
    let _at_rest = vm.at_rest("export")?;
    vm.check_layers()?;
    let mut layers = Vec::new();
    for layer in vm.stack() {
        layers.push(Gathered::new(&layer.files(), |keys| keys_of(&layer, keys))?);
    }
    let record = vm.record().clone();
    let facts = VmFacts {
        name: record.name,
        created_ms: record.created_ms,
        command: record.command,
        env: record.env,
        cwd: record.cwd,
        limits: record.limits,
        ports: record.ports,
        network: record.network,
        remove_at_end: record.remove_at_end,
    };
    let half = HalfMade::new(store, out)?;
    let file = BufWriter::with_capacity(1 << 20, half.file()?);
    let file = archive(file, out, facts, user()?, &mut layers, progress)?;
    let failed = |e| Error::io("write", out, e);
    let file = file.into_inner().map_err(|e| failed(e.into_error()))?;
    file.sync_all().map_err(failed)?;
    drop(file);
    half.finish(out)
}

#[cfg(windows)]
fn keys_of(layer: &crate::layer::Layer, out: &mut dyn Write) -> Result<()> {
    super::registry::write(&layer.keys()?, out)
}

#[cfg(not(windows))]
fn keys_of(_layer: &crate::layer::Layer, _out: &mut dyn Write) -> Result<()> {
    Ok(())
}

/// The SID of this user.
#[cfg(windows)]
pub(crate) fn user() -> Result<String> {
    let path = crate::registry::user_key_path()?;
    Ok(path.rsplit('\\').next().unwrap_or_default().to_owned())
}

#[cfg(not(windows))]
pub(crate) fn user() -> Result<String> {
    Ok("S-1-0-0".into())
}

/// A file under a passing name, gone unless it is finished.
struct HalfMade {
    path: PathBuf,
    note: PathBuf,
    /// Says that the file is still being written.
    lock: Option<RunLock>,
}

impl HalfMade {
    fn new(store: &Store, out: &Path) -> Result<Self> {
        let failed = |e| Error::io("create", out, e);
        let name = out.file_name().ok_or_else(|| failed(no_name()))?;
        let id = LayerId::random().map_err(failed)?.to_string();
        let path =
            std::path::absolute(out.with_file_name(format!(".{}.{id}", name.to_string_lossy())))
                .map_err(failed)?;
        let folder = store.root().join(FOLDER);
        fs::create_dir_all(&folder).map_err(|e| Error::io("create", &folder, e))?;
        let note = folder.join(&id);
        crate::atomic::write(&note, path.as_os_str().as_encoded_bytes())?;
        let lock = RunLock::try_take(&note.with_extension("lock"))?;
        Ok(Self { path, note, lock })
    }

    fn file(&self) -> Result<File> {
        let file = File::options()
            .write(true)
            .create_new(true)
            .open(&self.path);
        file.map_err(|e| Error::io("create", &self.path, e))
    }

    fn finish(self, out: &Path) -> Result<()> {
        fs::rename(&self.path, out).map_err(|e| Error::io("create", out, e))
    }
}

impl Drop for HalfMade {
    fn drop(&mut self) {
        // Gone already when it was finished; else what stays is taken away by a later command.
        let _ = fs::remove_file(&self.path);
        drop(self.lock.take());
        forget(&self.note);
    }
}

fn no_name() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidInput, "it is no name of a file")
}

fn forget(note: &Path) {
    let _ = fs::remove_file(note.with_extension("lock"));
    let _ = fs::remove_file(note);
}

/// Takes away archives whose export was broken off.
pub(crate) fn sweep(store: &Store) {
    let items = fs::read_dir(store.root().join(FOLDER))
        .into_iter()
        .flatten()
        .flatten();
    for item in items {
        let note = item.path();
        let plain =
            note.extension().is_none() && !item.file_name().to_string_lossy().starts_with('.');
        if !plain || RunLock::is_held(&note.with_extension("lock")).unwrap_or(true) {
            continue;
        }
        let Ok(Some(path)) = crate::atomic::read(&note) else {
            continue;
        };
        let path = PathBuf::from(path);
        let ours = path
            .file_name()
            .and_then(|name| name.to_str())
            .zip(item.file_name().to_str().map(str::to_owned));
        // A note names nothing but its own file.
        if ours.is_some_and(|(name, id)| name.starts_with('.') && name.ends_with(&format!(".{id}")))
        {
            let _ = fs::remove_file(&path);
        }
        forget(&note);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_broken_off_is_taken_away_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("store")).unwrap();
        let out = folder.path().join("out.tar.zst");
        fs::write(&out, "old").unwrap();
        let half = HalfMade::new(&store, &out).unwrap();
        half.file().unwrap().write_all(b"new").unwrap();
        let path = half.path.clone();
        sweep(&store);
        assert!(path.exists());
        // As a killed command leaves it: the lock is let go, the rest stays.
        let mut half = std::mem::ManuallyDrop::new(half);
        drop(half.lock.take());
        sweep(&store);
        assert!(!path.exists() && out.exists());
        assert_eq!(fs::read_dir(store.root().join(FOLDER)).unwrap().count(), 0);
        let note = store.root().join(FOLDER).join("0123456789abcdef");
        fs::write(&note, out.to_str().unwrap()).unwrap();
        sweep(&store);
        assert!(out.exists() && !note.exists());
    }
}
