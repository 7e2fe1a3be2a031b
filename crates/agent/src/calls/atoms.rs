//! Global atoms: their names begin with the VM's mark in the table that all
//! programs share, and an atom without it is as if it did not exist.

use crate::hooks::kept;
use crate::{guard, state};
use core::ffi::c_void;
use pinion_names::atom::{self, LONGEST};
use pinion_nt::NTSTATUS;
use pinion_nt::status::{
    STATUS_BUFFER_TOO_SMALL, STATUS_INVALID_HANDLE, STATUS_INVALID_INFO_CLASS,
    STATUS_INVALID_PARAMETER, success,
};

/// The first atom that has a name in the table; those below are numbers
/// (`MAXINTATOM`, winbase.h).
const FIRST: u16 = 0xc000;

/// `ATOM_BASIC_INFORMATION` (phnt, ntexapi.h), with room for the longest name.
#[repr(C)]
struct Basic {
    uses: u16,
    pinned: u16,
    length: u16,
    name: [u16; LONGEST + 1],
}

/// The bytes of the information before the name and the name's end.
const HEADER: usize = 8;

/// As `NtAddAtom`.
pub(crate) unsafe fn add(name: *const u16, bytes: u32, place: *mut u16) -> NTSTATUS {
    with_own(name, bytes, |name, bytes| {
        // SAFETY: the program's arguments but for the name.
        unsafe { kept::NtAddAtom(name, bytes, place) }
    })
}

/// As `NtAddAtomEx`.
pub(crate) unsafe fn add_ex(name: *const u16, bytes: u32, place: *mut u16, flags: u32) -> NTSTATUS {
    with_own(name, bytes, |name, bytes| {
        // SAFETY: the program's arguments but for the name.
        unsafe { kept::NtAddAtomEx(name, bytes, place, flags) }
    })
}

/// As `NtFindAtom`.
pub(crate) unsafe fn find(name: *const u16, bytes: u32, place: *mut u16) -> NTSTATUS {
    with_own(name, bytes, |name, bytes| {
        // SAFETY: the program's arguments but for the name.
        unsafe { kept::NtFindAtom(name, bytes, place) }
    })
}

/// Runs `call` with the VM's name of the atom. Numbers, and what is no name,
/// are the kernel's affair.
fn with_own(
    name: *const u16,
    bytes: u32,
    call: impl FnOnce(*const u16, u32) -> NTSTATUS,
) -> NTSTATUS {
    let units = bytes as usize / 2;
    let mut given = [0; LONGEST];
    let Some(given) = given.get_mut(..units).filter(|_| units > 0) else {
        return call(name, bytes);
    };
    if name as usize >> 16 == 0 {
        return call(name, bytes);
    }
    // SAFETY: `given` has room for the units; the source may be bad.
    if unsafe { guard::copy(given.as_mut_ptr().cast(), name.cast(), units * 2) }.is_err()
        || atom::is_number(given)
    {
        return call(name, bytes);
    }
    match atom::map(state::page().id, given, &mut [0; LONGEST]) {
        Some(own) => call(own.as_ptr(), size_of_val(own) as u32),
        None => STATUS_INVALID_PARAMETER,
    }
}

/// Runs `work` with the uses, the pin and the name of the VM's atom.
///
/// # Errors
/// The kernel's status, or that of an atom that does not exist when it is not
/// the VM's.
pub(crate) fn with_name<R>(
    number: u16,
    work: impl FnOnce([u16; 2], &[u16]) -> R,
) -> Result<R, NTSTATUS> {
    let mut basic = Basic {
        uses: 0,
        pinned: 0,
        length: 0,
        name: [0; LONGEST + 1],
    };
    let size = size_of::<Basic>() as u32;
    // SAFETY: class 0 fills the structure above.
    let status = unsafe {
        let place = (&raw mut basic).cast();
        kept::NtQueryInformationAtom(number, 0, place, size, core::ptr::null_mut())
    };
    if !success(status) {
        return Err(status);
    }
    let real = basic
        .name
        .get(..usize::from(basic.length) / 2)
        .unwrap_or(&[]);
    let name = atom::undo(state::page().id, real).ok_or(STATUS_INVALID_HANDLE)?;
    Ok(work([basic.uses, basic.pinned], name))
}

/// As `NtDeleteAtom`.
pub(crate) unsafe fn delete(number: u16) -> NTSTATUS {
    if number >= FIRST
        && let Err(status) = with_name(number, |_, _| ())
    {
        return status;
    }
    // SAFETY: takes a number.
    unsafe { kept::NtDeleteAtom(number) }
}

/// As `NtQueryInformationAtom`. The list of all atoms is not given.
pub(crate) unsafe fn query(
    number: u16,
    class: u32,
    buffer: *mut c_void,
    size: u32,
    returned: *mut u32,
) -> NTSTATUS {
    const BASIC: u32 = 0;
    let room = (size as usize).checked_sub(HEADER);
    match room {
        _ if class != BASIC => STATUS_INVALID_INFO_CLASS,
        Some(room) if number >= FIRST => {
            let answer = with_name(number, |counts, name| {
                tell(counts, name, room, buffer, returned)
            });
            answer.unwrap_or_else(|status| status)
        }
        // SAFETY: the program's own arguments.
        _ => unsafe { kept::NtQueryInformationAtom(number, class, buffer, size, returned) },
    }
}

/// Writes what is told of an atom, the name cut to the room, as Wine 8 and 10 do.
fn tell(
    counts: [u16; 2],
    name: &[u16],
    room: usize,
    buffer: *mut c_void,
    returned: *mut u32,
) -> NTSTATUS {
    let whole = size_of_val(name);
    let bytes = if room == 0 {
        whole
    } else {
        whole.min(room & !1)
    };
    let written = (|| {
        // SAFETY: the program's memory, under guard.
        unsafe {
            guard::write(buffer.cast(), [counts[0], counts[1], bytes as u16])?;
            if room != 0 {
                let place = buffer.wrapping_byte_add(6);
                guard::copy(place, name.as_ptr().cast(), bytes)?;
                guard::write(place.wrapping_byte_add(bytes).cast::<u16>(), 0)?;
            }
            if !returned.is_null() {
                guard::write(returned, (HEADER + bytes) as u32)?;
            }
        }
        Ok::<(), i32>(())
    })();
    match written {
        Err(code) => code,
        Ok(()) if room == 0 => STATUS_BUFFER_TOO_SMALL,
        Ok(()) => 0,
    }
}
