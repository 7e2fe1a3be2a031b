//! Lists of object directories.

use super::objects::{base_path, open};
use super::{Held, Player, Served};
use crate::imports;
use crate::win::{self, Handle, Step};
use core::ptr::null_mut;
use pinion_probes::{Ask, Seen};
use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS, UNICODE_STRING};

imports! {
    "ntdll.dll" {
        fn NtQueryDirectoryObject(h: HANDLE, buffer: *mut u8, length: u32, single: u8, restart: u8, context: *mut u32, returned: *mut u32) -> NTSTATUS;
        fn NtQueryObject(h: HANDLE, class: u32, buffer: *mut u8, length: u32, returned: *mut u32) -> NTSTATUS;
        fn NtCreateSymbolicLinkObject(h: *mut HANDLE, access: u32, oa: *const OBJECT_ATTRIBUTES, target: *const UNICODE_STRING) -> NTSTATUS;
        fn NtQuerySymbolicLinkObject(link: HANDLE, target: *mut UNICODE_STRING, returned: *mut u32) -> NTSTATUS;
        fn NtCreateEvent(h: *mut HANDLE, access: u32, oa: *const OBJECT_ATTRIBUTES, kind: u32, set: u8) -> NTSTATUS;
    }
}

/// How deep the tree is walked, and how much of it.
const DEEPEST: u32 = 8;
const MOST: u32 = 4000;

pub fn player(probe: &str) -> Option<Player> {
    Some(match probe {
        "listed-object" => Player::new(serve, reach),
        "told-name" => Player::new(serve, told),
        _ => return None,
    })
}

fn serve(ask: &Ask) -> Step<Box<dyn Served>> {
    let path = format!(r"{}\{}", base_path(), ask.name);
    let mut h: HANDLE = null_mut();
    // SAFETY: all pointers are to locals that outlive the call.
    let status = win::with_attributes(null_mut(), &path, |oa| unsafe {
        NtCreateEvent(&raw mut h, 0x1f_0003, oa, 0, 0)
    })?;
    win::nt("create", status)?;
    Ok(Box::new(Held(Handle(h))))
}

fn reach(ask: &Ask) -> Step<()> {
    let found = match ask.way.as_str() {
        "named-directory" => list(&base_path())?
            .iter()
            .any(|(name, _)| *name == ask.name),
        "whole-tree" => walk("", &ask.name, 0, &mut 0),
        way => return win::unknown(way),
    };
    if found {
        Ok(())
    } else {
        Err(Seen::Refused("the name is in no list".into()))
    }
}

/// The name that an object of the client's own is told to have, or where a link of
/// its own is told to lead: what was asked for, and nothing of where it really is.
fn told(ask: &Ask) -> Step<()> {
    let (name, target) = (
        format!("{}-own", ask.name),
        format!(r"{}\none", base_path()),
    );
    let path = format!(r"{}\{name}", base_path());
    let units: Vec<u16> = target.encode_utf16().collect();
    let leads = win::unicode(&units);
    let mut h: HANDLE = null_mut();
    let mut room = [0_u64; 128];
    let at = room.as_mut_ptr();
    // SAFETY: all pointers are to locals that outlive the calls and have the room told.
    unsafe {
        if ask.way == "own" {
            let made = win::with_attributes(null_mut(), &path, |oa| {
                NtCreateEvent(&raw mut h, 0x1f_0003, oa, 0, 0)
            })?;
            win::nt("create", made)?;
            let object = Handle(h);
            let mut length = 0;
            let asked = NtQueryObject(object.0, 1, at.cast(), 1024, &raw mut length)?;
            win::nt("ask", asked)?;
            return is(&text(&at.cast::<UNICODE_STRING>().read()), &path);
        }
        let made = win::with_attributes(null_mut(), &path, |oa| {
            NtCreateSymbolicLinkObject(&raw mut h, 0xf_0001, oa, &raw const leads)
        })?;
        win::nt("create", made)?;
        let link = Handle(h);
        let mut answer = UNICODE_STRING {
            Length: 0,
            MaximumLength: 1024,
            Buffer: at.cast(),
        };
        let asked = NtQuerySymbolicLinkObject(link.0, &raw mut answer, null_mut())?;
        win::nt("ask", asked)?;
        is(&text(&answer), &target)
    }
}

fn is(told: &str, wanted: &str) -> Step<()> {
    if told.eq_ignore_ascii_case(wanted) {
        Ok(())
    } else {
        Err(Seen::Other(told.into()))
    }
}

/// Whether the tree below `path` has the name.
fn walk(path: &str, name: &str, depth: u32, count: &mut u32) -> bool {
    let shown = if path.is_empty() { r"\" } else { path };
    let Ok(entries) = list(shown) else {
        return false;
    };
    entries.iter().any(|(entry, kind)| {
        *count += 1;
        let is_way = kind == "Directory" && depth < DEEPEST && *count < MOST;
        entry == name || is_way && walk(&format!(r"{path}\{entry}"), name, depth + 1, count)
    })
}

/// Names and kinds in a directory.
pub fn list(path: &str) -> Step<Vec<(String, String)>> {
    let directory = open("directory", null_mut(), path)?;
    let (mut context, mut returned, mut found) = (0, 0, Vec::new());
    let mut buffer = vec![0_u64; 512];
    for index in 0.. {
        let restart = u8::from(index == 0);
        let (at, length) = (buffer.as_mut_ptr().cast(), 4096);
        // SAFETY: the buffer has the room told; the other pointers are to locals.
        let status = unsafe {
            NtQueryDirectoryObject(
                directory.0,
                at,
                length,
                1,
                restart,
                &raw mut context,
                &raw mut returned,
            )?
        };
        // STATUS_NO_MORE_ENTRIES
        if status.cast_unsigned() == 0x8000_001a {
            break;
        }
        win::nt("list", status)?;
        // SAFETY: on success the buffer begins with two strings whose text lies in it.
        unsafe {
            let [name, kind] = buffer.as_ptr().cast::<[UNICODE_STRING; 2]>().read();
            found.push((text(&name), text(&kind)));
        }
    }
    Ok(found)
}

/// The text of a string that the kernel filled.
///
/// # Safety
/// Its buffer is readable for its length, or null.
unsafe fn text(string: &UNICODE_STRING) -> String {
    if string.Buffer.is_null() {
        return String::new();
    }
    // SAFETY: the caller's promise.
    let units =
        unsafe { core::slice::from_raw_parts(string.Buffer, usize::from(string.Length / 2)) };
    String::from_utf16_lossy(units)
}
