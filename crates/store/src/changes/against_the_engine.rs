//! The walk against the overlay's own engine, on random layers.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::ffi::OsString;

use pinion_layers::{Kind, Lookup};
use proptest::prelude::*;

use super::{Node, NodePath, Said, Tree, Walk, What};
use crate::error::Result;

/// A node in memory: a file or a directory, of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mem {
    layer: usize,
    directory: bool,
}

impl Node for Mem {
    fn is_directory(&self) -> bool {
        self.directory
    }
}

/// A layer: for each path its node and its whiteout. The host's has no whiteouts.
#[derive(Debug, Clone, Default)]
struct Layer(BTreeMap<NodePath, (Option<Mem>, bool)>);

impl Tree for Layer {
    type Node = Mem;

    fn list(&self, path: &[OsString]) -> Result<Vec<Said<Mem>>> {
        let below = |other: &NodePath| other.split_last().filter(|(_, up)| *up == path).is_some();
        let said = |(path, (node, whiteout)): (&NodePath, &(Option<Mem>, bool))| Said {
            name: path.last().cloned().unwrap_or_default(),
            node: *node,
            whiteout: *whiteout,
        };
        Ok(self.0.iter().filter(|(p, _)| below(p)).map(said).collect())
    }

    fn node(&self, path: &[OsString]) -> Result<Option<Mem>> {
        Ok(self.0.get(path).and_then(|(node, _)| *node))
    }

    fn whiteout(&self, path: &[OsString]) -> Result<bool> {
        Ok(self.0.get(path).is_some_and(|(_, whiteout)| *whiteout))
    }
}

/// One path in all layers, as the engine asks.
struct View<'a> {
    layers: &'a [Layer],
    path: &'a [OsString],
}

impl pinion_layers::Tree for View<'_> {
    type Error = Infallible;

    fn layers(&self) -> usize {
        self.layers.len() + 1
    }

    fn depth(&self) -> usize {
        self.path.len()
    }

    fn entry(
        &mut self,
        layer: usize,
        depth: usize,
    ) -> std::result::Result<Option<Kind>, Infallible> {
        if depth == 0 {
            return Ok(Some(Kind::Directory));
        }
        let node = self
            .layers
            .get(layer)
            .and_then(|l| l.node(&self.path[..depth]).unwrap());
        Ok(node.map(|node| {
            if node.directory {
                Kind::Directory
            } else {
                Kind::Leaf
            }
        }))
    }

    fn whiteout(&mut self, layer: usize, depth: usize) -> std::result::Result<bool, Infallible> {
        Ok(self.layers[layer].whiteout(&self.path[..depth]).unwrap())
    }
}

/// The layer in which the engine sees the path.
fn seen(layers: &[Layer], path: &[OsString]) -> Option<(usize, bool)> {
    match pinion_layers::lookup(&mut View { layers, path }).unwrap() {
        Lookup::Found { layer, kind } => Some((layer, kind == Kind::Directory)),
        _ => None,
    }
}

const NAMES: [&str; 3] = ["a", "b", "c"];

/// All paths of up to three names.
fn paths() -> Vec<NodePath> {
    let mut all: Vec<NodePath> = vec![Vec::new()];
    let mut at = 0;
    while at < all.len() {
        if all[at].len() < 3 {
            for name in NAMES {
                let mut path = all[at].clone();
                path.push(name.into());
                all.push(path);
            }
        }
        at += 1;
    }
    all.remove(0);
    all
}

/// A layer whose nodes stand in directories of its own, as on a disk.
fn layer(index: usize, host: bool) -> impl Strategy<Value = Layer> {
    let paths = paths();
    let said = proptest::collection::vec((0..5_u8, any::<bool>()), paths.len());
    said.prop_map(move |said| {
        let mut layer = Layer::default();
        for (path, (kind, whiteout)) in paths.iter().zip(said) {
            let up = &path[..path.len() - 1];
            let in_directory =
                up.is_empty() || layer.node(up).unwrap().is_some_and(|up| up.directory);
            if !in_directory {
                continue;
            }
            let node = (kind < 3).then_some(Mem {
                layer: index,
                directory: kind < 2,
            });
            layer
                .0
                .insert(path.clone(), (node, whiteout && kind != 0 && !host));
        }
        layer
    })
}

fn stack() -> impl Strategy<Value = (Vec<Layer>, usize)> {
    (1..5_usize).prop_flat_map(|count| {
        let layers: Vec<_> = (0..count).map(|i| layer(i, i + 1 == count)).collect();
        (layers, 1..=count)
    })
}

/// The engine has one more layer than the stack: the host must be the last.
fn over_nothing(layers: &[Layer], from: usize) -> Vec<Layer> {
    layers.get(from..).unwrap_or(&[]).to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_walk_over_all_layers_is_the_view((layers, _) in stack()) {
        let items: Vec<_> = Walk::new(layers.clone(), vec![]).map(Result::unwrap).collect();
        let found: BTreeMap<NodePath, usize> = items.iter().filter_map(|item| match &item.what {
            What::Here { layer, .. } => Some((item.path.clone(), *layer)),
            What::Gone { .. } => None,
        }).collect();
        for path in paths() {
            let expected = seen(&layers, &path).map(|(layer, _)| layer);
            prop_assert_eq!(found.get(&path).copied(), expected, "{:?}", path);
        }
        let distinct: BTreeSet<_> = items.iter().map(|item| &item.path).collect();
        prop_assert_eq!(distinct.len(), items.len());
    }

    #[test]
    fn items_are_what_differs_from_the_stack_below((layers, above) in stack()) {
        let below = over_nothing(&layers, above);
        let items: BTreeMap<NodePath, _> = Walk::new(layers[..above].to_vec(), below.clone())
            .map(|item| item.map(|item| (item.path, (item.what, item.below))).unwrap())
            .collect();
        for path in paths() {
            let full = seen(&layers, &path);
            let under = seen(&below, &path);
            match items.get(&path) {
                Some((What::Here { node, layer, opaque }, was)) => {
                    prop_assert_eq!(full, Some((*layer, node.directory)));
                    prop_assert_eq!(was.map(|w| (w.layer - above, w.directory)), under, "{:?}", path);
                    prop_assert!(!*opaque || node.directory);
                }
                Some((What::Gone { .. }, was)) => {
                    prop_assert_eq!(full, None);
                    prop_assert_eq!(was.map(|w| (w.layer - above, w.directory)), under, "{:?}", path);
                }
                // What is not told is as below, or is gone with a directory above it that is told.
                None => {
                    let gone_above = (1..path.len()).any(|depth| match items.get(&path[..depth]) {
                        Some((What::Gone { .. }, _)) => true,
                        Some((What::Here { node, .. }, _)) => !node.directory,
                        None => false,
                    });
                    if gone_above {
                        prop_assert_eq!(full, None);
                    } else {
                        prop_assert_eq!(full.map(|(l, d)| (l - above, d)), under, "{:?}", path);
                    }
                }
            }
        }
    }

    #[test]
    fn a_walk_from_a_directory_is_a_part_of_the_whole((layers, above) in stack(), which in 0..12_usize) {
        let below = over_nothing(&layers, above);
        let from = paths()[which].clone();
        let all = Walk::new(layers[..above].to_vec(), below.clone()).map(Result::unwrap);
        let told = |item: &super::Item<Mem>| (item.path.clone(), format!("{:?} {:?}", item.what, item.below));
        let part: Vec<_> = all.filter(|item| item.path.len() > from.len() && item.path.starts_with(&from))
            .map(|item| told(&item)).collect();
        let alone: Vec<_> = Walk::from(layers[..above].to_vec(), below, &from).unwrap()
            .map(Result::unwrap).map(|item| told(&item)).collect();
        let is_directory = matches!(
            Walk::new(layers[..above].to_vec(), vec![]).map(Result::unwrap).find(|item| item.path == from),
            Some(super::Item { what: What::Here { node, .. }, .. }) if node.directory
        );
        if is_directory {
            prop_assert_eq!(part, alone);
        }
    }
}
