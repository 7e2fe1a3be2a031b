//! Device controls: each goes to the file that owns its device.

use super::{connections, console, sockets};
use crate::hooks::{self, kept};
use crate::region::Region;
use core::ffi::c_void;
use pinion_nt::status::{STATUS_PENDING, STATUS_UNSUCCESSFUL};
use pinion_nt::{HANDLE, IO_STATUS_BLOCK, NTSTATUS};

/// The arguments of `NtDeviceIoControlFile`.
#[derive(Clone, Copy)]
pub(super) struct Control {
    pub(super) file: HANDLE,
    pub(super) event: HANDLE,
    pub(super) apc: *const c_void,
    pub(super) context: *const c_void,
    pub(super) io: *mut IO_STATUS_BLOCK,
    pub(super) code: u32,
    pub(super) input: *const c_void,
    pub(super) input_size: u32,
    pub(super) output: *mut c_void,
    pub(super) output_size: u32,
}

impl Control {
    /// The system call.
    pub(super) fn call(&self) -> NTSTATUS {
        // SAFETY: the program's arguments, or the agent's in their place, which
        // live while the call waits.
        unsafe {
            kept::NtDeviceIoControlFile(
                self.file,
                self.event,
                self.apc,
                self.context,
                self.io,
                self.code,
                self.input,
                self.input_size,
                self.output,
                self.output_size,
            )
        }
    }

    /// The system call with another input of the same size.
    pub(super) fn with_input<T>(self, input: &T) -> NTSTATUS {
        let input = core::ptr::from_ref(input).cast();
        Self { input, ..self }.call()
    }

    /// The system call with an output of the agent's own, which comes back with
    /// the status. A call that goes on keeps it for ever, and fails: devices that
    /// are asked this way answer at once, as far as is known.
    pub(super) fn into_region(self, mut region: Region) -> (NTSTATUS, Option<Region>) {
        let bytes = region.bytes();
        let output_size = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let output = bytes.as_mut_ptr().cast();
        let status = Self {
            output,
            output_size,
            ..self
        }
        .call();
        if status == STATUS_PENDING {
            region.leak();
            return (STATUS_UNSUCCESSFUL, None);
        }
        (status, Some(region))
    }
}

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
    let control = Control {
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
    };
    let answered = match code {
        connections::ENUMERATE if hooks::is_wine() => connections::control(control),
        connections::ECHO if hooks::is_wine() => connections::echo(control),
        code if console::owns(code) && hooks::is_wine() => console::control(control),
        _ => return sockets::control(&control),
    };
    answered.unwrap_or_else(|| control.call())
}
