//! Stands in for httpapi.dll, whose records of http.sys's configuration and named
//! queues Wine's does not have: keeps records by their keys, gives them back as the
//! documentation says, and tells all that it was given. Has some records of the host's
//! from the beginning. Only those exports that it needs.
#![cfg(windows)]

use std::ffi::c_void;
use std::sync::Mutex;

/// `HttpServiceConfigSSLCertInfo`; the other kind here is of URLs.
const SSL: i32 = 1;
/// Win32 errors (winerror.h).
const FILE_NOT_FOUND: u32 = 2;
const INSUFFICIENT_BUFFER: u32 = 122;
const ALREADY_EXISTS: u32 = 183;
const NO_MORE_ITEMS: u32 = 259;

/// A record of this kind.
#[derive(Clone, PartialEq)]
struct Record {
    id: i32,
    /// The URL with its zero, or the socket address.
    key: Vec<u8>,
    /// The text of rights of a URL, with its zero.
    rights: Vec<u8>,
}

/// What there is, and the queues that were asked for.
struct Kept {
    records: Vec<Record>,
    queues: Vec<String>,
}

static KEPT: Mutex<Option<Kept>> = Mutex::new(None);

fn with<R>(work: impl FnOnce(&mut Kept) -> R) -> R {
    let mut kept = KEPT.lock().expect("no call panics");
    work(kept.get_or_insert_with(|| Kept {
        records: vec![
            of_url("http://+:5985/wsman/"),
            of_url("http://127.77.250.250:80/"),
            Record {
                id: SSL,
                key: [&[2, 0, 1, 187][..], &[0; 12]].concat(),
                rights: Vec::new(),
            },
        ],
        queues: Vec::new(),
    }))
}

fn of_url(url: &str) -> Record {
    let bytes = |text: &str| {
        let units = text.encode_utf16().chain([0]);
        units.flat_map(u16::to_le_bytes).collect()
    };
    Record {
        id: 2,
        key: bytes(url),
        rights: bytes("D:(A;;GX;;;BA)"),
    }
}

/// Text with its zero, as bytes.
///
/// # Safety
/// `text` is zero-terminated.
unsafe fn text(text: *const u16) -> Vec<u8> {
    let mut all = Vec::new();
    for at in 0.. {
        // SAFETY: the caller's promise.
        let unit = unsafe { text.add(at).read() };
        all.extend(unit.to_le_bytes());
        if unit == 0 {
            break;
        }
    }
    all
}

fn shown(bytes: &[u8]) -> String {
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    String::from_utf16_lossy(&units)
        .trim_end_matches('\0')
        .into()
}

/// The key of this kind at `key`.
///
/// # Safety
/// `key` points to one.
unsafe fn key(id: i32, key: *const c_void) -> Vec<u8> {
    // SAFETY: the caller's promise: a URL, or a socket address of the family told.
    unsafe {
        if id != SSL {
            return text(key.cast());
        }
        let size = if key.cast::<u16>().read() == 2 {
            16
        } else {
            28
        };
        std::slice::from_raw_parts(key.cast(), size).to_vec()
    }
}

/// As `HttpSetServiceConfiguration` (http.h).
///
/// # Safety
/// The record is whole.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn HttpSetServiceConfiguration(
    _service: *const c_void,
    id: i32,
    record: *const [*const c_void; 2],
    _size: u32,
    _overlapped: *const c_void,
) -> u32 {
    // SAFETY: the caller's promise.
    let record = unsafe {
        let [at, rights] = record.read();
        Record {
            id,
            key: key(id, at),
            rights: if id == SSL {
                Vec::new()
            } else {
                text(rights.cast())
            },
        }
    };
    with(|kept| {
        if kept
            .records
            .iter()
            .any(|old| old.id == id && old.key == record.key)
        {
            return ALREADY_EXISTS;
        }
        kept.records.push(record);
        0
    })
}

/// As `HttpDeleteServiceConfiguration` (http.h).
///
/// # Safety
/// The record is whole.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn HttpDeleteServiceConfiguration(
    _service: *const c_void,
    id: i32,
    record: *const *const c_void,
    _size: u32,
    _overlapped: *const c_void,
) -> u32 {
    // SAFETY: the caller's promise.
    let key = unsafe { key(id, record.read()) };
    with(|kept| {
        let before = kept.records.len();
        kept.records.retain(|old| old.id != id || old.key != key);
        if kept.records.len() < before {
            0
        } else {
            FILE_NOT_FOUND
        }
    })
}

/// `HTTP_SERVICE_CONFIG_URLACL_QUERY` and `HTTP_SERVICE_CONFIG_SSL_QUERY` (http.h).
#[repr(C)]
pub struct Asked {
    kind: i32,
    key: *const c_void,
    token: u32,
}

/// As `HttpQueryServiceConfiguration` (http.h): the pointers first, then the texts.
///
/// # Safety
/// What is asked is whole, and the buffer as long as it is told.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn HttpQueryServiceConfiguration(
    _service: *const c_void,
    id: i32,
    asked: *const Asked,
    _asked_size: u32,
    output: *mut u8,
    size: u32,
    returned: *mut u32,
    _overlapped: *const c_void,
) -> u32 {
    // SAFETY: the caller's promise.
    let asked = unsafe { asked.read() };
    let found = with(|kept| {
        let mut all = kept
            .records
            .iter()
            .filter(|record| record.id == id)
            .cloned();
        if asked.kind == 1 {
            return all.nth(asked.token as usize).ok_or(NO_MORE_ITEMS);
        }
        // SAFETY: the caller's promise.
        let wanted = unsafe { key(id, asked.key) };
        all.find(|record| record.key == wanted)
            .ok_or(FILE_NOT_FOUND)
    });
    let record = match found {
        Ok(record) => record,
        Err(error) => return error,
    };
    let (key_at, rights_at) = (16, 16 + record.key.len().next_multiple_of(8));
    let needed = rights_at + record.rights.len();
    // SAFETY: the caller's promise; nothing is written past `needed` bytes.
    unsafe {
        returned.write(needed as u32);
        if (size as usize) < needed {
            return INSUFFICIENT_BUFFER;
        }
        let words = output.cast::<usize>();
        words.write_unaligned(output.add(key_at) as usize);
        words.add(1).write_unaligned(output.add(rights_at) as usize);
        output
            .add(key_at)
            .copy_from(record.key.as_ptr(), record.key.len());
        output
            .add(rights_at)
            .copy_from(record.rights.as_ptr(), record.rights.len());
    }
    0
}

/// As `HttpCreateRequestQueue` (http.h).
///
/// # Safety
/// The name is zero-terminated, or null.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn HttpCreateRequestQueue(
    _version: u32,
    name: *const u16,
    _security: *const c_void,
    flags: u32,
    queue: *mut usize,
) -> u32 {
    let name = if name.is_null() {
        "none".into()
    } else {
        // SAFETY: the caller's promise.
        shown(&unsafe { text(name) })
    };
    with(|kept| kept.queues.push(format!("queue {name} {flags}")));
    // SAFETY: the caller's own.
    unsafe { queue.write(1) };
    0
}

/// Writes what there is, a line each, to `out`; how many bytes.
///
/// # Safety
/// `out` has `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn told(out: *mut u8, size: usize) -> usize {
    let lines = with(|kept| {
        let records = kept.records.iter().map(|record| match record.id {
            SSL => format!("socket {:?}", record.key),
            _ => format!("url {}", shown(&record.key)),
        });
        let lines: Vec<_> = records.chain(kept.queues.clone()).collect();
        lines.join("\n")
    });
    let length = lines.len().min(size);
    // SAFETY: the caller's promise.
    unsafe { out.copy_from(lines.as_ptr(), length) };
    length
}
