//! Named pipes and mailslots: their names carry the VM's prefix.

use super::first_instance;
use super::objects::{NO_ROOM, with_name};
use super::query_object;
use super::rules::{self, Decided};
use crate::hooks::{self, kept};
use crate::{decode, guard, scratch, state};
use core::ffi::c_void;
use pinion_names::pipe::{self, Kind, Name};
use pinion_names::units::SEPARATOR;
use pinion_nt::status::{
    STATUS_NOT_SUPPORTED, STATUS_OBJECT_NAME_INVALID, STATUS_OBJECT_PATH_INVALID,
    STATUS_PIPE_DISCONNECTED, success,
};
use pinion_nt::{HANDLE, IO_STATUS_BLOCK, NTSTATUS, OBJ_PERMANENT, OBJECT_ATTRIBUTES};
use pinion_policy::rules::{Action, Channel, peer, places};
use pinion_wire::tally::Tally;

/// `FSCTL_PIPE_WAIT` (ntioapi.h; the same on Wine 8 and 10).
const PIPE_WAIT: u32 = 0x0011_0018;

/// `FSCTL_SET_REPARSE_POINT` (winioctl.h). Refused as by a file system that has
/// none: a link made in the VM's layer could lead out of it.
const SET_REPARSE_POINT: u32 = 0x0009_00a4;

/// As `NtCreateNamedPipeFile`, under the VM's prefix.
#[allow(clippy::too_many_arguments)]
pub(crate) unsafe fn create_pipe(
    handle: *mut HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
    io: *mut IO_STATUS_BLOCK,
    share: u32,
    disposition: u32,
    options: u32,
    kind: u32,
    read_mode: u32,
    completion: u32,
    instances: u32,
    inbound: u32,
    outbound: u32,
    timeout: *const i64,
) -> NTSTATUS {
    let ignored = first_instance::is_ignored(disposition);
    with_private(attributes, Kind::Pipe, |attributes| {
        // SAFETY: the program's arguments but for the name and a right to ask.
        let call = |access| unsafe {
            kept::NtCreateNamedPipeFile(
                handle,
                access,
                attributes,
                io,
                share,
                disposition,
                options,
                kind,
                read_mode,
                completion,
                instances,
                inbound,
                outbound,
                timeout,
            )
        };
        if ignored {
            return first_instance::create(handle, access, call);
        }
        call(access)
    })
}

/// As `NtCreateMailslotFile`, under the VM's prefix.
#[allow(clippy::too_many_arguments)]
pub(crate) unsafe fn create_mailslot(
    handle: *mut HANDLE,
    access: u32,
    attributes: *const OBJECT_ATTRIBUTES,
    io: *mut IO_STATUS_BLOCK,
    options: u32,
    quota: u32,
    message: u32,
    timeout: *const i64,
) -> NTSTATUS {
    with_private(attributes, Kind::Mailslot, |attributes| {
        // SAFETY: the program's arguments but for the name.
        unsafe {
            kept::NtCreateMailslotFile(
                handle, access, attributes, io, options, quota, message, timeout,
            )
        }
    })
}

fn with_private(
    attributes: *const OBJECT_ATTRIBUTES,
    kind: Kind,
    call: impl Fn(*const OBJECT_ATTRIBUTES) -> NTSTATUS,
) -> NTSTATUS {
    decode::with_attributes(attributes, |decoded| {
        if decoded.name.is_empty() {
            return None;
        }
        // A file never stays without a handle, to NT.
        let decoded = &decode::Attributes {
            given: OBJECT_ATTRIBUTES {
                Attributes: decoded.given.Attributes & !OBJ_PERMANENT,
                ..decoded.given
            },
            name: decoded.name,
        };
        if decoded.is_absolute() {
            let computer = state::page().computer_name.as_units();
            let name = pipe::classify(decoded.name, computer)?;
            return Some(with_mapped(decoded, name, Action::Make, &call));
        }
        if kind == Kind::Pipe
            && decoded.name.contains(&SEPARATOR)
            && root_of(decoded.root(), kind) == Some(Root::Device)
        {
            return Some(STATUS_OBJECT_NAME_INVALID);
        }
        relative(decoded, kind, Action::Make, &call)
    })
    .flatten()
    .unwrap_or_else(|| call(attributes))
}

/// What a handle is of to which a pipe's or a mailslot's name may be relative.
#[derive(PartialEq, Eq)]
enum Root {
    /// The device. A pipe with a directory in its name is not made below it
    /// (Wine's own tests, which pass on Windows).
    Device,
    /// The root directory of its file system.
    Directory,
}

fn root_of(handle: HANDLE, kind: Kind) -> Option<Root> {
    query_object::with_real_name(handle, |real| {
        let name = pipe::classify(real, &[]).filter(|name| name.kind == kind)?;
        match name.rest {
            [] => Some(Root::Device),
            [SEPARATOR] => Some(Root::Directory),
            _ => None,
        }
    })?
}

/// A name relative to the root directory of the pipe or mailslot file system.
/// `None` when the root handle is of something else.
pub(crate) fn relative(
    decoded: &decode::Attributes<'_>,
    kind: Kind,
    action: Action,
    call: &impl Fn(*const OBJECT_ATTRIBUTES) -> NTSTATUS,
) -> Option<NTSTATUS> {
    root_of(decoded.root(), kind)?;
    scratch::with(decoded.name.len() + 1, |rest| {
        let rest = rest.get_mut(..=decoded.name.len())?;
        let (first, own) = rest.split_at_mut(1);
        first.copy_from_slice(&[SEPARATOR]);
        own.copy_from_slice(decoded.name);
        let absolute = decode::Attributes {
            given: OBJECT_ATTRIBUTES {
                RootDirectory: core::ptr::null_mut(),
                ..decoded.given
            },
            name: decoded.name,
        };
        Some(with_mapped(&absolute, Name { kind, rest }, action, call))
    })?
}

/// Runs `call` with the VM's own name for `name`, or as a rule of its policy says.
pub(crate) fn with_mapped(
    decoded: &decode::Attributes<'_>,
    name: Name<'_>,
    action: Action,
    call: &impl Fn(*const OBJECT_ATTRIBUTES) -> NTSTATUS,
) -> NTSTATUS {
    let prefix = match prefix(name, action) {
        Ok(prefix) => prefix,
        Err(status) => return status,
    };
    let prefix = prefix.as_units();
    let room = prefix.len() + name.rest.len() + 24;
    scratch::with(room, |out| match pipe::map(prefix, name, out) {
        Ok(length) => {
            Tally::count(&state::tally().names_private);
            with_name(&decoded.given, out.get(..length).unwrap_or(&[]), call)
        }
        Err(pinion_names::TooLong) => NO_ROOM,
    })
    .unwrap_or(NO_ROOM)
}

/// What goes before a name on its device.
enum Prefix {
    /// The VM's own.
    Own,
    /// Nothing: the name is the host's.
    None,
    /// Another VM's.
    Peer([u16; peer::PREFIX]),
}

impl Prefix {
    fn as_units(&self) -> &[u16] {
        match self {
            Self::Own => state::page().pipe_prefix.as_units(),
            Self::None => &[],
            Self::Peer(units) => units,
        }
    }
}

/// What goes before `name`: the VM's prefix, or what a rule says. The status where
/// one refuses it.
fn prefix(name: Name<'_>, action: Action) -> Result<Prefix, NTSTATUS> {
    let channel = match name.kind {
        Kind::Pipe => Channel::Pipes,
        Kind::Mailslot => Channel::Mailslots,
    };
    let name = name.rest.split_first().map_or(&[][..], |(_, name)| name);
    prefix_of(channel, action, name)
}

/// The same of a name without the separator before it.
fn prefix_of(channel: Channel, action: Action, name: &[u16]) -> Result<Prefix, NTSTATUS> {
    if name.is_empty() || !rules::concern(channel) {
        return Ok(Prefix::Own);
    }
    match rules::decide(channel, action, places::ANY, name) {
        Decided::Default | Decided::Own => Ok(Prefix::Own),
        Decided::Host => Ok(Prefix::None),
        Decided::Peer(id) => Ok(Prefix::Peer(peer::pipe_prefix(id))),
        Decided::Refused(status) => Err(status),
    }
}

/// Runs `work` with the name on its device (`\x`) that the program knows for an
/// open pipe or mailslot of the VM; `None` for any other file.
pub(crate) fn with_asked_name<R>(file: HANDLE, work: impl FnOnce(&[u16]) -> R) -> Option<R> {
    const NAME: u32 = 9;
    /// `FILE_NAME_INFORMATION` (wdm.h): the length in bytes, then the name.
    const HEAD: usize = 2;
    scratch::with(scratch::LARGE, |buffer| {
        // SAFETY: plain data, all zeroes are valid.
        let mut io: IO_STATUS_BLOCK = unsafe { core::mem::zeroed() };
        // SAFETY: the agent's own buffer, of the given size, page-aligned.
        let status = unsafe {
            let size = (scratch::LARGE * 2) as u32;
            kept::NtQueryInformationFile(file, &raw mut io, buffer.as_mut_ptr().cast(), size, NAME)
        };
        if !success(status) {
            return None;
        }
        let units = usize::from(*buffer.first()?) / 2;
        let real = buffer.get(HEAD..HEAD + units)?;
        let prefix = state::page().pipe_prefix.as_units();
        pipe::undo(prefix, real)?;
        // The backslash that ends the prefix begins the name.
        real.get(prefix.len()..).map(work)
    })?
}

/// Whether Wine's server may be asked for the name of an end of a pipe: it tells
/// of one that is disconnected in these classes, and has no way to tell when it
/// is asked for the object's name. The status for the program otherwise.
pub(crate) fn may_be_named(end: HANDLE) -> Result<(), NTSTATUS> {
    /// `FileNameInformation`, `FilePipeLocalInformation` (wdm.h).
    const NAME: u32 = 9;
    const LOCAL: u32 = 24;
    let ask = |class| {
        // FILE_PIPE_LOCAL_INFORMATION has ten words.
        let mut words = [0_u32; 10];
        // SAFETY: plain data, all zeroes are valid.
        let mut io: IO_STATUS_BLOCK = unsafe { core::mem::zeroed() };
        // SAFETY: both are locals, of the given size.
        unsafe {
            let size = size_of_val(&words) as u32;
            let words = words.as_mut_ptr().cast();
            kept::NtQueryInformationFile(end, &raw mut io, words, size, class)
        }
    };
    if ask(NAME) != STATUS_PIPE_DISCONNECTED {
        return Ok(());
    }
    // The same is said of a pipe without a name.
    match ask(LOCAL) {
        status if success(status) => Ok(()),
        STATUS_PIPE_DISCONNECTED => Err(STATUS_PIPE_DISCONNECTED),
        // What Wine answers for one without a name.
        _ => Err(STATUS_OBJECT_PATH_INVALID),
    }
}

/// As `NtFsControlFile`: `FSCTL_PIPE_WAIT` carries a pipe's name.
#[allow(clippy::too_many_arguments)]
pub(crate) unsafe fn control(
    file: HANDLE,
    event: HANDLE,
    apc: *const c_void,
    context: *const c_void,
    io: *mut IO_STATUS_BLOCK,
    code: u32,
    input: *const c_void,
    input_size: u32,
    output: *mut c_void,
    output_size: u32,
) -> NTSTATUS {
    let call = |input: *const c_void, size: u32| {
        // SAFETY: the program's arguments but for the input.
        unsafe {
            kept::NtFsControlFile(
                file,
                event,
                apc,
                context,
                io,
                code,
                input,
                size,
                output,
                output_size,
            )
        }
    };
    if code == SET_REPARSE_POINT {
        return no_reparse_points();
    }
    if code != PIPE_WAIT {
        return call(input, input_size);
    }
    with_wait_buffer(input, input_size, call).unwrap_or_else(|| call(input, input_size))
}

/// What a file system without reparse points answers: on Wine its own do
/// (observed on Wine 8 and Wine 10).
fn no_reparse_points() -> NTSTATUS {
    /// `STATUS_INVALID_DEVICE_REQUEST` (ntstatus.h).
    const INVALID_DEVICE_REQUEST: NTSTATUS = 0xC000_0010_u32 as i32;
    if hooks::is_wine() {
        STATUS_NOT_SUPPORTED
    } else {
        INVALID_DEVICE_REQUEST
    }
}

/// `FILE_PIPE_WAIT_FOR_BUFFER` (ntioapi.h): timeout 8 bytes, length of the name
/// in bytes 4, timeout specified 1, padding 1, then the name.
fn with_wait_buffer(
    input: *const c_void,
    size: u32,
    call: impl FnOnce(*const c_void, u32) -> NTSTATUS,
) -> Option<NTSTATUS> {
    const HEAD: usize = 14;
    /// Room for any prefix.
    const ROOM: usize = 64;
    // SAFETY: plain data; a bad pointer is a return value.
    let length = unsafe { guard::read(input.cast::<u8>().wrapping_add(8).cast::<u32>()) }.ok()?;
    let units = length as usize / 2;
    if HEAD + units * 2 > size as usize {
        return None;
    }
    scratch::with(HEAD / 2 + ROOM + units, |buffer| {
        let (head, rest) = buffer.split_at_mut(HEAD / 2);
        let (front, name) = rest.split_at_mut_checked(ROOM)?;
        let name = name.get_mut(..units)?;
        let source = input.cast::<u8>();
        // SAFETY: both targets are the agent's and of the given sizes; the
        // source may be bad.
        unsafe {
            guard::copy(head.as_mut_ptr().cast(), source.cast(), HEAD).ok()?;
            let text = source.wrapping_add(HEAD).cast();
            guard::copy(name.as_mut_ptr().cast(), text, units * 2).ok()?;
        }
        let prefix = match prefix_of(Channel::Pipes, Action::Open, name) {
            Ok(prefix) => prefix,
            Err(status) => return Some(status),
        };
        let prefix = prefix.as_units();
        front.get_mut(..prefix.len())?.copy_from_slice(prefix);
        rest.copy_within(ROOM..ROOM + units, prefix.len());
        let bytes = u32::try_from((prefix.len() + units) * 2).ok()?;
        let (low, high) = (bytes as u16, (bytes >> 16) as u16);
        head.get_mut(4..6)?.copy_from_slice(&[low, high]);
        Some(call(buffer.as_ptr().cast(), HEAD as u32 + bytes))
    })?
}
