//! What all programs of a desktop share: atoms, the clipboard, stations and
//! desktops.

use super::window::{Window, fact};
use super::{Held, Player, Served, Told};
use crate::imports;
use crate::win::{self, Step, last, wide, yes};
use core::ffi::c_void;
use core::ptr::null;
use pinion_probes::{Ask, Facts, Seen};

type Named = unsafe extern "system" fn(*const u16, isize) -> i32;

imports! {
    "kernel32.dll" {
        fn GlobalAddAtomW(name: *const u16) -> u16;
        fn GlobalFindAtomW(name: *const u16) -> u16;
        fn GlobalGetAtomNameW(atom: u16, text: *mut u16, room: i32) -> u32;
        fn GlobalDeleteAtom(atom: u16) -> u16;
        fn GlobalAlloc(flags: u32, size: usize) -> *mut c_void;
        fn GlobalLock(memory: *mut c_void) -> *mut u16;
        fn GlobalUnlock(memory: *mut c_void) -> i32;
    }
    "ntdll.dll" {
        fn NtFindAtom(name: *const u16, bytes: u32, atom: *mut u16) -> i32;
    }
    "user32.dll" {
        fn RegisterWindowMessageW(name: *const u16) -> u32;
        fn RegisterClipboardFormatW(name: *const u16) -> u32;
        fn GetClipboardFormatNameW(format: u32, text: *mut u16, room: i32) -> i32;
        fn OpenClipboard(owner: Window) -> i32;
        fn EmptyClipboard() -> i32;
        fn CloseClipboard() -> i32;
        fn SetClipboardData(format: u32, data: *mut c_void) -> *mut c_void;
        fn GetClipboardData(format: u32) -> *mut c_void;
        fn EnumClipboardFormats(format: u32) -> u32;
        fn GetClipboardOwner() -> Window;
        fn GetWindowThreadProcessId(window: Window, process: *mut u32) -> u32;
        fn CreateWindowExW(extended: u32, class: *const u16, title: *const u16, style: u32, x: i32, y: i32, w: i32, h: i32, parent: Window, menu: Window, module: *const c_void, context: *const c_void) -> Window;
        fn DestroyWindow(window: Window) -> i32;
        fn CreateWindowStationW(name: *const u16, flags: u32, access: u32, security: *const c_void) -> Window;
        fn OpenWindowStationW(name: *const u16, inherit: i32, access: u32) -> Window;
        fn CloseWindowStation(station: Window) -> i32;
        fn EnumWindowStationsW(call: Named, data: isize) -> i32;
        fn CreateDesktopW(name: *const u16, device: *const u16, mode: *const c_void, flags: u32, access: u32, security: *const c_void) -> Window;
        fn OpenDesktopW(name: *const u16, flags: u32, inherit: i32, access: u32) -> Window;
        fn CloseDesktop(desktop: Window) -> i32;
        fn EnumDesktopsW(station: Window, call: Named, data: isize) -> i32;
        fn GetProcessWindowStation() -> Window;
    }
}

const GENERIC_ALL: u32 = 0x1000_0000;
const MAXIMUM_ALLOWED: u32 = 0x0200_0000;
const CF_UNICODETEXT: u32 = 13;

pub fn player(probe: &str) -> Option<Player> {
    Some(match probe {
        "atom" => Player::new(serve_atom, reach_atom),
        "clipboard" => Player::new(serve_clipboard, reach_clipboard),
        "station" => Player::new(serve_station, reach_station),
        _ => return None,
    })
}

fn same(is: bool, otherwise: &str) -> Step<()> {
    if is {
        Ok(())
    } else {
        Err(Seen::Refused(otherwise.into()))
    }
}

struct Atom(u16);

impl Drop for Atom {
    fn drop(&mut self) {
        // SAFETY: no pointer is given.
        let _ = unsafe { GlobalDeleteAtom(self.0) };
    }
}

fn serve_atom(ask: &Ask) -> Step<Box<dyn Served>> {
    let name = wide(&ask.name);
    // SAFETY: the name ends in a zero.
    let (atom, number) = unsafe {
        if ask.way == "registered-message" {
            (Atom(0), RegisterWindowMessageW(name.as_ptr())?)
        } else {
            let atom = GlobalAddAtomW(name.as_ptr())?;
            (Atom(atom), u32::from(atom))
        }
    };
    if number == 0 {
        return Err(last("the atom"));
    }
    let facts = Facts::from([("atom".into(), number.to_string())]);
    Ok(Box::new(Told(atom, facts)))
}

fn reach_atom(ask: &Ask) -> Step<()> {
    let name = wide(&ask.name);
    let (number, mut atom, mut room) = (fact(ask, "atom") as u32, 0, [0_u16; 64]);
    // SAFETY: the name ends in a zero; the buffer has the room told.
    let length = unsafe {
        match ask.way.as_str() {
            "find" => return same(GlobalFindAtomW(name.as_ptr())? != 0, "no such atom"),
            "native-find" => {
                let bytes = (ask.name.len() * 2) as u32;
                return win::nt("find", NtFindAtom(name.as_ptr(), bytes, &raw mut atom)?);
            }
            "value" => GlobalGetAtomNameW(number as u16, room.as_mut_ptr(), 63)?.cast_signed(),
            "registered-message" => GetClipboardFormatNameW(number, room.as_mut_ptr(), 63)?,
            way => return win::unknown(way),
        }
    };
    let told = String::from_utf16_lossy(room.get(..length as usize).unwrap_or(&[]));
    same(told == ask.name, "the number has another name or none")
}

/// Its owner, a window of no use but that.
struct Clip(Window);

impl Drop for Clip {
    fn drop(&mut self) {
        // SAFETY: only numbers are given.
        unsafe {
            let _ = OpenClipboard(self.0);
            let _ = EmptyClipboard();
            let _ = CloseClipboard();
            let _ = DestroyWindow(self.0);
        }
    }
}

/// Opens the clipboard, for which others may have to be waited.
fn open_clipboard(owner: Window) -> Step<()> {
    for _ in 0..20 {
        // SAFETY: only a number is given.
        if unsafe { OpenClipboard(owner)? } != 0 {
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    Err(last("open"))
}

fn serve_clipboard(ask: &Ask) -> Step<Box<dyn Served>> {
    let (class, name) = (wide("STATIC"), wide(&ask.name));
    // SAFETY: the names end in zeros; the memory has the room that is filled.
    let owner = unsafe {
        // A window for messages only.
        let owner = CreateWindowExW(
            0,
            class.as_ptr(),
            null(),
            0,
            0,
            0,
            0,
            0,
            -3,
            0,
            null(),
            null(),
        )?;
        open_clipboard(owner)?;
        yes("empty", EmptyClipboard()?)?;
        let format = match ask.way.as_str() {
            "format" => RegisterClipboardFormatW(name.as_ptr())?,
            _ => CF_UNICODETEXT,
        };
        let memory = GlobalAlloc(2, name.len() * 2)?;
        let at = GlobalLock(memory)?;
        at.copy_from_nonoverlapping(name.as_ptr(), name.len());
        let _ = GlobalUnlock(memory);
        let set = SetClipboardData(format, memory)?;
        let _ = CloseClipboard();
        if set.is_null() {
            return Err(last("set"));
        }
        owner
    };
    let facts = Facts::from([("process".into(), std::process::id().to_string())]);
    Ok(Box::new(Told(Clip(owner), facts)))
}

fn reach_clipboard(ask: &Ask) -> Step<()> {
    if ask.way == "owner" {
        let mut process = 0;
        // SAFETY: a number, and a local.
        unsafe { GetWindowThreadProcessId(GetClipboardOwner()?, &raw mut process)? };
        return win::token(process, fact(ask, "process") as u32);
    }
    open_clipboard(0)?;
    let found = if ask.way == "text" {
        text()
    } else {
        has_format(&ask.name)
    };
    // SAFETY: nothing is given.
    let _ = unsafe { CloseClipboard() };
    match ask.way.as_str() {
        "text" | "format" => same(found? == ask.name, "it is not there"),
        way => win::unknown(way),
    }
}

fn text() -> Step<String> {
    // SAFETY: the clipboard is open; its text ends in a zero.
    unsafe {
        let memory = GetClipboardData(CF_UNICODETEXT)?;
        if memory.is_null() {
            return Err(last("get"));
        }
        let at = GlobalLock(memory)?;
        let units: Vec<u16> = (0..63)
            .map(|i| *at.add(i))
            .take_while(|unit| *unit != 0)
            .collect();
        let _ = GlobalUnlock(memory);
        Ok(String::from_utf16_lossy(&units))
    }
}

/// The name, when the clipboard has a format of it.
fn has_format(name: &str) -> Step<String> {
    let (mut format, mut room) = (0, [0_u16; 64]);
    loop {
        // SAFETY: the clipboard is open; the buffer has the room told.
        let length = unsafe {
            format = EnumClipboardFormats(format)?;
            if format == 0 {
                return Ok(String::new());
            }
            GetClipboardFormatNameW(format, room.as_mut_ptr(), 63)?
        };
        if String::from_utf16_lossy(room.get(..length as usize).unwrap_or(&[])) == name {
            return Ok(name.into());
        }
    }
}

enum Desk {
    Station(Window),
    Desktop(Window),
}

impl Drop for Desk {
    fn drop(&mut self) {
        // SAFETY: handles of this value's own.
        let _ = unsafe {
            match self {
                Self::Station(it) => CloseWindowStation(*it),
                Self::Desktop(it) => CloseDesktop(*it),
            }
        };
    }
}

fn serve_station(ask: &Ask) -> Step<Box<dyn Served>> {
    let name = wide(&ask.name);
    // SAFETY: the name ends in a zero.
    let desk = unsafe {
        match ask.way.as_str() {
            "open-station" | "list-stations" => Desk::Station(CreateWindowStationW(
                name.as_ptr(),
                0,
                MAXIMUM_ALLOWED,
                null(),
            )?),
            _ => Desk::Desktop(CreateDesktopW(
                name.as_ptr(),
                null(),
                null(),
                0,
                GENERIC_ALL,
                null(),
            )?),
        }
    };
    match desk {
        Desk::Station(0) | Desk::Desktop(0) => Err(last("create")),
        desk => Ok(Box::new(Held(desk))),
    }
}

unsafe extern "system" fn named(name: *const u16, names: isize) -> i32 {
    // SAFETY: the caller's list, which waits; the name ends in a zero.
    unsafe {
        let units: Vec<u16> = (0..64)
            .map(|i| *name.add(i))
            .take_while(|unit| *unit != 0)
            .collect();
        (*(names as *mut Vec<String>)).push(String::from_utf16_lossy(&units));
    }
    1
}

fn reach_station(ask: &Ask) -> Step<()> {
    let name = wide(&ask.name);
    let mut names: Vec<String> = Vec::new();
    let list = &raw mut names as isize;
    // SAFETY: the name ends in a zero; the lists' function is given its own list.
    let desk = unsafe {
        match ask.way.as_str() {
            "open-station" => Desk::Station(OpenWindowStationW(name.as_ptr(), 0, 2)?),
            "open-desktop" => Desk::Desktop(OpenDesktopW(name.as_ptr(), 0, 0, 1)?),
            "list-stations" => {
                yes("list", EnumWindowStationsW(named, list)?)?;
                return same(names.contains(&ask.name), "the name is in no list");
            }
            "list-desktops" => {
                yes(
                    "list",
                    EnumDesktopsW(GetProcessWindowStation()?, named, list)?,
                )?;
                return same(names.contains(&ask.name), "the name is in no list");
            }
            way => return win::unknown(way),
        }
    };
    match desk {
        Desk::Station(0) | Desk::Desktop(0) => Err(last("open")),
        _ => Ok(()),
    }
}
