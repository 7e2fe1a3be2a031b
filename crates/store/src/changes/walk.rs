//! The walk itself: directory by directory, names in NT's order, a directory before what is in it.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::stack::Here;
use super::{Node, NodePath, Said, Stack, Tree, fold};
use crate::error::Result;

/// One thing that the layers walked over say.
#[derive(Debug, Clone)]
pub struct Item<N> {
    /// Of which path.
    pub path: NodePath,
    /// What they say.
    pub what: What<N>,
    /// What shows there in the stack below; none when nothing does. So a node with none is an added one.
    pub below: Option<N>,
}

/// What layers say of a path.
#[derive(Debug, Clone)]
pub enum What<N> {
    /// They have a node.
    Here {
        /// The topmost.
        node: N,
        /// The index of its layer among those walked over.
        layer: usize,
        /// Nothing of the stack below shows under it, though it is a directory.
        opaque: bool,
    },
    /// Nothing of the stack below shows. It may have nothing there (`below`).
    Gone {
        /// No whiteout of the path itself says so, but that of a directory above it.
        implied: bool,
    },
}

/// An iterator over all that the layers above say, with what shows in the stack below. After an error
/// it goes on with the next directory.
#[derive(Debug)]
pub struct Walk<T: Tree> {
    above: Stack<T>,
    below: Stack<T>,
    frames: Vec<Frame<T::Node>>,
}

/// One directory under way.
#[derive(Debug)]
enum Frame<N> {
    /// Not listed yet.
    Fresh(Directory),
    /// What is left of it.
    Listed(std::vec::IntoIter<Step<N>>),
}

/// An item, and the directory to be listed next when it is one.
type Step<N> = (Item<N>, Option<Directory>);

/// A directory to be listed.
#[derive(Debug)]
struct Directory {
    path: NodePath,
    above: Vec<usize>,
    below: Vec<usize>,
    /// A layer above cuts off what lies below.
    cut: bool,
}

impl<T: Tree> Walk<T> {
    /// A walk over all that the layers `above` say, over the stack `below`.
    #[must_use]
    pub fn new(above: Vec<T>, below: Vec<T>) -> Self {
        let root = Directory {
            path: Vec::new(),
            above: (0..above.len()).collect(),
            below: (0..below.len()).collect(),
            cut: false,
        };
        Self {
            above: Stack::new(above),
            below: Stack::new(below),
            frames: vec![Frame::Fresh(root)],
        }
    }

    /// The same, of what is below the directory `path` only; nothing when none of the layers has it.
    ///
    /// # Errors
    /// As the trees tell.
    pub fn from(above: Vec<T>, below: Vec<T>, path: &[OsString]) -> Result<Self> {
        let mut walk = Self::new(above, below);
        let (above, cut) = walk.above.parts(path)?;
        let (below, _) = walk.below.parts(path)?;
        walk.frames = vec![Frame::Fresh(Directory {
            path: path.to_vec(),
            above,
            below,
            cut,
        })];
        Ok(walk)
    }

    /// What the directory has, item by item.
    fn list(&self, directory: &Directory) -> Result<Vec<Step<T::Node>>> {
        let mut names = BTreeMap::new();
        for &index in &directory.above {
            gather(&mut names, self.above.trees(), index, &directory.path)?;
        }
        let mut items = Vec::with_capacity(names.len());
        for (folded, said) in &names {
            let mut path = directory.path.clone();
            path.push(said.name.clone());
            let below = self.below.here(&directory.below, &path)?;
            items.extend(
                said.item(path, below, directory.cut)
                    .map(|item| (folded.clone(), item)),
            );
        }
        if directory.cut {
            self.add_implied(directory, &names, &mut items)?;
        }
        Ok(items.into_iter().map(|(_, item)| item).collect())
    }

    /// Adds what the stack below has in a directory that is cut off, and the layers do not name.
    fn add_implied(
        &self,
        directory: &Directory,
        named: &BTreeMap<Vec<u16>, Names<T::Node>>,
        items: &mut Vec<(Vec<u16>, Step<T::Node>)>,
    ) -> Result<()> {
        let mut below = BTreeMap::new();
        for &index in &directory.below {
            gather(&mut below, self.below.trees(), index, &directory.path)?;
        }
        for (folded, said) in below {
            let Some((_, node)) = said.here.seen else {
                continue;
            };
            if named.get(&folded).is_some_and(Names::says_something) {
                continue;
            }
            let mut path = directory.path.clone();
            path.push(said.name);
            let item = Item {
                path,
                what: What::Gone { implied: true },
                below: Some(node),
            };
            items.push((folded, (item, None)));
        }
        items.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(())
    }
}

impl<T: Tree> Iterator for Walk<T> {
    type Item = Result<Item<T::Node>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.frames.last_mut()? {
                Frame::Listed(items) => match items.next() {
                    None => drop(self.frames.pop()),
                    Some((item, directory)) => {
                        self.frames.extend(directory.map(Frame::Fresh));
                        return Some(Ok(item));
                    }
                },
                Frame::Fresh(_) => {
                    let Some(Frame::Fresh(directory)) = self.frames.pop() else {
                        return None;
                    };
                    match self.list(&directory) {
                        Ok(items) => self.frames.push(Frame::Listed(items.into_iter())),
                        Err(error) => return Some(Err(error)),
                    }
                }
            }
        }
    }
}

/// What several trees say of one name.
#[derive(Debug)]
struct Names<N> {
    name: OsString,
    here: Here<N>,
    ended: bool,
}

impl<N: Node> Names<N> {
    fn says_something(&self) -> bool {
        self.here.seen.is_some() || self.here.cut
    }

    /// What is told of the name; nothing when the layers say nothing after all.
    fn item(&self, path: NodePath, below: Here<N>, cut: bool) -> Option<Step<N>> {
        let (what, directory) = match &self.here.seen {
            Some((layer, node)) => {
                let directory = node.is_directory().then(|| Directory {
                    path: path.clone(),
                    above: self.here.parts.clone(),
                    below: below.parts,
                    cut: cut || self.here.cut,
                });
                let what = What::Here {
                    node: node.clone(),
                    layer: *layer,
                    opaque: self.here.cut && node.is_directory(),
                };
                (what, directory)
            }
            None if self.here.cut => (What::Gone { implied: false }, None),
            None => return None,
        };
        let below = below.seen.map(|(_, node)| node);
        Some((Item { path, what, below }, directory))
    }
}

/// Adds what the tree `index` says of the names in the directory `path`.
fn gather<T: Tree>(
    names: &mut BTreeMap<Vec<u16>, Names<T::Node>>,
    trees: &[T],
    index: usize,
    path: &[OsString],
) -> Result<()> {
    let Some(tree) = trees.get(index) else {
        return Ok(());
    };
    let mut own: BTreeMap<Vec<u16>, Said<T::Node>> = BTreeMap::new();
    for said in tree.list(path)? {
        let same = own.entry(fold(&said.name)).or_insert_with(|| Said {
            name: said.name.clone(),
            node: None,
            whiteout: false,
        });
        same.whiteout |= said.whiteout;
        if same.node.is_none() && said.node.is_some() {
            same.name = said.name;
            same.node = said.node;
        }
    }
    for (folded, said) in own {
        let all = names.entry(folded).or_insert_with(|| Names {
            name: said.name.clone(),
            here: Here::new(),
            ended: false,
        });
        if !all.ended {
            all.ended = all.here.add(index, said.node, || Ok(said.whiteout))?;
        }
    }
    Ok(())
}
