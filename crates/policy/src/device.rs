//! Devices that members open on the host. Files, pipes and mailslots are not
//! here: they have namespaces of their own.

use pinion_names::units::{equals, first_part};

/// One device of the pass list.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    /// The first part of the name below `\Device`, or the DOS device name.
    pub name: &'static str,
    /// Why it passes.
    pub reason: &'static str,
}

/// The devices that may be opened, by `\Device\<name>` or `\??\<name>`, with
/// anything below them.
pub const LINES: &[Line] = &[
    Line {
        name: "Afd",
        reason: "sockets: addresses are confined call by call",
    },
    Line {
        name: "ConDrv",
        reason: "the program's own console, whose handles were inherited",
    },
    Line {
        name: "CONIN$",
        reason: "the program's own console",
    },
    Line {
        name: "CONOUT$",
        reason: "the program's own console",
    },
    Line {
        name: "CON",
        reason: "the program's own console",
    },
    Line {
        name: "Null",
        reason: "holds nothing",
    },
    Line {
        name: "NUL",
        reason: "holds nothing",
    },
    Line {
        name: "KsecDD",
        reason: "the kernel's random numbers",
    },
    Line {
        name: "CNG",
        reason: "the kernel's random numbers",
    },
    Line {
        name: "Nsi",
        reason: "the network's own tables, read only",
    },
    Line {
        name: "MountPointManager",
        reason: "drive letters and volume names, queried",
    },
];

/// The line that lets a member open the device whose name (below `\Device` or
/// the DOS device directory) is `path`, beginning with a backslash.
#[must_use]
pub fn passes(path: &[u16]) -> Option<&'static Line> {
    let (first, _) = first_part(path)?;
    LINES.iter().find(|line| equals(first, line.name))
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
    fn default_is_deny() {
        assert!(passes(&w("\\Afd\\Endpoint")).is_some());
        for name in [
            "\\PhysicalDrive0",
            "\\Http\\ReqQueue",
            "\\HarddiskVolume1",
            "\\Afdx",
            "\\DeviceApi\\CMApi",
            "Afd",
        ] {
            assert!(passes(&w(name)).is_none(), "{name}");
        }
    }
}
