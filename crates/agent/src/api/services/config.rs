//! The service API of a client: configuration and names.

use super::call::{Result, boolean, call, changed, given, unexpected};
use super::pack::Packer;
use super::{failure, text, trigger};
use crate::api::heap::Block;
use core::ffi::c_void;
use pinion_wire::services::{Extra, ServiceReply, ServiceRequest, Settings};
use windows_sys::Win32::Foundation::{
    ERROR_CALL_NOT_IMPLEMENTED, ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_ADDRESS,
    ERROR_INVALID_LEVEL, ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY,
};
use windows_sys::Win32::System::Services::{
    QUERY_SERVICE_CONFIGW, SERVICE_CONFIG_DELAYED_AUTO_START_INFO, SERVICE_CONFIG_DESCRIPTION,
    SERVICE_CONFIG_FAILURE_ACTIONS, SERVICE_CONFIG_FAILURE_ACTIONS_FLAG,
    SERVICE_CONFIG_LAUNCH_PROTECTED, SERVICE_CONFIG_PRESHUTDOWN_INFO,
    SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, SERVICE_CONFIG_SERVICE_SID_INFO,
    SERVICE_CONFIG_TRIGGER_INFO, SERVICE_DESCRIPTIONW, SERVICE_NO_CHANGE,
};

/// As `QueryServiceConfigW`.
pub(super) unsafe extern "system" fn query(
    service: *mut c_void,
    buffer: *mut QUERY_SERVICE_CONFIGW,
    size: u32,
    needed: *mut u32,
) -> i32 {
    let query = || {
        let service = given(service)?;
        if needed.is_null() || (buffer.is_null() && size != 0) {
            return Err(ERROR_INVALID_ADDRESS);
        }
        call(ServiceRequest::Config { service }, |reply| match reply {
            // SAFETY: the program's own buffer and variable.
            ServiceReply::Config(settings) => unsafe { fill(&settings, buffer, size, needed) },
            _ => unexpected(),
        })
    };
    boolean(query())
}

/// # Safety
/// As [`Packer::new`]; `needed` is the program's own.
unsafe fn fill(
    settings: &Settings<'_>,
    buffer: *mut QUERY_SERVICE_CONFIGW,
    size: u32,
    needed: *mut u32,
) -> Result<()> {
    // SAFETY: the caller's promise.
    let mut packer = unsafe { Packer::new(buffer.cast(), size) };
    // The list's own end: an empty string after the last one.
    let ends: &[u8] = &[];
    let texts = [
        settings.image_path,
        settings.group,
        settings.depend_on,
        settings.account,
        settings.display_name,
    ];
    let fits = packer.reserve(size_of::<QUERY_SERVICE_CONFIGW>(), &texts);
    // SAFETY: the program's own variable.
    unsafe { needed.write_unaligned(packer.needed()) };
    if !fits {
        return Err(ERROR_INSUFFICIENT_BUFFER);
    }
    let place = packer.place::<QUERY_SERVICE_CONFIGW>();
    let mut text = |text: Option<&[u8]>| packer.text(Some(text.unwrap_or(ends)));
    let config = QUERY_SERVICE_CONFIGW {
        dwServiceType: settings.service_type.unwrap_or(0),
        dwStartType: settings.start_type.unwrap_or(0),
        dwErrorControl: settings.error_control.unwrap_or(0),
        lpBinaryPathName: text(settings.image_path),
        lpLoadOrderGroup: text(settings.group),
        dwTagId: settings.tag,
        lpDependencies: text(settings.depend_on),
        lpServiceStartName: text(settings.account),
        lpDisplayName: text(settings.display_name),
    };
    // SAFETY: `reserve` said that the structure fits.
    unsafe { place.write_unaligned(config) };
    Ok(())
}

/// As `ChangeServiceConfigW`. The password is not looked at.
#[allow(clippy::too_many_arguments)]
pub(super) unsafe extern "system" fn change(
    service: *mut c_void,
    service_type: u32,
    start_type: u32,
    error_control: u32,
    image_path: *const u16,
    group: *const u16,
    tag: *mut u32,
    depend_on: *const u16,
    account: *const u16,
    _password: *const u16,
    display_name: *const u16,
) -> i32 {
    let number = |value| (value != SERVICE_NO_CHANGE).then_some(value);
    let change = || {
        let service = given(service)?;
        // SAFETY: the program's own strings.
        let settings = unsafe {
            Settings {
                service_type: number(service_type),
                start_type: number(start_type),
                error_control: number(error_control),
                image_path: text::optional(image_path)?,
                group: text::optional(group)?,
                tag: 0,
                depend_on: text::list(depend_on)?,
                account: text::optional(account)?,
                display_name: text::optional(display_name)?,
            }
        };
        call(ServiceRequest::Change { service, settings }, changed)?;
        if !tag.is_null() {
            // SAFETY: the program's own variable.
            unsafe { tag.write_unaligned(0) };
        }
        Ok(())
    };
    boolean(change())
}

/// As `QueryServiceConfig2W`, for the levels of [`Extra`].
pub(super) unsafe extern "system" fn query_extra(
    service: *mut c_void,
    level: u32,
    buffer: *mut u8,
    size: u32,
    needed: *mut u32,
) -> i32 {
    let query = || {
        check_level(level)?;
        if needed.is_null() || (buffer.is_null() && size != 0) {
            return Err(ERROR_INVALID_ADDRESS);
        }
        let service = given(service)?;
        call(
            ServiceRequest::Extra { service, level },
            |reply| match reply {
                // SAFETY: the program's own buffer and variable.
                ServiceReply::Extra(extra) => unsafe { fill_extra(&extra, buffer, size, needed) },
                _ => unexpected(),
            },
        )
    };
    boolean(query())
}

/// # Safety
/// As [`Packer::new`]; `needed` is the program's own.
unsafe fn fill_extra(
    extra: &Extra<'_>,
    buffer: *mut u8,
    size: u32,
    needed: *mut u32,
) -> Result<()> {
    // SAFETY: the caller's promise.
    let mut packer = unsafe { Packer::new(buffer.cast(), size) };
    if let Extra::FailureActions { .. } = extra {
        // SAFETY: the caller's promise.
        return unsafe { failure::fill(extra, &mut packer, needed) };
    }
    if let Extra::Triggers(parts) = *extra {
        // SAFETY: the caller's promise.
        return unsafe { trigger::fill(parts, &mut packer, needed) };
    }
    // Structures that are one pointer to a text, or to a list of them.
    let description = match *extra {
        Extra::Description(text) | Extra::Privileges(text) => {
            Some((!text.is_empty()).then_some(text))
        }
        _ => None,
    };
    let fits = match description {
        Some(text) => packer.reserve(size_of::<SERVICE_DESCRIPTIONW>(), &[text]),
        None => packer.reserve(size_of::<u32>(), &[]),
    };
    // SAFETY: the program's own variable.
    unsafe { needed.write_unaligned(packer.needed()) };
    if !fits {
        return Err(ERROR_INSUFFICIENT_BUFFER);
    }
    if let Some(text) = description {
        let place = packer.place::<*mut u16>();
        let at = packer.text(text);
        // SAFETY: `reserve` said that the structure, one pointer, fits.
        unsafe { place.write_unaligned(at) };
        return Ok(());
    }
    let value = match *extra {
        Extra::DelayedAutoStart(on) | Extra::FailureActionsOnNonCrash(on) => u32::from(on),
        Extra::SidType(value) | Extra::PreshutdownTimeout(value) => value,
        Extra::Description(_)
        | Extra::Privileges(_)
        | Extra::Triggers(_)
        | Extra::FailureActions { .. } => 0,
    };
    let place = packer.place::<u32>();
    // SAFETY: `reserve` said that the structure, one number, fits.
    unsafe { place.write_unaligned(value) };
    Ok(())
}

/// Room for what is said of triggers, in bytes.
const TRIGGERS: usize = 12 * 1024;

/// As `ChangeServiceConfig2W`, for the levels of [`Extra`].
pub(super) unsafe extern "system" fn change_extra(
    service: *mut c_void,
    level: u32,
    information: *const c_void,
) -> i32 {
    let change = || {
        check_level(level)?;
        let service = given(service)?;
        if information.is_null() {
            return Err(ERROR_INVALID_ADDRESS);
        }
        // SAFETY: the program's own structure: one number or one pointer.
        let number = || unsafe { information.cast::<u32>().read_unaligned() };
        let mut room = None;
        let extra = match level {
            SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO => {
                // SAFETY: as above.
                let list =
                    unsafe { text::list(information.cast::<*const u16>().read_unaligned()) }?;
                Extra::Privileges(list.unwrap_or(&[]))
            }
            SERVICE_CONFIG_TRIGGER_INFO => {
                let block = Block::new(TRIGGERS).ok_or(ERROR_NOT_ENOUGH_MEMORY)?;
                let bytes = room.insert(block).bytes();
                // SAFETY: the program's own structure.
                let used = unsafe { trigger::read(information, bytes) }?;
                Extra::Triggers(bytes.get(..used).unwrap_or(&[]))
            }
            SERVICE_CONFIG_DESCRIPTION => {
                // SAFETY: as above.
                let text =
                    unsafe { text::optional(information.cast::<*const u16>().read_unaligned()) }?;
                // No pointer: nothing to change.
                let Some(text) = text else {
                    return Ok(());
                };
                Extra::Description(text)
            }
            // SAFETY: the program's own structure.
            SERVICE_CONFIG_FAILURE_ACTIONS => unsafe { failure::read(information) }?,
            // Wine's own tests, which pass on Windows, ask for no more than this.
            SERVICE_CONFIG_DELAYED_AUTO_START_INFO if number() > 1 => {
                return Err(ERROR_INVALID_PARAMETER);
            }
            SERVICE_CONFIG_DELAYED_AUTO_START_INFO => Extra::DelayedAutoStart(number() != 0),
            SERVICE_CONFIG_FAILURE_ACTIONS_FLAG => Extra::FailureActionsOnNonCrash(number() != 0),
            SERVICE_CONFIG_SERVICE_SID_INFO => Extra::SidType(number()),
            _ => Extra::PreshutdownTimeout(number()),
        };
        call(ServiceRequest::ChangeExtra { service, extra }, changed)
    };
    boolean(change())
}

/// Which levels there are, and which of them are served.
fn check_level(level: u32) -> Result<()> {
    match level {
        SERVICE_CONFIG_DESCRIPTION
        | SERVICE_CONFIG_FAILURE_ACTIONS
        | SERVICE_CONFIG_DELAYED_AUTO_START_INFO
        | SERVICE_CONFIG_FAILURE_ACTIONS_FLAG
        | SERVICE_CONFIG_SERVICE_SID_INFO
        | SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO
        | SERVICE_CONFIG_TRIGGER_INFO
        | SERVICE_CONFIG_PRESHUTDOWN_INFO => Ok(()),
        SERVICE_CONFIG_FAILURE_ACTIONS..=SERVICE_CONFIG_LAUNCH_PROTECTED => {
            Err(ERROR_CALL_NOT_IMPLEMENTED)
        }
        _ => Err(ERROR_INVALID_LEVEL),
    }
}

/// As `GetServiceDisplayNameW`.
pub(super) unsafe extern "system" fn display_name(
    manager: *mut c_void,
    name: *const u16,
    buffer: *mut u16,
    size: *mut u32,
) -> i32 {
    let query = || {
        let manager = given(manager)?;
        // SAFETY: the program's own string.
        let name = unsafe { text::required(name) }?;
        let request = ServiceRequest::DisplayName { manager, name };
        // SAFETY: the program's own buffer and variable.
        unsafe { get_name(request, buffer, size) }
    };
    boolean(query())
}

/// As `GetServiceKeyNameW`.
pub(super) unsafe extern "system" fn key_name(
    manager: *mut c_void,
    display_name: *const u16,
    buffer: *mut u16,
    size: *mut u32,
) -> i32 {
    let query = || {
        let manager = given(manager)?;
        // SAFETY: the program's own string.
        let display_name = unsafe { text::required(display_name) }?;
        let request = ServiceRequest::KeyName {
            manager,
            display_name,
        };
        // SAFETY: the program's own buffer and variable.
        unsafe { get_name(request, buffer, size) }
    };
    boolean(query())
}

/// Fills a buffer of `*size` units; afterwards `*size` is the name's length
/// without its zero. A buffer that gets no name is emptied; one of less than two
/// units counts as none, and as one of two (Wine's own tests, which pass on
/// Windows).
///
/// # Safety
/// `buffer` and `size` are the program's own.
unsafe fn get_name(request: ServiceRequest<'_>, buffer: *mut u16, size: *mut u32) -> Result<()> {
    if size.is_null() {
        return Err(ERROR_INVALID_ADDRESS);
    }
    // SAFETY: the caller's promise.
    let given = unsafe { size.read_unaligned() } as usize;
    let (buffer, room) = if buffer.is_null() || given < LEAST {
        // SAFETY: the caller's promise.
        unsafe { size.write_unaligned(LEAST as u32) };
        (core::ptr::null_mut(), LEAST)
    } else {
        (buffer, given)
    };
    let named = call(request, |reply| {
        let ServiceReply::Name(name) = reply else {
            return unexpected();
        };
        let units = name.len() / 2;
        // SAFETY: the caller's promise.
        unsafe { size.write_unaligned(u32::try_from(units).unwrap_or(u32::MAX)) };
        if buffer.is_null() || room <= units {
            return Err(ERROR_INSUFFICIENT_BUFFER);
        }
        // SAFETY: the program's own buffer, large enough as it says.
        unsafe {
            core::ptr::copy_nonoverlapping(name.as_ptr(), buffer.cast(), 2 * units);
            buffer.add(units).write_unaligned(0);
        }
        Ok(())
    });
    if named.is_err() && !buffer.is_null() {
        // SAFETY: the caller's promise: it has room for two units.
        unsafe { buffer.write_unaligned(0) };
    }
    named
}

/// The least room for a name, in units.
const LEAST: usize = 2;
