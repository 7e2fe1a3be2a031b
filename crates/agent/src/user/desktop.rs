//! Windows of a VM that shares the user's desktop: what tells of windows by a
//! class, a place or in order, what sends to all, and what listens to all, is
//! kept to the VM's members.
//!
//! These functions stand between [`super::guarded`], which has asked for what a
//! call names by its number, and the system call. A VM with a station of its own
//! never comes here: the kernel keeps its desktop apart.

use super::{guarded, kept, owners, set_last_error, titles};
use crate::calls::membership;
use crate::{decode, guard, hooks, state};
use core::ffi::c_void;
use core::ptr::null;
use pinion_nt::status::STATUS_SUCCESS;
use pinion_nt::{UNICODE_STRING, unicode_string};
use pinion_policy::shared_desktop::{self, Relative};

/// Whether this VM's windows are on the user's desktop.
#[inline]
pub(super) fn is_shared() -> bool {
    state::page().desktop != 0
}

macro_rules! inner {
    ($($name:ident($($argument:ident: $type:ty),* $(,)?) -> $result:ty => $target:ident;)*) => {
        /// The calls as they were before interception.
        #[allow(non_snake_case, dead_code, clippy::too_many_arguments)]
        mod kernel {
            use super::*;
            $(
                /// The system call itself.
                ///
                /// # Safety
                /// As the system call: pointers may be bad, the kernel checks.
                pub(super) unsafe fn $name($($argument: $type),*) -> $result {
                    type Call = unsafe extern "system" fn($($type),*) -> $result;
                    // SAFETY: `install` wrote there a copy of this call's stub,
                    // which takes these arguments.
                    let call: Call = unsafe {
                        core::mem::transmute(kept(const { guarded::index(stringify!($name)) }))
                    };
                    // SAFETY: the caller's promise.
                    unsafe { call($($argument),*) }
                }
            )*
        }

        /// What stands before the call of this number, if anything.
        pub(super) fn instead(index: usize) -> Option<u64> {
            $(
                if index == const { guarded::index(stringify!($name)) } {
                    let entry: unsafe extern "system" fn($($type),*) -> $result = $target;
                    return Some(entry as usize as u64);
                }
            )*
            None
        }
    };
}

inner! {
    NtUserFindWindowEx(parent: u64, after: u64, class: *const c_void, title: *const UNICODE_STRING, kind: u32) -> u64 => find;
    NtUserBuildHwndList(desktop: u64, window: u64, children: u32, modern: u32, thread: u32, room: u32, list: *mut u64, count: *mut u32) -> i32 => list;
    NtUserCallHwnd(window: u64, code: u32) -> u64 => of_window;
    NtUserCallHwndParam(window: u64, parameter: u64, code: u32) -> u64 => relative;
    NtUserGetForegroundWindow() -> u64 => foreground;
    NtUserWindowFromPoint(x: u64, y: u64) -> u64 => at_point;
    NtUserWindowFromPhysicalPoint(x: u64, y: u64) -> u64 => at_physical_point;
    NtUserChildWindowFromPointEx(parent: u64, x: u64, y: u64, flags: u32) -> u64 => child_at;
    NtUserRealChildWindowFromPoint(parent: u64, x: u64, y: u64) -> u64 => real_child_at;
    NtUserPostMessage(window: u64, message: u32, first: usize, second: isize) -> u32 => post;
    NtUserMessageCall(window: u64, message: u32, first: usize, second: isize, result: *mut c_void, kind: u32, ansi: u32) -> usize => send;
    NtUserInternalGetWindowText(window: u64, text: *mut u16, room: i32) -> i32 => text;
    NtUserSetShellWindowEx(window: u64, list: u64) -> u32 => shell;
    NtUserSetWindowsHookEx(module: u64, name: *const c_void, thread: u32, kind: i32, function: *const c_void, flags: u32) -> u64 => hook;
    NtUserSetWinEventHook(first: u32, last: u32, module: u64, name: *const c_void, function: *const c_void, process: u32, thread: u32, flags: u32) -> u64 => listen;
    NtUserSendInput(count: u32, inputs: *const c_void, size: i32) -> u32 => input;
    NtUserSetCursorPos(x: i32, y: i32) -> u32 => move_pointer;
    NtUserClipCursor(area: *const c_void) -> u32 => clip_pointer;
    NtUserGetAsyncKeyState(key: i32) -> u32 => key_state;
    NtUserRegisterHotKey(window: u64, id: i32, modifiers: u32, key: u32) -> u32 => hot_key;
    NtUserRegisterRawInputDevices(devices: *const Device, count: u32, size: u32) -> u32 => raw_input;
}

/// `RAWINPUTDEVICE` (winuser.h).
#[repr(C)]
#[derive(Clone, Copy)]
struct Device {
    usage: u32,
    flags: u32,
    window: u64,
}

/// Whether the call may ask for the window of the user's desktop itself, which is
/// the host's: it is the parent of all, and what is sent to it would reach the
/// host. `at` is the argument that names it, `code` tells those with a code.
pub(super) fn may_ask(call: &str, at: u8, window: u64, code: impl Fn(u8) -> u64) -> bool {
    is_shared()
        && owners::is_desktops(window)
        && shared_desktop::may_ask(call, at)
        && match call {
            "NtUserCallHwnd" => shared_desktop::reads_window(code(1) as u32),
            "NtUserCallHwndParam" => shared_desktop::reads(code(2) as u32, owners::is_wine_8()),
            _ => true,
        }
}

/// A window that a member may know of; else none.
fn member(window: u64) -> u64 {
    if owners::may_name(window) { window } else { 0 }
}

fn refuse() {
    set_last_error(shared_desktop::ERROR);
}

/// The first window of a member's that fits, in order, by its title with the VM's
/// mark or without.
unsafe extern "system" fn find(
    parent: u64,
    after: u64,
    class: *const c_void,
    title: *const UNICODE_STRING,
    kind: u32,
) -> u64 {
    let by = |title| {
        let mut window = after;
        loop {
            // SAFETY: the program's arguments but for the window to go on from, and
            // the title, which is the program's or a local.
            window = unsafe { kernel::NtUserFindWindowEx(parent, window, class, title, kind) };
            if window == 0 || owners::may_name(window) {
                return window;
            }
        }
    };
    let marked = decode::with_string(title, |title| {
        titles::with_marked(title, |marked| {
            unicode_string(marked).map_or(0, |marked| by(&raw const marked))
        })
    });
    match marked.flatten() {
        None | Some(0) => by(title),
        Some(window) => window,
    }
}

/// The members' windows of a list.
unsafe extern "system" fn list(
    desktop: u64,
    window: u64,
    children: u32,
    modern: u32,
    thread: u32,
    room: u32,
    list: *mut u64,
    count: *mut u32,
) -> i32 {
    // SAFETY: the program's own arguments.
    let status = unsafe {
        kernel::NtUserBuildHwndList(desktop, window, children, modern, thread, room, list, count)
    };
    if status != STATUS_SUCCESS {
        return status;
    }
    // SAFETY: the program's memory, under guard.
    let kept = unsafe { guard::read(count) }
        .and_then(|told| keep_members(list, told.min(room)))
        // SAFETY: as above.
        .and_then(|kept| unsafe { guard::write(count, kept) });
    kept.err().unwrap_or(status)
}

/// Moves the members' windows of a list of the program's together, and tells how
/// many they are. The room of the others is emptied.
///
/// # Errors
/// The status of memory that is none.
pub(super) fn keep_members<W: Copy + Default + Into<u64>>(
    list: *mut W,
    count: u32,
) -> Result<u32, i32> {
    let mut kept = 0;
    for at in 0..count as usize {
        // SAFETY: the program's memory, under guard.
        let window = unsafe { guard::read(list.wrapping_add(at)) }?;
        if owners::may_name(window.into()) {
            // SAFETY: as above.
            unsafe { guard::write(list.wrapping_add(kept), window) }?;
            kept += 1;
        }
    }
    for at in kept..count as usize {
        // SAFETY: as above.
        unsafe { guard::write(list.wrapping_add(at), W::default()) }?;
    }
    Ok(kept as u32)
}

/// Wine's windows next to a window, by a code of `NtUserCallHwndParam` that is
/// another in each version (ntuser.h of Wine 8.0 and 10.0).
unsafe extern "system" fn relative(window: u64, parameter: u64, code: u32) -> u64 {
    // `NtUserCallHwndParam_GetWindowRelative`.
    let relative = shared_desktop::relative_code(owners::is_wine_8());
    // SAFETY: the program's own arguments.
    let mut found = unsafe { kernel::NtUserCallHwndParam(window, parameter, code) };
    if code != relative || !hooks::is_wine() {
        return found;
    }
    let on = match shared_desktop::onward(parameter as u32) {
        Relative::No => return member(found),
        Relative::Next => shared_desktop::NEXT,
        Relative::Previous => shared_desktop::PREVIOUS,
    };
    while found != 0 && !owners::may_name(found) {
        // SAFETY: takes numbers.
        found = unsafe { kernel::NtUserCallHwndParam(found, u64::from(on), code) };
    }
    found
}

unsafe extern "system" fn foreground() -> u64 {
    // SAFETY: takes nothing.
    member(unsafe { kernel::NtUserGetForegroundWindow() })
}

unsafe extern "system" fn at_point(x: u64, y: u64) -> u64 {
    // SAFETY: takes numbers.
    member(unsafe { kernel::NtUserWindowFromPoint(x, y) })
}

unsafe extern "system" fn at_physical_point(x: u64, y: u64) -> u64 {
    // SAFETY: takes numbers.
    member(unsafe { kernel::NtUserWindowFromPhysicalPoint(x, y) })
}

unsafe extern "system" fn child_at(parent: u64, x: u64, y: u64, flags: u32) -> u64 {
    // SAFETY: takes numbers.
    member(unsafe { kernel::NtUserChildWindowFromPointEx(parent, x, y, flags) })
}

unsafe extern "system" fn real_child_at(parent: u64, x: u64, y: u64) -> u64 {
    // SAFETY: takes numbers.
    member(unsafe { kernel::NtUserRealChildWindowFromPoint(parent, x, y) })
}

/// Calls `visit` with each window of a member's that lies on the desktop itself.
fn each_top(mut visit: impl FnMut(u64)) {
    let mut window = 0;
    loop {
        // SAFETY: takes numbers, and names of nothing.
        window = unsafe { kernel::NtUserFindWindowEx(0, window, null(), null(), 0) };
        if window == 0 {
            return;
        }
        if owners::may_name(window) {
            visit(window);
        }
    }
}

/// A message to all goes to all of the VM's.
unsafe extern "system" fn post(window: u64, message: u32, first: usize, second: isize) -> u32 {
    if !shared_desktop::is_broadcast(window) {
        // SAFETY: the program's own arguments.
        return unsafe { kernel::NtUserPostMessage(window, message, first, second) };
    }
    each_top(|window| {
        // SAFETY: as above, but for the window.
        unsafe { kernel::NtUserPostMessage(window, message, first, second) };
    });
    1
}

/// As [`post`], for what is sent, by whatever of user32's functions.
unsafe extern "system" fn send(
    window: u64,
    message: u32,
    first: usize,
    second: isize,
    result: *mut c_void,
    kind: u32,
    ansi: u32,
) -> usize {
    if kind == titles::DEF_WINDOW_PROC {
        let call = |message, first, second| {
            // SAFETY: the program's own arguments, or a title in place of them.
            unsafe { kernel::NtUserMessageCall(window, message, first, second, result, kind, ansi) }
        };
        return match ansi {
            0 => titles::default::<u16>(window, message, first, second, &call),
            _ => titles::default::<u8>(window, message, first, second, &call),
        };
    }
    let call = |window| {
        // SAFETY: the program's own arguments, but for the window.
        unsafe { kernel::NtUserMessageCall(window, message, first, second, result, kind, ansi) }
    };
    if !shared_desktop::is_broadcast(window) {
        return call(window);
    }
    each_top(|window| {
        call(window);
    });
    1
}

/// A window's title, without the VM's mark.
unsafe extern "system" fn text(window: u64, text: *mut u16, room: i32) -> i32 {
    titles::internal(window, text, room, |text, room| told(window, text, room))
}

fn told(window: u64, text: *mut u16, room: i32) -> i32 {
    // SAFETY: the program's own arguments, or a local in place of the text.
    unsafe { kernel::NtUserInternalGetWindowText(window, text, room) }
}

/// What is asked of a window by Wine's codes: the length of its title, too.
unsafe extern "system" fn of_window(window: u64, code: u32) -> u64 {
    /// `NtUserCallHwnd_GetWindowTextLength` (ntuser.h of Wine 8.0 and 10.0).
    const TEXT_LENGTH: u32 = 12;
    if shared_desktop::is_shells(code) && hooks::is_wine() {
        refuse();
        return 0;
    }
    let length = (code == TEXT_LENGTH && hooks::is_wine())
        .then(|| titles::length(window, |text, room| told(window, text, room)))
        .flatten();
    // SAFETY: takes numbers.
    length.unwrap_or_else(|| unsafe { kernel::NtUserCallHwnd(window, code) })
}

/// The user's desktop has a shell: no member becomes it.
unsafe extern "system" fn shell(_window: u64, _list: u64) -> u32 {
    refuse();
    0
}

/// A hook of all threads would hear other programs.
unsafe extern "system" fn hook(
    module: u64,
    name: *const c_void,
    thread: u32,
    kind: i32,
    function: *const c_void,
    flags: u32,
) -> u64 {
    if thread == 0 {
        refuse();
        return 0;
    }
    // SAFETY: the program's own arguments.
    unsafe { kernel::NtUserSetWindowsHookEx(module, name, thread, kind, function, flags) }
}

/// What would listen to all programs listens to the caller's own process.
unsafe extern "system" fn listen(
    first: u32,
    last: u32,
    module: u64,
    name: *const c_void,
    function: *const c_void,
    process: u32,
    thread: u32,
    flags: u32,
) -> u64 {
    let process = match (process, thread) {
        (0, 0) => membership::own_process() as u32,
        _ => process,
    };
    // SAFETY: the program's own arguments, but for the process.
    unsafe {
        kernel::NtUserSetWinEventHook(first, last, module, name, function, process, thread, flags)
    }
}

/// Whether what the user types now is not for a window of a member's.
fn is_others_turn() -> bool {
    // SAFETY: takes nothing.
    let front = unsafe { kernel::NtUserGetForegroundWindow() };
    front == 0 || !owners::may_name(front)
}

/// The user's pointer is moved only by who is in front.
unsafe extern "system" fn move_pointer(x: i32, y: i32) -> u32 {
    if is_others_turn() {
        refuse();
        return 0;
    }
    // SAFETY: takes numbers.
    unsafe { kernel::NtUserSetCursorPos(x, y) }
}

unsafe extern "system" fn clip_pointer(area: *const c_void) -> u32 {
    if !area.is_null() && is_others_turn() {
        refuse();
        return 0;
    }
    // SAFETY: the program's own argument.
    unsafe { kernel::NtUserClipCursor(area) }
}

unsafe extern "system" fn input(count: u32, inputs: *const c_void, size: i32) -> u32 {
    if is_others_turn() {
        refuse();
        return 0;
    }
    // SAFETY: the program's own arguments.
    unsafe { kernel::NtUserSendInput(count, inputs, size) }
}

unsafe extern "system" fn key_state(key: i32) -> u32 {
    if is_others_turn() {
        return 0;
    }
    // SAFETY: takes a number.
    unsafe { kernel::NtUserGetAsyncKeyState(key) }
}

/// A hot key is taken from all programs of the desktop, whoever is in front: as if another had it.
unsafe extern "system" fn hot_key(_window: u64, _id: i32, _modifiers: u32, _key: u32) -> u32 {
    set_last_error(shared_desktop::HOT_KEY_TAKEN);
    0
}

/// Input that is not for the program's own windows is not heard.
unsafe extern "system" fn raw_input(devices: *const Device, count: u32, size: u32) -> u32 {
    let hears_others = |at| {
        // SAFETY: the program's memory, under guard; bad memory is the kernel's
        // affair.
        let device = unsafe { guard::read(devices.wrapping_add(at)) };
        device.is_ok_and(|device| shared_desktop::hears_others(device.flags))
    };
    let whole = size as usize == size_of::<Device>();
    if whole && (count > shared_desktop::DEVICES || (0..count as usize).any(hears_others)) {
        refuse();
        return 0;
    }
    // SAFETY: the program's own arguments.
    unsafe { kernel::NtUserRegisterRawInputDevices(devices, count, size) }
}
