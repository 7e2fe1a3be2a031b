//! Taking folders and keys of VMs and layers away, whatever a program inside has made of them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::id::LayerId;

/// A virus scanner or a probe may hold a file open for a moment.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// Renames a folder, trying again over passing holders.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<()> {
    again(|| fs::rename(from, to)).map_err(|e| Error::io("remove", from, e))
}

/// Removes a layer's keys, then its folder.
pub(crate) fn layer(folder: &Path, id: LayerId, removed: &AtomicU64) -> Result<()> {
    #[cfg(windows)]
    crate::registry::remove_layer(id, removed)?;
    #[cfg(not(windows))]
    let _ = id;
    self::folder(folder, removed)
}

/// Removes a folder and all below, counting in `removed`.
pub(crate) fn folder(folder: &Path, removed: &AtomicU64) -> Result<()> {
    let long = verbatim(folder);
    again(|| remove_tree(&long, removed)).map_err(|e| Error::io("remove", folder, e))
}

/// The upper layer in the record of a VM's folder, found even if the record is damaged elsewhere.
pub(crate) fn upper_of(folder: &Path) -> Option<LayerId> {
    let bytes = fs::read(folder.join("vm.json")).ok()?;
    upper_in(&String::from_utf8_lossy(&bytes))
}

fn upper_in(text: &str) -> Option<LayerId> {
    let after = text.split_once("\"upper\"")?.1;
    after.split('"').nth(1)?.parse().ok()
}

fn again(mut act: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    for _ in 1..TRIES {
        match act() {
            Ok(()) => return Ok(()),
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(e),
            Err(_) => sleep(PAUSE),
        }
    }
    act()
}

/// Removes a tree, read-only files too. Links are removed, never followed. Others may remove it at the
/// same time.
fn remove_tree(path: &Path, removed: &AtomicU64) -> io::Result<()> {
    let kind = match fs::symlink_metadata(path) {
        Ok(kind) => kind,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
    };
    make_writable(path, &kind);
    let link = is_link(&kind);
    if kind.is_dir() && !link {
        for item in fs::read_dir(path)? {
            remove_tree(&item?.path(), removed)?;
        }
    }
    let mut done = if kind.is_dir() {
        fs::remove_dir(path)
    } else {
        fs::remove_file(path)
    };
    if done.is_err() && link {
        // A link to a folder needs remove_dir on Windows, one to a file remove_file.
        done = fs::remove_file(path).or_else(|_| fs::remove_dir(path));
    }
    removed.fetch_add(1, Ordering::Relaxed);
    match done {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// Whether it is a link of any kind. On Wine a folder behind a Unix symbolic link has the attribute of
/// a reparse point but no tag, and is taken for a plain folder by the standard library (observed on
/// Wine 8 and 10).
#[cfg(windows)]
fn is_link(kind: &fs::Metadata) -> bool {
    const REPARSE_POINT: u32 = 0x400;
    std::os::windows::fs::MetadataExt::file_attributes(kind) & REPARSE_POINT != 0
}

#[cfg(not(windows))]
fn is_link(kind: &fs::Metadata) -> bool {
    kind.is_symlink()
}

#[cfg(windows)]
pub(crate) fn make_writable(path: &Path, kind: &fs::Metadata) {
    let mut permissions = kind.permissions();
    if permissions.readonly() {
        #[expect(
            clippy::permissions_set_readonly_false,
            reason = "Windows: only the attribute"
        )]
        permissions.set_readonly(false);
        // A failure shows at the removal.
        let _ = fs::set_permissions(path, permissions);
    }
}

#[cfg(not(windows))]
pub(crate) fn make_writable(_path: &Path, _kind: &fs::Metadata) {}

/// The path in the form that takes any length and any name (`nul`, a trailing dot): a program inside
/// can make such files.
pub(crate) fn verbatim(path: &Path) -> PathBuf {
    let text = path.to_string_lossy();
    if cfg!(windows) && !text.starts_with(r"\\") {
        return PathBuf::from(format!(r"\\?\{text}"));
    }
    path.to_path_buf()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upper_is_found_in_a_damaged_record() {
        let text = "{ \"format\": 2,\n \"upper\": \"0123456789abcdef\", \"name\": \"w";
        assert_eq!(
            upper_in(text),
            Some(LayerId::from_u64(0x0123_4567_89ab_cdef))
        );
        assert_eq!(upper_in("{ \"upper\": 5, \"name\": \"web\" }"), None);
        assert_eq!(upper_in(""), None);
    }

    #[test]
    fn a_missing_tree_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        remove_tree(&folder.path().join("no"), &AtomicU64::new(0)).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("kept");
        fs::create_dir(&kept).unwrap();
        fs::write(kept.join("file"), "x").unwrap();
        let tree = folder.path().join("tree");
        fs::create_dir(&tree).unwrap();
        std::os::unix::fs::symlink(&kept, tree.join("link")).unwrap();
        let removed = AtomicU64::new(0);
        remove_tree(&tree, &removed).unwrap();
        assert_eq!(removed.into_inner(), 2);
        assert!(!tree.exists() && kept.join("file").exists());
    }
}
