//! Random operations on a stack of layers, against one plain tree.

use pinion_layers::{Kind, Lookup, Rank, Tree, Upper, hide, lookup, make_parents, merge, sources};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

type Path = Vec<u8>;
type Node = Option<u32>;

/// One layer: entries (`None` is a directory, `Some` a leaf's content) and
/// whiteouts.
#[derive(Clone, Default, Debug)]
struct Layer {
    entries: BTreeMap<Path, Node>,
    whiteouts: BTreeSet<Path>,
}

#[derive(Clone, Debug)]
struct Stack(Vec<Layer>);

struct At<'s> {
    stack: &'s mut Stack,
    path: &'s [u8],
}

fn kind(node: Node) -> Kind {
    if node.is_none() {
        Kind::Directory
    } else {
        Kind::Leaf
    }
}

impl Tree for At<'_> {
    type Error = ();
    fn layers(&self) -> usize {
        self.stack.0.len()
    }
    fn depth(&self) -> usize {
        self.path.len()
    }
    fn entry(&mut self, layer: usize, depth: usize) -> Result<Option<Kind>, ()> {
        if depth == 0 {
            return Ok(Some(Kind::Directory));
        }
        Ok(self.stack.0[layer]
            .entries
            .get(&self.path[..depth])
            .copied()
            .map(kind))
    }
    fn whiteout(&mut self, layer: usize, depth: usize) -> Result<bool, ()> {
        assert!(layer + 1 < self.stack.0.len(), "the host has no whiteouts");
        Ok(self.stack.0[layer].whiteouts.contains(&self.path[..depth]))
    }
    /// Known of every other layer.
    fn is_silent(&self, layer: usize, depth: usize) -> bool {
        let its = &self.stack.0[layer];
        let leaf = |at: usize| matches!(its.entries.get(&self.path[..at]), Some(Some(_)));
        let speaks = |at: usize| leaf(at) || its.whiteouts.contains(&self.path[..at]);
        layer % 2 == 1 && !its.entries.contains_key(&self.path[..depth]) && !(1..=depth).any(speaks)
    }
}

impl Upper for At<'_> {
    fn make_directory(&mut self, depth: usize, like: usize) -> Result<(), ()> {
        assert_eq!(
            self.stack.0[like].entries.get(&self.path[..depth]),
            Some(&None)
        );
        self.stack.0[0]
            .entries
            .insert(self.path[..depth].to_vec(), None);
        Ok(())
    }
    fn set_whiteout(&mut self) -> Result<(), ()> {
        self.stack.0[0].whiteouts.insert(self.path.to_vec());
        Ok(())
    }
}

impl Stack {
    fn at<'s>(&'s mut self, path: &'s [u8]) -> At<'s> {
        At { stack: self, path }
    }

    fn get(&mut self, path: &[u8]) -> Option<Node> {
        if path.is_empty() {
            return Some(None);
        }
        match lookup(&mut self.at(path)).unwrap() {
            Lookup::Found { layer, .. } => Some(self.0[layer].entries[path]),
            _ => None,
        }
    }

    fn list(&mut self, path: &[u8]) -> Vec<u8> {
        let sources = sources(&mut self.at(path)).unwrap();
        let mut listed = Vec::new();
        let child = |p: &Path| p.len() == path.len() + 1 && p.starts_with(path);
        for layer in sources.iter() {
            let from = &self.0[layer];
            listed.extend(from.entries.keys().filter(|p| child(p)).map(|p| {
                (
                    *p.last().unwrap(),
                    Rank {
                        layer,
                        whiteout: false,
                    },
                )
            }));
            listed.extend(from.whiteouts.iter().filter(|p| child(p)).map(|p| {
                (
                    *p.last().unwrap(),
                    Rank {
                        layer,
                        whiteout: true,
                    },
                )
            }));
        }
        let seen = merge(&mut listed, &mut [], |a, b| a.0.cmp(&b.0), |e| e.1);
        listed[..seen].iter().map(|e| e.0).collect()
    }

    fn put(&mut self, path: &[u8], node: Node) -> bool {
        let allowed = matches!((self.get(path), node), (None, _) | (Some(Some(_)), Some(_)));
        if !allowed || !make_parents(&mut self.at(path)).unwrap() {
            return false;
        }
        self.0[0].entries.insert(path.to_vec(), node);
        true
    }

    fn delete(&mut self, path: &[u8]) -> bool {
        let Some(node) = self.get(path) else {
            return false;
        };
        if node.is_none() && !self.list(path).is_empty() {
            return false;
        }
        hide(&mut self.at(path)).unwrap();
        let upper = &mut self.0[0];
        upper.entries.remove(path);
        upper
            .whiteouts
            .retain(|p| p.len() <= path.len() || !p.starts_with(path));
        true
    }

    /// A snapshot: the upper becomes read-only under a fresh one.
    fn snapshot(&mut self) {
        if self.0.len() < 6 {
            self.0.insert(0, Layer::default());
        }
    }
}

/// The same operations on one plain tree.
#[derive(Clone, Debug, Default)]
struct Plain(BTreeMap<Path, Node>);

impl Plain {
    fn get(&self, path: &[u8]) -> Option<Node> {
        if path.is_empty() {
            Some(None)
        } else {
            self.0.get(path).copied()
        }
    }
    fn list(&self, path: &[u8]) -> Vec<u8> {
        self.0
            .keys()
            .filter(|p| p.len() == path.len() + 1 && p.starts_with(path))
            .map(|p| *p.last().unwrap())
            .collect()
    }
    fn put(&mut self, path: &[u8], node: Node) -> bool {
        let parent = self.get(&path[..path.len() - 1]) == Some(None);
        let allowed = matches!((self.get(path), node), (None, _) | (Some(Some(_)), Some(_)));
        if parent && allowed {
            self.0.insert(path.to_vec(), node);
        }
        parent && allowed
    }
    fn delete(&mut self, path: &[u8]) -> bool {
        let gone = self
            .get(path)
            .is_some_and(|n| n.is_some() || self.list(path).is_empty());
        if gone {
            self.0.remove(path);
        }
        gone
    }
}

#[derive(Clone, Debug)]
enum Step {
    Put(Path, Node),
    Delete(Path),
    Snapshot,
}

fn path() -> impl Strategy<Value = Path> {
    proptest::collection::vec(0_u8..3, 1..5)
}

fn node() -> impl Strategy<Value = Node> {
    prop_oneof![Just(None), Just(None), any::<u32>().prop_map(Some)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (path(), node()).prop_map(|(p, n)| Step::Put(p, n)),
        5 => path().prop_map(Step::Delete),
        1 => Just(Step::Snapshot),
    ]
}

fn all_paths() -> Vec<Path> {
    let mut paths = vec![vec![]];
    let mut from = 0;
    for _ in 0..4 {
        let to = paths.len();
        for i in from..to {
            for name in 0..3 {
                let mut path: Path = paths[i].clone();
                path.push(name);
                paths.push(path);
            }
        }
        from = to;
    }
    paths
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn a_stack_is_seen_as_one_tree(
        host in proptest::collection::vec((path(), node()), 0..25),
        steps in proptest::collection::vec(step(), 0..60),
    ) {
        let mut plain = Plain::default();
        for (path, node) in host {
            plain.put(&path, node);
        }
        let host = Layer { entries: plain.0.clone(), ..Layer::default() };
        let mut stack = Stack(vec![Layer::default(), host.clone()]);
        for step in steps {
            match step {
                Step::Put(path, node) => prop_assert_eq!(stack.put(&path, node), plain.put(&path, node)),
                Step::Delete(path) => prop_assert_eq!(stack.delete(&path), plain.delete(&path)),
                Step::Snapshot => stack.snapshot(),
            }
        }
        for path in all_paths() {
            prop_assert_eq!(stack.get(&path), plain.get(&path), "{:?}", path);
            if plain.get(&path) == Some(None) {
                prop_assert_eq!(stack.list(&path), plain.list(&path), "{:?}", path);
            }
        }
        prop_assert_eq!(&stack.0.last().unwrap().entries, &host.entries);
    }
}
