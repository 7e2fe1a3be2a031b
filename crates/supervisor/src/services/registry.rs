//! The services' keys as the VM sees them, only read: `HKLM\System\CurrentControlSet\Services` of the
//! host under the VM's layers. What the VM changes is written by its own programs, through the agent.
//!
//! A layer is hostile: any program of the VM may have written it. Lengths are bounded, and a key that is
//! a link is not followed.

use std::collections::{HashMap, HashSet};
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr::null_mut;
use std::time::Duration;

use pinion_names::key;
use pinion_nt::{OBJ_CASE_INSENSITIVE, object_attributes, status, unicode_string};
use pinion_scm::{Record, Text};
use windows_sys::Wdk::System::Registry::{
    KeyBasicInformation, KeyNameInformation, KeyValueFullInformation, NtEnumerateKey,
    NtEnumerateValueKey, NtOpenKey, NtQueryKey,
};
use windows_sys::Win32::Foundation::OBJ_OPENLINK;
use windows_sys::Win32::System::Registry::{KEY_ENUMERATE_SUB_KEYS, KEY_QUERY_VALUE};

use super::config::{self, ServiceConfig, Value};

const SERVICES: &str = r"\REGISTRY\MACHINE\SYSTEM\CurrentControlSet\Services";
const CONTROL: &str = r"\REGISTRY\MACHINE\SYSTEM\CurrentControlSet\Control";
const GROUP_ORDER: &str = r"\REGISTRY\MACHINE\SYSTEM\CurrentControlSet\Control\ServiceGroupOrder";

/// Most keys and most values that are looked at.
const MOST: u32 = 16_384;
/// Longest name or value that counts, with the head of its structure, in bytes.
const ROOM: usize = 34 * 1024;
/// Longest path in units.
const PATH: usize = 2048;

/// Heads of `KEY_BASIC_INFORMATION`, `KEY_NAME_INFORMATION` and `KEY_VALUE_FULL_INFORMATION` (wdm.h):
/// where the length of the name is, and where the name is.
const BASIC: (usize, usize) = (12, 16);
const NAME: (usize, usize) = (0, 4);
const FULL: (usize, usize) = (16, 20);

/// The stack of keys that the VM sees.
pub(super) struct Registry {
    /// NT paths of the layers' keys, the upper first.
    layers: Vec<Vec<u16>>,
}

impl Registry {
    /// The host's services under these layers.
    pub(super) fn new(layers: &[String]) -> Self {
        Self {
            layers: layers
                .iter()
                .map(|path| path.encode_utf16().collect())
                .collect(),
        }
    }
}

impl ServiceConfig for Registry {
    fn load(&self) -> io::Result<Vec<Record>> {
        let host = Key::open(&SERVICES.encode_utf16().collect::<Vec<_>>(), 0)?;
        let path = host.path().ok_or(io::ErrorKind::InvalidData)?;
        let mut seen = Seen::default();
        for layer in &self.layers {
            if let Some(key) = open_in(layer, &path, key::in_layer) {
                seen.take(&key, true);
            }
            if let Some(hidden) = open_in(layer, &path, key::whiteout) {
                seen.hide(&hidden);
            }
            if is_cut(layer, &path) {
                return Ok(seen.records);
            }
        }
        seen.take(&host, false);
        Ok(seen.records)
    }

    fn start_order(&self) -> (Vec<Text>, Duration) {
        let order = self.values(GROUP_ORDER);
        let control = self.values(CONTROL);
        (
            config::group_order(|name| order.get(name).cloned()),
            config::delay(|name| control.get(name).cloned()),
        )
    }
}

impl Registry {
    /// The values of a key as the VM sees them: those of the uppermost layer that has the key.
    fn values(&self, path: &str) -> HashMap<String, Value> {
        let path: Vec<u16> = path.encode_utf16().collect();
        let Some(host) = Key::open(&path, 0).ok() else {
            return HashMap::new();
        };
        let path = host.path().unwrap_or(path);
        for layer in &self.layers {
            let own = open_in(layer, &path, key::in_layer).map(|key| key.values());
            // A key that was only passed through on the way to one below has no values.
            if let Some(values) = own.filter(|values| !values.is_empty()) {
                return values;
            }
            if is_cut(layer, &path) {
                return HashMap::new();
            }
        }
        host.values()
    }
}

/// Whether a layer hides this key, or one above it, of what is below.
fn is_cut(layer: &[u16], path: &[u16]) -> bool {
    let cut = |depth| {
        open_in(layer, key::first(path, depth), key::whiteout).is_some_and(|k| k.is_marked())
    };
    (1..=key::depth(path)).any(cut)
}

/// What was found so far; what is above hides what is below.
#[derive(Default)]
struct Seen {
    names: HashSet<Text>,
    records: Vec<Record>,
}

impl Seen {
    fn take(&mut self, services: &Key, own: bool) {
        for name in services.subkeys() {
            let text = Text::from(name.as_slice());
            if name.starts_with(key::STAGED) || !self.names.insert(text.folded()) {
                continue;
            }
            if let Some(key) = services.subkey(&name) {
                let values = key.values();
                let get = |value: &str| match value.rsplit_once('\\') {
                    None => values.get(&value.to_ascii_lowercase()).cloned(),
                    Some((below, value)) => key
                        .below(below)?
                        .values()
                        .remove(&value.to_ascii_lowercase()),
                };
                let record = config::read(&text, get);
                self.records
                    .extend(record.map(|record| Record { own, ..record }));
            }
        }
    }

    fn hide(&mut self, hidden: &Key) {
        for name in hidden.subkeys() {
            if hidden.subkey(&name).is_some_and(|key| key.is_marked()) {
                self.names.insert(Text::from(name.as_slice()).folded());
            }
        }
    }
}

/// How a place in a layer is named: `key::in_layer` or `key::whiteout`.
type Place = fn(&[u16], &[u16], &mut [u16]) -> Result<usize, pinion_names::TooLong>;

fn open_in(layer: &[u16], path: &[u16], place: Place) -> Option<Key> {
    let mut real = vec![0; PATH];
    let length = place(layer, path, &mut real).ok()?;
    Key::open(real.get(..length)?, OBJ_OPENLINK).ok()
}

/// An open key.
struct Key(OwnedHandle);

impl Key {
    fn open(path: &[u16], flags: u32) -> io::Result<Self> {
        Self::open_below(null_mut(), path, flags)
    }

    fn open_below(root: pinion_nt::HANDLE, path: &[u16], flags: u32) -> io::Result<Self> {
        let name = unicode_string(path).ok_or(io::ErrorKind::InvalidFilename)?;
        let attributes = object_attributes(root, &raw const name, OBJ_CASE_INSENSITIVE | flags);
        let mut handle = null_mut();
        let access = KEY_QUERY_VALUE | KEY_ENUMERATE_SUB_KEYS;
        // SAFETY: the attributes live over the call; `handle` is a local.
        let status = unsafe { NtOpenKey(&raw mut handle, access, &raw const attributes) };
        if !status::success(status) {
            return Err(io::Error::other(format!("NTSTATUS {status:#010x}")));
        }
        // SAFETY: a fresh handle.
        Ok(Self(unsafe { OwnedHandle::from_raw_handle(handle) }))
    }

    /// A key below this one, if it can be opened and is no link.
    fn subkey(&self, name: &[u16]) -> Option<Self> {
        Self::open_below(self.0.as_raw_handle(), name, OBJ_OPENLINK).ok()
    }

    /// The key at a path below this one.
    fn below(&self, path: &str) -> Option<Self> {
        let mut names = path.split('\\');
        let units = |name: &str| name.encode_utf16().collect::<Vec<u16>>();
        let first = self.subkey(&units(names.next()?))?;
        names.try_fold(first, |key, name| key.subkey(&units(name)))
    }

    /// The key's own NT path.
    fn path(&self) -> Option<Vec<u16>> {
        let mut buffer = vec![0_u8; ROOM];
        let mut size = 0;
        // SAFETY: a live key; the buffer has the size told.
        let status = unsafe {
            NtQueryKey(
                self.0.as_raw_handle(),
                KeyNameInformation,
                buffer.as_mut_ptr().cast(),
                ROOM as u32,
                &raw mut size,
            )
        };
        counted(&buffer, NAME).filter(|_| status::success(status))
    }

    /// The names of all subkeys.
    fn subkeys(&self) -> Vec<Vec<u16>> {
        let mut buffer = vec![0_u8; ROOM];
        let mut names = Vec::new();
        for index in 0..MOST {
            let mut size = 0;
            // SAFETY: a live key; the buffer has the size told.
            let status = unsafe {
                NtEnumerateKey(
                    self.0.as_raw_handle(),
                    index,
                    KeyBasicInformation,
                    buffer.as_mut_ptr().cast(),
                    ROOM as u32,
                    &raw mut size,
                )
            };
            if !status::success(status) {
                break;
            }
            names.extend(counted(&buffer, BASIC));
        }
        names
    }

    /// All values, by their names in small letters.
    fn values(&self) -> HashMap<String, Value> {
        let mut buffer = vec![0_u8; ROOM];
        let mut values = HashMap::new();
        for index in 0..MOST {
            let mut size = 0;
            // SAFETY: a live key; the buffer has the size told.
            let status = unsafe {
                NtEnumerateValueKey(
                    self.0.as_raw_handle(),
                    index,
                    KeyValueFullInformation,
                    buffer.as_mut_ptr().cast(),
                    ROOM as u32,
                    &raw mut size,
                )
            };
            if status == status::STATUS_NO_MORE_ENTRIES {
                break;
            }
            // A value that does not fit is none of a service's own.
            if status::success(status)
                && let Some((name, value)) = full(&buffer)
            {
                values.insert(name, value);
            }
        }
        values
    }

    /// Whether a key of a layer's hidden tree hides what is below.
    fn is_marked(&self) -> bool {
        self.values().contains_key(key::MARK)
    }
}

/// A value out of a `KEY_VALUE_FULL_INFORMATION`.
fn full(buffer: &[u8]) -> Option<(String, Value)> {
    let name = String::from_utf16_lossy(&counted(buffer, FULL)?).to_ascii_lowercase();
    let (kind, start, length) = (word(buffer, 4)?, word(buffer, 8)?, word(buffer, 12)?);
    let data = buffer.get(start as usize..)?.get(..length as usize)?;
    Some((name, (kind, data.to_vec())))
}

/// The name of a structure with this head.
fn counted(buffer: &[u8], (length, start): (usize, usize)) -> Option<Vec<u16>> {
    let length = word(buffer, length)? as usize;
    let bytes = buffer.get(start..)?.get(..length)?;
    Some(
        bytes
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .collect(),
    )
}

fn word(buffer: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(buffer.get(at..at + 4)?.try_into().ok()?))
}
