//! Listing directories: the upper over the layers below, without what is hidden.
//!
//! A directory that only the host has is listed by the kernel. For any other
//! the first call takes a [`snapshot`] of all its layers, merged, and the
//! handle's later calls go on in it ([`table`]); [`record`] writes the entries
//! in the class that the caller wants.

mod calls;
mod record;
mod snapshot;
mod table;

use super::view::{View, with_name};
use super::{raw, remove};
use pinion_layers::{Kind, sources};
use pinion_names::units::{SEPARATOR, join};
use pinion_nt::NTSTATUS;
use pinion_nt::status::STATUS_NAME_TOO_LONG;
use snapshot::Snapshot;

pub(crate) use calls::{query_directory, query_directory_ex};
pub(crate) use table::{close, duplicated};

/// Whether the program sees no entry in the directory of `view`.
pub(crate) fn is_empty(view: &mut View<'_>) -> Result<bool, NTSTATUS> {
    let sources = sources(view)?;
    let snapshot = Snapshot::take(view, sources, &[])?;
    Ok(snapshot.entries().all(|entry| entry.is_dots()))
}

/// Whether the upper's own directory of `view` has nothing in it, not even what
/// nobody is shown.
pub(crate) fn is_bare(view: &View<'_>) -> Result<bool, NTSTATUS> {
    Ok(Snapshot::own(view)?.entries().next().is_none())
}

/// Calls `work` with the path, layer and kind of each entry that the program
/// sees in the directory of `view`.
pub(crate) fn each_below(
    view: &mut View<'_>,
    mut work: impl FnMut(&[u16], usize, Kind) -> Result<(), NTSTATUS>,
) -> Result<(), NTSTATUS> {
    let sources = sources(view)?;
    let snapshot = Snapshot::take(view, sources, &[])?;
    for entry in snapshot.entries().filter(|entry| !entry.is_dots()) {
        with_child(view.path(), entry.name(), |path| {
            work(path, entry.layer(), entry.kind())
        })??;
    }
    Ok(())
}

/// Takes away the whiteouts and left-overs in the upper's own directory of
/// `view`, which is about to be deleted and shows no entries.
pub(crate) fn clear_whiteouts(view: &View<'_>) -> Result<(), NTSTATUS> {
    let snapshot = Snapshot::reserved(view)?;
    for entry in snapshot.entries() {
        with_child(view.path(), entry.whole_name(), |path| {
            with_name(0, path, &[], remove::raw_delete)
        })???;
    }
    Ok(())
}

/// Whether `layer` has whiteouts in the directory `path`. Nobody knows of one
/// that cannot be listed: then it may have some.
pub(crate) fn hides_any(layer: usize, path: &[u16]) -> Result<bool, NTSTATUS> {
    const LIST: u32 = 1;
    let how = raw::How {
        access: LIST,
        attributes: 0,
        disposition: raw::OPEN,
        options: raw::DIRECTORY_FILE,
    };
    match with_name(layer, path, &[], |name| raw::open(name, how))? {
        Ok(directory) => snapshot::hides_any(&directory),
        Err(status) if raw::is_missing(status) => Ok(false),
        Err(_) => Ok(true),
    }
}

fn with_child<R>(
    directory: &[u16],
    name: &[u16],
    work: impl FnOnce(&[u16]) -> R,
) -> Result<R, NTSTATUS> {
    crate::scratch::with(directory.len() + name.len() + 1, |out| {
        let length = join(&[directory, &[SEPARATOR], name], out).ok()?;
        Some(work(out.get(..length)?))
    })
    .flatten()
    .ok_or(STATUS_NAME_TOO_LONG)
}
