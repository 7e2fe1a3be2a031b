//! What a merge will do, step by step, and what stands against it.

use serde::{Deserialize, Serialize};

/// What is done where the host has changed since the VM's copy was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Resolve {
    /// Nothing at all is merged.
    #[default]
    Refuse,
    /// The VM's version is put in place.
    Ours,
    /// The host's version stays, and the VM's is dropped.
    Theirs,
}

/// One step on the host. Paths are those of layers: `C\a\b`, `MACHINE\Software\x`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "do")]
pub(super) enum Step {
    /// A file is deleted; one that is gone, or is no file any more, is no matter.
    RemoveFile { path: String },
    /// A directory is deleted, once it is empty.
    RemoveFolder { path: String },
    /// A directory is made, with the attributes of the upper's.
    MakeFolder { path: String },
    /// A directory gets the attributes, or the rights, that the upper's has. `made` is the figure of the
    /// rights that the upper's got when it was made.
    DescribeFolder {
        path: String,
        attributes: bool,
        rights: bool,
        made: u64,
    },
    /// The file `staged` (beside it, or beside a directory that is to be made) takes its place.
    WriteFile { path: String, staged: String },
    /// The file gets one more name, `path`, by `staged`: that of the host's file `to`, or of the file that
    /// is staged for it (`from`). Where it can have none, `path` is a copy.
    LinkFile {
        path: String,
        to: String,
        from: String,
        staged: String,
    },
    /// A key with all its values is deleted. It has no keys below by then.
    RemoveKey { key: Vec<Vec<u16>> },
    /// A key is made, and has the values that the upper's has.
    WriteKey { key: Vec<Vec<u16>> },
    /// A link to another key is deleted; whatever else is there stays.
    RemoveLink { key: Vec<Vec<u16>> },
    /// A link to another key is made, and leads where the upper's does. Whatever else is there goes, with
    /// all below it.
    WriteLink { key: Vec<Vec<u16>> },
    /// A key gets the list of rights that the upper's has.
    WriteRights { key: Vec<Vec<u16>> },
}

/// What the upper no longer needs once the host has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "drop")]
pub(super) enum Drop {
    /// The file, if it is still the same: size, last write, change. One of several names counts as changed
    /// when another of them goes.
    File {
        path: String,
        stamp: [u64; 3],
        #[serde(default)]
        linked: bool,
    },
    /// The directory, if it is empty.
    Folder { path: String },
    /// The whiteout.
    Whiteout { path: String },
    /// The key, if it has no keys below and its values are still the same.
    Key { key: Vec<Vec<u16>>, values: u64 },
    /// The whiteout of a key.
    HiddenKey { key: Vec<Vec<u16>> },
}

/// What becomes of something on the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Act {
    /// It is new there.
    Add,
    /// It gets other content.
    Change,
    /// It is deleted.
    Delete,
}

/// One change of the host, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What becomes of it.
    pub what: Act,
    /// The file (`C:\a\b`) or key (`HKLM\Software\x`).
    pub name: String,
    /// Of which other file of the host it becomes one more name (a hard link).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linked: Option<String>,
    /// The VM's file has more names, which the host's will not have.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub apart: bool,
}

/// Something that stands against the merge, of all or of itself alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// The file or key.
    pub name: String,
    /// What the host did, or has.
    pub why: &'static str,
}

/// What a merge will do.
#[derive(Debug, Default)]
pub struct Plan {
    /// What changes on the host.
    pub changes: Vec<Change>,
    /// What stands against it; empty unless nothing may be merged.
    pub conflicts: Vec<Conflict>,
    /// What is not merged whatever is chosen, and stays the VM's change.
    pub left: Vec<Conflict>,
    pub(super) resolve: Resolve,
    pub(super) steps: Vec<Step>,
    pub(super) drops: Vec<Drop>,
    /// Paths whose base is no longer what the file of bases says, as it writes them.
    pub(super) rebased: Vec<Vec<u16>>,
}

impl Plan {
    pub(super) fn new(resolve: Resolve) -> Self {
        Self {
            resolve,
            ..Self::default()
        }
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.drops.is_empty()
    }

    /// Whether the VM's version goes on although `why` stands against it.
    pub(super) fn overrules(&mut self, name: &str, why: Option<&'static str>) -> Verdict {
        let Some(why) = why else {
            return Verdict::Merge;
        };
        match self.resolve {
            Resolve::Ours => Verdict::Merge,
            Resolve::Theirs => Verdict::Drop,
            Resolve::Refuse => {
                let name = name.to_owned();
                self.conflicts.push(Conflict { name, why });
                Verdict::Leave
            }
        }
    }

    pub(super) fn change(&mut self, what: Act, name: String) {
        self.changes.push(Change {
            what,
            name,
            linked: None,
            apart: false,
        });
    }
}

/// What to do with one change of the VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It goes to the host.
    Merge,
    /// The host's stays, the VM's goes.
    Drop,
    /// It stands against the whole merge.
    Leave,
}
