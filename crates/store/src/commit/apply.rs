//! Carrying out the steps of a merge. Each can be done again: a step that finds its work done does nothing.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::base;
use super::plan::{Drop, Step};
use super::select::names;
use crate::changes::FileTree;
use crate::error::{Error, Result};
use crate::removal::make_writable;

/// Where the steps are taken.
pub(super) struct Field {
    pub(super) upper: FileTree,
    pub(super) host: FileTree,
    #[cfg(windows)]
    pub(super) keys: super::keys::Field,
}

impl Field {
    /// Where a path of a layer is on the host.
    fn on_host(&self, path: &str) -> Result<PathBuf> {
        place(&self.host, &names(path), path)
    }

    fn in_upper(&self, path: &str) -> Result<PathBuf> {
        place(&self.upper, &names(path), path)
    }

    /// The name under which the file `path` is staged: in the nearest directory that the host has.
    pub(super) fn staged(&self, path: &str, passing: &str) -> Result<String> {
        let mut above = path;
        while let Some((parent, _)) = above.rsplit_once('\\') {
            if self.on_host(parent)?.is_dir() {
                return Ok(format!(r"{parent}\{passing}"));
            }
            above = parent;
        }
        Err(Error::io(
            "find",
            Path::new(path),
            io::ErrorKind::NotFound.into(),
        ))
    }

    /// Brings what a step needs beside its place, and fails where the step would.
    pub(super) fn stage(&self, step: &Step) -> Result<()> {
        match step {
            Step::WriteFile { path, staged } => {
                may_go(&self.on_host(path)?)?;
                let (from, to) = (self.in_upper(path)?, self.on_host(staged)?);
                copy(&from, &to).map_err(|e| Error::io("write", &to, e))
            }
            Step::LinkFile {
                path, from, staged, ..
            } => self.stage_link(path, from, staged),
            Step::RemoveFile { path } | Step::RemoveFolder { path } => may_go(&self.on_host(path)?),
            Step::MakeFolder { .. } => Ok(()),
            Step::DescribeFolder {
                path,
                attributes,
                rights,
                ..
            } => may_describe(&self.on_host(path)?, *attributes, *rights),
            #[cfg(windows)]
            Step::WriteRights { key } => self.keys.check_rights(key),
            #[cfg(windows)]
            Step::RemoveKey { key }
            | Step::WriteKey { key }
            | Step::RemoveLink { key }
            | Step::WriteLink { key } => self.keys.check(key),
            #[cfg(not(windows))]
            _ => Ok(()),
        }
    }

    /// Stages one more name of the file `from`; a copy where the file system gives none: because there are
    /// two of them, or it has no such names, or no more.
    fn stage_link(&self, path: &str, from: &str, staged: &str) -> Result<()> {
        let [from, to, at] = [
            self.on_host(from)?,
            self.on_host(staged)?,
            self.on_host(path)?,
        ];
        may_go(&at)?;
        if crate::facts::are_one(&from, &at) || fs::hard_link(&from, &to).is_ok() {
            return Ok(());
        }
        copy(&self.in_upper(path)?, &to).map_err(|e| Error::io("write", &to, e))
    }

    /// Takes back what [`Field::stage`] brought.
    pub(super) fn unstage(&self, step: &Step) -> Result<()> {
        match step {
            Step::WriteFile { staged, .. } => remove_file(&self.on_host(staged)?),
            // Its attributes are those of the host's file.
            Step::LinkFile { from, staged, .. } => {
                forget_name(&self.on_host(staged)?, &self.on_host(from)?)
            }
            _ => Ok(()),
        }
    }

    /// Takes the step.
    pub(super) fn apply(&self, step: &Step) -> Result<()> {
        match step {
            Step::RemoveFile { path } => remove_file(&self.on_host(path)?),
            Step::RemoveFolder { path } => remove_folder(&self.on_host(path)?),
            Step::MakeFolder { path } => self.make_folder(path),
            Step::DescribeFolder {
                path,
                attributes,
                rights,
                ..
            } => self.describe_folder(path, *attributes, *rights),
            Step::WriteFile { path, staged } | Step::LinkFile { path, staged, .. } => {
                replace(&self.on_host(staged)?, &self.on_host(path)?)
            }
            #[cfg(windows)]
            Step::RemoveKey { key } => self.keys.remove(key),
            #[cfg(windows)]
            Step::WriteKey { key } => self.keys.write(key),
            #[cfg(windows)]
            Step::RemoveLink { key } => self.keys.remove_link(key),
            #[cfg(windows)]
            Step::WriteLink { key } => self.keys.write_link(key),
            #[cfg(windows)]
            Step::WriteRights { key } => self.keys.write_rights(key),
            #[cfg(not(windows))]
            _ => Ok(()),
        }
    }

    fn make_folder(&self, path: &str) -> Result<()> {
        let at = self.on_host(path)?;
        match fs::create_dir(&at) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && at.is_dir() => return Ok(()),
            made => made.map_err(|e| Error::io("create", &at, e))?,
        }
        if let Ok(like) = fs::metadata(self.in_upper(path)?) {
            // A directory without its attributes is a directory all the same.
            let _ = set_attributes(&at, &like);
            crate::metadata::copy(&self.in_upper(path)?, &at)
                .map_err(|e| Error::io("create", &at, e))?;
            copy_rights(&self.in_upper(path)?, &at).map_err(|e| Error::io("create", &at, e))?;
        }
        Ok(())
    }

    /// Gives the host's directory what the upper's has; nothing when one of them is there no more.
    fn describe_folder(&self, path: &str, attributes: bool, rights: bool) -> Result<()> {
        let (from, at) = (self.in_upper(path)?, self.on_host(path)?);
        let (Some(like), Some(_)) = (look(&from)?, look(&at)?) else {
            return Ok(());
        };
        let failed = |e| Error::io("change", &at, e);
        if attributes {
            give_attributes(&at, &like).map_err(failed)?;
        }
        if rights {
            give_rights(&from, &at).map_err(failed)?;
        }
        Ok(())
    }

    /// Attributes of the host's directory `path` and figure of its rights now.
    pub(super) fn folder(&self, path: &str) -> Result<Option<[u64; 2]>> {
        let at = self.on_host(path)?;
        match look(&at)? {
            Some(data) => described(&at, &data).map(Some),
            None => Ok(None),
        }
    }

    /// Takes away from the upper what the host has now.
    pub(super) fn drop_from_upper(&self, drop: &Drop) -> Result<()> {
        match drop {
            Drop::File {
                path,
                stamp,
                linked,
            } => {
                let at = self.in_upper(path)?;
                let count = if *linked { 2 } else { 3 };
                let same = |now: [u64; 3]| now[..count] == stamp[..count];
                // Written since: it is the VM's again.
                if base::stamp(&at)?.is_some_and(same) {
                    remove_file(&at)
                } else {
                    Ok(())
                }
            }
            Drop::Folder { path } => {
                // One with something in it stays.
                let _ = fs::remove_dir(self.in_upper(path)?);
                Ok(())
            }
            Drop::Whiteout { path } => {
                let mut names = names(path);
                if let Some(last) = names.last_mut() {
                    let mut hidden = OsString::from(pinion_names::file::WHITEOUT);
                    hidden.push(&*last);
                    *last = hidden;
                }
                remove_file(&place(&self.upper, &names, path)?)
            }
            #[cfg(windows)]
            Drop::Key { key, values } => self.keys.drop_key(key, *values),
            #[cfg(windows)]
            Drop::HiddenKey { key } => self.keys.drop_hidden(key),
            #[cfg(not(windows))]
            Drop::Key { .. } | Drop::HiddenKey { .. } => Ok(()),
        }
    }

    /// The host's stamp of the file `path` now.
    pub(super) fn stamp(&self, path: &str) -> Result<Option<[u64; 3]>> {
        base::stamp(&self.on_host(path)?)
    }
}

fn place(tree: &FileTree, names: &[OsString], shown: &str) -> Result<PathBuf> {
    let place = tree.place(names);
    place.ok_or_else(|| Error::io("find", Path::new(shown), io::ErrorKind::InvalidInput.into()))
}

/// The file itself, never what a link leads to; none when it is not there.
fn look(at: &Path) -> Result<Option<Metadata>> {
    match fs::symlink_metadata(at) {
        Ok(data) => Ok(Some(data)),
        Err(e)
            if matches!(
                e.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        Err(e) => Err(Error::io("look at", at, e)),
    }
}

fn remove_file(at: &Path) -> Result<()> {
    match look(at)? {
        Some(data) if !data.is_dir() => {
            make_writable(at, &data);
            fs::remove_file(at).map_err(|e| Error::io("delete", at, e))
        }
        _ => Ok(()),
    }
}

/// Takes one name of a file away; its attributes stay as they are, for the name `other`.
fn forget_name(at: &Path, other: &Path) -> Result<()> {
    let data = look(at)?;
    remove_file(at)?;
    match (data, look(other)?) {
        (Some(data), Some(_)) => {
            set_attributes(other, &data).map_err(|e| Error::io("change", other, e))
        }
        _ => Ok(()),
    }
}

fn remove_folder(at: &Path) -> Result<()> {
    match look(at)? {
        Some(data) if data.is_dir() => {
            make_writable(at, &data);
            fs::remove_dir(at).map_err(|e| Error::io("delete", at, e))
        }
        _ => Ok(()),
    }
}

/// Puts the staged file in its place; when it is not there, that was done.
fn replace(staged: &Path, at: &Path) -> Result<()> {
    if look(staged)?.is_none() {
        return Ok(());
    }
    if let Some(data) = look(at)? {
        make_writable(at, &data);
    }
    fs::rename(staged, at).map_err(|e| Error::io("write", at, e))
}

/// Copies a file with its times, attributes and rights, flushed to the disk.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut source = File::open(from)?;
    let like = source.metadata()?;
    let mut target = File::options().write(true).create_new(true).open(to)?;
    io::copy(&mut source, &mut target)?;
    // Before the times, which it changes.
    crate::metadata::copy(from, to)?;
    let mut times = fs::FileTimes::new();
    if let Ok(modified) = like.modified() {
        times = times.set_modified(modified);
    }
    if let Ok(accessed) = like.accessed() {
        times = times.set_accessed(accessed);
    }
    #[cfg(windows)]
    if let Ok(created) = like.created() {
        times = std::os::windows::fs::FileTimesExt::set_created(times, created);
    }
    target.set_times(times)?;
    target.sync_all()?;
    drop(target);
    set_attributes(to, &like)?;
    copy_rights(from, to)
}

/// Gives `to` the rights that `from` has of its own.
#[cfg(windows)]
fn copy_rights(from: &Path, to: &Path) -> io::Result<()> {
    use crate::security::Security;
    match Security::of_file(from)? {
        Some(own) if own.is_its_own() && Security::of_file(to)?.as_ref() != Some(&own) => {
            own.give_file(to)
        }
        _ => Ok(()),
    }
}

#[cfg(not(windows))]
fn copy_rights(_from: &Path, _to: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(windows)]
fn set_attributes(at: &Path, like: &Metadata) -> io::Result<()> {
    use std::os::windows::fs::MetadataExt;
    crate::attributes::set(at, like.file_attributes())
}

#[cfg(not(windows))]
fn set_attributes(_at: &Path, _like: &Metadata) -> io::Result<()> {
    Ok(())
}

#[cfg(windows)]
fn give_attributes(at: &Path, like: &Metadata) -> io::Result<()> {
    use std::os::windows::fs::MetadataExt;
    crate::attributes::describe(at, [0; 4], like.file_attributes())
}

#[cfg(not(windows))]
fn give_attributes(at: &Path, like: &Metadata) -> io::Result<()> {
    set_attributes(at, like)
}

/// Gives the directory `to` the rights that `from` has of its own.
#[cfg(windows)]
fn give_rights(from: &Path, to: &Path) -> io::Result<()> {
    use crate::security::Security;
    Security::of_file(from)?.map_or(Ok(()), |own| own.give_folder(to))
}

#[cfg(not(windows))]
fn give_rights(from: &Path, to: &Path) -> io::Result<()> {
    copy_rights(from, to)
}

#[cfg(windows)]
fn described(at: &Path, data: &Metadata) -> Result<[u64; 2]> {
    use std::os::windows::fs::MetadataExt;
    let own = crate::security::Security::of_file(at).map_err(|e| Error::io("read", at, e))?;
    let rights = own.map_or(0, |own| own.figure());
    Ok([data.file_attributes().into(), rights])
}

#[cfg(not(windows))]
#[expect(clippy::unnecessary_wraps, reason = "the same as on Windows")]
fn described(_at: &Path, _data: &Metadata) -> Result<[u64; 2]> {
    Ok([0; 2])
}

/// Fails when the directory's attributes or rights could not be changed now.
#[cfg(windows)]
fn may_describe(at: &Path, attributes: bool, rights: bool) -> Result<()> {
    use std::os::windows::fs::OpenOptionsExt;
    const FILE_WRITE_ATTRIBUTES: u32 = 0x100;
    const WRITE_DAC: u32 = 0x4_0000;
    const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;
    let wanted = [(attributes, FILE_WRITE_ATTRIBUTES), (rights, WRITE_DAC)];
    let access = wanted
        .iter()
        .filter(|(wanted, _)| *wanted)
        .fold(0, |all, (_, one)| all | one);
    let opened = File::options()
        .access_mode(access)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS)
        .open(at);
    opened.map(drop).map_err(|e| Error::io("change", at, e))
}

#[cfg(not(windows))]
fn may_describe(_at: &Path, _attributes: bool, _rights: bool) -> Result<()> {
    Ok(())
}

/// Fails when what is at `at` could not be deleted or replaced now.
#[cfg(windows)]
fn may_go(at: &Path) -> Result<()> {
    use std::os::windows::fs::OpenOptionsExt;
    const DELETE: u32 = 0x1_0000;
    const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;
    const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;
    let opened = File::options()
        .access_mode(DELETE)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT)
        .open(at);
    match opened {
        Err(e)
            if !matches!(
                e.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Err(Error::io("change", at, e))
        }
        _ => Ok(()),
    }
}

#[cfg(not(windows))]
fn may_go(_at: &Path) -> Result<()> {
    Ok(())
}
