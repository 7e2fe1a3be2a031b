//! A layer's keys in the registry: read for an archive, written from one.

use std::cell::RefCell;
use std::ffi::OsString;
use std::io::Write;

use pinion_names::key::{HIDDEN, LINK, MARK};
use pinion_nt::{NTSTATUS, status};

use super::keys::{Key, Name, REG_LINK, Value, hex, unhex};
use crate::changes::{KeyNode, KeyTree, Tree, units};
use crate::error::{Error, Result};
use crate::registry::{create_at, refused, set_value};
use crate::security::{self, Security};

/// Where the keys of one layer of an archive go.
pub(crate) struct Target {
    /// NT path of the layer's key.
    root: Vec<u16>,
    /// The SID of who exported, and of who imports: the former's keys become the latter's.
    users: (String, String),
    /// The keys above the next one, each with its time of last write, which is given when all below it is
    /// there: a key that gets one more below it is written.
    above: RefCell<Vec<(Vec<u16>, i64)>>,
}

impl Drop for Target {
    fn drop(&mut self) {
        self.leave(&[]);
    }
}

impl Target {
    /// The layer whose key, which is there, has the NT path `root`.
    pub(super) fn new(root: &str, exporter: &str, importer: &str) -> Self {
        Self {
            root: root.encode_utf16().collect(),
            users: (exporter.to_owned(), importer.to_owned()),
            above: RefCell::default(),
        }
    }

    /// Gives their times to keys that nothing more comes below: all that are not above `next`.
    fn leave(&self, next: &[u16]) {
        let mut above = self.above.borrow_mut();
        while let Some((path, written)) = above.last() {
            let rest = next.strip_prefix(&path[..]);
            if rest.is_some_and(|rest| rest.first() == Some(&u16::from(b'\\'))) {
                return;
            }
            // Wine sets no times of keys; a key with the time of its making is a key all the same.
            let _ = crate::registry::set_written(path, *written);
            above.pop();
        }
    }

    /// Makes one key, or sets one whiteout.
    pub(super) fn key(&self, key: &Key) -> Result<()> {
        let mut names: Vec<Vec<u16>> = key.key.iter().map(Name::units).collect();
        self.adopt(&mut names);
        if key.hidden {
            return self.mark(&names, MARK);
        }
        if key.link {
            // Before the key is there: so it is never seen as anything else.
            self.mark(&[], LINK)?;
            self.mark(&names, LINK)?;
        }
        let mut path = self.root.clone();
        for name in &names {
            push(&mut path, name);
        }
        self.leave(&path);
        let class = key.class.as_ref().map(Name::units).unwrap_or_default();
        create(&path, &class)?;
        for value in &key.values {
            let mut data = unhex(&value.data).unwrap_or_default();
            if value.kind == REG_LINK {
                data = self.adopted_target(&data);
            }
            set(&path, &value.name.units(), value.kind, &data)?;
        }
        if let Some(text) = &key.security {
            self.protect(&path, text)?;
        }
        if let Some(written) = key.written {
            self.above.borrow_mut().push((path, written));
        }
        Ok(())
    }

    /// Says in the layer's tree of marks that the key of these names is hidden, or a link.
    fn mark(&self, names: &[Vec<u16>], mark: &str) -> Result<()> {
        let mut path = self.root.clone();
        path.extend(HIDDEN.encode_utf16());
        create(&path, &[])?;
        for name in names {
            push(&mut path, name);
            create(&path, &[])?;
        }
        set(&path, &mark.encode_utf16().collect::<Vec<_>>(), 0, &[])
    }

    /// Gives the key at `path` the rights that `text` grants.
    fn protect(&self, path: &[u16], text: &str) -> Result<()> {
        let (from, to) = &self.users;
        let security = Security::parse(&security::adopted(text, from, to));
        let security = security.ok_or_else(|| failed(path)(status::STATUS_INVALID_PARAMETER))?;
        security.give_key(path).map_err(failed(path))
    }

    /// Where a link leads, when it led to the exporter's own keys.
    fn adopted_target(&self, data: &[u8]) -> Vec<u8> {
        let pairs = data.chunks_exact(2);
        let units: Vec<u16> = pairs
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .collect();
        let (from, to) = &self.users;
        match String::from_utf16(&units) {
            Ok(target) => security::adopted(&target, from, to)
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect(),
            Err(_) => data.to_vec(),
        }
    }

    /// Makes the exporter's own keys the importer's: `USER\<SID>`, and `USER\<SID>_Classes`.
    fn adopt(&self, names: &mut [Vec<u16>]) {
        let units = |text: &str| text.encode_utf16().collect::<Vec<u16>>();
        let (from, to) = (units(&self.users.0), units(&self.users.1));
        let (Some(tree), Some(user)) = (names.first().cloned(), names.get_mut(1)) else {
            return;
        };
        let classes: Vec<u16> = "_Classes".encode_utf16().collect();
        if tree != "USER".encode_utf16().collect::<Vec<_>>() || from.is_empty() {
            return;
        }
        if *user == from {
            *user = to;
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
    let units: Vec<u16> = root.encode_utf16().collect();
    let usual = crate::security::usual(&units).map_err(failed(&units))?;
    below(&KeyTree::layer(root), &mut Vec::new(), usual, visit)
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

/// Visits what is below `at`; `usual` are the rights that keys of the layer have when nothing else is said.
fn below(
    tree: &KeyTree,
    at: &mut Vec<OsString>,
    usual: u64,
    visit: &mut dyn FnMut(&Key) -> Result<()>,
) -> Result<()> {
    for said in tree.list(at)? {
        at.push(said.name);
        let names = names(at);
        if said.whiteout {
            visit(&Key {
                key: names.clone(),
                hidden: true,
                link: false,
                security: None,
                class: None,
                written: None,
                values: Vec::new(),
            })?;
        }
        if let Some(node) = &said.node {
            visit(&key(names, node, usual)?)?;
            if !node.link {
                below(tree, at, usual, visit)?;
            }
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

fn key(key: Vec<Name>, node: &KeyNode, usual: u64) -> Result<Key> {
    let security = node.security()?;
    let security = security.filter(|own| own.is_its_own() && own.figure() != usual);
    let class = units(&node.class);
    let values = node.values()?.into_iter().map(|value| Value {
        name: Name::new(&units(&value.name)),
        kind: value.kind,
        data: hex(&value.data),
    });
    Ok(Key {
        key,
        hidden: false,
        link: node.link,
        security: security.and_then(|own| own.text()),
        class: (!class.is_empty()).then(|| Name::new(&class)),
        written: Some(node.last_write).filter(|&written| written > 0),
        values: values.collect(),
    })
}
