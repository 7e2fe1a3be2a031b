//! A layer's keys in the registry: read for an archive, written from one.

use std::ffi::OsString;
use std::io::Write;

use pinion_names::key::{HIDDEN, MARK};
use pinion_nt::NTSTATUS;

use super::keys::{Key, Name, Value, hex, unhex};
use crate::changes::{KeyNode, KeyTree, Tree, units};
use crate::error::{Error, Result};
use crate::registry::{create_at, refused, set_value};

/// Where the keys of one layer of an archive go.
pub(crate) struct Target {
    /// NT path of the layer's key.
    root: Vec<u16>,
    /// The SID of who exported, and of who imports: the former's keys become the latter's.
    users: (Vec<u16>, Vec<u16>),
}

impl Target {
    /// The layer whose key, which is there, has the NT path `root`.
    pub(super) fn new(root: &str, exporter: &str, importer: &str) -> Self {
        let wide = |text: &str| text.encode_utf16().collect();
        Self {
            root: wide(root),
            users: (wide(exporter), wide(importer)),
        }
    }

    /// Makes one key, or sets one whiteout.
    pub(super) fn key(&self, key: &Key) -> Result<()> {
        let mut names: Vec<Vec<u16>> = key.key.iter().map(Name::units).collect();
        self.adopt(&mut names);
        if key.hidden {
            let mut path = self.root.clone();
            path.extend(HIDDEN.encode_utf16());
            create(&path, &[])?;
            for name in &names {
                push(&mut path, name);
                create(&path, &[])?;
            }
            return set(&path, &MARK.encode_utf16().collect::<Vec<_>>(), 0, &[]);
        }
        let mut path = self.root.clone();
        for name in &names {
            push(&mut path, name);
        }
        let class = key.class.as_ref().map(Name::units).unwrap_or_default();
        create(&path, &class)?;
        for value in &key.values {
            let data = unhex(&value.data).unwrap_or_default();
            set(&path, &value.name.units(), value.kind, &data)?;
        }
        Ok(())
    }

    /// Makes the exporter's own keys the importer's: `USER\<SID>`, and `USER\<SID>_Classes`.
    fn adopt(&self, names: &mut [Vec<u16>]) {
        let (from, to) = &self.users;
        let (Some(tree), Some(user)) = (names.first().cloned(), names.get_mut(1)) else {
            return;
        };
        let classes: Vec<u16> = "_Classes".encode_utf16().collect();
        if tree != "USER".encode_utf16().collect::<Vec<_>>() || from.is_empty() {
            return;
        }
        if user == from {
            user.clone_from(to);
        } else if user.strip_prefix(&from[..]) == Some(&classes[..]) {
            *user = [&to[..], &classes].concat();
        }
    }
}

fn push(path: &mut Vec<u16>, name: &[u16]) {
    path.push(u16::from(b'\\'));
    path.extend(name);
}

fn failed(path: &[u16]) -> impl Fn(NTSTATUS) -> Error {
    move |status| refused("create", &String::from_utf16_lossy(path), status)
}

fn create(path: &[u16], class: &[u16]) -> Result<()> {
    create_at(path, class).map_err(failed(path))
}

fn set(path: &[u16], name: &[u16], kind: u32, data: &[u8]) -> Result<()> {
    set_value(path, name, kind, data).map_err(failed(path))
}

/// Writes the keys of the layer whose key has the NT path `root`.
pub(super) fn write(root: &str, out: &mut dyn Write) -> Result<()> {
    let mut judge = super::keys::Judge::default();
    each_key(root, &mut |key| {
        judge
            .check(key)
            .map_err(|why| not_exportable(&key.key, why))?;
        serde_json::to_writer(&mut *out, key).map_err(|e| super::temporary(e.into()))?;
        out.write_all(b"\n").map_err(super::temporary)
    })
}

/// Visits the keys and whiteouts of the layer whose key has the NT path `root`, a key before those below.
pub(crate) fn each_key(root: &str, visit: &mut dyn FnMut(&Key) -> Result<()>) -> Result<()> {
    below(&KeyTree::layer(root), &mut Vec::new(), visit)
}

fn not_exportable(names: &[Name], why: &str) -> Error {
    let names: Vec<_> = names
        .iter()
        .map(|name| String::from_utf16_lossy(&name.units()))
        .collect();
    Error::NotExportable {
        what: format!(r"the key \REGISTRY\{}", names.join("\\")),
        why: why.into(),
    }
}

fn below(
    tree: &KeyTree,
    at: &mut Vec<OsString>,
    visit: &mut dyn FnMut(&Key) -> Result<()>,
) -> Result<()> {
    for said in tree.list(at)? {
        at.push(said.name);
        let names = names(at);
        if said.whiteout {
            visit(&Key {
                key: names.clone(),
                hidden: true,
                class: None,
                values: Vec::new(),
            })?;
        }
        if let Some(node) = &said.node {
            visit(&key(names, node)?)?;
            below(tree, at, visit)?;
        }
        at.pop();
    }
    Ok(())
}

/// The names as archives have them: the tree's own in upper case.
fn names(at: &[OsString]) -> Vec<Name> {
    let mut names: Vec<_> = at.iter().map(|name| Name::new(&units(name))).collect();
    if let Some(Name::Text(tree)) = names.first_mut() {
        tree.make_ascii_uppercase();
    }
    names
}

fn key(key: Vec<Name>, node: &KeyNode) -> Result<Key> {
    if node.link {
        return Err(not_exportable(&key, "it is a link to another key"));
    }
    let class = units(&node.class);
    let values = node.values()?.into_iter().map(|value| Value {
        name: Name::new(&units(&value.name)),
        kind: value.kind,
        data: hex(&value.data),
    });
    Ok(Key {
        key,
        hidden: false,
        class: (!class.is_empty()).then(|| Name::new(&class)),
        values: values.collect(),
    })
}
