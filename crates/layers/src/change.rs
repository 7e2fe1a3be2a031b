//! What must happen in the upper before a node is made, changed or taken away.

use crate::lookup::{Kind, Lookup, Tree, lookup_at, shown_below};

/// A stack whose upper can be changed.
pub trait Upper: Tree {
    /// Makes the upper's own directory at `depth`, with the attributes of the
    /// one in layer `like`. One that is there by now is no error.
    ///
    /// # Errors
    /// As the tree tells.
    fn make_directory(&mut self, depth: usize, like: usize) -> Result<(), Self::Error>;

    /// Sets the upper's whiteout for the whole path. One that is there is no
    /// error.
    ///
    /// # Errors
    /// As the tree tells.
    fn set_whiteout(&mut self) -> Result<(), Self::Error>;
}

/// Gives the upper all directories above the path; `false` when one of them is
/// not seen or is no directory.
///
/// # Errors
/// As the tree tells.
pub fn make_parents<T: Upper>(tree: &mut T) -> Result<bool, T::Error> {
    let depth = tree.depth();
    if depth < 2 {
        return Ok(true);
    }
    match tree.entry(0, depth - 1)? {
        Some(Kind::Directory) => return Ok(true),
        Some(Kind::Leaf) => return Ok(false),
        None => {}
    }
    let Lookup::Found {
        kind: Kind::Directory,
        ..
    } = lookup_at(tree, depth - 1)?
    else {
        return Ok(false);
    };
    for at in 1..depth {
        match lookup_at(tree, at)? {
            Lookup::Found {
                layer: 0,
                kind: Kind::Directory,
            } => {}
            Lookup::Found {
                layer,
                kind: Kind::Directory,
            } => tree.make_directory(at, layer)?,
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// Sees to it that the path is gone once the upper's own entry is. To be called
/// before the entry is taken away, or when there is none.
///
/// # Errors
/// As the tree tells.
pub fn hide<T: Upper>(tree: &mut T) -> Result<(), T::Error> {
    if shown_below(tree)? && make_parents(tree)? {
        tree.set_whiteout()?;
    }
    Ok(())
}
