//! Files of the disk: writes land in the VM's upper layer, reads fall through,
//! deletes hide.
//!
//! [`names`] tells which path of the VM a name means and gives names back,
//! [`canonical`] finds the one path for all of a file's names;
//! [`view`] shows that path to the overlay engine, [`cache`] and [`lasting`]
//! remember what the layers have and lack; [`open`] and [`attributes`]
//! answer calls by name; [`copy_up`] with [`metadata`] and [`remove`] change the upper, [`base`] keeps what the host had there; [`information`]
//! and [`rename`] answer calls by handle, [`new_name`] says which names a file can have, [`listing`] lists directories; [`image`]
//! starts programs of a layer, [`unix`] none of Unix, [`shares`] lets what is the host's own pass, [`watch`] tells of changes, [`told`] answers for names told without a handle, [`volumes`] and [`volume_told`] for volumes. A call
//! on a file that only the host has goes to the kernel with the host's name.

mod attributes;
pub(crate) mod base;
mod cache;
mod canonical;
mod copy_up;
mod for_deletion;
mod image;
mod information;
mod lasting;
mod lent;
mod listing;
mod metadata;
mod names;
mod new_name;
mod on_close;
mod open;
mod opened;
mod raw;
mod remove;
mod rename;
mod shares;
mod told;
mod unix;
mod view;
mod volume_told;
mod volumes;
mod watch;

use pinion_nt::{HANDLE, NTSTATUS};

pub(crate) use attributes::{attributes, delete};
pub(crate) use image::with_program;
pub(crate) use information::{query_information, set_information};
pub(crate) use listing::{close, query_directory, query_directory_ex};
pub(crate) use names::asked_name;
pub(crate) use open::open;
pub(crate) use shares::upcase;
pub(crate) use told::{query_memory, query_process};
pub(crate) use volumes::query_volume;
pub(crate) use watch::{cancel, cancel_ex, closed, notify_directory, notify_directory_ex};

/// Puts the access that the program has by `handle`, where the kernel knows of
/// less, to `place` in what it has told.
pub(crate) fn told_access(status: NTSTATUS, handle: HANDLE, place: *mut u8) -> NTSTATUS {
    information::told_access(status, for_deletion::access(handle), place)
}

/// `handle` is about to end.
pub(crate) fn ends(handle: HANDLE) {
    if on_close::is_known(handle) {
        remove::before_end(handle);
    }
    forget(handle);
}

/// `handle` is another file from now on, or none.
pub(crate) fn forget(handle: HANDLE) {
    opened::forget(handle);
    for_deletion::forget(handle);
    on_close::forget(handle);
}

/// `copy` is from now on one more handle of what `handle` is of.
pub(crate) fn duplicated(handle: HANDLE, copy: HANDLE) {
    listing::duplicated(handle, copy);
    for_deletion::duplicated(handle, copy);
    on_close::duplicated(handle, copy);
    watch::duplicated(handle, copy);
}
