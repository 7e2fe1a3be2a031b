//! What of the kernel's records of a layer's directory the program is told.

use super::super::names;
use super::super::view::View;
use crate::scratch;
use pinion_layers::{Kind, Tree, shown_below, sources};
use pinion_names::change::{self, Record, Said, Sieve};
use pinion_names::file;
use pinion_names::units::{SEPARATOR, join};
use pinion_nt::NTSTATUS;

/// Calls `tell` with action and name, in two parts, of what the records of the
/// upper's directory `path` mean.
pub(super) fn upper(
    records: &[u16],
    path: &[u16],
    sieve: &mut Sieve,
    mut tell: impl FnMut(u32, [&[u16]; 2]),
) {
    for record in change::records(records) {
        let itself = match sieve.upper(record) {
            Said::Nothing => false,
            Said::Itself => true,
            Said::Removed(directory, name) => {
                tell(change::REMOVED, [directory, name]);
                false
            }
            Said::UnlessBelow => !with_view(path, record, |view| shown_below(view)),
            Said::UnlessDirectoryBelow => !with_view(path, record, |view| {
                let depth = view.depth();
                Ok(view.entry(0, depth)? == Some(Kind::Directory) && shown_below(view)?)
            }),
        };
        if itself {
            tell(record.action, [record.name, &[]]);
        }
    }
}

/// The same for the host's directory.
pub(super) fn host(records: &[u16], path: &[u16], mut tell: impl FnMut(u32, [&[u16]; 2])) {
    let mut old = false;
    for record in change::records(records) {
        let shown = with_view(path, record, shows_through);
        let paired = core::mem::replace(&mut old, shown && record.action == change::RENAMED_OLD);
        if !shown {
            continue;
        }
        let action = match record.action {
            change::RENAMED_NEW if !paired => change::ADDED,
            action => action,
        };
        tell(action, [record.name, &[]]);
    }
}

/// Whether nothing of the layers above stands before what the host has, or had
/// just now, at the path of `view`.
fn shows_through(view: &mut View<'_>) -> Result<bool, NTSTATUS> {
    let (path, depth) = (view.path(), view.depth());
    if names::is_closed(path) || change::is_reserved(path) || depth < 2 {
        return Ok(false);
    }
    let parent = file::prefix(path, depth - 1);
    if !sources(&mut View::new(parent))?.contains(View::host()) {
        return Ok(false);
    }
    for layer in 0..View::host() {
        if view.entry(layer, depth)?.is_some() || view.whiteout(layer, depth)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What `ask` says of the record's file; `false` where the layers do not tell.
fn with_view(
    path: &[u16],
    record: Record<'_>,
    ask: impl FnOnce(&mut View<'_>) -> Result<bool, NTSTATUS>,
) -> bool {
    scratch::with(path.len() + 1 + record.name.len(), |out| {
        let length = join(&[path, &[SEPARATOR], record.name], out).ok()?;
        ask(&mut View::new(out.get(..length)?)).ok()
    })
    .flatten()
    .unwrap_or(false)
}
