//! Which drive letter a volume's device has. On Windows the names of open files
//! begin with the device; Wine gives them by drive letter.

use crate::hooks::kept;
use core::sync::atomic::{AtomicU32, Ordering};
use pinion_names::units::{SEPARATOR, starts};
use pinion_nt::calls::NtClose;
use pinion_nt::status::success;
use pinion_nt::{HANDLE, OBJ_CASE_INSENSITIVE, UNICODE_STRING, object_attributes, unicode_string};

/// The number of the volume of each letter, plus 2; 1 for none, 0 when not yet
/// asked.
static NUMBERS: [AtomicU32; 26] = [const { AtomicU32::new(0) }; 26];

/// `SYMBOLIC_LINK_QUERY` (winnt.h).
const LINK_QUERY: u32 = 1;

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
    let (mut name, mut target) = ([0; 128], [0; 128]);
    let length = pinion_names::units::join(parts, &mut name).ok()?;
    let string = unicode_string(name.get(..length)?)?;
    let attributes = object_attributes(
        core::ptr::null_mut(),
        &raw const string,
        OBJ_CASE_INSENSITIVE,
    );
    let mut link: HANDLE = core::ptr::null_mut();
    let mut out = UNICODE_STRING {
        Length: 0,
        MaximumLength: 256,
        Buffer: target.as_mut_ptr(),
    };
    // SAFETY: all pointers are to locals; the buffer holds MaximumLength bytes.
    let status = unsafe {
        let opened =
            kept::NtOpenSymbolicLinkObject(&raw mut link, LINK_QUERY, &raw const attributes);
        if !success(opened) {
            return None;
        }
        let queried = kept::NtQuerySymbolicLinkObject(link, &raw mut out, core::ptr::null_mut());
        NtClose(link);
        queried
    };
    if !success(status) {
        return None;
    }
    number(starts(
        target.get(..usize::from(out.Length) / 2)?,
        "\\Device\\HarddiskVolume",
    )?)
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
