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
        let parts = self.parts(above)?.0;
        at.push(last.clone());
        Ok(self.here(&parts, &at)?.seen)
    }

    /// The trees that make up the directory `path`, and whether one of them cuts off what lies below.
    pub(super) fn parts(&self, path: &[OsString]) -> Result<(Vec<usize>, bool)> {
        let mut parts: Vec<usize> = (0..self.0.len()).collect();
        let mut cut = false;
        for depth in 1..=path.len() {
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
