//! What `pinion cp` names: a path in a VM, one of the host, or a stream. Pure.

use pinion_store::VmName;

/// One side of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side {
    /// A path in a VM.
    Vm {
        /// The VM's name or id.
        vm: String,
        /// The path as layers keep it: the drive's letter, then name by name.
        path: Vec<String>,
        /// It ended in `\.`: what is in the folder is meant, not the folder.
        contents: bool,
    },
    /// A path of the host, as it was given.
    Host(String),
    /// A tar archive on standard input or output.
    Stream,
}

/// Reads `VM:PATH`, `-`, or a path of the host. One letter before a colon is a drive of the host.
pub fn side(text: &str) -> Result<Side, String> {
    if text == "-" {
        return Ok(Side::Stream);
    }
    match text.split_once(':') {
        Some((vm, path)) if vm.len() > 1 && VmName::check(vm).is_ok() => {
            let (path, contents) = vm_path(path)?;
            Ok(Side::Vm {
                vm: vm.into(),
                path,
                contents,
            })
        }
        _ if text.is_empty() => Err("give a path, VM:PATH or -".into()),
        _ => Ok(Side::Host(text.into())),
    }
}

/// The path in a VM of `C:\a\b` or `c:/a/b`, and whether it ends in `\.`. `..` stops at the drive.
fn vm_path(text: &str) -> Result<(Vec<String>, bool), String> {
    let text = text.replace('/', r"\");
    let right = || format!("'{text}' is no path in a VM: give a whole one, such as web:C:\\data");
    let (drive, rest) = text.split_once(r":\").ok_or_else(right)?;
    let [letter @ (b'a'..=b'z' | b'A'..=b'Z')] = drive.as_bytes() else {
        return Err(right());
    };
    let mut path = vec![char::from(letter.to_ascii_uppercase()).to_string()];
    for name in rest.split('\\') {
        match name {
            "" | "." => {}
            ".." if path.len() > 1 => {
                path.pop();
            }
            ".." => {}
            name => match pinion_store::archive::name_fault(name) {
                Some(why) => return Err(format!("'{text}' is no path in a VM: {why}")),
                None => path.push(name.into()),
            },
        }
    }
    Ok((path, rest == "." || rest.ends_with(r"\.")))
}

/// The Win32 path of a path in a VM.
pub fn win32(path: &[String]) -> String {
    match path.split_first() {
        Some((letter, rest)) => format!(r"{letter}:\{}", rest.join(r"\")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vm(vm: &str, path: &[&str], contents: bool) -> Result<Side, String> {
        Ok(Side::Vm {
            vm: vm.into(),
            path: path.iter().map(|name| (*name).into()).collect(),
            contents,
        })
    }

    #[test]
    fn sides() {
        assert_eq!(side("-"), Ok(Side::Stream));
        assert_eq!(side(r"web:C:\a\b"), vm("web", &["C", "a", "b"], false));
        assert_eq!(side("web:c:/a//b/"), vm("web", &["C", "a", "b"], false));
        assert_eq!(side(r"web:C:\a\."), vm("web", &["C", "a"], true));
        assert_eq!(side(r"web:C:\"), vm("web", &["C"], false));
        assert_eq!(side(r"web:C:\a\..\..\b"), vm("web", &["C", "b"], false));
        for host in [r"C:\a", "c:/a", r".\a", "a", r"\\server\share\a"] {
            assert_eq!(side(host), Ok(Side::Host(host.into())));
        }
        for wrong in [
            "",
            "web:a",
            r"web:\a",
            "web:C:",
            r"web:C:\a:b",
            r"web:C:\nul",
            r"web:C:\a?",
        ] {
            assert!(side(wrong).is_err(), "{wrong}");
        }
        assert_eq!(win32(&["C".into(), "a".into(), "b".into()]), r"C:\a\b");
        assert_eq!(win32(&["C".into()]), r"C:\");
    }
}
