//! Copying a key into the upper: its values and class, under a passing name,
//! and then into place by one rename. A key that is seen in the upper is
//! therefore always complete, whatever was killed when.
//!
//! The copy keeps the key's security descriptor, and its last-write time and
//! volatility where the kernel lets them be asked and set: Wine does not
//! (observed on Wine 8 and 10).

use super::access::{ALL, READ};
use super::listed::Fate;
use super::marks::{self, Mark};
use super::raw::{self, Key, word};
use super::tree::Stack;
use super::{handles, names, own_links, security};
use crate::hooks::{self, kept};
use crate::region::Region;
use crate::{scratch, state, trace};
use pinion_layers::{Lookup, Tree, lookup, make_parents};
use pinion_names::key;
use pinion_names::units::{SEPARATOR, join};
use pinion_nt::calls::NtSetInformationKey;
use pinion_nt::status::{
    STATUS_BUFFER_OVERFLOW, STATUS_BUFFER_TOO_SMALL, STATUS_INVALID_PARAMETER,
    STATUS_NAME_TOO_LONG, STATUS_NO_MORE_ENTRIES, STATUS_OBJECT_NAME_NOT_FOUND,
    STATUS_UNSUCCESSFUL, success,
};
use pinion_nt::{HANDLE, NTSTATUS, UNICODE_STRING, unicode_string};
use pinion_wire::base::{self, Values};
use pinion_wire::tally::Tally;
use pinion_wire::trace::Verdict;

/// Sees to it that the upper has the VM's key `name`.
pub(super) fn whole(name: &[u16]) -> Result<(), NTSTATUS> {
    let mut stack = Stack::new(name);
    let Lookup::Found { layer, .. } = lookup(&mut stack)? else {
        return Err(STATUS_OBJECT_NAME_NOT_FOUND);
    };
    if layer == 0 {
        return Ok(());
    }
    if !make_parents(&mut stack)? {
        return Err(STATUS_OBJECT_NAME_NOT_FOUND);
    }
    let depth = stack.whole();
    one(&mut stack, depth, layer)
}

/// Copies the key at `depth` of `layer` into the upper, which has its parent.
pub(super) fn one(stack: &mut Stack<'_>, depth: usize, layer: usize) -> Result<(), NTSTATUS> {
    let source = stack.open(layer, depth, READ)?;
    let link = marks::has(stack.at(depth), layer, Mark::Link)?;
    copy(stack, depth, layer, &source, link)
}

/// Copies the VM's key `name` where it is a link of the host's, the link itself;
/// `false` where it is none.
pub(super) fn host_link(name: &[u16]) -> Result<bool, NTSTATUS> {
    let mut stack = Stack::new(name);
    let (host, depth) = (stack.layers() - 1, stack.whole());
    let Ok(source) = raw::open_link(name, READ) else {
        return Ok(false);
    };
    if !own_links::is_host_link(&source) || names::is_closed(name) {
        return Ok(false);
    }
    // What the link points at may be missing, so only what is above is asked.
    for layer in 0..host {
        if stack.entry(layer, depth)?.is_some() || stack.whiteout(layer, depth)? {
            return Ok(false);
        }
    }
    if !make_parents(&mut stack)? {
        return Ok(false);
    }
    copy(&mut stack, depth, host, &source, true).map(|()| true)
}

fn copy(
    stack: &mut Stack<'_>,
    depth: usize,
    layer: usize,
    source: &Key,
    link: bool,
) -> Result<(), NTSTATUS> {
    keep_base(stack, depth, layer, source);
    marks::settle_link(stack.at(depth), link)?;
    let parent = depth.checked_sub(1).ok_or(STATUS_UNSUCCESSFUL)?;
    let staged = stack.with_real(0, parent, |path| stage(path, source))??;
    let filled = fill(source, &staged)
        .and_then(|()| raw::with_name(source.handle(), |real| rename(&staged, key::last(real)))?);
    if let Err(status) = filled {
        delete(&staged);
        if status == STATUS_INVALID_PARAMETER {
            return in_place(stack, depth, source);
        }
        // Somebody else copied it up meanwhile, which is as good.
        if stack.entry(0, depth)?.is_none() {
            return Err(status);
        }
        return Ok(());
    }
    finish(source, &staged, stack.at(depth));
    Ok(())
}

/// Gives the copy all that it can have under a passing name.
fn fill(source: &Key, target: &Key) -> Result<(), NTSTATUS> {
    copy_values(source, target)?;
    security::copy(source, target)
}

fn finish(source: &Key, target: &Key, name: &[u16]) {
    keep_time(source, target);
    Tally::count(&state::tally().copied_up);
    trace::verdict(Verdict::CopiedUp);
    handles::changed_one(name, Fate::Raised);
}

/// Copies `source` under its own name at once, for a name that no key may be
/// renamed to: Wine has one such, `Wow6432Node` (observed on Wine 8 and 10),
/// which has no values by nature.
fn in_place(stack: &Stack<'_>, depth: usize, source: &Key) -> Result<(), NTSTATUS> {
    let target = stack.with_real(0, depth, |path| {
        with_class(source, |class| raw::create(path, ALL, class))
    })??;
    fill(source, &target)?;
    finish(source, &target, stack.at(depth));
    Ok(())
}

/// Gives the copy the last-write time of `source`. Wine does nothing when asked
/// to (observed on Wine 8 and 10).
fn keep_time(source: &Key, target: &Key) {
    const WRITE_TIME: u32 = 0;
    if hooks::is_wine() {
        return;
    }
    if let Ok(time) = raw::written(source) {
        // SAFETY: `KEY_WRITE_TIME_INFORMATION` (wdm.h) is the time alone, a
        // local of the size told.
        unsafe {
            NtSetInformationKey(
                target.handle(),
                WRITE_TIME,
                (&raw const time).cast(),
                size_of_val(&time) as u32,
            )
        };
    }
}

/// `REG_OPTION_VOLATILE` where `source` is volatile, as far as the kernel tells:
/// Wine does not know the class (observed on Wine 8 and 10).
fn options_like(source: &Key) -> u32 {
    const FLAGS: u32 = 5;
    const VOLATILE: u32 = 1;
    if hooks::is_wine() {
        return 0;
    }
    // `KEY_FLAGS_INFORMATION` (phnt): WOW64 flags, key flags, control flags.
    let (mut flags, mut returned) = ([0_u32; 3], 0);
    // SAFETY: the buffer is a local of the size told.
    let status = unsafe {
        kept::NtQueryKey(
            source.handle(),
            FLAGS,
            flags.as_mut_ptr().cast(),
            size_of_val(&flags) as u32,
            &raw mut returned,
        )
    };
    if success(status) {
        flags[1] & VOLATILE
    } else {
        0
    }
}

/// Makes a key for the copy below the upper's key `parent`, under a name that
/// no other thread uses.
fn stage(parent: &[u16], source: &Key) -> Result<Key, NTSTATUS> {
    with_staged_path(parent, |path| {
        with_class(source, |class| {
            raw::create_as(path, ALL, class, options_like(source))
        })
    })?
}

/// Runs `work` with the passing name below the real path `parent`.
pub(super) fn with_staged_path<R>(
    parent: &[u16],
    work: impl FnOnce(&[u16]) -> R,
) -> Result<R, NTSTATUS> {
    let room = parent.len() + 1 + key::STAGED.len() + 16;
    scratch::with(room, |path| {
        let length = staged_path(parent, path)?;
        path.get(..length).map(work)
    })
    .flatten()
    .ok_or(STATUS_NAME_TOO_LONG)
}

fn staged_path(parent: &[u16], path: &mut [u16]) -> Option<usize> {
    let mut length = join(&[parent, &[SEPARATOR], key::STAGED], path).ok()?;
    for id in thread() {
        length += hexadecimal(id, path.get_mut(length..)?)?;
    }
    Some(length)
}

/// The ids of the calling process and thread.
fn thread() -> [u32; 2] {
    let (process, thread): (u64, u64);
    // SAFETY: gs:[0x40] and gs:[0x48] are the TEB's ClientId on x64.
    unsafe {
        core::arch::asm!(
            "mov {}, gs:[0x40]",
            "mov {}, gs:[0x48]",
            out(reg) process,
            out(reg) thread,
            options(nostack, pure, readonly)
        );
    }
    [process as u32, thread as u32]
}

/// Writes eight hexadecimal digits.
fn hexadecimal(value: u32, out: &mut [u16]) -> Option<usize> {
    let place = out.get_mut(..8)?;
    for (at, unit) in place.iter_mut().enumerate() {
        let digit = value >> (28 - 4 * at) & 0xF;
        *unit = u16::from(b"0123456789abcdef"[digit as usize]);
    }
    Some(8)
}

/// Runs `work` with the class of `source`, which may be empty.
pub(super) fn with_class<R>(source: &Key, work: impl FnOnce(&[u16]) -> R) -> R {
    const FULL: u32 = 2;
    const CLASS: usize = 44;
    let (mut buffer, mut returned) = ([0_u32; 144], 0);
    // SAFETY: the buffer is a local of the size told.
    let status = unsafe {
        kept::NtQueryKey(
            source.handle(),
            FULL,
            buffer.as_mut_ptr().cast(),
            size_of_val(&buffer) as u32,
            &raw mut returned,
        )
    };
    let mut class = [0_u16; 256];
    let mut length = 0;
    if success(status) {
        let size = buffer[4] as usize / 2;
        let units = buffer
            .iter()
            .skip(CLASS / 4)
            .flat_map(|w| [*w as u16, (*w >> 16) as u16]);
        for (place, unit) in class.iter_mut().zip(units.take(size)) {
            *place = unit;
            length += 1;
        }
    }
    work(class.get(..length).unwrap_or(&[]))
}

/// Keeps what values and rights the host has at `depth`, when `layer`, in which the key
/// `source` is seen, is the host's: the upper is about to cover them.
pub(super) fn keep_base(stack: &Stack<'_>, depth: usize, layer: usize, source: &Key) {
    if layer + 1 != stack.layers() {
        return;
    }
    let mut values = Values::default();
    let told = each_value(source, |full| {
        let value = Value::of(full)?;
        values.add(value.name, value.kind, value.data);
        Ok(())
    });
    if told.is_ok() {
        let numbers = [0, security::figure(source), values.get()];
        let kind = base::Kind::Key;
        crate::calls::files::base::keep(&base::Stamp { kind, numbers }, stack.at(depth));
    }
}

/// Copies all values.
pub(super) fn copy_values(source: &Key, target: &Key) -> Result<(), NTSTATUS> {
    each_value(source, |full| set(target.handle(), &Value::of(full)?))
}

/// Runs `work` with the `KEY_VALUE_FULL_INFORMATION` of each value.
fn each_value(
    source: &Key,
    mut work: impl FnMut(&[u8]) -> Result<(), NTSTATUS>,
) -> Result<(), NTSTATUS> {
    const FULL: u32 = 1;
    let mut region = Region::new(0x1_0000)?;
    let mut index = 0;
    loop {
        let buffer = region.bytes();
        let mut returned = 0;
        // SAFETY: the region is the agent's own, of the size told, page-aligned.
        let status = unsafe {
            kept::NtEnumerateValueKey(
                source.handle(),
                index,
                FULL,
                buffer.as_mut_ptr().cast(),
                buffer.len() as u32,
                &raw mut returned,
            )
        };
        match status {
            STATUS_NO_MORE_ENTRIES => return Ok(()),
            STATUS_BUFFER_OVERFLOW | STATUS_BUFFER_TOO_SMALL
                if returned as usize > buffer.len() =>
            {
                region = Region::new(returned as usize)?;
            }
            _ if success(status) => {
                work(region.bytes())?;
                index += 1;
            }
            _ => return Err(status),
        }
    }
}

/// What `KEY_VALUE_FULL_INFORMATION` holds: title, type, offset and length of
/// the data, length of the name, the name.
struct Value<'f> {
    title: u32,
    kind: u32,
    name: &'f [u8],
    data: &'f [u8],
}

impl<'f> Value<'f> {
    fn of(full: &'f [u8]) -> Result<Self, NTSTATUS> {
        let damaged = STATUS_UNSUCCESSFUL;
        let field = |at| word(full, at).ok_or(damaged);
        let bytes = |start: u32, size: u32| {
            let start = start as usize;
            let end = start.checked_add(size as usize).ok_or(damaged)?;
            full.get(start..end).ok_or(damaged)
        };
        Ok(Self {
            title: field(0)?,
            kind: field(4)?,
            name: bytes(20, field(16)?)?,
            data: bytes(field(8)?, field(12)?)?,
        })
    }
}

fn set(target: HANDLE, value: &Value<'_>) -> Result<(), NTSTATUS> {
    let length = u16::try_from(value.name.len()).map_err(|_| STATUS_UNSUCCESSFUL)?;
    let name = UNICODE_STRING {
        Length: length,
        MaximumLength: length,
        Buffer: value.name.as_ptr().cast_mut().cast(),
    };
    // SAFETY: name and data are live slices; the name lies at a multiple of 4.
    let status = unsafe {
        kept::NtSetValueKey(
            target,
            &raw const name,
            value.title,
            value.kind,
            value.data.as_ptr().cast(),
            value.data.len() as u32,
        )
    };
    if success(status) { Ok(()) } else { Err(status) }
}

pub(super) fn rename(staged: &Key, name: &[u16]) -> Result<(), NTSTATUS> {
    let name = unicode_string(name).ok_or(STATUS_NAME_TOO_LONG)?;
    // SAFETY: the name lives over the call.
    let status = unsafe { kept::NtRenameKey(staged.handle(), &raw const name) };
    if success(status) { Ok(()) } else { Err(status) }
}

fn delete(staged: &Key) {
    // SAFETY: the handle is the agent's own.
    unsafe { kept::NtDeleteKey(staged.handle()) };
}

/// Follows a link of the host that the names do not know: runs `work` with the
/// kernel's own name of the VM's key `name`, when it has another there.
pub(super) fn with_other_name<R>(name: &[u16], work: impl FnOnce(&[u16]) -> R) -> Option<R> {
    let mut stack = Stack::new(name);
    let host = stack.layers() - 1;
    match lookup(&mut stack) {
        Ok(Lookup::Found { layer, .. }) if layer == host => {}
        _ => return None,
    }
    let source = raw::open(name, READ).ok()?;
    names::with_vm_name(source.handle(), |real, _| {
        let same = pinion_names::units::below(real, name).is_some_and(<[u16]>::is_empty);
        // A name with other letters than ASCII in another case is the same too:
        // then the copy lands under the host's spelling, which the kernel finds.
        (!same && key::is_layered(real) && !names::is_closed(real)).then(|| work(real))
    })
    .ok()?
}
