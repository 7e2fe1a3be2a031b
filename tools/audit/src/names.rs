//! Owns NT names as the object manager sees them: joining to a root, following symbolic links, comparing places.

use std::collections::HashMap;

/// The directory of pipes, without a trailing backslash.
pub const PIPES: &str = r"\Device\NamedPipe";
/// The directory of mailslots, without a trailing backslash.
pub const MAILSLOTS: &str = r"\Device\MailSlot";

/// Links that the server makes for itself when it starts, so that no request shows them. Observed on Wine 8 and Wine 10.
const BUILT_IN: [(&str, &str); 15] = [
    (r"\DosDevices", r"\??"),
    (r"\GLOBAL??", r"\??"),
    (r"\??\Global", r"\??"),
    (r"\??\GLOBALROOT", ""),
    (r"\??\NUL", r"\Device\Null"),
    (r"\??\PIPE", PIPES),
    (r"\??\MAILSLOT", MAILSLOTS),
    (r"\??\UNC", r"\Device\Mup"),
    (r"\BaseNamedObjects\Global", r"\BaseNamedObjects"),
    (r"\BaseNamedObjects\Local", r"\BaseNamedObjects"),
    (r"\BaseNamedObjects\Session", r"\Sessions\BNOLINKS"),
    (r"\Sessions\1\BaseNamedObjects\Global", r"\BaseNamedObjects"),
    (
        r"\Sessions\1\BaseNamedObjects\Local",
        r"\Sessions\1\BaseNamedObjects",
    ),
    (
        r"\Sessions\1\BaseNamedObjects\Session",
        r"\Sessions\BNOLINKS",
    ),
    (r"\Sessions\BNOLINKS\1", r"\Sessions\1\BaseNamedObjects"),
];

/// More links than this in one name: the object manager gives up too.
const MOST_LINKS: usize = 32;

/// The symbolic links that a log has shown so far.
#[derive(Debug, Clone)]
pub struct Links {
    exact: HashMap<String, String>,
    folded: HashMap<String, String>,
}

impl Default for Links {
    fn default() -> Self {
        let mut links = Links {
            exact: HashMap::new(),
            folded: HashMap::new(),
        };
        for (name, target) in BUILT_IN {
            links.add(name, target);
        }
        links
    }
}

impl Links {
    /// A link was made. A later link of the same name takes the place of an earlier one.
    pub fn add(&mut self, name: &str, target: &str) {
        let target = target.trim_end_matches('\\').to_string();
        self.folded.insert(fold(name), target.clone());
        self.exact.insert(name.to_string(), target);
    }

    /// The name that the object manager arrives at. A link in the last component is followed too.
    pub fn resolve(&self, name: &str, ignore_case: bool) -> String {
        let mut name = name.to_string();
        for _ in 0..MOST_LINKS {
            match self.follow_first(&name, ignore_case) {
                Some(next) if next != name => name = next,
                _ => break,
            }
        }
        local_pipe(name)
    }

    /// Replaces the first component that is a link by its target.
    fn follow_first(&self, name: &str, ignore_case: bool) -> Option<String> {
        let ends = name
            .match_indices('\\')
            .map(|(at, _)| at)
            .skip(1)
            .chain([name.len()]);
        for end in ends {
            let (head, tail) = (name.get(..end)?, name.get(end..)?);
            let target = self.exact.get(head).or_else(|| {
                // The links of `\??` are only ever looked up without regard to case.
                if ignore_case || head.starts_with(r"\??\") {
                    self.folded.get(&fold(head))
                } else {
                    None
                }
            });
            if let Some(target) = target {
                return Some(format!("{target}{tail}"));
            }
        }
        None
    }
}

/// `\\localhost\pipe\x` is the pipe `x`.
fn local_pipe(name: String) -> String {
    let Some(rest) = strip_folded(&name, r"\Device\Mup\") else {
        return name;
    };
    let Some((_, share)) = rest.split_once('\\') else {
        return name;
    };
    match (
        strip_folded(share, r"pipe\"),
        strip_folded(share, r"mailslot\"),
    ) {
        (Some(pipe), _) => format!("{PIPES}\\{pipe}"),
        (_, Some(slot)) => format!("{MAILSLOTS}\\{slot}"),
        _ => name,
    }
}

/// Joins a name to the full name of its root directory. An empty name is the root itself.
pub fn join(root: &str, name: &str) -> String {
    if name.is_empty() {
        root.to_string()
    } else {
        format!("{}\\{name}", root.trim_end_matches('\\'))
    }
}

/// Is `name` the place `root` or something below it?
pub fn within(root: &str, name: &str, ignore_case: bool) -> bool {
    let root = root.trim_end_matches('\\');
    if root.is_empty() {
        return false;
    }
    let rest = if ignore_case {
        strip_folded(name, root)
    } else {
        name.strip_prefix(root)
    };
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('\\'))
}

fn strip_folded<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    let head = name.get(..prefix.len())?;
    if fold(head) == fold(prefix) {
        name.get(prefix.len()..)
    } else {
        None
    }
}

pub(crate) fn fold(name: &str) -> String {
    name.chars().flat_map(char::to_uppercase).collect()
}

/// A Unix path with `.`, `..` and the prefix's `dosdevices` drives taken out: `c:` is `drive_c`, `z:` is the root.
pub fn unix_plain(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            "z:" if parts.last() == Some(&"dosdevices") => parts.clear(),
            "c:" if parts.last() == Some(&"dosdevices") => {
                parts.pop();
                parts.push("drive_c");
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Is the plain Unix path `path` the folder `root` or below it?
pub fn unix_within(root: &str, path: &str) -> bool {
    root.len() > 1
        && path
            .strip_prefix(root)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn built_in_links() {
        let links = Links::default();
        assert_eq!(
            links.resolve(r"\??\pipe\x\y", false),
            r"\Device\NamedPipe\x\y"
        );
        assert_eq!(
            links.resolve(r"\??\UNC\localhost\pipe\x", true),
            r"\Device\NamedPipe\x"
        );
        assert_eq!(
            links.resolve(r"\DosDevices\PIPE\x", true),
            r"\Device\NamedPipe\x"
        );
        assert_eq!(
            links.resolve(r"\Sessions\1\BaseNamedObjects\Global\x", false),
            r"\BaseNamedObjects\x"
        );
        assert_eq!(
            links.resolve(r"\Sessions\BNOLINKS\1\x", false),
            r"\Sessions\1\BaseNamedObjects\x"
        );
        assert_eq!(
            links.resolve(r"\??\GLOBALROOT\Device\Null", false),
            r"\Device\Null"
        );
    }

    #[test]
    fn a_link_out_of_a_place_is_followed() {
        let mut links = Links::default();
        links.add(r"\D\Local", r"\BaseNamedObjects");
        assert_eq!(links.resolve(r"\D\Local\x", false), r"\BaseNamedObjects\x");
        assert_eq!(links.resolve(r"\D\local\x", false), r"\D\local\x");
        links.add(r"\D\Local", r"\D");
        assert_eq!(links.resolve(r"\D\Local\x", false), r"\D\x");
    }

    #[test]
    fn rings_of_links_end() {
        let mut links = Links::default();
        links.add(r"\a", r"\b");
        links.add(r"\b", r"\a");
        let _ = links.resolve(r"\a\x", false);
        links.add(r"\c", r"\c\c");
        let _ = links.resolve(r"\c\x", false);
    }

    #[test]
    fn plain_unix_paths() {
        assert_eq!(
            unix_plain("/p/dosdevices/c:/windows/./x/../y"),
            "/p/drive_c/windows/y"
        );
        assert_eq!(unix_plain("/p/dosdevices/z:/tmp/x"), "/tmp/x");
        assert!(unix_within("/tmp", "/tmp/x"));
        assert!(!unix_within("/tmp", "/tmpx"));
        assert!(!unix_within("/", "/tmpx"));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(name in "\\PC*", root in "\\PC*", ignore_case: bool) {
            let links = Links::default();
            let joined = join(&root, &name);
            let _ = links.resolve(&joined, ignore_case);
            let _ = (within(&root, &name, ignore_case), unix_plain(&name));
        }

        #[test]
        fn a_name_below_a_root_is_within_it(name in "[a-z]{1,8}", root in "\\\\[a-z\u{e9}]{1,8}") {
            let full = join(&root, &name);
            prop_assert!(within(&root, &full, false));
            prop_assert!(within(&root, &full, true));
            let longer = format!("{root}x");
            prop_assert!(!within(&root, &join(&longer, &name), true));
        }
    }
}
