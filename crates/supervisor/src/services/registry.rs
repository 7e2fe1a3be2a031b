//! The services' keys as they are: the host's `HKLM\System\CurrentControlSet\Services`, only read.
//!
//! What a VM makes of its services is kept by the state machine for as long as the VM runs.

use std::collections::HashMap;
use std::io;
use std::ptr::{null, null_mut};

use pinion_scm::{Record, Text};
use windows_sys::Win32::Foundation::{ERROR_MORE_DATA, ERROR_SUCCESS};
use windows_sys::Win32::System::Registry::{
    HKEY, HKEY_LOCAL_MACHINE, KEY_ENUMERATE_SUB_KEYS, KEY_QUERY_VALUE, RegCloseKey, RegEnumKeyExW,
    RegEnumValueW, RegOpenKeyExW,
};

use super::config::{self, ServiceConfig, Value};
use crate::system::wide;

const SERVICES: &str = r"System\CurrentControlSet\Services";

/// Most keys and most values that are looked at.
const MOST: u32 = 16_384;
/// Longest name of a key or value that counts, in units, its zero included.
const NAME: usize = 260;
/// Longest value that counts, in bytes.
const DATA: usize = 32 * 1024;

/// The host's registry as the VM's services see it.
pub(super) struct Registry;

impl ServiceConfig for Registry {
    fn load(&self) -> io::Result<Vec<Record>> {
        let services = Key::open(HKEY_LOCAL_MACHINE, &wide(SERVICES))?;
        let mut records = Vec::new();
        for index in 0..MOST {
            let Some(name) = services.subkey(index)? else {
                break;
            };
            let zero_ended = [name.as_slice(), &[0]].concat();
            // A key that cannot be read is no service.
            if let Ok(key) = Key::open(services.0, &zero_ended) {
                let values = key.values();
                let text = Text::from(name.as_slice());
                records.extend(config::read(&text, |value| {
                    values.get(&value.to_ascii_lowercase()).cloned()
                }));
            }
        }
        Ok(records)
    }

    fn write(&self, _record: &Record) -> io::Result<()> {
        Ok(())
    }

    fn delete(&self, _name: &Text) -> io::Result<()> {
        Ok(())
    }
}

/// An open key.
struct Key(HKEY);

impl Key {
    /// Opens the key of this zero-ended path below another one.
    fn open(parent: HKEY, path: &[u16]) -> io::Result<Self> {
        let mut key = null_mut();
        let access = KEY_QUERY_VALUE | KEY_ENUMERATE_SUB_KEYS;
        // SAFETY: a zero-ended path; `key` is a local.
        let error = unsafe { RegOpenKeyExW(parent, path.as_ptr(), 0, access, &raw mut key) };
        checked(error).map(|()| Self(key))
    }

    /// The name of a subkey; none beyond the last.
    fn subkey(&self, index: u32) -> io::Result<Option<Vec<u16>>> {
        let mut name = [0_u16; NAME];
        let mut length = NAME as u32;
        // SAFETY: a live key; the buffer has the length told; nothing else is asked for.
        let error = unsafe {
            RegEnumKeyExW(
                self.0,
                index,
                name.as_mut_ptr(),
                &raw mut length,
                null(),
                null_mut(),
                null_mut(),
                null_mut(),
            )
        };
        match error {
            ERROR_SUCCESS => Ok(name.get(..length as usize).map(Into::into)),
            windows_sys::Win32::Foundation::ERROR_NO_MORE_ITEMS => Ok(None),
            _ => checked(error).map(|()| None),
        }
    }

    /// All values, by their names in small letters.
    fn values(&self) -> HashMap<String, Value> {
        let mut values = HashMap::new();
        let mut data = vec![0_u8; DATA];
        for index in 0..MOST {
            let mut name = [0_u16; NAME];
            let (mut length, mut kind, mut size) = (NAME as u32, 0, DATA as u32);
            // SAFETY: a live key; both buffers have the lengths told; the rest are locals.
            let error = unsafe {
                RegEnumValueW(
                    self.0,
                    index,
                    name.as_mut_ptr(),
                    &raw mut length,
                    null(),
                    &raw mut kind,
                    data.as_mut_ptr(),
                    &raw mut size,
                )
            };
            match error {
                ERROR_SUCCESS => {
                    let name = String::from_utf16_lossy(name.get(..length as usize).unwrap_or(&[]));
                    let bytes = data.get(..size as usize).unwrap_or(&[]).to_vec();
                    values.insert(name.to_ascii_lowercase(), (kind, bytes));
                }
                // Too long to be a service's own value.
                ERROR_MORE_DATA => {}
                _ => break,
            }
        }
        values
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: opened by `open`, closed once.
        unsafe { RegCloseKey(self.0) };
    }
}

fn checked(error: u32) -> io::Result<()> {
    match error {
        ERROR_SUCCESS => Ok(()),
        _ => Err(io::Error::from_raw_os_error(error.cast_signed())),
    }
}
