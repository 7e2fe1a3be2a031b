//! The service process that loads a driver, on Wine (`winedevice.exe`): when it
//! says that it runs, it is told which driver to load, as Wine's own controller
//! tells it by a control with data (`process_send_control` in
//! programs/services/rpc.c of 8.0 and 10.0; winedevice.exe's handler takes it).

use super::table::{Handler, Service};
use crate::api::heap::Block;
use core::ffi::c_void;
use core::sync::atomic::{AtomicPtr, Ordering};
use windows_sys::Win32::Foundation::ERROR_CALL_NOT_IMPLEMENTED;

/// The driver of this process, ended by a zero unit; null before its start and
/// once it was loaded.
static TO_LOAD: AtomicPtr<c_void> = AtomicPtr::new(core::ptr::null_mut());

/// Notes which driver the start that has come is of.
pub(super) fn begin(name: &[u8]) {
    let Some(mut block) = Block::new(name.len() + 2) else {
        return;
    };
    // The block is zero: the end is there already.
    if let Some(place) = block.bytes().get_mut(..name.len()) {
        place.copy_from_slice(name);
    }
    let old = TO_LOAD.swap(block.into_raw(), Ordering::AcqRel);
    free(old);
}

/// Has the driver loaded, once; what the handler gives, 0 when there is none to load.
pub(super) fn load(service: &Service) -> u32 {
    /// What Wine adds to a control that is for a driver in the process, whose
    /// name is the data; 0 is the start.
    const FORWARD: u32 = 0x8000_0000;
    let name = TO_LOAD.swap(core::ptr::null_mut(), Ordering::AcqRel);
    if name.is_null() {
        return 0;
    }
    let result = match service.handler() {
        // SAFETY: the program registered a function of this type; the name is
        // the data that it takes, for the time of the call.
        Handler::Extended(handler, context) => unsafe { handler(FORWARD, 0, name, context) },
        _ => ERROR_CALL_NOT_IMPLEMENTED,
    };
    free(name);
    result
}

fn free(name: *mut c_void) {
    if !name.is_null() {
        // SAFETY: `begin` gave the block away, and the exchange took it once.
        drop(unsafe { Block::from_raw(name) });
    }
}
