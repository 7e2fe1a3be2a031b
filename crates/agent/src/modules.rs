//! The process's own modules as the PEB lists them. Offsets: the x64 PEB,
//! PEB_LDR_DATA and LDR_DATA_TABLE_ENTRY of winternl.h and phnt, stable since
//! Windows 2000; the same on Wine 8 and 10.

use crate::guard;
use core::ffi::c_void;
use pinion_nt::UNICODE_STRING;
use pinion_nt::calls::RtlAddFunctionTable;

/// The PEB's address, from the TEB.
pub(crate) fn peb() -> *const u8 {
    let peb: *const u8;
    // SAFETY: gs:[0x60] is the PEB pointer of every x64 thread.
    unsafe {
        core::arch::asm!("mov {}, gs:[0x60]", out(reg) peb, options(nostack, pure, readonly));
    }
    peb
}

/// The word at `base + offset`.
///
/// # Safety
/// `base + offset` must be readable.
unsafe fn word(base: *const u8, offset: usize) -> *const u8 {
    // SAFETY: the caller's promise.
    unsafe { base.add(offset).cast::<*const u8>().read_unaligned() }
}

/// Whether the loader's data (PEB.Ldr) and the process heap exist.
pub(crate) fn loader_is_up() -> bool {
    let peb = peb();
    // SAFETY: both fields are in the PEB.
    unsafe { !word(peb, 0x18).is_null() && !word(peb, 0x30).is_null() }
}

/// The process heap.
pub(crate) fn heap() -> *mut c_void {
    // SAFETY: the field is in the PEB.
    unsafe { word(peb(), 0x30).cast_mut().cast() }
}

/// The id of the process group that the process takes itself for one of; 0 when
/// it knows none, as on Wine 8. The program may have changed it.
pub(crate) fn own_group() -> u32 {
    /// `PEB.ProcessParameters`, and `ProcessGroupId` in it (phnt's ntpebteb.h and
    /// ntrtl.h; Wine 10's winternl.h).
    const PARAMETERS: usize = 0x20;
    const GROUP: usize = 0x408;
    // SAFETY: the field is in the PEB; what it points to is read under guard.
    unsafe {
        let parameters = word(peb(), PARAMETERS);
        guard::read(parameters.wrapping_add(GROUP).cast()).unwrap_or(0)
    }
}

/// Calls `visit` with name, base and size of each loaded module. Only for
/// process start, when this thread is the only one.
pub(crate) fn each(visit: fn(&[u16], u64, usize)) {
    // SAFETY: the loader's list is consistent outside the loader's own code,
    // and no other thread exists yet to change it.
    unsafe {
        let head = word(peb(), 0x18).add(0x10);
        let mut entry = word(head, 0);
        while entry != head && !entry.is_null() {
            let name = &*entry.add(0x58).cast::<UNICODE_STRING>();
            if !name.Buffer.is_null() {
                let units = core::slice::from_raw_parts(name.Buffer, name.Length as usize / 2);
                let size = entry.add(0x40).cast::<u32>().read_unaligned();
                visit(units, word(entry, 0x30) as u64, size as usize);
            }
            entry = word(entry, 0);
        }
    }
}

/// Tells the system of the agent's unwind data, so that exceptions pass
/// through its frames.
pub(crate) fn add_unwind_data(base: u64) {
    let at = |offset: u64| {
        // SAFETY: the starter wrote the agent's headers at `base`.
        u64::from(unsafe { ((base + offset) as *const u32).read_unaligned() })
    };
    let directory = at(0x3c) + 24 + 112 + 3 * 8;
    let (table, size) = (at(directory), at(directory + 4));
    if table != 0 {
        // SAFETY: the exception directory is part of the mapped agent, which is
        // never unmapped; an entry has 12 bytes.
        unsafe { RtlAddFunctionTable((base + table) as *const c_void, (size / 12) as u32, base) };
    }
}

/// Where the process's parameters have what it is to start on
/// (`RTL_USER_PROCESS_PARAMETERS.DesktopInfo`, phnt's ntrtl.h; `Desktop` of
/// Wine's winternl.h).
fn desktop_place() -> *mut UNICODE_STRING {
    // SAFETY: both fields are there once the process runs.
    unsafe { word(peb(), 0x20).add(0xc0).cast_mut().cast() }
}

/// The station and desktop that the process is to start on; an empty string that
/// points somewhere when there is none.
pub(crate) fn desktop_info() -> UNICODE_STRING {
    // SAFETY: the place is the process's own, and nobody writes it at its start.
    let given = unsafe { desktop_place().read() };
    if given.Buffer.is_null() {
        return UNICODE_STRING {
            Length: 0,
            MaximumLength: 0,
            Buffer: core::ptr::dangling_mut(),
        };
    }
    given
}

/// Makes it look as if there were none; its length before.
pub(crate) fn hide_desktop_info() -> u16 {
    // SAFETY: as for `desktop_info`.
    unsafe { core::ptr::replace(&raw mut (*desktop_place()).Length, 0) }
}

/// Gives back what [`hide_desktop_info`] took.
pub(crate) fn show_desktop_info(length: u16) {
    // SAFETY: as for `desktop_info`.
    unsafe { (*desktop_place()).Length = length };
}
