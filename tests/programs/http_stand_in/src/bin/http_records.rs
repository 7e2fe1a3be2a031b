//! Asks the httpapi.dll of the path that is given for records of http.sys's
//! configuration and for queues, and tells what came back and what it was given. Links
//! no httpapi.dll itself: Wine's would be there before.
#![cfg(windows)]

use serde_json::{Value, json};

use std::ffi::c_void;
use windows_sys::Win32::Foundation::HMODULE;
use windows_sys::Win32::System::LibraryLoader::{GetProcAddress, LoadLibraryW};

/// `HttpServiceConfigSSLCertInfo`, `HttpServiceConfigUrlAclInfo` (http.h).
const SSL: i32 = 1;
const URL: i32 = 2;

type Change = unsafe extern "system" fn(usize, i32, *const c_void, u32, usize) -> u32;
type Query = unsafe extern "system" fn(
    usize,
    i32,
    *const c_void,
    u32,
    *mut c_void,
    u32,
    *mut u32,
    usize,
) -> u32;
type Create = unsafe extern "system" fn(u32, *const u16, usize, u32, *mut usize) -> u32;
type Told = unsafe extern "system" fn(*mut u8, usize) -> usize;

/// The DLL.
#[derive(Clone, Copy)]
struct Api(HMODULE);

impl Api {
    /// Its export.
    fn find<F: Copy>(self, name: &std::ffi::CStr) -> F {
        // SAFETY: the module is loaded, and the name ends in a zero.
        let found = unsafe { GetProcAddress(self.0, name.as_ptr().cast()) };
        let found = found.unwrap_or_else(|| panic!("{name:?}"));
        // SAFETY: the callers name the export's own type.
        unsafe { std::mem::transmute_copy(&found) }
    }

    /// Sets or deletes a record; its error.
    fn change(self, name: &std::ffi::CStr, id: i32, key: &[u8]) -> u32 {
        let rights = wide("D:(A;;GX;;;WD)");
        let mut record = [0_usize; 11];
        record[0] = key.as_ptr() as usize;
        record[1] = rights.as_ptr() as usize;
        let size = if id == SSL { 88 } else { 16 };
        // SAFETY: the record has the size told, and what it points to is there.
        unsafe { self.find::<Change>(name)(0, id, record.as_ptr().cast(), size, 0) }
    }

    /// Asks for a record with room of `size` bytes: the error, how long it is told to
    /// be, its key and its rights.
    fn query(self, id: i32, kind: usize, key: &[u8], token: usize, size: u32) -> Value {
        let asked = [kind, key.as_ptr() as usize, token];
        let (mut room, mut returned) = ([0_usize; 64], 0);
        // SAFETY: the structures have the sizes told.
        let error = unsafe {
            self.find::<Query>(c"HttpQueryServiceConfiguration")(
                0,
                id,
                asked.as_ptr().cast(),
                24,
                room.as_mut_ptr().cast(),
                size,
                &raw mut returned,
                0,
            )
        };
        if error != 0 {
            return json!([error, returned]);
        }
        let begin = room.as_ptr() as usize;
        let inside = |at: usize| (begin..begin + returned as usize).contains(&at);
        assert!(inside(room[0]), "a key outside of the record");
        if id == SSL {
            // SAFETY: the API has put a socket address there.
            let key = unsafe { std::slice::from_raw_parts(room[0] as *const u8, 8) };
            return json!([error, key]);
        }
        assert!(inside(room[1]), "rights outside of the record");
        json!([error, text(room[0]), text(room[1])])
    }

    /// All records of a list.
    fn list(self, id: i32) -> Vec<Value> {
        (0..9)
            .map(|token| self.query(id, 1, &[], token, 512))
            .take_while(|told| told[0] != 259)
            .collect()
    }

    fn queue(self, name: &str, flags: u32) -> u32 {
        let (name, mut queue) = (wide(name), 0);
        // SAFETY: the name ends in a zero; a local.
        unsafe {
            self.find::<Create>(c"HttpCreateRequestQueue")(
                2,
                name.as_ptr(),
                0,
                flags,
                &raw mut queue,
            )
        }
    }
}

/// `text` in UTF-16, ended by a zero.
fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// The text at this address.
fn text(at: usize) -> String {
    let at = at as *const u16;
    // SAFETY: the API has put text with a zero there.
    unsafe {
        let length = (0..).take_while(|&index| *at.add(index) != 0).count();
        String::from_utf16_lossy(std::slice::from_raw_parts(at, length))
    }
}

fn url(text: &str) -> Vec<u8> {
    wide(text).into_iter().flat_map(u16::to_le_bytes).collect()
}

fn main() {
    let path = wide(&std::env::args().nth(1).expect("the path of a DLL"));
    // SAFETY: the path ends in a zero.
    let api = Api(unsafe { LoadLibraryW(path.as_ptr()) });
    assert!(!api.0.is_null(), "no DLL");
    let (set, delete) = (
        c"HttpSetServiceConfiguration",
        c"HttpDeleteServiceConfiguration",
    );
    let (first, second) = (url("http://+:8520/a/"), url("http://localhost:8520/b/"));
    let any = [&[2, 0, 1, 187][..], &[0; 12]].concat();
    let six = [&[23, 0, 1, 187][..], &[0; 24]].concat();
    let other = [&[2, 0, 1, 187, 10, 1, 2, 3][..], &[0; 8]].concat();
    let set_all = [
        api.change(set, URL, &first),
        api.change(set, URL, &second),
        api.change(set, URL, &url("http://localhost:8520/a/")),
        api.change(set, URL, &url("http://10.1.2.3:8520/")),
        api.change(set, SSL, &any),
        api.change(set, SSL, &other),
    ];
    let exact = |id, key: &[u8], size| api.query(id, 0, key, 0, size);
    let too_small = exact(URL, &second, 64);
    let needed = too_small[1].as_u64().unwrap_or(0) as u32;
    let told = json!({
        "set": set_all,
        "too_small": too_small[0],
        "with_needed": exact(URL, &second, needed),
        "missing": exact(URL, &url("http://+:8520/c/"), 512),
        "socket": exact(SSL, &any, 512),
        "six": exact(SSL, &six, 512),
        "urls": api.list(URL),
        "sockets": api.list(SSL),
        "next_too_small": api.query(URL, 1, &[], 0, 8),
        "deleted": [api.change(delete, URL, &second), api.change(delete, URL, &second)],
        "queues": [api.queue("site", 0), api.queue("site", 1), api.queue("", 0), api.queue(&"x".repeat(107), 0)],
        "given": given(api),
    });
    println!("{told}");
}

/// What the DLL was given, a line each.
fn given(api: Api) -> Vec<String> {
    let mut room = [0; 4096];
    // SAFETY: the buffer has the size told.
    let length = unsafe { api.find::<Told>(c"told")(room.as_mut_ptr(), room.len()) };
    let text = String::from_utf8_lossy(&room[..length]);
    text.lines().map(str::to_owned).collect()
}
