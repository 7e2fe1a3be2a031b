//! `SERVICE_FAILURE_ACTIONS` of a program, read and filled.

use super::call::{Result, unexpected};
use super::pack::Packer;
use super::text;
use core::ffi::c_void;
use pinion_wire::services::Extra;
use windows_sys::Win32::Foundation::{ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_PARAMETER};
use windows_sys::Win32::System::Services::{SC_ACTION, SERVICE_FAILURE_ACTIONSW};

/// Most actions that are looked at; the controller allows fewer.
const MOST: u32 = 1024;

/// What the structure says.
///
/// # Safety
/// `information` is the program's own structure, with its strings and its actions.
pub(super) unsafe fn read<'a>(information: *const c_void) -> Result<Extra<'a>> {
    // SAFETY: the caller's promise.
    let given = unsafe {
        information
            .cast::<SERVICE_FAILURE_ACTIONSW>()
            .read_unaligned()
    };
    if given.cActions > MOST {
        return Err(ERROR_INVALID_PARAMETER);
    }
    let actions = (!given.lpsaActions.is_null()).then(|| {
        let size = given.cActions as usize * size_of::<SC_ACTION>();
        // SAFETY: the caller's promise: so many actions of two words each.
        unsafe { core::slice::from_raw_parts(given.lpsaActions.cast_const().cast::<u8>(), size) }
    });
    // SAFETY: the caller's promise.
    let (reboot_message, command) = unsafe {
        (
            text::optional(given.lpRebootMsg)?,
            text::optional(given.lpCommand)?,
        )
    };
    Ok(Extra::FailureActions {
        reset_period: given.dwResetPeriod,
        reboot_message,
        command,
        actions,
    })
}

/// Fills the program's buffer in.
///
/// # Safety
/// `needed` is the program's own variable.
pub(super) unsafe fn fill(extra: &Extra<'_>, packer: &mut Packer, needed: *mut u32) -> Result<()> {
    let &Extra::FailureActions {
        reset_period,
        reboot_message,
        command,
        actions,
    } = extra
    else {
        return unexpected();
    };
    let actions = actions.unwrap_or(&[]);
    let size = size_of::<SERVICE_FAILURE_ACTIONSW>() + actions.len();
    let fits = packer.reserve(size, &[reboot_message, command]);
    // SAFETY: the caller's promise.
    unsafe { needed.write_unaligned(packer.needed()) };
    if !fits {
        return Err(ERROR_INSUFFICIENT_BUFFER);
    }
    let place = packer.place::<SERVICE_FAILURE_ACTIONSW>();
    let list = actions.chunks_exact(size_of::<SC_ACTION>());
    let mut first: *mut SC_ACTION = core::ptr::null_mut();
    for action in list.clone() {
        let at = packer.place::<SC_ACTION>();
        if first.is_null() {
            first = at;
        }
        // SAFETY: `reserve` said that the actions fit.
        unsafe { core::ptr::copy_nonoverlapping(action.as_ptr(), at.cast(), action.len()) };
    }
    let filled = SERVICE_FAILURE_ACTIONSW {
        dwResetPeriod: reset_period,
        lpRebootMsg: packer.text(reboot_message),
        lpCommand: packer.text(command),
        cActions: list.count() as u32,
        lpsaActions: first,
    };
    // SAFETY: `reserve` said that the structure fits.
    unsafe { place.write_unaligned(filled) };
    Ok(())
}
