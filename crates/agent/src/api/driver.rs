//! On Wine: a driver that is loaded by a program of the VM (`winedevice.exe`)
//! makes its devices in the VM's object directory, where the VM's programs look
//! for them.
//!
//! Wine's `IoCreateDevice` makes the device by a request of Wine's own, not by a
//! system call, so the driver's import of it is replaced. The directories and
//! links that a driver makes go by system calls and need nothing here.

use crate::calls::objects;
use crate::decode;
use crate::entry::protect;
use core::ffi::c_void;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use pinion_intercept::import;
use pinion_nt::{NTSTATUS, PAGE_READWRITE, UNICODE_STRING, object_attributes};
use pinion_policy::device::DRIVEN_INSIDE;

/// The module that drivers import the kernel from.
pub(super) const KERNEL: &[u8] = b"ntoskrnl.exe";

/// Where the kernel's own function is.
static ORIGINAL: AtomicU64 = AtomicU64::new(0);
/// Whether ntoskrnl.exe is loaded.
static HOST: AtomicBool = AtomicBool::new(false);

/// `IoCreateDevice` (wdm.h).
type CreateDevice = unsafe extern "system" fn(
    *mut c_void,
    u32,
    *const UNICODE_STRING,
    u32,
    u32,
    u8,
    *mut *mut c_void,
) -> NTSTATUS;

/// Notes that the process loads drivers.
pub(super) fn kernel_loaded() {
    HOST.store(true, Ordering::Relaxed);
}

/// Whether the process loads drivers.
pub(super) fn is_host() -> bool {
    HOST.load(Ordering::Relaxed)
}

/// Whether the module of this base name is a driver that is loaded inside.
pub(super) fn is_driver(name: &[u16]) -> bool {
    DRIVEN_INSIDE.iter().any(|(_, service)| {
        let stem = name
            .len()
            .checked_sub(4)
            .and_then(|end| name.split_at_checked(end));
        stem.is_some_and(|(stem, ending)| {
            super::is(stem, service.as_bytes()) && super::is(ending, b".sys")
        })
    })
}

/// Replaces the import in the driver mapped at `base`. Observed on Wine 8 and 10:
/// imports are resolved before the load is told, and the driver's code runs later.
pub(super) fn replace(base: u64, size: usize) {
    // SAFETY: the loader says that `size` bytes of the module are mapped there.
    let bytes = unsafe { core::slice::from_raw_parts(base as *const u8, size) };
    let Some(rva) = import::slot(bytes, KERNEL, b"IoCreateDevice") else {
        return;
    };
    let slot = base + rva as u64;
    if protect(slot, size_of::<u64>(), PAGE_READWRITE).is_none() {
        return;
    }
    // SAFETY: the page was made writable; an import's slot is aligned and nobody
    // calls by it yet.
    unsafe {
        ORIGINAL.store((slot as *const u64).read(), Ordering::Release);
        (slot as *mut u64).write(create_device as *const c_void as u64);
    }
}

unsafe extern "system" fn create_device(
    driver: *mut c_void,
    extension: u32,
    name: *const UNICODE_STRING,
    kind: u32,
    characteristics: u32,
    exclusive: u8,
    device: *mut *mut c_void,
) -> NTSTATUS {
    let call = |name: *const UNICODE_STRING| {
        let original = ORIGINAL.load(Ordering::Acquire) as usize;
        // SAFETY: `replace` stored the kernel's function; the driver's arguments
        // but for the name.
        unsafe {
            let original = core::mem::transmute::<usize, CreateDevice>(original);
            original(
                driver,
                extension,
                name,
                kind,
                characteristics,
                exclusive,
                device,
            )
        }
    };
    if name.is_null() {
        return call(name);
    }
    decode::with_string(name, |units| {
        let given = object_attributes(core::ptr::null_mut(), name, 0);
        objects::mapped(&given, units, &|attributes| {
            // SAFETY: `mapped` gives attributes that hold for the call.
            call(unsafe { (*attributes).ObjectName })
        })
    })
    .unwrap_or_else(|| call(name))
}
