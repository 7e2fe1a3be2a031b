//! The plan for keys: what the upper says of each key, against what the host has there. The values of a
//! key are merged as one, and so is its list of rights.

mod field;
mod secrets;

pub(super) use field::{Field, whole};

use std::ffi::OsString;

use super::base::{self, Bases};
use super::plan::{Act, Conflict, Drop, Plan, Step, Verdict};
use super::select::{Chosen, Selection, key_name};
use crate::changes::{KeyNode, KeyTree, NodePath, Tree, Walk, What, units};
use crate::error::Result;
use crate::layer::Layer;
use crate::security::{self, Security};
use field::values_of;
use secrets::is_below;

const CHANGED: &str = "the host has changed its values since";
const DELETED: &str = "the host has deleted it since";
const APPEARED: &str = "the host has made one of that name since, or the VM never saw it";
const SECRETS: &str =
    "credentials and private keys are not merged: the host's are its own, which no VM sees";
const ABOVE_SECRETS: &str =
    "the host keeps credentials and private keys below it, which no VM sees, and would lose them";
const RIGHTS: &str = "the host has changed its rights since";

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
        secrets: secrets::all(&user),
        user,
        host: KeyTree::host(),
        usual: usual(upper)?,
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
        if let Some(why) = planner.endangers_secrets(&item.path, &item.what)? {
            if !matches!(item.what, What::Gone { implied: true }) {
                let name = planner.name(&item.path);
                planner.plan.left.push(Conflict { name, why });
            }
            left = Some(item.path);
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

/// See [`Planner::usual`].
fn usual(upper: &Layer) -> Result<u64> {
    let path: Vec<u16> = upper.keys()?.encode_utf16().collect();
    security::usual(&path).map_err(field::failed("read", &path))
}

struct Planner<'p> {
    bases: &'p Bases,
    plan: &'p mut Plan,
    user: String,
    /// The keys that hold secrets.
    secrets: Vec<NodePath>,
    host: KeyTree,
    /// The figure of the rights that a key of the upper has when nobody gave it others.
    usual: u64,
}

impl Planner<'_> {
    fn name(&self, path: &[OsString]) -> String {
        key_name(path, &self.user)
    }

    /// Why what the VM says of the key is left alone: it would take the place of secrets of the host's.
    fn endangers_secrets(
        &self,
        path: &NodePath,
        what: &What<KeyNode>,
    ) -> Result<Option<&'static str>> {
        if self.secrets.iter().any(|secret| is_below(path, secret)) {
            return Ok(Some(SECRETS));
        }
        let ends = match what {
            What::Gone { .. } => true,
            What::Here { node, .. } => node.link,
        };
        for secret in self.secrets.iter().filter(|_| ends) {
            if is_below(secret, path) && self.host.node(secret)?.is_some() {
                return Ok(Some(ABOVE_SECRETS));
            }
        }
        Ok(None)
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
        let mut why = None;
        // What is below a link is elsewhere.
        let children = if host.link {
            Vec::new()
        } else {
            self.host.list(path)?
        };
        for said in children {
            let Some(node) = said.node else { continue };
            let mut below = path.clone();
            below.push(said.name);
            why = self.removal(&below, &node, steps)?.or(why);
        }
        let key = names(path);
        steps.push(if host.link {
            Step::RemoveLink { key }
        } else {
            Step::RemoveKey { key }
        });
        Ok(why.or(match self.bases.key(path) {
            None => Some(APPEARED),
            Some(was) if was == figure(host)? => None,
            Some(_) => Some(CHANGED),
        }))
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
        let own = figure(node)?;
        let was = self.bases.key(path);
        let now = host.map(figure).transpose()?;
        let turned = host.is_some_and(|host| host.link != node.link);
        // Already there, or on the way to what is selected.
        let same = !turned && (now == Some(own) || now.is_some() && chosen == Chosen::OnTheWay);
        let mut why = match (was, now) {
            _ if same || was == Some(own) && !turned => None,
            (was, now) if was == now => None,
            (None, Some(_)) => Some(APPEARED),
            (Some(_), None) => Some(DELETED),
            _ => Some(CHANGED),
        };
        if let Some(host) = host.filter(|host| turned && !host.link) {
            // All below it goes, too.
            why = self.removal(path, host, &mut Vec::new())?.or(why);
        }
        let rights = self.rights(path, node, host.filter(|_| !turned), chosen)?;
        let verdict = self.plan.overrules(&name, why.or(rights.err()));
        let untouched = was == Some(own) && now.is_some() && !turned;
        let writes = verdict == Verdict::Merge && !same && !untouched;
        let protects = verdict == Verdict::Merge && rights != Ok(false);
        if writes || protects {
            let what = if now.is_some() { Act::Change } else { Act::Add };
            self.plan.change(what, name);
        }
        if writes {
            self.write(path, node, turned);
        }
        if protects {
            self.plan.steps.push(Step::WriteRights { key: names(path) });
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

    /// The steps that give the host the VM's key, where it has a link for a key or a key for a link when it
    /// has `turned`.
    fn write(&mut self, path: &NodePath, node: &KeyNode, turned: bool) {
        let key = names(path);
        if node.link {
            self.plan.steps.push(Step::WriteLink { key });
            return;
        }
        if turned {
            self.plan.steps.push(Step::RemoveLink { key: key.clone() });
        }
        self.plan.steps.push(Step::WriteKey { key });
    }

    /// Whether the host's key gets the rights of the VM's; or what stands against that.
    fn rights(
        &self,
        path: &NodePath,
        node: &KeyNode,
        host: Option<&KeyNode>,
        chosen: Chosen,
    ) -> Result<std::result::Result<bool, &'static str>> {
        let own = node.security()?.filter(Security::is_its_own);
        let Some(own) = own.filter(|_| chosen == Chosen::Yes) else {
            return Ok(Ok(false));
        };
        let Some(host) = host else {
            return Ok(Ok(own.figure() != self.usual));
        };
        let now = host.security()?.map_or(0, |now| now.figure());
        Ok(match self.bases.rights(path) {
            _ if now == own.figure() => Ok(false),
            // Nobody knows whether the VM has changed them.
            None => Ok(false),
            Some(was) if was == own.figure() => Ok(false),
            Some(was) if was == now => Ok(true),
            Some(_) => Err(RIGHTS),
        })
    }
}

fn names(path: &[OsString]) -> Vec<Vec<u16>> {
    path.iter().map(|name| units(name)).collect()
}

/// The figure of a key's values.
fn figure(node: &KeyNode) -> Result<u64> {
    values_of(&node.real)
}
