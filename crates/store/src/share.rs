//! Shared folders of a VM: folders that are deliberately the host's own.
//!
//! Owns the form of a share in a record, what two shares may be to one another, and the folders in the
//! upper layer under which shares show. Whether the host has the folder is the supervisor's to see.

use std::ffi::OsString;
use std::fs;

use pinion_names::share::Share as Paths;
use serde::{Deserialize, Serialize};

use crate::changes::{FileTree, Node, Stack, fold_units, upcase};
use crate::error::{Error, Result};
use crate::vm::Vm;

/// The most shares that a VM can have.
pub const MOST_SHARES: usize = pinion_wire::page::SHARES;
/// The longest path of a shared folder, in UTF-16 units.
const LONGEST: usize = 255;

/// One shared folder (`pinion share`). Both paths are whole: `C:\data`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// The host's folder.
    pub host: String,
    /// Where programs in the VM see it.
    pub vm: String,
    /// Whether they can only read it.
    #[serde(default)]
    pub read_only: bool,
}

impl Share {
    /// The layer paths of the host's folder and of the one in the VM (`C\data`).
    #[must_use]
    pub fn layer_paths(&self) -> (Vec<u16>, Vec<u16>) {
        (layer_path(&self.host), layer_path(&self.vm))
    }

    /// As it is written on the command line.
    #[must_use]
    pub fn text(&self) -> String {
        let access = if self.read_only { ":ro" } else { "" };
        format!("{}:{}{access}", self.host, self.vm)
    }

    /// What is wrong with it alone, if anything.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        for path in [&self.host, &self.vm] {
            if let Err(why) = folder(path) {
                return Some(format!("{path}: {why}"));
            }
        }
        let (host, vm) = self.layer_paths();
        let sound = Paths {
            vm: &vm,
            host: &host,
        }
        .is_sound(upcase);
        (!sound).then(|| "one of the two folders is in the other".into())
    }
}

fn layer_path(path: &str) -> Vec<u16> {
    path.replacen(':', "", 1).encode_utf16().collect()
}

/// The whole path of a folder as records keep it, from one as people write it: `c:/data/` is `C:\data`.
///
/// # Errors
/// Why it can be none.
pub fn folder(text: &str) -> std::result::Result<String, String> {
    let text = text.replace('/', r"\");
    let (drive, rest) = text
        .split_once(r":\")
        .ok_or("give a whole path with its drive, such as C:\\data")?;
    let letter = match drive.as_bytes() {
        [letter] if letter.is_ascii_alphabetic() => letter.to_ascii_uppercase() as char,
        _ => return Err("give a whole path with its drive, such as C:\\data".into()),
    };
    let parts: Vec<&str> = rest.split('\\').filter(|part| !part.is_empty()).collect();
    if parts.is_empty() {
        return Err("a whole drive cannot be shared; give a folder of it".into());
    }
    for part in &parts {
        check_name(part)?;
    }
    let path = format!(r"{letter}:\{}", parts.join(r"\"));
    if path.encode_utf16().count() > LONGEST {
        return Err(format!("it is longer than {LONGEST}"));
    }
    Ok(path)
}

/// Whether a folder can have the name for all that look for it: no file system takes away or expands a
/// part of it.
fn check_name(part: &str) -> std::result::Result<(), String> {
    let units: Vec<u16> = part.encode_utf16().collect();
    if part == "." || part == ".." {
        return Err("'.' and '..' cannot be in it; give the whole path".into());
    }
    if part.contains(['<', '>', ':', '"', '|', '?', '*']) || part.chars().any(|c| c < ' ') {
        return Err(format!("'{part}' is no name of a folder"));
    }
    if part.ends_with(['.', ' ']) {
        return Err(format!("'{part}' ends with a dot or a space"));
    }
    if pinion_names::file::is_short(&units) {
        return Err(format!("'{part}' may be a short name; give the long one"));
    }
    if pinion_names::file::is_reserved(&units) {
        return Err(format!("'{part}' is kept for layers"));
    }
    Ok(())
}

/// What is wrong with the shares of one VM, if anything.
#[must_use]
pub fn fault(shares: &[Share]) -> Option<String> {
    if shares.len() > MOST_SHARES {
        return Some(format!("it shares more than {MOST_SHARES} folders"));
    }
    if let Some(why) = shares.iter().find_map(Share::fault) {
        return Some(why);
    }
    let mut earlier: Vec<&Share> = Vec::new();
    for share in shares {
        if let Some(other) = earlier.iter().find(|other| meet(other, share)) {
            let (one, two) = (other.text(), share.text());
            return Some(format!("the folders of {one} and {two} meet"));
        }
        earlier.push(share);
    }
    None
}

/// Whether some folder of the one is at, above or below one of the other.
fn meet(a: &Share, b: &Share) -> bool {
    let (a, b) = (a.layer_paths(), b.layer_paths());
    let (a, b) = (
        Paths {
            host: &a.0,
            vm: &a.1,
        },
        Paths {
            host: &b.0,
            vm: &b.1,
        },
    );
    !a.is_apart(&b, upcase)
}

impl Vm {
    /// Adds shares, from the VM's next start on.
    ///
    /// # Errors
    /// [`Error::BadShare`]: they meet one that is there, or are too many.
    pub fn add_shares(&mut self, new: &[Share]) -> Result<()> {
        self.try_update(|record| {
            record.shares.extend_from_slice(new);
            match fault(&record.shares) {
                Some(why) => Err(Error::BadShare { why }),
                None => Ok(()),
            }
        })
    }

    /// Takes away the shares whose folders in the VM are `folders`, from the VM's next start on; all, or
    /// none.
    ///
    /// # Errors
    /// [`Error::NoSuchShare`].
    pub fn remove_shares(&mut self, folders: &[String]) -> Result<()> {
        let fold = |path: &str| fold_units(&layer_path(path));
        self.try_update(|record| {
            for folder in folders {
                let before = record.shares.len();
                record
                    .shares
                    .retain(|share| fold(&share.vm) != fold(folder));
                if record.shares.len() == before {
                    return Err(Error::NoSuchShare {
                        name: record.name.to_string(),
                        folder: folder.clone(),
                    });
                }
            }
            Ok(())
        })
    }

    /// Makes the folders in the upper layer under which shares show, where programs would see none.
    ///
    /// # Errors
    /// One cannot be made, or [`Error::BadShare`]: the VM has a file there.
    pub fn make_shared_folders(&self) -> Result<()> {
        let mut trees: Vec<_> = self.stack().iter().map(crate::Layer::file_tree).collect();
        trees.push(FileTree::host());
        let seen = Stack::new(trees);
        for share in &self.record().shares {
            let path = share.vm.replacen(':', "", 1);
            let parts: Vec<OsString> = path.split('\\').map(OsString::from).collect();
            match seen.find(&parts)? {
                Some((_, node)) if node.is_passable() => continue,
                Some(_) => {
                    let why = format!("the VM '{}' has a file {}", self.name(), share.vm);
                    return Err(Error::BadShare { why });
                }
                None => {}
            }
            let mut folder = self.upper().files();
            folder.extend(&parts);
            let folder = crate::removal::verbatim(&folder);
            fs::create_dir_all(&folder).map_err(|e| Error::io("create", &folder, e))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(host: &str, vm: &str) -> Share {
        Share {
            host: host.into(),
            vm: vm.into(),
            read_only: false,
        }
    }

    #[test]
    fn folders_as_people_write_them() {
        assert_eq!(folder(r"c:/data//x/"), Ok(r"C:\data\x".into()));
        for wrong in [
            "",
            "data",
            r"C:data",
            r"\data",
            r"\\server\share\x",
            r"C:\",
            r"C:\a\..\b",
            r"C:\a\.",
            r"C:\a.",
            r"C:\a ",
            r"C:\PROGRA~1\x",
            r"C:\.wh.x",
            r"C:\a?b",
            r"C:\a:b",
            "C:\\a\nb",
        ] {
            assert!(folder(wrong).is_err(), "{wrong}");
        }
        assert!(folder(&format!(r"C:\{}", "a".repeat(300))).is_err());
    }

    #[test]
    fn shares_that_meet_are_refused() {
        assert_eq!(
            fault(&[share(r"D:\a", r"C:\a"), share(r"D:\b", r"C:\b")]),
            None
        );
        assert_eq!(fault(&[share(r"C:\a", r"C:\a")]), None);
        for wrong in [
            vec![share(r"D:\a", r"C:\a"), share(r"D:\b", r"C:\A\x")],
            vec![share(r"D:\a", r"C:\a"), share(r"d:\A", r"C:\b")],
            vec![share(r"D:\a", r"C:\a"), share(r"C:\a", r"E:\b")],
            vec![share(r"C:\a\b", r"C:\a")],
            vec![share(r"C:\a", r"C:\a\b")],
            vec![share(r"C:\a", "C:")],
        ] {
            assert!(fault(&wrong).is_some(), "{wrong:?}");
        }
        let many: Vec<_> = (0..=MOST_SHARES)
            .map(|n| share(&format!(r"D:\{n}"), &format!(r"C:\{n}")))
            .collect();
        assert!(fault(&many).unwrap().contains("more than"));
        assert_eq!(fault(&many[1..]), None);
    }
}
