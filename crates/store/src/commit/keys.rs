//! The plan for keys, and its steps: what the upper says of each key, against what the host has there. The
//! values of a key are merged as one.

use std::ffi::OsString;

use pinion_names::key::{HIDDEN, MARK, ROOT};
use pinion_nt::NTSTATUS;
use pinion_wire::base::Values;

use super::base::{self, Bases};
use super::plan::{Act, Drop, Plan, Step, Verdict};
use super::select::{Chosen, Selection, key_name};
use crate::changes::{KeyNode, KeyTree, NodePath, Tree, Walk, What, units};
use crate::error::Result;
use crate::layer::Layer;
use crate::registry::{self, is_missing, refused};

const CHANGED: &str = "the host has changed its values since";
const DELETED: &str = "the host has deleted it since";
const APPEARED: &str = "the host has made one of that name since, or the VM never saw it";
const LINK: &str = "it is a link, and links are not merged";

/// Plans all that is selected.
pub(super) fn plan(
    upper: &Layer,
    bases: &Bases,
    selection: &Selection,
    plan: &mut Plan,
) -> Result<()> {
    let user = crate::archive::user()?;
    let mut planner = Planner {
        bases,
        plan,
        user,
        host: KeyTree::host(),
    };
    let mut left: Option<NodePath> = None;
    for item in Walk::new(vec![upper.key_tree()?], vec![KeyTree::host()]) {
        let item = item?;
        if left
            .as_ref()
            .is_some_and(|left| item.path.starts_with(left))
        {
            continue;
        }
        let chosen = selection.key(&item.path);
        if chosen == Chosen::No || item.path.len() < 2 {
            continue;
        }
        let below = item.below.as_ref();
        let verdict = match &item.what {
            What::Gone { .. } if chosen == Chosen::OnTheWay => Verdict::Merge,
            What::Gone { implied } => planner.gone(&item.path, below, *implied)?,
            What::Here { node, opaque, .. } => {
                planner.here(&item.path, node, below, chosen, *opaque)?
            }
        };
        if verdict != Verdict::Merge {
            left = Some(item.path);
        }
    }
    Ok(())
}

struct Planner<'p> {
    bases: &'p Bases,
    plan: &'p mut Plan,
    user: String,
    host: KeyTree,
}

impl Planner<'_> {
    fn name(&self, path: &[OsString]) -> String {
        key_name(path, &self.user)
    }

    fn gone(&mut self, path: &NodePath, host: Option<&KeyNode>, implied: bool) -> Result<Verdict> {
        let mut verdict = Verdict::Merge;
        if let Some(host) = host {
            let mut steps = Vec::new();
            let why = self.removal(path, host, &mut steps)?;
            let name = self.name(path);
            verdict = self.plan.overrules(&name, why);
            if verdict == Verdict::Merge {
                self.plan.steps.append(&mut steps);
                self.plan.change(Act::Delete, name);
            }
        }
        if verdict != Verdict::Leave && !implied {
            self.plan.drops.push(Drop::HiddenKey { key: names(path) });
            self.plan.rebased.push(base::key_line(path));
        }
        Ok(verdict)
    }

    /// The steps that delete the host's key, those below first; and what stands against it.
    fn removal(
        &mut self,
        path: &NodePath,
        host: &KeyNode,
        steps: &mut Vec<Step>,
    ) -> Result<Option<&'static str>> {
        self.plan.rebased.push(base::key_line(path));
        let mut why = host.link.then_some(LINK);
        if !host.link {
            for said in self.host.list(path)? {
                let Some(node) = said.node else { continue };
                let mut below = path.clone();
                below.push(said.name);
                why = self.removal(&below, &node, steps)?.or(why);
            }
            why = why.or(match self.bases.key(path) {
                None => Some(APPEARED),
                Some(was) if was == figure(host)? => None,
                Some(_) => Some(CHANGED),
            });
        }
        steps.push(Step::RemoveKey { key: names(path) });
        Ok(why)
    }

    fn here(
        &mut self,
        path: &NodePath,
        node: &KeyNode,
        host: Option<&KeyNode>,
        chosen: Chosen,
        opaque: bool,
    ) -> Result<Verdict> {
        let name = self.name(path);
        if node.link || host.is_some_and(|host| host.link) {
            self.plan.overrules(&name, Some(LINK));
            return Ok(Verdict::Leave);
        }
        let own = figure(node)?;
        let was = self.bases.key(path);
        let now = host.map(figure).transpose()?;
        // Already there, or on the way to what is selected.
        let same = now == Some(own) || now.is_some() && chosen == Chosen::OnTheWay;
        let why = match (was, now) {
            _ if same || was == Some(own) => None,
            (was, now) if was == now => None,
            (None, Some(_)) => Some(APPEARED),
            (Some(_), None) => Some(DELETED),
            _ => Some(CHANGED),
        };
        let verdict = self.plan.overrules(&name, why);
        let untouched = was == Some(own) && now.is_some();
        if verdict == Verdict::Merge && !same && !untouched {
            let what = if now.is_some() { Act::Change } else { Act::Add };
            self.plan.change(what, name);
            self.plan.steps.push(Step::WriteKey { key: names(path) });
        }
        if verdict != Verdict::Leave && chosen == Chosen::Yes {
            self.plan.drops.push(Drop::Key {
                key: names(path),
                values: own,
            });
            if opaque {
                self.plan.drops.push(Drop::HiddenKey { key: names(path) });
            }
            self.plan.rebased.push(base::key_line(path));
        }
        Ok(verdict)
    }
}

fn names(path: &[OsString]) -> Vec<Vec<u16>> {
    path.iter().map(|name| units(name)).collect()
}

/// The figure of a key's values.
fn figure(node: &KeyNode) -> Result<u64> {
    values_of(&node.real)
}

fn values_of(path: &[u16]) -> Result<u64> {
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

fn failed(what: &'static str, path: &[u16]) -> impl Fn(NTSTATUS) -> crate::Error {
    move |status| refused(what, &String::from_utf16_lossy(path), status)
}

/// Where the steps are taken.
pub(super) struct Field {
    /// NT path of the upper's key.
    upper: Vec<u16>,
}

/// The key of these names on the host.
pub(super) fn whole(key: &[Vec<u16>]) -> Vec<u16> {
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
    pub(super) fn new(upper: &Layer) -> Result<Self> {
        let upper = upper.keys()?.encode_utf16().collect();
        Ok(Self { upper })
    }

    fn own(&self, key: &[Vec<u16>]) -> Vec<u16> {
        below(self.upper.clone(), key)
    }

    /// Fails when the host's key, or the nearest above that is there, could not be changed.
    pub(super) fn check(&self, key: &[Vec<u16>]) -> Result<()> {
        for depth in (1..=key.len()).rev() {
            let path = whole(key.get(..depth).unwrap_or(key));
            match registry::may_change(&path, depth == key.len()) {
                Err(status) if is_missing(status) => (),
                other => return other.map_err(failed("change", &path)),
            }
        }
        Ok(())
    }

    pub(super) fn remove(&self, key: &[Vec<u16>]) -> Result<()> {
        let path = whole(key);
        match registry::delete(&path) {
            Err(status) if is_missing(status) => Ok(()),
            other => other.map_err(failed("delete", &path)),
        }
    }

    /// Gives the host's key the values of the upper's; nothing when the upper has it no more.
    pub(super) fn write(&self, key: &[Vec<u16>]) -> Result<()> {
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

    pub(super) fn host_values(&self, key: &[Vec<u16>]) -> Result<u64> {
        values_of(&whole(key))
    }

    pub(super) fn drop_key(&self, key: &[Vec<u16>], values: u64) -> Result<()> {
        let path = self.own(key);
        let children = match registry::children(&path) {
            Err(status) if is_missing(status) => return Ok(()),
            children => children.map_err(failed("read", &path))?,
        };
        if !children.is_empty() || values_of(&path)? != values {
            return Ok(());
        }
        registry::delete(&path).map_err(failed("delete", &path))
    }

    /// Takes the mark away, and the keys on the way to it that lead to no other.
    pub(super) fn drop_hidden(&self, key: &[Vec<u16>]) -> Result<()> {
        let mut root = self.upper.clone();
        root.extend(HIDDEN.encode_utf16());
        let path = below(root.clone(), key);
        let mark: Vec<u16> = MARK.encode_utf16().collect();
        match registry::delete_value(&path, &mark) {
            Err(status) if !is_missing(status) => return Err(failed("change", &path)(status)),
            _ => (),
        }
        for depth in (1..=key.len()).rev() {
            let path = below(root.clone(), key.get(..depth).unwrap_or(key));
            let empty = matches!(registry::children(&path), Ok(children) if children.is_empty())
                && matches!(registry::has_value(&path, MARK), Ok(false));
            if !empty || registry::delete(&path).is_err() {
                break;
            }
        }
        Ok(())
    }
}
