//! Files with several names (hard links) in a merge: which of the names become one file on the host.

use std::collections::BTreeMap;

use super::plan::{Plan, Step};
use super::select::{file_name, names};
use crate::facts::FileId;

/// The files of the upper that have several names, as far as they are met.
#[derive(Debug, Default)]
pub(super) struct Links {
    files: BTreeMap<FileId, File>,
}

/// One file.
#[derive(Debug, Default)]
struct File {
    /// How many names it has in all.
    names: u32,
    /// How many of them are the host's already, and unchanged.
    kept: u32,
    /// The first of those.
    host: Option<String>,
    /// The places of the steps and of the changes that write it.
    written: Vec<(usize, usize)>,
}

impl Links {
    fn file(&mut self, (id, names): (FileId, u32)) -> &mut File {
        let file = self.files.entry(id).or_default();
        file.names = names;
        file
    }

    /// Takes in a name that the host has as the VM has it.
    pub(super) fn on_host(&mut self, names: (FileId, u32), path: String) {
        let file = self.file(names);
        file.kept += 1;
        file.host.get_or_insert(path);
    }

    /// Takes in a name that the next step of the plan writes, and whose change the plan told last.
    pub(super) fn written(&mut self, names: (FileId, u32), plan: &Plan) {
        let place = (plan.steps.len(), plan.changes.len() - 1);
        self.file(names).written.push(place);
    }

    /// Makes links of the writing of all names but the first of each file, where they are on one drive.
    pub(super) fn settle(self, plan: &mut Plan) {
        for file in self.files.into_values() {
            let mut first = file.host.clone();
            let mut apart = file.kept as usize + file.written.len() < file.names as usize;
            for (step, change) in file.written {
                let Some(Step::WriteFile { path, .. }) = plan.steps.get(step).cloned() else {
                    continue;
                };
                let link = first.get_or_insert_with(|| path.clone());
                let same_drive = link.split('\\').next() == path.split('\\').next();
                if *link != path && same_drive {
                    plan.changes[change].linked = Some(file_name(&names(link)));
                    plan.steps[step] = Step::LinkFile {
                        path,
                        to: link.clone(),
                        from: String::new(),
                        staged: String::new(),
                    };
                } else if *link != path || apart {
                    plan.changes[change].apart = true;
                    // Told once.
                    apart = false;
                }
            }
        }
    }
}
