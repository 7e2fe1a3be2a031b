//! Owns the description of the virtual machines that a log is judged against, and which names are a machine's own.
//! It knows places only; who may go there is for `judge`.

use crate::names;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// Where one virtual machine keeps its things, as `pinion inspect --json` tells it. Unknown fields are ignored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Vm {
    /// The machine's name, for the report.
    pub name: String,
    /// NT path of its object directory, e.g. `\Sessions\1\BaseNamedObjects\Pinion-0123456789abcdef`.
    pub object_directory: String,
    /// What its pipe and mailslot names begin with, below `\Device\NamedPipe\`, e.g. `pinion-0123456789abcdef\`.
    pub pipe_prefix: String,
    /// The pipe below `\Device\NamedPipe\` on which its supervisor answers its members, e.g. `pinion-sv-0123456789abcdef`.
    /// It is the machine's service controller, so it is the machine's own. The pipe that commands the supervisor is not.
    #[serde(default)]
    pub request_pipe: Option<String>,
    /// Its writable file layer: a Unix path, or a Windows path with a drive letter.
    #[serde(alias = "upper_files")]
    pub files_upper: String,
    /// NT path of its writable registry subtree.
    #[serde(alias = "upper_registry")]
    pub registry_upper: String,
    /// Its loopback address. Without one, every bind of the machine is outside its places.
    #[serde(default)]
    pub address: Option<String>,
}

/// Something named that an access reached, in its resolved form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place<'a> {
    /// The kind of object, see [`crate::kernel::Access`].
    pub kind: &'a str,
    /// The resolved NT name, or `address:port` of a port.
    pub name: &'a str,
    /// The Unix path of a file.
    pub unix: Option<&'a str>,
    /// Did the lookup ignore case (`OBJ_CASE_INSENSITIVE`)?
    pub fold: bool,
}

impl Vm {
    /// Does this place belong to the machine?
    pub fn owns(&self, place: &Place<'_>) -> bool {
        match place.kind {
            "file" => self.owns_file(place),
            "key" => names::within(&self.registry_upper, place.name, true),
            "pipe" => {
                self.owns_prefixed(names::PIPES, place.name) || self.is_request_pipe(place.name)
            }
            "mailslot" => self.owns_prefixed(names::MAILSLOTS, place.name),
            "port" | "connection" => self.owns_port(place.name),
            "atom" => self.owns_atom(place.name),
            _ => names::within(&self.object_directory, place.name, place.fold),
        }
    }

    /// Pipes and mailslots have no directories: a prefix of the name is the machine's place. Their names ignore case.
    fn owns_prefixed(&self, device: &str, name: &str) -> bool {
        let prefix = self.pipe_prefix.trim_end_matches('\\');
        !prefix.is_empty() && names::within(&format!("{device}\\{prefix}"), name, true)
    }

    /// Atoms have no directories: a name begins with the machine's id, 14 bits a character from U+4E00 on, the lowest first.
    fn owns_atom(&self, name: &str) -> bool {
        let id = self.object_directory.rsplit_once("Pinion-");
        let Some(Ok(id)) = id.map(|(_, id)| u64::from_str_radix(id, 16)) else {
            return false;
        };
        let mark = (0..5).map(|at| char::from_u32(0x4e00 + (id >> (14 * at) & 0x3fff) as u32));
        mark.eq(name.chars().take(5).map(Some))
    }

    fn is_request_pipe(&self, name: &str) -> bool {
        self.request_pipe
            .as_deref()
            .is_some_and(|pipe| name.eq_ignore_ascii_case(&format!("{}\\{pipe}", names::PIPES)))
    }

    /// What is in the layer's folder, but for what says what the layer is: the command line reads that from outside.
    fn owns_file(&self, place: &Place<'_>) -> bool {
        let below = if self.files_upper.starts_with('/') {
            let Some(unix) = place.unix else { return false };
            let upper = names::unix_plain(&self.files_upper);
            let plain = names::unix_plain(unix);
            names::unix_within(&upper, &plain).then(|| plain[upper.len()..].replace('/', "\\"))
        } else {
            let upper = dos_path(&self.files_upper.replace('/', "\\"));
            let name = dos_path(place.name);
            let within = !upper.is_empty() && names::within(&upper, &name, true);
            within.then(|| name[upper.len()..].to_owned())
        };
        below.is_some_and(|below| !matches!(below.as_str(), "" | "\\" | "\\layer.json"))
    }

    /// A machine has two addresses: on NT the versions of IP share no ports, so where both are bound to one port, the
    /// second of them gets the address whose second number differs in its last bit.
    fn owns_port(&self, name: &str) -> bool {
        let own = self.address.as_deref().map(str::parse::<Ipv4Addr>);
        let (Some(Ok(own)), Some((host, _))) = (own, name.rsplit_once(':')) else {
            return false;
        };
        let [a, b, c, d] = own.octets();
        let second = Ipv4Addr::new(a, b ^ 1, c, d);
        host.parse::<Ipv4Addr>()
            .is_ok_and(|host| host == own || host == second)
    }
}

/// The DOS path of an NT name of a file, also of one that Wine calls by its Unix path.
pub(crate) fn dos_path(name: &str) -> String {
    let name = name.strip_prefix(r"\??\").unwrap_or(name);
    match name.strip_prefix(r"unix\") {
        None => name.to_owned(),
        Some(unix) => match unix.split_once(r"\drive_c\") {
            Some((_, rest)) => format!(r"C:\{rest}"),
            None => format!(r"Z:\{unix}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_a_layer_by_either_name_and_not_the_layer_itself() {
        let vm = Vm {
            files_upper: r"C:\pinion\0a".into(),
            ..vm()
        };
        let owns = |name: &str| {
            vm.owns(&Place {
                kind: "file",
                name,
                unix: None,
                fold: true,
            })
        };
        for name in [
            r"\??\C:\pinion\0a\C\x",
            r"\??\unix\p\drive_c\pinion\0a\C",
            r"\??\C:\Pinion\0a\.wh..wh.base",
        ] {
            assert!(owns(name), "{name}");
        }
        for name in [
            r"\??\C:\pinion\0a",
            r"\??\C:\pinion\0a\layer.json",
            r"\??\C:\pinion\0ab\C",
            r"\??\unix\pinion\0a\C",
        ] {
            assert!(!owns(name), "{name}");
        }
    }

    fn vm() -> Vm {
        Vm {
            name: "a".into(),
            object_directory: r"\Sessions\1\BaseNamedObjects\Pinion-1".into(),
            pipe_prefix: r"pinion-1\".into(),
            request_pipe: Some("pinion-sv-1".into()),
            files_upper: "/p/drive_c/pinion/a/files".into(),
            registry_upper: r"\REGISTRY\User\S-1\Software\Pinion\a".into(),
            address: Some("127.1.2.3".into()),
        }
    }

    fn owns(kind: &str, name: &str, unix: Option<&str>) -> bool {
        vm().owns(&Place {
            kind,
            name,
            unix,
            fold: false,
        })
    }

    #[test]
    fn atoms_with_the_mark_only() {
        assert!(owns(
            "atom",
            "\u{4e01}\u{4e00}\u{4e00}\u{4e00}\u{4e00}x",
            None
        ));
        for name in [
            "x",
            "",
            "\u{4e01}",
            "\u{4e02}\u{4e00}\u{4e00}\u{4e00}\u{4e00}x",
        ] {
            assert!(!owns("atom", name, None), "{name}");
        }
    }

    #[test]
    fn objects_below_the_directory_only() {
        assert!(owns(
            "mutex",
            r"\Sessions\1\BaseNamedObjects\Pinion-1\x",
            None
        ));
        assert!(owns(
            "directory",
            r"\Sessions\1\BaseNamedObjects\Pinion-1",
            None
        ));
        assert!(!owns(
            "mutex",
            r"\Sessions\1\BaseNamedObjects\Pinion-12",
            None
        ));
        assert!(!owns(
            "mutex",
            r"\sessions\1\BaseNamedObjects\Pinion-1\x",
            None
        ));
    }

    #[test]
    fn pipes_by_prefix() {
        assert!(owns("pipe", r"\Device\NamedPipe\PINION-1\svcctl", None));
        assert!(!owns("pipe", r"\Device\NamedPipe\pinion-12\svcctl", None));
        assert!(!owns("pipe", r"\Device\MailSlot\pinion-1\svcctl", None));
        assert!(owns("pipe", r"\Device\NamedPipe\pinion-SV-1", None));
        assert!(!owns("pipe", r"\Device\NamedPipe\pinion-sv-1\x", None));
        assert!(!owns("pipe", r"\Device\NamedPipe\pinion-ctl-1", None));
    }

    #[test]
    fn files_by_unix_path_through_the_drive() {
        assert!(owns(
            "file",
            r"\??\C:\pinion",
            Some("/p/dosdevices/c:/pinion/a/files/x")
        ));
        assert!(!owns(
            "file",
            r"\??\C:\pinion",
            Some("/p/dosdevices/c:/pinion/a/files/../x")
        ));
        assert!(!owns("file", r"\??\C:\pinion", None));
    }

    #[test]
    fn ports_and_keys() {
        assert!(owns("port", "127.1.2.3:80", None));
        assert!(!owns("port", "127.1.2.33:80", None));
        assert!(owns("port", "127.0.2.3:80", None));
        assert!(!owns("port", "127.0.0.1:80", None));
        assert!(owns("connection", "127.1.2.3:80", None));
        assert!(owns("key", r"\Registry\User\s-1\software\pinion\A\x", None));
    }
}
