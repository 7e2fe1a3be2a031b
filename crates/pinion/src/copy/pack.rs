//! Reading a tree of a VM or of the host into a tar archive.
//!
//! Follows no link. Of a VM it reads what a program in it would see: its layers, then the host.

use super::Count;
use pinion_store::changes::{FileKind, FileNode, FileTree, Stack, Walk, What};
use pinion_store::{View, Vm};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// A tree of a VM, with what leads to it.
pub struct Tree {
    trees: Vec<FileTree>,
    path: Vec<OsString>,
    /// What is there.
    node: Option<FileNode>,
}

/// Why a tree was not copied: one line.
pub type Failed = String;

impl Tree {
    /// What a program in `vm` sees at `path`. A shared folder is the host's.
    pub fn of_vm(vm: &Vm, path: &[String]) -> Result<Self, Failed> {
        let path: Vec<OsString> = path.iter().map(OsString::from).collect();
        let place = View::of_vm(vm).place(&path);
        let node = find(&place.trees, &place.names)?;
        Ok(Self {
            trees: place.trees,
            path: place.names,
            node,
        })
    }

    /// Whether something is there, and whether it is a folder.
    pub fn is_directory(&self) -> Option<bool> {
        let node = self.node.as_ref()?;
        let link = FileKind::Link { directory: true };
        Some(self.path.len() == 1 || node.kind == FileKind::Directory || node.kind == link)
    }

    /// Writes it as `name`; what is in the folder itself when `name` is empty. Gives how many links
    /// were left out.
    pub fn pack(
        &self,
        name: &str,
        to: &mut tar::Builder<impl Write>,
        count: &Count,
    ) -> Result<u64, Failed> {
        let Some(node) = &self.node else {
            return Err("there is nothing".into());
        };
        if node.kind == FileKind::File {
            add_file(to, name, &node.real, node.size, node.modified)?;
            count.add();
            return Ok(0);
        }
        let mut links = 0;
        if !name.is_empty() {
            add_folder(to, name, node.modified)?;
        }
        let walk = Walk::from(self.trees.clone(), Vec::new(), &self.path);
        for item in walk.map_err(|error| error.to_string())? {
            let item = item.map_err(|error| error.to_string())?;
            let What::Here { node, .. } = item.what else {
                continue;
            };
            let mut path = name.to_owned();
            for name in &item.path[self.path.len()..] {
                let name = name.to_str().ok_or_else(|| no_unicode(&node.real))?;
                if !path.is_empty() {
                    path.push('/');
                }
                path.push_str(name);
            }
            match node.kind {
                FileKind::File => add_file(to, &path, &node.real, node.size, node.modified)?,
                FileKind::Directory => add_folder(to, &path, node.modified)?,
                FileKind::Link { .. } => links += 1,
            }
            count.add();
        }
        Ok(links)
    }
}

fn find(trees: &[FileTree], path: &[OsString]) -> Result<Option<FileNode>, Failed> {
    let found = Stack::new(trees.to_vec()).find(path);
    Ok(found
        .map_err(|error| error.to_string())?
        .map(|(_, node)| node))
}

/// Writes the host's file or folder `path` as `name`; what is in it when `name` is empty. Gives how
/// many links were left out.
pub fn host(
    path: &Path,
    name: &str,
    to: &mut tar::Builder<impl Write>,
    count: &Count,
) -> Result<u64, Failed> {
    let failed = |error: io::Error| format!("cannot read {}: {error}", path.display());
    let metadata = if name.is_empty() {
        fs::metadata(path)
    } else {
        fs::symlink_metadata(path)
    };
    let metadata = metadata.map_err(failed)?;
    if metadata.is_symlink() {
        return Ok(1);
    }
    count.add();
    if !metadata.is_dir() {
        return add_file(to, name, path, metadata.len(), metadata.modified().ok()).map(|()| 0);
    }
    if !name.is_empty() {
        add_folder(to, name, metadata.modified().ok())?;
    }
    let mut links = 0;
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?.path();
        let own = entry.file_name().and_then(|name| name.to_str());
        let own = own.ok_or_else(|| no_unicode(&entry))?;
        let below = if name.is_empty() {
            own.to_owned()
        } else {
            format!("{name}/{own}")
        };
        links += host(&entry, &below, to, count)?;
    }
    Ok(links)
}

fn no_unicode(path: &Path) -> Failed {
    format!("cannot copy {}: its name is no Unicode", path.display())
}

fn header(kind: tar::EntryType, mode: u32, size: u64, modified: Option<SystemTime>) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    header.set_mtime(since.unwrap_or_default().as_secs());
    header
}

fn add_folder(
    to: &mut tar::Builder<impl Write>,
    name: &str,
    modified: Option<SystemTime>,
) -> Result<(), Failed> {
    let mut header = header(tar::EntryType::Directory, 0o755, 0, modified);
    let added = to.append_data(&mut header, format!("{name}/"), io::empty());
    added.map_err(|error| format!("cannot pass on {name}: {error}"))
}

/// Adds a file of the size that it had when it was found: it may be written meanwhile.
fn add_file(
    to: &mut tar::Builder<impl Write>,
    name: &str,
    path: &Path,
    size: u64,
    modified: Option<SystemTime>,
) -> Result<(), Failed> {
    let failed = |error: io::Error| format!("cannot read {}: {error}", path.display());
    let file = File::open(path).map_err(failed)?;
    let read_only = file.metadata().map_err(failed)?.permissions().readonly();
    let mode = if read_only { 0o444 } else { 0o644 };
    let mut header = header(tar::EntryType::Regular, mode, size, modified);
    let bytes = file.take(size).chain(io::repeat(0)).take(size);
    let added = to.append_data(&mut header, name, bytes);
    added.map_err(|error| format!("cannot pass on {}: {error}", path.display()))
}
