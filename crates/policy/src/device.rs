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

/// Devices that a driver makes inside the VM, on Wine, where a driver is a
/// program (`winedevice.exe`): by the first part of the name below `\\Device`, and
/// the service that loads it.
pub const DRIVEN_INSIDE: &[(&str, &str)] = &[("Http", "HTTP")];

/// Whether the absolute object name `name` is of a device that a driver inside
/// the VM makes.
#[must_use]
pub fn is_driven_inside(name: &[u16]) -> bool {
    first_part(name)
        .filter(|(first, _)| equals(first, "Device"))
        .and_then(|(_, rest)| first_part(rest))
        .is_some_and(|(first, _)| DRIVEN_INSIDE.iter().any(|line| equals(first, line.0)))
}

/// Whether `path`, as of [`passes`], is of http.sys's devices, which on Windows a
/// member opens only where the VM's policy allows URLs of the channel `http`.
#[must_use]
pub fn is_http(path: &[u16]) -> bool {
    first_part(path).is_some_and(|(first, _)| equals(first, "Http"))
}

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
    use super::{is_driven_inside, is_http, passes};
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
    #[test]
    fn the_devices_of_http_are_told_by_their_first_part() {
        for name in ["\\Http", "\\Http\\Communication", "\\http\\ReqQueue\\x"] {
            assert!(is_http(&w(name)) && passes(&w(name)).is_none(), "{name}");
        }
        for name in ["\\Https", "Http", "\\Afd\\Http", ""] {
            assert!(!is_http(&w(name)), "{name}");
        }
    }

    #[test]
    fn a_device_that_is_driven_inside_is_told_by_its_first_part() {
        for name in [
            "\\Device\\Http",
            "\\Device\\Http\\ReqQueue",
            "\\device\\HTTP\\x",
        ] {
            assert!(is_driven_inside(&w(name)), "{name}");
        }
        for name in [
            "\\Http\\ReqQueue",
            "\\Device\\Httpx",
            "\\Device",
            "Device\\Http",
            "",
        ] {
            assert!(!is_driven_inside(&w(name)), "{name}");
        }
    }
}
