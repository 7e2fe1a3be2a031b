//! The window station and the desktop that a member is on.
//!
//! A member is put on a station of its VM ([`super::stations`]) before its first
//! call of win32k goes on; what it was to start on (`STARTUPINFO.lpDesktop`) is
//! looked up there. The station that it may have inherited from outside is left
//! and closed.

use super::stations::{self, OPEN_IF, STATION_RIGHTS, ascii};
use super::table::kernel;
use super::{desktop, guarded, kept};
use crate::calls::{membership, query_object};
use crate::hooks::kept as nt;
use crate::{entry, modules, scratch, state};
use core::ffi::c_void;
use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use pinion_names::units::{SEPARATOR, join};
use pinion_names::{object, station};
use pinion_nt::calls::NtYieldExecution;
use pinion_nt::status::STATUS_DLL_INIT_FAILED;
use pinion_nt::{HANDLE, OBJ_CASE_INSENSITIVE, object_attributes, unicode_string};

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
    set_station(stations::make(ascii(station::DEFAULT.0, &mut units))?)
}

/// Makes `station` the process's.
fn set_station(station: HANDLE) -> Option<()> {
    // SAFETY: takes a handle.
    let set = unsafe { kernel::NtUserSetProcessWindowStation(station) };
    (set as i32 != 0).then_some(())
}

/// Opens the user's own window station.
fn users_station() -> Option<HANDLE> {
    stations::with_stations(&[], |directory| {
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
    let new = stations::make(asked.unwrap_or(default))?;
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
