//! The locks of the store, all plain locked files that the system releases when their holder dies: one
//! over all changes of what the store has, one over the removal of what is gone from it, one per VM that
//! says that it runs.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use fs2::FileExt;

use crate::error::{Error, Result};

/// Probes of other processes hold the lock for an instant; a start tries again over them.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(10);

/// Held by the supervisor of a VM as long as the VM runs.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

/// Held while what is gone from the store is removed from the disk: shared by all who remove their own.
#[derive(Debug)]
pub(crate) struct RemovalLock {
    _file: File,
}

/// Held while the set of VMs, snapshots and layers changes.
#[derive(Debug)]
pub(crate) struct StoreLock {
    _file: File,
}

fn open(path: &Path) -> Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
        .map_err(|e| Error::io("open", path, e))
}

fn is_held(error: &io::Error) -> bool {
    error.raw_os_error() == fs2::lock_contended_error().raw_os_error()
}

impl StoreLock {
    /// Waits for the lock.
    pub(crate) fn take(path: &Path) -> Result<Self> {
        let file = open(path)?;
        file.lock_exclusive()
            .map_err(|e| Error::io("lock", path, e))?;
        Ok(Self { _file: file })
    }
}

impl RemovalLock {
    /// The lock together with others who remove what is theirs.
    pub(crate) fn share(path: &Path) -> Result<Self> {
        let file = open(path)?;
        FileExt::lock_shared(&file).map_err(|e| Error::io("lock", path, e))?;
        Ok(Self { _file: file })
    }

    /// The lock alone, or none while somebody removes something.
    pub(crate) fn try_alone(path: &Path) -> Result<Option<Self>> {
        let file = open(path)?;
        match file.try_lock_exclusive() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(e) if is_held(&e) => Ok(None),
            Err(e) => Err(Error::io("lock", path, e)),
        }
    }
}

impl RunLock {
    /// The lock, or none when a supervisor holds it.
    pub(crate) fn try_take(path: &Path) -> Result<Option<Self>> {
        let file = open(path)?;
        for _ in 0..TRIES {
            match file.try_lock_exclusive() {
                Ok(()) => return Ok(Some(Self { _file: file })),
                Err(e) if is_held(&e) => sleep(PAUSE),
                Err(e) => return Err(Error::io("lock", path, e)),
            }
        }
        Ok(None)
    }

    /// Whether somebody holds the lock now.
    pub(crate) fn is_held(path: &Path) -> Result<bool> {
        let file = match OpenOptions::new().read(true).open(path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(e) => return Err(Error::io("open", path, e)),
        };
        match FileExt::try_lock_shared(&file) {
            Ok(()) => Ok(false),
            Err(e) if is_held(&e) => Ok(true),
            Err(e) => Err(Error::io("lock", path, e)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_and_a_probe_that_sees_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.lock");
        assert!(!RunLock::is_held(&path).unwrap());
        let lock = RunLock::try_take(&path).unwrap().unwrap();
        assert!(RunLock::is_held(&path).unwrap());
        assert!(RunLock::try_take(&path).unwrap().is_none());
        drop(lock);
        assert!(!RunLock::is_held(&path).unwrap());
        assert!(RunLock::try_take(&path).unwrap().is_some());
    }
}
