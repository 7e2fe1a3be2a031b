//! Global atoms, and what is named by them: registered messages, clipboard
//! formats, window properties.

use pinion_test_programs::{last_error, wide};
use serde_json::{Value, json};
use windows_sys::Win32::System::DataExchange::{
    GetClipboardFormatNameW, GlobalAddAtomW, GlobalDeleteAtom, GlobalFindAtomW, GlobalGetAtomNameW,
    RegisterClipboardFormatW,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    EnumPropsExW, GetDesktopWindow, GetPropW, RegisterWindowMessageW, RemovePropW, SetPropW,
};

fn text(units: &[u16]) -> String {
    String::from_utf16_lossy(units.split(|unit| *unit == 0).next().unwrap_or(&[]))
}

fn name_of(atom: u16) -> String {
    let mut name = [0; 300];
    // SAFETY: the place is a local.
    unsafe { GlobalGetAtomNameW(atom, name.as_mut_ptr(), name.len() as i32) };
    text(&name)
}

fn format_name_of(atom: u16) -> String {
    let mut name = [0; 300];
    // SAFETY: the place is a local.
    unsafe { GetClipboardFormatNameW(u32::from(atom), name.as_mut_ptr(), name.len() as i32) };
    text(&name)
}

extern "system" fn visit(
    _: *mut core::ffi::c_void,
    name: *const u16,
    _: *mut core::ffi::c_void,
    list: usize,
) -> i32 {
    // SAFETY: a string that ends with a zero (a number in place of one does not
    // occur here), and the address of the caller's list.
    unsafe {
        if name as usize >> 16 != 0 {
            let length = (0..).take_while(|at| *name.add(*at) != 0).count();
            let name = String::from_utf16_lossy(std::slice::from_raw_parts(name, length));
            (*(list as *mut Vec<String>)).push(name);
        }
    }
    1
}

/// `add NAME`, `find NAME`, `number ATOM`, `delete ATOM` or `all NAME`.
pub fn atoms(arguments: &[String]) -> Value {
    let [verb, value, ..] = arguments else {
        return Value::Null;
    };
    let name = wide(value);
    let number: u16 = value.parse().unwrap_or(0);
    // SAFETY: strings end with a zero.
    unsafe {
        match verb.as_str() {
            "add" => json!({ "atom": GlobalAddAtomW(name.as_ptr()), "error": last_error() }),
            "find" => json!({ "atom": GlobalFindAtomW(name.as_ptr()) }),
            "number" => json!({ "name": name_of(number), "format": format_name_of(number) }),
            "delete" => {
                GlobalDeleteAtom(number);
                json!({ "name": name_of(number) })
            }
            _ => all(&name),
        }
    }
}

/// Everything that is named by an atom, to be held against the same outside.
fn all(name: &[u16]) -> Value {
    let name = name.as_ptr();
    let number = wide("#1234");
    let longest = wide(&"l".repeat(250));
    let too_long = wide(&"t".repeat(256));
    // SAFETY: strings end with a zero; the list lives over the call.
    unsafe {
        let atom = GlobalAddAtomW(name);
        let window = GetDesktopWindow();
        let set = SetPropW(window, name, 7 as _) != 0;
        let mut props = Vec::<String>::new();
        EnumPropsExW(window, Some(visit), (&raw mut props) as isize);
        let by_name = GetPropW(window, name) as usize;
        let by_atom = GetPropW(window, usize::from(atom) as *const u16) as usize;
        let value = json!({
            "found": GlobalFindAtomW(name) == atom && atom >= 0xc000,
            "name": name_of(atom),
            "message": RegisterWindowMessageW(name) == u32::from(atom),
            "format": RegisterClipboardFormatW(name) == u32::from(atom),
            "format name": format_name_of(atom),
            "number": GlobalAddAtomW(number.as_ptr()),
            "number's name": name_of(1234),
            "longest": name_of(GlobalAddAtomW(longest.as_ptr())).len(),
            "too long": (GlobalAddAtomW(too_long.as_ptr()), last_error()),
            "set": set,
            "props": props.contains(&name_of(atom)),
            "by name": by_name,
            "by atom": by_atom,
            "removed": RemovePropW(window, name) as usize,
        });
        GlobalDeleteAtom(atom);
        value
    }
}
