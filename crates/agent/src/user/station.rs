//! The window station and the desktop that a member is on.
//!
//! Window stations lie in the VM's own object directory, so their names are the
//! VM's own as those of other objects are (`calls/objects.rs`). A member is put
//! on one before its first call of win32k goes on; what it was to start on
//! (`STARTUPINFO.lpDesktop`) is looked up there. The station that it may have
//! inherited from outside is left and closed.

use super::table::kernel;
use super::{desktop, guarded, kept, set_last_error};
use crate::calls::objects::{self, Intent};
use crate::calls::{membership, query_object};
use crate::hooks::{self, kept as nt};
use crate::{decode, entry, guard, modules, scratch, state};
use core::cell::Cell;
use core::ffi::c_void;
use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use pinion_names::units::{SEPARATOR, join};
use pinion_names::{object, station};
use pinion_nt::calls::{NtQueryDirectoryObject, NtYieldExecution, RtlNtStatusToDosError};
use pinion_nt::status::{STATUS_BUFFER_TOO_SMALL, STATUS_DLL_INIT_FAILED, success};
use pinion_nt::{
    HANDLE, NTSTATUS, OBJ_CASE_INSENSITIVE, OBJECT_ATTRIBUTES, UNICODE_STRING, object_attributes,
    unicode_string,
};

type Attributes = *const OBJECT_ATTRIBUTES;

/// `OBJ_OPENIF` (ntdef.h).
const OPEN_IF: u32 = 0x80;
/// All rights of an object directory (`DIRECTORY_ALL_ACCESS`, winnt.h) but those
/// of its owner.
const DIRECTORY_RIGHTS: u32 = 0xf;
/// `STANDARD_RIGHTS_REQUIRED | WINSTA_ALL_ACCESS` (winuser.h).
const STATION_RIGHTS: u32 = 0xf_037f;
/// `STANDARD_RIGHTS_REQUIRED | DESKTOP_ALL_ACCESS` (winuser.h, ntuser.h of Wine).
const DESKTOP_RIGHTS: u32 = 0xf_01ff;

const OUTSIDE: u8 = 0;
const ENTERING: u8 = 1;
const INSIDE: u8 = 2;
static STAGE: AtomicU8 = AtomicU8::new(OUTSIDE);

/// The desktop that threads of this process begin on when it is not the VM's:
/// the process inherited it from outside, and the kernel gives it to each.
static FOREIGN: AtomicUsize = AtomicUsize::new(0);
/// The VM's desktop that such threads are put on instead.
static DESKTOP: AtomicUsize = AtomicUsize::new(0);

/// Puts the process on a station of its VM, and a thread that began elsewhere.
#[inline]
pub(super) fn ensure() {
    if STAGE.load(Ordering::Acquire) != INSIDE {
        enter(|| desktop::is_shared().then_some(()).or_else(choose_desktop));
    }
    let (foreign, own) = (
        FOREIGN.load(Ordering::Relaxed),
        DESKTOP.load(Ordering::Relaxed),
    );
    if foreign != 0 && own != 0 && thread_desktop() == foreign {
        // SAFETY: takes a handle.
        if unsafe { kernel::NtUserSetThreadDesktop(own as HANDLE) } as i32 == 0 {
            entry::end(STATUS_DLL_INIT_FAILED);
        }
    }
}

/// Puts the process on a station of its VM, once, and on a desktop by `rest`. In a
/// VM that shares the user's desktop it goes there.
#[cold]
fn enter(rest: impl FnOnce() -> Option<()>) {
    let order = Ordering::Acquire;
    if STAGE
        .compare_exchange(OUTSIDE, ENTERING, order, order)
        .is_ok()
    {
        let entered = if desktop::is_shared() {
            join_user(rest)
        } else {
            choose_station().and_then(|()| rest())
        };
        if entered.is_none() {
            entry::end(STATUS_DLL_INIT_FAILED);
        }
        STAGE.store(INSIDE, Ordering::Release);
    }
    while STAGE.load(Ordering::Acquire) != INSIDE {
        // SAFETY: takes no argument and touches no memory.
        unsafe { NtYieldExecution() };
    }
}

/// Puts the calling thread, and those that the process starts, on the user's
/// desktop by `connect`, and the process on the VM's own station: what goes by the
/// station, such as the clipboard, is the VM's own, and windows are the desktop's.
///
/// The kernel lets a thread onto a desktop of the process's station only, and asks
/// no more of it once it is there.
fn join_user(connect: impl FnOnce() -> Option<()>) -> Option<()> {
    set_station(users_station()?)?;
    connect()?;
    if thread_desktop() == 0 {
        let mut units = [0; 64];
        make_desktop(ascii(station::DEFAULT.1, &mut units))?;
    }
    let mut units = [0; 64];
    set_station(make(ascii(station::DEFAULT.0, &mut units))?)
}

/// Makes `station` the process's.
fn set_station(station: HANDLE) -> Option<()> {
    // SAFETY: takes a handle.
    let set = unsafe { kernel::NtUserSetProcessWindowStation(station) };
    (set as i32 != 0).then_some(())
}

/// Opens the user's own window station.
fn users_station() -> Option<HANDLE> {
    with_stations(&[], |directory| {
        let mut units = [0; 64];
        scratch::with(512, |out| {
            let parts = [
                directory,
                &[SEPARATOR],
                ascii(station::DEFAULT.0, &mut units),
            ];
            let length = join(&parts, out).ok()?;
            let name = unicode_string(out.get(..length)?)?;
            let attributes =
                object_attributes(core::ptr::null_mut(), &raw const name, OBJ_CASE_INSENSITIVE);
            // SAFETY: the attributes are locals.
            let handle =
                unsafe { kernel::NtUserOpenWindowStation(&raw const attributes, STATION_RIGHTS) };
            (handle != 0).then_some(handle as HANDLE)
        })?
    })?
}

/// The station and the desktop that the process is to start on.
fn asked() -> (Option<&'static [u16]>, &'static [u16]) {
    let asked = modules::desktop_info();
    // SAFETY: the string is the process's own, and nobody changes it at its start.
    station::split(unsafe {
        core::slice::from_raw_parts(asked.Buffer, usize::from(asked.Length) / 2)
    })
}

/// Leaves a station that is not the VM's, or not the one that was asked for. The
/// desktop that the threads begin on is remembered when it is not the VM's.
fn choose_station() -> Option<()> {
    let (asked, _) = asked();
    // SAFETY: takes nothing.
    let before = unsafe { kernel::NtUserGetProcessWindowStation() } as HANDLE;
    let is_own = !before.is_null() && is_own(before);
    if is_own && asked.is_none() {
        return Some(());
    }
    let mut units = [0; 64];
    let default = ascii(station::DEFAULT.0, &mut units);
    let new = make(asked.unwrap_or(default))?;
    FOREIGN.store(thread_desktop(), Ordering::Relaxed);
    set_station(new)?;
    if !before.is_null() {
        // SAFETY: the process is on it no more.
        unsafe { nt::NtClose(before) };
    }
    Some(())
}

/// Makes or opens the desktop that was asked for, and puts the thread on it.
/// Wine 10 ends with a fault when a thread gets a desktop before
/// `NtUserInitializeClientPfnArrays`.
fn choose_desktop() -> Option<()> {
    let (_, asked) = asked();
    if asked.is_empty() && thread_desktop() != FOREIGN.load(Ordering::Relaxed) {
        return Some(());
    }
    let mut units = [0; 64];
    let default = ascii(station::DEFAULT.1, &mut units);
    let desktop = make_desktop(if asked.is_empty() { default } else { asked })?;
    DESKTOP.store(desktop, Ordering::Relaxed);
    Some(())
}

/// Makes or opens this desktop of the process's station, and puts the thread on it.
fn make_desktop(name: &[u16]) -> Option<usize> {
    let name = unicode_string(name)?;
    let attributes = object_attributes(
        core::ptr::null_mut(),
        &raw const name,
        OBJ_CASE_INSENSITIVE | OPEN_IF,
    );
    let none = core::ptr::null();
    // SAFETY: the attributes are locals; all else is left out.
    let desktop = unsafe {
        kernel::NtUserCreateDesktopEx(&raw const attributes, none, none, 0, DESKTOP_RIGHTS, 0)
    };
    // SAFETY: takes a handle.
    if desktop == 0 || unsafe { kernel::NtUserSetThreadDesktop(desktop as HANDLE) } as i32 == 0 {
        return None;
    }
    Some(desktop)
}

/// The calling thread's desktop.
fn thread_desktop() -> usize {
    type Get = unsafe extern "system" fn(u32) -> usize;
    // SAFETY: the kept stub takes a thread's id.
    let get: Get =
        unsafe { core::mem::transmute(kept(const { guarded::index("NtUserGetThreadDesktop") })) };
    // SAFETY: takes a number.
    unsafe { get(membership::own_thread() as u32) }
}

/// Whether a window station is the VM's.
fn is_own(handle: HANDLE) -> bool {
    let directory = state::page().object_directory.as_units();
    query_object::with_real_name(handle, |real| object::undo(directory, real).is_some())
        .unwrap_or(false)
}

/// Makes or opens the VM's window station of this name.
fn make(name: &[u16]) -> Option<HANDLE> {
    let directory = directory()?;
    let handle = placed(directory, name, Intent::Create, |root, name| {
        let name = unicode_string(name)?;
        let attributes = object_attributes(root, &raw const name, OBJ_CASE_INSENSITIVE | OPEN_IF);
        // SAFETY: the attributes are locals.
        let handle = unsafe {
            kernel::NtUserCreateWindowStation(&raw const attributes, STATION_RIGHTS, 0, 0, 0, 0, 0)
        };
        (handle != 0).then_some(handle as HANDLE)
    });
    // SAFETY: the handle is this call's own.
    unsafe { nt::NtClose(directory) };
    handle.ok()?
}

/// Runs `work` with the NT path of the session's directory of window stations
/// below `root`.
fn with_stations<R>(root: &[u16], work: impl FnOnce(&[u16]) -> R) -> Option<R> {
    let session = state::page().session;
    let digit = u16::try_from(session).ok().filter(|one| *one < 10)? + u16::from(b'0');
    let (mut sessions, mut tail) = ([0; 16], [0; 32]);
    let sessions = ascii("\\Sessions\\", &mut sessions);
    let tail = ascii("\\Windows\\WindowStations", &mut tail);
    scratch::with(512, |out| {
        let length = match session {
            0 => join(&[root, tail], out),
            _ => join(&[root, sessions, &[digit], tail], out),
        };
        Some(work(out.get(..length.ok()?)?))
    })?
}

/// Opens the VM's directory of window stations of its session.
fn directory() -> Option<HANDLE> {
    with_stations(state::page().object_directory.as_units(), |path| {
        let name = unicode_string(path)?;
        let attributes =
            object_attributes(core::ptr::null_mut(), &raw const name, OBJ_CASE_INSENSITIVE);
        let mut handle: HANDLE = core::ptr::null_mut();
        // SAFETY: all pointers are to locals.
        let status = unsafe {
            nt::NtOpenDirectoryObject(&raw mut handle, DIRECTORY_RIGHTS, &raw const attributes)
        };
        success(status).then_some(handle)
    })?
}

/// Runs `work` with the directory and the name that the window station `name`
/// of `root` has there: on Wine a directory of its name and one name for all.
///
/// # Errors
/// The kernel's status when there is no such directory, or none can be made.
fn placed<R>(
    root: HANDLE,
    name: &[u16],
    intent: Intent,
    work: impl FnOnce(HANDLE, &[u16]) -> R,
) -> Result<R, NTSTATUS> {
    if !hooks::is_wine() {
        return Ok(work(root, name));
    }
    let string = unicode_string(name).ok_or(objects::NO_ROOM)?;
    let attributes = object_attributes(root, &raw const string, OBJ_CASE_INSENSITIVE | OPEN_IF);
    let mut place: HANDLE = core::ptr::null_mut();
    // SAFETY: all pointers are to locals, and the name is copied.
    let status = unsafe {
        let (place, attributes) = (&raw mut place, &raw const attributes);
        match intent {
            Intent::Create => nt::NtCreateDirectoryObject(place, DIRECTORY_RIGHTS, attributes),
            Intent::Open => nt::NtOpenDirectoryObject(place, DIRECTORY_RIGHTS, attributes),
        }
    };
    if !success(status) {
        return Err(status);
    }
    let mut leaf = [0; 32];
    let result = work(place, ascii(station::WINE_LEAF, &mut leaf));
    // SAFETY: the handle is this call's own.
    unsafe { nt::NtClose(place) };
    Ok(result)
}

/// `text` in units; it must be ASCII and fit.
fn ascii<'u, const N: usize>(text: &str, units: &'u mut [u16; N]) -> &'u [u16] {
    for (unit, byte) in units.iter_mut().zip(text.bytes()) {
        *unit = u16::from(byte);
    }
    units.get(..text.len()).unwrap_or(&[])
}

/// Runs `call` with the attributes of the VM's window station, which on Wine lies
/// in a directory of its name.
fn with_station(
    attributes: Attributes,
    intent: Intent,
    call: impl Fn(Attributes) -> usize,
) -> usize {
    ensure();
    let relative = decode::with_attributes(attributes, |decoded| {
        let plain = !decoded.is_absolute()
            && !decoded.name.is_empty()
            && decoded.name.len() < 260
            && !decoded.name.contains(&SEPARATOR);
        plain.then(|| {
            placed(decoded.root(), decoded.name, intent, |root, name| {
                let Some(name) = unicode_string(name) else {
                    return 0;
                };
                let own = OBJECT_ATTRIBUTES {
                    RootDirectory: root,
                    ObjectName: &raw const name,
                    ..decoded.given
                };
                call(&raw const own)
            })
        })
    });
    match relative.flatten() {
        Some(Ok(handle)) => handle,
        Some(Err(status)) => refuse(status),
        None => with_private(attributes, intent, call),
    }
}

/// Sets the last error that `status` means, and gives the handle of a failure.
fn refuse(status: NTSTATUS) -> usize {
    // SAFETY: takes a number.
    set_last_error(unsafe { RtlNtStatusToDosError(status) });
    0
}

/// Runs `call` with the attributes that name the VM's own object.
fn with_private(
    attributes: Attributes,
    intent: Intent,
    call: impl Fn(Attributes) -> usize,
) -> usize {
    let handle = Cell::new(None);
    let status = objects::with_private(attributes, intent, |attributes| {
        handle.set(Some(call(attributes)));
        0
    });
    handle.get().unwrap_or_else(|| refuse(status))
}

/// As `NtUserInitializeClientPfnArrays`, user32's first call: the process is on
/// the VM's station before win32k looks for one by `STARTUPINFO.lpDesktop`.
pub(super) unsafe extern "system" fn connect(
    ansi: *const c_void,
    wide: *const c_void,
    workers: *const c_void,
    module: *const c_void,
) -> usize {
    let connect = || {
        let given = modules::hide_desktop_info();
        // SAFETY: the program's own arguments.
        let result =
            unsafe { kernel::NtUserInitializeClientPfnArrays(ansi, wide, workers, module) };
        modules::show_desktop_info(given);
        result
    };
    let is_first = STAGE.load(Ordering::Acquire) != INSIDE;
    if is_first && desktop::is_shared() {
        let mut result = 0;
        enter(|| {
            result = connect();
            Some(())
        });
        return result;
    }
    if is_first {
        enter(|| Some(()));
    }
    let result = connect();
    if is_first && choose_desktop().is_none() {
        entry::end(STATUS_DLL_INIT_FAILED);
    }
    result
}

/// As `NtUserCreateWindowStation`.
pub(super) unsafe extern "system" fn create(
    attributes: Attributes,
    access: u32,
    a: usize,
    b: usize,
    c: usize,
    d: usize,
    e: usize,
) -> usize {
    with_station(attributes, Intent::Create, |attributes| {
        // SAFETY: the program's arguments but for the name.
        unsafe { kernel::NtUserCreateWindowStation(attributes, access, a, b, c, d, e) }
    })
}

/// As `NtUserOpenWindowStation`.
pub(super) unsafe extern "system" fn open(attributes: Attributes, access: u32) -> usize {
    with_station(attributes, Intent::Open, |attributes| {
        // SAFETY: the program's arguments but for the name.
        unsafe { kernel::NtUserOpenWindowStation(attributes, access) }
    })
}

/// As `NtUserCreateDesktopEx`. A desktop's name is its station's affair.
pub(super) unsafe extern "system" fn create_desktop(
    attributes: Attributes,
    device: *const c_void,
    mode: *const c_void,
    flags: u32,
    access: u32,
    heap: u32,
) -> usize {
    ensure();
    with_desktop(attributes, |attributes| {
        // SAFETY: the program's arguments but for the name.
        unsafe { kernel::NtUserCreateDesktopEx(attributes, device, mode, flags, access, heap) }
    })
}

/// As `NtUserOpenDesktop`.
pub(super) unsafe extern "system" fn open_desktop(
    attributes: Attributes,
    flags: u32,
    access: u32,
) -> usize {
    ensure();
    with_desktop(attributes, |attributes| {
        // SAFETY: the program's arguments but for the name.
        unsafe { kernel::NtUserOpenDesktop(attributes, flags, access) }
    })
}

/// A name that begins with a backslash is one of the object manager's, and
/// becomes the VM's own.
fn with_desktop(attributes: Attributes, call: impl Fn(Attributes) -> usize) -> usize {
    let absolute = decode::with_attributes(attributes, |decoded| {
        decoded.is_absolute() && decoded.name.first() == Some(&SEPARATOR)
    });
    if absolute == Some(true) {
        with_private(attributes, Intent::Create, call)
    } else {
        call(attributes)
    }
}

/// As `NtUserOpenInputDesktop`.
pub(super) unsafe extern "system" fn open_input_desktop(
    flags: u32,
    inherit: u32,
    access: u32,
) -> usize {
    ensure();
    // SAFETY: takes numbers.
    unsafe { kernel::NtUserOpenInputDesktop(flags, inherit, access) }
}

/// As `NtUserGetProcessWindowStation`.
pub(super) unsafe extern "system" fn of_process() -> usize {
    ensure();
    // SAFETY: takes nothing.
    unsafe { kernel::NtUserGetProcessWindowStation() }
}

/// As `NtUserSetProcessWindowStation`.
pub(super) unsafe extern "system" fn set_process(station: HANDLE) -> usize {
    ensure();
    // SAFETY: takes a handle.
    unsafe { kernel::NtUserSetProcessWindowStation(station) }
}

/// As `NtUserSetThreadDesktop`.
pub(super) unsafe extern "system" fn set_thread(desktop: HANDLE) -> usize {
    ensure();
    // SAFETY: takes a handle.
    unsafe { kernel::NtUserSetThreadDesktop(desktop) }
}

/// As `NtUserCallNoParam`, by one code of which the desktop's window is made.
pub(super) unsafe extern "system" fn call_no_param(code: u32) -> usize {
    ensure();
    // SAFETY: takes a number.
    unsafe { kernel::NtUserCallNoParam(code) }
}

/// As `NtUserGetObjectInformation`: a station's name is what it was asked by.
pub(super) unsafe extern "system" fn query(
    handle: HANDLE,
    index: i32,
    information: *mut c_void,
    length: u32,
    needed: *mut u32,
) -> usize {
    /// `UOI_NAME` (winuser.h).
    const NAME: i32 = 2;
    ensure();
    let told = (index == NAME && hooks::is_wine())
        .then(|| {
            query_object::with_real_name(handle, |real| {
                let name = object::undo(state::page().object_directory.as_units(), real)?;
                let name = station::of_object(name, true)?;
                Some(tell(name, information, length, needed))
            })
        })
        .flatten()
        .flatten();
    told.unwrap_or_else(|| {
        // SAFETY: the program's own arguments.
        unsafe { kernel::NtUserGetObjectInformation(handle, index, information, length, needed) }
    })
}

/// Writes a name as `NtUserGetObjectInformation` does.
fn tell(name: &[u16], information: *mut c_void, length: u32, needed: *mut u32) -> usize {
    const ERROR_INSUFFICIENT_BUFFER: u32 = 122;
    const ERROR_NOACCESS: u32 = 998;
    let bytes = size_of_val(name);
    let fits = bytes + 2 <= length as usize;
    let written = (|| {
        // SAFETY: the program's pointers, under guard.
        unsafe {
            if !needed.is_null() {
                guard::write(needed, bytes as u32 + 2)?;
            }
            if fits {
                guard::copy(information, name.as_ptr().cast(), bytes)?;
                guard::write(information.wrapping_byte_add(bytes).cast::<u16>(), 0)?;
            }
        }
        Ok::<(), i32>(())
    })();
    match written {
        Ok(()) if fits => 1,
        Ok(()) => {
            set_last_error(ERROR_INSUFFICIENT_BUFFER);
            0
        }
        Err(_) => {
            set_last_error(ERROR_NOACCESS);
            0
        }
    }
}

/// As `NtUserBuildNameList`: the desktops of a station, or the VM's stations.
pub(super) unsafe extern "system" fn list(
    station: HANDLE,
    size: u32,
    list: *mut c_void,
    needed: *mut u32,
) -> usize {
    /// The bytes of a list before its names (`ntuser_name_list`, ntuser.h of
    /// Wine 10) and of the NUL after them.
    const HEADER: usize = 10;
    ensure();
    if !station.is_null() {
        // SAFETY: the program's own arguments.
        return unsafe { kernel::NtUserBuildNameList(station, size, list, needed) };
    }
    let answer = scratch::with(scratch::LARGE, |names| {
        let (mut units, mut count) = (0, 0_u32);
        each(|name| {
            let end = units + name.len();
            if let Some(place) = names.get_mut(units..=end) {
                if let Some((last, place)) = place.split_last_mut() {
                    place.copy_from_slice(name);
                    *last = 0;
                }
                (units, count) = (end + 1, count + 1);
            }
        });
        let total = HEADER + units * 2;
        // SAFETY: the program's pointers, under guard.
        let written = unsafe {
            (|| {
                guard::write(needed, total as u32)?;
                if total <= size as usize {
                    guard::write(list.cast::<[u32; 2]>(), [total as u32, count])?;
                    let place = list.wrapping_byte_add(8);
                    guard::copy(place, names.as_ptr().cast(), units * 2)?;
                    guard::write(place.wrapping_byte_add(units * 2).cast::<u16>(), 0)?;
                }
                Ok::<(), i32>(())
            })()
        };
        match written {
            Err(code) => code,
            Ok(()) if total <= size as usize => 0,
            Ok(()) => STATUS_BUFFER_TOO_SMALL,
        }
    });
    answer.unwrap_or(objects::NO_ROOM) as u32 as usize
}

/// Calls `visit` with the name of each window station of the VM.
pub(super) fn each(mut visit: impl FnMut(&[u16])) {
    let Some(directory) = directory() else {
        return;
    };
    let mut context = 0;
    loop {
        /// Two strings and the units of both.
        #[repr(align(8))]
        struct Entry([u16; 600]);
        let mut entry = Entry([0; 600]);
        // SAFETY: the buffer and the context are locals.
        let status = unsafe {
            let (place, size) = (entry.0.as_mut_ptr().cast(), size_of::<Entry>() as u32);
            NtQueryDirectoryObject(
                directory,
                place,
                size,
                1,
                0,
                &raw mut context,
                core::ptr::null_mut(),
            )
        };
        if !success(status) {
            break;
        }
        // SAFETY: the kernel wrote an entry, whose first part is the name's string.
        let name = unsafe { entry.0.as_ptr().cast::<UNICODE_STRING>().read() };
        // SAFETY: that string points into the buffer.
        visit(unsafe { core::slice::from_raw_parts(name.Buffer, usize::from(name.Length) / 2) });
    }
    // SAFETY: the handle is this call's own.
    unsafe { nt::NtClose(directory) };
}
