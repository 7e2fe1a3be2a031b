//! Every form of a name: creates, opens again, and asks for the name back. The
//! answers must be the same inside a VM as outside.

use super::win32::{self, ALREADY_EXISTS, Named};
use core::ptr::null_mut;
use pinion_test_programs::nt::{self, Kind};
use serde_json::{Value, json};
use windows_sys::Win32::System::RemoteDesktop::ProcessIdToSessionId;

/// One answer for each kind and form.
pub fn all() -> Value {
    let session = session();
    let mut answers = Vec::new();
    for kind in win32::KINDS {
        match kind {
            "pipe" => answers.extend(files(kind, "pipe", "\\Device\\NamedPipe")),
            "mailslot" => answers.extend(files(kind, "mailslot", "\\Device\\MailSlot")),
            _ => answers.extend(win32_forms(kind, session)),
        }
    }
    for kind in Kind::ALL {
        answers.extend(nt_forms(kind, session));
    }
    let wrong = answers
        .iter()
        .filter(|answer| answer["ok"] == false)
        .count();
    json!({"session": session, "forms": answers, "wrong": wrong})
}

fn session() -> u32 {
    let mut session = 0;
    // SAFETY: the pointer is to a local.
    unsafe { ProcessIdToSessionId(std::process::id(), &raw mut session) };
    session
}

fn win32_forms(kind: &str, session: u32) -> Vec<Value> {
    let own = format!("\\Sessions\\{session}\\BaseNamedObjects\\");
    let cases = [
        ("bare", String::new(), own.clone()),
        ("local", "Local\\".into(), own.clone()),
        ("global", "Global\\".into(), "\\BaseNamedObjects\\".into()),
        ("session", format!("Session\\{session}\\"), own),
    ];
    let mut answers: Vec<Value> = cases
        .iter()
        .map(|(form, before, root)| {
            let leaf = format!("pinion-form-{kind}-{form}");
            round(
                kind,
                form,
                &format!("{before}{leaf}"),
                &format!("{root}{leaf}"),
            )
        })
        .collect();
    answers.push(statuses(kind, "unicode", &format!("pinion-ä→{kind}")));
    answers.push(statuses(kind, "forward slash", &format!("pinion/{kind}")));
    answers.push(statuses(kind, "backslash", &format!("pinion\\{kind}")));
    answers.push(statuses(kind, "empty", ""));
    answers
}

/// Pipes and mailslots: files below a device.
fn files(kind: &str, device: &str, root: &str) -> Vec<Value> {
    let leaf = format!("pinion-form-{kind}");
    let slashed = format!("//./{device}/{leaf}-slash");
    let deep = format!("\\\\.\\{device}\\{leaf}\\deep\\er");
    vec![
        round(
            kind,
            "dos",
            &format!("\\\\.\\{device}\\{leaf}"),
            &format!("{root}\\{leaf}"),
        ),
        round(
            kind,
            "backslashes",
            &deep,
            &format!("{root}\\{leaf}\\deep\\er"),
        ),
        round(
            kind,
            "upper case",
            &format!("\\\\.\\{}\\{leaf}-U", device.to_uppercase()),
            &format!("{root}\\{leaf}-U"),
        ),
        statuses(kind, "forward slashes", &slashed),
        statuses(kind, "root only", &format!("\\\\.\\{device}\\")),
    ]
}

/// Creates `asked`, opens it again, and compares the name that comes back.
fn round(kind: &str, form: &str, asked: &str, expected: &str) -> Value {
    let made = win32::create(kind, asked);
    let again = win32::open(kind, asked);
    let name = queried(&made);
    let ok = made.error == 0 && again.error == 0 && name.eq_ignore_ascii_case(expected);
    json!({
        "kind": kind, "form": form, "asked": asked, "create": made.error, "open": again.error,
        "name": name, "expected": expected, "ok": ok,
    })
}

/// A form whose right answers depend on the system: told, not judged here.
fn statuses(kind: &str, form: &str, asked: &str) -> Value {
    let made = win32::create(kind, asked);
    let second = win32::create(kind, asked);
    let found = second.error == ALREADY_EXISTS;
    let again = win32::open(kind, asked);
    json!({
        "kind": kind, "form": form, "asked": asked, "create": made.error, "found": found,
        "open": again.error, "name": queried(&made),
    })
}

fn queried(named: &Named) -> String {
    match &named.handle {
        None => String::new(),
        Some(handle) => nt::name_of(handle).unwrap_or_else(nt::hex),
    }
}

fn nt_forms(kind: Kind, session: u32) -> Vec<Value> {
    let leaf = format!("pinion-nt-{}", kind.name());
    let own = format!("\\Sessions\\{session}\\BaseNamedObjects");
    let full = format!("{own}\\{leaf}");
    let global = format!("\\BaseNamedObjects\\{leaf}-global");
    let through_link = format!("{own}\\Global\\{leaf}-through");
    let through = format!("\\BaseNamedObjects\\{leaf}-through");
    let root: Vec<u16> = own.encode_utf16().collect();
    let (status, directory) = nt::open(Kind::Directory, null_mut(), &root);
    let mut answers = vec![
        nt_round(kind, "full path", None, &full, &full),
        nt_round(kind, "global path", None, &global, &global),
        nt_round(kind, "through Global", None, &through_link, &through),
        nt_round(
            kind,
            "upper case",
            None,
            &full.to_uppercase(),
            &full.to_uppercase(),
        ),
        nt_status(kind, "no backslash", None, &leaf),
        nt_status(kind, "empty", None, ""),
        nt_status(
            kind,
            "missing folder",
            None,
            &format!("{own}\\none\\{leaf}"),
        ),
        nt_status(kind, "long", None, &long(&format!("{full}-"), 32_700)),
        nt_status(kind, "longest", None, &long(&format!("{full}-"), 32_767)),
    ];
    match &directory {
        None => answers.push(json!({"kind": kind.name(), "form": "directory", "ok": false, "create": nt::hex(status)})),
        Some(directory) => {
            let relative = format!("{leaf}-relative");
            let expected = format!("{own}\\{relative}");
            answers.push(nt_round(kind, "relative", Some(directory), &relative, &expected));
            answers.push(nt_status(kind, "relative empty", Some(directory), ""));
            answers.push(nt_status(kind, "longest relative", Some(directory), &long(&leaf, 32_767)));
        }
    }
    answers
}

/// A name of `length` units; 32,767 are the most that a UNICODE_STRING holds.
fn long(begin: &str, length: usize) -> String {
    format!("{begin}{}", "x".repeat(length - begin.len()))
}

fn nt_round(
    kind: Kind,
    form: &str,
    root: Option<&nt::Handle>,
    asked: &str,
    expected: &str,
) -> Value {
    let units: Vec<u16> = asked.encode_utf16().collect();
    let root = root.map_or(null_mut(), |handle| handle.0);
    let (create, handle) = nt::create(kind, root, &units);
    let (open, _again) = nt::open(kind, root, &units);
    let name = handle.map(|handle| nt::name_of(&handle).unwrap_or_else(nt::hex));
    let name = name.unwrap_or_default();
    let ok = create == 0 && open == 0 && name.eq_ignore_ascii_case(expected);
    json!({
        "kind": kind.name(), "form": form, "asked": asked, "create": nt::hex(create),
        "open": nt::hex(open), "name": name, "expected": expected, "ok": ok,
    })
}

fn nt_status(kind: Kind, form: &str, root: Option<&nt::Handle>, asked: &str) -> Value {
    let units: Vec<u16> = asked.encode_utf16().collect();
    let root = root.map_or(null_mut(), |handle| handle.0);
    let (create, handle) = nt::create(kind, root, &units);
    let (open, _again) = nt::open(kind, root, &units);
    let name = handle.map(|handle| nt::name_of(&handle).unwrap_or_else(nt::hex));
    json!({
        "kind": kind.name(), "form": form, "length": units.len(), "create": nt::hex(create),
        "open": nt::hex(open), "name_length": name.map(|name| name.encode_utf16().count()),
    })
}
