//! What a VM changed since it was made: its own layers against what is below them, file by file and key
//! by key. It reads only. What is copied up and the same as below is no change.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::Serialize;

use crate::changes::{FileKind, FileNode, FileTree, Item, NodePath, Walk, What};
use crate::commit::base::Bases;
use crate::error::{Error, Result};
use crate::vm::Vm;

/// What became of a file, a key or a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Became {
    /// There was none.
    Added,
    /// It is another.
    Changed,
    /// It is gone, with all below it.
    Deleted,
}

/// Rights that changed, in SDDL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RightsDifference {
    /// The VM's.
    pub now: String,
    /// What they were.
    pub was: String,
}

/// A changed file.
#[derive(Debug, Clone)]
pub struct FileDifference {
    /// Its path as layers have it: `C`, `dir`, `file`.
    pub path: NodePath,
    /// What became of it.
    pub became: Became,
    /// The VM's file; none when it is deleted.
    pub now: Option<FileNode>,
    /// What it was; none when it is added.
    pub was: Option<FileNode>,
    /// Its changed rights; none of one that is added or deleted.
    pub security: Option<RightsDifference>,
}

/// The changed files of the VM, which may run meanwhile; with `times` also those of which only the time of
/// last write is another.
///
/// # Errors
/// What the VM's copies were made from cannot be read.
pub fn files(vm: &Vm, times: bool) -> Result<impl Iterator<Item = Result<FileDifference>>> {
    let bases = Bases::read(&vm.stack())?;
    let (own, below) = vm.own_and_below();
    let own = own.iter().map(crate::Layer::file_tree).collect();
    let mut under: Vec<_> = below.iter().map(crate::Layer::file_tree).collect();
    under.push(FileTree::host());
    Ok(Walk::new(own, under).filter_map(move |item| match item {
        Ok(item) => file(item, &bases, times).transpose(),
        Err(error) => Some(Err(error)),
    }))
}

/// The difference that an item makes, if it makes one.
fn file(item: Item<FileNode>, bases: &Bases, times: bool) -> Result<Option<FileDifference>> {
    let mut security = None;
    let (became, now) = match (item.what, &item.below) {
        // A drive is there or not; it cannot be changed.
        (What::Here { .. }, _) if item.path.len() < 2 => return Ok(None),
        (What::Here { node, .. }, None) => (Became::Added, Some(node)),
        (What::Here { node, .. }, Some(was)) => {
            security = of_files(&item.path, &node, was, bases)?;
            let written = times && node.kind == FileKind::File && node.modified != was.modified;
            if security.is_none() && !written && same_file(&node, was)? {
                return Ok(None);
            }
            (Became::Changed, Some(node))
        }
        (What::Gone { .. }, Some(_)) => (Became::Deleted, None),
        (What::Gone { .. }, None) => return Ok(None),
    };
    Ok(Some(FileDifference {
        path: item.path,
        became,
        now,
        was: item.below,
        security,
    }))
}

/// How the rights of two files, or of two directories, differ. The copy of a directory has those of its place
/// as long as nobody gives it others.
#[cfg(windows)]
fn of_files(
    path: &NodePath,
    now: &FileNode,
    was: &FileNode,
    bases: &Bases,
) -> Result<Option<RightsDifference>> {
    use crate::security::Security;
    let read = |node: &FileNode| {
        Security::of_file(&node.real).map_err(|e| Error::io("read", &node.real, e))
    };
    match (now.kind, was.kind, bases.directory(path)) {
        (FileKind::File, FileKind::File, _) => Ok(rights(read(now)?, read(was)?)),
        (FileKind::Directory, FileKind::Directory, Some([_, _, made])) => {
            let own = read(now)?.filter(|own| own.figure() != made);
            Ok(rights(own, read(was)?))
        }
        _ => Ok(None),
    }
}

#[cfg(not(windows))]
#[expect(clippy::unnecessary_wraps, reason = "the same as on Windows")]
fn of_files(
    _path: &NodePath,
    _now: &FileNode,
    _was: &FileNode,
    _bases: &Bases,
) -> Result<Option<RightsDifference>> {
    Ok(None)
}

/// How they differ; what a place hands down is no difference.
#[cfg(windows)]
fn rights(
    now: Option<crate::security::Security>,
    was: Option<crate::security::Security>,
) -> Option<RightsDifference> {
    let (now, was) = (now?, was?);
    let differ = now.is_its_own() && now.figure() != was.figure();
    let text = |security: &crate::security::Security| security.text().unwrap_or_default();
    differ.then(|| RightsDifference {
        now: text(&now),
        was: text(&was),
    })
}

/// Read-only, hidden, system: the attributes that programs look at.
const ATTRIBUTES: u32 = 0x1 | 0x2 | 0x4;

fn same_file(now: &FileNode, was: &FileNode) -> Result<bool> {
    if now.kind != was.kind || (now.attributes ^ was.attributes) & ATTRIBUTES != 0 {
        return Ok(false);
    }
    let same = match now.kind {
        FileKind::Directory => true,
        FileKind::Link { .. } => false,
        FileKind::File => now.size == was.size && same_content(&now.real, &was.real)?,
    };
    let streams = || crate::metadata::same_streams(&now.real, &was.real);
    Ok(same && streams().map_err(|e| Error::io("read", &now.real, e))?)
}

fn same_content(now: &Path, was: &Path) -> Result<bool> {
    let mut parts = [Vec::new(), Vec::new()];
    let mut files = [open(now)?, open(was)?];
    loop {
        for ((part, file), path) in parts.iter_mut().zip(&mut files).zip([now, was]) {
            part.clear();
            let read = file.take(0x1_0000).read_to_end(part);
            read.map_err(|e| Error::io("read", path, e))?;
        }
        if parts[0] != parts[1] {
            return Ok(false);
        }
        if parts[0].is_empty() {
            return Ok(true);
        }
    }
}

/// The file's first bytes, at most `most` and one more.
///
/// # Errors
/// It cannot be read.
pub fn content(node: &FileNode, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = open(&node.real)?.take(most + 1).read_to_end(&mut bytes);
    read.map_err(|e| Error::io("read", &node.real, e))?;
    Ok(bytes)
}

fn open(path: &Path) -> Result<File> {
    open_itself(path).map_err(|e| Error::io("read", path, e))
}

/// Opens a file itself, not what a link that took its place since points at.
#[cfg(windows)]
fn open_itself(path: &Path) -> io::Result<File> {
    const OPEN_REPARSE_POINT: u32 = 0x20_0000;
    let mut options = File::options();
    std::os::windows::fs::OpenOptionsExt::custom_flags(&mut options, OPEN_REPARSE_POINT);
    options.read(true).open(path)
}

#[cfg(not(windows))]
fn open_itself(path: &Path) -> io::Result<File> {
    File::open(path)
}

#[cfg(windows)]
pub use of_keys::{KeyDifference, ValueDifference, keys};

#[cfg(windows)]
mod of_keys {
    use std::collections::BTreeMap;

    use super::{Became, RightsDifference};
    use crate::changes::{Item, KeyNode, KeyTree, KeyValue, NodePath, Walk, What, fold};
    use crate::error::Result;
    use crate::vm::Vm;

    /// A changed key.
    #[derive(Debug, Clone)]
    pub struct KeyDifference {
        /// Its path as layers have it: `MACHINE`, `Software`.
        pub path: NodePath,
        /// What became of it.
        pub became: Became,
        /// Its changed values; none of a key that is deleted.
        pub values: Vec<ValueDifference>,
        /// Its changed rights; none of a key that is added or deleted.
        pub security: Option<RightsDifference>,
    }

    /// A changed value.
    #[derive(Debug, Clone)]
    pub struct ValueDifference {
        /// What became of it.
        pub became: Became,
        /// The VM's value; none when it is deleted.
        pub now: Option<KeyValue>,
        /// What it was; none when it is added.
        pub was: Option<KeyValue>,
    }

    /// The changed keys of the VM, which may run meanwhile.
    ///
    /// # Errors
    /// The user's own key cannot be found.
    pub fn keys(vm: &Vm) -> Result<impl Iterator<Item = Result<KeyDifference>>> {
        let (own, below) = vm.own_and_below();
        let trees = |layers: &[crate::Layer]| layers.iter().map(crate::Layer::key_tree).collect();
        let own: Result<Vec<_>> = trees(&own);
        let below: Result<Vec<_>> = trees(&below);
        let mut under = below?;
        under.push(KeyTree::host());
        Ok(Walk::new(own?, under).filter_map(|item| match item {
            Ok(item) => key(item).transpose(),
            Err(error) => Some(Err(error)),
        }))
    }

    fn key(item: Item<KeyNode>) -> Result<Option<KeyDifference>> {
        let mut security = None;
        let (became, values) = match (item.what, &item.below) {
            // The trees and the users' keys, which are there always.
            (What::Here { .. }, _) if item.path.len() < 2 => return Ok(None),
            (What::Here { node, .. }, None) => (Became::Added, values(&node, None)?),
            (What::Here { node, .. }, Some(was)) => {
                let values = values(&node, Some(was))?;
                security = super::rights(node.security()?, was.security()?);
                if values.is_empty() && security.is_none() && node.link == was.link {
                    return Ok(None);
                }
                (Became::Changed, values)
            }
            (What::Gone { .. }, Some(_)) => (Became::Deleted, Vec::new()),
            (What::Gone { .. }, None) => return Ok(None),
        };
        Ok(Some(KeyDifference {
            path: item.path,
            became,
            values,
            security,
        }))
    }

    fn values(now: &KeyNode, was: Option<&KeyNode>) -> Result<Vec<ValueDifference>> {
        let mut all: BTreeMap<_, (Option<KeyValue>, Option<KeyValue>)> = BTreeMap::new();
        for value in now.values()? {
            let name = fold(&value.name);
            all.entry(name).or_default().0 = Some(value);
        }
        for value in was.map(KeyNode::values).transpose()?.unwrap_or_default() {
            let name = fold(&value.name);
            all.entry(name).or_default().1 = Some(value);
        }
        let different = |(now, was): (Option<KeyValue>, Option<KeyValue>)| {
            let became = match (&now, &was) {
                (Some(now), Some(was)) if (now.kind, &now.data) == (was.kind, &was.data) => {
                    return None;
                }
                (Some(_), Some(_)) => Became::Changed,
                (Some(_), None) => Became::Added,
                _ => Became::Deleted,
            };
            Some(ValueDifference { became, now, was })
        };
        Ok(all.into_values().filter_map(different).collect())
    }
}
