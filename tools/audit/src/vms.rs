//! Owns the description of the virtual machines that a log is judged against, and which names are a machine's own.
//! It knows places only; who may go there is for `judge`.

use crate::names;
use serde::{Deserialize, Serialize};

/// Where one virtual machine keeps its things, as `pinion inspect --json` tells it. Unknown fields are ignored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Vm {
    /// The machine's name, for the report.
    pub name: String,
    /// NT path of its object directory, e.g. `\Sessions\1\BaseNamedObjects\Pinion-0123456789abcdef`.
    pub object_directory: String,
    /// What its pipe and mailslot names begin with, below `\Device\NamedPipe\`, e.g. `pinion-0123456789abcdef\`.
    pub pipe_prefix: String,
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
            "pipe" => self.owns_prefixed(names::PIPES, place.name),
            "mailslot" => self.owns_prefixed(names::MAILSLOTS, place.name),
            "port" => self.owns_port(place.name),
            _ => names::within(&self.object_directory, place.name, place.fold),
        }
    }

    /// Pipes and mailslots have no directories: a prefix of the name is the machine's place. Their names ignore case.
    fn owns_prefixed(&self, device: &str, name: &str) -> bool {
        let prefix = self.pipe_prefix.trim_end_matches('\\');
        !prefix.is_empty() && names::within(&format!("{device}\\{prefix}"), name, true)
    }

    fn owns_file(&self, place: &Place<'_>) -> bool {
        if self.files_upper.starts_with('/') {
            let Some(unix) = place.unix else { return false };
            return names::unix_within(
                &names::unix_plain(&self.files_upper),
                &names::unix_plain(unix),
            );
        }
        let upper = self.files_upper.replace('/', "\\");
        let upper = upper.strip_prefix(r"\??\").unwrap_or(&upper);
        let name = place.name.strip_prefix(r"\??\").unwrap_or(place.name);
        !upper.is_empty() && names::within(upper, name, true)
    }

    fn owns_port(&self, name: &str) -> bool {
        let Some(address) = self.address.as_deref() else {
            return false;
        };
        name.rsplit_once(':')
            .is_some_and(|(host, _)| host == address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vm() -> Vm {
        Vm {
            name: "a".into(),
            object_directory: r"\Sessions\1\BaseNamedObjects\Pinion-1".into(),
            pipe_prefix: r"pinion-1\".into(),
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
        assert!(owns("key", r"\Registry\User\s-1\software\pinion\A\x", None));
    }
}
