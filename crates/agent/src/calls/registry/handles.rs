//! Where an open key stands: natively right, or overtaken by a copy-up or a
//! delete since it was opened.
//!
//! A handle on a lower key may live while another open copies the key up. Its
//! reads must then show the upper's values. What is known of a handle is kept
//! in a small table with the VM's count of changes at that time; while the
//! count stands, the table's word is good. Opens, duplications and closes of
//! this process keep the table true. A handle that another process closes here,
//! and the number's next use by yet another process's duplication into this
//! one, is the one case not covered.

use super::bells;
use super::listed::{self, Fate};
use super::names::{self, Origin};
use super::raw::{self, Key};
use super::tree::Stack;
use super::{marks, recent};
use crate::state;
use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering};
use pinion_layers::{Lookup, Tree, lookup};
use pinion_nt::status::{STATUS_ACCESS_DENIED, STATUS_INVALID_PARAMETER};
use pinion_nt::{HANDLE, NTSTATUS};

/// `STATUS_KEY_DELETED` (ntstatus.h).
pub(super) const STATUS_KEY_DELETED: i32 = 0xC000_017C_u32 as i32;

/// What kind of key a handle has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A host key of which no layer has a part: all is native.
    Plain = 1,
    /// A key of the upper. Its values are native for ever, its subkeys are
    /// merged.
    Upper = 2,
    /// A key of the host or a snapshot: its values are native, its subkeys are
    /// merged.
    Merged = 3,
}

const SLOTS: usize = 1024;
static TABLE: [AtomicU64; SLOTS] = [const { AtomicU64::new(0) }; SLOTS];

/// The VM's count of changes.
pub(super) fn generation() -> u64 {
    state::tally().keys_changed.load(Ordering::Acquire)
}

/// Tells all members that keys were made or hidden.
pub(super) fn changed() {
    state::tally().keys_changed.fetch_add(1, Ordering::Release);
}

/// The same of the VM's one key `name`, for which what is listed stays good.
pub(super) fn changed_one(name: &[u16], fate: Fate) {
    let before = state::tally().keys_changed.fetch_add(1, Ordering::Release);
    listed::apply(name, fate, before);
}

fn slot(handle: HANDLE) -> &'static AtomicU64 {
    &TABLE[(handle as usize >> 2) % SLOTS]
}

/// A word of the table: handle, kind, and the low 30 bits of the count.
fn pack(handle: HANDLE, kind: Kind, generation: u64) -> u64 {
    (handle as u64) << 32 | (kind as u64) << 30 | generation & 0x3FFF_FFFF
}

/// Keeps what an open found at the count `generation`.
pub(super) fn opened(handle: HANDLE, kind: Kind, generation: u64) {
    recent::forget_name(handle);
    bells::forget(handle);
    note(handle, kind, generation);
}

/// Keeps what a check found at the count `generation`.
fn note(handle: HANDLE, kind: Kind, generation: u64) {
    slot(handle).store(pack(handle, kind, generation), Ordering::Relaxed);
}

/// Forgets a handle that ends, or is now another object's.
pub(crate) fn forget(handle: HANDLE) {
    let slot = slot(handle);
    if slot.load(Ordering::Relaxed) >> 32 == handle as u64 & 0xFFFF_FFFF {
        slot.store(0, Ordering::Relaxed);
    }
    recent::forget_name(handle);
    bells::forget(handle);
}

/// What is known of `handle` now.
pub(super) fn known(handle: HANDLE) -> Option<Kind> {
    let word = slot(handle).load(Ordering::Relaxed);
    if word >> 32 != handle as u64 & 0xFFFF_FFFF {
        return None;
    }
    let fresh = (word ^ generation()) & 0x3FFF_FFFF == 0;
    match word >> 30 & 3 {
        2 => Some(Kind::Upper),
        1 if fresh => Some(Kind::Plain),
        3 if fresh => Some(Kind::Merged),
        _ => None,
    }
}

/// Whether a handle was opened on a key of the host or a snapshot.
pub(super) fn is_of_lower_key(handle: HANDLE) -> bool {
    let word = slot(handle).load(Ordering::Relaxed);
    word >> 32 == handle as u64 & 0xFFFF_FFFF && matches!(word >> 30 & 3, 1 | 3)
}

/// Whether all that the handle's key has is the host's own.
pub(super) fn is_native(handle: HANDLE) -> bool {
    matches!(stand(handle), Ok(Standing::Same(None | Some(Kind::Plain))))
}

/// Where a handle stands.
pub(super) enum Standing {
    /// The handle itself is right. No kind: not a key of the layers.
    Same(Option<Kind>),
    /// A key higher up stands for it now.
    Moved(Key),
    /// The key has been deleted in the VM.
    Gone,
}

/// Looks where `handle` stands. A handle that is no key stands as it is: the
/// kernel shall say what is wrong with it.
pub(super) fn stand(handle: HANDLE) -> Result<Standing, NTSTATUS> {
    if let Some(kind) = known(handle) {
        return Ok(Standing::Same(Some(kind)));
    }
    let generation = generation();
    let found = names::with_vm_name(handle, |name, origin| match origin {
        Origin::Layer(0) => Ok(Standing::Same(Some(Kind::Upper))),
        Origin::Outside => Ok(Standing::Same(None)),
        Origin::Layer(at) => below(handle, name, at),
        Origin::Host => below(handle, name, state::page().layers().len()),
    });
    let Ok(standing) = found else {
        return Ok(Standing::Same(None));
    };
    let standing = standing?;
    if let Standing::Same(Some(kind)) = standing {
        note(handle, kind, generation);
    }
    Ok(standing)
}

/// Where a handle on a key of a layer below the upper stands.
fn below(handle: HANDLE, name: &[u16], own: usize) -> Result<Standing, NTSTATUS> {
    let mut stack = Stack::new(name);
    match lookup(&mut stack)? {
        Lookup::Found { layer, .. } if layer == own => {
            Ok(Standing::Same(Some(kind_at(name, layer))))
        }
        Lookup::Found { layer, .. } if is_hidden(&mut stack, layer..own)? => Ok(Standing::Gone),
        Lookup::Found { layer, .. } => {
            let access = raw::granted(handle)?;
            stack
                .open(layer, stack.whole(), access)
                .map(Standing::Moved)
        }
        _ => Ok(Standing::Gone),
    }
}

/// Whether one of `layers` hides the path of `stack`, or what it is below: then
/// what is there now is no copy of the layers below, but was made anew.
fn is_hidden(stack: &mut Stack<'_>, layers: Range<usize>) -> Result<bool, NTSTATUS> {
    for layer in layers {
        if !marks::any(layer) {
            continue;
        }
        for depth in 1..=stack.whole() {
            if stack.whiteout(layer, depth)? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// What a call on a key that is gone gets, which gets `answer` on the key that is
/// still there below, without room for more: the handle's rights and the arguments
/// are looked at first (observed on Wine 8 and 10).
pub(super) fn gone(answer: NTSTATUS) -> NTSTATUS {
    match answer {
        STATUS_ACCESS_DENIED | STATUS_INVALID_PARAMETER => answer,
        _ => STATUS_KEY_DELETED,
    }
}

/// The kind of a handle on the VM's key `name`, found in `layer`.
pub(super) fn kind_at(name: &[u16], layer: usize) -> Kind {
    if layer == 0 {
        Kind::Upper
    } else if layer == state::page().layers().len() && !names::is_special(name) {
        Kind::Plain
    } else {
        Kind::Merged
    }
}
