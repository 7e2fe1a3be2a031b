//! Merging what a VM changed into the host, or into a new snapshot.
//!
//! Into the host: the changes are planned and compared with the file of bases ([`base`]); where the host
//! has changed since, nothing is done. Then every new content is brought beside its place under a passing
//! name, so that what can fail has failed before anything is changed. Then the plan, which is on the disk,
//! is carried out by steps that can each be done again: a command that is killed on the way leaves either
//! the host as it was, or a journal that the next command finishes.

mod apply;
pub(crate) mod base;
mod files;
mod into;
mod journal;
#[cfg(windows)]
mod keys;
mod links;
mod plan;
mod select;

// On the build machine: they leave no keys in a registry, and make names that Windows does not.
#[cfg(all(test, not(windows)))]
mod tests;

pub use into::commit_into;
pub use plan::{Act, Change, Conflict, Plan, Resolve};
pub use select::{Selection, file_name, key_name, parse_file, parse_key};

use crate::changes::FileTree;
use crate::error::Result;
use crate::store::Store;
use crate::vm::Vm;

/// Plans the merge of the VM, which does not run, into the host. Changes nothing.
///
/// # Errors
/// [`crate::Error::NotAtRest`], or what cannot be read.
pub fn plan(vm: &Vm, selection: &Selection, resolve: Resolve) -> Result<Plan> {
    let _at_rest = vm.at_rest("merge")?;
    make_plan(vm, selection, resolve)
}

fn make_plan(vm: &Vm, selection: &Selection, resolve: Resolve) -> Result<Plan> {
    vm.check_layers()?;
    let mut plan = Plan::new(resolve);
    let upper = vm.upper();
    if !upper.folder().exists() {
        return Ok(plan);
    }
    let bases = base::Bases::read(&vm.stack())?;
    let sides = files::Sides {
        upper: upper.file_tree(),
        host: FileTree::host(),
    };
    files::plan(&sides, &bases, selection, &mut plan)?;
    #[cfg(windows)]
    keys::plan(&upper, &bases, selection, &mut plan)?;
    Ok(plan)
}

/// Merges the VM, which does not run, into the host, unless there are conflicts: then the plan is given
/// back and nothing is done. What was merged is no change of the VM's any more, unless it stands on
/// snapshots, which could show something else there.
///
/// # Errors
/// As [`plan`]; or what could not be done. [`crate::Error::CommitUnfinished`] when the host is changed in
/// part: the next command goes on.
pub fn commit(store: &Store, vm: &Vm, selection: &Selection, resolve: Resolve) -> Result<Plan> {
    let at_rest = vm.at_rest("merge")?;
    let plan = make_plan(vm, selection, resolve)?;
    if plan.conflicts.is_empty() && !plan.is_empty() {
        journal::Journal::begin(store, vm, &plan)?.carry_out(store, &at_rest)?;
    }
    Ok(plan)
}

/// Finishes what killed commits left, or takes it back. What cannot be done yet is told and stays for the
/// next command.
///
/// # Errors
/// The first that could not be finished.
pub fn finish(store: &Store) -> Result<()> {
    journal::finish_all(store)
}
