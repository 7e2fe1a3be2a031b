//! Chains of processes (`SYSTEM_PROCESS_INFORMATION` and its like): shown with
//! the members only, as if the kernel had no others.

use crate::{Damaged, number, put};

/// What the entries of a chain look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `SYSTEM_PROCESS_INFORMATION`, with whatever threads and extensions after
    /// it, which name one another by offsets and never by address.
    Full,
    /// `SYSTEM_BASICPROCESS_INFORMATION`.
    Basic,
}

impl Form {
    /// The size of an entry's head, and where in it the id and the name are.
    const fn layout(self) -> (usize, usize, usize) {
        match self {
            Self::Full => (FULL, 80, 56),
            Self::Basic => (48, 8, 32),
        }
    }
}

/// The size of `SYSTEM_PROCESS_INFORMATION` without threads.
const FULL: usize = 256;
/// The size of `SYSTEM_THREAD_INFORMATION`; where in it the thread's id is.
const THREAD: (usize, usize) = (80, 48);
/// Where `NumberOfThreads` is.
const THREADS: usize = 4;
/// Where `HandleCount` is.
const HANDLES: usize = 96;

/// Processes of the kernel itself that every list begins with on Windows, and
/// that programs expect there: Idle and System. Wine has neither.
const KERNEL: [u64; 2] = [0, 4];

/// Whether a process of this id is shown to the members that `member` tells.
pub fn shown(id: u64, member: impl Fn(u64) -> bool) -> bool {
    KERNEL.contains(&id) || member(id)
}

/// Takes all but members out of the chain in `bytes`, which the kernel wrote to
/// the address `from` and which will lie at the address `to`: the entries move
/// up, and names in them are told by where they will be. How many bytes are
/// left.
///
/// # Errors
/// [`Damaged`] when the chain leaves the bytes, or nothing is left.
pub fn keep(
    bytes: &mut [u8],
    form: Form,
    (from, to): (u64, u64),
    member: impl Fn(u64) -> bool,
) -> Result<usize, Damaged> {
    let (head, id_at, _) = form.layout();
    let (mut read, mut write, mut last) = (0, 0, None);
    loop {
        let next = next(bytes, read, head)?;
        let id = number::<8>(bytes, read + id_at).ok_or(Damaged)?;
        let size = next.unwrap_or(bytes.len() - read);
        if shown(id, &member) {
            bytes.copy_within(read..read + size, write);
            let moved = bytes.get_mut(write..write + size).ok_or(Damaged)?;
            let was = from.wrapping_add(read as u64);
            settle(moved, form, was, to.wrapping_add(write as u64)).ok_or(Damaged)?;
            last = Some(write);
            write += size;
        }
        match next {
            Some(size) => read += size,
            None => break,
        }
    }
    let last = last.ok_or(Damaged)?;
    put(bytes, last, 0_u32.to_le_bytes()).ok_or(Damaged)?;
    Ok(write)
}

/// The size of the entry at `at` that another follows; `None` for the last.
fn next(bytes: &[u8], at: usize, head: usize) -> Result<Option<usize>, Damaged> {
    let rest = bytes.get(at..).ok_or(Damaged)?;
    let next = number::<4>(rest, 0).ok_or(Damaged)? as usize;
    if rest.len() < head || (next != 0 && (next < head || next > rest.len())) {
        return Err(Damaged);
    }
    Ok((next != 0).then_some(next))
}

/// Makes the entry, which lay at the address `was` and will lie at `is`, point
/// to its own name there, and gives it its own size as the way to the next. A
/// name that is not in the entry is none.
fn settle(entry: &mut [u8], form: Form, was: u64, is: u64) -> Option<()> {
    let (_, _, name) = form.layout();
    let length = number::<2>(entry, name)?;
    let address = number::<8>(entry, name + 8)?;
    let offset = address.wrapping_sub(was);
    let inside = offset
        .checked_add(length)
        .is_some_and(|end| end <= entry.len() as u64);
    if address != 0 && inside {
        put(entry, name + 8, is.wrapping_add(offset).to_le_bytes())?;
    } else {
        put(entry, name, 0_u32.to_le_bytes())?;
        put(entry, name + 8, 0_u64.to_le_bytes())?;
    }
    put(entry, 0, u32::try_from(entry.len()).ok()?.to_le_bytes())
}

/// How many handles the process `id` has, by a chain of
/// `SYSTEM_PROCESS_INFORMATION`.
#[must_use]
pub fn handle_count(bytes: &[u8], id: u64) -> Option<u64> {
    let mut at = 0;
    loop {
        let next = next(bytes, at, FULL).ok()?;
        if number::<8>(bytes, at + 80)? == id {
            return number::<4>(bytes, at + HANDLES);
        }
        at += next?;
    }
}

/// The process that has the running thread `id`, by a chain of
/// `SYSTEM_PROCESS_INFORMATION` with plain `SYSTEM_THREAD_INFORMATION`. The two
/// lower bits do not count, as for the kernel's own look-up of ids.
#[must_use]
pub fn process_of_thread(bytes: &[u8], id: u64) -> Option<u64> {
    let mut at = 0;
    loop {
        let next = next(bytes, at, FULL).ok()?;
        let entry = bytes.get(at..at + next.unwrap_or(bytes.len() - at))?;
        let threads = number::<4>(entry, THREADS)? as usize;
        let has = entry
            .get(FULL..)?
            .chunks_exact(THREAD.0)
            .take(threads)
            .any(|thread| number::<8>(thread, THREAD.1) == Some(id & !3));
        if has {
            return number::<8>(entry, 80);
        }
        at += next?;
    }
}

#[cfg(test)]
mod tests;
