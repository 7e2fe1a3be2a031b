//! What can be learnt of a window, and whether it is in lists.

use super::window::{PROPERTY, Window, fact};
use crate::imports;
use crate::win::{self, Step, last, unicode, wide, yes};
use core::ffi::c_void;
use core::ptr::null;
use pinion_probes::{Ask, Seen};
use windows_sys::Win32::Foundation::{RECT, UNICODE_STRING};

type Enumerated = unsafe extern "system" fn(Window, isize) -> i32;

imports! {
    "user32.dll" {
        fn FindWindowW(class: *const u16, title: *const u16) -> Window;
        fn FindWindowExW(parent: Window, after: Window, class: *const u16, title: *const u16) -> Window;
        fn EnumWindows(call: Enumerated, data: isize) -> i32;
        fn EnumThreadWindows(thread: u32, call: Enumerated, data: isize) -> i32;
        fn EnumDesktopWindows(desktop: Window, call: Enumerated, data: isize) -> i32;
        fn GetTopWindow(window: Window) -> Window;
        fn GetWindow(window: Window, command: u32) -> Window;
        fn WindowFromPoint(point: u64) -> Window;
        fn GetWindowTextW(window: Window, text: *mut u16, room: i32) -> i32;
        fn InternalGetWindowText(window: Window, text: *mut u16, room: i32) -> i32;
        fn GetClassNameW(window: Window, text: *mut u16, room: i32) -> i32;
        fn GetPropW(window: Window, name: *const u16) -> usize;
        fn GetWindowLongPtrW(window: Window, index: i32) -> isize;
        fn GetWindowRect(window: Window, rectangle: *mut RECT) -> i32;
        fn GetWindowThreadProcessId(window: Window, process: *mut u32) -> u32;
        fn IsWindow(window: Window) -> i32;
        fn GetMenuStringW(menu: Window, item: u32, text: *mut u16, room: i32, flags: u32) -> i32;
    }
    "win32u.dll" {
        fn NtUserFindWindowEx(parent: Window, after: Window, class: *const UNICODE_STRING, title: *const UNICODE_STRING, kind: u32) -> Window;
        fn NtUserBuildHwndList(desktop: *const c_void, parent: Window, children: u32, new: u32, thread: u32, room: u32, list: *mut Window, count: *mut u32) -> i32;
    }
}

/// The window looked for, and whether it was met.
struct Search {
    window: Window,
    met: bool,
}

unsafe extern "system" fn meet(window: Window, search: isize) -> i32 {
    // SAFETY: the search of the caller, which waits.
    let search = unsafe { &mut *(search as *mut Search) };
    search.met |= window == search.window;
    1
}

fn searched(window: Window, list: impl FnOnce(Enumerated, isize) -> Step<i32>) -> Step<()> {
    let mut search = Search { window, met: false };
    list(meet, &raw mut search as isize)?;
    same(search.met, "the window is in no list")
}

fn same(is: bool, otherwise: &str) -> Step<()> {
    if is {
        Ok(())
    } else {
        Err(Seen::Refused(otherwise.into()))
    }
}

fn text(room: &[u16], length: i32) -> String {
    let length = usize::try_from(length).unwrap_or(0);
    String::from_utf16_lossy(room.get(..length).unwrap_or(&[]))
}

pub fn reach(ask: &Ask) -> Step<()> {
    let (window, thread) = (fact(ask, "window"), fact(ask, "thread") as u32);
    let name = wide(&ask.name);
    let at = name.as_ptr();
    // SAFETY: the name ends in a zero; the lists' function is given its own search.
    unsafe {
        match ask.way.as_str() {
            "find" => same(FindWindowW(null(), at)? == window, "not found"),
            "find-ex" => same(FindWindowExW(0, 0, at, null())? == window, "not found"),
            "enumerate" => searched(window, |call, data| EnumWindows(call, data)),
            "enumerate-thread" => {
                searched(window, |call, data| EnumThreadWindows(thread, call, data))
            }
            "enumerate-desktop" => searched(window, |call, data| EnumDesktopWindows(0, call, data)),
            "top-and-next" => searched(window, walk),
            "native-find" => {
                let units = &name[..name.len() - 1];
                let (class, title) = (unicode(units), unicode(units));
                let found = NtUserFindWindowEx(0, 0, &raw const class, &raw const title, 0)?;
                same(found == window, "not found")
            }
            "native-list" => {
                let (mut list, mut count) = (vec![0; 4096], 0);
                let status = NtUserBuildHwndList(
                    null(),
                    0,
                    0,
                    1,
                    0,
                    4096,
                    list.as_mut_ptr(),
                    &raw mut count,
                )?;
                win::nt("list", status)?;
                same(list.contains(&window), "the window is in no list")
            }
            way => query(way, window, ask),
        }
    }
}

/// All windows in their order, by the next of each.
///
/// # Safety
/// `data` is what `call` takes.
fn walk(call: Enumerated, data: isize) -> Step<i32> {
    // SAFETY: no pointer is given; `call` with its own data.
    unsafe {
        let mut window = GetTopWindow(0)?;
        for _ in 0..4096 {
            if window == 0 {
                break;
            }
            call(window, data);
            window = GetWindow(window, 2)?;
        }
    }
    Ok(1)
}

fn query(way: &str, window: Window, ask: &Ask) -> Step<()> {
    let mut room = [0_u16; 64];
    let at = room.as_mut_ptr();
    let mut process = 0;
    let mut place = RECT::default();
    // SAFETY: buffers have the room told; all else is a local.
    unsafe {
        let length = match way {
            "text" => GetWindowTextW(window, at, 63)?,
            "internal-text" => InternalGetWindowText(window, at, 63)?,
            "class-name" => GetClassNameW(window, at, 63)?,
            "property" => {
                let property = wide(PROPERTY);
                return win::token(GetPropW(window, property.as_ptr())? as u32, ask.secret);
            }
            "user-data" => {
                return win::token(GetWindowLongPtrW(window, -21)? as u32, ask.secret);
            }
            "rectangle" => return yes("ask", GetWindowRect(window, &raw mut place)?),
            "process-of" => {
                GetWindowThreadProcessId(window, &raw mut process)?;
                return win::token(process, fact(ask, "process") as u32);
            }
            "is-window" => return same(IsWindow(window)? != 0, "there is no such window"),
            "at-point" => {
                let point = 150_u64 << 32 | 150;
                return same(WindowFromPoint(point)? == window, "another window is there");
            }
            way => return win::unknown(way),
        };
        match text(&room, length) {
            told if told == ask.name => Ok(()),
            told if told.is_empty() => Err(last("ask")),
            told => Err(Seen::Other(told)),
        }
    }
}

/// The text of a menu's item, by the menu's number.
pub fn menu(ask: &Ask) -> Step<()> {
    let mut room = [0_u16; 64];
    // SAFETY: the buffer has the room told. By position.
    let length = unsafe { GetMenuStringW(fact(ask, "menu"), 0, room.as_mut_ptr(), 63, 0x400)? };
    same(text(&room, length) == ask.name, "no such text")
}
