//! Which trees of a stack make up a directory, and what shows at a path.

use std::ffi::OsString;

use super::{Node, Tree};
use crate::error::Result;

/// Trees over one another, the topmost first.
#[derive(Debug, Clone)]
pub struct Stack<T>(Vec<T>);

/// What a stack has at one path.
#[derive(Debug, Clone)]
pub(super) struct Here<N> {
    /// What shows, and in which tree; none when nothing does.
    pub(super) seen: Option<(usize, N)>,
    /// The trees whose directories make up the one that shows, the topmost first.
    pub(super) parts: Vec<usize>,
    /// Whether what lies below the whole stack is cut off.
    pub(super) cut: bool,
}

impl<T: Tree> Stack<T> {
    /// The stack of these trees.
    #[must_use]
    pub fn new(trees: Vec<T>) -> Self {
        Self(trees)
    }

    /// The trees, the topmost first.
    #[must_use]
    pub fn trees(&self) -> &[T] {
        &self.0
    }

    /// What shows at `path`, and in which tree.
    ///
    /// # Errors
    /// As the trees tell.
    pub fn find(&self, path: &[OsString]) -> Result<Option<(usize, T::Node)>> {
        let Some((last, above)) = path.split_last() else {
            return Ok(None);
        };
        let mut at = above.to_vec();
        let parts = self.parts_of(above, true)?.0;
        at.push(last.clone());
        Ok(self.here(&parts, &at)?.seen)
    }

    /// The trees that make up the directory `path`, and whether one of them cuts off what lies below.
    pub(super) fn parts(&self, path: &[OsString]) -> Result<(Vec<usize>, bool)> {
        self.parts_of(path, false)
    }

    /// The same; with `is_lookup` it ends where one tree is left that finds all below by itself: most paths
    /// of a VM are the host's from their first directories on.
    fn parts_of(&self, path: &[OsString], is_lookup: bool) -> Result<(Vec<usize>, bool)> {
        let mut parts: Vec<usize> = (0..self.0.len()).collect();
        let mut cut = false;
        for depth in 1..=path.len() {
            let only = parts.first().filter(|_| is_lookup && parts.len() == 1);
            let only = only.and_then(|&index| self.0.get(index));
            if only.is_some_and(Tree::finds_directly) {
                break;
            }
            let here = self.here(&parts, path.get(..depth).unwrap_or(path))?;
            parts = here.parts;
            cut |= here.cut;
        }
        Ok((parts, cut))
    }

    /// What the trees `parts`, which make up the directory above, have at `path`.
    pub(super) fn here(&self, parts: &[usize], path: &[OsString]) -> Result<Here<T::Node>> {
        let mut here = Here::new();
        for &index in parts {
            let Some(tree) = self.0.get(index) else {
                continue;
            };
            let node = tree.node(path)?;
            let ends = here.add(index, node, || tree.whiteout(path))?;
            if ends {
                break;
            }
        }
        Ok(here)
    }
}

impl<N: Node> Here<N> {
    pub(super) fn new() -> Self {
        Self {
            seen: None,
            parts: Vec::new(),
            cut: false,
        }
    }

    /// Takes in what the next tree below says; whether that is the end.
    pub(super) fn add(
        &mut self,
        index: usize,
        node: Option<N>,
        whiteout: impl FnOnce() -> Result<bool>,
    ) -> Result<bool> {
        if let Some(node) = node {
            let passable = node.is_passable();
            if self.seen.is_none() {
                self.seen = Some((index, node));
                self.cut = !passable;
            } else {
                // A file below a directory hides what is still lower.
                self.cut |= !passable;
            }
            if self.cut {
                return Ok(true);
            }
            self.parts.push(index);
        }
        self.cut |= whiteout()?;
        Ok(self.cut)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::changes::Said;

    /// Directories and files (`true` and `false`) by their paths, and how often they were looked for.
    struct Mem {
        nodes: Vec<(&'static str, bool)>,
        gone: Vec<&'static str>,
        is_host: bool,
        asked: Cell<usize>,
    }

    impl Node for bool {
        fn is_directory(&self) -> bool {
            *self
        }
    }

    fn path(text: &str) -> Vec<OsString> {
        text.split('/').map(OsString::from).collect()
    }

    impl Tree for Mem {
        type Node = bool;

        fn list(&self, _path: &[OsString]) -> Result<Vec<Said<bool>>> {
            Ok(Vec::new())
        }

        fn node(&self, at: &[OsString]) -> Result<Option<bool>> {
            self.asked.set(self.asked.get() + 1);
            let mut nodes = self.nodes.iter();
            Ok(nodes
                .find(|(name, _)| path(name) == at)
                .map(|(_, kind)| *kind))
        }

        fn finds_directly(&self) -> bool {
            self.is_host
        }

        fn whiteout(&self, at: &[OsString]) -> Result<bool> {
            Ok(self.gone.iter().any(|name| path(name) == at))
        }
    }

    #[test]
    fn what_only_the_host_has_is_looked_for_directly_and_what_is_hidden_not_found() {
        let dirs =
            |names: &[&'static str]| names.iter().map(|name| (*name, true)).collect::<Vec<_>>();
        let mut host = dirs(&["C", "C/a", "C/a/b", "C/a/b/c", "C/gone", "C/both"]);
        host.extend([
            ("C/a/b/c/x", false),
            ("C/gone/x", false),
            ("C/both/x", false),
        ]);
        let mut own = dirs(&["C", "C/both"]);
        own.push(("C/both/own", false));
        let mem = |nodes, gone: &[&'static str], is_host| Mem {
            nodes,
            gone: gone.to_vec(),
            is_host,
            asked: Cell::new(0),
        };
        let stack = Stack::new(vec![mem(own, &["C/gone"], false), mem(host, &[], true)]);
        let found = |text| {
            stack
                .find(&path(text))
                .expect("no error")
                .map(|(tree, _)| tree)
        };
        assert_eq!(found("C/both/own"), Some(0));
        assert_eq!(found("C/both/x"), Some(1));
        assert_eq!(found("C/gone/x"), None);
        assert_eq!(found("C/a/b/c/none"), None);
        stack.trees().iter().for_each(|tree| tree.asked.set(0));
        assert_eq!(found("C/a/b/c/x"), Some(1));
        let asked: Vec<usize> = stack.trees().iter().map(|tree| tree.asked.get()).collect();
        assert_eq!(
            asked,
            [2, 3],
            "two directories, and the file of the host alone"
        );
    }
}
