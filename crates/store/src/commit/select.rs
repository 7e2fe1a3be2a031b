//! Which changes are meant, and how files and keys are named to people.

use std::ffi::{OsStr, OsString};

use crate::changes::fold;

/// Files and keys of a VM: all, or those at and below some paths.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Paths of files as layers have them: `C`, `a`, `b`.
    pub files: Vec<Vec<OsString>>,
    /// Paths of keys as layers have them: `MACHINE`, `Software`.
    pub keys: Vec<Vec<OsString>>,
}

/// How a path stands to what is selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chosen {
    /// It is selected.
    Yes,
    /// Something below it is.
    OnTheWay,
    /// It is not.
    No,
}

impl Selection {
    fn is_all(&self) -> bool {
        self.files.is_empty() && self.keys.is_empty()
    }

    pub(super) fn file(&self, path: &[OsString]) -> Chosen {
        if self.is_all() {
            Chosen::Yes
        } else {
            chosen(&self.files, path)
        }
    }

    #[cfg(windows)]
    pub(super) fn key(&self, path: &[OsString]) -> Chosen {
        if self.is_all() {
            Chosen::Yes
        } else {
            chosen(&self.keys, path)
        }
    }
}

fn chosen(all: &[Vec<OsString>], path: &[OsString]) -> Chosen {
    let starts = |long: &[OsString], short: &[OsString]| {
        long.len() >= short.len() && long.iter().zip(short).all(|(a, b)| fold(a) == fold(b))
    };
    if all.iter().any(|chosen| starts(path, chosen)) {
        Chosen::Yes
    } else if all.iter().any(|chosen| starts(chosen, path)) {
        Chosen::OnTheWay
    } else {
        Chosen::No
    }
}

/// Reads an absolute path of a file, `C:\a\b`; none when it is no such path.
#[must_use]
pub fn parse_file(text: &str) -> Option<Vec<OsString>> {
    let text = text.strip_prefix(r"\\?\").unwrap_or(text);
    let (drive, rest) = text.split_once(':')?;
    let rooted = rest.is_empty() || rest.starts_with(['\\', '/']);
    if !rooted || drive.len() != 1 || !drive.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let mut path = vec![OsString::from(drive.to_ascii_uppercase())];
    for name in rest
        .split(['\\', '/'])
        .filter(|name| !name.is_empty() && *name != ".")
    {
        match name {
            ".." if path.len() < 2 => return None,
            ".." => drop(path.pop()),
            name => path.push(name.into()),
        }
    }
    Some(path)
}

/// The roots of keys by which people name them, and what each is below `\REGISTRY`; `USER\@` is the
/// user's own.
const ROOTS: [(&str, &str, &[&str]); 4] = [
    ("HKLM", "HKEY_LOCAL_MACHINE", &["MACHINE"]),
    (
        "HKCR",
        "HKEY_CLASSES_ROOT",
        &["MACHINE", "Software", "Classes"],
    ),
    ("HKCU", "HKEY_CURRENT_USER", &["USER", "@"]),
    ("HKU", "HKEY_USERS", &["USER"]),
];

/// Reads the name of a key, `HKLM\Software\x`, for the user with the SID `user`; none when it is none.
#[must_use]
pub fn parse_key(text: &str, user: &str) -> Option<Vec<OsString>> {
    let mut names = text.split('\\').filter(|name| !name.is_empty());
    let root = names.next()?;
    let is = |name: &str| root.eq_ignore_ascii_case(name);
    let (_, _, path) = ROOTS
        .iter()
        .find(|(short, long, _)| is(short) || is(long))?;
    let own = |name: &&str| OsString::from(if *name == "@" { user } else { name });
    let mut all: Vec<_> = path.iter().map(own).collect();
    all.extend(names.map(OsString::from));
    Some(all)
}

/// The name of a key to people, the keys of the user with the SID `user` below `HKCU`.
#[must_use]
pub fn key_name(path: &[OsString], user: &str) -> String {
    let is = |at: usize, text: &str| {
        path.get(at)
            .is_some_and(|name| name.eq_ignore_ascii_case(text))
    };
    let (root, rest) = if is(0, "MACHINE") {
        ("HKLM", 1)
    } else if is(0, "USER") && is(1, user) {
        ("HKCU", 2)
    } else {
        ("HKU", 1)
    };
    joined(root, path.get(rest..).unwrap_or(&[]))
}

/// The name of a file to people.
#[must_use]
pub fn file_name(path: &[OsString]) -> String {
    let drive = path
        .first()
        .map(|drive| drive.to_string_lossy())
        .unwrap_or_default();
    joined(&format!("{drive}:"), path.get(1..).unwrap_or(&[]))
}

fn joined(root: &str, names: &[OsString]) -> String {
    let mut text = OsString::from(root);
    for name in names {
        text.push("\\");
        text.push(name);
    }
    text.to_string_lossy().into_owned()
}

/// The path as one text, `C\a\b`; none when it is no Unicode.
pub(super) fn text(path: &[OsString]) -> Option<String> {
    path.join(OsStr::new("\\")).into_string().ok()
}

/// The path that [`text`] made a text of.
pub(super) fn names(text: &str) -> Vec<OsString> {
    text.split('\\').map(OsString::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read() {
        let read = |text: &str| parse_file(text).and_then(|path| self::text(&path));
        assert_eq!(read(r"c:\a\b").as_deref(), Some(r"C\a\b"));
        assert_eq!(read(r"\\?\C:\a\.\x\..\b\").as_deref(), Some(r"C\a\b"));
        assert_eq!(read("C:/a").as_deref(), Some(r"C\a"));
        assert_eq!(read("C:").as_deref(), Some("C"));
        for bad in [
            "a",
            r"\a",
            "C:a",
            r"CD:\a",
            r"C:\..",
            "",
            r"1:\a",
            r"\\server\share",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn keys_are_read_and_told() {
        let user = "S-1-5";
        for (given, path, told) in [
            (
                r"HKLM\Software\x",
                r"MACHINE\Software\x",
                r"HKLM\Software\x",
            ),
            (r"hkey_current_user\a", r"USER\S-1-5\a", r"HKCU\a"),
            (r"HKU\.DEFAULT", r"USER\.DEFAULT", r"HKU\.DEFAULT"),
            (
                r"HKCR\.txt",
                r"MACHINE\Software\Classes\.txt",
                r"HKLM\Software\Classes\.txt",
            ),
        ] {
            let read = parse_key(given, user).unwrap();
            assert_eq!(text(&read).as_deref(), Some(path));
            assert_eq!(key_name(&read, user), told);
        }
        assert_eq!(parse_key(r"HKXX\a", user), None);
        assert_eq!(parse_key("", user), None);
    }

    #[test]
    fn what_is_selected() {
        let all = Selection::default();
        let path = |text: &str| names(text);
        assert_eq!(all.file(&path("C")), Chosen::Yes);
        let some = Selection {
            files: vec![path(r"C\a\b")],
            keys: vec![],
        };
        assert_eq!(some.file(&path(r"C\A")), Chosen::OnTheWay);
        assert_eq!(some.file(&path(r"C\a\B\c")), Chosen::Yes);
        assert_eq!(some.file(&path(r"C\a\bc")), Chosen::No);
    }
}
