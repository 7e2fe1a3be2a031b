//! The plan for files: what the upper says of each path, against what the host has there.

use std::ffi::OsString;

use super::base::{self, Bases};
use super::links::Links;
use super::plan::{Act, Drop, Plan, Step, Verdict};
use super::select::{Chosen, Selection, file_name, text};
use crate::changes::{FileKind, FileNode, FileTree, Item, Node, NodePath, Tree, Walk, What};
use crate::error::{Error, Result};
use crate::facts::Facts;

/// The attributes that a program can change: read-only, hidden, system, archive, temporary, offline, not
/// content indexed.
const SETTABLE: u32 = 0x3127;

const CHANGED: &str = "the host has changed it since";
const DELETED: &str = "the host has deleted it since";
const APPEARED: &str = "the host has made one of that name since, or the VM never saw it";
const LINK: &str = "it is a link, and links are not merged";

/// The two trees of a merge.
pub(super) struct Sides {
    pub(super) upper: FileTree,
    pub(super) host: FileTree,
}

/// Plans all that is selected.
pub(super) fn plan(
    sides: &Sides,
    bases: &Bases,
    selection: &Selection,
    plan: &mut Plan,
) -> Result<()> {
    let mut planner = Planner {
        sides,
        bases,
        plan,
        links: Links::default(),
    };
    let mut left: Option<NodePath> = None;
    for item in Walk::new(vec![sides.upper.clone()], vec![sides.host.clone()]) {
        let item = item?;
        // What is in a directory that is not merged is not merged either.
        if left
            .as_ref()
            .is_some_and(|left| item.path.starts_with(left))
        {
            continue;
        }
        let chosen = selection.file(&item.path);
        if item.path.len() < 2 || chosen == Chosen::No {
            continue;
        }
        if planner.item(&item, chosen)? != Verdict::Merge {
            left = Some(item.path);
        }
    }
    let Planner { plan, links, .. } = planner;
    links.settle(plan);
    Ok(())
}

struct Planner<'p> {
    sides: &'p Sides,
    bases: &'p Bases,
    plan: &'p mut Plan,
    links: Links,
}

impl Planner<'_> {
    fn item(&mut self, item: &Item<FileNode>, chosen: Chosen) -> Result<Verdict> {
        let path = &item.path;
        match &item.what {
            What::Gone { .. } if chosen == Chosen::OnTheWay => Ok(Verdict::Merge),
            What::Gone { implied } => self.gone(path, item.below.as_ref(), *implied),
            What::Here { node, opaque, .. } => match node.kind {
                FileKind::Directory => {
                    self.directory(path, node, item.below.as_ref(), chosen, *opaque)
                }
                FileKind::File if chosen == Chosen::OnTheWay => Ok(Verdict::Merge),
                FileKind::File => self.file(path, node, item.below.as_ref()),
                FileKind::Link { .. } => Ok(self
                    .plan
                    .overrules(&file_name(path), Some(LINK))
                    .without_links()),
            },
        }
    }

    /// A whiteout of the VM's.
    fn gone(&mut self, path: &NodePath, host: Option<&FileNode>, implied: bool) -> Result<Verdict> {
        let mut verdict = Verdict::Merge;
        if let Some(host) = host {
            verdict = self.remove(path, host, true)?;
        }
        if verdict != Verdict::Leave && !implied {
            self.plan.drops.push(Drop::Whiteout {
                path: unicode(path)?,
            });
            self.plan.rebased.push(base::file_line(path));
        }
        Ok(verdict)
    }

    /// Plans the deletion of what the host has at `path`.
    fn remove(&mut self, path: &NodePath, host: &FileNode, tell: bool) -> Result<Verdict> {
        let mut steps = Vec::new();
        let why = self.removal(path, host, &mut steps)?;
        let verdict = self.plan.overrules(&file_name(path), why);
        if verdict == Verdict::Merge {
            self.plan.steps.append(&mut steps);
            if tell {
                self.plan.change(Act::Delete, file_name(path));
            }
        }
        Ok(verdict)
    }

    /// The steps that delete what the host has at `path`, what is in a directory first; and what stands
    /// against it.
    fn removal(
        &mut self,
        path: &NodePath,
        host: &FileNode,
        steps: &mut Vec<Step>,
    ) -> Result<Option<&'static str>> {
        self.plan.rebased.push(base::file_line(path));
        if !host.is_directory() {
            steps.push(Step::RemoveFile {
                path: unicode(path)?,
            });
            return if host.is_passable() {
                Ok(Some(LINK))
            } else {
                self.changed(path, host)
            };
        }
        let mut why = None;
        for said in self.sides.host.list(path)? {
            let Some(node) = said.node else { continue };
            let mut below = path.clone();
            below.push(said.name);
            why = self.removal(&below, &node, steps)?.or(why);
        }
        steps.push(Step::RemoveFolder {
            path: unicode(path)?,
        });
        Ok(why)
    }

    /// What stands against covering the host's file, if anything does.
    fn changed(&self, path: &NodePath, host: &FileNode) -> Result<Option<&'static str>> {
        let now = base::stamp(&host.real)?;
        Ok(match self.bases.file(path) {
            None => Some(APPEARED),
            was if was == now => None,
            _ => Some(CHANGED),
        })
    }

    /// Plans that a directory of the host's gets the attributes and rights that the VM gave its own. What is
    /// in it is merged either way.
    fn describe(&mut self, path: &NodePath, node: &FileNode, host: &FileNode) -> Result<()> {
        let Some([was, was_rights, made]) = self.bases.directory(path) else {
            return Ok(());
        };
        let [own_rights, host_rights] = [figure(node)?, figure(host)?];
        let [was, own, now] =
            [was as u32, node.attributes, host.attributes].map(|all| all & SETTABLE);
        let attributes = own != was && own != now;
        let rights = own_rights != made && own_rights != host_rights;
        if !attributes && !rights {
            return Ok(());
        }
        let changed = attributes && now != was || rights && host_rights != was_rights;
        let why = changed.then_some(CHANGED);
        if self.plan.overrules(&file_name(path), why) == Verdict::Merge {
            self.plan.change(Act::Change, file_name(path));
            self.plan.steps.push(Step::DescribeFolder {
                path: unicode(path)?,
                attributes,
                rights,
                made,
            });
        }
        Ok(())
    }

    fn directory(
        &mut self,
        path: &NodePath,
        node: &FileNode,
        host: Option<&FileNode>,
        chosen: Chosen,
        opaque: bool,
    ) -> Result<Verdict> {
        let verdict = match host {
            Some(host) if host.is_passable() => {
                if chosen == Chosen::Yes && host.kind == FileKind::Directory {
                    self.describe(path, node, host)?;
                }
                Verdict::Merge
            }
            Some(host) => self.remove(path, host, false)?,
            None => Verdict::Merge,
        };
        if verdict == Verdict::Merge && !host.is_some_and(Node::is_passable) {
            self.plan.change(Act::Add, file_name(path));
            self.plan.steps.push(Step::MakeFolder {
                path: unicode(path)?,
            });
        }
        if verdict != Verdict::Leave && chosen == Chosen::Yes {
            let path_text = unicode(path)?;
            if opaque {
                self.plan.drops.push(Drop::Whiteout {
                    path: path_text.clone(),
                });
            }
            self.plan.drops.push(Drop::Folder { path: path_text });
        }
        Ok(verdict)
    }

    fn file(
        &mut self,
        path: &NodePath,
        node: &FileNode,
        host: Option<&FileNode>,
    ) -> Result<Verdict> {
        let facts = base::facts(&node.real)?.ok_or_else(|| gone(node))?;
        let own = facts.stamp();
        if self.is_untouched(path, node, own, host) {
            self.drop_file(path, &facts)?;
            if let (Some(names), Some(host)) = (facts.names, host)
                && self.changed(path, host)?.is_none()
            {
                self.links.on_host(names, unicode(path)?);
            }
            return Ok(Verdict::Merge);
        }
        let verdict = match host {
            Some(host) if host.is_passable() => self.remove(path, host, false)?,
            Some(host) => {
                let why = self.changed(path, host)?;
                self.plan.overrules(&file_name(path), why)
            }
            None => {
                let why = self.bases.file(path).map(|_| DELETED);
                self.plan.overrules(&file_name(path), why)
            }
        };
        if verdict == Verdict::Merge {
            let what = if host.is_some() {
                Act::Change
            } else {
                Act::Add
            };
            self.plan.change(what, file_name(path));
            if let Some(names) = facts.names {
                self.links.written(names, self.plan);
            }
            // Where it is staged is decided when it is.
            let staged = String::new();
            self.plan.steps.push(Step::WriteFile {
                path: unicode(path)?,
                staged,
            });
        }
        if verdict != Verdict::Leave {
            self.drop_file(path, &facts)?;
        }
        Ok(verdict)
    }

    /// Whether the copy is as it was made: a program that opens a file for all access changes nothing yet.
    fn is_untouched(
        &self,
        path: &NodePath,
        node: &FileNode,
        [size, written, _]: [u64; 3],
        host: Option<&FileNode>,
    ) -> bool {
        let same = self
            .bases
            .file(path)
            .is_some_and(|base| base[..2] == [size, written]);
        let attributes = |node: &FileNode| node.attributes & SETTABLE;
        same && host.is_none_or(|host| {
            attributes(host) == attributes(node) && same_rights(&node.real, &host.real)
        })
    }

    fn drop_file(&mut self, path: &NodePath, facts: &Facts) -> Result<()> {
        let text = unicode(path)?;
        self.plan.drops.push(Drop::File {
            path: text.clone(),
            stamp: facts.stamp(),
            linked: facts.names.is_some(),
        });
        // A whiteout beside a file hides nothing that the file does not.
        self.plan.drops.push(Drop::Whiteout { path: text });
        self.plan.rebased.push(base::file_line(path));
        Ok(())
    }
}

impl Verdict {
    /// A link of the VM's is never merged.
    fn without_links(self) -> Self {
        if self == Verdict::Merge {
            Verdict::Leave
        } else {
            self
        }
    }
}

/// Whether the VM's file has no rights of its own but those of the host's.
#[cfg(windows)]
fn same_rights(own: &std::path::Path, host: &std::path::Path) -> bool {
    use crate::security::Security;
    match (Security::of_file(own), Security::of_file(host)) {
        (Ok(Some(own)), Ok(Some(host))) => !own.is_its_own() || own.figure() == host.figure(),
        _ => true,
    }
}

#[cfg(not(windows))]
fn same_rights(_own: &std::path::Path, _host: &std::path::Path) -> bool {
    true
}

/// The figure of a directory's rights; 0 where it has none.
#[cfg(windows)]
fn figure(node: &FileNode) -> Result<u64> {
    let own = crate::security::Security::of_file(&node.real);
    let own = own.map_err(|e| Error::io("read", &node.real, e))?;
    Ok(own.map_or(0, |own| own.figure()))
}

#[cfg(not(windows))]
#[expect(clippy::unnecessary_wraps, reason = "the same as on Windows")]
fn figure(_node: &FileNode) -> Result<u64> {
    Ok(0)
}

fn gone(node: &FileNode) -> Error {
    Error::io("read", &node.real, std::io::ErrorKind::NotFound.into())
}

fn unicode(path: &[OsString]) -> Result<String> {
    text(path).ok_or_else(|| Error::NotExportable {
        what: file_name(path),
        why: "its name is no Unicode".into(),
    })
}
