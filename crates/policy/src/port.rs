//! LPC and ALPC ports of the host that members connect to, which no VM can have
//! a second time. All other ports are the VM's own by name, so a server that
//! does not run inside is not there.
//!
//! Names from documentation and debuggers' listings of Windows 10 and 11; Wine
//! has no such ports. Never run on Windows.

use pinion_names::units::{equals, starts};

/// How a line names a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// Exactly this name, ignoring ASCII case.
    Exact(&'static str),
    /// This name below `\Sessions\<number>`, or in session 0 without that.
    InSession(&'static str),
}

/// One port of the pass list.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    /// Which port.
    pub pattern: Pattern,
    /// Why it cannot be the VM's own.
    pub reason: &'static str,
}

/// The ports that may be connected to on the host.
pub const LINES: &[Line] = &[
    Line {
        pattern: Pattern::InSession("\\Windows\\ApiPort"),
        reason: "the session's csrss: no Win32 process starts without it, and there is one in a session",
    },
    Line {
        pattern: Pattern::Exact("\\RPC Control\\lsapolicylookup"),
        reason: "LSA's translation of account names and SIDs: it reads, and there is one on a machine",
    },
    Line {
        pattern: Pattern::Exact("\\RPC Control\\lsasspirpc"),
        reason: "LSA's logon and SSPI: there is one on a machine",
    },
    Line {
        pattern: Pattern::Exact("\\LsaAuthenticationPort"),
        reason: "LSA's logon: there is one on a machine",
    },
];

/// The line that lets a member connect to the host's port `name`; `None` when
/// the name is the VM's own.
#[must_use]
pub fn passes(name: &[u16]) -> Option<&'static Line> {
    LINES.iter().find(|line| match line.pattern {
        Pattern::Exact(exact) => equals(name, exact),
        Pattern::InSession(rest) => equals(below_session(name), rest),
    })
}

/// `name` without a leading `\Sessions\<number>`.
fn below_session(name: &[u16]) -> &[u16] {
    let Some(rest) = starts(name, "\\Sessions\\") else {
        return name;
    };
    let is_digit = |unit: &u16| (u16::from(b'0')..=u16::from(b'9')).contains(unit);
    let digits = rest.iter().take_while(|unit| is_digit(unit)).count();
    match digits {
        0 | 11.. => name,
        _ => rest.get(digits..).unwrap_or(name),
    }
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
    fn the_exact_ports_pass() {
        for name in [
            "\\Windows\\ApiPort",
            "\\Sessions\\1\\Windows\\ApiPort",
            "\\sessions\\12\\windows\\apiport",
            "\\RPC Control\\lsapolicylookup",
            "\\RPC Control\\lsasspirpc",
            "\\LsaAuthenticationPort",
        ] {
            assert!(passes(&w(name)).is_some(), "{name}");
        }
    }

    #[test]
    fn nothing_broader_passes() {
        for name in [
            "",
            "\\",
            "\\Windows\\SbApiPort",
            "\\Windows\\ApiPort2",
            "\\Sessions\\1\\Windows\\SbApiPort",
            "\\Sessions\\1\\Windows\\DwmApiPort",
            "\\Sessions\\x\\Windows\\ApiPort",
            "\\Sessions\\\\Windows\\ApiPort",
            "\\Sessions\\1\\Sessions\\1\\Windows\\ApiPort",
            "\\Sessions\\12345678901\\Windows\\ApiPort",
            "\\Sessions\\1\\BaseNamedObjects\\Windows\\ApiPort",
            "\\RPC Control\\epmapper",
            "\\RPC Control\\ntsvcs",
            "\\RPC Control\\samss lpc",
            "\\RPC Control\\LSARPC_ENDPOINT",
            "\\RPC Control\\LRPC-0123456789abcdef",
            "\\RPC Control\\spoolss",
            "\\RPC Control\\lsapolicylookup\\x",
            "\\WindowsErrorReportingServicePort",
            "\\ThemeApiPort",
            "\\PowerPort",
            "\\SmApiPort",
        ] {
            assert!(passes(&w(name)).is_none(), "{name}");
        }
    }
}
