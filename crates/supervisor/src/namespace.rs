//! The layout of a VM's object directory. Pure; `names` makes it.
//!
//! An absolute object name `N` of a program means `R` followed by `N`, where `R` is the directory. It
//! holds the directories that exist before any program runs, and links like NT's own: `Local`,
//! `Global` and `Session` in both `BaseNamedObjects`, where `Local` leads to its own directory.

use pinion_store::VmId;

/// The NT path of a VM's object directory. Session 0 has no directory of its own on Windows.
pub(crate) fn root_path(id: VmId, session: u32) -> String {
    format!(r"{}\Pinion-{id}", base_named_objects(session))
}

fn base_named_objects(session: u32) -> String {
    match session {
        0 => r"\BaseNamedObjects".into(),
        n => format!(r"\Sessions\{n}\BaseNamedObjects"),
    }
}

/// The directories below the root, parents first.
pub(crate) fn directories(session: u32) -> Vec<String> {
    let mut paths = vec![
        r"\BaseNamedObjects".to_string(),
        r"\KernelObjects".to_string(),
        r"\Device".to_string(),
        pinion_names::dos::DIRECTORY.to_string(),
        r"\RPC Control".to_string(),
        r"\Windows".to_string(),
        r"\Windows\WindowStations".to_string(),
        r"\Sessions".to_string(),
        r"\Sessions\BNOLINKS".to_string(),
    ];
    if session != 0 {
        let of_session = format!(r"\Sessions\{session}");
        let inside = [
            "",
            r"\BaseNamedObjects",
            r"\Windows",
            r"\Windows\WindowStations",
        ];
        paths.extend(inside.map(|part| format!("{of_session}{part}")));
    }
    paths
}

/// The links below the root, with their targets below it too.
pub(crate) fn links(session: u32) -> Vec<(String, String)> {
    let own = base_named_objects(session);
    let mut links = Vec::new();
    let mut holders = vec![r"\BaseNamedObjects".to_string()];
    if session != 0 {
        holders.push(own.clone());
    }
    for holder in holders {
        links.push((format!(r"{holder}\Local"), holder.clone()));
        links.push((format!(r"{holder}\Global"), r"\BaseNamedObjects".into()));
        links.push((format!(r"{holder}\Session"), r"\Sessions\BNOLINKS".into()));
    }
    for alias in [r"\??", r"\GLOBAL??"] {
        links.push((alias.into(), pinion_names::dos::DIRECTORY.into()));
    }
    links.push((r"\Sessions\BNOLINKS\0".into(), r"\BaseNamedObjects".into()));
    if session != 0 {
        links.push((format!(r"\Sessions\BNOLINKS\{session}"), own));
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// The parts of a name, the last first.
    fn parts(name: &str) -> Vec<String> {
        let mut parts: Vec<String> = name.split('\\').skip(1).map(Into::into).collect();
        parts.reverse();
        parts
    }

    /// Follows links like the object manager does; none when a part does not exist.
    fn resolve(session: u32, name: &str) -> Option<String> {
        let links: HashMap<String, String> = links(session).into_iter().collect();
        let directories = directories(session);
        let (mut at, mut steps) = (String::new(), 0);
        let mut rest: Vec<String> = parts(name);
        while let Some(part) = rest.pop() {
            at = format!(r"{at}\{part}");
            steps += 1;
            assert!(steps < 100, "a loop of links at {name}");
            if let Some(target) = links.get(&at) {
                rest.extend(parts(target));
                at.clear();
            } else if !rest.is_empty() && !directories.contains(&at) {
                return None;
            }
        }
        Some(at)
    }

    #[test]
    fn names_resolve_as_kernel32_passes_them() {
        let own = r"\Sessions\1\BaseNamedObjects\x";
        let global = r"\BaseNamedObjects\x";
        for holder in [r"\Sessions\1\BaseNamedObjects", r"\BaseNamedObjects"] {
            let local = if holder.len() > global.len() {
                own
            } else {
                global
            };
            for (form, target) in [
                ("Local", local),
                ("Global", global),
                (r"Session\1", own),
                (r"Session\0", global),
                (r"Global\Local", global),
            ] {
                let name = format!(r"{holder}\{form}\x");
                assert_eq!(resolve(1, &name).as_deref(), Some(target), "{name}");
            }
            assert_eq!(resolve(1, &format!(r"{holder}\Session\2\x")), None);
        }
    }

    #[test]
    fn session_0_has_one_directory_for_all() {
        for form in ["Local", "Global", r"Session\0"] {
            let name = format!(r"\BaseNamedObjects\{form}\x");
            assert_eq!(
                resolve(0, &name).as_deref(),
                Some(r"\BaseNamedObjects\x"),
                "{name}"
            );
        }
    }

    #[test]
    fn parents_come_before_children_and_roots_differ() {
        for session in [0, 1, 7] {
            let paths = directories(session);
            for (at, path) in paths.iter().enumerate() {
                let parent = path.rsplit_once('\\').unwrap().0;
                assert!(
                    parent.is_empty() || paths[..at].iter().any(|p| p == parent),
                    "{path}"
                );
            }
        }
        let root = |id| root_path(VmId::from_u64(id), 1);
        assert_eq!(
            root(1),
            r"\Sessions\1\BaseNamedObjects\Pinion-0000000000000001"
        );
        assert_ne!(root(1), root(2));
    }
}
