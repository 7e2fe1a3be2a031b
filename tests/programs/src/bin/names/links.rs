//! Symbolic link objects with odd targets, directories that links lead to, and
//! names at the limits: the answers must be the same inside as outside.

use core::ptr::null_mut;
use pinion_test_programs::nt::{self, Handle, Kind, NtCreateSymbolicLinkObject, hex};
use serde_json::{Value, json};
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS, UNICODE_STRING};

const BASE: &str = "\\BaseNamedObjects\\pinion-link";
const ALL_ACCESS: u32 = 0xF_0001;

/// All answers.
pub fn all() -> Value {
    json!({
        "targets": targets(),
        "followed": followed(),
        "directories": directories(),
        "short": short(),
    })
}

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// A link with a target of `length` and `room` bytes at `buffer`.
fn link(name: &str, (length, room): (u16, u16), buffer: *mut u16) -> (NTSTATUS, Option<Handle>) {
    let target = UNICODE_STRING {
        Length: length,
        MaximumLength: room,
        Buffer: buffer,
    };
    let mut handle: HANDLE = null_mut();
    // SAFETY: the kernel checks the target; all else are locals.
    let status = nt::with_attributes(null_mut(), &units(name), |attributes| unsafe {
        NtCreateSymbolicLinkObject(&raw mut handle, ALL_ACCESS, attributes, &raw const target)
    });
    (status, (status >= 0).then_some(Handle(handle)))
}

fn targets() -> Vec<String> {
    let mut text = units("\\BaseNamedObjects");
    let bytes = (text.len() * 2) as u16;
    let at = text.as_mut_ptr();
    [
        link(BASE, (0, 0), null_mut()),
        link(BASE, (bytes, 0), at),
        link(BASE, (bytes, bytes), null_mut()),
        link(BASE, (0, bytes), at),
        link("", (bytes, bytes), at),
        link("\\", (bytes, bytes), at),
        link("\\BaseNamedObjects\\", (bytes, bytes), at),
        link("\\\\BaseNamedObjects", (bytes, bytes), at),
        link("BaseNamedObjects", (bytes, bytes), at),
    ]
    .map(|(status, _)| hex(status))
    .to_vec()
}

/// What is found through links: one that leads somewhere, one that does not
/// begin at the root, and an empty one.
fn followed() -> Vec<String> {
    ["\\BaseNamedObjects", "BaseNamedObjects", "", "->nowhere"]
        .iter()
        .flat_map(|target| {
            let mut text = units(target);
            text.push(0);
            let bytes = (text.len() * 2) as u16;
            let (made, _link) = link(BASE, (bytes - 2, bytes), text.as_mut_ptr());
            let through = |kind, below: &str| {
                let name = units(&format!("{BASE}\\{below}"));
                hex(nt::create(kind, null_mut(), &name).0)
            };
            let root = units(&format!("{BASE}\\BaseNamedObjects"));
            [
                hex(made),
                through(Kind::Mutant, "pinion-behind-a-link"),
                hex(nt::open(Kind::Directory, null_mut(), &root).0),
            ]
        })
        .collect()
}

/// Whether what was made by one name of a directory is there by the other.
fn directories() -> Vec<String> {
    let made = units("\\BaseNamedObjects\\Global\\pinion-both-ways");
    let (status, _held) = nt::create(Kind::Mutant, null_mut(), &made);
    ["", "Local\\", "Global\\", "Global\\Local\\"]
        .iter()
        .map(|between| {
            let name = units(&format!("\\BaseNamedObjects\\{between}pinion-both-ways"));
            hex(nt::open(Kind::Mutant, null_mut(), &name).0)
        })
        .chain([hex(status)])
        .collect()
}

/// The status and the length needed for an object's name without room for it.
fn short() -> Vec<Value> {
    let name = units("\\BaseNamedObjects\\pinion-short");
    let (_, made) = nt::create(Kind::Mutant, null_mut(), &name);
    let Some(made) = made else {
        return Vec::new();
    };
    [0, 16, 40, 78, 79, 80]
        .map(|room| {
            let (status, needed) = nt::name_with_room(&made, room);
            json!([room, hex(status), needed])
        })
        .to_vec()
}
