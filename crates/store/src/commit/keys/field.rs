//! The steps of a merge on keys. Each can be done again, and none goes through a link.

use pinion_names::key::{HIDDEN, LINK, MARK, ROOT};
use pinion_nt::NTSTATUS;
use pinion_wire::base::Values;

use crate::changes::units;
use crate::error::Result;
use crate::layer::Layer;
use crate::registry::{self, is_missing, refused};
use crate::security::Security;

/// The figure of the values of the key at `path`.
pub(super) fn values_of(path: &[u16]) -> Result<u64> {
    let mut figure = Values::default();
    for value in registry::values(path).map_err(failed("read", path))? {
        let name: Vec<u8> = units(&value.name)
            .iter()
            .flat_map(|unit| unit.to_le_bytes())
            .collect();
        figure.add(&name, value.kind, &value.data);
    }
    Ok(figure.get())
}

pub(super) fn failed(what: &'static str, path: &[u16]) -> impl Fn(NTSTATUS) -> crate::Error {
    move |status| refused(what, &String::from_utf16_lossy(path), status)
}

/// Where the steps are taken.
pub(in crate::commit) struct Field {
    /// NT path of the upper's key.
    upper: Vec<u16>,
}

/// The key of these names on the host.
pub(in crate::commit) fn whole(key: &[Vec<u16>]) -> Vec<u16> {
    below(ROOT.encode_utf16().collect(), key)
}

fn below(mut root: Vec<u16>, key: &[Vec<u16>]) -> Vec<u16> {
    for name in key {
        root.push(u16::from(b'\\'));
        root.extend(name);
    }
    root
}

impl Field {
    pub(in crate::commit) fn new(upper: &Layer) -> Result<Self> {
        let upper = upper.keys()?.encode_utf16().collect();
        Ok(Self { upper })
    }

    fn own(&self, key: &[Vec<u16>]) -> Vec<u16> {
        below(self.upper.clone(), key)
    }

    /// Fails when the host's key, or the nearest above that is there, could not be changed.
    pub(in crate::commit) fn check(&self, key: &[Vec<u16>]) -> Result<()> {
        for depth in (1..=key.len()).rev() {
            let path = whole(key.get(..depth).unwrap_or(key));
            match registry::may_change(&path, depth == key.len()) {
                Err(status) if is_missing(status) => (),
                other => return other.map_err(failed("change", &path)),
            }
        }
        Ok(())
    }

    pub(in crate::commit) fn remove(&self, key: &[Vec<u16>]) -> Result<()> {
        let path = whole(key);
        if Self::passes_a_link(key)? {
            return Ok(());
        }
        match registry::delete(&path) {
            Err(status) if is_missing(status) => Ok(()),
            other => other.map_err(failed("delete", &path)),
        }
    }

    /// Gives the host's key the values of the upper's; nothing when the upper has it no more.
    pub(in crate::commit) fn write(&self, key: &[Vec<u16>]) -> Result<()> {
        let (from, to) = (self.own(key), whole(key));
        let info = match registry::info(&from) {
            Err(status) if is_missing(status) => return Ok(()),
            info => info.map_err(failed("read", &from))?,
        };
        registry::create_at(&to, &info.class).map_err(failed("create", &to))?;
        let wanted = registry::values(&from).map_err(failed("read", &from))?;
        for value in registry::values(&to).map_err(failed("read", &to))? {
            let same = |other: &registry::KeyValue| {
                crate::changes::fold(&other.name) == crate::changes::fold(&value.name)
            };
            if !wanted.iter().any(same) {
                registry::delete_value(&to, &units(&value.name)).map_err(failed("change", &to))?;
            }
        }
        for value in wanted {
            registry::set_value(&to, &units(&value.name), value.kind, &value.data)
                .map_err(failed("change", &to))?;
        }
        Ok(())
    }

    /// Gives the host's key the time of last write that the upper's has. That is no content: what cannot be
    /// set stays.
    pub(in crate::commit) fn write_time(&self, key: &[Vec<u16>]) {
        if let Ok(info) = registry::info(&self.own(key)) {
            let _ = registry::set_written(&whole(key), info.last_write);
        }
    }

    /// Deletes the host's link, not what it leads to.
    pub(in crate::commit) fn remove_link(&self, key: &[Vec<u16>]) -> Result<()> {
        match registry::info(&whole(key)) {
            Ok(info) if info.link => self.remove(key),
            Err(status) if !is_missing(status) => Err(failed("read", &whole(key))(status)),
            _ => Ok(()),
        }
    }

    /// Makes the host's link lead where the upper's does; nothing when the upper has it no more.
    pub(in crate::commit) fn write_link(&self, key: &[Vec<u16>]) -> Result<()> {
        let (from, to) = (self.own(key), whole(key));
        let targets = match registry::values(&from) {
            Err(status) if is_missing(status) => return Ok(()),
            targets => targets.map_err(failed("read", &from))?,
        };
        match registry::info(&to) {
            Ok(info) if !info.link => remove_tree(&to)?,
            Err(status) if !is_missing(status) => return Err(failed("read", &to)(status)),
            _ => (),
        }
        registry::create_link_at(&to).map_err(failed("create", &to))?;
        for target in targets {
            registry::set_value(&to, &units(&target.name), target.kind, &target.data)
                .map_err(failed("change", &to))?;
        }
        Ok(())
    }

    /// Gives the host's key the rights of the upper's; nothing when one of them is there no more.
    pub(in crate::commit) fn write_rights(&self, key: &[Vec<u16>]) -> Result<()> {
        let (from, to) = (self.own(key), whole(key));
        let own = match Security::of_key(&from) {
            Err(status) if is_missing(status) => return Ok(()),
            own => own.map_err(failed("read", &from))?,
        };
        match own.map_or(Ok(()), |own| own.give_key(&to)) {
            Err(status) if !is_missing(status) => Err(failed("change", &to)(status)),
            _ => Ok(()),
        }
    }

    /// Fails when the rights of the host's key, if it is there, could not be changed.
    pub(in crate::commit) fn check_rights(&self, key: &[Vec<u16>]) -> Result<()> {
        const WRITE_DAC: u32 = 0x4_0000;
        match registry::open_itself(&whole(key), WRITE_DAC) {
            Err(status) if !is_missing(status) => Err(failed("change", &whole(key))(status)),
            _ => Ok(()),
        }
    }

    /// Whether a link stands by now where the way to the host's key was, so that the key is gone: what the
    /// link leads to is none of the merge's.
    fn passes_a_link(key: &[Vec<u16>]) -> Result<bool> {
        for depth in 2..key.len() {
            let path = whole(key.get(..depth).unwrap_or(key));
            match registry::info(&path) {
                Ok(info) if info.link => return Ok(true),
                Err(status) if !is_missing(status) => return Err(failed("read", &path)(status)),
                _ => (),
            }
        }
        Ok(false)
    }

    /// What the base of the host's key says of it now.
    pub(in crate::commit) fn host_figures(&self, key: &[Vec<u16>]) -> Result<[u64; 3]> {
        let path = whole(key);
        let security = Security::of_key(&path).map_err(failed("read", &path))?;
        let rights = security.map_or(0, |security| security.figure());
        Ok([0, rights, values_of(&path)?])
    }

    pub(in crate::commit) fn drop_key(&self, key: &[Vec<u16>], values: u64) -> Result<()> {
        let path = self.own(key);
        let children = match registry::children(&path) {
            Err(status) if is_missing(status) => return Ok(()),
            children => children.map_err(failed("read", &path))?,
        };
        if !children.is_empty() || values_of(&path)? != values {
            return Ok(());
        }
        registry::delete(&path).map_err(failed("delete", &path))?;
        self.drop_mark(key, LINK)
    }

    pub(in crate::commit) fn drop_hidden(&self, key: &[Vec<u16>]) -> Result<()> {
        self.drop_mark(key, MARK)
    }

    /// Takes the mark away, and the keys on the way to it that lead to no other.
    fn drop_mark(&self, key: &[Vec<u16>], mark: &str) -> Result<()> {
        let mut root = self.upper.clone();
        root.extend(HIDDEN.encode_utf16());
        let path = below(root.clone(), key);
        let mark: Vec<u16> = mark.encode_utf16().collect();
        match registry::delete_value(&path, &mark) {
            Err(status) if !is_missing(status) => return Err(failed("change", &path)(status)),
            _ => (),
        }
        for depth in (1..=key.len()).rev() {
            let path = below(root.clone(), key.get(..depth).unwrap_or(key));
            let empty = matches!(registry::children(&path), Ok(children) if children.is_empty())
                && [MARK, LINK]
                    .iter()
                    .all(|mark| matches!(registry::has_value(&path, mark), Ok(false)));
            if !empty || registry::delete(&path).is_err() {
                break;
            }
        }
        Ok(())
    }
}

/// Deletes the host's key with all below it; links among them, not what they lead to.
fn remove_tree(path: &[u16]) -> Result<()> {
    let info = match registry::info(path) {
        Err(status) if is_missing(status) => return Ok(()),
        info => info.map_err(failed("read", path))?,
    };
    let children = if info.link {
        Vec::new()
    } else {
        registry::children(path).map_err(failed("read", path))?
    };
    for name in children {
        remove_tree(&below(path.to_vec(), &[name]))?;
    }
    registry::delete(path).map_err(failed("delete", path))
}
