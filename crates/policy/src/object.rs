//! Objects of the object manager that members open on the host, none of which
//! they can create there.

use pinion_names::units::{equals, starts};

/// How a line of the pass list names objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// Exactly this name, ignoring ASCII case.
    Exact(&'static str),
    /// Names that begin so, with no further backslash.
    Leaf(&'static str),
}

/// One line of the pass list.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    /// Which names.
    pub pattern: Pattern,
    /// Why it cannot be private.
    pub reason: &'static str,
}

/// The objects that may be opened on the host.
pub const LINES: &[Line] = &[
    Line {
        pattern: Pattern::Exact("\\KnownDlls"),
        reason: "the loader's known sections: read-only code of the system's own DLLs",
    },
    Line {
        pattern: Pattern::Leaf("\\KnownDlls\\"),
        reason: "the loader's known sections: read-only code of the system's own DLLs",
    },
    Line {
        pattern: Pattern::Leaf("\\NLS\\"),
        reason: "code page and sorting tables: read-only data of the system",
    },
    Line {
        pattern: Pattern::Exact("\\KernelObjects\\__wine_user_shared_data"),
        reason: "Wine's page of time and system figures, mapped read-only by every process",
    },
    Line {
        pattern: Pattern::Exact("\\KernelObjects\\__wineboot_event"),
        reason: "Wine's sign that the prefix is up: a member waits for it and cannot set it",
    },
    Line {
        pattern: Pattern::Exact("\\KernelObjects\\LowMemoryCondition"),
        reason: "the kernel's own event of the machine's memory, waited for only",
    },
    Line {
        pattern: Pattern::Exact("\\KernelObjects\\HighMemoryCondition"),
        reason: "the kernel's own event of the machine's memory, waited for only",
    },
    Line {
        pattern: Pattern::Exact("\\??"),
        reason: "the DOS device names: listed and queried, not changed",
    },
    Line {
        pattern: Pattern::Exact("\\DosDevices"),
        reason: "the DOS device names: listed and queried, not changed",
    },
    Line {
        pattern: Pattern::Leaf("\\??\\"),
        reason: "a DOS device name's target, queried and not changed",
    },
    Line {
        pattern: Pattern::Leaf("\\DosDevices\\"),
        reason: "a DOS device name's target, queried and not changed",
    },
    Line {
        pattern: Pattern::Exact("\\SystemRoot"),
        reason: "the link to the system's folder, queried and not changed",
    },
];

/// The line that lets a member open `name` on the host; `None` when the name
/// is the VM's own.
#[must_use]
pub fn passes(name: &[u16]) -> Option<&'static Line> {
    LINES.iter().find(|line| match line.pattern {
        Pattern::Exact(exact) => equals(name, exact),
        Pattern::Leaf(prefix) => starts(name, prefix)
            .is_some_and(|rest| !rest.is_empty() && !rest.contains(&u16::from(b'\\'))),
    })
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::passes;
    use std::vec::Vec;

    fn w(s: &str) -> Vec<u16> {
        s.encode_utf16().collect()
    }

    #[test]
    fn the_exact_names_pass() {
        assert!(passes(&w("\\KnownDlls\\kernel32.dll")).is_some());
        assert!(passes(&w("\\kerneLobjects\\__wine_user_shared_data")).is_some());
    }

    #[test]
    fn nothing_broader_passes() {
        for name in [
            "\\KnownDlls\\a\\b",
            "\\KnownDllsX",
            "\\KernelObjects\\app",
            "\\KernelObjects",
            "\\BaseNamedObjects\\app",
            "\\RPC Control\\x",
            "\\",
            "\\Device",
        ] {
            assert!(passes(&w(name)).is_none(), "{name}");
        }
    }
}
