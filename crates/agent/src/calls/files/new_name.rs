//! Whether a file can have a new name, by renaming or linking: decided from what
//! the VM sees, in the order in which the kernel asks.

use super::copy_up;
use super::names::Place;
use super::open::kind_of;
use super::raw;
use super::rename::Class;
use super::view::View;
use crate::hooks;
use pinion_layers::{Kind, Lookup, Tree, lookup};
use pinion_names::units::SEPARATOR;
use pinion_nt::NTSTATUS;
use pinion_nt::status::{
    STATUS_ACCESS_DENIED, STATUS_OBJECT_NAME_COLLISION, STATUS_OBJECT_PATH_NOT_FOUND,
};

/// Whether `tail` may be behind a new name: nothing or, on Wine, a backslash.
pub(super) fn is_one(tail: &[u16]) -> bool {
    tail.is_empty() || hooks::is_wine() && tail == [SEPARATOR]
}

/// Whether the file `from` can have the name `to`, where `replaces` says that a
/// file there may go for it.
pub(super) fn check(
    class: Class,
    replaces: bool,
    from: &[u16],
    to: &Place<'_>,
) -> Result<(), NTSTATUS> {
    let mut target = View::new(to.path);
    let found = match lookup(&mut target)? {
        Lookup::NoPath => return Err(STATUS_OBJECT_PATH_NOT_FOUND),
        Lookup::NoName => None,
        Lookup::Found { layer, kind } => Some((layer, kind)),
    };
    let source = kind_of(&mut View::new(from))?;
    let is_directory = matches!(source, Some((_, Kind::Directory)));
    // No directory has a second name.
    if !class.moves && is_directory {
        return Err(raw::STATUS_FILE_IS_A_DIRECTORY);
    }
    if !to.tail.is_empty() {
        check_backslash(class, is_directory, found.map(|(_, kind)| kind))?;
    }
    let Some((layer, kind)) = found.filter(|_| !raw::names_equal(from, to.path)) else {
        return Ok(());
    };
    // To Wine a name of the same file is none that is taken, unless for a link
    // (observed on Wine 8 and 10). It tells two files of the upper apart.
    let may_be_one = source == Some((0, Kind::Leaf)) && (layer, kind) == (0, Kind::Leaf);
    if !(replaces || hooks::is_wine() && may_be_one) {
        return Err(STATUS_OBJECT_NAME_COLLISION);
    }
    if kind == Kind::Directory {
        return Err(STATUS_ACCESS_DENIED);
    }
    // Whether a read-only file may be replaced the kernel says of the upper's own;
    // Wine 8 lets it be.
    if layer != 0 && is_read_only(&target, layer)? {
        copy_up::node(&mut target, layer, kind, copy_up::Content::Whole)?;
    }
    Ok(())
}

/// A backslash behind the new name: Wine hands it to Unix as a slash, with which
/// only a directory is found or made (observed on Wine 8 and 10).
fn check_backslash(class: Class, is_directory: bool, found: Option<Kind>) -> Result<(), NTSTATUS> {
    match found {
        Some(Kind::Directory) => Ok(()),
        None if is_directory => Ok(()),
        _ if class.moves => Err(raw::STATUS_NOT_A_DIRECTORY),
        Some(_) => Err(STATUS_OBJECT_NAME_COLLISION),
        None => Err(raw::STATUS_NO_SUCH_FILE),
    }
}

fn is_read_only(view: &View<'_>, layer: usize) -> Result<bool, NTSTATUS> {
    let basic = view.basic(layer, view.depth())?.unwrap_or_default();
    Ok(basic.attributes & raw::READ_ONLY != 0)
}
