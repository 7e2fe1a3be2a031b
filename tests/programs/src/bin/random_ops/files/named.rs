//! Attributes and deletion by name.

use super::super::chance::Chance;
use super::super::nt::{
    Buffer, NtDeleteFile, NtQueryAttributesFile, NtQueryFullAttributesFile, hex,
};
use super::super::paths;
use super::{ATTRIBUTES, Files, error};
use core::ptr::null_mut;
use pinion_test_programs::nt::with_attributes;
use windows_sys::Win32::Storage::FileSystem::{
    DeleteFileW, GetFileAttributesW, SetFileAttributesW,
};

impl Files {
    pub(super) fn by_name(&mut self, chance: &mut Chance) -> String {
        let path = paths::file(chance);
        let units: Vec<u16> = self.nt(&path).encode_utf16().collect();
        let mut buffer = Buffer::new(56);
        let full = chance.percent(50);
        // SAFETY: the buffer has room for either structure.
        let status = with_attributes(null_mut(), &units, |attributes| unsafe {
            if full {
                NtQueryFullAttributesFile(attributes, buffer.pointer())
            } else {
                NtQueryAttributesFile(attributes, buffer.pointer())
            }
        });
        let attributes = buffer.number::<4>(if full { 48 } else { 32 });
        let size = buffer.number::<8>(40);
        let told = match (status == 0, full && attributes & 0x10 == 0) {
            (false, _) => String::new(),
            (true, false) => format!("{attributes:x}"),
            (true, true) => format!("{attributes:x} {size}"),
        };
        format!("attributes of {path:?}: {} {told}", hex(status))
    }

    pub(super) fn delete(&mut self, chance: &mut Chance) -> String {
        let path = paths::file(chance);
        self.quiet(&path);
        if chance.percent(60) {
            // SAFETY: the path ends in a zero.
            let gone = unsafe { DeleteFileW(self.win32(&path).as_ptr()) };
            return format!("delete {path:?}: {}", error(gone));
        }
        let units: Vec<u16> = self.nt(&path).encode_utf16().collect();
        // SAFETY: the attributes are read only.
        let status = with_attributes(null_mut(), &units, |attributes| unsafe {
            NtDeleteFile(attributes)
        });
        format!("NtDeleteFile {path:?}: {}", hex(status))
    }

    pub(super) fn set_attributes(&mut self, chance: &mut Chance) -> String {
        let (path, attributes) = (paths::file(chance), chance.weighed(ATTRIBUTES));
        self.close_readers(&path);
        let name = self.win32(&path);
        // SAFETY: the path ends in a zero.
        let (set, now) = unsafe {
            let set = SetFileAttributesW(name.as_ptr(), attributes);
            let told = error(set);
            (told, GetFileAttributesW(name.as_ptr()))
        };
        format!("set attributes of {path:?} to {attributes:x}: {set} {now:x}")
    }
}
