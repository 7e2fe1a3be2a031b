//! The program that a name or a command line means to a VM: a file that the host has at the same path, or
//! one that shows in the VM alone. Starts nothing.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use pinion_store::View;
use pinion_store::changes::FileKind;

use crate::quote::programs;
use crate::search::{Places, What, on_host};

/// The file of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// Its path as programs in the VM name it.
    pub path: PathBuf,
    /// Where it lies on the disk; none of a link in a layer, which only members follow.
    pub real: Option<PathBuf>,
    /// Whether it is the host's, at the same path.
    pub is_host: bool,
}

/// The file, or the folder, that `name` means to the programs of `view`.
///
/// # Errors
/// A layer that cannot be read.
pub fn locate(view: &View, places: &Places, name: &OsStr) -> pinion_store::Result<Option<Located>> {
    let last = RefCell::new(None);
    let found = places.find(name, |path| {
        let seen = look(view, &absolute(path))?;
        let (what, located) =
            seen.map_or((None, None), |(what, located)| (Some(what), Some(located)));
        last.replace(located);
        Ok::<_, pinion_store::Error>(what)
    })?;
    let Some(path) = found.map(|path| absolute(&path)) else {
        return Ok(None);
    };
    // As a rule what was looked at last was found.
    match last.into_inner().filter(|last| last.path == path) {
        Some(located) => Ok(Some(located)),
        None => Ok(look(view, &path)?.map(|(_, located)| located)),
    }
}

/// The folder at a path: whether there is one, and whether it is the host's.
///
/// # Errors
/// A layer that cannot be read.
pub fn folder(view: &View, path: &Path) -> pinion_store::Result<Option<bool>> {
    let seen = look(view, &absolute(path))?;
    Ok(seen
        .filter(|(what, _)| *what == What::Folder)
        .map(|(_, located)| located.is_host))
}

/// What is at a whole path. One that is on no drive is the host's to know.
fn look(view: &View, path: &Path) -> pinion_store::Result<Option<(What, Located)>> {
    let Some(names) = View::names(path) else {
        let what = on_host::<pinion_store::Error>(path)?;
        return Ok(what.map(|what| (what, of_host(path))));
    };
    let Some(seen) = view.find(&names)? else {
        return Ok(None);
    };
    let is_link = matches!(seen.node.kind, FileKind::Link { .. });
    let is_directory = if seen.is_host && is_link {
        fs::metadata(path).is_ok_and(|metadata| metadata.is_dir())
    } else {
        seen.is_directory()
    };
    let what = if is_directory {
        What::Folder
    } else {
        What::File
    };
    let located = Located {
        path: path.into(),
        is_host: seen.is_host,
        real: (seen.is_host || !is_link).then_some(seen.node.real),
    };
    Ok(Some((what, located)))
}

fn of_host(path: &Path) -> Located {
    Located {
        path: path.into(),
        real: Some(path.into()),
        is_host: true,
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.into())
}

/// What the VM has for a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meant {
    /// This program, and the command line with it in quotes.
    Found(Located, String),
    /// Nothing that is seen from here: the system may know better.
    Unknown,
    /// The host has a file for it, which the VM has deleted.
    Hidden,
}

/// The program that a command line means, looked for as `CreateProcess` does.
///
/// # Errors
/// A layer that cannot be read.
pub(crate) fn meant(view: &View, places: &Places, line: &str) -> pinion_store::Result<Meant> {
    let mut is_hidden = false;
    for (name, rest) in programs(line) {
        match locate(view, places, name.as_ref())? {
            Some(located) => return Ok(Meant::Found(located, format!("\"{name}\"{rest}"))),
            None => {
                let at = on_host::<pinion_store::Error>;
                is_hidden |= places.find(name.as_ref(), at)?.is_some();
            }
        }
    }
    Ok(if is_hidden {
        Meant::Hidden
    } else {
        Meant::Unknown
    })
}
