//! Symbolic links that the VM has made: followed by name, in the VM's view, so
//! that none leads out of it.
//!
//! To the kernel such a link is an ordinary key with a mark ([`marks`]); its
//! target is the value `SymbolicLinkValue`, as of any link.

use super::links::{self, LONGEST};
use super::marks::{self, Mark};
use super::raw::{self, Key};
use super::tree::Stack;
use super::{access, handles};
use crate::hooks::kept;
use crate::{guard, scratch, state};
use core::ffi::c_void;
use pinion_layers::{Lookup, lookup};
use pinion_names::key;
use pinion_names::units::{SEPARATOR, equals};
use pinion_nt::status::{
    STATUS_ACCESS_DENIED, STATUS_NAME_TOO_LONG, STATUS_OBJECT_NAME_NOT_FOUND, success,
};
use pinion_nt::{HANDLE, NTSTATUS, UNICODE_STRING, unicode_string};

/// `REG_LINK` (winnt.h).
const REG_LINK: u32 = 6;
/// The only value that a link may have.
const TARGET: &str = "SymbolicLinkValue";
/// How many links one name may lead over.
const MOST: usize = 32;

/// Whether the VM has any link of its own.
fn any() -> bool {
    (0..state::page().layers().len()).any(marks::any_link)
}

/// Replaces the VM's links in the path of `length` units by what they point at;
/// with `itself` a path that is a link stays. Gives the new length; `None` where
/// the path stays as it is.
///
/// # Errors
/// A link leads nowhere, round in a circle, or to a name that is too long.
pub(super) fn follow(
    path: &mut [u16],
    length: usize,
    itself: bool,
) -> Result<Option<usize>, NTSTATUS> {
    if !any() {
        return Ok(None);
    }
    let mut followed = None;
    for _ in 0..MOST {
        match replace_one(path, followed.unwrap_or(length), itself)? {
            None => return Ok(followed),
            Some(new) => followed = links::follow(path, new, itself).or(Some(new)),
        }
    }
    // As the kernel says of a name that grows with each turn.
    Err(STATUS_NAME_TOO_LONG)
}

/// Replaces the first link of the path; `None` when there is none.
fn replace_one(path: &mut [u16], length: usize, itself: bool) -> Result<Option<usize>, NTSTATUS> {
    let mut target = [0; LONGEST];
    let name = path.get(..length).unwrap_or(&[]);
    let last = key::depth(name) - usize::from(itself && key::depth(name) > 0);
    for depth in 1..=last {
        let link = key::first(name, depth);
        if let Some(found) = target_of(link, &mut target)? {
            let front = link.len();
            return splice(path, length, front, target.get(..found).unwrap_or(&[])).map(Some);
        }
    }
    Ok(None)
}

/// Puts `target` in the place of the path's first `front` units.
fn splice(
    path: &mut [u16],
    length: usize,
    front: usize,
    target: &[u16],
) -> Result<usize, NTSTATUS> {
    scratch::with(target.len() + length + 2, |out| {
        let rest = path.get(front..length).unwrap_or(&[]);
        let length = key::normalise(target, rest, out).map_err(|_| STATUS_NAME_TOO_LONG)?;
        let new = out.get(..length).unwrap_or(&[]);
        key::below_root(new).ok_or(STATUS_OBJECT_NAME_NOT_FOUND)?;
        path.get_mut(..length)
            .ok_or(STATUS_NAME_TOO_LONG)?
            .copy_from_slice(new);
        Ok(length)
    })
    .ok_or(STATUS_NAME_TOO_LONG)?
}

/// The target of the VM's link `name`, written to `out`; `None` when `name` is
/// no link of the VM's.
fn target_of(name: &[u16], out: &mut [u16; LONGEST]) -> Result<Option<usize>, NTSTATUS> {
    let Some(layer) = layer_of(name)? else {
        return Ok(None);
    };
    let stack = Stack::new(name);
    let link = stack.open(layer, stack.whole(), access::QUERY)?;
    target_in(&link, out)
        .map(Some)
        .ok_or(STATUS_OBJECT_NAME_NOT_FOUND)
}

/// The layer in which the VM's `name` is seen as a link of the VM's.
pub(super) fn layer_of(name: &[u16]) -> Result<Option<usize>, NTSTATUS> {
    for layer in 0..state::page().layers().len() {
        if marks::has(name, layer, Mark::Link)? {
            let seen = lookup(&mut Stack::new(name))?;
            if matches!(seen, Lookup::Found { layer: at, .. } if at == layer) {
                return Ok(Some(layer));
            }
        }
    }
    Ok(None)
}

fn with_target_name<R>(work: impl FnOnce(*const UNICODE_STRING) -> R) -> Option<R> {
    let mut units = [0; TARGET.len()];
    key::ascii(TARGET, &mut units).ok()?;
    unicode_string(&units).map(|string| work(&raw const string))
}

/// The absolute name that the value `SymbolicLinkValue` holds.
fn target_in(link: &Key, out: &mut [u16; LONGEST]) -> Option<usize> {
    const PARTIAL: u32 = 2;
    /// `KEY_VALUE_PARTIAL_INFORMATION`: title, type, length, data.
    #[repr(C)]
    struct Partial {
        head: [u32; 3],
        units: [u16; LONGEST],
    }
    let mut partial = Partial {
        head: [0; 3],
        units: [0; LONGEST],
    };
    let mut returned = 0;
    let status = with_target_name(|name| {
        // SAFETY: the buffer is a local of the size told.
        unsafe {
            kept::NtQueryValueKey(
                link.handle(),
                name,
                PARTIAL,
                (&raw mut partial).cast(),
                size_of::<Partial>() as u32,
                &raw mut returned,
            )
        }
    })?;
    let units = partial.units.get(..partial.head[2] as usize / 2)?;
    (success(status) && units.first() == Some(&SEPARATOR)).then_some(())?;
    out.get_mut(..units.len())?.copy_from_slice(units);
    Some(units.len())
}

/// Whether the opened key of the host is itself a link, as far as its values
/// tell: no other key has a value of that name and type.
pub(super) fn is_host_link(key: &Key) -> bool {
    const BASIC: u32 = 0;
    let (mut buffer, mut returned) = ([0_u32; 32], 0);
    let status = with_target_name(|name| {
        // SAFETY: the buffer is a local of the size told.
        unsafe {
            kept::NtQueryValueKey(
                key.handle(),
                name,
                BASIC,
                buffer.as_mut_ptr().cast(),
                size_of_val(&buffer) as u32,
                &raw mut returned,
            )
        }
    });
    status.is_some_and(success) && buffer[1] == REG_LINK
}

/// Refuses what a link cannot hold: any value but its target.
pub(super) fn refuse_value(
    key: HANDLE,
    value: *const UNICODE_STRING,
    kind: u32,
) -> Result<(), NTSTATUS> {
    if !any() {
        return Ok(());
    }
    let link = super::names::with_vm_name(key, |name, _| layer_of(name));
    if !matches!(link, Ok(Ok(Some(_)))) || kind == REG_LINK && is_target_name(value) {
        return Ok(());
    }
    Err(STATUS_ACCESS_DENIED)
}

fn is_target_name(value: *const UNICODE_STRING) -> bool {
    let mut units = [0_u16; TARGET.len()];
    // SAFETY: plain data; a bad pointer is a return value.
    let Ok(string) = (unsafe { guard::read(value) }) else {
        return false;
    };
    let size = size_of_val(&units);
    if usize::from(string.Length) != size {
        return false;
    }
    let to: *mut c_void = units.as_mut_ptr().cast();
    // SAFETY: `units` has `size` bytes; the source may be bad.
    unsafe { guard::copy(to, string.Buffer.cast(), size) }.is_ok() && equals(&units, TARGET)
}

/// Takes the marks of links below the VM's `from` along to `to`, which no layer
/// shows: the upper's keys are about to be moved there.
pub(super) fn take_along(from: &[u16], to: &[u16], depth: usize) -> Result<(), NTSTATUS> {
    if !marks::any_link(0) {
        return Ok(());
    }
    marks::settle_link(to, marks::has(from, 0, Mark::Link)?)?;
    let rights = access::ENUMERATE | access::QUERY;
    let marked = match marks::open(from, 0, rights) {
        Err(status) if raw::is_missing(status) => return Ok(()),
        marked => marked?,
    };
    raw::each_child(&marked, |child| {
        let depth = depth.checked_sub(1).ok_or(STATUS_NAME_TOO_LONG)?;
        raw::with_child(from, child.name, |from| {
            raw::with_child(to, child.name, |to| take_along(from, to, depth))
        })
        .flatten()
        .ok_or(STATUS_NAME_TOO_LONG)?
    })?;
    handles::changed();
    Ok(())
}
