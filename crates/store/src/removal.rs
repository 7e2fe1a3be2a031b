//! Taking a VM's folder and keys away, whatever a program inside has made of them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::id::VmId;

/// A virus scanner or a probe may hold a file open for a moment.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// Renames a folder, trying again over passing holders.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<()> {
    again(|| fs::rename(from, to)).map_err(|e| Error::io("remove", from, e))
}

/// Removes the keys of the VM whose folder this is, then the folder.
pub(crate) fn remove_vm(folder: &Path) -> Result<()> {
    if let Some(id) = id_of(folder) {
        remove_keys(id)?;
    }
    let long = verbatim(folder);
    again(|| remove_tree(&long)).map_err(|e| Error::io("remove", folder, e))
}

/// The id in the folder's record, found even if the record is damaged elsewhere.
fn id_of(folder: &Path) -> Option<VmId> {
    let bytes = fs::read(folder.join("vm.json")).ok()?;
    id_in(&String::from_utf8_lossy(&bytes))
}

fn id_in(text: &str) -> Option<VmId> {
    let after = text.split_once("\"id\"")?.1;
    after.split('"').nth(1)?.parse().ok()
}

#[cfg(windows)]
fn remove_keys(id: VmId) -> Result<()> {
    crate::registry::remove_layer(id)
}

#[cfg(not(windows))]
fn remove_keys(_id: VmId) -> Result<()> {
    Ok(())
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

/// Removes a tree, read-only files too. Links are removed, never followed: `symlink_metadata` and
/// `remove_dir` act on the link itself.
fn remove_tree(path: &Path) -> io::Result<()> {
    let kind = match fs::symlink_metadata(path) {
        Ok(kind) => kind,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
    };
    make_writable(path, &kind);
    if kind.is_dir() {
        for item in fs::read_dir(path)? {
            remove_tree(&item?.path())?;
        }
        return fs::remove_dir(path);
    }
    // A link to a folder needs remove_dir on Windows, one to a file remove_file.
    fs::remove_file(path).or_else(|e| {
        if kind.is_symlink() {
            fs::remove_dir(path)
        } else {
            Err(e)
        }
    })
}

#[cfg(windows)]
fn make_writable(path: &Path, kind: &fs::Metadata) {
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
fn make_writable(_path: &Path, _kind: &fs::Metadata) {}

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
    fn the_id_is_found_in_a_damaged_record() {
        let text = "{ \"format\": 1,\n \"id\": \"0123456789abcdef\", \"name\": \"w";
        assert_eq!(id_in(text), Some(VmId::from_u64(0x0123_4567_89ab_cdef)));
        assert_eq!(id_in("{ \"id\": 5, \"name\": \"web\" }"), None);
        assert_eq!(id_in(""), None);
    }

    #[test]
    fn a_missing_tree_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        remove_tree(&folder.path().join("no")).unwrap();
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
        remove_tree(&tree).unwrap();
        assert!(!tree.exists() && kept.join("file").exists());
    }
}
