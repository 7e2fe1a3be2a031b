//! `NtQuerySystemInformation(Ex)`: the system's tables of processes and handles
//! show members only.
//!
//! A table is taken into the agent's own memory and cut down there; the program
//! gets the rest, with the lengths and statuses of a system that has no more.

use super::{handle_tables, membership};
use crate::hooks::{self, kept};
use crate::region::Region;
use crate::{guard, scratch};
use core::ffi::c_void;
use pinion_nt::NTSTATUS;
use pinion_nt::status::{
    STATUS_ACCESS_DENIED, STATUS_DATATYPE_MISALIGNMENT, STATUS_INFO_LENGTH_MISMATCH,
    STATUS_INVALID_INFO_CLASS, STATUS_NO_MEMORY, STATUS_UNSUCCESSFUL, success,
};
use pinion_processes::class::{self, Treatment};
use pinion_processes::list::Form;
use pinion_processes::{Damaged, list};

/// How often a table that grows is asked for again.
const TRIES: usize = 8;
/// `SystemProcessInformation`.
const PROCESSES: u32 = 5;

/// Asks the kernel for a class: buffer, its size in bytes, the length told.
pub(super) type Ask<'a> = &'a dyn Fn(u32, *mut c_void, u32, *mut u32) -> NTSTATUS;

/// Cuts a table down to what the function says are members; the bytes left.
pub(super) type Keep<'a> = &'a dyn Fn(&mut [u8], &dyn Fn(u64) -> bool) -> Result<usize, Damaged>;

/// Where a program wants its answer.
#[derive(Clone, Copy)]
pub(super) struct Out {
    pub(super) buffer: *mut c_void,
    pub(super) length: u32,
    pub(super) returned: *mut u32,
}

/// As `NtQuerySystemInformation`.
pub(crate) unsafe fn query(
    class: u32,
    buffer: *mut c_void,
    length: u32,
    returned: *mut u32,
) -> NTSTATUS {
    let out = Out {
        buffer,
        length,
        returned,
    };
    answer(class, out, &|class, buffer, length, returned| {
        // SAFETY: the program's own arguments, or the agent's memory.
        unsafe { kept::NtQuerySystemInformation(class, buffer, length, returned) }
    })
}

/// As `NtQuerySystemInformationEx`.
pub(crate) unsafe fn query_ex(
    class: u32,
    input: *mut c_void,
    input_size: u32,
    buffer: *mut c_void,
    length: u32,
    returned: *mut u32,
) -> NTSTATUS {
    let out = Out {
        buffer,
        length,
        returned,
    };
    answer(class, out, &|class, buffer, length, returned| {
        // SAFETY: the program's own arguments, or the agent's memory.
        unsafe {
            kept::NtQuerySystemInformationEx(class, input, input_size, buffer, length, returned)
        }
    })
}

fn answer(class: u32, out: Out, ask: Ask<'_>) -> NTSTATUS {
    let treatment = class::treatment(class);
    if treatment == Treatment::Whole {
        return ask(class, out.buffer, out.length, out.returned);
    }
    // Windows looks at this first (NtQuerySystemInformation; Wine does not).
    if !hooks::is_wine() && out.length != 0 && !(out.buffer as usize).is_multiple_of(4) {
        return STATUS_DATATYPE_MISALIGNMENT;
    }
    match treatment {
        Treatment::Whole | Treatment::Unknown => STATUS_INVALID_INFO_CLASS,
        Treatment::Processes(form) => processes(out, form, &|buffer, length, returned| {
            ask(class, buffer, length, returned)
        }),
        Treatment::SessionProcesses => session_processes(class, out, ask),
        Treatment::Handles => handle_tables::old(out, ask),
        Treatment::HandlesEx => handle_tables::extended(out, ask),
        Treatment::ImageOfId => image_of_id(class, out, ask),
        Treatment::Objects => closed(class, ask, STATUS_UNSUCCESSFUL),
        Treatment::Denied => closed(class, ask, STATUS_ACCESS_DENIED),
    }
}

/// The kernel's own refusal of a class, or `instead` where it has the class.
fn closed(class: u32, ask: Ask<'_>, instead: NTSTATUS) -> NTSTATUS {
    match ask(class, core::ptr::null_mut(), 0, core::ptr::null_mut()) {
        STATUS_INFO_LENGTH_MISMATCH => instead,
        status if success(status) => instead,
        status => status,
    }
}

/// Runs `work` with the whole table that `ask` writes.
///
/// # Errors
/// The kernel's status, and the length that it told.
fn with_table(
    ask: &dyn Fn(*mut c_void, u32, *mut u32) -> NTSTATUS,
    work: &mut dyn FnMut(&mut [u8]) -> NTSTATUS,
) -> Result<NTSTATUS, (NTSTATUS, u32)> {
    let mut attempt = |room: &mut [u8]| {
        let mut told = 0;
        let size = u32::try_from(room.len()).unwrap_or(u32::MAX);
        let status = ask(room.as_mut_ptr().cast(), size, &raw mut told);
        match room.get_mut(..told as usize) {
            Some(table) if success(status) => Ok(work(table)),
            _ => Err((status, told)),
        }
    };
    let small = scratch::with(scratch::LARGE, |units| {
        // SAFETY: any bits are bytes, and bytes need no alignment.
        let (_, bytes, _) = unsafe { units.align_to_mut::<u8>() };
        attempt(bytes)
    });
    let mut result = small.unwrap_or(Err((STATUS_NO_MEMORY, 0)));
    for _ in 0..TRIES {
        let Err((STATUS_INFO_LENGTH_MISMATCH, told)) = result else {
            break;
        };
        let told = (told as usize).max(scratch::LARGE * 2);
        // A quarter more: the system goes on while it is asked.
        let Ok(mut region) = Region::new(told + told / 4) else {
            return Err((STATUS_NO_MEMORY, 0));
        };
        result = attempt(region.bytes());
    }
    result
}

/// Runs `work` with the kernel's whole list of processes
/// (`SystemProcessInformation`); `None` when it cannot be had.
pub(crate) fn with_all_processes<R>(mut work: impl FnMut(&[u8]) -> R) -> Option<R> {
    let mut result = None;
    let ask = |buffer, length, returned| {
        // SAFETY: the agent's memory of that size.
        unsafe { kept::NtQuerySystemInformation(PROCESSES, buffer, length, returned) }
    };
    let done = with_table(&ask, &mut |bytes| {
        result = Some(work(bytes));
        0
    });
    done.ok().and(result)
}

/// Answers with the table that `keep` leaves of the kernel's. Members are those
/// that are listed both before and after the kernel was asked: an id that came
/// to mean another process meanwhile is of neither.
pub(super) fn cut_down(
    out: Out,
    ask: &dyn Fn(*mut c_void, u32, *mut u32) -> NTSTATUS,
    keep: Keep<'_>,
) -> NTSTATUS {
    let result = membership::with_members(|before| {
        with_table(ask, &mut |table| {
            let left = membership::with_members(|after| {
                keep(table, &|id| before.contains(id) && after.contains(id))
            });
            match left.and_then(Result::ok).and_then(|left| table.get(..left)) {
                Some(left) => give(left, out),
                None => STATUS_UNSUCCESSFUL,
            }
        })
    });
    match result {
        Some(Ok(status)) => status,
        Some(Err((status, told))) => tell(out, told).err().unwrap_or(status),
        None => STATUS_UNSUCCESSFUL,
    }
}

/// Writes the answer to the program, as the system call would.
fn give(table: &[u8], out: Out) -> NTSTATUS {
    let fits = table.len() <= out.length as usize;
    if fits {
        // SAFETY: the program's buffer, under guard.
        if let Err(code) = unsafe { guard::copy(out.buffer, table.as_ptr().cast(), table.len()) } {
            return code;
        }
    }
    match tell(out, table.len() as u32) {
        Err(code) => code,
        Ok(()) if fits => 0,
        Ok(()) => STATUS_INFO_LENGTH_MISMATCH,
    }
}

/// Writes the length to the program, when it wants to know.
fn tell(out: Out, length: u32) -> Result<(), NTSTATUS> {
    if out.returned.is_null() {
        return Ok(());
    }
    // SAFETY: the program's pointer, under guard.
    unsafe { guard::write(out.returned, length) }
}

fn processes(
    out: Out,
    form: Form,
    ask: &dyn Fn(*mut c_void, u32, *mut u32) -> NTSTATUS,
) -> NTSTATUS {
    cut_down(out, ask, &|table, member| {
        let places = (table.as_ptr() as u64, out.buffer as u64);
        list::keep(table, form, places, member)
    })
}

/// The processes of a session, into the buffer that the caller's structure
/// names. Wine has no such class.
fn session_processes(class: u32, out: Out, ask: Ask<'_>) -> NTSTATUS {
    /// `SYSTEM_SESSION_PROCESS_INFORMATION` (phnt, ntexapi.h).
    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Session {
        id: u32,
        size: u32,
        buffer: *mut c_void,
    }
    let mut session = Session {
        id: 0,
        size: 0,
        buffer: core::ptr::null_mut(),
    };
    let size = size_of::<Session>() as u32;
    if out.length < size {
        return ask(class, (&raw mut session).cast(), out.length, out.returned);
    }
    // SAFETY: plain data; a bad pointer is a return value.
    match unsafe { guard::read(out.buffer.cast()) } {
        Ok(given) => session = given,
        Err(code) => {
            let status = ask(class, (&raw mut session).cast(), size, out.returned);
            return unreadable(code, status);
        }
    }
    let inner = Out {
        buffer: session.buffer,
        length: session.size,
        returned: out.returned,
    };
    processes(inner, Form::Full, &|buffer, length, returned| {
        let mut own = Session {
            id: session.id,
            size: length,
            buffer,
        };
        ask(class, (&raw mut own).cast(), size, returned)
    })
}

/// The status for a caller's structure that cannot be read: the fault's `code`,
/// unless the kernel, asked with an empty one, has no such class.
fn unreadable(code: NTSTATUS, asked: NTSTATUS) -> NTSTATUS {
    match asked {
        STATUS_INVALID_INFO_CLASS => asked,
        _ => code,
    }
}

/// The image's name of the process of an id.
fn image_of_id(class: u32, out: Out, ask: Ask<'_>) -> NTSTATUS {
    /// `SYSTEM_PROCESS_ID_INFORMATION` (phnt, ntexapi.h): the id, and a
    /// `UNICODE_STRING` whose buffer is the caller's.
    #[repr(C)]
    #[derive(Clone, Copy, Default)]
    struct Image {
        id: u64,
        name: [u64; 2],
    }
    let mut image = Image::default();
    let size = size_of::<Image>() as u32;
    if out.length < size {
        return ask(class, (&raw mut image).cast(), out.length, out.returned);
    }
    // SAFETY: plain data; a bad pointer is a return value.
    match unsafe { guard::read(out.buffer.cast()) } {
        Ok(given) => image = given,
        Err(code) => {
            let status = ask(class, (&raw mut image).cast(), size, out.returned);
            return unreadable(code, status);
        }
    }
    let held = membership::hold(image.id, 0);
    if held.is_none() {
        // The kernel's answer for an id that is not there.
        image.id = 0;
    }
    let status = ask(class, (&raw mut image).cast(), size, out.returned);
    if held.is_some() {
        // SAFETY: the program's buffer, under guard.
        if let Err(code) = unsafe { guard::write(out.buffer.cast(), image) } {
            return code;
        }
    }
    status
}
