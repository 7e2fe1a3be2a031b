//! `SystemHandleInformation` and its extended form: the table of the system's
//! handles shows those of members only.
//!
//! Where Wine's server must not be asked for it ([`wine::LISTS_HANDLES_SINCE`])
//! the agent makes the table itself, of this process's handles alone.

use super::membership::own_process;
use super::tables::{Ask, Keep, Out, cut_down, with_all_processes};
use crate::hooks::{self, kept};
use core::ffi::c_void;
use core::sync::atomic::{AtomicU8, Ordering};
use pinion_nt::status::{STATUS_ACCESS_VIOLATION, STATUS_INFO_LENGTH_MISMATCH, success};
use pinion_nt::{HANDLE, NTSTATUS, wine};
use pinion_processes::handles::{self, Handle, Table};
use pinion_processes::list;

/// `SystemExtendedHandleInformation`.
const EXTENDED: u32 = 64;
/// The sizes of `SYSTEM_HANDLE_INFORMATION` and `SYSTEM_HANDLE_INFORMATION_EX`
/// with one handle, below which Wine looks at no buffer (observed on Wine 8 and
/// 10).
const OLD_LEAST: u32 = 32;
const EXTENDED_LEAST: u32 = 56;

/// As `SystemHandleInformation`, whose fields have 16 bits.
pub(super) fn old(out: Out, ask: Ask<'_>) -> NTSTATUS {
    cut(out, OLD_LEAST, ask, &|table, member| {
        handles::keep_old(table, member)
    })
}

/// As `SystemExtendedHandleInformation`.
pub(super) fn extended(out: Out, ask: Ask<'_>) -> NTSTATUS {
    cut(out, EXTENDED_LEAST, ask, &|table, member| {
        handles::keep(table, member)
    })
}

fn cut(out: Out, least: u32, ask: Ask<'_>, keep: Keep<'_>) -> NTSTATUS {
    let least = if hooks::is_wine() { least } else { 1 };
    if out.buffer.is_null() && out.length >= least {
        return STATUS_ACCESS_VIOLATION;
    }
    if server_lists_handles() {
        let ask = |buffer, length, returned| ask(EXTENDED, buffer, length, returned);
        return cut_down(out, &ask, keep);
    }
    cut_down(out, &own_table, keep)
}

/// Whether the kernel can be asked for the table. A Wine that does not tell its
/// version is not asked.
fn server_lists_handles() -> bool {
    /// 0 before it was asked, then 1 for no and 2 for yes.
    static KNOWN: AtomicU8 = AtomicU8::new(0);
    if !hooks::is_wine() {
        return true;
    }
    match KNOWN.load(Ordering::Relaxed) {
        0 => {
            let lists = hooks::wine_major().is_some_and(|major| major >= wine::LISTS_HANDLES_SINCE);
            KNOWN.store(1 + u8::from(lists), Ordering::Relaxed);
            lists
        }
        known => known == 2,
    }
}

/// The table of this process's handles, in the extended form, as a kernel that
/// has no others would write it.
fn own_table(buffer: *mut c_void, length: u32, returned: *mut u32) -> NTSTATUS {
    // SAFETY: `cut_down` gives a live buffer of that size, and a place for the
    // length.
    let (bytes, returned) = unsafe {
        let bytes = core::slice::from_raw_parts_mut(buffer.cast::<u8>(), length as usize);
        (bytes, &mut *returned)
    };
    let mut table = Table::new(bytes);
    each_own(|handle| table.add(handle));
    let size = table.finish();
    *returned = size as u32;
    if size <= length as usize {
        0
    } else {
        STATUS_INFO_LENGTH_MISMATCH
    }
}

/// Runs `work` with each handle of this process, as far as its other threads let
/// them be meanwhile.
fn each_own(mut work: impl FnMut(Handle)) {
    /// How many unused handles in a row are the end, when another thread has
    /// closed some that were counted.
    const GAP: u32 = 1024;
    let process = own_process();
    let count = with_all_processes(|bytes| list::handle_count(bytes, process)).flatten();
    let (mut left, mut unused) = (count.unwrap_or(u64::MAX), 0);
    let mut value = 0;
    while left > 0 && unused < GAP {
        value += 4;
        match describe(process, value) {
            Some(handle) => {
                work(handle);
                (left, unused) = (left - 1, 0);
            }
            None => unused += 1,
        }
    }
}

/// What the table tells of a handle; `None` when there is none.
fn describe(process: u64, value: u64) -> Option<Handle> {
    /// `ObjectBasicInformation`: a structure of 56 bytes that begins with the
    /// attributes and the access (winternl.h).
    const BASIC: u32 = 0;
    /// `ObjectTypeInformation`: a structure of 104 bytes with the index at 90,
    /// and the name (phnt, ntobapi.h).
    const TYPE: u32 = 2;
    /// `ObjectHandleFlagInformation`: inherit, protect from close.
    const FLAGS: u32 = 4;
    const OBJ_PROTECT_CLOSE: u32 = 1;
    const OBJ_INHERIT: u32 = 2;
    let (mut basic, mut kind, mut flags) = ([0_u32; 14], [0_u64; 64], [0_u8; 2]);
    query(value, BASIC, &mut basic)?;
    query(value, TYPE, &mut kind)?;
    query(value, FLAGS, &mut flags)?;
    let index = kind[11].to_le_bytes()[2];
    let attribute = |flag: u8, attribute| if flag == 0 { 0 } else { attribute };
    Some(Handle {
        process,
        value,
        access: basic[1],
        // The table counts types from 0, the object's own answer from 2
        // (observed on Wine 8).
        kind: u16::from(index.saturating_sub(2)),
        attributes: attribute(flags[0], OBJ_INHERIT) | attribute(flags[1], OBJ_PROTECT_CLOSE),
    })
}

/// `NtQueryObject`; `None` when it fails.
fn query<T>(value: u64, class: u32, out: &mut [T]) -> Option<()> {
    let size = size_of_val(out) as u32;
    let none = core::ptr::null_mut();
    // SAFETY: the buffer is a live slice of plain data of that size.
    let status =
        unsafe { kept::NtQueryObject(value as HANDLE, class, out.as_mut_ptr().cast(), size, none) };
    success(status).then_some(())
}
