//! Bad pointers and odd arguments for calls that Pinion intercepts: prints the
//! status of each as one JSON object, to compare inside with outside.

use core::ffi::c_void;
use pinion_test_programs::nt::NtCreateMutant;
use pinion_test_programs::say;
use serde_json::{Map, Value, json};
use std::ptr::null_mut;
use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Win32::Foundation::{HANDLE, UNICODE_STRING};
use windows_sys::Win32::System::Memory::{
    MEM_COMMIT, MEM_RESERVE, PAGE_GUARD, PAGE_NOACCESS, PAGE_PROTECTION_FLAGS, PAGE_READWRITE,
    VirtualAlloc,
};

/// An address that is never mapped.
const NOWHERE: usize = 0x10;

/// A fresh page of the given protection.
fn page(protection: PAGE_PROTECTION_FLAGS) -> *mut c_void {
    // SAFETY: makes a new region.
    let page =
        unsafe { VirtualAlloc(std::ptr::null(), 4096, MEM_COMMIT | MEM_RESERVE, protection) };
    assert!(!page.is_null());
    page
}

fn string(length: u16, buffer: *mut u16) -> UNICODE_STRING {
    UNICODE_STRING {
        Length: length,
        MaximumLength: length,
        Buffer: buffer,
    }
}

fn attributes(name: *const UNICODE_STRING) -> OBJECT_ATTRIBUTES {
    OBJECT_ATTRIBUTES {
        Length: size_of::<OBJECT_ATTRIBUTES>() as u32,
        RootDirectory: null_mut(),
        ObjectName: name,
        Attributes: 0,
        SecurityDescriptor: std::ptr::null(),
        SecurityQualityOfService: std::ptr::null(),
    }
}

/// The status of creating a mutant with these attributes, as hexadecimal, and
/// whether the handle's place was touched.
fn status(attributes: *const OBJECT_ATTRIBUTES) -> Value {
    let untouched = usize::MAX as HANDLE;
    let mut handle: HANDLE = untouched;
    // SAFETY: the kernel checks every pointer; that is what is looked at.
    let status = unsafe { NtCreateMutant(&raw mut handle, 0x001f_0001, attributes.cast_mut(), 0) };
    json!([format!("{status:08x}"), handle == untouched])
}

fn with_name(name: UNICODE_STRING) -> Value {
    status(&raw const *Box::leak(Box::new(attributes(Box::leak(
        Box::new(name),
    )))))
}

fn main() {
    let mut results = Map::new();
    let mut put = |name: &str, value: Value| results.insert(name.into(), value);
    let mut text: Vec<u16> = "\\BaseNamedObjects\\pinion-pointers"
        .encode_utf16()
        .collect();
    let bytes = (text.len() * 2) as u16;
    let good = text.as_mut_ptr();
    let guarded = page(PAGE_READWRITE | PAGE_GUARD);

    put(
        "attributes nowhere",
        status(NOWHERE as *const OBJECT_ATTRIBUTES),
    );
    put(
        "attributes without access",
        status(page(PAGE_NOACCESS).cast()),
    );
    put(
        "name nowhere",
        status(&raw const *Box::leak(Box::new(attributes(
            NOWHERE as *const _,
        )))),
    );
    put(
        "buffer nowhere",
        with_name(string(bytes, NOWHERE as *mut u16)),
    );
    put(
        "buffer without access",
        with_name(string(bytes, page(PAGE_NOACCESS).cast())),
    );
    put(
        "buffer in a guard page",
        with_name(string(bytes, guarded.cast())),
    );
    put("the guard page again", with_name(string(2, guarded.cast())));
    put(
        "buffer at an odd address",
        with_name(string(bytes - 2, good.cast::<u8>().wrapping_add(1).cast())),
    );
    put("odd length", with_name(string(bytes - 1, good)));
    put(
        "length beyond the region",
        with_name(string(0xfffe, page(PAGE_READWRITE).cast())),
    );
    put("empty name", with_name(string(0, good)));
    put("empty name and no buffer", with_name(string(0, null_mut())));
    put("length and no buffer", with_name(string(bytes, null_mut())));
    let mut short = attributes(std::ptr::null());
    short.Length = 4;
    put("attributes of wrong length", status(&raw const short));
    let relative: Vec<u16> = "no-root".encode_utf16().collect();
    put(
        "relative without a root",
        with_name(string(14, relative.as_ptr().cast_mut())),
    );
    // SAFETY: the kernel checks the handle's place.
    let nowhere = unsafe { NtCreateMutant(NOWHERE as *mut HANDLE, 0x001f_0001, null_mut(), 0) };
    put("handle nowhere", json!(format!("{nowhere:08x}")));
    say(&Value::Object(results));
}
