//! Sockets, at the device controls of `\Device\Afd`.

use crate::hooks::kept;
use core::ffi::c_void;
use pinion_nt::{HANDLE, IO_STATUS_BLOCK, NTSTATUS};

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
    // SAFETY: the program's own arguments.
    unsafe {
        kept::NtDeviceIoControlFile(
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
    }
}
