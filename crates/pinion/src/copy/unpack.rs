//! Writing what a tar archive holds below a folder, and nowhere else.
//!
//! Each file is written under a passing name and renamed, so that none is ever half there. The
//! archive is hostile: names that lead elsewhere or that Windows would take for something else, and
//! all that is neither file nor folder, end the copy.

use super::Count;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

/// Writes all that `from` holds below the folder `base`.
///
/// # Errors
/// One line.
pub fn unpack(from: impl Read, base: &Path, count: &Count) -> Result<(), String> {
    let broken = |error: io::Error| format!("the archive cannot be read: {error}");
    let mut archive = tar::Archive::new(from);
    let mut times = Vec::new();
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let name = String::from_utf8(entry.path_bytes().into_owned())
            .map_err(|_| "the archive has a name that is no Unicode".to_owned())?;
        let refused = |why: &str| format!("'{}' is not copied: {why}", name.escape_debug());
        let kind = entry.header().entry_type();
        let place = place(base, &name).map_err(|why| refused(&why))?;
        let failed = |error: io::Error| format!("cannot write {}: {error}", place.display());
        match kind {
            tar::EntryType::Directory => {
                make_folder(&place).map_err(failed)?;
                times.push((place, entry.header().mtime().unwrap_or_default()));
            }
            tar::EntryType::Regular => {
                if place == base {
                    return Err(refused("it has no name"));
                }
                let mtime = entry.header().mtime().unwrap_or_default();
                let read_only = entry.header().mode().unwrap_or(0o644) & 0o200 == 0;
                file(&mut entry, &place, mtime, read_only).map_err(failed)?;
            }
            _ => return Err(refused("it is neither a file nor a folder")),
        }
        count.add();
    }
    for (folder, mtime) in times.iter().rev() {
        set_time(folder, *mtime);
    }
    Ok(())
}

/// Where the member `name` goes.
fn place(base: &Path, name: &str) -> Result<PathBuf, String> {
    let mut place = base.to_path_buf();
    let name = name.strip_prefix("./").unwrap_or(name);
    let name = name.strip_suffix('/').unwrap_or(name);
    if name.is_empty() || name == "." {
        return Ok(place);
    }
    for part in name.split('/') {
        if let Some(why) = pinion_store::archive::name_fault(part) {
            return Err(why.into());
        }
        place.push(part);
    }
    Ok(place)
}

/// Makes the folder; one that is there is kept, a link is not followed to a new place.
fn make_folder(place: &Path) -> io::Result<()> {
    match fs::create_dir(place) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && place.is_dir() => Ok(()),
        made => made,
    }
}

fn file(from: &mut impl Read, place: &Path, mtime: u64, read_only: bool) -> io::Result<()> {
    if place.is_dir() {
        return Err(io::Error::other("a folder of that name is there"));
    }
    let mut passing = place.as_os_str().to_owned();
    passing.push(format!(".pinion-{}", std::process::id()));
    let passing = PathBuf::from(passing);
    let written = (|| {
        let mut to = File::create_new(&passing)?;
        io::copy(from, &mut to)?;
        // A time that cannot be kept is no reason to fail.
        let _ = to.set_modified(UNIX_EPOCH + Duration::from_secs(mtime));
        drop(to);
        if read_only {
            let mut permissions = fs::metadata(&passing)?.permissions();
            permissions.set_readonly(true);
            fs::set_permissions(&passing, permissions)?;
        }
        fs::rename(&passing, place)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&passing);
    }
    written
}

fn set_time(folder: &Path, mtime: u64) {
    let mut options = File::options();
    options.write(true);
    #[cfg(windows)]
    {
        use std::os::windows::fs::OpenOptionsExt;
        const WRITE_ATTRIBUTES: u32 = 0x100;
        const BACKUP_SEMANTICS: u32 = 0x0200_0000;
        options
            .access_mode(WRITE_ATTRIBUTES)
            .custom_flags(BACKUP_SEMANTICS);
    }
    if let Ok(folder) = options.open(folder) {
        let _ = folder.set_modified(UNIX_EPOCH + Duration::from_secs(mtime));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copy::pack;
    use proptest::prelude::*;

    fn archive(add: impl FnOnce(&mut tar::Builder<Vec<u8>>)) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        add(&mut builder);
        builder.into_inner().unwrap()
    }

    /// A member of any name, which the library itself would not write.
    fn raw(name: &[u8], kind: tar::EntryType) -> Vec<u8> {
        archive(|builder| {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(kind);
            header.set_size(1);
            header.set_mode(0o644);
            let field = &mut header.as_gnu_mut().unwrap().name;
            let length = name.len().min(field.len());
            field[..length].copy_from_slice(&name[..length]);
            header.set_cksum();
            builder.append(&header, &b"x"[..]).unwrap();
        })
    }

    #[test]
    fn a_tree_goes_there_and_comes_out_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("from");
        fs::create_dir_all(from.join("sub/empty")).unwrap();
        fs::write(from.join("sub/file"), "text").unwrap();
        fs::write(from.join("x".repeat(200)), "long").unwrap();
        let count = Count::default();
        for name in ["new", ""] {
            let to = folder.path().join(format!("to{name}"));
            fs::create_dir(&to).unwrap();
            let bytes = archive(|builder| {
                assert_eq!(pack::host(&from, name, builder, &count), Ok(0));
            });
            unpack(&bytes[..], &to, &count).unwrap();
            let below = to.join(name);
            assert_eq!(fs::read(below.join("sub/file")).unwrap(), b"text");
            assert_eq!(fs::read(below.join("x".repeat(200))).unwrap(), b"long");
            assert!(below.join("sub/empty").is_dir());
        }
        assert!(count.get() > 8);
    }

    #[test]
    fn what_leads_elsewhere_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().join("base");
        fs::create_dir(&base).unwrap();
        for name in [
            &b"../out"[..],
            b"a/../../out",
            b"/out",
            b"C:/out",
            b"..\\out",
            b"a\\b",
            b"nul",
            b"con.txt",
            b"a:b",
            b"a.",
            b"a ",
            b"//server/x",
            b"\xff\xfe",
            b"",
        ] {
            let told = unpack(
                &raw(name, tar::EntryType::Regular)[..],
                &base,
                &Count::default(),
            );
            assert!(told.is_err(), "{name:?}");
        }
        for kind in [
            tar::EntryType::Symlink,
            tar::EntryType::Link,
            tar::EntryType::Char,
        ] {
            assert!(unpack(&raw(b"a", kind)[..], &base, &Count::default()).is_err());
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(fs::read_dir(&base).unwrap().count(), 0);
    }

    proptest! {
        #[test]
        fn nothing_is_written_outside(name in proptest::collection::vec(any::<u8>(), 1..40), dots in any::<bool>()) {
            let folder = tempfile::tempdir().unwrap();
            let base = folder.path().join("base");
            fs::create_dir(&base).unwrap();
            let mut name: Vec<u8> = name.into_iter().filter(|&byte| byte != 0).collect();
            if dots {
                name.splice(..0, *b"../");
            }
            let _ = unpack(&raw(&name, tar::EntryType::Regular)[..], &base, &Count::default());
            prop_assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }
}
