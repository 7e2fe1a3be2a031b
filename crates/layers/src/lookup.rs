//! Finding which layer a path is seen in.

/// Whether a node can have nodes below it. A registry key always can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It can.
    Directory,
    /// It cannot.
    Leaf,
}

/// One path in every layer of a stack. Depth `d` means the path's first `d`
/// names; depth 0 is the layer's root, which every layer has.
pub trait Tree {
    /// What stops the work, such as an NTSTATUS.
    type Error;

    /// How many layers there are, the host included.
    fn layers(&self) -> usize;

    /// How many names the path has.
    fn depth(&self) -> usize;

    /// The entry that `layer` itself has at `depth`.
    ///
    /// # Errors
    /// As the tree tells.
    fn entry(&mut self, layer: usize, depth: usize) -> Result<Option<Kind>, Self::Error>;

    /// Whether `layer` has a whiteout for the name at `depth` (at least 1). Is
    /// never asked of the host.
    ///
    /// # Errors
    /// As the tree tells.
    fn whiteout(&mut self, layer: usize, depth: usize) -> Result<bool, Self::Error>;

    /// Whether it is known without a question that `layer` has no entry at `depth`
    /// and no leaf and no whiteout there or above. `false` only costs questions.
    fn is_silent(&self, _layer: usize, _depth: usize) -> bool {
        false
    }
}

/// Where a path is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// In this layer.
    Found {
        /// The topmost layer that has it.
        layer: usize,
        /// What it is there.
        kind: Kind,
    },
    /// Nowhere, but its parent is a directory that is seen.
    NoName,
    /// Nowhere, nor is its parent a directory that is seen.
    NoPath,
}

/// What one layer says of a path.
enum Word {
    /// It has an entry.
    Entry(Kind),
    /// It has none, and nothing below shows either.
    Hidden,
    /// It says nothing.
    Silent,
}

/// Finds the whole path.
///
/// # Errors
/// As the tree tells.
pub fn lookup<T: Tree>(tree: &mut T) -> Result<Lookup, T::Error> {
    let depth = tree.depth();
    lookup_at(tree, depth)
}

/// Finds the path's first `depth` names.
///
/// # Errors
/// As the tree tells.
pub fn lookup_at<T: Tree>(tree: &mut T, depth: usize) -> Result<Lookup, T::Error> {
    if let Some((layer, kind)) = seen(tree, 0, depth)? {
        return Ok(Lookup::Found { layer, kind });
    }
    let parent = match depth.checked_sub(1) {
        None => None,
        Some(depth) => seen(tree, 0, depth)?,
    };
    Ok(match parent {
        Some((_, Kind::Directory)) => Lookup::NoName,
        _ => Lookup::NoPath,
    })
}

/// The topmost of the layers from `first` on in which the path shows.
fn seen<T: Tree>(
    tree: &mut T,
    first: usize,
    depth: usize,
) -> Result<Option<(usize, Kind)>, T::Error> {
    for layer in first..tree.layers() {
        match word(tree, layer, depth)? {
            Word::Entry(kind) => return Ok(Some((layer, kind))),
            Word::Hidden => return Ok(None),
            Word::Silent => {}
        }
    }
    Ok(None)
}

/// What `layer` alone says: walks down from its root, and stops at the first
/// name of which it has no entry.
fn word<T: Tree>(tree: &mut T, layer: usize, depth: usize) -> Result<Word, T::Error> {
    if tree.is_silent(layer, depth) {
        return Ok(Word::Silent);
    }
    if let Some(kind) = tree.entry(layer, depth)? {
        return Ok(Word::Entry(kind));
    }
    if layer + 1 == tree.layers() {
        return Ok(Word::Silent);
    }
    // Where there is a directory, all above it are. Of two names the first alone
    // would be asked for.
    let above = depth.saturating_sub(1);
    let all_above = above > 1 && tree.entry(layer, above)? == Some(Kind::Directory);
    for at in 1..=depth {
        let entry = if at == depth {
            None
        } else if all_above {
            Some(Kind::Directory)
        } else {
            tree.entry(layer, at)?
        };
        if entry == Some(Kind::Leaf) || tree.whiteout(layer, at)? {
            return Ok(Word::Hidden);
        }
        if entry.is_none() {
            break;
        }
    }
    Ok(Word::Silent)
}

/// Whether `layer`, which has a directory at the path or has `none`, cuts off all
/// below it at or above the path.
fn cuts<T: Tree>(tree: &mut T, layer: usize, depth: usize, none: bool) -> Result<bool, T::Error> {
    if layer + 1 == tree.layers() {
        return Ok(true);
    }
    for at in 1..=depth {
        let entry = if none {
            tree.entry(layer, at)?
        } else {
            Some(Kind::Directory)
        };
        if entry == Some(Kind::Leaf) || tree.whiteout(layer, at)? {
            return Ok(true);
        }
        if entry.is_none() {
            return Ok(false);
        }
    }
    Ok(false)
}

/// Whether the path would show if the upper had no entry for it.
///
/// # Errors
/// As the tree tells.
pub fn shown_below<T: Tree>(tree: &mut T) -> Result<bool, T::Error> {
    let depth = tree.depth();
    for at in 1..=depth {
        let leaf = at < depth && tree.entry(0, at)? == Some(Kind::Leaf);
        if leaf || tree.whiteout(0, at)? {
            return Ok(false);
        }
    }
    Ok(seen(tree, 1, depth)?.is_some())
}

/// The layers whose nodes make up one directory, as a set of layer numbers
/// below 32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sources(u32);

impl Sources {
    /// The layer `layer`, below 32, alone.
    #[must_use]
    pub fn one(layer: usize) -> Self {
        Self(1_u32.checked_shl(layer as u32).unwrap_or(0))
    }

    /// Whether `layer` is one of them.
    #[must_use]
    pub fn contains(self, layer: usize) -> bool {
        layer < 32 && self.0 & 1 << layer != 0
    }

    /// The only one, if there is just one.
    #[must_use]
    pub fn only(self) -> Option<usize> {
        (self.0.count_ones() == 1).then_some(self.0.trailing_zeros() as usize)
    }

    /// Upper first.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        (0..32).filter(move |&layer| self.contains(layer))
    }
}

/// The layers that contribute to the directory at the path; none when no
/// directory is seen there.
///
/// # Errors
/// As the tree tells.
pub fn sources<T: Tree>(tree: &mut T) -> Result<Sources, T::Error> {
    let depth = tree.depth();
    let mut found = Sources::default();
    for layer in 0..tree.layers().min(32) {
        let entry = tree.entry(layer, depth)?;
        match entry {
            Some(Kind::Directory) => found.0 |= 1 << layer,
            Some(Kind::Leaf) => break,
            None => {}
        }
        if cuts(tree, layer, depth, entry.is_none())? {
            break;
        }
    }
    Ok(found)
}
