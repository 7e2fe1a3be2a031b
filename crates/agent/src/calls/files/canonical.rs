//! One path for each file, whatever names lead to it: short names (8.3) become
//! the long ones that the VM sees, and what lies in Wine's own folder is of the
//! drive that it shows.

use super::raw::{self, How};
use super::shares;
use super::view::{View, with_name};
use crate::hooks::kept;
use crate::{scratch, state};
use pinion_layers::sources;
use pinion_names::units::{SEPARATOR, join, starts};
use pinion_names::{file, pattern};
use pinion_nt::status::STATUS_NAME_TOO_LONG;
use pinion_nt::{NTSTATUS, unicode_string};

/// The longest name of one file, in units.
const LONGEST: usize = 255;

/// Runs `work` with the one path for what `path` names.
pub(crate) fn with(path: &[u16], work: impl FnOnce(&[u16]) -> NTSTATUS) -> NTSTATUS {
    let folder = state::page().wine_folder.as_units();
    match file::on_own_drive(folder, path) {
        None => with_long(path, work),
        Some((letter, rest)) => {
            scratch::with(rest.len() + 1, |out| match join(&[&[letter], rest], out) {
                Ok(length) => with_long(out.get(..length).unwrap_or(&[]), work),
                Err(pinion_names::TooLong) => STATUS_NAME_TOO_LONG,
            })
            .unwrap_or(STATUS_NAME_TOO_LONG)
        }
    }
}

fn with_long(path: &[u16], work: impl FnOnce(&[u16]) -> NTSTATUS) -> NTSTATUS {
    if !file::may_be_short(path) || !path.split(|&unit| unit == SEPARATOR).any(file::is_short) {
        return work(path);
    }
    let room = (path.len() + 4 * LONGEST).min(scratch::LARGE);
    scratch::with(room, |out| match expand(path, out) {
        Some(length) => work(out.get(..length).unwrap_or(&[])),
        None => work(path),
    })
    .unwrap_or(STATUS_NAME_TOO_LONG)
}

/// Writes `path` with each short name replaced by the long name of what it
/// names; a name that is none of a file stays.
fn expand(path: &[u16], out: &mut [u16]) -> Option<usize> {
    let mut length = 0;
    for part in path.split(|&unit| unit == SEPARATOR) {
        if length > 0 {
            *out.get_mut(length)? = SEPARATOR;
            length += 1;
        }
        let (above, place) = out.split_at_mut_checked(length)?;
        let directory = above.strip_suffix(&[SEPARATOR]).unwrap_or(&[]);
        let found = if file::is_short(part) && pattern::is_plain(part) && !directory.is_empty() {
            long_name(directory, part, place)
        } else {
            None
        };
        length += match found {
            Some(length) => length,
            None => join(&[part], place).ok()?,
        };
    }
    Some(length)
}

/// Writes the name of what the directory has by the short name `short`.
fn long_name(directory: &[u16], short: &[u16], out: &mut [u16]) -> Option<usize> {
    if let Some((number, rest)) = shares::find(directory) {
        return scratch::with(shares::longer() + rest.len(), |path| {
            let directory = shares::in_vm(number, rest, path)?;
            in_layer(shares::layer(number), directory, short, out)
        })?;
    }
    let mut view = View::new(directory);
    let layers = sources(&mut view).ok()?;
    layers
        .iter()
        .find_map(|layer| in_layer(layer, directory, short, out))
}

fn in_layer(layer: usize, directory: &[u16], short: &[u16], out: &mut [u16]) -> Option<usize> {
    const LIST: u32 = 1;
    /// `FileBothDirectoryInformation`, and where its name's length and its name
    /// are (wdm.h).
    const CLASS: u32 = 3;
    const LENGTH: usize = 60 / 2;
    const NAME: usize = 94 / 2;
    let how = How {
        access: LIST,
        attributes: 0,
        disposition: raw::OPEN,
        options: raw::DIRECTORY_FILE,
    };
    let opened = with_name(layer, directory, &[], |name| raw::open(name, how)).ok()?;
    let opened = opened.ok()?;
    let string = unicode_string(short)?;
    scratch::with(NAME + LONGEST + 8, |record| {
        let mut io = raw::block();
        let none = core::ptr::null();
        // SAFETY: the buffer has the given size and is aligned to 16; the handle
        // is opened for synchronous use.
        raw::check(unsafe {
            kept::NtQueryDirectoryFile(
                opened.0,
                core::ptr::null_mut(),
                none,
                none,
                &raw mut io,
                record.as_mut_ptr().cast(),
                size_of_val(record) as u32,
                CLASS,
                1,
                &raw const string,
                1,
            )
        })
        .ok()?;
        let units = usize::from(*record.get(LENGTH)?) / 2;
        let name = record.get(NAME..NAME + units)?;
        if shares::number(layer).is_none() && starts(name, file::WHITEOUT).is_some() {
            return None;
        }
        join(&[name], out).ok()
    })
    .flatten()
}
