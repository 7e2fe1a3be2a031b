//! Which path of the VM a name means, and the name that the program knows for
//! one of a layer.

use super::shares::{self, Shared};
use super::{canonical, raw, volumes};
use crate::api::http;
use crate::calls::{device, dos_devices, query_object};
use crate::decode::Attributes;
use crate::hooks;
use crate::{scratch, state};
use pinion_names::file::{self, Target};
use pinion_names::units::{SEPARATOR, below, first_part, fold, join, starts};
use pinion_nt::status::{
    STATUS_ACCESS_DENIED, STATUS_NAME_TOO_LONG, STATUS_OBJECT_NAME_INVALID,
    STATUS_OBJECT_NAME_NOT_FOUND, STATUS_OBJECT_PATH_NOT_FOUND, success,
};
use pinion_nt::{HANDLE, NTSTATUS, UNICODE_STRING};
use pinion_wire::page::Layer;

/// `STATUS_INVALID_PARAMETER` (ntstatus.h).
const STATUS_INVALID_PARAMETER: NTSTATUS = 0xC000_000D_u32 as i32;

/// The drive that Wine maps to the root of the Unix file system.
const ROOT_DRIVE: u16 = b'Z' as u16;

/// What a call's name means.
pub(crate) enum Named<'p> {
    /// A path of the VM.
    Place(Place<'p>),
    /// A path of a folder that is the host's own.
    Shared(Shared<'p>),
    /// The volume of a drive as a whole.
    Volume,
    /// A device of the pass list, or no absolute name at all.
    Passes,
    /// Nothing that a member may name.
    Refused(NTSTATUS),
}

/// A path of the VM as a call names it.
#[derive(Clone, Copy)]
pub(crate) struct Place<'p> {
    /// The path as the layers keep it, `C\a\b`.
    pub(crate) path: &'p [u16],
    /// What the name had behind the path: a stream's name with its colon, or a
    /// trailing backslash.
    pub(crate) tail: &'p [u16],
    /// The whole name, where it is that of the host's file, too.
    pub(crate) asked: Option<&'p [u16]>,
}

/// Runs `work` with what the call's name means.
pub(crate) fn with_named(
    decoded: &Attributes<'_>,
    work: impl FnOnce(Named<'_>) -> NTSTATUS,
) -> NTSTATUS {
    if decoded.is_absolute() {
        return match file::plain(decoded.name) {
            Some((letter, rest)) if !dos_devices::is_drive(letter) => {
                with_plain(decoded.name, letter, rest, work)
            }
            _ => with_absolute(decoded.name, false, work),
        };
    }
    with_relative(decoded.root(), decoded.name, work)
}

/// Runs `work` with what the plain name `name` ([`file::plain`]) means.
fn with_plain(
    name: &[u16],
    letter: u16,
    rest: &[u16],
    work: impl FnOnce(Named<'_>) -> NTSTATUS,
) -> NTSTATUS {
    scratch::with(rest.len() + 1, |out| {
        let Ok(length) = join(&[&[letter], rest], out) else {
            return STATUS_NAME_TOO_LONG;
        };
        let length = if rest.len() == 1 { 1 } else { length };
        let path = out.get(..length).unwrap_or(&[]);
        let elsewhere = is_closed(path)
            || shares::find(path).is_some()
            || file::on_own_drive(state::page().wine_folder.as_units(), path).is_some();
        if elsewhere {
            return canonical::with(path, |path| with_path(path, false, work));
        }
        work(Named::Place(Place {
            path,
            tail: &[],
            asked: Some(name),
        }))
    })
    .unwrap_or(STATUS_NAME_TOO_LONG)
}

/// Runs `work` with what the name `name`, relative to `root`, means.
pub(crate) fn with_relative(
    root: HANDLE,
    name: &[u16],
    work: impl FnOnce(Named<'_>) -> NTSTATUS,
) -> NTSTATUS {
    let mut work = Some(work);
    let named = with_real(root, |real| {
        let work = work.take()?;
        if name.first() == Some(&SEPARATOR) {
            return Some(work(Named::Refused(STATUS_INVALID_PARAMETER)));
        }
        scratch::with(real.len() + 1 + name.len(), |whole| {
            let parts: &[&[u16]] = if name.is_empty() {
                &[real]
            } else {
                &[real, &[SEPARATOR], name]
            };
            match join(parts, whole) {
                Ok(length) => with_absolute(whole.get(..length).unwrap_or(&[]), true, work),
                Err(pinion_names::TooLong) => STATUS_NAME_TOO_LONG,
            }
        })
    });
    match (named, work) {
        (Some(status), _) => status.unwrap_or(STATUS_NAME_TOO_LONG),
        (None, Some(work)) if !device::is_disk(root) => work(Named::Passes),
        (None, Some(work)) => work(Named::Refused(STATUS_ACCESS_DENIED)),
        (None, None) => STATUS_NAME_TOO_LONG,
    }
}

/// Runs `work` with what the absolute `name` means. `real` says that it comes
/// from a handle's real name, which may lie in a layer.
pub(crate) fn with_absolute(
    name: &[u16],
    real: bool,
    work: impl FnOnce(Named<'_>) -> NTSTATUS,
) -> NTSTATUS {
    let computer = state::page().computer_name.as_units();
    let mut work = Some(work);
    let target = file::classify(name, computer, volumes::letter);
    if !real && dos_devices::any() {
        let status = with_own_device(&target, |name| {
            work.take().map(|work| with_absolute(name, true, work))
        });
        if let Some(status) = status {
            return status;
        }
    }
    let Some(work) = work else {
        return STATUS_NAME_TOO_LONG;
    };
    let (letter, rest, slashes) = match target {
        Target::Drive(letter, rest) => (letter, rest, false),
        Target::Unix(rest) => (ROOT_DRIVE, rest, true),
        Target::Volume(_) => return work(Named::Volume),
        Target::Other if name.first() != Some(&SEPARATOR) => return work(Named::Passes),
        Target::Other => return with_system_root(name, work),
        Target::Device(path) => {
            let passes = pinion_policy::device::passes(path).is_some() || http::opens(path);
            return work(if passes {
                Named::Passes
            } else {
                Named::Refused(of_no_device(path).unwrap_or(STATUS_ACCESS_DENIED))
            });
        }
    };
    with_parts(letter, rest, slashes, real, work)
}

/// Runs `work` with the name to which `target` leads by a DOS device name of the
/// VM's own; `None` when it does not.
fn with_own_device(
    target: &Target<'_>,
    work: impl FnOnce(&[u16]) -> Option<NTSTATUS>,
) -> Option<NTSTATUS> {
    let drive;
    let (device, rest) = match *target {
        Target::Drive(letter, rest) if dos_devices::is_drive(letter) => {
            drive = [letter, u16::from(b':')];
            (&drive[..], rest)
        }
        Target::Volume(letter) if dos_devices::is_drive(letter) => {
            drive = [letter, u16::from(b':')];
            (&drive[..], &[][..])
        }
        Target::Device(path) if pinion_policy::device::passes(path).is_none() => first_part(path)?,
        _ => return None,
    };
    dos_devices::with_target(device, |target| {
        scratch::with(target.len() + rest.len(), |whole| {
            match join(&[target, rest], whole) {
                Ok(length) => work(whole.get(..length).unwrap_or(&[])),
                Err(pinion_names::TooLong) => Some(STATUS_NAME_TOO_LONG),
            }
        })
    })
    .flatten()
    .flatten()
}

/// What NT answers for the device name `path` (below a directory of devices)
/// when there is no such device; `None` when there is one.
fn of_no_device(path: &[u16]) -> Option<NTSTATUS> {
    match first_part(path) {
        None | Some(([], _)) => Some(STATUS_OBJECT_NAME_INVALID),
        Some((first, _)) if volumes::is_device(first) => None,
        Some((_, [])) => Some(STATUS_OBJECT_NAME_NOT_FOUND),
        Some(_) => Some(STATUS_OBJECT_PATH_NOT_FOUND),
    }
}

/// Runs `work` with the path `rest` of the drive `letter`.
fn with_parts(
    letter: u16,
    rest: &[u16],
    slashes: bool,
    real: bool,
    work: impl FnOnce(Named<'_>) -> NTSTATUS,
) -> NTSTATUS {
    if !slashes && file::is_ill_formed(rest) {
        return work(Named::Refused(STATUS_OBJECT_NAME_INVALID));
    }
    scratch::with(rest.len() + 2, |out| {
        let Ok((length, trailing)) = file::normalise(letter, rest, slashes, out) else {
            return STATUS_NAME_TOO_LONG;
        };
        let whole = out.get(..length).unwrap_or(&[]);
        let path = if real {
            of_layer(whole).unwrap_or(whole)
        } else {
            whole
        };
        canonical::with(path, |path| with_path(path, trailing, work))
    })
    .unwrap_or(STATUS_NAME_TOO_LONG)
}

/// Runs `work` with what a name in the object manager's root means. Windows has
/// there one way to files, the link `\SystemRoot`; any other is none of a file.
fn with_system_root(name: &[u16], work: impl FnOnce(Named<'_>) -> NTSTATUS) -> NTSTATUS {
    const ROOM: usize = 260;
    /// `NtSystemRoot` in KUSER_SHARED_DATA (ntddk.h), which every process has
    /// mapped at this address: a DOS path that ends in a zero.
    const SYSTEM_ROOT: *const [u16; ROOM] = 0x7ffe_0030 as *const [u16; ROOM];
    let Some(rest) =
        starts(name, "\\SystemRoot").filter(|rest| matches!(rest.first(), None | Some(&SEPARATOR)))
    else {
        return work(Named::Refused(match first_part(name) {
            None | Some(([], _)) => STATUS_OBJECT_NAME_INVALID,
            Some((_, [])) => STATUS_OBJECT_NAME_NOT_FOUND,
            Some(_) => STATUS_OBJECT_PATH_NOT_FOUND,
        }));
    };
    // SAFETY: the page is mapped, readable and never changes there.
    let root = unsafe { SYSTEM_ROOT.read() };
    let end = root.iter().position(|&unit| unit == 0).unwrap_or(ROOM);
    scratch::with(end + rest.len() + 4, |whole| {
        let parts = [DOS, root.get(..end).unwrap_or(&[]), rest];
        match join(&parts, whole) {
            Ok(length) => with_drive(whole.get(..length).unwrap_or(&[]), work),
            Err(pinion_names::TooLong) => STATUS_NAME_TOO_LONG,
        }
    })
    .unwrap_or(STATUS_NAME_TOO_LONG)
}

const DOS: &[u16] = &[SEPARATOR, b'?' as u16, b'?' as u16, SEPARATOR];

/// Runs `work` with a name that must be one of a drive.
fn with_drive(name: &[u16], work: impl FnOnce(Named<'_>) -> NTSTATUS) -> NTSTATUS {
    let Target::Drive(letter, rest) = file::classify(name, &[], |_| None) else {
        return work(Named::Refused(STATUS_OBJECT_PATH_NOT_FOUND));
    };
    with_parts(letter, rest, false, false, work)
}

fn with_path(path: &[u16], trailing: bool, work: impl FnOnce(Named<'_>) -> NTSTATUS) -> NTSTATUS {
    if is_closed(path) {
        return work(Named::Refused(STATUS_OBJECT_NAME_NOT_FOUND));
    }
    if let Some((number, rest)) = shares::find(path) {
        return with_shared(number, rest, trailing, work);
    }
    if file::is_reserved(path) {
        return work(Named::Refused(STATUS_OBJECT_NAME_INVALID));
    }
    if file::is_of_ntfs(path) {
        return work(Named::Refused(STATUS_ACCESS_DENIED));
    }
    work(Named::Place(split_tail(path, trailing)))
}

/// Runs `work` with what follows, as `rest`, the folder of the share `number`.
fn with_shared(
    number: usize,
    rest: &[u16],
    trailing: bool,
    work: impl FnOnce(Named<'_>) -> NTSTATUS,
) -> NTSTATUS {
    scratch::with(shares::longer() + rest.len(), |out| {
        let path = shares::in_vm(number, rest, out)?;
        let place = split_tail(path, trailing);
        Some(work(Named::Shared(Shared { number, place })))
    })
    .flatten()
    .unwrap_or(STATUS_NAME_TOO_LONG)
}

/// The place of `path`, which may end with the name of a stream; `trailing` says
/// that a backslash was cut.
fn split_tail(path: &[u16], trailing: bool) -> Place<'_> {
    const ROOT: &[u16] = &[SEPARATOR];
    let (directory, last) = file::split_last(path);
    let (end, tail) = match last.iter().position(|&unit| unit == u16::from(b':')) {
        // On Wine a colon is a unit like others (observed on Wine 8 and Wine 10).
        Some(at) if !directory.is_empty() && !hooks::is_wine() => {
            let end = directory.len() + 1 + at;
            (end, path.get(end..).unwrap_or(&[]))
        }
        _ => (path.len(), if trailing { ROOT } else { &[] }),
    };
    let path = path.get(..end).unwrap_or(&[]);
    Place {
        path,
        tail,
        asked: None,
    }
}

/// Whether `path` is of Pinion's own store, which is closed to members.
pub(crate) fn is_closed(path: &[u16]) -> bool {
    below_nt(path, state::page().store_files.as_units()).is_some()
}

/// Whether the store is in the directory `path` or below it.
pub(crate) fn holds_the_store(path: &[u16]) -> bool {
    let store = state::page().store_files.as_units();
    let (Some(drive), Some(rest)) = (store.get(4), store.get(6..)) else {
        return true;
    };
    match path.split_first() {
        Some((letter, directory)) => {
            fold(*letter) == fold(*drive) && below(rest, directory).is_some()
        }
        None => true,
    }
}

/// What follows the NT path `directory` (`\??\C:\x`) in the layer path `path`.
fn below_nt<'p>(path: &'p [u16], directory: &[u16]) -> Option<&'p [u16]> {
    let (letter, rest) = path.split_first()?;
    let same = fold(*directory.get(4)?) == fold(*letter);
    same.then(|| below(rest, directory.get(6..)?))?
}

/// What follows the directory of `layer` in the layer path `path`, by whichever
/// of the directory's two names.
fn below_layer<'p>(path: &'p [u16], layer: &Layer) -> Option<&'p [u16]> {
    const UNIX: usize = "\\??\\unix".len();
    let by_unix = || match path.split_first()? {
        (&ROOT_DRIVE, rest) => {
            let rest = below(rest, state::page().unix_store.as_units().get(UNIX..)?)?;
            below(rest, in_store(layer)?)
        }
        _ => None,
    };
    below_nt(path, layer.files.as_units()).or_else(by_unix)
}

/// What follows the store's root in the name of the directory of `layer`.
pub(crate) fn in_store(layer: &Layer) -> Option<&[u16]> {
    below(layer.files.as_units(), state::page().store_files.as_units())
}

/// The path of the VM that the layer path `path` stands for when it lies in one
/// of the VM's layers. The root of a layer is none.
pub(crate) fn of_layer(path: &[u16]) -> Option<&[u16]> {
    state::page()
        .layers()
        .iter()
        .find_map(|layer| below_layer(path, layer))
        .and_then(|rest| rest.get(1..))
        .filter(|path| !path.is_empty())
}

/// The layer of the VM in which the file of the handle's real name `name` is,
/// and its path there; the host's number for any other file of a drive, or that
/// of a share with the path in the VM. `out` has room for the name and
/// [`shares::longer`].
pub(crate) fn locate<'n>(name: &[u16], out: &'n mut [u16]) -> Option<(usize, &'n [u16])> {
    let (letter, rest, slashes) = match file::classify(name, &[], volumes::letter) {
        Target::Drive(letter, rest) => (letter, rest, false),
        Target::Unix(rest) => (ROOT_DRIVE, rest, true),
        _ => return None,
    };
    let (length, _) = file::normalise(letter, rest, slashes, out).ok()?;
    let path = out.get(..length)?;
    if let Some((number, rest)) = shares::find(path) {
        let rest = length - rest.len()..length;
        let path = in_vm(number, rest, out)?;
        return Some((shares::layer(number), path));
    }
    let path = out.get(..length)?;
    let layers = state::page().layers();
    for (index, layer) in layers.iter().enumerate() {
        if let Some(rest) = below_layer(path, layer) {
            return rest
                .get(1..)
                .filter(|rest| !rest.is_empty())
                .map(|rest| (index, rest));
        }
    }
    Some((layers.len(), path))
}

/// Puts the folder's path in the VM before what `out` has at `rest`, which follows
/// the folder of the share `number`.
fn in_vm(number: usize, rest: core::ops::Range<usize>, out: &mut [u16]) -> Option<&[u16]> {
    let folder = shares::folder(number)?;
    let length = folder.len() + rest.len();
    if length > out.len() {
        return None;
    }
    out.copy_within(rest, folder.len());
    out.get_mut(..folder.len())?.copy_from_slice(folder);
    out.get(..length)
}

/// Runs `work` with the layer and the path in the VM of the file of `handle`;
/// `None` when it is no file of a drive.
pub(crate) fn with_located<R>(handle: HANDLE, work: impl FnOnce(usize, &[u16]) -> R) -> Option<R> {
    with_real(handle, |real| {
        scratch::with(real.len() + 2 + shares::longer(), |out| {
            let (layer, path) = locate(real, out)?;
            Some(work(layer, path))
        })
        .flatten()
    })
    .flatten()
}

/// Runs `work` with `path`, its last name in the case in which the file of
/// `handle`, which is there, has it.
pub(crate) fn with_own_case<R>(
    handle: HANDLE,
    path: &[u16],
    work: impl FnOnce(&[u16]) -> R,
) -> Result<R, NTSTATUS> {
    scratch::with(path.len(), |out| {
        let out = out.get_mut(..path.len())?;
        out.copy_from_slice(path);
        let (directory, last) = file::split_last(path);
        with_located(handle, |_, own| {
            let (_, own) = file::split_last(own);
            let place = out.get_mut(directory.len() + 1..)?;
            if raw::names_equal(own, last) {
                place.copy_from_slice(own);
            }
            Some(())
        });
        Some(work(out))
    })
    .flatten()
    .ok_or(STATUS_NAME_TOO_LONG)
}

/// Runs `work` with the kernel's name of `handle`; `None` when it has none. Most
/// names fit the stack; a long one waits for one of the process's blocks.
fn with_real<R>(handle: HANDLE, work: impl FnOnce(&[u16]) -> R) -> Option<R> {
    /// `OBJECT_NAME_INFORMATION` (ntobapi.h) with room for the name.
    #[repr(C)]
    struct Name {
        string: UNICODE_STRING,
        units: [u16; 512],
    }
    let mut name = core::mem::MaybeUninit::<Name>::uninit();
    let mut returned = 0;
    // SAFETY: a local of the given size.
    let status = unsafe {
        query_object::name(
            handle,
            name.as_mut_ptr().cast(),
            size_of::<Name>() as u32,
            &raw mut returned,
        )
    };
    if !success(status) {
        let long = returned as usize > size_of::<Name>();
        return long.then(|| query_object::with_real_name(handle, work))?;
    }
    // SAFETY: the kernel filled the structure's head, and so many bytes of the
    // units, which follow it.
    let units = unsafe {
        let string = (&raw const (*name.as_ptr()).string).read();
        let length = (usize::from(string.Length) / 2).min(512);
        core::slice::from_raw_parts((&raw const (*name.as_ptr()).units).cast::<u16>(), length)
    };
    (!units.is_empty()).then(|| work(units))
}

/// The name that the program knows for a file that the kernel calls `real`,
/// written to `out`; `None` when it is the same.
pub(crate) fn asked_name<'n>(real: &[u16], out: &'n mut [u16]) -> Option<&'n [u16]> {
    let by_letter = starts(real, "\\??\\").is_some();
    scratch::with(real.len() + 2 + shares::longer(), |buffer| {
        let (layer, path) = locate(real, buffer)?;
        if layer == state::page().layers().len() {
            return None;
        }
        let length = if by_letter {
            file::host(path, out).ok()?
        } else {
            of_device(path, out)?
        };
        Some(length)
    })?
    .and_then(|length| out.get(..length))
}

/// Writes the name of `path` by its volume's device, as Windows gives it.
fn of_device(path: &[u16], out: &mut [u16]) -> Option<usize> {
    let (&letter, rest) = path.split_first()?;
    let mut length = 0;
    for unit in "\\Device\\HarddiskVolume".encode_utf16() {
        *out.get_mut(length)? = unit;
        length += 1;
    }
    let number = volumes::volume(letter)?;
    let mut scale = 1_000_000_000;
    let mut begun = false;
    while scale > 0 {
        let digit = number / scale % 10;
        if begun || digit != 0 || scale == 1 {
            begun = true;
            *out.get_mut(length)? = u16::from(b'0') + digit as u16;
            length += 1;
        }
        scale /= 10;
    }
    let place = out.get_mut(length..length + rest.len())?;
    place.copy_from_slice(rest);
    Some(length + rest.len())
}
