//! The services' keys in the VM's registry. The controller says what changes;
//! it is written here through the program's own way into the registry, the
//! intercepted system calls, so that it lands in the VM's layer.

use pinion_nt::calls::NtClose;
use pinion_nt::{HANDLE, NTSTATUS, OBJ_CASE_INSENSITIVE, object_attributes, unicode_string};
use pinion_wire::services::{KeyChange, next_value};
use windows_sys::Wdk::System::Registry::{
    KeyBasicInformation, NtCreateKey, NtDeleteKey, NtDeleteValueKey, NtEnumerateKey, NtOpenKey,
    NtSetValueKey,
};

/// Where the keys are.
const SERVICES: &str = r"\Registry\Machine\System\CurrentControlSet\Services\";

/// Longest path, value name or subkey name in units.
const LONGEST: usize = 320;
/// How deep a service's key is looked into when it goes.
const DEEPEST: usize = 16;

/// `KEY_SET_VALUE | KEY_CREATE_SUB_KEY` and `KEY_ENUMERATE_SUB_KEYS | DELETE`
/// (winnt.h).
const SET: u32 = 0x2 | 0x4;
const REMOVE: u32 = 0x8 | 0x1_0000;

/// Makes or changes a service's key. Best effort: the controller's own record
/// counts.
pub(super) fn write(change: &KeyChange<'_>) {
    let Some(key) = with_path(change.service, Key::create).flatten() else {
        return;
    };
    let mut values = change.values;
    while let Some((value, rest)) = next_value(values) {
        values = rest;
        let (below, own) = match value.name.rsplit_once('\\') {
            Some((path, name)) => (Some(path), name),
            None => (None, value.name),
        };
        if let Some(path) = below.filter(|_| own.is_empty()) {
            key.remove_below(path);
            continue;
        }
        let opened = below.map(|path| key.create_below(path));
        let key = match &opened {
            Some(Some(key)) => key,
            Some(None) => continue,
            None => &key,
        };
        let mut name = [0; LONGEST];
        let Some(name) = ascii(own, &mut name).and_then(unicode_string) else {
            continue;
        };
        // SAFETY: a live key, a live name, data of the size told.
        unsafe {
            match value.data {
                Some(data) => NtSetValueKey(
                    key.0,
                    &raw const name,
                    0,
                    value.kind,
                    data.as_ptr().cast(),
                    data.len() as u32,
                ),
                None => NtDeleteValueKey(key.0, &raw const name),
            };
        }
    }
}

/// Deletes a service's key with everything below it. Best effort: a key that is
/// left has its `DeleteFlag`.
pub(super) fn remove(service: &[u8]) {
    let opened = with_path(service, |path| Key::open(core::ptr::null_mut(), path));
    if let Some(Some(key)) = opened {
        key.delete(DEEPEST);
    }
}

/// Runs `work` with the path of a service's key.
fn with_path<R>(service: &[u8], work: impl FnOnce(&[u16]) -> R) -> Option<R> {
    let mut path = [0; LONGEST];
    let head = ascii(SERVICES, &mut path)?.len();
    let units = service.chunks_exact(2);
    let end = head + units.len();
    for (place, pair) in path.get_mut(head..end)?.iter_mut().zip(units) {
        *place = pair
            .iter()
            .rev()
            .fold(0, |unit, &byte| unit << 8 | u16::from(byte));
    }
    path.get(..end).map(work)
}

fn ascii<'b>(text: &str, buffer: &'b mut [u16]) -> Option<&'b [u16]> {
    let units = buffer.get_mut(..text.len())?;
    for (unit, byte) in units.iter_mut().zip(text.bytes()) {
        *unit = u16::from(byte);
    }
    Some(units)
}

/// `KEY_BASIC_INFORMATION` (wdm.h) with room for the name.
#[repr(C)]
struct Room {
    _time: i64,
    _title: u32,
    length: u32,
    name: [u16; LONGEST],
}

/// An open key.
struct Key(HANDLE);

impl Key {
    fn create(path: &[u16]) -> Option<Self> {
        Self::create_in(core::ptr::null_mut(), path)
    }

    /// The key at a path below this one, each made that is not there.
    fn create_below(&self, path: &str) -> Option<Self> {
        let mut found: Option<Self> = None;
        for part in path.split('\\') {
            let mut name = [0; LONGEST];
            let root = found.as_ref().map_or(self.0, |key| key.0);
            found = Some(Self::create_in(root, ascii(part, &mut name)?)?);
        }
        found
    }

    /// Deletes the key of this name below this one, if it is there.
    fn remove_below(&self, name: &str) {
        let mut room = [0; LONGEST];
        let found = ascii(name, &mut room).and_then(|name| Self::open(self.0, name));
        if let Some(key) = found {
            key.delete(DEEPEST);
        }
    }

    fn create_in(root: HANDLE, path: &[u16]) -> Option<Self> {
        Self::with(root, path, |handle, attributes| {
            // SAFETY: the attributes live over the call; the handle is a local.
            unsafe {
                NtCreateKey(
                    handle,
                    SET,
                    attributes,
                    0,
                    core::ptr::null(),
                    0,
                    core::ptr::null_mut(),
                )
            }
        })
    }

    fn open(root: HANDLE, path: &[u16]) -> Option<Self> {
        Self::with(root, path, |handle, attributes| {
            // SAFETY: as above.
            unsafe { NtOpenKey(handle, REMOVE, attributes) }
        })
    }

    fn with(
        root: HANDLE,
        path: &[u16],
        call: impl FnOnce(*mut HANDLE, *const pinion_nt::OBJECT_ATTRIBUTES) -> NTSTATUS,
    ) -> Option<Self> {
        let name = unicode_string(path)?;
        let attributes = object_attributes(root, &raw const name, OBJ_CASE_INSENSITIVE);
        let mut handle = core::ptr::null_mut();
        let status = call(&raw mut handle, &raw const attributes);
        (status >= 0).then_some(Self(handle))
    }

    /// Deletes the key after what is below it.
    fn delete(self, depth: usize) {
        let mut name = [0; LONGEST];
        // A subkey that stays would be found again and again.
        let mut tries = 0;
        while depth > 0 && tries < 1024 {
            tries += 1;
            let Some(child) = self
                .first(&mut name)
                .and_then(|name| Self::open(self.0, name))
            else {
                break;
            };
            child.delete(depth - 1);
        }
        // SAFETY: a live key.
        unsafe { NtDeleteKey(self.0) };
    }

    /// The name of the first subkey.
    fn first<'b>(&self, buffer: &'b mut [u16; LONGEST]) -> Option<&'b [u16]> {
        let mut room = Room {
            _time: 0,
            _title: 0,
            length: 0,
            name: [0; LONGEST],
        };
        let mut size = 0;
        // SAFETY: a live key; the room has the size told.
        let status = unsafe {
            NtEnumerateKey(
                self.0,
                0,
                KeyBasicInformation,
                (&raw mut room).cast(),
                size_of::<Room>() as u32,
                &raw mut size,
            )
        };
        let found = room.name.get(..room.length as usize / 2)?;
        let name = buffer.get_mut(..found.len())?;
        name.copy_from_slice(found);
        if status < 0 {
            return None;
        }
        Some(name)
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: the handle is this value's own.
        unsafe { NtClose(self.0) };
    }
}
