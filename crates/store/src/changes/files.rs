//! A layer's files, and the host's, as they lie on the disk.
//!
//! Owns how a path inside a VM becomes one on the disk. Opens nothing for writing, follows no link of a
//! layer.

use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::name::{Meaning, meaning};
use super::{Node, Said, Tree};
use crate::error::{Error, Result};

const SEPARATOR: &str = std::path::MAIN_SEPARATOR_STR;

/// Where files are.
#[derive(Debug, Clone)]
pub struct FileTree {
    root: Root,
}

#[derive(Debug, Clone)]
enum Root {
    /// The folder with a layer's drives.
    Layer(PathBuf),
    /// All drives of this machine.
    Host,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A plain file.
    File,
    /// A directory.
    Directory,
    /// A reparse point: a symbolic link, a junction, or another. Never followed.
    Link {
        /// Whether it stands for a directory.
        directory: bool,
    },
}

/// One file as it lies on the disk.
#[derive(Debug, Clone)]
pub struct FileNode {
    /// What it is.
    pub kind: FileKind,
    /// Its size in bytes; 0 but for plain files.
    pub size: u64,
    /// `FILE_ATTRIBUTE_*`; 0 where there are none.
    pub attributes: u32,
    /// When it was made.
    pub created: Option<SystemTime>,
    /// When it was written last.
    pub modified: Option<SystemTime>,
    /// Where it lies.
    pub real: PathBuf,
    on_host: bool,
}

impl FileNode {
    fn new(real: PathBuf, metadata: &Metadata, on_host: bool) -> Self {
        let kind = kind(metadata);
        Self {
            kind,
            size: if kind == FileKind::File {
                metadata.len()
            } else {
                0
            },
            attributes: attributes(metadata),
            created: metadata.created().ok(),
            modified: metadata.modified().ok(),
            real,
            on_host,
        }
    }
}

impl Node for FileNode {
    fn is_directory(&self) -> bool {
        self.kind == FileKind::Directory
    }

    /// The host's own links to directories are passed, as a program's path passes them.
    fn is_passable(&self) -> bool {
        self.is_directory() || self.on_host && self.kind == FileKind::Link { directory: true }
    }
}

/// On Wine a directory behind a Unix symbolic link has the attribute of a reparse point too, though it
/// has no tag (observed on Wine 8 and 10).
#[cfg(windows)]
fn kind(metadata: &Metadata) -> FileKind {
    const DIRECTORY: u32 = 0x10;
    const REPARSE_POINT: u32 = 0x400;
    let attributes = attributes(metadata);
    let directory = attributes & DIRECTORY != 0;
    match directory {
        _ if attributes & REPARSE_POINT != 0 => FileKind::Link { directory },
        true => FileKind::Directory,
        false => FileKind::File,
    }
}

#[cfg(not(windows))]
fn kind(metadata: &Metadata) -> FileKind {
    match metadata.file_type() {
        kind if kind.is_symlink() => FileKind::Link { directory: false },
        kind if kind.is_dir() => FileKind::Directory,
        _ => FileKind::File,
    }
}

#[cfg(windows)]
fn attributes(metadata: &Metadata) -> u32 {
    std::os::windows::fs::MetadataExt::file_attributes(metadata)
}

#[cfg(not(windows))]
fn attributes(_metadata: &Metadata) -> u32 {
    0
}

impl FileTree {
    /// The layer whose drives are folders of `root`, which need not be there.
    #[must_use]
    pub fn layer(root: &Path) -> Self {
        Self {
            root: Root::Layer(crate::removal::verbatim(root)),
        }
    }

    /// The host.
    #[must_use]
    pub fn host() -> Self {
        Self { root: Root::Host }
    }

    /// The folder with a layer's drives; none of the host.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match &self.root {
            Root::Layer(root) => Some(root),
            Root::Host => None,
        }
    }

    fn is_host(&self) -> bool {
        matches!(self.root, Root::Host)
    }

    /// Where `path` lies or would lie; none when it has a name that no file has.
    pub(crate) fn place(&self, path: &[OsString]) -> Option<PathBuf> {
        self.real(path)
    }

    /// Where `path` lies.
    fn real(&self, path: &[OsString]) -> Option<PathBuf> {
        let (root, rest) = match &self.root {
            Root::Layer(root) => (root.clone(), path),
            Root::Host => {
                let (drive, rest) = path.split_first()?;
                (drive_root(drive)?, rest)
            }
        };
        let mut real = root.into_os_string();
        for name in rest {
            // Not by `push` of paths: a name such as `C:` or `/` would lead elsewhere.
            if name
                .as_encoded_bytes()
                .iter()
                .any(|&byte| byte == b'/' || byte == b'\\')
            {
                return None;
            }
            if !real.as_encoded_bytes().ends_with(SEPARATOR.as_bytes()) {
                real.push(SEPARATOR);
            }
            real.push(name);
        }
        Some(real.into())
    }
}

/// The root directory of a drive of the host, in the form that takes any name.
fn drive_root(drive: &OsStr) -> Option<PathBuf> {
    match drive.as_encoded_bytes() {
        [letter] if letter.is_ascii_alphabetic() => {
            let letter = char::from(letter.to_ascii_uppercase());
            Some(PathBuf::from(format!(r"\\?\{letter}:\")))
        }
        _ => None,
    }
}

/// Whether the error says that there is no such file.
fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename
    )
}

impl Tree for FileTree {
    type Node = FileNode;

    fn list(&self, path: &[OsString]) -> Result<Vec<Said<FileNode>>> {
        let Some(real) = self.real(path) else {
            return Ok(Vec::new());
        };
        let failed = |e| Error::io("list", &real, e);
        let items = match fs::read_dir(&real) {
            Ok(items) => items,
            Err(error) if is_missing(&error) => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut all = Vec::new();
        for item in items {
            let item = item.map_err(failed)?;
            let name = item.file_name();
            let meaning = if self.is_host() {
                Meaning::Node
            } else {
                meaning(&name)
            };
            match meaning {
                Meaning::Node if path.is_empty() && name == crate::layer::RECORD => {}
                // Drives are never hidden.
                Meaning::Whiteout(_) if path.is_empty() => {}
                Meaning::HalfMade => {}
                Meaning::Whiteout(name) => all.push(Said {
                    name,
                    node: None,
                    whiteout: true,
                }),
                Meaning::Node => match item.metadata() {
                    Ok(metadata) => all.push(Said {
                        name,
                        node: Some(FileNode::new(item.path(), &metadata, self.is_host())),
                        whiteout: false,
                    }),
                    // Deleted between the listing and the look at it.
                    Err(error) if is_missing(&error) => {}
                    Err(error) => return Err(failed(error)),
                },
            }
        }
        Ok(all)
    }

    fn node(&self, path: &[OsString]) -> Result<Option<FileNode>> {
        let Some(real) = self.real(path) else {
            return Ok(None);
        };
        if let ([_], true) = (path, self.is_host()) {
            return Ok(fs::metadata(&real)
                .ok()
                .map(|metadata| FileNode::new(real, &metadata, true)));
        }
        match fs::symlink_metadata(&real) {
            Ok(metadata) => Ok(Some(FileNode::new(real, &metadata, self.is_host()))),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(Error::io("look at", &real, error)),
        }
    }

    fn finds_directly(&self) -> bool {
        self.is_host()
    }

    fn whiteout(&self, path: &[OsString]) -> Result<bool> {
        let Some((name, directory)) = path.split_last() else {
            return Ok(false);
        };
        if self.is_host() || directory.is_empty() {
            return Ok(false);
        }
        let mut hidden = OsString::from(pinion_names::file::WHITEOUT);
        hidden.push(name);
        let mut path = directory.to_vec();
        path.push(hidden);
        Ok(self.node(&path)?.is_some())
    }
}
