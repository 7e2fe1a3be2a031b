//! Puts detours on the exports of httpapi.dll, in one page near it. What a detour is
//! made of is `pinion-intercept`'s to say.

use super::{EXPORTS, ORIGINALS, REPLACEMENTS};
use crate::entry::protect;
use core::ffi::c_void;
use core::sync::atomic::Ordering;
use pinion_intercept::detour::{self, Detour, MOVED, PLACE};
use pinion_intercept::export::Module;
use pinion_nt::calls::NtAllocateVirtualMemory;
use pinion_nt::status::success;
use pinion_nt::{
    CURRENT_PROCESS, MEM_COMMIT_RESERVE, PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE, PAGE_READWRITE,
};

/// Bytes of the page.
const PAGE: usize = 0x1000;
const _: () = assert!(EXPORTS * PLACE <= PAGE);

/// Replaces every export of the table that the module at `base` has. `None`, and
/// nothing is replaced, when one of them cannot be.
pub(super) fn install(base: u64, size: usize) -> Option<()> {
    // SAFETY: the loader says that `size` bytes of the module are mapped there.
    let bytes = unsafe { core::slice::from_raw_parts(base as *const u8, size) };
    let module = Module::new(bytes)?;
    let page = near(base, size)?;
    let mut made: [Option<(u64, Detour)>; EXPORTS] = [const { None }; EXPORTS];
    for (at, (replacement, made)) in REPLACEMENTS.iter().zip(&mut made).enumerate() {
        if let Some(rva) = module.find(replacement.name.as_bytes()) {
            let (from, place) = (base + u64::from(rva), page + (at * PLACE) as u64);
            let code = bytes.get(rva as usize..)?;
            let detour = detour::encode(code, from, place, replacement.with as u64)?;
            // SAFETY: the page is new, writable, and has room for every place.
            unsafe { (place as *mut [u8; PLACE]).write(detour.place) };
            *made = Some((from, detour));
        }
    }
    protect(page, PAGE, PAGE_EXECUTE_READ)?;
    let writable = |protection| {
        let mut all = made.iter().flatten();
        all.try_for_each(|(from, detour)| protect(*from, detour.covered, protection))
    };
    writable(PAGE_EXECUTE_READWRITE)?;
    for (at, (original, made)) in ORIGINALS.iter().zip(&made).enumerate() {
        if let Some((from, detour)) = made {
            original.store(page + (at * PLACE + MOVED) as u64, Ordering::Release);
            // SAFETY: the pages were made writable, `covered` bytes are fewer than
            // `entry` has, and the module's code does not run before its load is
            // reported.
            unsafe {
                core::ptr::copy_nonoverlapping(
                    detour.entry.as_ptr(),
                    *from as *mut u8,
                    detour.covered,
                );
            }
        }
    }
    writable(PAGE_EXECUTE_READ)
}

/// A new page of the process within reach of a jump from the module at `base`:
/// behind it, or before.
fn near(base: u64, size: usize) -> Option<u64> {
    /// What addresses of new regions are multiples of (`dwAllocationGranularity`).
    const STEP: u64 = 0x1_0000;
    /// How far is looked: half of what a jump reaches, so that the module's size
    /// does not count.
    const FAR: u64 = 1 << 30;
    let first = (base + size as u64).next_multiple_of(STEP);
    let behind = (0..FAR / STEP).map(|at| first + at * STEP);
    let before = (1..FAR / STEP).filter_map(|at| base.checked_sub(at * STEP));
    behind.chain(before).find_map(page_at)
}

/// A new page at this address, if nothing is there.
fn page_at(at: u64) -> Option<u64> {
    let (mut base, mut size) = (at as *mut c_void, PAGE);
    // SAFETY: the pointers are to locals; a new region is made, or none.
    let status = unsafe {
        NtAllocateVirtualMemory(
            CURRENT_PROCESS,
            &raw mut base,
            0,
            &raw mut size,
            MEM_COMMIT_RESERVE,
            PAGE_READWRITE,
        )
    };
    (success(status) && base as u64 == at).then_some(at)
}
