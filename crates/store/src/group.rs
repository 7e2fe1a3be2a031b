//! Groups on disk: a folder each, and whether the group runs. What lies in the folder is the group's
//! process's affair.

use std::fs;
use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::lock::RunLock;
use crate::name::VmName;
use crate::store::Store;

impl Store {
    fn groups_folder(&self) -> PathBuf {
        self.root().join("groups")
    }

    /// The folder of the group, which may not be there.
    #[must_use]
    pub fn group_folder(&self, group: &VmName) -> PathBuf {
        self.groups_folder().join(group.as_str())
    }

    /// Makes the group's folder and claims its run until the lock is dropped; none: it runs already.
    ///
    /// # Errors
    /// The folder or the lock cannot be made.
    pub fn claim_group(&self, group: &VmName) -> Result<Option<RunLock>> {
        let folder = self.group_folder(group);
        fs::create_dir_all(&folder).map_err(|e| Error::io("create", &folder, e))?;
        RunLock::try_take(&folder.join("run.lock"))
    }

    /// Whether the group's process runs.
    ///
    /// # Errors
    /// The lock cannot be looked at.
    pub fn group_runs(&self, group: &VmName) -> Result<bool> {
        RunLock::is_held(&self.group_folder(group).join("run.lock"))
    }

    /// The names of all groups that have a folder.
    ///
    /// # Errors
    /// Their folder cannot be read.
    pub fn groups(&self) -> Result<Vec<VmName>> {
        let folder = self.groups_folder();
        let items = match fs::read_dir(&folder) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            items => items.map_err(|e| Error::io("list", &folder, e))?,
        };
        let names = items
            .flatten()
            .filter_map(|item| VmName::check(item.file_name().to_str()?).ok());
        let mut names: Vec<VmName> = names.collect();
        names.sort();
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_runs_once() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::open(root.path()).unwrap();
        let name = VmName::check("web").unwrap();
        assert_eq!(store.groups().unwrap(), []);
        assert!(!store.group_runs(&name).unwrap());
        let lock = store.claim_group(&name).unwrap().unwrap();
        assert!(store.group_runs(&name).unwrap());
        assert!(store.claim_group(&name).unwrap().is_none());
        drop(lock);
        assert!(!store.group_runs(&name).unwrap());
        assert_eq!(store.groups().unwrap(), [name]);
    }
}
