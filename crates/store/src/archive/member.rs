//! The names in an archive: what each stands for, and which are refused.
//!
//! Pure. A path of a file is taken apart by `/` and each name judged as the strictest Windows would:
//! nothing that passes can lead out of its layer, name a device or a stream, or stand for a file that
//! Windows would find under another name.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use pinion_names::file::WHITEOUT;

/// The longest name of a file, in UTF-16 units.
const LONGEST_NAME: usize = 255;
/// The longest path in a layer, in UTF-16 units: NT's 32,767 without room for the store's own folder.
const LONGEST_PATH: usize = 32_000;
/// The deepest path: no file system's bound, but each folder costs a look.
const DEEPEST: usize = 1_000;

/// Why the path of a file in a layer, such as `C/a/b`, is refused; nothing when it is not.
pub(super) fn fault(path: &str) -> Option<&'static str> {
    let mut names = path.split('/');
    let drive = names.next().unwrap_or("");
    if !matches!(drive.as_bytes(), [b'A'..=b'Z']) {
        return Some("it is below no drive");
    }
    if path.encode_utf16().count() > LONGEST_PATH || path.split('/').count() > DEEPEST {
        return Some("it is too long");
    }
    names.find_map(name_fault)
}

/// Why one name below a drive is refused.
fn name_fault(name: &str) -> Option<&'static str> {
    match strip_mark(name) {
        None => plain_fault(name),
        Some(_) if !name.starts_with(WHITEOUT) => Some("its name is kept for layers"),
        Some(hidden) if hidden.is_empty() || strip_mark(hidden).is_some() => {
            Some("its name is kept for layers")
        }
        // The whiteout's own length is the agent's matter: it never makes one that is too long.
        Some(hidden) => plain_fault(hidden),
    }
}

/// What follows the mark of whiteouts, in any case.
fn strip_mark(name: &str) -> Option<&str> {
    let (mark, rest) = name.split_at_checked(WHITEOUT.len())?;
    mark.eq_ignore_ascii_case(WHITEOUT).then_some(rest)
}

/// Why a name cannot be that of a file on the strictest Windows; nothing when it can.
#[must_use]
pub fn plain_fault(name: &str) -> Option<&'static str> {
    const FORBIDDEN: [char; 8] = ['\\', ':', '*', '?', '"', '<', '>', '|'];
    if name.is_empty() || name == "." || name == ".." {
        return Some("it leads elsewhere");
    }
    if name.contains(FORBIDDEN) || name.chars().any(|c| c < ' ') {
        return Some("it has a character that names of files cannot have");
    }
    if name.ends_with(['.', ' ']) {
        return Some("it ends with a dot or a space");
    }
    if name.encode_utf16().count() > LONGEST_NAME {
        return Some("it is too long");
    }
    is_device(name).then_some("Windows keeps its name for a device")
}

/// Whether Windows takes the name, with any extension, for a device ("Naming Files, Paths, and Namespaces").
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end();
    let stem = stem.to_ascii_uppercase();
    if matches!(
        &stem[..],
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$"
    ) {
        return true;
    }
    let number = stem
        .strip_prefix("COM")
        .or_else(|| stem.strip_prefix("LPT"));
    let mut digits = number.unwrap_or("").chars();
    let digit = digits
        .next()
        .is_some_and(|c| c.is_ascii_digit() || "¹²³".contains(c));
    digit && digits.next().is_none()
}

/// Whether the path's last name is a whiteout.
pub(super) fn is_whiteout(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    strip_mark(name).is_some()
}

/// What may be below what, in one layer: the paths seen so far, as NT compares them.
#[derive(Debug, Default)]
pub(super) struct Tree {
    seen: HashMap<Vec<u16>, (String, bool)>,
}

impl Tree {
    /// Takes in a path of names, whose parts `/` separates in what is told, or says why it cannot be
    /// there: it is there already, perhaps in another case, or what it is in is not.
    pub(super) fn add(&mut self, path: &str, directory: bool) -> Result<(), &'static str> {
        if let Some((above, _)) = path.rsplit_once('/') {
            match self.seen.get(&folded(above)) {
                Some((spelt, true)) if spelt == above => {}
                Some((_, true)) => return Err("its folder is there in another case"),
                Some((_, false)) => return Err("it is in a file"),
                None => return Err("its folder does not come before it"),
            }
        }
        self.add_alone(path, directory)
    }

    /// The same, whatever it is in.
    pub(super) fn add_alone(&mut self, path: &str, directory: bool) -> Result<(), &'static str> {
        match self.seen.entry(folded(path)) {
            Entry::Occupied(before) if before.get().0 == path => Err("it is there twice"),
            Entry::Occupied(_) => Err("it is there twice, in different case"),
            Entry::Vacant(place) => {
                place.insert((path.to_owned(), directory));
                Ok(())
            }
        }
    }
}

fn folded(path: &str) -> Vec<u16> {
    crate::changes::fold(path.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn good_paths_pass() {
        for path in [
            "C",
            "C/a",
            "Z/Program Files/x.y.txt",
            "C/.hidden",
            "C/.wh.gone",
            "C/d/.wh..hidden",
            "C/com",
            "C/com10",
            "C/console",
            "C/nul0",
            "C/ä/日本",
            "C/...a",
            "C/a~1",
            "C/.whx",
            "C/lpt",
            "C/a.con",
        ] {
            assert_eq!(fault(path), None, "{path}");
        }
    }

    #[test]
    fn bad_paths_are_refused() {
        for path in [
            "",
            "c/a",
            "CD/a",
            "/C/a",
            "../C",
            "C/",
            "C//a",
            "C/..",
            "C/../x",
            "C/./x",
            "C/a/..",
            "C/a\\b",
            "C/a:b",
            "C/a::$DATA",
            "C/CON",
            "C/con.txt",
            "C/nul .x",
            "C/COM1",
            "C/lpt9.c.d",
            "C/com¹",
            "C/aux/x",
            "C/conin$",
            "C/a.",
            "C/a ",
            "C/ ",
            "C/.wh.",
            "C/.wh..wh.0011",
            "C/.wh..wh..opq",
            "C/.WH.x",
            "C/.wh.nul",
            "C/.wh...",
            "C/x\0",
            "C/x\n",
            "C/a*",
            "C/a?",
            "C/<",
            "C/|",
            "C/\"",
            "?/a",
            "1/a",
            ".wh.C",
            "C/.wh.a/b/..",
        ] {
            assert!(fault(path).is_some(), "{path:?}");
        }
        assert!(fault(&format!("C/{}", "x".repeat(256))).is_some());
        assert!(fault(&format!("C{}", "/x".repeat(DEEPEST))).is_some());
        assert!(fault(&format!("C{}", format!("/{}", "x".repeat(200)).repeat(200))).is_some());
    }

    #[test]
    fn a_tree_is_in_order_and_in_one_case() {
        let mut tree = Tree::default();
        assert_eq!(tree.add("C", true), Ok(()));
        assert_eq!(tree.add("C/Dir", true), Ok(()));
        assert_eq!(tree.add("C/Dir/a", false), Ok(()));
        assert_eq!(tree.add("C/Dir/.wh.a", false), Ok(()));
        for (path, directory) in [
            ("C/Dir/A", false),
            ("C/dir", true),
            ("C/dir/b", false),
            ("C/Dir/a/x", false),
            ("D/x", false),
            ("C/Dir/a", false),
        ] {
            assert!(tree.add(path, directory).is_err(), "{path}");
        }
    }

    proptest! {
        #[test]
        fn what_passes_stays_below_its_drive(path in "[C-D](/[a.:\\\\ Ccon\u{0}-\u{2f}]{0,4}){0,4}") {
            if fault(&path).is_none() {
                for name in path.split('/') {
                    prop_assert!(!name.is_empty() && name != "." && name != "..");
                    prop_assert!(!name.contains(['\\', ':', '\0']) && !name.ends_with(['.', ' ']));
                }
            }
        }
    }
}
