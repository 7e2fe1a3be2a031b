//! Calls that ask of, or delete, a file by name.

use super::names::{self, Named, Place};
use super::open::{self, refuse};
use super::remove;
use super::shares::Shared;
use super::view::{self, View};
use crate::calls::objects::with_name;
use crate::decode::Attributes;
use pinion_nt::{NTSTATUS, OBJECT_ATTRIBUTES};

/// As the attribute queries by name.
pub(crate) fn attributes(
    decoded: &Attributes<'_>,
    call: &impl Fn(*const OBJECT_ATTRIBUTES) -> NTSTATUS,
) -> NTSTATUS {
    let of_place = |place: &Place<'_>| {
        view::read(&mut View::new(place.path), |layer| {
            in_layer(layer, place, &decoded.given, call)
        })
    };
    with_place(decoded, call, of_place, |shared| shared.check_links(false))
}

/// As `NtDeleteFile`.
pub(crate) fn delete(
    decoded: &Attributes<'_>,
    call: &impl Fn(*const OBJECT_ATTRIBUTES) -> NTSTATUS,
) -> NTSTATUS {
    let of_place = |place: &Place<'_>| {
        if place.tail.first() == Some(&u16::from(b':')) {
            return open::delete_stream(place, &decoded.given);
        }
        remove::by_name(&mut View::new(place.path), place.tail)
    };
    with_place(decoded, call, of_place, |shared| shared.check_removable())
}

/// Runs `work` with the path that is named; what a share has is asked by `call`
/// once `check` allows it.
fn with_place(
    decoded: &Attributes<'_>,
    call: &impl Fn(*const OBJECT_ATTRIBUTES) -> NTSTATUS,
    work: impl FnOnce(&Place<'_>) -> NTSTATUS,
    check: impl FnOnce(&Shared<'_>) -> Result<(), NTSTATUS>,
) -> NTSTATUS {
    names::with_named(decoded, |named| match named {
        Named::Place(place) => work(&place),
        Named::Shared(shared) => match check(&shared) {
            Ok(()) => in_layer(shared.layer(), &shared.place, &decoded.given, call),
            Err(status) => refuse(status),
        },
        Named::Passes | Named::Volume => with_name(&decoded.given, decoded.name, call),
        Named::Refused(status) => refuse(status),
    })
}

fn in_layer(
    layer: usize,
    place: &Place<'_>,
    given: &OBJECT_ATTRIBUTES,
    call: &impl Fn(*const OBJECT_ATTRIBUTES) -> NTSTATUS,
) -> NTSTATUS {
    let absolute = OBJECT_ATTRIBUTES {
        RootDirectory: core::ptr::null_mut(),
        ..*given
    };
    view::with_place(layer, place, |name| with_name(&absolute, name, call))
        .unwrap_or_else(|status| status)
}
