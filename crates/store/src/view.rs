//! What a program in a VM sees at a path: its shared folders, its layers, then the host. Reads only, and
//! follows no link of a layer.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::changes::{FileKind, FileNode, FileTree, Stack, fold};
use crate::error::Result;
use crate::layer::Layer;
use crate::share::Share;
use crate::vm::Vm;

/// The files that the programs of one VM see.
#[derive(Debug, Clone)]
pub struct View {
    layers: Vec<FileTree>,
    shares: Vec<Share>,
}

/// A path of a view as it lies on the disk.
#[derive(Debug, Clone)]
pub struct Place {
    /// The trees that may have it, the topmost first.
    pub trees: Vec<FileTree>,
    /// Its names in them, the drive's letter first.
    pub names: Vec<OsString>,
    /// Whether it is in a folder that is shared under another path.
    is_moved: bool,
}

/// What shows at a path.
#[derive(Debug, Clone)]
pub struct Seen {
    /// It as it lies on the disk.
    pub node: FileNode,
    /// Whether it is the host's, at the very path: every program of the host finds it there, too.
    pub is_host: bool,
}

impl Seen {
    /// Whether it is a folder, or a link to one.
    #[must_use]
    pub fn is_directory(&self) -> bool {
        matches!(
            self.node.kind,
            FileKind::Directory | FileKind::Link { directory: true }
        )
    }
}

impl View {
    /// What layers, the newest first, and shared folders make of the host.
    #[must_use]
    pub fn new(layers: &[Layer], shares: &[Share]) -> Self {
        Self {
            layers: layers.iter().map(Layer::file_tree).collect(),
            shares: shares.to_vec(),
        }
    }

    /// What programs in `vm` see.
    #[must_use]
    pub fn of_vm(vm: &Vm) -> Self {
        Self::new(&vm.stack(), &vm.record().shares)
    }

    /// The names of a whole path on a drive, its letter first; none of another path.
    #[must_use]
    pub fn names(path: &Path) -> Option<Vec<OsString>> {
        let text = path.to_str()?.replace('/', r"\");
        let (drive, rest) = text.split_once(r":\")?;
        let is_letter = matches!(drive.as_bytes(), [letter] if letter.is_ascii_alphabetic());
        let rest = rest.split('\\').filter(|name| !name.is_empty());
        is_letter.then(|| {
            let drive = OsString::from(drive.to_ascii_uppercase());
            [drive]
                .into_iter()
                .chain(rest.map(OsString::from))
                .collect()
        })
    }

    /// The path by which programs in the VM name the file that lies at `real`, where it is another one.
    #[must_use]
    pub fn name_of(&self, real: &str) -> Option<String> {
        let text = real.strip_prefix(r"\\?\").unwrap_or(real);
        let below = |folder: &str| {
            let folder = folder.strip_prefix(r"\\?\").unwrap_or(folder);
            let rest = text.get(folder.len()..)?;
            let start = text.get(..folder.len())?;
            let same = fold(OsStr::new(start)) == fold(OsStr::new(folder));
            rest.strip_prefix('\\').filter(|_| same)
        };
        for layer in &self.layers {
            let below = layer.folder().and_then(|folder| below(folder.to_str()?));
            if let Some((drive, rest)) = below.and_then(|path| path.split_once('\\')) {
                return Some(format!(r"{drive}:\{rest}"));
            }
        }
        let mut shares = self.shares.iter();
        shares.find_map(|share| Some(format!(r"{}\{}", share.vm, below(&share.host)?)))
    }

    /// Where what shows at the path of these names is to be looked for. A shared folder is the host's.
    #[must_use]
    pub fn place(&self, names: &[OsString]) -> Place {
        let folded = |names: &[OsString]| names.iter().map(|name| fold(name)).collect::<Vec<_>>();
        for share in &self.shares {
            for (folder, is_vms) in [(&share.vm, true), (&share.host, false)] {
                let folder = Self::names(Path::new(folder)).unwrap_or_default();
                if !folder.is_empty() && folded(names).starts_with(&folded(&folder)) {
                    let host = is_vms
                        .then(|| Self::names(Path::new(&share.host)))
                        .flatten();
                    let host = host.unwrap_or_else(|| folder.clone());
                    let below = names.get(folder.len()..).unwrap_or_default();
                    return Place {
                        trees: vec![FileTree::host()],
                        is_moved: folded(&host) != folded(&folder),
                        names: host.iter().chain(below).cloned().collect(),
                    };
                }
            }
        }
        let mut trees = self.layers.clone();
        trees.push(FileTree::host());
        Place {
            trees,
            names: names.to_vec(),
            is_moved: false,
        }
    }

    /// What shows at the path of these names.
    ///
    /// # Errors
    /// A layer or the host that cannot be read.
    pub fn find(&self, names: &[OsString]) -> Result<Option<Seen>> {
        let place = self.place(names);
        let host = place.trees.len().saturating_sub(1);
        let found = Stack::new(place.trees).find(&place.names)?;
        Ok(found.map(|(tree, node)| Seen {
            node,
            is_host: tree == host && !place.is_moved,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str) -> Option<Vec<String>> {
        let names = View::names(Path::new(path))?;
        Some(
            names
                .iter()
                .map(|name| name.to_string_lossy().into())
                .collect(),
        )
    }

    #[test]
    fn only_whole_paths_on_drives_have_names() {
        let some = |names: &[&str]| Some(names.iter().map(|name| (*name).into()).collect());
        assert_eq!(names(r"c:\a\b.exe"), some(&["C", "a", "b.exe"]));
        assert_eq!(names("C:/a//b/"), some(&["C", "a", "b"]));
        assert_eq!(names(r"C:\"), some(&["C"]));
        for other in [
            "",
            "a",
            r"\a",
            "C:a",
            r"\\?\C:\a",
            r"\\server\share\a",
            r"1:\a",
        ] {
            assert_eq!(names(other), None, "{other}");
        }
    }

    #[test]
    fn what_lies_in_a_layer_or_a_shared_folder_has_the_vms_name() {
        let share = Share {
            host: r"D:\media".into(),
            vm: r"C:\media".into(),
            read_only: true,
        };
        let mut view = View::new(&[], &[share]);
        view.layers = vec![FileTree::layer(Path::new(r"\\?\C:\store\0123"))];
        let name = |real: &str| view.name_of(real);
        let in_layer = Some(r"C:\a b\x.exe".to_string());
        assert_eq!(name(r"c:\Store\0123\C\a b\x.exe"), in_layer);
        assert_eq!(name(r"\\?\C:\store\0123\C\a b\x.exe"), in_layer);
        assert_eq!(name(r"D:\media\x.exe"), Some(r"C:\media\x.exe".into()));
        for other in [
            "",
            "C",
            r"C:\store\01234\C\x",
            r"C:\windows\x.exe",
            "C:\\stör\u{e9}\\x",
        ] {
            assert_eq!(name(other), None, "{other}");
        }
    }

    #[test]
    fn a_shared_folder_is_the_hosts_and_moved_where_its_path_is_another() {
        let share = |host: &str, vm: &str| Share {
            host: host.into(),
            vm: vm.into(),
            read_only: false,
        };
        let view = View::new(
            &[],
            &[share(r"D:\media", r"C:\media"), share(r"C:\x", r"C:\x")],
        );
        let place = |path: &str| {
            let place = view.place(&View::names(Path::new(path)).unwrap());
            let names: Vec<_> = place
                .names
                .iter()
                .map(|name| name.to_string_lossy())
                .collect();
            (names.join("/"), place.is_moved)
        };
        assert_eq!(place(r"C:\MEDIA\a.exe"), ("D/media/a.exe".into(), true));
        assert_eq!(place(r"D:\media\a.exe"), ("D/media/a.exe".into(), false));
        assert_eq!(place(r"C:\x\a.exe"), ("C/x/a.exe".into(), false));
        assert_eq!(place(r"C:\mediatheque"), ("C/mediatheque".into(), false));
    }
}
