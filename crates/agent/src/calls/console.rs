//! Device controls of the console: a program attaches to the console of a
//! member, or of whoever started it, and of nobody else.
//!
//! Only on Wine, where `AttachConsole` is this control; how Windows attaches is
//! not known here.

use super::{membership, sockets};
use crate::guard;
use crate::hooks::{self, kept};
use core::ffi::c_void;
use pinion_nt::{HANDLE, IO_STATUS_BLOCK, NTSTATUS};

/// `IOCTL_CONDRV_BIND_PID` (Wine's wine/condrv.h); the input is a 32-bit id.
const BIND: u32 = 0x50_00cc;
/// `ATTACH_PARENT_PROCESS` (wincon.h). The parent of a VM's first program gave it
/// its own console.
const PARENT: u32 = u32::MAX;
/// An id that no process has.
const NOBODY: u32 = 0xffff_fffc;

/// As `NtDeviceIoControlFile`.
#[allow(clippy::too_many_arguments)]
pub(crate) unsafe fn control(
    file: HANDLE,
    event: HANDLE,
    apc: *const c_void,
    context: *const c_void,
    io: *mut IO_STATUS_BLOCK,
    code: u32,
    input: *const c_void,
    input_size: u32,
    output: *mut c_void,
    output_size: u32,
) -> NTSTATUS {
    let call = |input, size| {
        // SAFETY: the program's arguments but for the input.
        unsafe {
            kept::NtDeviceIoControlFile(
                file,
                event,
                apc,
                context,
                io,
                code,
                input,
                size,
                output,
                output_size,
            )
        }
    };
    if code != BIND || !hooks::is_wine() {
        // SAFETY: the program's own arguments.
        return unsafe {
            sockets::control(
                file,
                event,
                apc,
                context,
                io,
                code,
                input,
                input_size,
                output,
                output_size,
            )
        };
    }
    // SAFETY: plain data; a bad pointer is a return value.
    let id: u32 = match unsafe { guard::read(input.cast()) } {
        Ok(id) if input_size as usize == size_of::<u32>() => id,
        Ok(_) => return call(core::ptr::null(), 0),
        Err(code) => return code,
    };
    let held = membership::hold(u64::from(id), 0);
    let own = if id == PARENT || held.is_some() {
        id
    } else {
        NOBODY
    };
    call((&raw const own).cast(), input_size)
}
