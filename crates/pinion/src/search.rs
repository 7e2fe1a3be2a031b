//! Finds the file that a program's name means, as `CreateProcess` does, with
//! the extensions of `PATHEXT` that name images. Opens no file.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Where and for what extensions to look.
pub struct Places {
    /// The current folder, before all others.
    pub current: PathBuf,
    /// The system's folders, then those of `PATH`.
    pub others: Vec<PathBuf>,
    /// Extensions to try, with their dot.
    pub extensions: Vec<OsString>,
}

impl Places {
    /// The places of this process. The folder of `pinion.exe` itself, where
    /// `CreateProcess` looks first, is not among them.
    pub fn of_this_process() -> Self {
        let mut others = Vec::new();
        if let Some(root) = std::env::var_os("SystemRoot") {
            let root = PathBuf::from(root);
            others.extend([root.join("system32"), root]);
        }
        if let Some(path) = std::env::var_os("PATH") {
            others.extend(std::env::split_paths(&path).filter(|p| !p.as_os_str().is_empty()));
        }
        Self {
            current: std::env::current_dir().unwrap_or_default(),
            others,
            extensions: extensions(std::env::var_os("PATHEXT").as_deref()),
        }
    }

    /// The file that `name` means; `None` when there is none.
    pub fn find(&self, name: &OsStr) -> Option<PathBuf> {
        if name.is_empty() {
            return None;
        }
        let has_folder = name
            .as_encoded_bytes()
            .iter()
            .any(|b| matches!(b, b'\\' | b'/' | b':'));
        let in_current = self.complete(&self.current.join(name));
        if has_folder || in_current.is_some() {
            return in_current;
        }
        self.others
            .iter()
            .find_map(|folder| self.complete(&folder.join(name)))
    }

    /// `path` itself, or with an extension added. A folder of the very name
    /// counts, so that the user is told what was wrong with it.
    fn complete(&self, path: &Path) -> Option<PathBuf> {
        if path.is_file() {
            return Some(path.to_path_buf());
        }
        let with_extension = self.extensions.iter().map(|extension| {
            let mut longer = path.as_os_str().to_owned();
            longer.push(extension);
            PathBuf::from(longer)
        });
        with_extension
            .into_iter()
            .find(|longer| longer.is_file())
            .or_else(|| (path.is_dir() && path.is_absolute()).then(|| path.to_path_buf()))
    }
}

/// The extensions of `PATHEXT`, or Windows' usual ones. Scripts (`.vbs`, …)
/// stay in: the check of the image names the cause.
fn extensions(pathext: Option<&OsStr>) -> Vec<OsString> {
    let text = pathext.map_or_else(|| ".EXE;.COM;.BAT;.CMD".into(), |e| e.to_string_lossy());
    let mut all: Vec<OsString> = vec![".exe".into()];
    all.extend(
        text.split(';')
            .map(|e| e.trim().to_ascii_lowercase())
            .filter(|e| e.starts_with('.') && e != ".exe")
            .map(OsString::from),
    );
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn places(root: &Path) -> Places {
        for folder in ["here", "system", "path"] {
            fs::create_dir(root.join(folder)).expect("made");
        }
        Places {
            current: root.join("here"),
            others: vec![root.join("system"), root.join("path")],
            extensions: extensions(None),
        }
    }

    #[test]
    fn the_current_folder_comes_first_and_extensions_are_added() {
        let root = tempfile::tempdir().expect("a folder");
        let places = places(root.path());
        let in_path = root.path().join("path").join("tool.exe");
        fs::write(&in_path, "").expect("written");
        assert_eq!(places.find("tool".as_ref()), Some(in_path.clone()));
        assert_eq!(places.find("tool.exe".as_ref()), Some(in_path));
        let here = root.path().join("here").join("tool.exe");
        fs::write(&here, "").expect("written");
        assert_eq!(places.find("tool".as_ref()), Some(here));
    }

    #[test]
    fn a_name_with_a_folder_is_not_searched_for() {
        let root = tempfile::tempdir().expect("a folder");
        let places = places(root.path());
        fs::write(root.path().join("path").join("tool.exe"), "").expect("written");
        assert_eq!(places.find("./tool".as_ref()), None);
        assert_eq!(places.find("".as_ref()), None);
    }

    #[test]
    fn pathext_is_read_and_exe_goes_first() {
        let all = extensions(Some(OsStr::new(".COM;.EXE; .Js ;junk")));
        assert_eq!(all, [".exe", ".com", ".js"].map(OsString::from));
    }
}
