//! The object that the server serves, and its class: of `IPersistFile`, whose proxy every Windows and Wine
//! has; the name of its current file is the server's tag and its process id.

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::OnceLock;

use pinion_test_programs::com::{Object, UNKNOWN};
use pinion_test_programs::wide;
use windows_sys::Win32::System::Com::CoTaskMemAlloc;
use windows_sys::core::GUID;

/// `IID_IClassFactory`, `IID_IPersist`, `IID_IPersistFile` (objidl.h, unknwn.h).
const CLASS_FACTORY: GUID = GUID::from_u128(0x0000_0001_0000_0000_c000_0000_0000_0046);
const PERSIST: GUID = GUID::from_u128(0x0000_010c_0000_0000_c000_0000_0000_0046);
pub const PERSIST_FILE: GUID = GUID::from_u128(0x0000_010b_0000_0000_c000_0000_0000_0046);

const NO_INTERFACE: i32 = 0x8000_4002_u32.cast_signed();
const NOT_IMPLEMENTED: i32 = 0x8000_4001_u32.cast_signed();
const OUT_OF_MEMORY: i32 = 0x8007_000e_u32.cast_signed();

/// What the server calls itself.
pub static TAG: OnceLock<String> = OnceLock::new();

type Query = unsafe extern "system" fn(Object, *const GUID, *mut Object) -> i32;
type Count = unsafe extern "system" fn(Object) -> u32;

#[repr(C)]
struct Factory {
    query: Query,
    add: Count,
    release: Count,
    create: unsafe extern "system" fn(Object, Object, *const GUID, *mut Object) -> i32,
    lock: unsafe extern "system" fn(Object, i32) -> i32,
}

#[repr(C)]
struct File {
    query: Query,
    add: Count,
    release: Count,
    class: unsafe extern "system" fn(Object, *mut GUID) -> i32,
    dirty: unsafe extern "system" fn(Object) -> i32,
    load: unsafe extern "system" fn(Object, *const u16, u32) -> i32,
    save: unsafe extern "system" fn(Object, *const u16, i32) -> i32,
    completed: unsafe extern "system" fn(Object, *const u16) -> i32,
    current: unsafe extern "system" fn(Object, *mut *mut u16) -> i32,
}

/// An object: the address of its table alone; it lives as long as the process.
#[repr(C)]
struct Static<T: 'static>(&'static T);

// SAFETY: tables of static functions, never written to.
unsafe impl<T> Sync for Static<T> {}

static FACTORY: Static<Factory> = Static(&Factory {
    query: query_factory,
    add: count,
    release: count,
    create,
    lock,
});
static FILE: Static<File> = Static(&File {
    query: query_file,
    add: count,
    release: count,
    class: class_id,
    dirty,
    load,
    save,
    completed,
    current,
});

/// The class's factory.
pub fn factory() -> Object {
    (&raw const FACTORY).cast_mut().cast()
}

/// The object.
pub fn object() -> Object {
    (&raw const FILE).cast_mut().cast()
}

fn same(a: &GUID, b: &GUID) -> bool {
    (a.data1, a.data2, a.data3, a.data4) == (b.data1, b.data2, b.data3, b.data4)
}

unsafe fn query(this: Object, own: &[GUID], id: *const GUID, out: *mut Object) -> i32 {
    // SAFETY: COM gives an id and a place for the object.
    unsafe {
        let known = own.iter().any(|known| same(known, &*id));
        *out = if known { this } else { null_mut() };
        if known { 0 } else { NO_INTERFACE }
    }
}

unsafe extern "system" fn query_factory(this: Object, id: *const GUID, out: *mut Object) -> i32 {
    // SAFETY: as COM calls it.
    unsafe { query(this, &[UNKNOWN, CLASS_FACTORY], id, out) }
}

unsafe extern "system" fn query_file(this: Object, id: *const GUID, out: *mut Object) -> i32 {
    // SAFETY: as COM calls it.
    unsafe { query(this, &[UNKNOWN, PERSIST, PERSIST_FILE], id, out) }
}

unsafe extern "system" fn count(_this: Object) -> u32 {
    2
}

unsafe extern "system" fn create(
    _this: Object,
    _outer: Object,
    id: *const GUID,
    out: *mut Object,
) -> i32 {
    // SAFETY: as COM calls it.
    unsafe { query_file(object(), id, out) }
}

unsafe extern "system" fn lock(_this: Object, _lock: i32) -> i32 {
    0
}

unsafe extern "system" fn class_id(_this: Object, _class: *mut GUID) -> i32 {
    NOT_IMPLEMENTED
}

unsafe extern "system" fn dirty(_this: Object) -> i32 {
    1
}

unsafe extern "system" fn load(_this: Object, _name: *const u16, _mode: u32) -> i32 {
    NOT_IMPLEMENTED
}

unsafe extern "system" fn save(_this: Object, _name: *const u16, _remember: i32) -> i32 {
    NOT_IMPLEMENTED
}

unsafe extern "system" fn completed(_this: Object, _name: *const u16) -> i32 {
    NOT_IMPLEMENTED
}

unsafe extern "system" fn current(_this: Object, out: *mut *mut u16) -> i32 {
    let tag = TAG.get().map_or("", String::as_str);
    let text = wide(&format!("{tag} {}", std::process::id()));
    // SAFETY: COM's allocator gives so many bytes, or none; COM gives the place.
    unsafe {
        let place: *mut c_void = CoTaskMemAlloc(2 * text.len());
        *out = place.cast();
        if place.is_null() {
            return OUT_OF_MEMORY;
        }
        std::ptr::copy_nonoverlapping(text.as_ptr(), place.cast(), text.len());
    }
    0
}
