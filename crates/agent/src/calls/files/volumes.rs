//! Volumes: which drive letter a volume's device has, and what a file's volume
//! is. On Windows the names of open files begin with the device; Wine gives them
//! by drive letter.

use super::raw::{self, How, Owned};
use super::view::{self, View};
use super::{names, opened, volume_told};
use crate::guard;
use crate::hooks::{self, kept};
use core::ffi::c_void;
use core::sync::atomic::{AtomicU32, Ordering};
use pinion_names::units::{SEPARATOR, starts};
use pinion_nt::status::{
    STATUS_NO_MEMORY, STATUS_OBJECT_NAME_INVALID, STATUS_OBJECT_NAME_NOT_FOUND, success,
};
use pinion_nt::{
    HANDLE, IO_STATUS_BLOCK, NTSTATUS, OBJ_CASE_INSENSITIVE, UNICODE_STRING, object_attributes,
    unicode_string,
};

/// The number of the volume of each letter, plus 2; 1 for none, 0 when not yet
/// asked.
static NUMBERS: [AtomicU32; 26] = [const { AtomicU32::new(0) }; 26];

/// `SYMBOLIC_LINK_QUERY` (winnt.h).
const LINK_QUERY: u32 = 1;

/// As `NtQueryVolumeInformationFile`: a file of a layer is on its drive's volume,
/// not on the one that holds the layer; one of a share is where the host has it.
pub(crate) unsafe fn query_volume(
    file: HANDLE,
    io: *mut IO_STATUS_BLOCK,
    buffer: *mut c_void,
    length: u32,
    class: u32,
) -> NTSTATUS {
    /// `FileFsVolumeInformation` (wdm.h), which `GetFileInformationByHandle` asks.
    const VOLUME: u32 = 1;
    let key = (hooks::is_wine() && class == VOLUME)
        .then(|| opened::with(file, volume_told::Key::of).ok().flatten())
        .flatten();
    if let Some(key) = key
        && let Some(written) = volume_told::answer(key, buffer, length)
    {
        return written.map_or_else(|status| status, |length| done(io, length));
    }
    let status = ask(file, io, buffer, length, class);
    if let Some(key) = key
        && success(status)
        // SAFETY: plain data; a bad pointer is a return value.
        && let Ok(told) = unsafe { guard::read(io) }
    {
        volume_told::keep(key, buffer, told.Information);
    }
    status
}

/// Ends a call that has written `length` bytes.
fn done(io: *mut IO_STATUS_BLOCK, length: usize) -> NTSTATUS {
    let mut block = raw::block();
    block.Information = length;
    // SAFETY: the program's pointer, under guard.
    unsafe { guard::write(io, block) }.err().unwrap_or(0)
}

/// The question itself, of the volume on which the program has the file.
fn ask(
    file: HANDLE,
    io: *mut IO_STATUS_BLOCK,
    buffer: *mut c_void,
    length: u32,
    class: u32,
) -> NTSTATUS {
    /// `FileFsDeviceInformation` (wdm.h), which C libraries ask of each file.
    const DEVICE: u32 = 4;
    let call = |file| {
        // SAFETY: the program's arguments but for the handle.
        unsafe { kept::NtQueryVolumeInformationFile(file, io, buffer, length, class) }
    };
    if class == DEVICE || opened::layer(file) == Some(View::host()) {
        return call(file);
    }
    let how = How {
        access: raw::READ_ATTRIBUTES,
        attributes: 0,
        disposition: raw::OPEN,
        options: raw::DIRECTORY_FILE,
    };
    let root = names::with_located(file, |layer, path| {
        let drive = path.get(..1).filter(|_| layer < View::host())?;
        view::with_name(View::host(), drive, &[], |name| raw::open(name, how)).ok()
    });
    match root.flatten() {
        Some(Ok(root)) => call(root.0),
        _ => call(file),
    }
}

/// The letter of the drive whose volume is the device `name`, such as
/// `HarddiskVolume3` or the DOS device `Volume{…}`.
pub(crate) fn letter(name: &[u16]) -> Option<u16> {
    let wanted = match starts(name, "HarddiskVolume") {
        Some(digits) => number(digits)?,
        None => {
            starts(name, "Volume{")?;
            linked(&[DOS, name])?
        }
    };
    (0..26_u16)
        .map(|index| index + u16::from(b'A'))
        .find(|&letter| volume(letter) == Some(wanted))
}

/// The number of the volume of the drive `letter`.
pub(crate) fn volume(letter: u16) -> Option<u32> {
    let place = NUMBERS.get(usize::from(letter.checked_sub(u16::from(b'A'))?))?;
    match place.load(Ordering::Relaxed) {
        0 => {
            let found = linked(&[DOS, &[letter, u16::from(b':')]]);
            let stored = found.map_or(1, |number| number.saturating_add(2));
            place.store(stored, Ordering::Relaxed);
            found
        }
        1 => None,
        stored => Some(stored - 2),
    }
}

const DOS: &[u16] = &[SEPARATOR, b'?' as u16, b'?' as u16, SEPARATOR];

/// The number of the volume to which the symbolic link named by `parts` leads.
fn linked(parts: &[&[u16]]) -> Option<u32> {
    let link = open_link(parts).ok()?;
    let mut target = [0; 128];
    let mut out = UNICODE_STRING {
        Length: 0,
        MaximumLength: 256,
        Buffer: target.as_mut_ptr(),
    };
    // SAFETY: all pointers are to locals; the buffer holds MaximumLength bytes.
    let status =
        unsafe { kept::NtQuerySymbolicLinkObject(link.0, &raw mut out, core::ptr::null_mut()) };
    if !success(status) {
        return None;
    }
    number(starts(
        target.get(..usize::from(out.Length) / 2)?,
        "\\Device\\HarddiskVolume",
    )?)
}

fn open_link(parts: &[&[u16]]) -> Result<Owned, NTSTATUS> {
    let mut name = [0; 128];
    let length =
        pinion_names::units::join(parts, &mut name).map_err(|_| STATUS_OBJECT_NAME_NOT_FOUND)?;
    let string = unicode_string(name.get(..length).unwrap_or(&[])).ok_or(STATUS_NO_MEMORY)?;
    let attributes = object_attributes(
        core::ptr::null_mut(),
        &raw const string,
        OBJ_CASE_INSENSITIVE,
    );
    let mut link: HANDLE = core::ptr::null_mut();
    // SAFETY: all pointers are to locals.
    let status =
        unsafe { kept::NtOpenSymbolicLinkObject(&raw mut link, LINK_QUERY, &raw const attributes) };
    raw::check(status).map(|()| Owned(link))
}

/// Whether the host has a DOS device or a device `name`.
pub(crate) fn is_device(name: &[u16]) -> bool {
    const DEVICES: &[u16] = &ascii(b"\\Device\\");
    [DOS, DEVICES].iter().any(|directory| {
        !matches!(
            open_link(&[directory, name]),
            Err(STATUS_OBJECT_NAME_NOT_FOUND | STATUS_OBJECT_NAME_INVALID)
        )
    })
}

const fn ascii<const N: usize>(text: &[u8; N]) -> [u16; N] {
    let mut units = [0; N];
    let mut index = 0;
    while index < N {
        units[index] = text[index] as u16;
        index += 1;
    }
    units
}

fn number(digits: &[u16]) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u32, |sum, &unit| {
        let digit = char::from_u32(u32::from(unit))?.to_digit(10)?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}
