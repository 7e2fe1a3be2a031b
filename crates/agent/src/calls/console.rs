//! Device controls of the console: a program attaches to the console of a
//! member, or of whoever started it; interrupts groups of members; and sees
//! members in a console's list of processes.
//!
//! Only on Wine, where these are controls of the console's device; how Windows
//! does it is not known here.

use super::controls::Control;
use super::membership;
use crate::guard;
use crate::modules;
use crate::region::Region;
use pinion_nt::NTSTATUS;
use pinion_nt::status::{STATUS_BUFFER_TOO_SMALL, STATUS_UNSUCCESSFUL};
use pinion_processes::members;

/// `IOCTL_CONDRV_BIND_PID` (Wine's wine/condrv.h); the input is a 32-bit id.
const BIND: u32 = 0x50_00cc;
/// `IOCTL_CONDRV_CTRL_EVENT`; the input is the event and the group, each of 32
/// bits. Group 0 is the caller's own.
const EVENT: u32 = 0x50_004c;
/// `IOCTL_CONDRV_GET_PROCESS_LIST`; the output is 32-bit ids, or, when they have
/// no room, their number.
const LIST: u32 = 0x50_005c;
/// `ATTACH_PARENT_PROCESS` (wincon.h). The parent of a VM's first program gave it
/// its own console.
const PARENT: u32 = u32::MAX;
/// An id that no process has.
const NOBODY: u32 = 0xffff_fffc;
/// The size of an id.
const ID: usize = size_of::<u32>();

/// Whether a control is one that is answered here.
pub(super) fn owns(code: u32) -> bool {
    matches!(code, BIND | EVENT | LIST)
}

/// Answers a control of the console; `None` for others.
pub(super) fn control(control: Control) -> Option<NTSTATUS> {
    let answered = match (control.code, control.input_size as usize) {
        (BIND, ID) => attach(control),
        (EVENT, size) if size == 2 * ID => interrupt(control),
        (LIST, _) if control.output_size as usize >= ID => list(control),
        _ => return None,
    };
    Some(answered)
}

/// `AttachConsole`.
fn attach(control: Control) -> NTSTATUS {
    // SAFETY: plain data; a bad pointer is a return value.
    let id: u32 = match unsafe { guard::read(control.input.cast()) } {
        Ok(id) => id,
        Err(code) => return code,
    };
    let held = membership::hold(u64::from(id), 0);
    let known = id == PARENT || held.is_some();
    control.with_input(if known { &id } else { &NOBODY })
}

/// `GenerateConsoleCtrlEvent`. A group is told by the id of its first process;
/// that of the program's own may be no member, as the command line's that started
/// it.
fn interrupt(control: Control) -> NTSTATUS {
    // SAFETY: plain data; a bad pointer is a return value.
    let [event, group]: [u32; 2] = match unsafe { guard::read(control.input.cast()) } {
        Ok(both) => both,
        Err(code) => return code,
    };
    let group = match group {
        own if own == modules::own_group() => 0,
        other if other == 0 || membership::lists(u64::from(other)) => other,
        _ => NOBODY,
    };
    control.with_input(&[event, group])
}

/// `GetConsoleProcessList`.
fn list(control: Control) -> NTSTATUS {
    /// More processes than a console has.
    const MANY: usize = 1 << 16;
    let Ok(region) = Region::new(MANY * ID) else {
        return STATUS_UNSUCCESSFUL;
    };
    let (status, region) = control.into_region(region);
    let Some(mut region) = region else {
        return status;
    };
    let bytes = region.bytes();
    // SAFETY: the program's block, under guard; the call has written it.
    let Ok(mut io) = (unsafe { guard::read(control.io) }) else {
        return status;
    };
    if status != 0 {
        return status;
    }
    let left = bytes.get_mut(..io.Information).and_then(|ids| {
        membership::with_members(|members| members::keep(ids, |id| members.contains(id)))
    });
    let Some(left) = left else {
        return STATUS_UNSUCCESSFUL;
    };
    let fits = left <= control.output_size as usize;
    let count = ((left / ID) as u32).to_ne_bytes();
    let told = if fits {
        bytes.get(..left)
    } else {
        count.get(..)
    };
    let status = if fits { 0 } else { STATUS_BUFFER_TOO_SMALL };
    io.Information = told.map_or(0, <[u8]>::len);
    io.Anonymous.Status = status;
    let told = told.unwrap_or_default();
    // SAFETY: the program's buffer and block, under guard.
    let written = unsafe {
        guard::copy(control.output, told.as_ptr().cast(), told.len())
            .and_then(|()| guard::write(control.io, io))
    };
    written.err().unwrap_or(status)
}
