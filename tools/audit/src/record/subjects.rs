//! Owns what files and keys the calls of a thread are about, as the machine sees them: what the agent looks at by itself to
//! carry out such a call is about the same name, or about one above it.

use crate::names;
use crate::vms::{Vm, dos_path};
use std::collections::BTreeSet;

/// What the name of a copy under way begins with, of a file and of a key.
const UNDER_WAY: [&str; 3] = [".wh..wh.", "\u{fffe}pinion", "\u{ffff}pinion"];

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
