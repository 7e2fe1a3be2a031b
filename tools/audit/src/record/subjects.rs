//! Owns what files and keys the calls of a thread are about, as the machine sees them: what the agent looks at by itself to
//! carry out such a call is about the same name, or about one above it.

use crate::names;
use crate::vms::{Vm, dos_path};
use std::collections::BTreeSet;

/// What the name of a copy under way begins with, of a file and of a key.
const UNDER_WAY: [&str; 3] = [".wh..wh.", "\u{fffe}pinion", "\u{ffff}pinion"];

/// `STATUS_OBJECT_NAME_NOT_FOUND`.
const NOT_FOUND: u32 = 0xC000_0034;

/// The whole name of what was asked for by the relative `name`, where the kernel was given `given`: that ends where the
/// first folder or key is missing. None where nothing tells how the two go together.
pub(super) fn completed(given: &str, name: &str, status: u32) -> Option<String> {
    if name.starts_with('\\') {
        return None;
    }
    let parts: Vec<&str> = name.split('\\').collect();
    // The last name that was there: links may have led elsewhere before it.
    let last = names::fold(given.rsplit('\\').next()?);
    let had = parts.iter().rposition(|part| names::fold(part) == last);
    if had.is_some_and(|had| had + 1 == parts.len()) {
        return None;
    }
    let tail = had.and_then(|had| Some(parts.get(had + 1..)?.join("\\")));
    // Nothing of the name is there: what the kernel was given is where it is relative to.
    let tail = tail.or_else(|| (status == NOT_FOUND).then(|| name.to_string()))?;
    Some(format!("{given}\\{tail}"))
}

/// The names that events of one machine are about, by thread.
pub(super) struct Subjects<'a> {
    vm: &'a Vm,
    names: BTreeSet<(u32, String)>,
}

impl<'a> Subjects<'a> {
    pub(super) fn new(vm: &'a Vm) -> Self {
        Subjects {
            vm,
            names: BTreeSet::new(),
        }
    }

    /// A call of this thread is about the file or key of this name; one that is relative tells nothing.
    pub(super) fn add(&mut self, tid: u32, name: &str) {
        let is_of_drive = name.get(1..3) == Some(r":\");
        if name.starts_with('\\') || is_of_drive {
            let seen = self.seen(name);
            self.names.insert((tid, seen));
        }
    }

    /// Whether a call of this thread is about the name, or about something below it.
    pub(super) fn has(&self, tid: u32, name: &str) -> bool {
        let seen = self.seen(name);
        let below = format!("{seen}\\");
        let mut next = self.names.range((tid, below.clone())..);
        self.names.contains(&(tid, seen))
            || next
                .next()
                .is_some_and(|(of, name)| *of == tid && name.starts_with(&below))
    }

    /// The name as the machine sees it: what lies in its layer stands for what it hides or takes the place of, a copy under
    /// way for the folder or key that it is made in.
    fn seen(&self, name: &str) -> String {
        let name = match name.rsplit_once('\\') {
            Some((above, last)) if UNDER_WAY.iter().any(|mark| last.starts_with(mark)) => above,
            _ => name,
        };
        let keys = &self.vm.registry_upper;
        if names::within(keys, name, true) {
            let below = name.get(keys.len()..).unwrap_or_default();
            return names::fold(&format!(r"\Registry{below}"));
        }
        let name = dos_path(name);
        let files = dos_path(&self.vm.files_upper);
        if !names::within(&files, &name, true) {
            return names::fold(name.trim_end_matches('\\'));
        }
        let below = name.get(files.len()..).unwrap_or_default();
        let (drive, path) = below
            .trim_start_matches('\\')
            .split_once('\\')
            .unwrap_or((below.trim_start_matches('\\'), ""));
        let path = path.replace(".wh.", "");
        let path = format!(r"{drive}:\{path}");
        names::fold(path.trim_end_matches('\\'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_name_is_completed_from_where_something_was_missing() {
        let whole = |given, name| completed(given, name, 0);
        let app = r"\Registry\User\S\Software\Wine\AppDefaults";
        assert_eq!(
            whole(app, r"appdefaults\a.exe"),
            Some(format!(r"{app}\a.exe"))
        );
        assert_eq!(
            whole(app, r"Wine\AppDefaults\a\b"),
            Some(format!(r"{app}\a\b"))
        );
        assert_eq!(whole(app, "AppDefaults"), None, "it is whole");
        assert_eq!(whole(app, r"Other\a.exe"), None);
        assert_eq!(whole(app, r"Defaults\a.exe"), None, "a part of a name");
        let linked = whole(app, r"Link\AppDefaults\a.exe");
        assert_eq!(linked, Some(format!(r"{app}\a.exe")), "through a link");
        let missing = |name| completed(app, name, NOT_FOUND);
        assert_eq!(missing("a.exe"), Some(format!(r"{app}\a.exe")));
        assert_eq!(missing(r"\a.exe"), None, "whole by itself");
        assert_eq!(missing("AppDefaults"), None);
    }

    #[test]
    fn what_lies_in_the_layer_stands_for_the_hosts() {
        let vm: Vm = serde_json::from_str(
            r#"{"name": "a", "object_directory": "\\d", "pipe_prefix": "p\\",
            "files_upper": "C:\\Pinion\\1", "registry_upper": "\\REGISTRY\\User\\S\\Pinion\\1"}"#,
        )
        .expect("a machine");
        let mut subjects = Subjects::new(&vm);
        subjects.add(1, r"\Registry\Machine\Software\A");
        subjects.add(1, r"\??\C:\windows\win.ini");
        subjects.add(1, "relative");
        for name in [
            r"\REGISTRY\User\S\Pinion\1\Machine\software\a",
            r"\REGISTRY\User\S\Pinion\1\Machine",
            r"\Registry\Machine\Software",
            r"\??\C:\Pinion\1\C\windows\.wh.win.ini",
            r"\??\C:\windows",
        ] {
            assert!(subjects.has(1, name), "{name}");
            assert!(!subjects.has(2, name), "{name}");
        }
        for name in [
            r"\Registry\Machine\Software\A\B",
            r"\Registry\Machine\Software\AB",
            r"\??\C:\windows\win.inix",
            r"\??\C:\Pinion\1\D\windows\win.ini",
            "relative",
        ] {
            assert!(!subjects.has(1, name), "{name}");
        }
    }
}
