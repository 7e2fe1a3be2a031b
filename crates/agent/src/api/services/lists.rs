//! The service API of a client: lists of services.

use super::call::{Result, boolean, call, given, unexpected};
use super::client::{full, short};
use super::pack::Packer;
use super::text;
use core::ffi::c_void;
use pinion_wire::services::{Entry, ServiceReply, ServiceRequest, next_entry};
use windows_sys::Win32::Foundation::{ERROR_INVALID_ADDRESS, ERROR_INVALID_LEVEL, ERROR_MORE_DATA};
use windows_sys::Win32::System::Services::{ENUM_SERVICE_STATUS_PROCESSW, ENUM_SERVICE_STATUSW};

/// As `EnumServicesStatusExW`, whose only level is 0, `SC_ENUM_PROCESS_INFO`.
/// The resume handle is the place of the last service given.
#[allow(clippy::too_many_arguments)]
pub(super) unsafe extern "system" fn services(
    manager: *mut c_void,
    level: i32,
    types: u32,
    states: u32,
    buffer: *mut u8,
    size: u32,
    needed: *mut u32,
    returned: *mut u32,
    resume: *mut u32,
    group: *const u16,
) -> i32 {
    let list = || {
        if level != 0 {
            return Err(ERROR_INVALID_LEVEL);
        }
        let manager = given(manager)?;
        // SAFETY: the program's own variables.
        unsafe { nothing_yet(needed, returned)? };
        // SAFETY: the program's own string.
        let group = unsafe { text::optional(group) }?;
        let request = |after| ServiceRequest::List {
            manager,
            types,
            states,
            group,
            after,
        };
        let put = |packer: &mut Packer, entry: &Entry<'_>| {
            let place = packer.place::<ENUM_SERVICE_STATUS_PROCESSW>();
            let line = ENUM_SERVICE_STATUS_PROCESSW {
                lpServiceName: packer.text(Some(entry.name)),
                lpDisplayName: packer.text(Some(entry.display_name)),
                ServiceStatusProcess: full(&entry.status),
            };
            // SAFETY: `reserve` said that the structure fits.
            unsafe { place.write_unaligned(line) };
        };
        let outputs = Outputs {
            buffer,
            size,
            needed,
            returned,
            resume,
            line: size_of::<ENUM_SERVICE_STATUS_PROCESSW>(),
        };
        // SAFETY: the program's own buffer and variables.
        unsafe { outputs.fill(request, put) }
    };
    boolean(list())
}

/// As `EnumDependentServicesW`.
pub(super) unsafe extern "system" fn dependents(
    service: *mut c_void,
    states: u32,
    buffer: *mut u8,
    size: u32,
    needed: *mut u32,
    returned: *mut u32,
) -> i32 {
    let list = || {
        let service = given(service)?;
        let request = |after| ServiceRequest::ListDependents {
            service,
            states,
            after,
        };
        let put = |packer: &mut Packer, entry: &Entry<'_>| {
            let place = packer.place::<ENUM_SERVICE_STATUSW>();
            let line = ENUM_SERVICE_STATUSW {
                lpServiceName: packer.text(Some(entry.name)),
                lpDisplayName: packer.text(Some(entry.display_name)),
                ServiceStatus: short(&entry.status),
            };
            // SAFETY: `reserve` said that the structure fits.
            unsafe { place.write_unaligned(line) };
        };
        let outputs = Outputs {
            buffer,
            size,
            needed,
            returned,
            resume: core::ptr::null_mut(),
            line: size_of::<ENUM_SERVICE_STATUSW>(),
        };
        // SAFETY: the program's own buffer and variables.
        unsafe { outputs.fill(request, put) }
    };
    boolean(list())
}

/// Says that nothing is needed nor returned, which holds when the call fails.
///
/// # Safety
/// Both are null or the program's own variables.
unsafe fn nothing_yet(needed: *mut u32, returned: *mut u32) -> Result<()> {
    if needed.is_null() || returned.is_null() {
        return Err(ERROR_INVALID_ADDRESS);
    }
    // SAFETY: the caller's promise.
    unsafe {
        needed.write_unaligned(0);
        returned.write_unaligned(0);
    }
    Ok(())
}

/// Where a list goes, as the program gave it.
struct Outputs {
    buffer: *mut u8,
    size: u32,
    needed: *mut u32,
    returned: *mut u32,
    /// Null where the function has none.
    resume: *mut u32,
    /// The size of one line without its strings.
    line: usize,
}

impl Outputs {
    /// Asks for the list, part by part, and fills the buffer with as many
    /// lines as fit.
    ///
    /// # Safety
    /// All pointers are the program's own.
    unsafe fn fill<'r>(
        &self,
        request: impl Fn(u32) -> ServiceRequest<'r>,
        put: impl Fn(&mut Packer, &Entry<'_>),
    ) -> Result<()> {
        if self.needed.is_null() || self.returned.is_null() {
            return Err(ERROR_INVALID_ADDRESS);
        }
        // SAFETY: the caller's promise.
        let mut packer = unsafe { Packer::new(self.buffer.cast(), self.size) };
        // SAFETY: the caller's promise.
        let mut after = match unsafe { self.resume.as_ref() } {
            Some(resume) => *resume,
            None => 0,
        };
        let (mut last, mut count, mut fitted) = (after, 0, 0);
        loop {
            let more = call(request(after), |reply| {
                let ServiceReply::List { mut entries, more } = reply else {
                    return unexpected();
                };
                while let Some((entry, rest)) = next_entry(entries) {
                    entries = rest;
                    after = entry.place;
                    let texts = [Some(entry.name), Some(entry.display_name)];
                    if packer.reserve(self.line, &texts) {
                        put(&mut packer, &entry);
                        (last, count, fitted) = (entry.place, count + 1, packer.needed());
                    }
                }
                Ok(more)
            })?;
            if !more {
                break;
            }
        }
        let full = packer.is_full();
        // SAFETY: the caller's promise.
        unsafe {
            self.returned.write_unaligned(count);
            self.needed.write_unaligned(packer.needed() - fitted);
            if !self.resume.is_null() {
                self.resume.write_unaligned(if full { last } else { 0 });
            }
        }
        if full { Err(ERROR_MORE_DATA) } else { Ok(()) }
    }
}
