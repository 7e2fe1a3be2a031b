//! A layer's keys, and the host's, by NT calls with counted names: names may hold zeros, and keys may be
//! links, which are told and never followed.

use std::ffi::OsString;

use super::name::{of_units, units};
use super::{Node, Said, Tree};
use crate::error::Result;
use crate::registry::{self, Info, is_missing, refused};
use crate::security::Security;
use pinion_names::key::{HIDDEN, LINK, MARK, ROOT, STAGED};

pub use crate::registry::KeyValue;

/// Where keys are.
#[derive(Debug, Clone)]
pub struct KeyTree {
    /// NT path of the key that mirrors `\REGISTRY`.
    root: Vec<u16>,
    host: bool,
}

/// One key as it lies in the registry.
#[derive(Debug, Clone)]
pub struct KeyNode {
    /// Its NT path.
    pub real: Vec<u16>,
    /// Its class, mostly empty.
    pub class: OsString,
    /// When it was written last: 100 ns since 1601.
    pub last_write: i64,
    /// Whether it is a symbolic link to another key.
    pub link: bool,
}

impl Node for KeyNode {
    fn is_directory(&self) -> bool {
        !self.link
    }
}

impl KeyNode {
    /// All values, the default one with an empty name, in the registry's order.
    ///
    /// # Errors
    /// The registry's refusal.
    pub fn values(&self) -> Result<Vec<KeyValue>> {
        registry::values(&self.real).map_err(|status| failed(&self.real, status))
    }

    /// Its list of rights; none where it tells none.
    pub(crate) fn security(&self) -> Result<Option<Security>> {
        Security::of_key(&self.real).map_err(|status| failed(&self.real, status))
    }
}

impl KeyTree {
    /// The layer whose key has this NT path ([`crate::registry::layer_path`]).
    #[must_use]
    pub fn layer(path: &str) -> Self {
        Self {
            root: path.encode_utf16().collect(),
            host: false,
        }
    }

    /// The host.
    #[must_use]
    pub fn host() -> Self {
        Self {
            root: ROOT.encode_utf16().collect(),
            host: true,
        }
    }

    /// The real path of `path`, below the tree `branch` of the layer.
    fn real(&self, branch: &str, path: &[OsString]) -> Vec<u16> {
        let mut real = self.root.clone();
        real.extend(branch.encode_utf16());
        for name in path {
            real.push(u16::from(b'\\'));
            real.extend(units(name));
        }
        real
    }

    /// The names of the keys below `real`; none when it is not there.
    fn children(real: &[u16]) -> Result<Vec<Vec<u16>>> {
        match registry::children(real) {
            Err(status) if is_missing(status) => Ok(Vec::new()),
            other => other.map_err(|status| failed(real, status)),
        }
    }

    fn at(real: Vec<u16>) -> Result<Option<KeyNode>> {
        match registry::info(&real) {
            Ok(info) => Ok(Some(node(real, info))),
            Err(status) if is_missing(status) => Ok(None),
            Err(status) => Err(failed(&real, status)),
        }
    }

    fn is_marked(real: &[u16], mark: &str) -> Result<bool> {
        match registry::has_value(real, mark) {
            Err(status) if is_missing(status) => Ok(false),
            other => other.map_err(|status| failed(real, status)),
        }
    }

    /// The node at `path`. In a layer a link is an ordinary key with a mark, so that the kernel does not
    /// follow it; whatever else has a link's value is none.
    fn node_at(&self, path: &[OsString]) -> Result<Option<KeyNode>> {
        let mut node = Self::at(self.real("", path))?;
        if let Some(node) = node.as_mut().filter(|node| node.link && !self.host) {
            node.link = Self::is_marked(&self.real(HIDDEN, path), LINK)?;
        }
        Ok(node)
    }

    /// Whether the host's key is the store's own, which no VM sees.
    fn is_closed(&self, path: &[OsString]) -> bool {
        const STORE: [&str; 2] = ["Software", "Pinion"];
        let tail = path.get(2..).unwrap_or(&[]);
        self.host
            && tail.len() == STORE.len()
            && tail
                .iter()
                .zip(STORE)
                .all(|(name, part)| name.eq_ignore_ascii_case(part))
    }
}

fn node(real: Vec<u16>, info: Info) -> KeyNode {
    KeyNode {
        real,
        class: of_units(&info.class),
        last_write: info.last_write,
        link: info.link,
    }
}

fn failed(real: &[u16], status: pinion_nt::NTSTATUS) -> crate::Error {
    refused("read", &String::from_utf16_lossy(real), status)
}

/// The trees that layers mirror; what else a layer's key has is no key of a VM.
const MIRRORED: [&str; 2] = ["MACHINE", "USER"];

impl Tree for KeyTree {
    type Node = KeyNode;

    fn list(&self, path: &[OsString]) -> Result<Vec<Said<KeyNode>>> {
        let mut all = Vec::new();
        let real = self.real("", path);
        for name in Self::children(&real)? {
            let mut below = path.to_vec();
            below.push(of_units(&name));
            let outside = path.is_empty() && !MIRRORED.iter().any(|tree| is_tree(&name, tree));
            if outside || name.starts_with(STAGED) || self.is_closed(&below) {
                continue;
            }
            // None: deleted between the listing and the look at it.
            if let Some(node) = self.node_at(&below)? {
                all.push(Said {
                    name: of_units(&name),
                    node: Some(node),
                    whiteout: false,
                });
            }
        }
        if self.host {
            return Ok(all);
        }
        for name in Self::children(&self.real(HIDDEN, path))? {
            let mut below = path.to_vec();
            below.push(of_units(&name));
            if Self::is_marked(&self.real(HIDDEN, &below), MARK)? {
                all.push(Said {
                    name: of_units(&name),
                    node: None,
                    whiteout: true,
                });
            }
        }
        Ok(all)
    }

    fn node(&self, path: &[OsString]) -> Result<Option<KeyNode>> {
        if self.is_closed(path) {
            return Ok(None);
        }
        self.node_at(path)
    }

    fn whiteout(&self, path: &[OsString]) -> Result<bool> {
        if self.host || path.is_empty() {
            return Ok(false);
        }
        Self::is_marked(&self.real(HIDDEN, path), MARK)
    }
}

fn is_tree(name: &[u16], tree: &str) -> bool {
    pinion_names::units::equals(name, tree)
}
