//! What layers say: a walk over the nodes that a stack of layers holds, with what shows below each.
//!
//! Files and keys alike. A walk has two stacks: the layers whose changes are wanted, and those below
//! them, down to the host. It reads only, and follows no link: layers are written by programs inside
//! VMs, which may have put anything there.
//!
//! ```text
//! Walk::new(vec![upper], vec![snapshot, host])     what a VM changed since its snapshot
//! Walk::new(vec![upper, snapshot], vec![host])     what a VM changed in all
//! Walk::new(vec![upper, snapshot, host], vec![])   what a program in the VM sees
//! ```

#[cfg(test)]
mod against_the_engine;
mod files;
#[cfg(windows)]
mod keys;
mod name;
mod stack;
mod walk;

pub use files::{FileKind, FileNode, FileTree};
#[cfg(windows)]
pub use keys::{KeyNode, KeyTree, KeyValue};
pub use name::fold;
#[cfg(windows)]
pub(crate) use name::units;
pub(crate) use name::{fold_units, upcase};
pub use stack::Stack;
pub use walk::{Item, Walk, What};

use std::ffi::OsString;

use crate::error::Result;

/// A path inside a VM as layers keep it, name by name: `C`, `dir`, `file`, or `MACHINE`, `Software`.
/// A name is any UTF-16 without a separator.
pub type NodePath = Vec<OsString>;

/// A file or a key.
pub trait Node: Clone {
    /// Whether a walk looks for nodes below it.
    fn is_directory(&self) -> bool;

    /// Whether a path may lead through it.
    fn is_passable(&self) -> bool {
        self.is_directory()
    }
}

/// What a tree says of one name in a directory: a node of its own, a whiteout, or both.
#[derive(Debug, Clone)]
pub struct Said<N> {
    /// The name.
    pub name: OsString,
    /// The tree's own node.
    pub node: Option<N>,
    /// Whether nothing of the trees below shows at or under the name.
    pub whiteout: bool,
}

/// One layer, or the host.
pub trait Tree {
    /// A file or a key.
    type Node: Node;

    /// What it says of the names in the directory `path`; nothing when it has no such directory. A name
    /// may come twice, once with its node and once with its whiteout.
    ///
    /// # Errors
    /// The directory is there and cannot be read.
    fn list(&self, path: &[OsString]) -> Result<Vec<Said<Self::Node>>>;

    /// Its own node at `path`.
    ///
    /// # Errors
    /// It cannot be told whether there is one.
    fn node(&self, path: &[OsString]) -> Result<Option<Self::Node>>;

    /// Whether its own node at a path is found without a look at the directories above it: it hides
    /// nothing, and follows what links there are.
    fn finds_directly(&self) -> bool {
        false
    }

    /// Whether it has a whiteout for `path`.
    ///
    /// # Errors
    /// It cannot be told.
    fn whiteout(&self, path: &[OsString]) -> Result<bool>;
}
