//! Finds the file that a program's name means, as `CreateProcess` does, with
//! the extensions of `PATHEXT` that name images. Whoever asks says what is where.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A file.
    File,
    /// A folder.
    Folder,
}

/// Where and for what extensions to look.
#[derive(Debug, Clone)]
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
    #[must_use]
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

    /// The path of what `name` means, where `at` says what is at a whole path; `None` when there is
    /// nothing.
    ///
    /// # Errors
    /// The first of `at`.
    pub fn find<E>(
        &self,
        name: &OsStr,
        at: impl Fn(&Path) -> Result<Option<What>, E>,
    ) -> Result<Option<PathBuf>, E> {
        if name.is_empty() {
            return Ok(None);
        }
        let has_folder = name
            .as_encoded_bytes()
            .iter()
            .any(|b| matches!(b, b'\\' | b'/' | b':'));
        let others = if has_folder { &[] } else { &*self.others };
        for folder in [&self.current].into_iter().chain(others) {
            let path = self.complete(&folder.join(name), &at)?;
            if path.is_some() {
                return Ok(path);
            }
        }
        Ok(None)
    }

    /// `path` itself, or with an extension added. A folder of the very name
    /// counts, so that the user is told what was wrong with it.
    fn complete<E>(
        &self,
        path: &Path,
        at: &impl Fn(&Path) -> Result<Option<What>, E>,
    ) -> Result<Option<PathBuf>, E> {
        let itself = at(path)?;
        if itself == Some(What::File) {
            return Ok(Some(path.to_path_buf()));
        }
        for extension in &self.extensions {
            let mut longer = path.as_os_str().to_owned();
            longer.push(extension);
            let longer = PathBuf::from(longer);
            if at(&longer)? == Some(What::File) {
                return Ok(Some(longer));
            }
        }
        let is_folder = itself == Some(What::Folder) && path.is_absolute();
        Ok(is_folder.then(|| path.to_path_buf()))
    }
}

/// What the host has at a path.
///
/// # Errors
/// Never: the type is that of [`Places::find`].
pub fn on_host<E>(path: &Path) -> Result<Option<What>, E> {
    Ok(match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Some(What::Folder),
        Ok(_) => Some(What::File),
        Err(_) => None,
    })
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

    fn find(places: &Places, name: &str) -> Option<PathBuf> {
        places.find(name.as_ref(), on_host::<()>).expect("no error")
    }

    #[test]
    fn the_current_folder_comes_first_and_extensions_are_added() {
        let root = tempfile::tempdir().expect("a folder");
        let places = places(root.path());
        let in_path = root.path().join("path").join("tool.exe");
        fs::write(&in_path, "").expect("written");
        assert_eq!(find(&places, "tool"), Some(in_path.clone()));
        assert_eq!(find(&places, "tool.exe"), Some(in_path));
        let here = root.path().join("here").join("tool.exe");
        fs::write(&here, "").expect("written");
        assert_eq!(find(&places, "tool"), Some(here));
    }

    #[test]
    fn a_name_with_a_folder_is_not_searched_for() {
        let root = tempfile::tempdir().expect("a folder");
        let places = places(root.path());
        fs::write(root.path().join("path").join("tool.exe"), "").expect("written");
        assert_eq!(find(&places, "./tool"), None);
        assert_eq!(find(&places, ""), None);
    }

    #[test]
    fn pathext_is_read_and_exe_goes_first() {
        let all = extensions(Some(OsStr::new(".COM;.EXE; .Js ;junk")));
        assert_eq!(all, [".exe", ".com", ".js"].map(OsString::from));
    }
}
