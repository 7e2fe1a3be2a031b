//! Writes what an archive holds into layers that nothing refers to yet.
//!
//! Names are judged before they come here; still nothing is ever opened that was there before, so no name
//! can lead out of a fresh layer.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::keys::Key;
use super::nodes::Node;
use crate::error::{Error, Result};
use crate::layer::Layer;

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

    /// Gives the file `first`, which is there, one more name.
    pub(crate) fn link(&self, path: &str, first: &str) -> Result<()> {
        let at = self.at(path);
        fs::hard_link(self.at(first), &at).map_err(|e| Error::io("link", &at, e))
    }

    pub(crate) fn base(&self, bytes: &mut dyn Read) -> Result<()> {
        fresh(&self.files.join(pinion_wire::base::NAME), bytes)
    }

    pub(crate) fn node(&self, node: &Node) -> Result<()> {
        let at = self.at(&node.path);
        describe(&at, node).map_err(|e| Error::io("set the times of", &at, e))?;
        match &node.security {
            Some(text) => self
                .protect(&at, text)
                .map_err(|e| Error::io("set the rights of", &at, e)),
            None => Ok(()),
        }
    }

    /// Gives a file the rights that `text` grants.
    #[cfg(windows)]
    fn protect(&self, at: &Path, text: &str) -> io::Result<()> {
        let (from, to) = &self.users;
        let text = crate::security::adopted(text, from, to);
        let security = crate::security::Security::parse(&text);
        security.ok_or(io::ErrorKind::InvalidData)?.give_file(at)
    }

    #[cfg(not(windows))]
    #[expect(clippy::unnecessary_wraps, reason = "the same as on Windows")]
    fn protect(&self, _at: &Path, text: &str) -> io::Result<()> {
        let _ = crate::security::adopted(text, &self.users.0, &self.users.1);
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

/// Gives a file its times and attributes.
fn describe(at: &Path, node: &Node) -> io::Result<()> {
    let mut times = fs::FileTimes::new();
    if let Some(modified) = node.modified.and_then(super::nodes::time) {
        times = times.set_modified(modified);
    }
    #[cfg(windows)]
    if let Some(created) = node.created.and_then(super::nodes::time) {
        times = std::os::windows::fs::FileTimesExt::set_created(times, created);
    }
    open_to_describe(at)?.set_times(times)?;
    set_attributes(at, node.attributes)
}

#[cfg(windows)]
fn open_to_describe(at: &Path) -> io::Result<File> {
    use std::os::windows::fs::OpenOptionsExt;
    const FILE_WRITE_ATTRIBUTES: u32 = 0x100;
    const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;
    const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;
    OpenOptions::new()
        .access_mode(FILE_WRITE_ATTRIBUTES)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT)
        .open(at)
}

#[cfg(not(windows))]
fn open_to_describe(at: &Path) -> io::Result<File> {
    File::open(at)
}

#[cfg(windows)]
fn set_attributes(at: &Path, attributes: u32) -> io::Result<()> {
    crate::attributes::set(at, attributes)
}

#[cfg(not(windows))]
fn set_attributes(_at: &Path, _attributes: u32) -> io::Result<()> {
    Ok(())
}
