//! What the name of an unknown system call gives away. Errs on the safe side: a
//! call that may take a name, or may be a newer form of a call that is treated,
//! is taken for one.

use crate::call::{Module, Reach};
use crate::find::find;

/// Why an unknown call may be a way out of a VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspicion {
    /// It looks like a form of this known call, which is no private matter of a
    /// process.
    FormOf(&'static str),
    /// Its name has this word, which goes with names.
    Word(&'static str),
}

impl core::fmt::Display for Suspicion {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::FormOf(known) => write!(f, "it looks like a form of {known}"),
            Self::Word(word) => write!(f, "calls with '{word}' in their name take names"),
        }
    }
}

/// Words of calls that take a name or find something system-wide.
const WORDS: &[&str] = &[
    "Open",
    "Create",
    "Connect",
    "Find",
    "Load",
    "load",
    "Name",
    "Link",
    "Register",
    "GetNext",
    "Enum",
    "Attach",
    "Share",
    "Duplicate",
    "ubscribe",
    "Publish",
    "Add",
    "Delete",
    "Remove",
    "Rename",
    "Replace",
    "Spawn",
    "spawn",
    "unix",
    "System",
    "Control",
    "Send",
    "Post",
    "Hook",
    "Path",
    "Lookup",
    "Attributes",
    "Remote",
    "Process",
    "Thread",
    "Virtual",
    "Allocate",
    "Atom",
    "Wnf",
    "Audit",
    "Map",
    "Driver",
    "Boot",
    "Patch",
    "PlugPlay",
    "Policy",
    "Key",
    "Port",
];

/// Words of calls of the graphics families, whose makers of things make them
/// for the process alone.
const GRAPHICS_WORDS: &[&str] = &[
    "Open",
    "Name",
    "Share",
    "Connect",
    "Process",
    "Remote",
    "Font",
    "Hook",
    "Send",
    "Post",
    "Capture",
    "Duplicate",
];

/// The graphics families of win32k.
const GRAPHICS: &[&str] = &[
    "NtGdi",
    "NtDComposition",
    "NtDxgk",
    "NtFlipObject",
    "NtTokenManager",
    "NtComposition",
];

/// What a newer form of a call has after the older one's name.
const ENDINGS: &[&str] = &["Ex", "Transacted", "ByName", "ByHandle", "Bulk", "W", "A"];

/// Why the call `name`, which the catalogue does not know, may be a way out;
/// `None` when nothing in its name says so.
#[must_use]
pub fn suspicion(module: Module, name: &str) -> Option<Suspicion> {
    if let Some(known) = form_of(name) {
        return Some(Suspicion::FormOf(known));
    }
    let graphics = module == Module::Win32u && GRAPHICS.iter().any(|f| name.starts_with(f));
    let words = if graphics { GRAPHICS_WORDS } else { WORDS };
    words
        .iter()
        .find(|word| name.contains(*word))
        .map(|word| Suspicion::Word(word))
}

/// The known call that `name` looks like a form of: the same name but for
/// endings. Only one that reaches beyond its process counts.
fn form_of(name: &str) -> Option<&'static str> {
    if let Some(rest) = name.strip_prefix("Zw") {
        return joined("Nt", rest);
    }
    let mut stem = name;
    while let Some(shorter) = shorter(stem) {
        stem = shorter;
        if let Some(call) = find(stem).filter(|call| call.group.reach != Reach::None) {
            return Some(call.name);
        }
    }
    ENDINGS.iter().find_map(|ending| joined(name, ending))
}

/// The name without one ending, or without its last digits.
fn shorter(name: &str) -> Option<&str> {
    let digits = name.trim_end_matches(|c: char| c.is_ascii_digit());
    if digits.len() < name.len() {
        return Some(digits);
    }
    ENDINGS.iter().find_map(|ending| name.strip_suffix(ending))
}

/// The known call whose name is `head` and `tail`, if it reaches beyond its
/// process.
fn joined(head: &str, tail: &str) -> Option<&'static str> {
    let mut room = [0_u8; 128];
    let whole = room.get_mut(..head.len().checked_add(tail.len())?)?;
    let (first, last) = whole.split_at_mut(head.len());
    first.copy_from_slice(head.as_bytes());
    last.copy_from_slice(tail.as_bytes());
    let call = find(core::str::from_utf8(whole).ok()?)?;
    (call.group.reach != Reach::None).then_some(call.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> Option<Suspicion> {
        suspicion(Module::Ntdll, name)
    }

    #[test]
    fn newer_forms_of_treated_calls_are_suspected() {
        for (name, known) in [
            ("NtCreateSectionEx2", "NtCreateSectionEx"),
            ("NtOpenMutantEx", "NtOpenMutant"),
            ("NtAlpcConnectPortEx3", "NtAlpcConnectPortEx"),
            ("NtReadVirtualMemoryEx2", "NtReadVirtualMemoryEx"),
            ("NtUnloadKey4", "NtUnloadKey"),
            ("NtOpenKeyTransacted2", "NtOpenKeyTransacted"),
            ("NtSetIoCompletionEx9", "NtSetIoCompletionEx"),
        ] {
            assert_eq!(of(name), Some(Suspicion::FormOf(known)), "{name}");
        }
    }

    #[test]
    fn an_older_form_and_the_other_prefix_are_suspected_too() {
        assert_eq!(of("ZwOpenFile"), Some(Suspicion::FormOf("NtOpenFile")));
        assert_eq!(
            of("NtPssCaptureVaSpace"),
            Some(Suspicion::FormOf("NtPssCaptureVaSpaceBulk"))
        );
    }

    #[test]
    fn words_that_go_with_names_are_suspected() {
        assert_eq!(of("NtOpenWormhole"), Some(Suspicion::Word("Open")));
        assert_eq!(
            suspicion(Module::Win32u, "NtGdiDdDDIOpenThingNtHandleFromName"),
            Some(Suspicion::Word("Open"))
        );
        assert_eq!(
            suspicion(Module::Win32u, "NtUserCreateWormhole"),
            Some(Suspicion::Word("Create"))
        );
    }

    #[test]
    fn what_gives_nothing_away_is_not() {
        assert_eq!(of("NtQueryGravity"), None);
        assert_eq!(of("NtYieldExecutionEx"), None);
        assert_eq!(suspicion(Module::Win32u, "NtGdiCreateEllipse3D"), None);
    }
}
