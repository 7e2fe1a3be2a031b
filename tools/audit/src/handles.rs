//! Owns what every handle of every process stands for. Follows creation, duplication, inheritance and closing;
//! it judges nothing.

use std::collections::HashMap;
use std::sync::Arc;

/// What a handle stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A named object, file or key, by its resolved name.
    Named {
        /// NT name.
        name: String,
        /// Unix path of a file.
        unix: Option<String>,
    },
    /// A process, by its id.
    Process(u32),
    /// A job, by the number that `members` gave it.
    Job(u32),
    /// Something without a name, or of which names are not followed.
    Other,
}

#[derive(Debug, Clone)]
struct Entry {
    target: Arc<Target>,
    inheritable: bool,
}

/// The handle tables of all processes.
#[derive(Debug, Clone, Default)]
pub struct Handles {
    tables: HashMap<u32, HashMap<u32, Entry>>,
}

impl Handles {
    /// `handle` of `pid` now stands for `target`. Handle 0 is none.
    pub fn insert(&mut self, pid: u32, handle: u32, target: Target, inheritable: bool) {
        self.insert_shared(pid, handle, Arc::new(target), inheritable);
    }

    /// The same, for a target that another handle stands for already.
    pub fn insert_shared(&mut self, pid: u32, handle: u32, target: Arc<Target>, inheritable: bool) {
        if handle != 0 {
            self.tables.entry(pid).or_default().insert(
                handle,
                Entry {
                    target,
                    inheritable,
                },
            );
        }
    }

    /// What `handle` of `pid` stands for; `None` if the log never said.
    pub fn get(&self, pid: u32, handle: u32) -> Option<Arc<Target>> {
        Some(self.tables.get(&pid)?.get(&handle)?.target.clone())
    }

    /// Will a child inherit it?
    pub fn inheritable(&self, pid: u32, handle: u32) -> bool {
        self.tables
            .get(&pid)
            .and_then(|table| table.get(&handle))
            .is_some_and(|entry| entry.inheritable)
    }

    /// Changes whether a child will inherit it.
    pub fn set_inheritable(&mut self, pid: u32, handle: u32, inheritable: bool) {
        if let Some(entry) = self
            .tables
            .get_mut(&pid)
            .and_then(|table| table.get_mut(&handle))
        {
            entry.inheritable = inheritable;
        }
    }

    /// Closes one handle.
    pub fn close(&mut self, pid: u32, handle: u32) {
        if let Some(table) = self.tables.get_mut(&pid) {
            table.remove(&handle);
        }
    }

    /// A child starts: it gets the inheritable handles of `parent` under the same values, all or those of `only`.
    pub fn start_process(&mut self, child: u32, parent: u32, inherit: bool, only: &[u32]) {
        let mut table = HashMap::new();
        if inherit && let Some(from) = self.tables.get(&parent) {
            let passed = |(handle, entry): &(&u32, &Entry)| {
                entry.inheritable && (only.is_empty() || only.contains(handle))
            };
            table.extend(
                from.iter()
                    .filter(passed)
                    .map(|(handle, entry)| (*handle, entry.clone())),
            );
        }
        self.tables.insert(child, table);
    }

    /// A process is gone.
    pub fn end_process(&mut self, pid: u32) {
        self.tables.remove(&pid);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Target {
        Target::Named {
            name: name.into(),
            unix: None,
        }
    }

    #[test]
    fn children_inherit_what_is_inheritable_and_listed() {
        let mut handles = Handles::default();
        handles.insert(1, 4, named("a"), true);
        handles.insert(1, 8, named("b"), false);
        handles.insert(1, 12, named("c"), true);
        handles.start_process(2, 1, true, &[]);
        assert!(
            handles.get(2, 4).is_some()
                && handles.get(2, 8).is_none()
                && handles.get(2, 12).is_some()
        );
        handles.start_process(3, 1, true, &[12]);
        assert!(handles.get(3, 4).is_none() && handles.get(3, 12).is_some());
        handles.start_process(4, 1, false, &[]);
        assert!(handles.get(4, 4).is_none());
        handles.set_inheritable(1, 8, true);
        handles.start_process(5, 1, true, &[]);
        assert!(handles.get(5, 8).is_some());
    }

    #[test]
    fn closed_handles_mean_nothing() {
        let mut handles = Handles::default();
        handles.insert(1, 4, named("a"), false);
        handles.close(1, 4);
        assert_eq!(handles.get(1, 4), None);
        handles.insert(1, 0, named("a"), false);
        assert_eq!(handles.get(1, 0), None);
    }
}
