//! Notes in the upper about what its directories alone would not tell to who
//! watches them ([`pinion_names::change`]).

use super::super::remove::DELETE;
use super::super::view::with_name;
use super::super::{names, raw};
use crate::{scratch, state};
use core::sync::atomic::Ordering;
use pinion_names::change::{self, Note};

/// `FILE_DELETE_ON_CLOSE` (ntioapi.h).
const DELETE_ON_CLOSE: u32 = 0x1000;

/// Makes a note about `path`, where any directory of the VM was ever watched.
/// One that cannot be made is missed by watchers only.
pub(crate) fn leave(note: Note, path: &[u16]) {
    if state::tally().files_watched.load(Ordering::Acquire) == 0 {
        return;
    }
    let kind = match note {
        Note::Copied => raw::DIRECTORY_FILE,
        Note::Hidden => raw::NON_DIRECTORY_FILE,
    };
    let how = raw::How {
        access: DELETE,
        attributes: 0,
        disposition: raw::OPEN_IF,
        options: kind | DELETE_ON_CLOSE,
    };
    scratch::with(path.len() + 16, |out| {
        let length = change::note(note, path, out).unwrap_or(0);
        let name = out.get(..length).unwrap_or(&[]);
        let _ = with_name(0, name, &[], |name| raw::open(name, how));
    });
}

/// Makes a note that the file `path` of `layer` is hidden, in the case in which
/// it has its name there.
pub(crate) fn hidden(layer: usize, path: &[u16]) {
    if state::tally().files_watched.load(Ordering::Acquire) == 0 {
        return;
    }
    let how = raw::How {
        access: raw::READ_ATTRIBUTES,
        attributes: 0,
        disposition: raw::OPEN,
        options: 0,
    };
    let opened = with_name(layer, path, &[], |name| raw::open(name, how));
    match opened {
        Ok(Ok(file)) => {
            let _ = names::with_own_case(file.0, path, |path| leave(Note::Hidden, path));
        }
        _ => leave(Note::Hidden, path),
    }
}
