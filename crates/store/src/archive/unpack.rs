//! Writes what an archive holds into layers that nothing refers to yet.
//!
//! Names are judged before they come here; still nothing is ever opened that was there before, so no name
//! can lead out of a fresh layer.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::keys::Key;
use super::nodes::Node;
use crate::error::{Error, Result};
use crate::layer::Layer;
use crate::metadata::{Extra, Extras, System};

/// Where one layer of an archive goes.
pub(crate) struct Place {
    /// The folder with the layer's drives, in the form that takes any length.
    pub(crate) files: PathBuf,
    /// The SIDs of who exported and of who imports, whose the former's rights become.
    pub(crate) users: (String, String),
    /// The layer's keys.
    #[cfg(windows)]
    pub(crate) keys: super::registry::Target,
}

impl Place {
    /// A layer of this user's own.
    pub(crate) fn own(layer: &Layer) -> Result<Self> {
        Ok(Self {
            files: crate::removal::verbatim(&layer.files()),
            users: Default::default(),
            #[cfg(windows)]
            keys: super::registry::Target::new(&layer.keys()?, "", ""),
        })
    }

    /// Where the file `path` of the layer goes.
    fn at(&self, path: &str) -> PathBuf {
        let mut at = self.files.clone();
        at.extend(path.split('/'));
        at
    }

    pub(crate) fn directory(&self, path: &str) -> Result<()> {
        let at = self.at(path);
        fs::create_dir(&at).map_err(|e| Error::io("create", &at, e))
    }

    pub(crate) fn file(&self, path: &str, bytes: &mut dyn Read) -> Result<()> {
        let at = self.at(path);
        fresh(&at, bytes)
    }

    /// Gives the file or directory `path`, which is there, an alternate stream.
    pub(crate) fn stream(&self, path: &str, name: &str, bytes: &mut dyn Read) -> Result<()> {
        let at = self.at(path);
        let written = System.write(&at, name, bytes);
        written.map_err(|e| Error::io("write", &at, e))
    }

    /// Gives the file `first`, which is there, one more name.
    pub(crate) fn link(&self, path: &str, first: &str) -> Result<()> {
        let at = self.at(path);
        fs::hard_link(self.at(first), &at).map_err(|e| Error::io("link", &at, e))
    }

    pub(crate) fn base(&self, bytes: &mut dyn Read) -> Result<()> {
        fresh(&self.files.join(pinion_wire::base::NAME), bytes)
    }

    /// Gives a file all that is told of it. The times come last: all else changes some of them.
    pub(crate) fn node(&self, node: &Node) -> Result<()> {
        let at = self.at(&node.path);
        let adopted = |text: &String| crate::security::adopted(text, &self.users.0, &self.users.1);
        let extra = Extra {
            owner: node.owner.as_ref().map(adopted),
            short: node.short.clone(),
        };
        if extra != Extra::default() {
            System
                .give(&at, &extra)
                .map_err(|e| Error::io("set the owner of", &at, e))?;
        }
        describe(&at, node).map_err(|e| Error::io("set the times of", &at, e))?;
        #[cfg(windows)]
        if let Some(text) = node.security.as_ref().map(adopted) {
            protect(&at, &text).map_err(|e| Error::io("set the rights of", &at, e))?;
        }
        Ok(())
    }

    pub(crate) fn key(&self, key: &Key) -> Result<()> {
        #[cfg(windows)]
        return self.keys.key(key);
        #[cfg(not(windows))]
        return Err(Error::NotExportable {
            what: format!("{:?}", key.key),
            why: "this system has no registry".into(),
        });
    }
}

/// Writes a file that must not be there yet.
fn fresh(at: &Path, bytes: &mut dyn Read) -> Result<()> {
    let failed = |e| Error::io("write", at, e);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(at)
        .map_err(failed)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match bytes.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => file.write_all(&buffer[..count]).map_err(failed)?,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => (),
            // Told by whoever reads the archive.
            Err(_) => return Ok(()),
        }
    }
}

/// Gives a file the rights that `text` grants. On the build machine files have none of Windows.
#[cfg(windows)]
fn protect(at: &Path, text: &str) -> io::Result<()> {
    let security = crate::security::Security::parse(text);
    security.ok_or(io::ErrorKind::InvalidData)?.give_file(at)
}

/// Gives a file its times and attributes.
#[cfg(windows)]
fn describe(at: &Path, node: &Node) -> io::Result<()> {
    let time = |ticks: Option<u64>| ticks.and_then(|t| i64::try_from(t).ok()).unwrap_or(0);
    crate::attributes::describe(
        at,
        [node.created, node.accessed, node.modified, node.changed].map(time),
        node.attributes,
    )
}

#[cfg(not(windows))]
fn describe(at: &Path, node: &Node) -> io::Result<()> {
    let mut times = fs::FileTimes::new();
    if let Some(modified) = node.modified.and_then(super::nodes::time) {
        times = times.set_modified(modified);
    }
    if let Some(accessed) = node.accessed.and_then(super::nodes::time) {
        times = times.set_accessed(accessed);
    }
    fs::File::open(at)?.set_times(times)
}
