//! The host's files and registry as they are, to compare before and after.

use crate::Wine;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Files by path below drive C (size and time of change), and the registry's
/// keys with their values, as exported.
pub struct Snapshot {
    files: BTreeMap<PathBuf, (u64, Option<SystemTime>)>,
    keys: BTreeMap<String, String>,
}

impl Snapshot {
    /// Takes a snapshot of the prefix's drive C and of the registry.
    ///
    /// # Errors
    /// When a folder cannot be read or the registry cannot be exported.
    pub fn take(wine: &Wine) -> Result<Self> {
        let mut files = BTreeMap::new();
        walk(&wine.drive_c(), &wine.drive_c(), &mut files)?;
        Ok(Self {
            files,
            keys: registry(wine)?,
        })
    }

    /// What differs from `before`: one line for each file and key.
    #[must_use]
    pub fn changes_since(&self, before: &Self) -> Vec<String> {
        let mut changes = differences("file", &before.files, &self.files, |path| {
            path.display().to_string()
        });
        changes.extend(differences("key", &before.keys, &self.keys, Clone::clone));
        changes
    }
}

fn differences<K: Ord, V: PartialEq>(
    what: &str,
    before: &BTreeMap<K, V>,
    after: &BTreeMap<K, V>,
    name: impl Fn(&K) -> String,
) -> Vec<String> {
    let added = after
        .iter()
        .filter_map(|(key, value)| match before.get(key) {
            None => Some(format!("{what} added: {}", name(key))),
            Some(old) if old != value => Some(format!("{what} changed: {}", name(key))),
            Some(_) => None,
        });
    let removed = before
        .keys()
        .filter(|key| !after.contains_key(key))
        .map(|key| format!("{what} removed: {}", name(key)));
    added.chain(removed).collect()
}

fn walk(
    root: &Path,
    folder: &Path,
    files: &mut BTreeMap<PathBuf, (u64, Option<SystemTime>)>,
) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let name = path.strip_prefix(root)?.to_path_buf();
        if kind.is_dir() {
            files.insert(name, (0, None));
            walk(root, &path, files)?;
        } else {
            let data = fs::symlink_metadata(&path)?;
            files.insert(name, (data.len(), data.modified().ok()));
        }
    }
    Ok(())
}

/// Exports the machine's and the user's keys by Wine's own regedit.
fn registry(wine: &Wine) -> Result<BTreeMap<String, String>> {
    let folder = tempfile::tempdir_in(wine.drive_c())?;
    let mut keys = BTreeMap::new();
    for root in ["HKEY_LOCAL_MACHINE", "HKEY_CURRENT_USER"] {
        let file = folder.path().join(format!("{root}.reg"));
        let to = crate::wine::windows_path(&file);
        wine.run("regedit", &["/E", &to, root])?.success()?;
        collect(&utf16(&fs::read(&file)?), &mut keys);
    }
    Ok(keys)
}

fn utf16(bytes: &[u8]) -> String {
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    String::from_utf16_lossy(&units)
}

fn collect(text: &str, keys: &mut BTreeMap<String, String>) {
    let mut key = String::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[') {
            key = name.trim_end_matches(']').to_owned();
            keys.entry(key.clone()).or_default();
        } else if let Some(values) = keys.get_mut(&key) {
            values.push_str(line);
            values.push('\n');
        }
    }
}
