//! Calling COM objects by the places of their methods.

use std::ffi::c_void;

use windows_sys::core::GUID;

/// A COM object.
pub type Object = *mut c_void;

/// `IID_IUnknown`
pub const UNKNOWN: GUID = GUID::from_u128(0x0000_0000_0000_0000_c000_0000_0000_0046);

/// The method at a place of an object's table.
///
/// # Safety
/// `object` is a live COM object whose table has that place, with a method of the type `F`.
pub unsafe fn method<F: Copy>(object: Object, place: usize) -> F {
    // SAFETY: the caller's promise: a COM object begins with the address of its table.
    unsafe {
        let table = *object.cast::<*const *const c_void>();
        std::mem::transmute_copy(&*table.add(place))
    }
}

/// Lets go of an object.
///
/// # Safety
/// `object` is null or a live COM object that the caller holds.
pub unsafe fn release(object: Object) {
    type Release = unsafe extern "system" fn(Object) -> u32;
    if !object.is_null() {
        // SAFETY: the caller's promise: every object has it there.
        unsafe { method::<Release>(object, 2)(object) };
    }
}

/// An HRESULT as people write it.
#[must_use]
pub fn shown(result: i32) -> String {
    format!("{result:#010x}")
}

/// A class's id out of `{…}` or of the digits alone.
#[must_use]
pub fn class(text: &str) -> Option<GUID> {
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    u128::from_str_radix(&digits, 16).ok().map(GUID::from_u128)
}

/// The zero-terminated string at `text`.
///
/// # Safety
/// `text` is null or such a string.
#[must_use]
pub unsafe fn string(text: *const u16) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the caller's promise.
    unsafe {
        let length = (0..).take_while(|&at| *text.add(at) != 0).count();
        String::from_utf16_lossy(std::slice::from_raw_parts(text, length))
    }
}
