//! Work on keys below `HKEY_CURRENT_USER`. A key that `keys-fill` made has the
//! subkeys `k0`, `k1`, …, each with a value `v`, and a value `v` of its own.

use super::{time, wide};
use std::ptr::{null, null_mut};
use windows_sys::Win32::Foundation::{ERROR_FILE_NOT_FOUND, ERROR_NO_MORE_ITEMS};
use windows_sys::Win32::System::Registry::{
    HKEY, HKEY_CURRENT_USER, KEY_READ, KEY_WRITE, REG_DWORD, RegCloseKey, RegCreateKeyExW,
    RegDeleteTreeW, RegEnumKeyExW, RegOpenKeyExW, RegQueryInfoKeyW, RegQueryValueExW,
    RegSetValueExW,
};

/// An open key.
struct Key(HKEY);

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: the key is this value's own.
        unsafe { RegCloseKey(self.0) };
    }
}

fn try_open(path: &str) -> Result<Key, u32> {
    let (path, mut key) = (wide(path), null_mut());
    // SAFETY: the path ends with a NUL.
    match unsafe { RegOpenKeyExW(HKEY_CURRENT_USER, path.as_ptr(), 0, KEY_READ, &raw mut key) } {
        0 => Ok(Key(key)),
        error => Err(error),
    }
}

fn existing(path: &str) -> Key {
    try_open(path).unwrap_or_else(|error| panic!("{path}: error {error}"))
}

fn with_value(path: &str) {
    let (path, name, mut key) = (wide(path), wide("v"), null_mut());
    let data = 1_u32.to_le_bytes();
    // SAFETY: path and name end with a NUL; the data has four bytes.
    unsafe {
        let (none, made) = (null(), &raw mut key);
        let error = RegCreateKeyExW(
            HKEY_CURRENT_USER,
            path.as_ptr(),
            0,
            none,
            0,
            KEY_WRITE,
            null(),
            made,
            null_mut(),
        );
        assert_eq!(error, 0);
        let key = Key(key);
        let error = RegSetValueExW(key.0, name.as_ptr(), 0, REG_DWORD, data.as_ptr(), 4);
        assert_eq!(error, 0);
    }
}

/// Makes the key and its first `count` subkeys, or writes their values anew.
pub fn fill(count: u32, path: &str) {
    with_value(path);
    for number in 0..count {
        with_value(&format!("{path}\\k{number}"));
    }
}

/// Removes the key with all below it.
pub fn remove(path: &str) {
    let path = wide(path);
    // SAFETY: the path ends with a NUL.
    let error = unsafe { RegDeleteTreeW(HKEY_CURRENT_USER, path.as_ptr()) };
    assert_eq!(error, 0);
}

/// Opens and closes the key.
pub fn open(path: &str) {
    drop(existing(path));
}

/// Fails to open a key that is not there.
pub fn absent(path: &str) {
    assert_eq!(try_open(path).err(), Some(ERROR_FILE_NOT_FOUND));
}

/// Asks the open key for a value and for its figures.
pub fn query(count: u32, path: &str) {
    let (key, name) = (existing(path), wide("v"));
    time(count, |_| {
        let (mut data, mut size, mut subkeys) = ([0_u8; 4], 4, 0);
        let none = null_mut();
        // SAFETY: the name ends with a NUL; the data has four bytes.
        unsafe {
            let place = data.as_mut_ptr();
            let error = RegQueryValueExW(
                key.0,
                name.as_ptr(),
                null(),
                null_mut(),
                place,
                &raw mut size,
            );
            assert_eq!(error, 0);
            let error = RegQueryInfoKeyW(
                key.0,
                none,
                null_mut(),
                null(),
                &raw mut subkeys,
                null_mut(),
                null_mut(),
                null_mut(),
                null_mut(),
                null_mut(),
                null_mut(),
                null_mut(),
            );
            assert_eq!(error, 0);
        }
    });
}

/// Enumerates the subkeys of the open key, which has `many`.
pub fn list(count: u32, path: &str, many: u32) {
    let key = existing(path);
    time(count, |_| {
        let mut found = 0;
        loop {
            let (mut name, mut length) = ([0_u16; 256], 256);
            // SAFETY: the name has room for so many units.
            let error = unsafe {
                RegEnumKeyExW(
                    key.0,
                    found,
                    name.as_mut_ptr(),
                    &raw mut length,
                    null(),
                    null_mut(),
                    null_mut(),
                    null_mut(),
                )
            };
            if error == ERROR_NO_MORE_ITEMS {
                break;
            }
            assert_eq!(error, 0);
            found += 1;
        }
        assert_eq!(found, many);
    });
}
