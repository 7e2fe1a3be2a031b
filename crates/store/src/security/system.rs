//! What Windows has of lists of rights.

use std::fs::File;
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::AsRawHandle;
use std::path::Path;
use std::ptr::null_mut;

use pinion_nt::calls::{NtQuerySecurityObject, NtSetSecurityObject};
use pinion_nt::{HANDLE, NTSTATUS, status};
use pinion_wire::rights::Rights;
use windows_sys::Win32::Foundation::{LocalFree, RtlNtStatusToDosError};
use windows_sys::Win32::Security::Authorization::{
    ConvertSecurityDescriptorToStringSecurityDescriptorW,
    ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1, SE_FILE_OBJECT,
    SetNamedSecurityInfoW,
};
use windows_sys::Win32::Security::{
    DACL_SECURITY_INFORMATION, GetSecurityDescriptorDacl, OWNER_SECURITY_INFORMATION,
    UNPROTECTED_DACL_SECURITY_INFORMATION,
};

/// `READ_CONTROL` and `WRITE_DAC` (winnt.h).
const READ_CONTROL: u32 = 0x2_0000;
const WRITE_DAC: u32 = 0x4_0000;

/// A self-relative security descriptor with a list of rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Security {
    bytes: Vec<u8>,
}

impl Security {
    /// That of an open file or key; none where there is no such thing, as on FAT.
    fn of(object: HANDLE) -> Result<Option<Self>, NTSTATUS> {
        let bytes = read(object, DACL_SECURITY_INFORMATION)?;
        Ok(bytes.map(|bytes| Self { bytes }))
    }

    /// That of a file, itself and not what a link leads to.
    pub(crate) fn of_file(path: &Path) -> io::Result<Option<Self>> {
        let file = open(path, READ_CONTROL)?;
        Self::of(file.as_raw_handle()).map_err(error)
    }

    /// That of the key of this NT path, a link itself.
    pub(crate) fn of_key(path: &[u16]) -> Result<Option<Self>, NTSTATUS> {
        let key = crate::registry::open_itself(path, READ_CONTROL)?;
        Self::of(key.as_raw_handle())
    }

    /// Whether it says more than what is handed down to its place, and so is worth carrying elsewhere.
    pub(crate) fn is_its_own(&self) -> bool {
        Rights::of(&self.bytes).is_some_and(|rights| rights.are_its_own())
    }

    /// What two of them are compared by; 0 when it is damaged.
    pub(crate) fn figure(&self) -> u64 {
        Rights::of(&self.bytes).map_or(0, |rights| rights.figure())
    }

    /// Gives it to an open file or key.
    fn give(&self, object: HANDLE) -> Result<(), NTSTATUS> {
        // SAFETY: the bytes are a descriptor that the system wrote, and live over the call.
        let status = unsafe {
            NtSetSecurityObject(
                object,
                DACL_SECURITY_INFORMATION,
                self.bytes.as_ptr().cast(),
            )
        };
        match status {
            _ if status::success(status) => Ok(()),
            // A file system without rights.
            status::STATUS_INVALID_DEVICE_REQUEST | status::STATUS_NOT_SUPPORTED => Ok(()),
            _ => Err(status),
        }
    }

    /// Gives it to a file.
    pub(crate) fn give_file(&self, path: &Path) -> io::Result<()> {
        let file = open(path, WRITE_DAC)?;
        self.give(file.as_raw_handle()).map_err(error)
    }

    /// Gives it to a directory: what was handed down to it is left out, and what the directory's own place
    /// hands down is added, to it and to all in it.
    pub(crate) fn give_folder(&self, path: &Path) -> io::Result<()> {
        let whole = self.text().unwrap_or_default();
        let own = super::own_part(&whole);
        if own == whole {
            return self.give_file(path);
        }
        let own = Self::parse(&own).ok_or(io::ErrorKind::InvalidData)?;
        let (mut present, mut defaulted, mut list) = (0, 0, null_mut());
        let name: Vec<u16> = path.as_os_str().encode_wide().chain([0]).collect();
        // SAFETY: the descriptor is one that the system wrote and lives over both calls, and so does the
        // list in it; the name ends in a zero.
        let error = unsafe {
            GetSecurityDescriptorDacl(
                own.bytes.as_ptr().cast_mut().cast(),
                &raw mut present,
                &raw mut list,
                &raw mut defaulted,
            );
            SetNamedSecurityInfoW(
                name.as_ptr(),
                SE_FILE_OBJECT,
                DACL_SECURITY_INFORMATION | UNPROTECTED_DACL_SECURITY_INFORMATION,
                null_mut(),
                null_mut(),
                list,
                null_mut(),
            )
        };
        match error {
            0 => Ok(()),
            error => Err(io::Error::from_raw_os_error(error.cast_signed())),
        }
    }

    /// Gives it to the key of this NT path, a link itself.
    pub(crate) fn give_key(&self, path: &[u16]) -> Result<(), NTSTATUS> {
        let key = crate::registry::open_itself(path, WRITE_DAC)?;
        self.give(key.as_raw_handle())
    }

    /// As text; none when the system cannot tell.
    pub(crate) fn text(&self) -> Option<String> {
        text(&self.bytes, DACL_SECURITY_INFORMATION)
    }

    /// That of a text; none when it is no list of rights.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let plain = super::is_plain(text);
        plain
            .then(|| parse(text))
            .flatten()
            .map(|bytes| Self { bytes })
    }
}

/// A self-relative security descriptor with an owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    bytes: Vec<u8>,
}

impl Owner {
    /// That of a file, itself and not what a link leads to.
    pub(crate) fn of_file(path: &Path) -> io::Result<Option<Self>> {
        let file = open(path, READ_CONTROL)?;
        let bytes = read(file.as_raw_handle(), OWNER_SECURITY_INFORMATION).map_err(error)?;
        Ok(bytes.map(|bytes| Self { bytes }))
    }

    /// As text, `O:…`; none when the system cannot tell.
    pub(crate) fn text(&self) -> Option<String> {
        text(&self.bytes, OWNER_SECURITY_INFORMATION)
    }

    /// That of a text; none when it is no owner.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let plain = crate::metadata::is_owner(text);
        plain
            .then(|| parse(text))
            .flatten()
            .map(|bytes| Self { bytes })
    }

    /// Gives the file this owner, where this user may: without the privilege to restore files that is himself
    /// and those of his groups that may own. Else it stays who made the file.
    pub(crate) fn give_file(&self, path: &Path) -> io::Result<()> {
        const WRITE_OWNER: u32 = 0x8_0000;
        match open(path, WRITE_OWNER) {
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => Ok(()),
            Err(e) => Err(e),
            Ok(file) => {
                // SAFETY: the bytes are a descriptor that the system wrote, and live over the call.
                unsafe {
                    NtSetSecurityObject(
                        file.as_raw_handle(),
                        OWNER_SECURITY_INFORMATION,
                        self.bytes.as_ptr().cast(),
                    )
                };
                Ok(())
            }
        }
    }
}

/// The part `what` of an object's descriptor; none where there is no such thing, as on FAT.
fn read(object: HANDLE, what: u32) -> Result<Option<Vec<u8>>, NTSTATUS> {
    let mut bytes = vec![0_u8; 512];
    loop {
        let (size, mut needed) = (bytes.len() as u32, 0);
        // SAFETY: the buffer has the length told; both outputs are locals.
        let status = unsafe {
            NtQuerySecurityObject(
                object,
                what,
                bytes.as_mut_ptr().cast(),
                size,
                &raw mut needed,
            )
        };
        match status {
            status::STATUS_BUFFER_TOO_SMALL if needed > size => {
                bytes.resize(needed as usize, 0);
            }
            status::STATUS_INVALID_DEVICE_REQUEST | status::STATUS_NOT_SUPPORTED => {
                return Ok(None);
            }
            _ if status::success(status) => return Ok(Some(bytes)),
            _ => return Err(status),
        }
    }
}

/// The part `what` of a descriptor as text; none when the system cannot tell.
fn text(descriptor: &[u8], what: u32) -> Option<String> {
    let (mut text, mut length) = (null_mut::<u16>(), 0_u32);
    // SAFETY: the descriptor is one that the system wrote; both outputs are locals.
    let told = unsafe {
        ConvertSecurityDescriptorToStringSecurityDescriptorW(
            descriptor.as_ptr().cast_mut().cast(),
            SDDL_REVISION_1,
            what,
            &raw mut text,
            &raw mut length,
        )
    };
    if told == 0 || text.is_null() {
        return None;
    }
    // SAFETY: the system gave so many units, and the block is freed once, after they are copied.
    let units = unsafe { std::slice::from_raw_parts(text, length as usize) }.to_vec();
    // SAFETY: as above.
    unsafe { LocalFree(text.cast()) };
    let end = units.iter().position(|&unit| unit == 0);
    String::from_utf16(units.get(..end.unwrap_or(units.len()))?).ok()
}

/// The descriptor of a text in SDDL; none when it is no such text.
fn parse(text: &str) -> Option<Vec<u8>> {
    let units: Vec<u16> = text.encode_utf16().chain([0]).collect();
    let (mut descriptor, mut length) = (null_mut(), 0_u32);
    // SAFETY: the text ends in a zero; both outputs are locals.
    let read = unsafe {
        ConvertStringSecurityDescriptorToSecurityDescriptorW(
            units.as_ptr(),
            SDDL_REVISION_1,
            &raw mut descriptor,
            &raw mut length,
        )
    };
    if read == 0 || descriptor.is_null() {
        return None;
    }
    // SAFETY: the system gave a self-relative descriptor of that length; the block is freed once, after it is
    // copied.
    let bytes =
        unsafe { std::slice::from_raw_parts(descriptor.cast::<u8>(), length as usize) }.to_vec();
    // SAFETY: as above.
    unsafe { LocalFree(descriptor) };
    Some(bytes)
}

/// The figure of the rights that keys of a layer have when nobody gave them others: those of the layer's own
/// key, whose NT path is `layer`; 0 when it has none yet.
pub(crate) fn usual(layer: &[u16]) -> Result<u64, NTSTATUS> {
    match Security::of_key(layer) {
        Err(status) if crate::registry::is_missing(status) => Ok(0),
        usual => usual.map(|usual| usual.map_or(0, |usual| usual.figure())),
    }
}

fn open(path: &Path, access: u32) -> io::Result<File> {
    const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;
    const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;
    File::options()
        .access_mode(access)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT)
        .open(path)
}

pub(crate) fn error(status: NTSTATUS) -> io::Error {
    // SAFETY: a table look-up.
    io::Error::from_raw_os_error(unsafe { RtlNtStatusToDosError(status) }.cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_survives_its_text_and_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "x").unwrap();
        let made = Security::parse("D:P(A;;FA;;;WD)").unwrap();
        assert!(made.is_its_own());
        made.give_file(&path).unwrap();
        let read = Security::of_file(&path).unwrap().unwrap();
        let again = Security::parse(&read.text().unwrap()).unwrap();
        assert_eq!(again.figure(), read.figure());
        assert_eq!(Security::parse("O:BA"), None);
        let owner = Owner::of_file(&path).unwrap().unwrap().text().unwrap();
        assert!(
            Owner::parse(&owner).is_some_and(|owner| owner.give_file(&path).is_ok()),
            "{owner}"
        );
        assert_eq!(Owner::parse("D:"), None);
    }
}
