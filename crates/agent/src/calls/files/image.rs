//! Programs of a VM's own layers and of shared folders: the file that a new process is made of, and
//! the name that it then has. The host's programs start under their own names.

use super::names::{self, Named};
use super::unix;
use super::view::{self, View};
use crate::hooks;
use crate::{guard, scratch};
use core::ffi::c_void;
use pinion_layers::{Lookup, lookup};
use pinion_nt::calls::{NtQueryInformationProcess, NtReadVirtualMemory, NtWriteVirtualMemory};
use pinion_nt::status::{
    STATUS_ACCESS_DENIED, STATUS_INVALID_IMAGE_NOT_MZ, STATUS_INVALID_PARAMETER,
    STATUS_NAME_TOO_LONG, STATUS_OBJECT_NAME_NOT_FOUND, success,
};
use pinion_nt::{HANDLE, NTSTATUS, UNICODE_STRING};

/// `PS_ATTRIBUTE_IMAGE_NAME` (phnt, ntpsapi.h).
const IMAGE_NAME: usize = 0x2_0005;
/// The most attributes that a list is copied with; phnt knows about thirty.
const ENTRIES: usize = 40;
/// `ImagePathName` in `RTL_USER_PROCESS_PARAMETERS` (phnt, ntrtl.h).
const IMAGE_PATH: usize = 0x60;
/// `ProcessParameters` in the PEB (phnt, ntpebteb.h).
const PARAMETERS: usize = 0x20;

/// `PS_ATTRIBUTE` (phnt, ntpsapi.h).
#[repr(C)]
#[derive(Clone, Copy)]
struct Entry {
    attribute: usize,
    size: usize,
    value: usize,
    returned: usize,
}

/// `PS_ATTRIBUTE_LIST` (phnt, ntpsapi.h): its length in bytes, the entries.
#[repr(C)]
#[derive(Clone, Copy)]
struct List {
    length: usize,
    entries: [Entry; ENTRIES],
}

impl List {
    /// The caller's list; `STATUS_INVALID_PARAMETER` for one that is longer, as
    /// NT answers to an attribute that comes twice.
    fn copy(from: *const c_void) -> Result<Self, NTSTATUS> {
        const NONE: Entry = Entry {
            attribute: 0,
            size: 0,
            value: 0,
            returned: 0,
        };
        let mut list = Self {
            length: 0,
            entries: [NONE; ENTRIES],
        };
        // SAFETY: plain data; a bad pointer is a return value.
        let length = unsafe { guard::read(from.cast::<usize>()) }?;
        if length > size_of::<Self>() {
            return Err(STATUS_INVALID_PARAMETER);
        }
        // SAFETY: the list has room for the length, which was just checked.
        unsafe { guard::copy((&raw mut list).cast(), from, length) }?;
        list.length = length;
        Ok(list)
    }

    fn images(&mut self) -> impl Iterator<Item = &mut Entry> {
        let count = self.length.saturating_sub(8) / size_of::<Entry>();
        let entries = self.entries.iter_mut().take(count);
        entries.filter(|entry| entry.attribute == IMAGE_NAME)
    }

    fn image(&mut self) -> Option<&mut Entry> {
        self.images().next()
    }
}

/// Runs `call` with the attribute list that starts the program which the given
/// one names in the VM's view; with the given one for a program of the host.
/// `call` gives the process that it made, which then has the name that the
/// caller gave.
pub(crate) fn with_program(
    list: *mut c_void,
    parameters: *mut c_void,
    call: &mut dyn FnMut(*mut c_void) -> (NTSTATUS, HANDLE),
) -> NTSTATUS {
    let mut own = match List::copy(list) {
        Ok(own) => own,
        Err(STATUS_INVALID_PARAMETER) => return STATUS_INVALID_PARAMETER,
        // The kernel answers for what cannot be read.
        Err(_) => return call(list).0,
    };
    // NT takes none twice; Wine takes the last.
    if own.images().count() > 1 {
        return STATUS_INVALID_PARAMETER;
    }
    let Some(entry) = own.image() else {
        return call(list).0;
    };
    let (size, text) = (entry.size & !1, entry.value);
    let mut name = [0; NAME];
    let Some(name) = name.get_mut(..size / 2) else {
        return STATUS_NAME_TOO_LONG;
    };
    // SAFETY: `name` has room; the source may be bad.
    if unsafe { guard::copy(name.as_mut_ptr().cast(), text as *const c_void, size) }.is_err() {
        return call(list).0;
    }
    let name = &*name;
    names::with_absolute(name, false, |named| match named {
        Named::Place(place) => match lookup(&mut View::new(place.path)) {
            Ok(Lookup::Found { layer, .. }) if layer != View::host() => {
                of_layer(layer, place.path, &mut own, parameters, call)
            }
            Ok(Lookup::NoName | Lookup::NoPath) => STATUS_OBJECT_NAME_NOT_FOUND,
            Ok(Lookup::Found { .. }) | Err(_) => named_so(name, &mut own, call).0,
        },
        Named::Shared(shared) => match shared.check_links(true) {
            Ok(()) => of_layer(
                shared.layer(),
                shared.place.path,
                &mut own,
                parameters,
                call,
            ),
            Err(status) => status,
        },
        Named::Refused(_) => STATUS_ACCESS_DENIED,
        Named::Passes | Named::Volume => STATUS_INVALID_IMAGE_NOT_MZ,
    })
}

/// Calls with `name` as the image's, when it is one.
fn named_so(
    name: &[u16],
    own: &mut List,
    call: &mut dyn FnMut(*mut c_void) -> (NTSTATUS, HANDLE),
) -> (NTSTATUS, HANDLE) {
    let _image = match unix::judge(name) {
        Ok(image) => image,
        Err(status) => return (status, core::ptr::null_mut()),
    };
    if let Some(entry) = own.image() {
        entry.size = size_of_val(name);
        entry.value = name.as_ptr() as usize;
    }
    call((&raw mut *own).cast())
}

/// The longest name of a program, in units.
const NAME: usize = 1024;

fn of_layer(
    layer: usize,
    path: &[u16],
    own: &mut List,
    parameters: *mut c_void,
    call: &mut dyn FnMut(*mut c_void) -> (NTSTATUS, HANDLE),
) -> NTSTATUS {
    let called = view::with_name(layer, path, &[], |real| {
        let Some(given) = loads_by_parameters()
            .then(|| Path::replace(parameters, real))
            .flatten()
        else {
            return named_so(real, own, call).0;
        };
        let (status, process) = named_so(real, own, call);
        given.put_back(parameters);
        if success(status) {
            given.give(process);
        }
        status
    });
    called.unwrap_or_else(|status| status)
}

/// Whether the new process loads its program by the path in its parameters, as
/// Wine 8 and Wine 10 do. On Windows the image's section is made here.
fn loads_by_parameters() -> bool {
    hooks::is_wine()
}

/// The path of the program as the caller gave it in the parameters.
struct Path(UNICODE_STRING);

impl Path {
    /// Puts the path of the NT name `real` into the parameters, and gives the
    /// one that was there.
    fn replace(parameters: *mut c_void, real: &[u16]) -> Option<Self> {
        let place = field(parameters);
        // SAFETY: plain data; a bad pointer is a return value.
        let given = unsafe { guard::read(place) }.ok()?;
        // The DOS path is the NT name without `\??\`.
        let own = pinion_nt::unicode_string(real.get(4..)?)?;
        // SAFETY: the caller's parameters, under guard.
        unsafe { guard::write(place, own) }.ok()?;
        Some(Self(given))
    }

    fn put_back(&self, parameters: *mut c_void) {
        // SAFETY: the caller's parameters, under guard. They could be written
        // a moment ago; if no more, they are of no more use to it either.
        let _ = unsafe { guard::write(field(parameters), self.0) };
    }

    /// Gives `process`, which does not run yet, the caller's path in its own
    /// parameters. The longer path of the layer's file is there, so it fits.
    fn give(&self, process: HANDLE) {
        let _ = scratch::with(usize::from(self.0.Length) / 2 + 1, |text| {
            let text = text.get_mut(..=usize::from(self.0.Length) / 2)?;
            let (units, end) = text.split_at_mut(usize::from(self.0.Length) / 2);
            let bytes = size_of_val(units);
            // SAFETY: `units` has room; the source may be bad.
            unsafe { guard::copy(units.as_mut_ptr().cast(), self.0.Buffer.cast(), bytes) }.ok()?;
            end.fill(0);
            let parameters: usize = read(process, peb(process)? + PARAMETERS)?;
            let place = parameters + IMAGE_PATH;
            let there: UNICODE_STRING = read(process, place)?;
            if there.Length < self.0.Length {
                return None;
            }
            let at = there.Buffer as usize;
            let at = if at < parameters { parameters + at } else { at };
            let string = UNICODE_STRING {
                Length: self.0.Length,
                ..there
            };
            write(process, at, text.as_ptr().cast(), bytes + 2)?;
            write(
                process,
                place,
                (&raw const string).cast(),
                size_of::<UNICODE_STRING>(),
            )
        });
    }
}

fn field(parameters: *mut c_void) -> *mut UNICODE_STRING {
    parameters.cast::<u8>().wrapping_add(IMAGE_PATH).cast()
}

/// The address of the PEB of `process` (`ProcessBasicInformation`).
fn peb(process: HANDLE) -> Option<usize> {
    let mut basic = [0_usize; 6];
    let size = size_of_val(&basic) as u32;
    // SAFETY: class 0 takes a structure of six words (winternl.h).
    let status = unsafe {
        NtQueryInformationProcess(
            process,
            0,
            basic.as_mut_ptr().cast(),
            size,
            core::ptr::null_mut(),
        )
    };
    success(status).then_some(basic[1])
}

fn read<T: Copy>(process: HANDLE, at: usize) -> Option<T> {
    let mut value = core::mem::MaybeUninit::<T>::uninit();
    let mut done = 0;
    // SAFETY: the target is a local of the right size.
    let status = unsafe {
        let target = value.as_mut_ptr().cast();
        NtReadVirtualMemory(
            process,
            at as *const c_void,
            target,
            size_of::<T>(),
            &raw mut done,
        )
    };
    // SAFETY: every byte was written; the callers use plain data only.
    (success(status) && done == size_of::<T>()).then(|| unsafe { value.assume_init() })
}

fn write(process: HANDLE, at: usize, from: *const c_void, size: usize) -> Option<()> {
    let mut done = 0;
    // SAFETY: the sources are locals of the given sizes.
    let status =
        unsafe { NtWriteVirtualMemory(process, at as *mut c_void, from, size, &raw mut done) };
    (success(status) && done == size).then_some(())
}
